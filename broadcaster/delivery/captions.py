"""Where each sentence of a take is said -> captions (WebVTT, SubRip).  Pure; times in ms from the first sample.

A take keeps the words as they are spoken; people read captions as they are written, so the written sentence
is shown wherever reading and take have the same sentences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from broadcaster.model import HOUSE_RATE_HZ

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

LONGEST_CUE = 130  # letters: what fits on a phone and is read in one breath
NEAR_MS = 900  # how far from where the letters say a comma the voice's rest for it may lie
_PAUSES = re.compile(r"(?<=[,;:–…])\s+")


@dataclass(frozen=True, slots=True)
class Cue:
    """Words on the screen from `start_ms` to `end_ms`."""

    start_ms: int
    end_ms: int
    text: str


Spans = Sequence[tuple[int, int]]


def cues(sentences: Sequence[Sequence[object]], written: Sequence[str], *, rests: Spans = ()) -> list[Cue]:
    """Cues of a take's sentences ([spoken, first sample, samples]); long ones are cut where the voice rests.

    `written` are the frozen reading's sentences; they are shown when there is one for each.  `rests` are
    silences of the take (start, end in ms): without one near a comma the words stay together, since a cue
    at a guessed time is worse than a long one.
    """
    shown = list(written) if len(written) == len(sentences) else [str(one[0]) for one in sentences]
    found: list[Cue] = []
    for (_spoken, start, length), text in zip(sentences, shown, strict=True):
        begin = int(str(start)) * 1000 // HOUSE_RATE_HZ
        end = (int(str(start)) + int(str(length))) * 1000 // HOUSE_RATE_HZ
        plain = _plain(text)
        if plain and end > begin:
            found.extend(
                _cut(plain, begin, end, [rest for rest in rests if begin < rest[0] and rest[1] < end])
            )
    return found


def quiet(samples: NDArray[float32], rate_hz: int) -> list[tuple[int, int]]:
    """Silences of at least 90 ms as (start, end) in ms: mono samples in, nothing louder than -45 dBFS inside."""
    block = rate_hz // 100
    whole = samples[: len(samples) // block * block].reshape(-1, block)
    still = (whole * whole).mean(axis=1) < 10 ** (-45 / 10)
    found: list[tuple[int, int]] = []
    first = None
    for number, silent in enumerate([*still.tolist(), False]):
        if silent and first is None:
            first = number
        elif not silent and first is not None:
            if number - first >= 9:
                found.append((first * 10, number * 10))
            first = None
    return found


def vtt(found: Sequence[Cue]) -> str:
    """WebVTT."""
    blocks = [
        f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{_escaped(cue.text)}" for cue in found
    ]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def srt(found: Sequence[Cue]) -> str:
    """SubRip, with the line ends that its players expect."""
    blocks = [
        f"{number}\r\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\r\n{cue.text}\r\n"
        for number, cue in enumerate(found, start=1)
    ]
    return "\r\n".join(blocks)


def _cut(text: str, begin: int, end: int, rests: Spans) -> list[Cue]:
    """One cue, or several when it is long and the voice rests near its commas."""
    if len(text) <= LONGEST_CUE:
        return [Cue(begin, end, text)]
    pieces = _PAUSES.split(text)
    letters = sum(map(len, pieces))
    found = [Cue(begin, end, pieces[0])]
    done = len(pieces[0])
    for piece in pieces[1:]:
        expected = begin + (end - begin) * done // letters
        done += len(piece)
        last = found[-1]
        near = [rest for rest in rests if rest[0] > last.start_ms and abs(rest[1] - expected) <= NEAR_MS]
        if near and len(last.text) + 1 + len(piece) > LONGEST_CUE:
            rest = min(near, key=lambda one: abs(one[1] - expected))
            found[-1:] = [Cue(last.start_ms, rest[0], last.text), Cue(rest[1], end, piece)]
        else:
            found[-1] = Cue(last.start_ms, end, f"{last.text} {piece}")
    return found


def _plain(text: str) -> str:
    return " ".join(text.replace("**", "").replace("-->", "→").split()).lstrip("-+•* ")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(ms: int, mark: str) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{rest:03d}"
