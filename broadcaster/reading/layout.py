"""Lines of a document → blocks to read: soft breaks joined, headings and items found, tables row by row."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from broadcaster.reading.numbers import cardinal, dotted, roman, whole
from broadcaster.reading.scan import pattern
from broadcaster.reading.syllables import spell


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, item or table row: `start`..`stop` in the text; `label_end` ends its bullet or number.

    `label` is how a number or letter at its head is said ("" for a bullet); `last` closes a paragraph.
    """

    start: int
    stop: int
    label_end: int
    label: str
    item: bool
    last: bool
    row: bool = False


_BULLET = pattern(
    r"[ \t]*(?:[-+*•·●○■□▪▫◆➢➤►▶✓✔☑→⇒–—]{1,2}|o(?=[ \t]{1,4}[[:upper:]]))[ \t]+(?=\S)|[ \t]*[-+•●▪➢](?=[^\W\d_])"
)
_MARKUP = re.compile(r"[ \t]*(?:#{1,6}[ \t]+|>[ \t]+)?(?:[-+*•][ \t]+)?(?:\*\*|__|[\"“])?")
_NUMBERED = pattern(
    r"(?P<n>\d{1,3}(?:\.\d{1,3}){0,4})(?:[.)]|/(?=[ \t])|[ \t]?[.)\-](?=[ \t]))(?:\*\*|__)?[ \t]+(?=\S)"
    r"|(?P<m>\d{1,2}(?:\.\d{1,2}){1,4})[ \t]+(?=[[:upper:]])"
)
_ROMAN = re.compile(r"(?P<r>[IVX]{1,6})(?P<s>[.)/\-–:]|[ \t][-–])(?:\*\*|__)?[ \t]+(?=\S)")
_ROMAN_PART = re.compile(r"([IVX]{1,6})((?:\.\d{1,2}){1,3})[.)]?(?:\*\*|__)?[ \t]+(?=\S)")
_LETTERED = pattern(
    r"(?P<l>[a-zđ])[).](?:\*\*|__)?[ \t]+(?=\S)|(?P<u>[A-HĐ])[.)/](?:\*\*|__)?[ \t]+(?=[[:upper:]]{2})"
)
_RULE = re.compile(
    r"[ \t]*(?:[-=_*~─━═.][ \t]?){3,}[ \t]*|[ \t]*(?:\*{1,3}|o0o|-{1,2}o{1,2}0?o{0,2}-{1,2}|#+)[ \t]*"
)
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t:]*-{2,}[-| \t:+]*")
_TAGS = re.compile(r"\s*(?:#\w+[\s,]*)+")
_END = re.compile(r"[.!?;:…][\"”»’)*_]{0,3}[ \t]*$")
_ADDRESS_END = re.compile(r"(?:[\w.]@[\w.-]+|https?://\S+|(?:\.vn|\.com)|\d{3}[ .]?\d{3})[ \t]*$")
_STARTS_LOW = pattern(r"[ \t]*[[:lower:](]")
_DATE_HEAD = re.compile(r"\d{1,2}[.]\d{1,2}[.]\d{2,4}")
MARGIN = 110  # longer lines were not broken by a margin: each is a paragraph of its own
SOFT_WIDTH = 56  # a line at least this long without an end mark was broken by a margin, not by its writer


def _label(line: str, at: int) -> tuple[int, str] | None:
    """(end, spoken) of the number or letter at the head of a line."""
    found = _NUMBERED.match(line, at)
    if found and not _DATE_HEAD.match(line, at):
        return found.end(), dotted(found["n"] or found["m"])
    mixed = _ROMAN_PART.match(line, at)
    if mixed and roman(mixed[1]):
        parts = [cardinal(roman(mixed[1]) or 0), *(whole(p) for p in mixed[2].split(".") if p)]
        return mixed.end(), " chấm ".join(parts)
    found = _ROMAN.match(line, at)
    if found:
        value = roman(found["r"])
        if value:
            return found.end(), cardinal(value)
    found = _LETTERED.match(line, at)
    if found:
        return found.end(), spell(found["l"] or found["u"])
    return None


def _head(line: str) -> tuple[int, str, bool]:
    """(length of the head, how it is said, whether it is an item or heading)."""
    bullet = _BULLET.match(line)
    markup = _MARKUP.match(line)
    at = markup.end() if markup else 0
    ornament = _ornament(line)
    labelled = _label(line, ornament or at)
    if labelled:
        return labelled[0], labelled[1], True
    if bullet:
        return bullet.end(), "", True
    if markup and line[: markup.end()].lstrip().startswith(("#", ">")):
        return markup.end(), "", True
    return ornament or len(line) - len(line.lstrip()), "", bool(ornament)


def _ornament(line: str) -> int:
    """Where the words begin after the pictures at the head of a line ("👉 1. Cài đặt"); 0 without any."""
    start = end = len(line) - len(line.lstrip())
    while end < len(line) and (
        unicodedata.category(line[end]) in ("So", "Sk") or line[end] in "\u200d\ufe0f"
    ):
        end += 1
    return end + len(line[end:]) - len(line[end:].lstrip()) if end > start else 0


def decoration(line: str) -> bool:
    """A line of dashes, stars, table rules or a post's hashtags: nothing to say."""
    return bool(_RULE.fullmatch(line) or _TABLE_RULE.fullmatch(line) or _TAGS.fullmatch(line))


def is_row(line: str) -> bool:
    """A row of a table: cells between bars or tabs."""
    text = line.strip()
    return text.count("|") >= 2 and text.startswith("|") or "\t" in text


def _capitals(line: str) -> bool:
    letters = [c for c in line if c.isalpha()]
    return len(letters) > 3 and all(c.isupper() for c in letters)


_DATED = re.compile(r"\s*(?:Ngày|Sáng|Chiều|Tối|Thứ|Tuần|Đợt|Buổi|Từ|Thôn|Tổ|Bản|Khu)\s[^:]{1,40}:")


_OFFICE = re.compile(
    r"[\s*_]*(?:(?:ỦY|UỶ) BAN (?:NHÂN DÂN|MẶT TRẬN TỔ QUỐC|MTTQ)|HỘI ĐỒNG NHÂN DÂN|ĐẢNG ỦY|ĐẢNG BỘ|BAN CHẤP HÀNH)[\s*_]*"
)
_OF_A_PLACE = re.compile(r"[\s*_]*(?:XÃ|PHƯỜNG|THỊ TRẤN|HUYỆN|TỈNH|THÀNH PHỐ)\s")


def _soft(before: str, line: str, headed: bool, before_headed: bool) -> bool:
    """True when `line` goes on the sentence of the line before it."""
    if headed or is_row(line) or is_row(before) or decoration(before):
        return False
    if re.search(r"(?:\.{3}|…)\s*$", before) and _STARTS_LOW.match(line):
        return True
    if _END.search(before) and not re.search(r"(?:TP|Tp|TX|TT|P|Q|H|T|đ/c|Đ/c)\.\s*$", before):
        return False
    upper, before_upper = _capitals(line), _capitals(before)
    if upper != before_upper and (upper or before_upper):
        return False
    if upper:
        return bool(_OFFICE.fullmatch(before) and _OF_A_PLACE.match(line)) or (
            not re.match(r"\s*(?:V/v|Về việc|KẾ HOẠCH|THÔNG BÁO|BÁO CÁO|CHỦ TỊCH)", line) and len(before) > 20
        )
    if _STARTS_LOW.match(line):
        return not re.match(r"\s*(?:V/v|v/v)", line)
    if before.rstrip().endswith(
        (",", "-", "–", "và", "của", "là", "với", "cho", "số", "ngày", "tháng", "năm")
    ):
        return True
    if _DATED.match(before) and _DATED.match(line):
        return False  # a list of days
    if _ADDRESS_END.search(before):
        return False  # whom to write to, and nothing after it
    # a text broken by a margin has no line beyond it: before a long line stands a heading, a longer one is a paragraph
    return SOFT_WIDTH <= len(before.rstrip()) <= MARGIN and len(line.rstrip()) <= MARGIN


def blocks(text: str, spans: list[tuple[int, int]]) -> list[Block]:
    """Blocks of the lines of `text` given as (start, stop) spans, in order."""
    found: list[Block] = []
    current: list[int] | None = None  # start, stop, label_end
    label, item, row = "", False, False
    blank = True
    before = ""

    def close(last: bool) -> None:
        nonlocal current
        if current is not None:
            found.append(Block(current[0], current[1], current[2], label, item, last, row))
            current = None

    expected = spans[0][0] if spans else 0
    for start, stop in spans:
        line = text[start:stop]
        if start != expected:
            close(True)
            blank = True
        expected = stop + 1
        if not line.strip() or decoration(line):
            close(True)
            blank = True
            continue
        size, said, headed = _head(line)
        if size >= len(line.rstrip()):
            size, said = len(line) - len(line.lstrip()), ""
        if current is not None and not blank and _soft(before, line, headed, item):
            current[1] = start + len(line.rstrip())
        else:
            close(blank)
            row = is_row(line)
            current = [start + len(line) - len(line.lstrip()), start + len(line.rstrip()), start + size]
            label, item = said, headed or row
        before, blank = line, False
    close(True)
    return found


def lines(text: str) -> list[tuple[int, int]]:
    """(start, stop) of each line, without its end."""
    spans, start = [], 0
    while True:
        stop = text.find("\n", start)
        if stop < 0:
            spans.append((start, len(text)))
            return spans
        spans.append((start, stop))
        start = stop + 1
