"""Abbreviations that a document explains itself: "không khí lạnh (KKL)", "KKL (không khí lạnh)".

The bracket says what was just said, so it is silent; from there on the abbreviation is what the document says it is,
whatever it means elsewhere.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from broadcaster.reading.scan import pattern
from broadcaster.reading.syllables import is_syllable, strip_tone

LONGEST = 140  # characters in which the words stand before their bracket
_CODE = r"[A-ZĐƯ][A-ZĐƯ&\-]{1,11}"
_BRACKET = re.compile(
    rf"\(\s?(?i:sau đây\s|dưới đây\s)?(?i:(?:được\s)?(?:gọi|viết)\s(?:tắt|chung)\s?(?:là)?\s?:?\s?)?"
    rf"[“\"']?(?P<lead>(?:[^\W\d_]{{1,8}}\s){{0,3}})(?P<code>{_CODE})[”\"']?\s?\)"
)
_BEHIND = re.compile(rf"(?<!\w)(?P<code>{_CODE})\s?\((?P<words>[^()\d]{{4,{LONGEST}}})\)")
_CLAUSE = re.compile(r"[.;:!?()“”\"]")
_WORD = pattern(r"[^\W\d_]+")
_HATS = str.maketrans("ăâêôơư", "aaeoou")
_PASSED_OVER = frozenset("và của cho về với các trong tại trên do theo".split())


class Definition(NamedTuple):
    """From `since` on, `code` is read `spoken`; `bracket` is where the document says so."""

    code: str
    spoken: str
    bracket: tuple[int, int]
    since: int


def definitions(text: str) -> list[Definition]:
    """All that `text` explains, in order."""
    found = []
    for bracket in _BRACKET.finditer(text):
        before = _CLAUSE.split(text[max(0, bracket.start() - LONGEST) : bracket.start()])[-1]
        words = _standing_for(bracket["code"], before, whole=False)
        lead = bracket["lead"].strip().lower()  # Cục An toàn thông tin (Cục ATTT)
        if words and (
            not lead or before.lower().rstrip().removesuffix(words.lower()).rstrip().endswith(lead)
        ):
            found.append(Definition(bracket["code"], words, bracket.span(), bracket.end()))
    for behind in _BEHIND.finditer(text):
        words = _standing_for(behind["code"], behind["words"], whole=True)
        if words:
            start = text.index("(", behind.end("code"))
            found.append(Definition(behind["code"], words, (start, behind.end()), behind.start()))
    return sorted(found, key=lambda one: one.since)


def _standing_for(code: str, text: str, *, whole: bool) -> str:
    """The last words of `text` (all of them, if `whole`) whose first letters are `code`, as they are said, or ""."""
    wanted = [letter.lower() for letter in code if letter.isalpha()]
    found = list(_WORD.finditer(text))
    if not found or text[found[-1].end() :].strip():
        return ""
    at = len(found)
    while wanted and at:
        at -= 1
        if wanted[-1] in _initials(found[at][0]):
            wanted.pop()
        elif found[at][0].lower() not in _PASSED_OVER:
            return ""
    if wanted or (whole and at):
        return ""
    words = [one[0] for one in found[at:]]
    said = " ".join(text[found[at].start() :].split())
    if not all(is_syllable(word) for word in words):
        return ""
    if any(len(word) > 1 and word.isupper() for word in words):
        return said.lower() if said.isupper() else ""  # a heading in capitals; a code among words is none
    return said


def _initials(word: str) -> str:
    """How the word may begin in an abbreviation: "ưu" as Ư or U."""
    first = strip_tone(word[0].lower())[0]
    return first + first.translate(_HATS)
