"""How loud each part of a syllable is: the model's own energy curve, mended for Vietnamese.  Pure.

The model closes a syllable long before it ends when a stop or an h follows, so that the end of its tone, where a hỏi
turns up and a ngã rises, is all but silent.  Here the rhyme keeps its strength to its end (`floors`), and where
the glottis closes, strength goes (`ceilings`).

Energies are the model's units, about 6 dB each; a contour is (share of the rhyme 0..1, units below its strongest frame).
Time is in pitch frames, as in `tones`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from broadcaster.speech.phonology import Tone
from broadcaster.speech.tones import Contour, Note, at, bearing_end


@dataclass(frozen=True, slots=True)
class Breath:
    """Least and most strength over the part of a syllable that bears its tone; no entry leaves it to the model."""

    floor: Contour | None = None
    floors: Mapping[Tone, Contour] = field(default_factory=dict)
    ceilings: Mapping[Tone, Contour] = field(default_factory=dict)
    stopped_floor: Contour | None = None


NORTHERN = Breath()


def energy(own: Sequence[float], notes: Sequence[Note], breath: Breath = NORTHERN) -> list[float]:
    """The energy curve for the model: `own` lifted to the floors and lowered to the ceilings of each note."""
    curve = list(own)
    for note in notes:
        end = min(bearing_end(note), len(curve))
        if end <= note.rhyme:
            continue
        strongest = max(own[note.rhyme : end])
        floor = breath.stopped_floor if note.stopped else breath.floors.get(note.tone, breath.floor)
        ceiling = None if note.stopped else breath.ceilings.get(note.tone)
        span = max(end - note.rhyme - 1, 1)
        for frame in range(note.rhyme, end):
            share = (frame - note.rhyme) / span
            if floor is not None:
                curve[frame] = max(curve[frame], strongest + at(floor, share))
            if ceiling is not None:
                curve[frame] = min(curve[frame], strongest + at(ceiling, share))
    return curve
