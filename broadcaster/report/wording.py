"""Figures as Vietnamese papers write them.  Pure."""

from __future__ import annotations

import re

_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def number(value: float, decimals: int = 0) -> str:
    """3.012 and 92,5: points between thousands, a comma before decimals."""
    return f"{value:,.{decimals}f}".translate(str.maketrans(",.", ".,"))


def share(part: int, whole: int) -> str:
    """'92,5%'; a dash where there is nothing to share."""
    return f"{number(100 * part / whole, 1)}%" if whole else "–"


def minutes(duration_ms: int) -> str:
    """Whole minutes, as number."""
    return number(round(duration_ms / 60_000))


def clean(text: str) -> str:
    """The text without what no XML file may hold."""
    return _NOT_IN_XML.sub("", text)


def roman(value: int) -> str:
    """I, II, III … XXXIX, for appendices."""
    units = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
    return "X" * (value // 10) + units[value % 10]
