"""A paper as .docx: Times New Roman, A4, the layout of Decree 30/2020, number and date left blank."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt

from broadcaster.report.paper import Appendix, Block, Paper, Table, Words
from broadcaster.report.wording import clean, roman

_FONT: Final = "Times New Roman"
_TEXT_CM: Final = {False: 16.5, True: 25.2}  # the line between the margins, by "is landscape"
_LEFT_CM: Final = 7.4  # of the letterhead's two columns: the state's name fits the other on one line
_MOTTO_CM: Final = 5.7  # as long as the motto itself, at 13 pt bold


def docx(paper: Paper) -> bytes:
    """The document's bytes."""
    document = Document()
    _page(document, paper.landscape)
    _styles(document)
    _page_numbers(document)
    if paper.formal:
        _letterhead(document, paper)
    _title(document, paper)
    _blocks(document, paper.body, paper.landscape, end_mark=paper.formal)
    if paper.formal:
        _signature(document, paper)
    for position, appendix in enumerate(paper.appendices, start=1):
        _appendix(document, paper, appendix, position)
    document.core_properties.title = clean(f"{paper.kind} {paper.subject}")[:255]
    document.core_properties.author = clean(paper.frame.issuer)[:255]
    document.core_properties.language = "vi-VN"
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _page(document: Any, landscape: bool) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    if landscape:
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = Cm(29.7), Cm(21.0)
    section.top_margin = section.bottom_margin = Cm(2.0)
    section.left_margin, section.right_margin = Cm(3.0), Cm(1.5)
    section.header_distance = Cm(1.0)


def _styles(document: Any) -> None:
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = _FONT, Pt(14)
    fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(name), _FONT)
    normal.paragraph_format.space_before = normal.paragraph_format.space_after = Pt(0)


def _page_numbers(document: Any) -> None:
    """Arabic, 14 pt, in the middle of the top margin, none on the first page."""
    section = document.sections[0]
    section.different_first_page_header_footer = True
    paragraph = section.header.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = paragraph.add_run()
    run.font.name, run.font.size = _FONT, Pt(14)
    for kind, text in (("begin", ""), ("", " PAGE "), ("end", "")):
        run._r.append(
            parse_xml(
                f'<w:fldChar {nsdecls("w")} w:fldCharType="{kind}"/>'
                if kind
                else f'<w:instrText {nsdecls("w")} xml:space="preserve">{text}</w:instrText>'
            )
        )


def _letterhead(document: Any, paper: Paper) -> None:
    frame = paper.frame
    right_cm = _TEXT_CM[False] - _LEFT_CM
    left, right = _columns(document, (_LEFT_CM, right_cm), snug=True)
    _line(left, frame.parent.upper(), size=12, centre=True, first=True)
    _line(left, frame.issuer.upper(), size=12, bold=True, centre=True)
    _rule(left, _LEFT_CM, _LEFT_CM * 0.4)
    _line(left, f"Số:        /{frame.code}", size=13, centre=True)
    _line(right, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", size=12, bold=True, centre=True, first=True)
    _line(right, "Độc lập - Tự do - Hạnh phúc", size=13, bold=True, centre=True)
    _rule(right, right_cm, _MOTTO_CM)
    _line(
        right,
        f"{frame.place}, ngày        tháng        năm {paper.year}",
        size=13,
        italic=True,
        centre=True,
    )


def _title(document: Any, paper: Paper) -> None:
    _paragraph(document, paper.kind, size=14, bold=True, centre=True, before=12)
    _paragraph(document, paper.subject, size=14, bold=True, centre=True)
    if not paper.formal:
        return
    width = _TEXT_CM[paper.landscape]
    _rule(document, width, width * 0.35)
    if paper.frame.to:
        _paragraph(document, f"Kính gửi: {paper.frame.to}.", size=14, centre=True, before=6, after=6)


def _blocks(document: Any, blocks: Sequence[Block], landscape: bool, *, end_mark: bool = False) -> None:
    for position, block in enumerate(blocks):
        if isinstance(block, Table):
            _table(document, block, _TEXT_CM[landscape])
            continue
        text = block.text
        if end_mark and position == len(blocks) - 1:
            text = text.rstrip(" ./") + "./."
        _words(document, block, text)


def _words(document: Any, block: Words, text: str) -> None:
    paragraph = _paragraph(document, text, size=14, bold=block.heading, before=6)
    shape = paragraph.paragraph_format
    paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    shape.first_line_indent, shape.line_spacing = Cm(1.27), 1.15
    shape.keep_with_next = block.heading


def _signature(document: Any, paper: Paper) -> None:
    frame = paper.frame
    _paragraph(document, "", size=6)
    left, right = _columns(document, (8.0, 8.0))
    _line(left, "Nơi nhận:", size=12, bold=True, italic=True, first=True)
    for line in frame.copy_lines:
        _line(left, f"- {line.removeprefix('- ')}", size=11)
    post = [part.upper() for part in (frame.authority, frame.post) if part]
    for position, line in enumerate(post):
        _line(right, line, size=14, bold=True, centre=True, first=position == 0)
    for _ in range(4):
        _line(right, "", size=14)
    _line(right, frame.name, size=14, bold=True, centre=True)


def _appendix(document: Any, paper: Paper, appendix: Appendix, position: int) -> None:
    document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    number = f" {roman(position)}" if len(paper.appendices) > 1 else ""
    _paragraph(document, f"Phụ lục{number}", size=14, bold=True, centre=True)
    _paragraph(document, appendix.title, size=14, bold=True, centre=True)
    _paragraph(
        document,
        f"(Kèm theo {paper.kind.capitalize()} số        /{paper.frame.code} ngày        tháng        "
        f"năm {paper.year} của {paper.frame.issuer})",
        size=14,
        italic=True,
        centre=True,
        after=6,
    )
    _blocks(document, appendix.blocks, paper.landscape)


# -------------------------------------------------------------------------------------------- pieces


def _columns(document: Any, widths_cm: tuple[float, float], *, snug: bool = False) -> tuple[Any, Any]:
    """Two cells without lines; `snug` = words may go to their edges."""
    table = document.add_table(rows=1, cols=2)
    table.autofit = False
    if snug:
        sides = "".join(f'<w:{side} w:w="0" w:type="dxa"/>' for side in ("left", "right"))
        margins = parse_xml(f"<w:tblCellMar {nsdecls('w')}>{sides}</w:tblCellMar>")
        table._tbl.tblPr.insert_element_before(margins, "w:tblLook", "w:tblCaption", "w:tblDescription")
    for cell, width in zip(table.rows[0].cells, widths_cm, strict=True):
        cell.width = Cm(width)
    for column, width in zip(table.columns, widths_cm, strict=True):
        column.width = Cm(width)
    return table.rows[0].cells[0], table.rows[0].cells[1]


def _line(
    cell: Any,
    text: str,
    *,
    size: float,
    bold: bool = False,
    italic: bool = False,
    centre: bool = False,
    first: bool = False,
) -> None:
    paragraph = cell.paragraphs[0] if first else cell.add_paragraph()
    _run(paragraph, text, size=size, bold=bold, italic=italic)
    if centre:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _paragraph(
    document: Any,
    text: str,
    *,
    size: float,
    bold: bool = False,
    italic: bool = False,
    centre: bool = False,
    before: float = 0,
    after: float = 0,
) -> Any:
    paragraph = document.add_paragraph()
    _run(paragraph, text, size=size, bold=bold, italic=italic)
    if centre:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_before = Pt(before)
    paragraph.paragraph_format.space_after = Pt(after)
    return paragraph


def _run(paragraph: Any, text: str, *, size: float, bold: bool, italic: bool) -> None:
    run = paragraph.add_run(clean(text))
    run.font.size, run.bold, run.italic = Pt(size), bold, italic


def _rule(holder: Any, width_cm: float, rule_cm: float) -> None:
    """A line of `rule_cm` in the middle of `width_cm`: the top edge of an empty, indented paragraph."""
    paragraph = holder.add_paragraph()
    shape = paragraph.paragraph_format
    shape.left_indent = shape.right_indent = Cm(max(width_cm - rule_cm, 0) / 2)
    shape.line_spacing, shape.space_before = Pt(5), Pt(2)
    paragraph._p.get_or_add_pPr().append(
        parse_xml(
            f'<w:pBdr {nsdecls("w")}><w:top w:val="single" w:sz="6" w:space="1" w:color="000000"/></w:pBdr>'
        )
    )


def _table(document: Any, table: Table, width_cm: float) -> None:
    if table.caption:
        caption = _paragraph(document, table.caption, size=13, bold=not table.small or table.caption[0].isdigit(),
                             before=10, after=4)  # fmt: skip
        caption.paragraph_format.keep_with_next = True
    # Written as XML in one piece: a row at a time through the library is quadratic.
    document.element.body.insert(-1, parse_xml(_table_xml(table, width_cm)))
    _paragraph(document, "", size=4)


def _table_xml(table: Table, width_cm: float) -> str:
    whole = sum(table.widths)
    twips = [round(width_cm * share / whole * 567) for share in table.widths]
    size = 18 if table.small else 24  # half points
    edges = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    rows = [_row_xml(table.head, twips, size, frozenset(), bold=True, head=True)]
    last = len(table.rows) - 1
    rows.extend(
        _row_xml(row, twips, size, table.right, bold=table.last_is_sum and position == last)
        for position, row in enumerate(table.rows)
    )
    grid = "".join(f'<w:gridCol w:w="{one}"/>' for one in twips)
    return (
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{sum(twips)}" w:type="dxa"/>'
        f'<w:tblBorders>{edges}</w:tblBorders><w:tblLayout w:type="fixed"/><w:tblCellMar>'
        '<w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


def _row_xml(
    texts: Sequence[str],
    twips: Sequence[int],
    size: int,
    right: frozenset[int],
    *,
    bold: bool = False,
    head: bool = False,
) -> str:
    weight = "<w:b/>" if bold else ""
    cells = []
    for column, (text, width) in enumerate(zip(texts, twips, strict=True)):
        side = "center" if head else "right" if column in right else "left"
        cells.append(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr><w:p><w:pPr>'
            f'<w:jc w:val="{side}"/></w:pPr><w:r><w:rPr>{weight}<w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr>'
            f'<w:t xml:space="preserve">{escape(clean(text))}</w:t></w:r></w:p></w:tc>'
        )
    repeat = "<w:tblHeader/>" if head else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{repeat}</w:trPr>{''.join(cells)}</w:tr>"
