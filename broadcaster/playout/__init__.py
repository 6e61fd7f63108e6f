"""The player: plan, decide, journal, sync, outputs.  Knows no station database and no Flask."""
