"""Cuts a sentence into plain and marked pieces, written and spoken, so that templates only print.  Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from broadcaster.model import Mark, Reading, ReadingWarning, Sentence


@dataclass(frozen=True, slots=True)
class Piece:
    """`kind`: plain, change (read otherwise than written) or ask (nobody knows yet)."""

    text: str
    kind: str = "plain"
    title: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence of a reading, ready to print; `number` counts from 1."""

    number: int
    sentence: Sentence
    written: tuple[Piece, ...]
    spoken: tuple[Piece, ...]
    warnings: tuple[ReadingWarning, ...]

    @property
    def mendable(self) -> tuple[Mark, ...]:
        """Its changes that a person may mend here; what is asked as a question is answered there."""
        asked = {warning.start for warning in self.warnings}
        return tuple(mark for mark in self.sentence.marks if mark.key and mark.start not in asked)


def rows(reading: Reading) -> list[Row]:
    """Every sentence with its changes and its open questions."""
    found = []
    for number, sentence in enumerate(reading.sentences, start=1):
        asked = tuple(
            w for w in reading.warnings if sentence.start <= w.start < max(sentence.end, sentence.start + 1)
        )
        found.append(Row(number, sentence, written_pieces(sentence, asked), spoken_pieces(sentence), asked))
    return found


def elsewhere(reading: Reading) -> list[ReadingWarning]:
    """Open questions that lie in no sentence (a blank in the letterhead, a text without words)."""
    return [
        warning
        for warning in reading.warnings
        if not any(s.start <= warning.start < max(s.end, s.start + 1) for s in reading.sentences)
    ]


def written_pieces(sentence: Sentence, asked: Sequence[ReadingWarning] = ()) -> tuple[Piece, ...]:
    """The written side: what is read otherwise is marked with how it is read; open questions stand out."""
    spans = [(m.start, m.end, "change", f"đọc là: {m.spoken}") for m in sentence.marks if m.end > m.start]
    spans += [(w.start, w.end, "ask", w.message) for w in asked if w.end > w.start]
    # An open question wins over a change at the same place: it is what a person must act on.
    spans.sort(key=lambda span: (span[0], span[2] != "ask"))
    pieces, at = [], sentence.start
    for start, end, kind, title in spans:
        start, end = max(start, at), min(end, sentence.end)
        if end <= start:
            continue
        if start > at:
            pieces.append(Piece(_cut(sentence, at, start)))
        pieces.append(Piece(_cut(sentence, start, end), kind, title))
        at = end
    if at < sentence.end:
        pieces.append(Piece(_cut(sentence, at, sentence.end)))
    return tuple(pieces)


def spoken_pieces(sentence: Sentence) -> tuple[Piece, ...]:
    """The spoken side: each change is looked for in order, from where the one before it ended."""
    pieces, at, read_to = [], 0, sentence.start
    for mark in sorted(sentence.marks, key=_by_start):
        words = mark.spoken.strip(" ,.;:!?")
        if not words:
            continue
        whole = re.compile(
            rf"(?<!\w){re.escape(words)}(?!\w)", re.IGNORECASE
        )  # a sentence begins with a capital
        # The same words written out before the change ("hai thôn, 2 hộ") are not the change.
        plain = len(whole.findall(_cut(sentence, read_to, mark.start)))
        found = next(islice(whole.finditer(sentence.spoken, at), plain, None), None)
        if found is None:
            continue
        if found.start() > at:
            pieces.append(Piece(sentence.spoken[at : found.start()]))
        at, read_to = found.end(), mark.end
        pieces.append(Piece(found[0], "change", f"viết là: {mark.written}"))
    if at < len(sentence.spoken):
        pieces.append(Piece(sentence.spoken[at:]))
    return tuple(pieces)


def changes(reading: Reading) -> list[Mark]:
    """Every place read otherwise than written, in order, each pair once."""
    seen: dict[tuple[str, str], Mark] = {}
    for sentence in reading.sentences:
        for mark in sorted(sentence.marks, key=_by_start):
            seen.setdefault((mark.written, mark.spoken), mark)
    return list(seen.values())


def _by_start(mark: Mark) -> int:
    return mark.start


def _cut(sentence: Sentence, start: int, end: int) -> str:
    return sentence.written[start - sentence.start : end - sentence.start]
