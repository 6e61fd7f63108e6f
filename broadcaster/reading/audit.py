"""Blanks of official forms that hold no sign at all, found by their words."""

from __future__ import annotations

import re

from broadcaster.reading.numbers import cardinal
from broadcaster.reading.scan import Piece, Place

_DATE = re.compile(
    r"(?P<d>[Nn]gày)(?P<a>[\s.…_]*)(?P<m>tháng)(?P<b>[\s.…_]*)(?P<y>năm)(?P<c>[\s.…_]*)(?P<n>\d{2,4}(?:[.…_]+)?)?(?!\w)"
)
_MONTH = re.compile(r"(?P<m>tháng)(?P<b>\s*[.…_]+\s*|\s{2,}|\s)(?P<y>năm)\s(?P<n>\d{4})")
_DAY_STROKE = re.compile(r"(?P<d>[Nn]gày)\s*[.…_]*\s*/\s*[\d.…_]*\s*/\s*\d{0,4}")
_NUMBER = re.compile(r"(?P<s>[Ss]ố|SỐ)\s*:?\s*[.…_]*\s*(?:/\s?\d{4}\s?)?[/-]\s?(?=[A-ZĐ]{2})")
_MESSAGE = "Chỗ này còn để trống (“{0}”): xin điền vào, hoặc chọn “đọc nguyên” để bỏ qua."


def form_blank(place: Place) -> Piece | None:
    """ "ngày   tháng   năm 2026", "Số:   /KH-UBND": blanks of letterheads and forms."""
    found = place.match(_DATE)
    if found:
        gaps = f"{found['a']}|{found['b']}"
        if found["n"] or re.search(r"\s{2}|[.…_]", gaps) or re.search(r"[.…_]{2}", found["c"]):
            number = found["n"] or ""
            year = cardinal(int(number)) if number.isdigit() else ""
            return _piece(found, f"ngày tháng năm {year}".strip())
        return None
    found = place.match(_DAY_STROKE)
    if found:
        return _piece(found, "ngày")
    found = place.match(_MONTH)
    if found and re.search(r"(?:^|\s)ngày\s[\d\s.…_]*$", place.left):
        return _piece(found, f"tháng năm {cardinal(int(found['n']))}")
    found = place.match(_NUMBER)
    if found:
        return _piece(found, "số")
    return None


def _piece(found: re.Match[str], spoken: str) -> Piece:
    written = " ".join(found[0].split())
    return Piece(found.end(), spoken, "blank", code="blank", message=_MESSAGE.format(written))
