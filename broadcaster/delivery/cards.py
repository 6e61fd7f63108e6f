"""Pictures drawn here: a podcast's artwork, the card a shared link shows, the frames of a bulletin's video.

Sizes in pixels.  The font comes from a pip package (Be Vietnam Pro, OFL); the commune's colours are the web's.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any, Final

import fontpkg_be_vietnam_pro
from PIL import Image, ImageDraw, ImageFont

ARTWORK: Final = (1400, 1400)  # podcast directories take 1400 to 3000, square
CARD: Final = (1200, 630)  # Open Graph
FRAME: Final = (1280, 720)
BRAND, PAPER, INK, SOFT, HERO = "#9b1c1c", "#f5f3ee", "#191b1f", "#52565d", "#0d2c4c"
LONGEST: Final = 400


def font_path(weight: str = "Bold") -> Path:
    """Path of the font file: Regular, SemiBold, Bold or ExtraBold."""
    return Path(fontpkg_be_vietnam_pro.ROOT) / "files" / f"BeVietnamPro-{weight}.ttf"


def artwork(name: str, subtitle: str) -> bytes:
    """A podcast's picture as PNG."""
    image, draw = _canvas(ARTWORK, BRAND)
    _loudspeaker(draw, 400, 180, 600)
    _text(draw, name, (110, 860), 1180, 110, "ExtraBold", "#ffffff", lines=3)
    _text(draw, subtitle, (110, 1250), 1180, 56, "Regular", "#ffe3df", lines=1)
    return _png(image)


def card(station: str, title: str, below: str) -> bytes:
    """What Zalo and Facebook show under a shared link, as PNG."""
    image, draw = _canvas(CARD, PAPER)
    draw.rectangle((0, 0, CARD[0], 16), fill=BRAND)
    draw.rounded_rectangle((70, 70, 158, 158), 18, fill=BRAND)
    _loudspeaker(draw, 80, 80, 68)
    _text(draw, station, (184, 84), 940, 42, "SemiBold", SOFT, lines=1)
    _text(draw, title, (70, 206), 1060, 72, "ExtraBold", INK, lines=3)
    _text(draw, below, (70, 545), 1060, 36, "Regular", SOFT, lines=1)
    return _png(image)


def frame(station: str, title: str, caption: str) -> bytes:
    """One picture of a video: the title above, what is being said below, as PNG."""
    image, draw = _canvas(FRAME, HERO)
    draw.rectangle((0, 0, FRAME[0], 12), fill=BRAND)
    _text(draw, station, (70, 52), 1140, 30, "SemiBold", "#c9dbee", lines=1)
    _text(draw, title, (70, 104), 1140, 46, "ExtraBold", "#ffffff", lines=2)
    if caption:
        draw.rounded_rectangle((50, 286, 1230, 682), 24, fill="#081d33")
        _text(draw, caption, (86, 318), 1108, 54, "SemiBold", "#ffffff", lines=5)
    else:
        _loudspeaker(draw, 510, 300, 260)
    return _png(image)


def _canvas(size: tuple[int, int], colour: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", size, colour)
    return image, ImageDraw.Draw(image)


def _loudspeaker(draw: ImageDraw.ImageDraw, left: int, top: int, size: int) -> None:
    """The station's sign: a loudspeaker with two waves, in white."""
    unit = size / 24

    def at(*points: float) -> list[tuple[float, float]]:
        return [(left + x * unit, top + y * unit) for x, y in zip(points[::2], points[1::2], strict=True)]

    draw.polygon(at(3, 9, 3, 15, 8, 15, 13, 19, 13, 5, 8, 9), fill="#ffffff")
    for reach in (4.0, 7.5):
        box = (
            left + (13 - reach) * unit, top + (12 - reach) * unit,
            left + (13 + reach) * unit, top + (12 + reach) * unit,
        )  # fmt: skip
        draw.arc(box, -48, 48, fill="#ffffff", width=max(2, round(1.4 * unit)))


def _text(
    draw: ImageDraw.ImageDraw,
    text: str,
    corner: tuple[int, int],
    width: int,
    size: int,
    weight: str,
    colour: str,
    *,
    lines: int,
) -> None:
    """Words wrapped into a box; the letters shrink, to two thirds at most, before words are cut off."""
    plain = " ".join(text.split())[:LONGEST]
    for points in (size, size * 5 // 6, size * 2 // 3):
        font = _font(weight, points)
        wrapped = _wrapped(plain, font, width)
        if len(wrapped) <= lines:
            break
    else:
        wrapped = wrapped[:lines]
        wrapped[-1] = wrapped[-1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
    for number, line in enumerate(wrapped):
        draw.text((corner[0], corner[1] + number * points * 1.32), line, font=font, fill=colour)


def _wrapped(text: str, font: Any, width: int) -> list[str]:
    found: list[str] = []
    for word in text.split():
        longer = f"{found[-1]} {word}" if found else word
        if found and font.getlength(longer) <= width:
            found[-1] = longer
        else:
            found.append(word)
    return found or [""]


@cache
def _font(weight: str, size: int) -> Any:
    return ImageFont.truetype(str(font_path(weight)), size, layout_engine=ImageFont.Layout.BASIC)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=False)
    return file.getvalue()
