"""What each Vietnamese sound adds to the letters of a model that was never taught Vietnamese.

The model hears a sentence as letters, each a vector of 512 numbers.  Its letters are other languages' sounds: no
letter of it is the đ, the ơ or the nặng of the north.  So every onset, vowel, final and tone has a vector of ours
that is added to the letters it is spelled with.  What a woman's voice needs is not quite what a man's does: a voice
names its table, a file NAME.npy beside this one.  `scripts/learn_voice.py` found them; docs/benchmarks/voice.md says how.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broadcaster.speech.phonology import Place, Syllable

SIZE = 512
USUAL = "northern"  # the table of a voice that names none

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Colours:
    """A vector [512] for each sound by its name (see `sounds_at`); a sound without one adds nothing."""

    vectors: Mapping[str, F32]

    def over(self, places: Sequence[Place], tokens: int) -> F32:
        """[1, tokens, 512] to be added to the model's letters; `tokens` counts the lead and the tail as well."""
        total = np.zeros((1, tokens, SIZE), np.float32)
        for place in places:
            for token, names in sounds_at(place):
                for name in names:
                    if (vector := self.vectors.get(name)) is not None:
                        total[0, token + 1] += vector
        return total


def sounds_at(place: Place) -> list[tuple[int, tuple[str, ...]]]:
    """For each token of a syllable the names of the sounds it belongs to: "onset đ", "tone NANG", "coda ng", …

    A vowel of two letters has a name for its beginning and one for the rest; a tone has one over the vowel and one
    over the final; tones before a stop are sounds of their own.
    """
    said: Syllable = place.syllable
    tone = said.tone.name + (" stop" if said.stopped else "")
    found: list[tuple[int, tuple[str, ...]]] = []
    found += [(token, (f"onset {said.onset}",)) for token in range(place.start, place.rhyme)]
    for number, token in enumerate(range(place.rhyme, place.coda)):
        found.append((token, (f"nucleus {said.nucleus} {min(number, 1)}", f"tone {tone}")))
    found += [(token, (f"coda {said.coda}", f"coda tone {tone}")) for token in range(place.coda, place.end)]
    return found


def file_of(name: str) -> Path:
    """Where a table lies; ValueError when that is no name of one."""
    if not re.fullmatch(r"[a-z0-9-]{1,24}", name):
        raise ValueError(f"no name of a table of colours: {name!r}")
    return Path(__file__).with_name(f"{name}.npy")


@cache
def named(name: str) -> Colours:
    """A table as it comes with the program; ValueError when there is none of that name."""
    try:
        return load(file_of(name).read_bytes())
    except OSError as error:
        raise ValueError(f"no table of colours {name!r}") from error


@cache
def hash_of(name: str) -> str:
    """SHA-256 of its file: other colours are another edition of the voices that have them."""
    return hashlib.sha256(file_of(name).read_bytes()).hexdigest()


def load(data: bytes) -> Colours:
    """From the bytes of a .npy: an array of (`name`, `vector` [512])."""
    rows = np.load(io.BytesIO(data), allow_pickle=False)
    if rows.dtype.names != ("name", "vector") or rows.dtype["vector"].shape != (SIZE,):
        raise ValueError(f"names and vectors of {SIZE} numbers expected")
    return Colours({str(row["name"]): row["vector"].astype(np.float32) for row in rows})


def dump(colours: Colours) -> bytes:
    """The bytes that `load` reads; half precision, the names in order: the same vectors give the same bytes."""
    rows = np.empty(len(colours.vectors), [("name", "U24"), ("vector", np.float16, SIZE)])
    for row, name in zip(rows, sorted(colours.vectors), strict=True):
        row["name"], row["vector"] = name, colours.vectors[name]
    target = io.BytesIO()
    np.save(target, rows)
    return target.getvalue()
