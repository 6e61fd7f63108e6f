"""The two ways of reading: a document (`read`) and a fragment (`spoken`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from broadcaster.model import LeftOut, Mark, Pause, Reading, ReadingWarning, Sentence
from broadcaster.reading import furniture, layout
from broadcaster.reading.abbreviations import table
from broadcaster.reading.cleaning import clean
from broadcaster.reading.lexicon import DEFAULT, Lexicon
from broadcaster.reading.scanner import Scanner, Unit

_NO_ANSWERS: Mapping[str, str] = MappingProxyType({})
_ENUMERATOR = re.compile(r"[:;]\s(?:\d{1,2}|[a-hđ]|[IVX]{1,5})\.\Z")
_NOT_WORDS = re.compile(r"[^\w\s]+")


def read(text: str, *, lexicon: Lexicon = DEFAULT, answers: Mapping[str, str] = _NO_ANSWERS) -> Reading:
    """What will be spoken for a document: sentences with their spans, blocks left out, warnings, notes.

    `answers` maps the key of a mark or warning ("5-7#1": this place; "XYZ": everywhere in this text) to
    plain words, or to VERBATIM.  Never raises, whatever the text.
    """
    cleaned, notes = clean(text)
    spans = layout.lines(cleaned)
    body, left_out = _furniture(cleaned, spans)
    scanner = _scanner(cleaned, lexicon, answers)
    scanner.explain()
    sentences: list[Sentence] = []
    warnings: list[ReadingWarning] = []
    unreadable: list[LeftOut] = []
    for block in layout.blocks(cleaned, body):
        sentences += _sentences(scanner, block, warnings, unreadable)
    for part in left_out:
        _blanks(scanner, part, warnings)
    foreign = list(scanner.foreign)
    if foreign:
        listed = ", ".join(foreign[:12]) + (" …" if len(foreign) > 12 else "")
        notes += (f"Từ nước ngoài, giọng đọc có thể đọc chưa đúng: {listed}.",)
    warnings.sort(key=lambda w: w.start)
    left_out = sorted([*left_out, *unreadable], key=lambda part: part.start)
    return Reading(cleaned, tuple(sentences), tuple(left_out), _once(warnings), notes)


def spoken(text: str) -> str:
    """A fragment as it is said: every word of it, lower case, no pause marks."""
    cleaned, _ = clean(text)
    scanner = _scanner(cleaned, DEFAULT, _NO_ANSWERS)
    words: list[str] = []
    for block in layout.blocks(cleaned, layout.lines(cleaned)):
        if block.label:
            words.append(block.label)
        words += [u.spoken for u in _units(scanner, block) if u.kind != "pause"]
    return " ".join(_NOT_WORDS.sub(" ", " ".join(words)).replace("_", " ").lower().split())


def _scanner(cleaned: str, lexicon: Lexicon, answers: Mapping[str, str]) -> Scanner:
    return Scanner(cleaned.replace("\n", " "), cleaned, lexicon, answers, table())


def _furniture(text: str, spans: list[furniture.Line]) -> tuple[list[furniture.Line], list[LeftOut]]:
    """Lines to read, and the blocks left out."""
    left_out: list[LeftOut] = []
    drop: set[int] = set()

    def leave(kind: str, first: int, stop: int) -> None:
        while first < stop and not text[slice(*spans[first])].strip():
            first += 1
        start, end = spans[first][0], spans[stop - 1][1]
        left_out.append(LeftOut(kind, start, end, text[start:end]))
        drop.update(range(first, stop))

    head = furniture.letterhead(text, spans)
    if head:
        leave("letterhead", 0, head)
    found = furniture.recipients(text, spans, head)
    if found and found[0] > head:
        signed = furniture.signature(text, spans, head, found[0])
        if signed is not None and signed > head:
            leave("signature", signed, found[0])
        leave("recipients", *found)
        signed = furniture.signature(text, spans, found[1], len(spans))
        if signed is not None or furniture.name_below(text, spans, found):
            leave("signature", found[1] if signed is None else signed, len(spans))
    else:
        signed = furniture.signature(text, spans, head, len(spans))
        if signed is not None and any(text[slice(*spans[i])].strip() for i in range(head, signed)):
            leave("signature", signed, len(spans))
    for index, (start, stop) in enumerate(spans):
        line = text[start:stop]
        if index not in drop and line.strip() and layout.decoration(line) and not _holds_blank(line):
            left_out.append(LeftOut("decoration", start, stop, line))
            drop.add(index)
    left_out.sort(key=lambda part: part.start)
    return [span for i, span in enumerate(spans) if i not in drop], left_out


def _holds_blank(line: str) -> bool:
    return bool(re.search(r"[.…_]", line))


def _units(scanner: Scanner, block: layout.Block) -> list[Unit]:
    return scanner.scan(block.label_end, block.stop)


def _sentences(
    scanner: Scanner, block: layout.Block, warnings: list[ReadingWarning], left_out: list[LeftOut]
) -> list[Sentence]:
    """The sentences of one block: cut at end marks, the last one resting as its block demands.

    A block in which nothing can be said is left out, visibly.
    """
    units = _units(scanner, block)
    groups: list[list[Unit]] = [[]]
    for index, unit in enumerate(units):
        groups[-1].append(unit)
        if unit.kind == "pause" and unit.spoken in ".!?…" and _ends(scanner.text, units, index):
            groups.append([])
    groups = _fold([g for g in groups if g])
    found: list[Sentence] = []
    start = block.start
    for number, group in enumerate(groups):
        last = number == len(groups) - 1
        end = block.stop if last else group[-1].end
        if not last:
            while end < block.stop and scanner.text[end] in "\"”»’)*_'":
                end += 1
        label = block.label if number == 0 else ""
        marks = _marks(scanner, group)
        if label:
            label_start = block.start
            while label_start < block.label_end and not scanner.text[label_start].isalnum():
                label_start += 1
            written = scanner.source[label_start : block.label_end].strip()
            marks = (Mark(label_start, label_start + len(written), written, label, "heading"), *marks)
        pause = Pause.SENTENCE
        if last:
            pause = _rest(scanner, block)
        sentence = Sentence(start, end, scanner.source[start:end], _compose(label, group), marks, pause)
        _warn(scanner, group, warnings)
        if sentence.spoken:
            found.append(sentence)
            start = end
            while start < block.stop and scanner.text[start].isspace():
                start += 1
    if not found:
        written = scanner.source[block.start : block.stop]
        kind = "unreadable" if any(c.isalnum() for c in written) else "decoration"
        left_out.append(LeftOut(kind, block.start, block.stop, written))
    return found


def _rest(scanner: Scanner, block: layout.Block) -> Pause:
    """The pause after a block; a line that a margin broke just after a sentence is no end of a paragraph."""
    if block.last:
        return Pause.PARAGRAPH
    if block.item:
        return Pause.ITEM
    width = block.stop - scanner.source.rfind("\n", 0, block.stop) - 1
    return Pause.SENTENCE if layout.SOFT_WIDTH <= width <= layout.MARGIN else Pause.PARAGRAPH


def _fold(groups: list[list[Unit]]) -> list[list[Unit]]:
    """Groups without a word join the group before them (the first ones the group after)."""
    folded: list[list[Unit]] = []
    silent_head: list[Unit] = []
    for group in groups:
        if any(u.kind != "pause" and u.spoken for u in group):
            folded.append(silent_head + group)
            silent_head = []
        elif folded:
            folded[-1] += group
        else:
            silent_head += group
    if silent_head:
        folded.append(silent_head)
    return folded


def _ends(text: str, units: list[Unit], index: int) -> bool:
    """True when the mark ends a sentence: something follows that may begin one."""
    unit = units[index]
    following = units[index + 1] if index + 1 < len(units) else None
    if following is None:
        return True
    if unit.spoken == "…":
        first = text[following.start : following.start + 1]
        return first.isupper() or first.isdigit()
    if _ENUMERATOR.search(text[max(0, unit.start - 8) : unit.end]):
        return False  # "gồm: 1. Tin; 2. Chuyên mục": the number announces, it does not end
    gap = text[unit.end : following.start]
    if not gap.strip("\"”“»«’‘)(*_'") and not gap[:1].isspace():
        return text[following.start].isupper() and index > 0 and text[unit.start - 1].islower()
    return True


def _compose(label: str, units: Iterable[Unit]) -> str:
    """Words, commas and one end mark."""
    out: list[str] = [label] if label else []
    pending = "," if label else ""
    end = "."
    for unit in units:
        if unit.kind == "pause":
            if unit.spoken in "?!":
                end = unit.spoken
                pending = ","
            elif out:
                pending = ","
            continue
        if not unit.spoken:
            continue
        if pending and out and not out[-1].endswith(","):
            out[-1] += pending
        pending = ""
        out.append(unit.spoken)
    if not out:
        return ""
    said = " ".join(out).rstrip(" ,")
    return said[0].upper() + said[1:] + end


def _marks(scanner: Scanner, units: Iterable[Unit]) -> tuple[Mark, ...]:
    return tuple(
        Mark(
            u.start,
            u.end,
            scanner.source[u.start : u.end],
            u.spoken,
            u.piece.rule,
            u.piece.alternatives,
            u.key,
        )
        for u in units
        if u.piece is not None
    )


def _warn(scanner: Scanner, units: Iterable[Unit], warnings: list[ReadingWarning]) -> None:
    for unit in units:
        piece = unit.piece
        if piece is not None and piece.code:
            written = scanner.source[unit.start : unit.end]
            key = unit.key if piece.code in ("blank", "date") else " ".join(written.split())
            warnings.append(
                ReadingWarning(key, piece.code, unit.start, unit.end, written, piece.message, piece.spoken)
            )


def _blanks(scanner: Scanner, part: LeftOut, warnings: list[ReadingWarning]) -> None:
    """Blanks in what is left out still say that the document is unfinished."""
    if part.kind == "decoration":
        return
    units = [u for u in scanner.scan(part.start, part.end) if u.piece is not None and u.piece.code == "blank"]
    _warn(scanner, units, warnings)


def _once(warnings: list[ReadingWarning]) -> tuple[ReadingWarning, ...]:
    """One warning for each key: an unknown abbreviation is asked once for the whole text."""
    return tuple({w.key: w for w in reversed(warnings)}.values())[::-1]
