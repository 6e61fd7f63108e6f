"""A commune's loudspeaker station: from a written bulletin to a proven broadcast.

reading      written Vietnamese -> spoken Vietnamese
speech       spoken words -> voice
production   voice + jingles -> programme file
newsroom     the life of a bulletin: import, draft, submit, approve
schedule     when and where: slots, policy, the plan
delivery     what receivers get: manifest, village page, feeds
playout      the player: decide, journal, outputs
report       as-run -> counts and papers
store        database, files, queue
"""

__version__ = "0.1.0"
