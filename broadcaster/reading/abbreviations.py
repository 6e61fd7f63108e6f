"""Abbreviations in context, from `abbreviations.tsv`.

A row is `code, spoken, kind, left, right, ask, note`.  Rows of one code are tried in order; `left` and
`right` are words (| between them) one of which must stand right before or right after; in both, `#` is a
number (with a word before it: "tiếp nhận #"), `YEAR` a year, `HOUR` (left only) a time of day, `DATE` a day of a
month, `^` a capitalised name, `$` (left only) the beginning of a paragraph.  When both columns are filled either
is enough.  A row without them is the reading when no context speaks; if it says `ask` that reading is a guess and
becomes a warning.  Codes are case-sensitive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from broadcaster.reading.numbers import cardinal
from broadcaster.reading.scan import Piece, Place, pattern
from broadcaster.reading.syllables import is_syllable, spell

_OLD_STYLE = {
    **{"oà": "òa", "oá": "óa", "oả": "ỏa", "oã": "õa", "oạ": "ọa", "oè": "òe", "oé": "óe", "oẻ": "ỏe"},
    **{"oẽ": "õe", "oẹ": "ọe", "uỳ": "ùy", "uý": "úy", "uỷ": "ủy", "uỹ": "ũy", "uỵ": "ụy"},
}
_OLD = re.compile("(?<![qg])(?:" + "|".join(_OLD_STYLE) + r")(?!\w)")
_ISSUER_KINDS = frozenset(
    {"issuer", "state_body", "party", "mass_org", "commune_body", "security", "society", "education"}
)
_JOINERS = re.compile(r"\\?[&\-]")
# "CT số 34/CT-TTg": the number says which kind of document the code before it is
_NUMBERED = re.compile(r"\s(?:số\s)?\d{1,5}(?:/\d{4})?[-/]([^\W\d_]+)(?![^\W\d_])")
_FIRST = pattern(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the table."""

    code: str
    spoken: str
    kind: str
    left: re.Pattern[str] | None
    right: re.Pattern[str] | None
    ask: bool


def _context(words: str, *, left: bool) -> re.Pattern[str] | None:
    if not words:
        return None
    parts = []
    for word in words.split("|"):
        if word == "#":
            parts.append(r"\d[\d.,]*" if left else r"\(?\d")
        elif word == "$":
            parts.append(r"^[\W_]*(?:\d+[.)]?\s*)?")
        elif word == "YEAR":
            parts.append(r"[:\s]*(?:\d{1,2}[/.]\d{1,2}[/.])?(?:19|20)\d\d(?!\d)")
        elif word == "DATE":
            parts.append(r",?\s*\(?\d{1,2}/\d{1,2}(?:/\d{4})?(?!\d)")
        elif word == "HOUR":
            parts.append(r"(?:\d\s?[hg](?:\d\d)?|\d:\d\d|\d\sgiờ)")
        elif word == "BAR":
            parts.append(r"\s*[|\t]")
        elif word == "^":
            parts.append(r"(?-i:[[:upper:]][[:lower:]]+)")
        elif word.endswith(" #"):
            parts.append(r"(?<!\w)" + re.escape(word[:-1]) + r"\d[\d.,]*")
        else:
            edge = "" if not word[-1:].isalnum() else r"(?!\w)"
            start = r"(?<!\w)" if word[:1].isalnum() else ""
            parts.append(start + re.escape(word) + edge)
    body = "|".join(parts)
    if left:
        return pattern(rf"(?:{body})[\s,:(“\"]*$", re.IGNORECASE)
    return pattern(rf"[ .]*(?:{body})", re.IGNORECASE)


class Table:
    """All abbreviations, looked up by place."""

    def __init__(self, rows: list[tuple[str, ...]]) -> None:
        self.meanings: dict[str, list[Meaning]] = {}
        for code, spoken, kind, left, right, ask in (row[:6] for row in rows):
            meaning = Meaning(
                code, spoken, kind, _context(left, left=True), _context(right, left=False), ask == "ask"
            )
            self.meanings.setdefault(code, []).append(meaning)
        for code, meanings in list(self.meanings.items()):
            if meanings[0].kind == "spelled_or_loan" and len(code) > 2:
                for variant in (code.lower(), code.capitalize(), code.upper()):
                    if not is_syllable(variant):
                        self.meanings.setdefault(variant, meanings)
        self.loans = {
            c: one.spoken for c, ms in self.meanings.items() for one in ms if one.kind == "spelled_or_loan"
        }
        starts: dict[str, list[str]] = {}
        for code in self.meanings:
            found = _FIRST.match(code)
            if found:
                starts.setdefault(found[0], []).append(code)
        self._patterns = {first: _pattern(codes) for first, codes in starts.items()}
        self._types = {m.code: m.spoken for ms in self.meanings.values() for m in ms if m.kind == "doc_type"}
        self._issuers: dict[str, str] = {}
        for code, meanings in self.meanings.items():
            fitting = [m for m in meanings if m.kind in _ISSUER_KINDS]
            named = [m for m in fitting if m.kind == "issuer"] or [
                m for m in fitting if not m.left and not m.right
            ]
            if named:
                self._issuers[code] = named[0].spoken

    def starts(self, word: str) -> bool:
        """True when some code begins with this word."""
        return word in self._patterns

    def document_type(self, code: str) -> str:
        """Type of document by its code inside a number, or ""."""
        return self._types.get(code, "")

    def certain(self, code: str) -> str:
        """What a code stands for wherever it stands, or ""."""
        meanings = self.meanings.get(code, [])
        return meanings[0].spoken if len(meanings) == 1 and not meanings[0].ask else ""

    def issuer(self, code: str) -> str:
        """Issuing body by its code inside a document number, or ""."""
        if code in self._issuers:
            return self._issuers[code]
        congress = re.fullmatch(r"(UBTVQH|QH)(\d{1,2})", code)
        if congress:
            body = "Ủy ban Thường vụ Quốc hội" if congress[1] == "UBTVQH" else "Quốc hội"
            return f"{body} khóa {cardinal(int(congress[2]))}"
        parts = self.segments(code)
        return " ".join(parts) if parts else ""

    def segments(self, code: str) -> list[str] | None:
        """A run of known codes written as one word: BCĐCĐS → Ban Chỉ đạo, chuyển đổi số."""
        if not 6 <= len(code) <= 14 or not code.isupper():
            return None
        for tail in ("TU", "TW", "ĐU"):
            body = self.meanings.get(code.removesuffix(tail), []) if code.endswith(tail) else []
            if len(body) == 1:
                return [body[0].spoken, self.meanings[tail][0].spoken]
        for cut in range(len(code) - 3, 2, -1):
            head, tail = code[:cut], code[cut:]
            if head in self.meanings and tail in self.meanings:
                first, second = self.meanings[head], self.meanings[tail]
                if len(first) == len(second) == 1:
                    return [first[0].spoken, second[0].spoken]
        return None

    @staticmethod
    def plain(text: str) -> str:
        """Lower case, new tone placement ("uỷ" → "ủy"), for comparing names."""
        return _OLD.sub(lambda m: _OLD_STYLE[m[0]], text.lower())

    def find(self, place: Place, first: str) -> tuple[str, int] | None:
        """(code, end) of the longest code beginning at the place, whose first word is `first`."""
        pattern = self._patterns.get(first)
        if pattern is None:
            return None
        found = pattern.match(place.text, place.pos, place.stop)
        if not found:
            return None
        code = found[0]
        if code not in self.meanings:
            code = re.sub(r"\s*([&\-])\s*", r"\1", code)
        return (code, found.end()) if code in self.meanings else None

    def read(self, place: Place, first: str) -> Piece | None:
        """The abbreviation at the place, by its context."""
        found = self.find(place, first)
        if not found:
            return None
        code, end = found
        if len(code) == 1:
            return None  # a type of document inside numbers only; here a letter
        if code.endswith(".") and len(code) == 2 and _PERSON_BEFORE.search(place.before):
            return None  # bà Nguyễn Thị H.: the initial of a name that is kept back
        if _SERIAL.fullmatch(code) and _NUMBER_BEFORE.search(place.before):
            if _SERIAL_AFTER.match(place.text, end, place.stop):
                return Piece(end, spell(code), "code")  # giấy chứng nhận số BV 123456
        meanings = self.meanings[code]
        if is_syllable(code.lower()) and code.isupper() and among_capitals(place, end):
            return None  # a word of a heading, not a code
        numbered = _NUMBERED.match(place.text, end, place.stop)
        if numbered and numbered[1] == code and code in self._types:
            return Piece(end, self._types[code], "abbreviation")
        chosen = next((m for m in meanings if _fits(m, place, end)), None)
        if chosen is None and code.endswith(".") and code[:-1] in self.meanings and len(code) > 2:
            code, end = code[:-1], end - 1
            meanings = self.meanings[code]
            chosen = next((m for m in meanings if _fits(m, place, end)), None)
        if chosen is None:
            return None
        alternatives = tuple(dict.fromkeys(m.spoken for m in meanings if m.spoken != chosen.spoken))
        if chosen.ask:
            choices = ", ".join(f"“{a}”" for a in (chosen.spoken, *alternatives))
            message = f"“{code}” ở đây là {choices}? Xin chọn một cách đọc."
            return Piece(end, chosen.spoken, "abbreviation", alternatives, "ambiguous", message)
        return Piece(end, chosen.spoken, "abbreviation", alternatives)


def _fits(meaning: Meaning, place: Place, end: int) -> bool:
    if meaning.left is None and meaning.right is None:
        return True
    if meaning.left is not None and meaning.left.search(place.before):
        return True
    return meaning.right is not None and bool(meaning.right.match(place.text, end, min(place.stop, end + 48)))


_PERSON_BEFORE = pattern(
    r"(?<!\w)(?i:ông|bà|anh|chị|em|cháu|cụ|bệnh nhân|đối tượng|đồng chí|đ/c)\s(?:[[:upper:]][[:lower:]]+\s){1,4}$"
)
_SERIAL = re.compile(r"[A-ZĐ]{2}")
_SERIAL_AFTER = re.compile(r"\s\d{6,8}(?!\d)")
_NUMBER_BEFORE = re.compile(r"(?:số|sê ri|seri|phát hành)[\s:]*$", re.IGNORECASE)
_CAPITAL_BEFORE = pattern(r"([[:upper:]]{2,})[\s,\-–]+$")
_CAPITAL_AFTER = pattern(r"[\s,\-–]+([[:upper:]]{2,})(?![\w])")


def among_capitals(place: Place, end: int) -> bool:
    """True when a neighbour is a word in capitals: the place is in a heading."""
    before = _CAPITAL_BEFORE.search(place.before)
    after = _CAPITAL_AFTER.match(place.text, end, place.stop)
    return bool(before and is_syllable(before[1])) or bool(after and is_syllable(after[1]))


def _pattern(codes: list[str]) -> re.Pattern[str]:
    parts = []
    for code in sorted(codes, key=len, reverse=True):
        escaped = _JOINERS.sub(lambda m: r"\s?" + m[0] + r"\s?", re.escape(code)).replace(r"\ ", r"\s")
        parts.append(escaped + (r"(?![\w])" if code[-1].isalnum() else ""))
    return re.compile("|".join(parts))


@lru_cache(maxsize=1)
def table() -> Table:
    """The station's own table, read once."""
    text = files(__package__).joinpath("abbreviations.tsv").read_text(encoding="utf-8")
    rows = []
    for line in text.splitlines()[1:]:
        cells = line.split("\t")
        rows.append(tuple(cells + [""] * (7 - len(cells))))
    return Table(rows)
