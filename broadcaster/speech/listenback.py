"""Listen-back: a recogniser hears the finished sound, and the words it did not get are shown.  Optional.

It advises, it never blocks: a recogniser is not a villager.  Needs the optional package `viet-asr`
(CPython 3.11 on x86-64) and scipy; without them `Listener.available()` says so.  The same measure scores the
voices in `scripts/bench_voice.py`.
"""

from __future__ import annotations

import importlib.util
import random
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadcaster.errors import VoiceError
from broadcaster.model import Pcm

_TONES = dict.fromkeys(map(ord, "\u0300\u0301\u0303\u0309\u0323"))
_RATE_HZ = 16_000
PADDINGS_S = (0.2, 0.4, 0.6)  # the recogniser hears a little differently with each: pool them


def words(text: str) -> list[str]:
    """Syllables as they are compared: lower case, letters + tone, wherever the tone mark is written."""
    plain = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFC", text).lower())
    return [_key(word) for word in plain.split()]


def without_tones(text: str) -> str:
    """The text without its tone marks (letters with their hooks and circumflexes stay)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).translate(_TONES))


def _key(word: str) -> str:
    marks = "".join(char for char in unicodedata.normalize("NFD", word) if ord(char) in _TONES)
    return without_tones(word) + marks


def alignment(said: Sequence[str], heard: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Pairs of indices into `said` and `heard` with the fewest edits; None where one side has nothing."""
    rows, columns = len(said), len(heard)
    cost = [[i + j if 0 in (i, j) else 0 for j in range(columns + 1)] for i in range(rows + 1)]
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            cost[i][j] = min(
                cost[i - 1][j - 1] + (said[i - 1] != heard[j - 1]), cost[i - 1][j] + 1, cost[i][j - 1] + 1
            )
    pairs: list[tuple[int | None, int | None]] = []
    i, j = rows, columns
    while i or j:
        if i and j and cost[i][j] == cost[i - 1][j - 1] + (said[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]


@dataclass(frozen=True, slots=True)
class Missed:
    """A stretch of the reference that was not recovered: words [start, end) and what was heard instead."""

    start: int
    end: int
    said: str
    heard: str


def missed(reference: str, heard: str) -> list[Missed]:
    """The places to listen to again, neighbours joined."""
    said_words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", reference))
    heard_words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", heard))
    places: list[Missed] = []
    start, wrong, instead = 0, 0, list[str]()

    def close(end: int) -> None:
        if wrong:
            places.append(Missed(start, end, " ".join(said_words[start:end]), " ".join(instead)))

    at = 0
    for i, j in alignment(words(reference), words(heard)):
        right = i is not None and j is not None and words(said_words[i]) == words(heard_words[j])
        if right or (i is None and not wrong):
            close(at)
            wrong, instead = 0, []
        if i is not None:
            if not right and not wrong:
                start = i
            at = i + 1
        if not right and i is not None:
            wrong += 1
        if not right and j is not None and wrong:
            instead.append(heard_words[j])
    close(at)
    return places


@dataclass(frozen=True, slots=True)
class Score:
    """Syllable error over many utterances, its 95 % interval, and the same with tones ignored."""

    syllables: int
    error: float
    low: float
    high: float
    error_without_tones: float


def score(utterances: Sequence[Sequence[tuple[str, str]]], *, draws: int = 2000) -> Score:
    """Pools (reference, heard) pairs; each inner sequence is one utterance heard several times.

    The interval is a bootstrap over utterances with a fixed seed.
    """
    counts, toneless, total = [], 0, 0
    for pairs in utterances:
        errors = length = 0
        for reference, heard in pairs:
            said = words(reference)
            errors += edits(said, words(heard))
            toneless += edits(words(without_tones(reference)), words(without_tones(heard)))
            length += len(said)
        counts.append((errors, length))
        total += length
    if total == 0:
        raise ValueError("nothing to score")
    chance = random.Random(20260101)  # noqa: S311 - statistics, not secrets
    means = []
    for _ in range(draws):
        drawn = chance.choices(counts, k=len(counts))
        means.append(sum(e for e, _ in drawn) / max(sum(n for _, n in drawn), 1))
    means.sort()
    return Score(
        total,
        sum(e for e, _ in counts) / total,
        means[int(0.025 * draws)],
        means[int(0.975 * draws)],
        toneless / total,
    )


def edits(said: Sequence[str], heard: Sequence[str]) -> int:
    """Substitutions, deletions and insertions between two lists of words."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(diagonal + (word != other), row[j] + 1, row[j - 1] + 1)
    return row[-1]


class Listener:
    """The offline recogniser, loaded at the first sound (about 320 MB)."""

    def __init__(self) -> None:
        self._pipeline: Any = None

    @staticmethod
    def available() -> str | None:
        """None, or why this station cannot listen back."""
        for package, name in (("vietasr", "viet-asr"), ("scipy", "scipy")):
            if importlib.util.find_spec(package) is None:
                return f"Muốn máy nghe lại thì cài thêm gói {name} (pip install {name}); không bắt buộc."
        return None

    def hear(self, pcm: Pcm, *, padding_s: float = 0.4) -> str:
        """What the recogniser understands; VoiceError when it is not installed."""
        if (reason := self.available()) is not None:
            raise VoiceError(reason)
        if self._pipeline is None:
            import vietasr

            with _quiet():
                self._pipeline = vietasr.Pipeline.preset("transcribe")
        with _quiet():
            result = self._pipeline.transcribe(as_heard(pcm, padding_s), float(_RATE_HZ))
        return str(result.text)


def as_heard(pcm: Pcm, padding_s: float) -> NDArray[np.int16]:
    from scipy.signal import resample_poly

    common = gcd(_RATE_HZ, pcm.sample_rate_hz)
    sound = np.asarray(
        resample_poly(pcm.samples, _RATE_HZ // common, pcm.sample_rate_hz // common), np.float64
    )
    peak = float(np.abs(sound).max(initial=0.0))
    if peak > 0:
        sound = sound * (0.7 / peak)
    silence = np.zeros(int(padding_s * _RATE_HZ))
    return (np.concatenate([silence, sound, silence]) * 32767).astype(np.int16)


class _quiet:
    """The recogniser's native half writes its log to the process's stderr; keep it out of ours."""

    def __enter__(self) -> None:
        import os

        self._kept, empty = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(empty, 2)
        os.close(empty)

    def __exit__(self, *_: object) -> None:
        import os

        os.dup2(self._kept, 2)
        os.close(self._kept)
