"""A plan's headings and what of it can become topics and bulletins."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.newsroom.campaigns import styled_paragraphs
from broadcaster.newsroom.importing import import_document
from broadcaster.newsroom.outline import Outline, outline

SAMPLE = Path(__file__).parents[2] / "schedules/nhu-thanh/bulletins/ke-hoach-mau.docx"


def of_file(data: bytes) -> Outline:
    document = import_document(data, "ke-hoach.docx")
    lines = document.text.split("\n")
    return outline(document.title, lines, styled=styled_paragraphs(data, lines))


def saved(document: Any) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def of(*lines: str) -> Outline:
    return outline("Kế hoạch năm 2026", lines)


def test_every_heading_of_the_sample_plan_is_found_and_nothing_else_is_called_one() -> None:
    found = of_file(SAMPLE.read_bytes())
    assert [words for _, _, words in found.headings] == [
        "I. MỤC ĐÍCH, YÊU CẦU", "1. Mục đích", "2. Yêu cầu", "II. NỘI DUNG TUYÊN TRUYỀN",
        "1. Kỹ năng số cho người mới bắt đầu", "2. Dịch vụ công trực tuyến", "3. An toàn trên không gian mạng",
        "III. HÌNH THỨC, THỜI GIAN", "IV. TỔ CHỨC THỰC HIỆN",
    ]  # fmt: skip


def test_letterhead_recipients_and_signature_of_the_sample_plan_are_in_no_draft() -> None:
    found = of_file(SAMPLE.read_bytes())
    said = "\n".join(section.text for section in found.sections)
    for word in ("CỘNG HÒA", "Độc lập", "/KH-UBND", "Nơi nhận", "Lưu: VT", "KT. CHỦ TỊCH", "Nguyễn Văn Mẫu"):
        assert word not in said
    assert "Nhận biết ba thủ đoạn thường gặp" in said


def test_the_contents_part_is_proposed_with_the_targets_its_table_names() -> None:
    found = of_file(SAMPLE.read_bytes())
    assert [(s.title, s.broadcasts) for s in found.sections if s.chosen] == [
        ("Kỹ năng số cho người mới bắt đầu", 10), ("Dịch vụ công trực tuyến", 12),
        ("An toàn trên không gian mạng", 12),
    ]  # fmt: skip
    assert (found.first_day, found.last_day) == (date(2026, 12, 1), date(2026, 12, 31))
    assert found.motto == "Mỗi nhà một việc số"


def test_a_section_covers_exactly_its_paragraphs() -> None:
    lines = ("I. NỘI DUNG", "1. Nước sạch", "- Rửa tay.", "- Đun sôi.", "2. Rừng", "Không đốt nương.")
    found = of(*lines)
    assert [(s.title, s.first, s.last, s.text, s.part) for s in found.sections] == [
        ("Nước sạch", 1, 3, "- Rửa tay.\n- Đun sôi.", "I. NỘI DUNG"), ("Rừng", 4, 5, "Không đốt nương.", "I. NỘI DUNG"),
    ]  # fmt: skip


def test_points_that_are_sentences_or_a_bare_list_are_no_headings() -> None:
    found = of("I. TỔ CHỨC THỰC HIỆN", "1. Công an xã tuần tra.", "2. Xi măng", "3. Cát", "4. Sỏi")
    assert [words for _, _, words in found.headings] == ["I. TỔ CHỨC THỰC HIỆN"]
    assert found.sections[0].text.count("\n") == 3


def test_a_plan_without_headings_is_one_section_and_says_so() -> None:
    found = of("Các thôn tuyên truyền về phòng cháy.", "Loa phát sáng và chiều.")
    assert found.headings == ()
    assert [(s.title, s.first, s.last, s.chosen) for s in found.sections] == [
        ("Kế hoạch năm 2026", 0, 1, True)
    ]
    assert "Không thấy đề mục" in found.notes[0]


def test_headings_in_capitals_stand_in_for_numbers_and_are_written_as_sentences() -> None:
    found = of("PHÒNG CHÁY RỪNG", "Không đốt nương.", "AN TOÀN GIAO THÔNG CÙNG UBND", "Đội mũ bảo hiểm.")
    assert [s.title for s in found.sections] == ["Phòng cháy rừng", "An toàn giao thông cùng UBND"]


def test_words_own_heading_styles_are_enough() -> None:
    document = Document()
    document.add_paragraph("Nội dung năm 2026", style="Heading 1")
    document.add_paragraph("Vệ sinh môi trường", style="Heading 2")
    document.add_paragraph("Thứ Bảy tuần nào cũng dọn đường làng.")
    document.add_paragraph("Nước sạch", style="Heading 2")
    document.add_paragraph("Đun sôi trước khi uống.")
    found = of_file(saved(document))
    assert [(level, words) for _, level, words in found.headings] == [
        (1, "Nội dung năm 2026"), (2, "Vệ sinh môi trường"), (2, "Nước sạch"),
    ]  # fmt: skip
    assert [s.text for s in found.sections] == [
        "Thứ Bảy tuần nào cũng dọn đường làng.",
        "Đun sôi trước khi uống.",
    ]


def test_tables_stay_in_their_section_and_tracked_changes_are_read_as_accepted() -> None:
    document = Document()
    document.add_paragraph("I. NỘI DUNG TUYÊN TRUYỀN")
    paragraph = document.add_paragraph("Tiêm phòng dại ")
    for tag, word in (("w:del", "thứ Sáu"), ("w:ins", "thứ Bảy")):
        change = OxmlElement(tag)
        run = OxmlElement("w:r")
        text = OxmlElement("w:delText" if tag == "w:del" else "w:t")
        text.text = word
        run.append(text)
        change.append(run)
        paragraph._p.append(change)
        change.set(qn("w:id"), "1")
    table = document.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, (("Thôn", "Giờ"), ("Đồng Lớn", "8h00")), strict=True):
        for cell, words in zip(row.cells, cells, strict=True):
            cell.text = words
    document.add_paragraph("II. TỔ CHỨC THỰC HIỆN")
    document.add_paragraph("Trạm Y tế chủ trì.")
    found = of_file(saved(document))
    assert found.sections[0].text == "Tiêm phòng dại thứ Bảy\nThôn, Giờ\nĐồng Lớn, 8h00"
    assert [s.chosen for s in found.sections] == [True, False]


def test_pictures_are_said_to_be_left_out() -> None:
    document = Document()
    document.add_paragraph("I. NỘI DUNG")
    document.add_paragraph("Có một hình minh họa.")
    document.add_picture(io.BytesIO(_png()))
    imported = import_document(saved(document), "ke-hoach.docx")
    assert any("hình ảnh" in note for note in imported.notes)


@pytest.mark.parametrize(
    ("title", "text", "first", "last"),
    [("Kế hoạch tháng 2 năm 2026", "", date(2026, 2, 1), date(2026, 2, 28)),
     ("Kế hoạch tháng 12/2026", "", date(2026, 12, 1), date(2026, 12, 31)),
     ("Kế hoạch năm 2027", "", date(2027, 1, 1), date(2027, 12, 31)),
     ("Kế hoạch", "từ 5/3/2026 đến hết ngày 9/3/2026", date(2026, 3, 5), date(2026, 3, 9)),
     ("Kế hoạch", "từ ngày 31/02/2026 đến ngày 9/3/2026", None, None)],
)  # fmt: skip
def test_the_days_of_a_plan_are_read_from_its_words(
    title: str, text: str, first: date | None, last: date | None
) -> None:
    found = outline(title, ["I. NỘI DUNG", f"Thực hiện {text}."])
    assert (found.first_day, found.last_day) == (first, last)


def test_a_motto_that_is_called_one_wins_over_quotes_in_the_title() -> None:
    found = outline(
        "Kế hoạch “Tháng xanh”", ["I. NỘI DUNG", "Khẩu hiệu: “Sạch nhà, sạch ngõ, sạch đồng ruộng”."]
    )
    assert found.motto == "Sạch nhà, sạch ngõ, sạch đồng ruộng"


LINES = st.lists(
    st.sampled_from(
        ["I. NỘI DUNG", "II. TỔ CHỨC", "1. Nước sạch", "2. Rừng:", "- Rửa tay.", "", "Kính gửi bà con.", "3. Làm xong.",
         "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Nơi nhận:", "- Lưu: VT.", "KT. CHỦ TỊCH", "## Đề mục", "PHÒNG CHÁY RỪNG"]
    ),
    max_size=20,
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(LINES)
def test_sections_never_overlap_and_hold_only_words_of_the_plan(lines: list[str]) -> None:
    found = outline("Kế hoạch", lines)
    covered: set[int] = set()
    for section in found.sections:
        here = set(range(section.first, section.last + 1))
        assert not here & covered
        covered |= here
        assert section.text
        assert all(line in "\n".join(lines) for line in section.text.split("\n"))


def _png() -> bytes:
    """One white dot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0\xff")) + chunk(b"IEND", b"")
    )  # fmt: skip
