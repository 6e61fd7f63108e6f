"""A4 notice for the board of a village: the bulletin's main line, and a QR code to hear it."""

from __future__ import annotations

import io
from typing import Any, Final

import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from broadcaster.delivery.cards import BRAND, INK, SOFT, font_path

_MARGIN: Final = 22 * mm
_QR: Final = 74 * mm
_MAIN: Final = 420  # letters of the main line


def poster(*, station: str, title: str, main_line: str, url: str, below: str) -> bytes:
    """A PDF page.  The letters shrink until the words fit; what is left over is cut at a word."""
    for weight in ("Regular", "SemiBold", "ExtraBold"):
        if weight not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(weight, str(font_path(weight))))
    file = io.BytesIO()
    page = Canvas(file, pagesize=A4, pageCompression=1, invariant=1)
    page.setTitle(title)
    page.setAuthor(station)
    width, height = A4
    page.setFillColor(BRAND)
    page.rect(0, height - 12 * mm, width, 12 * mm, stroke=0, fill=1)
    room = width - 2 * _MARGIN
    at = height - 30 * mm
    at = _lines(page, station, "SemiBold", (20,), at, room, 2, SOFT)
    at = _lines(page, title, "ExtraBold", (44, 38, 32, 27), at - 8 * mm, room, 4, INK)
    floor = _MARGIN + _QR + 18 * mm
    sizes = (24, 21, 18, 16)
    plain = " ".join(main_line.split())
    plain = plain if len(plain) <= _MAIN else plain[: _MAIN - 1].rsplit(" ", 1)[0] + "…"
    most = [max(1, int((at - 8 * mm - floor) / (size * 1.45))) for size in sizes]
    _lines(page, plain, "Regular", sizes, at - 8 * mm, room, most[-1], INK, most=most)
    _qr(page, url, width - _MARGIN - _QR, _MARGIN)
    _lines(
        page,
        "Quét mã để nghe bản tin",
        "ExtraBold",
        (24, 20),
        _MARGIN + _QR - 12 * mm,
        room - _QR - 8 * mm,
        2,
        INK,
    )
    _lines(page, below, "Regular", (15,), _MARGIN + _QR - 40 * mm, room - _QR - 8 * mm, 3, SOFT)
    page.setFillColor(SOFT)
    page.setFont("Regular", 9 if len(url) < 70 else 7)
    page.drawString(_MARGIN, _MARGIN - 8 * mm, url)
    page.showPage()
    page.save()
    return file.getvalue()


def _lines(
    page: Any, text: str, font: str, sizes: tuple[int, ...], top: float, room: float, lines: int, colour: str,
    *, most: list[int] | None = None,
) -> float:  # fmt: skip
    """Draw wrapped words below `top` and return where they end."""
    for number, size in enumerate(sizes):
        wrapped = _wrapped(text, font, size, room)
        allowed = most[number] if most is not None else lines
        if len(wrapped) <= allowed:
            break
    else:
        wrapped = wrapped[:allowed]
        wrapped[-1] = wrapped[-1].rstrip(" ,;:") + "…"
    page.setFillColor(colour)
    page.setFont(font, size)
    for line in wrapped:
        top -= size * 1.2
        page.drawString(_MARGIN, top, line)
        top -= size * 0.25
    return top


def _wrapped(text: str, font: str, size: int, room: float) -> list[str]:
    found: list[str] = []
    for word in text.split():
        longer = f"{found[-1]} {word}" if found else word
        if found and pdfmetrics.stringWidth(longer, font, size) <= room:
            found[-1] = longer
        else:
            found.append(word)
    return found


def _qr(page: Any, url: str, left: float, bottom: float) -> None:
    matrix = [list(row) for row in segno.make(url, error="m", micro=False).matrix_iter(border=4)]
    unit = _QR / len(matrix)
    page.setFillColor("#ffffff")
    page.rect(left, bottom, _QR, _QR, stroke=0, fill=1)
    page.setFillColor("#000000")
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                page.rect(
                    left + x * unit, bottom + _QR - (y + 1) * unit, unit * 1.01, unit * 1.01, stroke=0, fill=1
                )
