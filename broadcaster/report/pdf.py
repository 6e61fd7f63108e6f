"""A paper as PDF, for printing where there is no Word: the same blocks, set by reportlab.

Times New Roman where the machine has it (Windows does); else Crimson Text, which comes with the requirements
and holds every Vietnamese letter.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY, TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    LongTable,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    TableStyle,
)
from reportlab.platypus import (
    Frame as Box,
)
from reportlab.platypus import Table as Grid

from broadcaster.report.paper import Appendix, Block, Paper, Table
from broadcaster.report.wording import clean, roman

_FACES: Final = ("", "Bold", "Italic", "BoldItalic")
_TIMES: Final = ("times.ttf", "timesbd.ttf", "timesi.ttf", "timesbi.ttf")
_CRIMSON: Final = tuple(f"CrimsonText-{face or 'Regular'}.ttf" for face in _FACES)


def pdf(paper: Paper) -> bytes:
    """The document's bytes."""
    buffer = BytesIO()
    size = landscape(A4) if paper.landscape else A4
    document = BaseDocTemplate(
        buffer, pagesize=size, title=f"{paper.kind} {paper.subject}", author=paper.frame.issuer, lang="vi-VN"
    )
    left, right, edge = 30 * mm, 20 * mm, 20 * mm
    width = size[0] - left - right
    box = Box(left, edge, width, size[1] - 2 * edge, 0, 0, 0, 0)
    letters = _letters()
    document.addPageTemplates(
        [
            PageTemplate("first", [box], autoNextPageTemplate="later"),
            PageTemplate("later", [box], onPage=lambda canvas, _doc: _page_number(canvas, letters, size)),
        ]
    )
    setter = _Setter(letters, width)
    document.build(setter.paper(paper))
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class _Letters:
    """Names of the four faces, as reportlab knows them."""

    plain: str
    bold: str
    italic: str
    bold_italic: str


@cache
def _letters() -> _Letters:
    names = [f"Report{face or 'Regular'}" for face in _FACES]
    for paths in (_times(), _crimson()):
        try:
            for name, path in zip(names, paths, strict=True):
                pdfmetrics.registerFont(TTFont(name, str(path)))
        except (TTFError, OSError):
            continue  # not on this machine, or not a face we can read: the one we bring is next
        return _Letters(*names)
    raise AssertionError("fontpkg-crimson-text is in requirements.txt")


def _times() -> list[Path]:
    return [Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts" / name for name in _TIMES]


def _crimson() -> list[Path]:
    return [Path(str(files("fontpkg_crimson_text") / "files" / name)) for name in _CRIMSON]


def _page_number(canvas: Any, letters: _Letters, size: tuple[float, float]) -> None:
    canvas.saveState()
    canvas.setFont(letters.plain, 13)
    canvas.drawCentredString(size[0] / 2, size[1] - 12 * mm, str(canvas.getPageNumber()))
    canvas.restoreState()


class _Rule(Flowable):  # type: ignore[misc]
    """A line in the middle of the width it is given; `share` of it long."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share, self._given = share, 0.0

    def wrap(self, given: float, _height: float) -> tuple[float, float]:
        self._given = given
        return given, 7.0

    def draw(self) -> None:
        length = self._given * self._share
        self.canv.setLineWidth(0.7)
        self.canv.line((self._given - length) / 2, 5, (self._given + length) / 2, 5)


class _Setter:
    """Blocks -> flowables, in one set of letters and one width."""

    def __init__(self, letters: _Letters, width: float) -> None:
        self._letters, self._width = letters, width
        self._styles: dict[tuple[object, ...], ParagraphStyle] = {}

    def paper(self, paper: Paper) -> list[Flowable]:
        story: list[Flowable] = []
        if paper.formal:
            story.append(self._letterhead(paper))
        story += [Spacer(1, 10), self._words(paper.kind, bold=True, side=TA_CENTER)]
        story.append(self._words(paper.subject, bold=True, side=TA_CENTER))
        if paper.formal:
            story.append(self._rule(0.35))
            if paper.frame.to:
                story.append(self._words(f"Kính gửi: {paper.frame.to}.", side=TA_CENTER, before=6, after=6))
        story += self._blocks(paper.body, end_mark=paper.formal)
        if paper.formal:
            story.append(self._signature(paper))
        for position, appendix in enumerate(paper.appendices, start=1):
            story += self._appendix(paper, appendix, position)
        return story

    def _letterhead(self, paper: Paper) -> Flowable:
        frame = paper.frame
        parts = (0.42 * self._width, 0.58 * self._width)
        left = [
            self._words(frame.parent.upper(), size=12, side=TA_CENTER),
            self._words(frame.issuer.upper(), size=12, bold=True, side=TA_CENTER),
            self._rule(0.4),
            self._words(
                f"Số:\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0/{frame.code}", size=13, side=TA_CENTER
            ),
        ]
        right = [
            self._words("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", size=12, bold=True, side=TA_CENTER),
            self._words("Độc lập - Tự do - Hạnh phúc", size=13, bold=True, side=TA_CENTER),
            self._rule(0.58),
            self._words(f"{frame.place}, {_blank_date(paper.year)}", size=13, italic=True, side=TA_CENTER),
        ]
        return self._pair(left, right, parts)

    def _signature(self, paper: Paper) -> Flowable:
        frame = paper.frame
        left = [self._words("Nơi nhận:", size=12, bold=True, italic=True, side=TA_LEFT)]
        left += [
            self._words(f"- {line.removeprefix('- ')}", size=11, side=TA_LEFT) for line in frame.copy_lines
        ]
        right: list[Flowable] = [
            self._words(part.upper(), bold=True, side=TA_CENTER)
            for part in (frame.authority, frame.post)
            if part
        ]
        right += [Spacer(1, 60), self._words(frame.name, bold=True, side=TA_CENTER)]
        return self._pair(left, right, (self._width / 2, self._width / 2), before=10)

    def _pair(
        self,
        left: Sequence[Flowable],
        right: Sequence[Flowable],
        widths: tuple[float, float],
        *,
        before: float = 0,
    ) -> Flowable:
        style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]
        return Grid(
            [[list(left), list(right)]], colWidths=widths, style=TableStyle(style), spaceBefore=before
        )

    def _appendix(self, paper: Paper, appendix: Appendix, position: int) -> list[Flowable]:
        number = f" {roman(position)}" if len(paper.appendices) > 1 else ""
        attached = (
            f"(Kèm theo {paper.kind.capitalize()} số\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0/{paper.frame.code} "
            f"{_blank_date(paper.year)} của {paper.frame.issuer})"
        )
        return [
            PageBreak(),
            self._words(f"Phụ lục{number}", bold=True, side=TA_CENTER),
            self._words(appendix.title, bold=True, side=TA_CENTER),
            self._words(attached, italic=True, side=TA_CENTER, after=6),
            *self._blocks(appendix.blocks),
        ]

    def _blocks(self, blocks: Sequence[Block], *, end_mark: bool = False) -> list[Flowable]:
        story: list[Flowable] = []
        for position, block in enumerate(blocks):
            if isinstance(block, Table):
                if block.caption:
                    bold = not block.small or block.caption[0].isdigit()
                    story.append(CondPageBreak(35 * mm))
                    story.append(
                        self._words(block.caption, size=13, bold=bold, side=TA_LEFT, before=8, after=4)
                    )
                story.append(self._table(block))
                continue
            text = block.text
            if end_mark and position == len(blocks) - 1:
                text = text.rstrip(" ./") + "./."
            story.append(
                self._words(
                    text, bold=block.heading, side=TA_JUSTIFY, indent=12.7 * mm, before=6, keep=block.heading
                )
            )
        return story

    def _table(self, table: Table) -> Flowable:
        whole = sum(table.widths)
        size = 8.5 if table.small else 11
        last = len(table.rows) - 1
        rows = [[self._words(text, size=size, bold=True, side=TA_CENTER) for text in table.head]]
        for position, row in enumerate(table.rows):
            bold = table.last_is_sum and position == last
            rows.append(
                [
                    self._words(
                        text, size=size, bold=bold, side=TA_RIGHT if column in table.right else TA_LEFT
                    )
                    for column, text in enumerate(row)
                ]
            )
        style = [
            ("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (-1, -1), 3), ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]  # fmt: skip
        return LongTable(
            rows,
            colWidths=[self._width * share / whole for share in table.widths],
            repeatRows=1,
            style=TableStyle(style),
        )

    def _rule(self, share: float) -> Flowable:
        return _Rule(share)

    def _words(
        self,
        text: str,
        *,
        size: float = 14,
        bold: bool = False,
        italic: bool = False,
        side: int = TA_LEFT,
        indent: float = 0,
        before: float = 0,
        after: float = 0,
        keep: bool = False,
    ) -> Paragraph:
        key = (size, bold, italic, side, indent, before, after, keep)
        style = self._styles.get(key)
        if style is None:
            letters = self._letters
            face = (
                (letters.bold_italic if italic else letters.bold)
                if bold
                else (letters.italic if italic else letters.plain)
            )
            style = self._styles[key] = ParagraphStyle(
                str(key), fontName=face, fontSize=size, leading=size * 1.22, alignment=side,
                firstLineIndent=indent, spaceBefore=before, spaceAfter=after, keepWithNext=keep,
                splitLongWords=True,
            )  # fmt: skip
        return Paragraph(escape(clean(text)), style)


def _blank_date(year: int) -> str:
    gap = "\u00a0" * 7
    return f"ngày{gap}tháng{gap}năm {year}"
