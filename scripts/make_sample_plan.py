#!/usr/bin/env python3
"""Write the sample plan: `.venv/bin/python scripts/make_sample_plan.py [OUT.docx]`.

A plan of our own in the layout that communes use (Nghị định 30/2020/NĐ-CP, Phụ lục I): letterhead in a table,
number and date still blank, Roman headings, a small table, recipients and signature.  The same input gives the
same bytes, so the committed file changes only when its words do.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from datetime import datetime
from pathlib import Path

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph

OUT = Path(__file__).resolve().parent.parent / "schedules/nhu-thanh/bulletins/ke-hoach-mau.docx"
FIRST_DAY = datetime(2026, 11, 2, 8, 0)
CENTER, JUSTIFY, LEFT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.JUSTIFY, WD_ALIGN_PARAGRAPH.LEFT

GROUNDS = (
    "Căn cứ Nghị định số 49/2024/NĐ-CP ngày 10 tháng 5 năm 2024 của Chính phủ quy định về hoạt động thông tin cơ sở;",
    "Căn cứ Kế hoạch số 02-KH/BCĐ ngày 12/02/2026 của Ban Chỉ đạo cấp tỉnh;",
    "Theo đề nghị của Phòng Văn hóa - Xã hội, UBND xã ban hành Kế hoạch tổ chức tháng cao điểm “Mỗi nhà một việc số” như sau.",
)

# Roman headings, numbered items and dashes; "@table" stands for the table of the month.
BODY: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "I. MỤC ĐÍCH, YÊU CẦU",
        (
            "1. Mục đích",
            "- Giúp mỗi gia đình tự làm được ít nhất 01 việc có ích trên điện thoại: nộp hồ sơ, đặt lịch khám bệnh, đóng tiền điện hoặc bán nông sản.",
            "- Giảm từ 30% trở lên số vụ bị lừa đảo qua điện thoại so với 6 tháng đầu năm 2026.",
            "2. Yêu cầu",
            "- Nói ngắn, nói dễ hiểu, có người làm mẫu; không chạy theo số lượng.",
            "- Không thu tiền của người dân dưới bất kỳ hình thức nào.",
        ),
    ),
    (
        "II. NỘI DUNG TUYÊN TRUYỀN",
        (
            "1. Kỹ năng số cho người mới bắt đầu",
            "- Cách dùng VNeID, quét mã QR, gọi video và tìm thông tin chính thống của xã.",
            "- Giới thiệu 5-7 gương người cao tuổi, phụ nữ nông thôn dùng thành thạo điện thoại thông minh.",
            "2. Dịch vụ công trực tuyến",
            "- Hướng dẫn 10 thủ tục bà con hay làm nhất; nêu rõ giấy tờ cần có, thời hạn và lệ phí của từng thủ tục.",
            "3. An toàn trên không gian mạng",
            "- Nhận biết ba thủ đoạn thường gặp: giả danh cán bộ, trúng thưởng giả, tuyển việc làm nhẹ lương cao.",
            "- Phổ biến số điện thoại báo tin: 113, 1022 và số trực của Công an xã 0237 000 113.",
        ),
    ),
    (
        "III. HÌNH THỨC, THỜI GIAN",
        (
            "1. Phát trên hệ thống truyền thanh của xã 2 buổi mỗi ngày, lúc 5h30 và 17h00, từ thứ 2 đến thứ 7; mỗi bản tin không quá 350 từ.",
            "2. Chia sẻ tệp âm thanh vào nhóm Zalo của 37 thôn trước giờ phát ít nhất 60 phút.",
            "3. Thời gian thực hiện: từ ngày 01/12/2026 đến ngày 31/12/2026, chia theo tuần như sau:",
            "@table",
        ),
    ),
    (
        "IV. TỔ CHỨC THỰC HIỆN",
        (
            "1. Phòng Văn hóa - Xã hội biên soạn bản tin, trình lãnh đạo UBND xã duyệt trước 15h00 ngày hôm trước; tổng hợp kết quả, báo cáo trước ngày 05/01/2027.",
            "2. Công an xã cung cấp tình hình, thủ đoạn mới; cử cán bộ tư vấn tại các buổi họp thôn.",
            "3. Trung tâm Phục vụ hành chính công bố trí 02 bàn hướng dẫn, phục vụ từ 7h30-11h30 và từ 13h30-17h00.",
            "4. Đề nghị Ủy ban MTTQ và các đoàn thể xã vận động hội viên tham gia, mỗi chi hội nhận giúp 3-5 hộ.",
            "5. Trưởng thôn, Tổ CNSCĐ bảo đảm loa hoạt động tốt, xác nhận từng buổi phát; phản ánh hỏng hóc trong vòng 24 giờ.",
            "6. Kinh phí 18.500.000 đồng, lấy từ nguồn ngân sách xã đã giao năm 2026.",
            "Trên đây là Kế hoạch tổ chức tháng cao điểm “Mỗi nhà một việc số”. Trong quá trình thực hiện, nếu có vướng mắc, các đơn vị và các thôn báo cáo UBND xã để được xem xét, giải quyết./.",
        ),
    ),
)
MONTH = (
    ("Tuần", "Thời gian", "Nội dung chính", "Số buổi phát"),
    ("1", "01/12 - 05/12", "Kỹ năng số cho người mới bắt đầu", "10"),
    ("2", "07/12 - 12/12", "Dịch vụ công trực tuyến", "12"),
    ("3", "14/12 - 19/12", "An toàn trên không gian mạng", "12"),
    ("4", "21/12 - 31/12", "Gương người tốt, việc tốt; nhắc lại các nội dung", "20"),
)
RECIPIENTS = (
    "- Thường trực Đảng ủy, HĐND xã;",
    "- Chủ tịch, các Phó Chủ tịch UBND xã;",
    "- Ủy ban MTTQ và các đoàn thể xã;",
    "- Các đơn vị nêu tại phần IV;",
    "- Trưởng 37 thôn;",
    "- Lưu: VT, VHXH.",
)


def write(
    paragraph: Paragraph,
    text: str,
    *,
    size_pt: float = 13,
    bold: bool = False,
    italic: bool = False,
    align: WD_ALIGN_PARAGRAPH = CENTER,
    indent_cm: float = 0,
    after_pt: float = 0,
) -> Paragraph:
    """Put `text` into `paragraph` in the official face."""
    run = paragraph.add_run(text)
    run.font.size, run.bold, run.italic = Pt(size_pt), bold, italic
    paragraph.alignment = align
    paragraph.paragraph_format.first_line_indent = Cm(indent_cm)
    paragraph.paragraph_format.space_after = Pt(after_pt)
    paragraph.paragraph_format.space_before = Pt(0)
    return paragraph


def ruled(paragraph: Paragraph, *, side_cm: float) -> None:
    """A rule below the paragraph, drawn as its border and shortened by `side_cm` on both sides."""
    border = OxmlElement("w:pBdr")
    line = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        line.set(qn(f"w:{name}"), value)
    border.append(line)
    paragraph._p.get_or_add_pPr().insert_element_before(border, "w:spacing", "w:ind", "w:jc")
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Cm(side_cm)


def lines(cell: _Cell, *texts: tuple[str, dict[str, object]]) -> list[Paragraph]:
    """Fill a cell, a paragraph a text."""
    made = []
    for number, (text, style) in enumerate(texts):
        paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
        made.append(write(paragraph, text, **style))  # type: ignore[arg-type]
    return made


def letterhead(document: Document) -> None:  # type: ignore[valid-type]
    """Issuing body and blank number on the left, quốc hiệu and blank date on the right."""
    table = document.add_table(rows=2, cols=2)  # type: ignore[attr-defined]
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for row in table.rows:
        row.cells[0].width, row.cells[1].width = Cm(6.3), Cm(10.2)
    left = lines(table.cell(0, 0), ("ỦY BAN NHÂN DÂN", {"bold": True}), ("XÃ NHƯ THANH", {"bold": True}))
    right = lines(
        table.cell(0, 1),
        ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", {"size_pt": 12.5, "bold": True}),
        ("Độc lập - Tự do - Hạnh phúc", {"size_pt": 13.5, "bold": True}),
    )
    ruled(left[-1], side_cm=1.9)
    ruled(right[-1], side_cm=2.0)
    lines(table.cell(1, 0), ("Số:     /KH-UBND", {}))
    lines(table.cell(1, 1), ("Như Thanh, ngày     tháng     năm 2026", {"size_pt": 13.5, "italic": True}))


def month_table(document: Document) -> None:  # type: ignore[valid-type]
    """The month, a row a week."""
    table = document.add_table(rows=0, cols=4, style="Table Grid")  # type: ignore[attr-defined]
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for number, row in enumerate(MONTH):
        for cell, text, width in zip(table.add_row().cells, row, (1.5, 3.6, 8.6, 2.8), strict=True):
            cell.width = Cm(width)
            write(cell.paragraphs[0], text, size_pt=12, bold=number == 0)


def ending(document: Document) -> None:  # type: ignore[valid-type]
    """Recipients on the left, signature on the right."""
    table = document.add_table(rows=1, cols=2)  # type: ignore[attr-defined]
    small: dict[str, object] = {"size_pt": 11, "align": LEFT}
    lines(
        table.cell(0, 0),
        ("Nơi nhận:", {"size_pt": 12, "bold": True, "italic": True, "align": LEFT}),
        *((line, small) for line in RECIPIENTS),
    )
    strong: dict[str, object] = {"bold": True}
    lines(
        table.cell(0, 1),
        ("TM. ỦY BAN NHÂN DÂN", strong),
        ("KT. CHỦ TỊCH", strong),
        ("PHÓ CHỦ TỊCH", {"bold": True, "after_pt": 54}),
        ("Nguyễn Văn Mẫu", strong),
    )


def page_number(document: Document) -> None:  # type: ignore[valid-type]
    """Arabic, centred in the top margin, none on the first page."""
    section = document.sections[0]  # type: ignore[attr-defined]
    section.different_first_page_header_footer = True
    paragraph = section.header.paragraphs[0]
    paragraph.alignment = CENTER
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)


def build() -> bytes:
    """The whole plan as the bytes of a .docx."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.top_margin = section.bottom_margin = Cm(2)
    section.left_margin, section.right_margin = Cm(3), Cm(1.5)
    normal = document.styles["Normal"]
    normal.font.name = "Times New Roman"
    normal.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "Times New Roman")
    page_number(document)
    letterhead(document)
    write(document.add_paragraph(), "KẾ HOẠCH", size_pt=14, bold=True).paragraph_format.space_before = Pt(10)
    title = write(
        document.add_paragraph(),
        "Tổ chức tháng cao điểm “Mỗi nhà một việc số” trên địa bàn xã Như Thanh",
        size_pt=14,
        bold=True,
    )
    ruled(title, side_cm=5.5)
    title.paragraph_format.space_after = Pt(10)
    for number, text in enumerate(GROUNDS):
        write(
            document.add_paragraph(), text, italic=number < 2, align=JUSTIFY, indent_cm=1.27, after_pt=6
        )  # fmt: skip
    for heading, items in BODY:
        write(
            document.add_paragraph(), heading, bold=True, align=JUSTIFY, indent_cm=1.27, after_pt=6
        ).paragraph_format.keep_with_next = True
        for item in items:
            if item == "@table":
                month_table(document)
                document.add_paragraph().paragraph_format.space_after = Pt(0)
                continue
            headline = item[0].isdigit() and item[-1] not in ".:;"
            write(document.add_paragraph(), item, bold=headline, align=JUSTIFY, indent_cm=1.27, after_pt=6)
    ending(document)
    properties = document.core_properties
    properties.title = "Kế hoạch tổ chức tháng cao điểm “Mỗi nhà một việc số”"
    properties.author = properties.last_modified_by = "Đài truyền thanh xã Như Thanh"
    properties.comments = "Văn bản mẫu; tên người và số liệu đều do dự án đặt ra."
    properties.created = properties.modified = FIRST_DAY
    properties.language = "vi-VN"
    made = io.BytesIO()
    document.save(made)
    return undated(made.getvalue())


def undated(archive: bytes) -> bytes:
    """The same zip with one fixed date on every entry."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as source,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, FIRST_DAY.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, source.read(name))
    return made.getvalue()


def main() -> None:
    """Write the file and name it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", nargs="?", type=Path, default=OUT, metavar="OUT.docx")
    target = parser.parse_args().target
    target.write_bytes(build())
    print(target)


if __name__ == "__main__":
    main()
