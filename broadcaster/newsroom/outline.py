"""A plan's text -> its headings, and what of it can become topics and bulletins.  Pure: lines in, an outline out.

Paragraphs are the lines of the text, numbered from 0; letterhead, recipients and signature are no part of
any section.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from broadcaster.reading import read
from broadcaster.reading.syllables import is_syllable

LONGEST_HEADING = 160
LONGEST_LEAD_IN = 60
MOST_SECTIONS = 200

_PART = re.compile(
    r"(?:(?:PHẦN|Phần|CHƯƠNG|Chương|MỤC|Mục)\s+(?:[IVXLC]+|\d+|thứ \w+)|[IVXLC]{1,6}(?=[.)/:–-]))"
)
_POINT = re.compile(r"\d{1,2}(?=[.)])")
_LABEL_END = re.compile(r"[\s.)/:–-]*")
_MARKUP = re.compile(r"^(?:#{1,6}\s+)?(?:\*\*|__)?|(?:\*\*|__)\s*$")
_END_MARK = re.compile(r"[.;,!?…]\s*$")
_CONTENT = re.compile(r"nội dung|chủ đề|chuyên đề", re.IGNORECASE)
_OFFICE_ONLY = re.compile(r"tổ chức thực hiện|kinh phí|phân công|tiến độ", re.IGNORECASE)
_MOTTO = re.compile(
    r"(?:khẩu hiệu|thông điệp|phương châm|tinh thần|chủ đề)[^“\"\n]{0,80}[“\"]([^”\"\n]{5,150})[”\"]",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[“\"]([^”\"\n]{5,150})[”\"]")
_SPAN = re.compile(
    r"từ\s+(?:ngày\s+)?(\d{1,2})/(\d{1,2})/(\d{4})\s+(?:đến|tới)\s+(?:hết\s+)?(?:ngày\s+)?(\d{1,2})/(\d{1,2})/(\d{4})",
    re.IGNORECASE,
)
_MONTH = re.compile(r"\btháng\s+(\d{1,2})(?:/|\s+năm\s+)(\d{4})", re.IGNORECASE)
_YEAR = re.compile(r"\bnăm\s+(20\d{2})\b", re.IGNORECASE)
_ROW_END = re.compile(r",\s*(\d{1,4})\s*(?:buổi|lượt|lần)?\s*$")
_TIMES = re.compile(
    r"\b(\d{1,4})\s+(?:lượt|buổi)\s+(?:phát|tin|bài)(?!\s*(?:mỗi|một|/)\s*(?:ngày|tuần|tháng))", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the paragraphs under it: `first` is the heading's own, `last` the last one it covers.

    `part` is the title of the part it stands in ("" for a part itself); `chosen` proposes it as a topic.
    """

    title: str
    heading: str
    part: str
    first: int
    last: int
    text: str
    chosen: bool
    broadcasts: int = 0

    @property
    def words(self) -> int:
        """Length of its text in words."""
        return len(self.text.split())


@dataclass(frozen=True, slots=True)
class Outline:
    """What was found in a plan.  `headings` are all of them as (paragraph, level, words), in order."""

    title: str
    motto: str
    first_day: date | None
    last_day: date | None
    headings: tuple[tuple[int, int, str], ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()


def outline(title: str, paragraphs: Collection[str], *, styled: Mapping[int, int] | None = None) -> Outline:
    """The outline of a plan.  `styled` gives the level (1, 2) of paragraphs that Word's styles call headings."""
    lines = list(paragraphs)
    silent = _left_out(lines)
    body = [number for number, line in enumerate(lines) if line.strip() and number not in silent]
    levels = _levels(lines, body, dict(styled or {}))
    headings = tuple((number, levels[number], _words(lines[number])) for number in body if number in levels)
    sections = _sections(lines, body, levels)
    notes = []
    if not headings:
        notes.append(
            "Không thấy đề mục (I., 1.…) trong văn bản nên cả văn bản là một mục. Hãy chia lại khi soạn bản tin."
        )
    if len(sections) > MOST_SECTIONS:
        notes.append(f"Kế hoạch có hơn {MOST_SECTIONS} mục; chỉ lấy {MOST_SECTIONS} mục đầu.")
        sections = sections[:MOST_SECTIONS]
    whole = "\n".join(lines[number] for number in body)
    first, last = _period(title, whole)
    if not headings and sections:
        sections = [_retitled(sections[0], title)]
    return Outline(title, _motto(title, whole), first, last, headings, tuple(sections), tuple(notes))


def _left_out(lines: list[str]) -> set[int]:
    """Paragraphs that reading leaves out as letterhead, recipients or signature, and the document's own title."""
    text = "\n".join(lines)
    found: set[int] = set()
    for block in read(text).left_out:
        first = text.count("\n", 0, block.start)
        found.update(range(first, first + block.written.count("\n") + 1))
    head = max((number for number in found if number < 20), default=-1)
    for number in range(head + 1, min(head + 6, len(lines))):
        line = lines[number].strip()
        if not line:
            continue
        if line.upper() == line and line.rstrip(" :").casefold() in _KINDS:
            found.add(number)
            rest = [n for n in range(number + 1, min(number + 3, len(lines))) if lines[n].strip()]
            if rest and not _END_MARK.search(lines[rest[0]]) and not _label(lines[rest[0]]):
                found.add(rest[0])  # the subject under "KẾ HOẠCH"
            break
    return found


_KINDS = (
    "kế hoạch",
    "chương trình",
    "thông báo",
    "hướng dẫn",
    "đề án",
    "phương án",
    "quyết định",
    "công văn",
)


def _label(line: str) -> int:
    """1 for a part, 2 for a point, 0 for no label at all."""
    plain = _MARKUP.sub("", line.strip())
    if _PART.match(plain):
        return 1
    return 2 if _POINT.match(plain) else 0


def _levels(lines: list[str], body: list[int], styled: dict[int, int]) -> dict[int, int]:
    if styled:
        found = {number: min(level, 2) for number, level in styled.items() if number in body}
        if found:
            return found
    parts = {number for number in body if _label(lines[number]) == 1 and _is_short(lines[number])}
    if not parts:
        parts = {number for number in body if _is_capital(lines[number])}
    levels = dict.fromkeys(parts, 1)
    for position, number in enumerate(body):
        if number in parts or _label(lines[number]) != 2 or not _is_short(lines[number]):
            continue
        plain = _MARKUP.sub("", lines[number].strip())
        if _END_MARK.search(plain) or (plain.endswith(":") and len(plain) > LONGEST_LEAD_IN):
            continue  # a sentence, or one that leads in what follows
        under = body[position + 1] if position + 1 < len(body) else None
        if under is None or under in parts or _label(lines[under]) == 2:
            continue  # a bare point of a list, with nothing under it
        levels[number] = 2
    return levels


def _is_short(line: str) -> bool:
    return len(line.strip()) <= LONGEST_HEADING


def _is_capital(line: str) -> bool:
    plain = _MARKUP.sub("", line.strip())
    letters = [letter for letter in plain if letter.isalpha()]
    return len(letters) >= 6 and " " in plain and plain == plain.upper() and _is_short(line)


def _sections(lines: list[str], body: list[int], levels: dict[int, int]) -> list[Section]:
    """One section a heading that has words of its own under it; a part with points gives its points."""
    starts = [number for number in body if number in levels]
    if not starts:
        return [_section(lines, body, body[0], body[-1], "", False, chosen=True)] if body else []
    found: list[Section] = []
    part = ""
    in_content = False
    content_named = any(levels[n] == 1 and _CONTENT.search(_words(lines[n])) for n in starts)
    for place, number in enumerate(starts):
        after = starts[place + 1] if place + 1 < len(starts) else None
        own = [n for n in body if n > number and (after is None or n < after)]
        if levels[number] == 1:
            part = _words(lines[number])
            in_content = bool(_CONTENT.search(part)) if content_named else not _OFFICE_ONLY.search(part)
        if own:
            within = "" if levels[number] == 1 else part
            found.append(_section(lines, body, number, own[-1], within, True, chosen=in_content))
    return found


def _section(
    lines: list[str], body: list[int], first: int, last: int, part: str, headed: bool, *, chosen: bool
) -> Section:
    covered = [n for n in body if first <= n <= last]
    spoken = covered[1:] if headed else covered
    heading = _words(lines[first]) if headed else ""
    text = "\n".join(_MARKUP.sub("", lines[n].strip()) for n in spoken)
    title = _sentence_case(_unlabelled(lines[first])) if headed else heading
    return Section(
        title=title[:300], heading=heading[:300], part=part, first=first, last=last, text=text, chosen=chosen,
        broadcasts=_broadcasts(title, lines, text),
    )  # fmt: skip


def _retitled(section: Section, title: str) -> Section:
    return Section(
        title[:300], section.heading, section.part, section.first, section.last, section.text, section.chosen
    )


def _words(line: str) -> str:
    return " ".join(_MARKUP.sub("", line.strip()).split()).rstrip(":")


def _unlabelled(line: str) -> str:
    plain = _words(line)
    label = _PART.match(plain) or _POINT.match(plain)
    return plain[_LABEL_END.match(plain, label.end()).end() :] if label else plain  # type: ignore[union-attr]


def _sentence_case(title: str) -> str:
    """Titles in capitals as a sentence; what is no Vietnamese syllable (UBND, VNeID) stays as it is."""
    if title != title.upper():
        return title
    words = [word.lower() if is_syllable(word.strip(",.;:()").lower()) else word for word in title.split()]
    plain = " ".join(words)
    return plain[:1].upper() + plain[1:]


def _broadcasts(title: str, lines: list[str], text: str) -> int:
    """How often the plan wants it on the air: the number that ends a table's row about it, or said in words."""
    wanted = title.casefold()
    for line in lines:
        row = _ROW_END.search(line)
        if row and wanted and wanted in line.casefold():
            return int(row[1])
    said = _TIMES.search(text)
    return int(said[1]) if said else 0


def _motto(title: str, whole: str) -> str:
    found = _MOTTO.search(whole) or _QUOTED.search(title)
    return found[1].strip() if found else ""


def _period(title: str, whole: str) -> tuple[date | None, date | None]:
    span = _SPAN.search(whole)
    if span:
        first, last = _day(*span.groups()[:3]), _day(*span.groups()[3:])
        if first is not None and last is not None and first <= last:
            return first, last
    month = _MONTH.search(title)
    if month and 1 <= int(month[1]) <= 12:
        year, number = int(month[2]), int(month[1])
        after = date(year + number // 12, number % 12 + 1, 1)
        return date(year, number, 1), date.fromordinal(after.toordinal() - 1)
    year_found = _YEAR.search(title) or _YEAR.search(whole)
    if year_found:
        year = int(year_found[1])
        return date(year, 1, 1), date(year, 12, 31)
    return None, None


def _day(day: str, month: str, year: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
