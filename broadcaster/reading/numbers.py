"""Number words: cardinals, digits one by one, decimals, ordinals.

All functions are pure and speak the Northern standard ("nghìn", "linh"); `southern` turns a spoken
number into the Southern standard ("ngàn", "lẻ") afterwards, so nothing else needs to know of it.
"""

from __future__ import annotations

import re
from functools import lru_cache

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
LARGEST_CARDINAL = 10**18  # beyond this nobody follows a cardinal: digits are said one by one


def _under_hundred(n: int) -> list[str]:
    tens, ones = divmod(n, 10)
    if tens == 0:
        return [DIGITS[ones]]
    words = ["mười"] if tens == 1 else [DIGITS[tens], "mươi"]
    if ones == 0:
        return words
    if ones == 1 and tens > 1:
        return [*words, "mốt"]
    if ones == 4 and tens > 1:
        return [*words, "tư"]
    if ones == 5:
        return [*words, "lăm"]
    return [*words, DIGITS[ones]]


def _group(n: int, *, full: bool) -> list[str]:
    """0 < n < 1000; `full` says the hundreds even when they are zero, as inside a larger number."""
    hundreds, rest = divmod(n, 100)
    if not hundreds and not full:
        return _under_hundred(rest)
    words = [DIGITS[hundreds], "trăm"]
    if rest == 0:
        return words
    if rest < 10:
        return [*words, "linh", DIGITS[rest]]
    return words + _under_hundred(rest)


@lru_cache(maxsize=4096)
def cardinal(n: int) -> str:
    """Words of an integer.  Negative numbers begin with "âm"; from 10**18 on, digit by digit."""
    if n < 0:
        return "âm " + cardinal(-n)
    if n >= LARGEST_CARDINAL:
        return digits(str(n))
    if n == 0:
        return DIGITS[0]
    return " ".join(_words(n, full=False))


def _words(n: int, *, full: bool) -> list[str]:
    words: list[str] = []
    billions, rest = divmod(n, 10**9)
    if billions:
        words += [*_words(billions, full=full), "tỷ"]
        full = True
    for size, name in ((10**6, "triệu"), (10**3, "nghìn"), (1, "")):
        part, rest = divmod(rest, size)
        if part:
            words += _group(part, full=full)
            if name:
                words.append(name)
        if part:
            full = True
    return words


@lru_cache(maxsize=4096)
def digits(text: str) -> str:
    """Each digit on its own; anything else in `text` is skipped."""
    return " ".join(DIGITS[int(c)] for c in text if "0" <= c <= "9")


def whole(text: str) -> str:
    """A quantity written in digits (dots as thousands allowed): leading zeros are silent."""
    plain = text.replace(".", "").replace(" ", "")
    return cardinal(int(plain)) if len(plain) <= 18 else digits(plain)


def identifier(text: str) -> str:
    """A short number that names something: "04" keeps its zero, "45" is forty-five."""
    if len(text) > 1 and text[0] == "0" or len(text) > 4:
        return digits(text)
    return cardinal(int(text))


def fraction_digits(text: str) -> str:
    """Digits after the decimal mark: 5 → năm, 05 → không năm, 52 → năm mươi hai, 375 → ba bảy năm."""
    if len(text) == 2 and text[0] != "0":
        return cardinal(int(text))
    return digits(text)


def decimal(integer: str, fraction: str, *, mark: str = "phẩy") -> str:
    """3,5 → ba phẩy năm; the integer part may hold thousands dots."""
    return f"{whole(integer)} {mark} {fraction_digits(fraction)}"


def quantity(text: str) -> str:
    """A written quantity: 1.250.000 · 3,5 · 4.215,67 · -2,5 · 05."""
    sign = ""
    if text[:1] in "-−":
        sign, text = "âm ", text[1:]
    integer, comma, fraction = text.partition(",")
    return sign + (decimal(integer, fraction) if comma else whole(integer))


def dotted(text: str) -> str:
    """Numbers with points between them, as parts and versions have them: 2.1.3 → hai chấm một chấm ba."""
    return " chấm ".join(whole(part) for part in text.split("."))


def ordinal(n: int) -> str:
    """Said after "thứ": nhất, hai, ba, tư, năm …"""
    return {1: "nhất", 4: "tư"}.get(n) or cardinal(n)


_ROMAN = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_ROMAN_VALUE = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def roman(text: str) -> int | None:
    """Value of a well-formed Roman numeral in capitals, else None."""
    if not text or len(text) > 15 or not _ROMAN.fullmatch(text):
        return None
    total = 0
    for here, following in zip(text, [*text[1:], ""], strict=True):
        value = _ROMAN_VALUE[here]
        total += -value if value < _ROMAN_VALUE.get(following, 0) else value
    return total


_SOUTHERN = {"nghìn": "ngàn", "linh": "lẻ", "tư": "bốn"}
_SOUTHERN_WORD = re.compile(r"\b(?:nghìn|linh)\b|(?<=mươi )tư\b")


def southern(spoken: str) -> str:
    """Southern forms of a spoken number: ngàn, lẻ, hai mươi bốn (tháng tư and thứ tư stay)."""
    return _SOUTHERN_WORD.sub(lambda m: _SOUTHERN[m[0]], spoken)
