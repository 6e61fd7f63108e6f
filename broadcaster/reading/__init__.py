"""Written Vietnamese -> spoken Vietnamese.  Pure: no clock, file, network or database."""

from broadcaster.reading.dictionary import entries_from_tsv, entries_to_tsv
from broadcaster.reading.export import reading_to_json
from broadcaster.reading.lexicon import DEFAULT, Dialect, Lexicon
from broadcaster.reading.reader import read, spoken

__all__ = [
    "DEFAULT",
    "Dialect",
    "Lexicon",
    "entries_from_tsv",
    "entries_to_tsv",
    "read",
    "reading_to_json",
    "spoken",
]
