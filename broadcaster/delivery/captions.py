"""Where each sentence of a take is said -> captions (WebVTT, SubRip).  Pure; times in ms from the first sample.

A take keeps the words as they are spoken; people read captions as they are written, so the written sentence
is shown wherever reading and take have the same sentences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from broadcaster.model import HOUSE_RATE_HZ

LONGEST_CUE = 130  # letters: what fits on a phone and is read in one breath
_PAUSES = re.compile(r"(?<=[,;:–…])\s+")


@dataclass(frozen=True, slots=True)
class Cue:
    """Words on the screen from `start_ms` to `end_ms`."""

    start_ms: int
    end_ms: int
    text: str


def cues(sentences: Sequence[Sequence[object]], written: Sequence[str]) -> list[Cue]:
    """Cues of a take's sentences ([spoken, first sample, samples]); long ones are cut at their commas.

    `written` are the frozen reading's sentences; they are shown when there is one for each.
    """
    shown = list(written) if len(written) == len(sentences) else [str(one[0]) for one in sentences]
    found: list[Cue] = []
    for (_spoken, start, length), text in zip(sentences, shown, strict=True):
        begin = int(str(start)) * 1000 // HOUSE_RATE_HZ
        end = (int(str(start)) + int(str(length))) * 1000 // HOUSE_RATE_HZ
        plain = _plain(text)
        if plain and end > begin:
            found.extend(_cut(plain, begin, end))
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


def _cut(text: str, begin: int, end: int) -> list[Cue]:
    """One cue, or several when it is long: each part gets the share of time that its letters have."""
    parts: list[str] = []
    for piece in _PAUSES.split(text):
        for part in _pieces(piece):
            if parts and len(parts[-1]) + 1 + len(part) <= LONGEST_CUE:
                parts[-1] = f"{parts[-1]} {part}"
            else:
                parts.append(part)
    letters = sum(map(len, parts))
    found, done = [], 0
    for part in parts:
        start = begin + (end - begin) * done // letters
        done += len(part)
        found.append(Cue(start, begin + (end - begin) * done // letters, part))
    return found


def _pieces(text: str) -> list[str]:
    found: list[str] = []
    for word in text.split():
        if found and len(found[-1]) + 1 + len(word) <= LONGEST_CUE:
            found[-1] = f"{found[-1]} {word}"
        else:
            found.append(word)
    return found


def _plain(text: str) -> str:
    return " ".join(text.replace("**", "").replace("-->", "→").split()).lstrip("-+•* ")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(ms: int, mark: str) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{rest:03d}"
