from __future__ import annotations

import io
import random
import unicodedata
import zipfile
from collections.abc import Callable

import docx
import pytest
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import InputError
from broadcaster.newsroom import docx as reader
from broadcaster.newsroom.importing import import_document

VIETNAMESE = "Kính thưa bà con, sáng mai trạm y tế xã tiêm phòng sởi cho trẻ từ 1 đến 5 tuổi.\nXin cảm ơn."


# What hardly packs, so that an archive is not refused for its density alone.
DENSE = {"word/media/dense": random.Random(1).randbytes(400_000)}


def saved(build: Callable[[docx.document.Document], None]) -> bytes:
    document = docx.Document()
    build(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def zipped(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def lines(data: bytes) -> list[str]:
    return import_document(data, "a.docx").text.split("\n")


# --------------------------------------------------------------------------------------- plain text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_plain_text_is_read_whatever_program_saved_it(encoding: str, end: str) -> None:
    found = import_document(VIETNAMESE.replace("\n", end).encode(encoding), "thông báo.txt")
    assert found.text == VIETNAMESE


def test_decomposed_letters_become_one_code_each() -> None:
    found = import_document(unicodedata.normalize("NFD", VIETNAMESE).encode(), "a.txt")
    assert found.text == VIETNAMESE


def _in_1258(text: str) -> bytes:
    """As Windows saves Vietnamese: letters with their hat, tone marks behind them."""
    out = bytearray()
    for letter in text:
        try:
            out += letter.encode("cp1258")
            continue
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", letter)
        tone = next(part for part in parts if part in "\u0300\u0301\u0303\u0309\u0323")
        base = unicodedata.normalize("NFC", parts.replace(tone, ""))
        out += base.encode("cp1258") + tone.encode("cp1258")
    return bytes(out)


def test_windows_1258_is_recognised_and_told() -> None:
    found = import_document(_in_1258(VIETNAMESE), "cu.txt")
    assert found.text == VIETNAMESE
    assert "Windows-1258" in found.notes[0]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("Th«ng b¸o: TiÕng ViÖt ®· ®æi thµnh ch÷ míi".encode("cp1252"), "TCVN3"),
        ("Thoâng baùo: Tieáng Vieät ñaõ ñoåi thaønh chöõ môùi".encode("cp1252"), "VNI"),
    ],
)
def test_a_file_in_a_font_code_from_before_unicode_becomes_unicode_with_a_note(
    data: bytes, name: str
) -> None:
    found = import_document(data, "abc.txt")
    assert found.text == "Thông báo: Tiếng Việt đã đổi thành chữ mới"
    assert name in found.notes[0]


def test_the_letter_that_looks_like_a_soft_hyphen_is_not_lost() -> None:
    """TCVN3 keeps "ư" where other codes have an invisible sign."""
    found = import_document("Trêng trùc §¶ng ñy x· th\xadëng vµ mêi ng\xadêi dù".encode("cp1252"), "abc.txt")
    assert "thưởng" in found.text
    assert "người" in found.text


def test_control_characters_are_taken_out_with_a_note() -> None:
    found = import_document("Mời\x00 bà\x1b con\x7f họp.".encode(), "a.txt")
    assert found.text == "Mời bà con họp."
    assert found.notes == ("Đã bỏ 3 ký tự điều khiển trong văn bản.",)


# ------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "trống"),
        (b" \n\t ", "trống"),
        ("\u200b\ufeff\n".encode("utf-16"), "không có chữ"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, r"lưu lại thành \.docx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "mật khẩu"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"{\\rtf1 x}", r"lưu lại thành \.docx"),
        (zipped(**{"anh.txt": b"x"}), "tệp nén, không phải Word"),
        (zipped(mimetype=b"application/vnd.oasis.opendocument.text"), "OpenDocument"),
        (b"PK\x03\x04 but no archive", "bị hỏng"),
        (zipped(**{"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "bị hỏng"),
        (zipped(**{"[Content_Types].xml": b"<x", "word/document.xml": b"<x"}), "bị hỏng"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 8, "không phải văn bản"),
        (b"a" * 50_001, r"50\.001 ký tự"),
        (b"\xff\xfea", "bị hỏng ở giữa"),
        (b"a" * (5 * 1024 * 1024 + 1), "quá 5 MB"),
    ],
)
def test_what_cannot_be_read_gets_one_sentence(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        import_document(data, "ke hoach.docx")
    assert "ke hoach.docx" in caught.value.message or "Văn bản" in caught.value.message


def test_macros_are_refused() -> None:
    plain = saved(lambda d: d.add_paragraph("Chữ"))
    out = io.BytesIO(plain)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("word/vbaProject.bin", b"macro")
    with pytest.raises(InputError, match="macro"):
        import_document(out.getvalue(), "a.docm")


@pytest.mark.parametrize(
    "entries",
    [
        {"word/document.xml": b"\0" * (20 * 1024 * 1024), **DENSE},  # one entry too long
        {**{f"word/media/{n}": b"\0" * (9 * 1024 * 1024) for n in range(9)}, **DENSE},  # together too long
        {f"word/{n}": b"" for n in range(2_001)},  # too many
        {"word/media/x": b"\0" * (3 * 1024 * 1024)},  # too dense
    ],
)
def test_a_zip_bomb_is_refused_before_anything_is_unpacked(
    entries: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = zipped(**{"[Content_Types].xml": b"<x/>", **entries})
    assert len(data) < 5 * 1024 * 1024

    def unpacked(*_: object) -> None:
        raise AssertionError("nothing may be unpacked")

    monkeypatch.setattr(zipfile.ZipFile, "open", unpacked)
    monkeypatch.setattr(reader, "Document", unpacked)
    with pytest.raises(InputError, match="giải nén ra quá lớn"):
        import_document(data, "bom.docx")


def test_an_archive_that_lies_about_its_sizes_is_refused() -> None:
    honest = zipped(**{"[Content_Types].xml": b"<x/>", "word/document.xml": b"\0" * 20_000_000})
    size = (20_000_000).to_bytes(4, "little")
    lying = honest.replace(size, (1_000).to_bytes(4, "little"))
    assert lying != honest
    with pytest.raises(InputError):
        import_document(lying, "doi.docx")


@given(st.binary(max_size=400))
def test_no_bytes_whatever_cause_anything_but_a_text_or_a_sentence(data: bytes) -> None:
    for prefix in (b"", b"PK\x03\x04", b"\xff\xfe", b"\xef\xbb\xbf"):
        said = ""
        try:
            said = import_document(prefix + data, "x").text
        except InputError as error:
            said = error.message
        assert said.strip()


# ---------------------------------------------------------------------------------------------- docx


def test_paragraphs_and_tables_come_in_their_order() -> None:
    def build(document: docx.document.Document) -> None:
        document.add_heading("Lịch tiêm phòng", 1)
        document.add_paragraph("Lịch như sau:")
        table = document.add_table(rows=2, cols=2)
        for cell, words in zip(table._cells, ("Thôn 1", "7 giờ", "Thôn 2", "8 giờ"), strict=True):
            cell.text = words
        document.add_paragraph("Xin cảm ơn.")

    assert lines(saved(build)) == [
        "Lịch tiêm phòng", "Lịch như sau:", "Thôn 1, 7 giờ", "Thôn 2, 8 giờ", "Xin cảm ơn.",
    ]  # fmt: skip


def test_a_letterhead_table_is_read_cell_by_cell() -> None:
    def build(document: docx.document.Document) -> None:
        table = document.add_table(rows=1, cols=2)
        table.cell(0, 0).text = "ỦY BAN NHÂN DÂN\nXÃ NHÀ"
        table.cell(0, 1).text = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc"
        document.add_paragraph("THÔNG BÁO")
        document.add_paragraph("Về việc tiêm phòng sởi")

    data = saved(build)
    assert lines(data)[:3] == ["ỦY BAN NHÂN DÂN", "XÃ NHÀ", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"]
    assert import_document(data, "a.docx").title == "Thông báo: tiêm phòng sởi"


def test_tracked_changes_are_accepted() -> None:
    def build(document: docx.document.Document) -> None:
        paragraph = document.add_paragraph("Họp lúc ")
        for kind, tag, words in (("del", "delText", "7 giờ"), ("ins", "t", "8 giờ")):
            change, run, text = OxmlElement(f"w:{kind}"), OxmlElement("w:r"), OxmlElement(f"w:{tag}")
            text.text = words
            run.append(text)
            change.append(run)
            paragraph._p.append(change)
        paragraph.add_run(" sáng mai.")
        merged = document.add_paragraph("Câu đầu ")
        properties = merged._p.get_or_add_pPr()
        properties.append(parse_xml(f'<w:rPr {nsdecls("w")}><w:del w:id="9" w:author="x"/></w:rPr>'))
        document.add_paragraph("chạy tiếp.")
        table = document.add_table(rows=2, cols=1)
        table.cell(0, 0).text, table.cell(1, 0).text = "dòng bỏ", "dòng giữ"
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:del"))

    found = import_document(saved(build), "a.docx")
    assert found.text.split("\n") == ["Họp lúc 8 giờ sáng mai.", "Câu đầu chạy tiếp.", "dòng giữ"]
    assert any("Track Changes" in note for note in found.notes)


def test_content_controls_links_breaks_and_text_boxes_are_words_too() -> None:
    def build(document: docx.document.Document) -> None:
        body = document.element.body
        body.insert(
            0,
            parse_xml(
                f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>Trong ô</w:t></w:r></w:p></w:sdtContent></w:sdt>"
            ),
        )
        paragraph = document.add_paragraph("dòng một")
        paragraph.add_run().add_break()
        paragraph.add_run("dòng hai")
        box = (
            '<w:r xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" {ns}>'
            "<mc:AlternateContent>"
            "<mc:Choice><w:txbxContent><w:p><w:r><w:t>khung chữ</w:t></w:r></w:p></w:txbxContent></mc:Choice>"
            "<mc:Fallback><w:txbxContent><w:p><w:r><w:t>khung chữ</w:t></w:r></w:p></w:txbxContent></mc:Fallback>"
            "</mc:AlternateContent></w:r>"
        )
        document.add_paragraph()._p.append(parse_xml(box.format(ns=nsdecls("w"))))

    assert [line for line in lines(saved(build)) if line] == ["Trong ô", "dòng một", "dòng hai", "khung chữ"]


def test_numbers_that_word_writes_by_itself_are_kept() -> None:
    def build(document: docx.document.Document) -> None:
        document.add_paragraph("Việc thứ nhất", style="List Number")
        document.add_paragraph("nhỏ", style="List Bullet")
        document.add_paragraph("Việc thứ hai", style="List Number")

    assert lines(saved(build)) == ["1. Việc thứ nhất", "- nhỏ", "2. Việc thứ hai"]


def test_levels_of_numbering_count_as_word_counts_them() -> None:
    levels = (("upperRoman", "%1."), ("decimal", "%2."), ("lowerLetter", "%3)"), ("decimal", "%2.%4."))

    def build(document: docx.document.Document) -> None:
        root = document.part.numbering_part.element
        xml = "".join(
            f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
            for n, (kind, text) in enumerate(levels)
        )
        root.insert(0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="90">{xml}</w:abstractNum>'))
        root.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="91"><w:abstractNumId w:val="90"/></w:num>'))
        for level in (0, 1, 2, 2, 1, 3, 0, 1):
            properties = document.add_paragraph("x")._p.get_or_add_pPr()
            properties.append(
                parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="91"/></w:numPr>')
            )

    assert lines(saved(build)) == ["I. x", "1. x", "a) x", "b) x", "2. x", "2.1. x", "II. x", "1. x"]


def test_a_picture_is_told_since_its_words_are_not_read() -> None:
    def build(document: docx.document.Document) -> None:
        paragraph = document.add_paragraph("Xem hình.")
        blip = parse_xml('<a:blip xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"/>')
        paragraph._p.append(blip)

    assert any("hình ảnh" in note for note in import_document(saved(build), "a.docx").notes)


def test_an_external_entity_is_never_opened() -> None:
    plain = saved(lambda d: d.add_paragraph("Chữ"))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "word/document.xml":
                data = data.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', 1)
                data = data.replace("Chữ".encode(), b"Ch&e;u")
            new.writestr(entry, data)
    try:
        found = import_document(out.getvalue(), "xxe.docx")
    except InputError:
        return
    assert "root:" not in found.text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Lịch tiêm phòng\nNội dung", "Lịch tiêm phòng"),
        ("ỦY BAN NHÂN DÂN XÃ NHÀ\nSố: 12/TB-UBND\nTHÔNG BÁO\nV/v cắt điện\nNội dung", "Thông báo: cắt điện"),
        ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do\n-----\nMời họp thôn", "Mời họp thôn"),
        ("KẾ HOẠCH\nPHÒNG CHỐNG LỤT BÃO", "Kế hoạch: Phòng chống lụt bão"),
        ("a" * 60 + " " + "b" * 80, "a" * 60 + "…"),
        (
            "UBND XÃ NHƯ THANH\nSố: 45/UBND-VHXH\nV/v mở lớp\nbình dân học vụ số\n"
            "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nNhư Thanh, ngày 26 tháng 11 năm 2026\nKính gửi: các thôn\nNội dung",
            "Mở lớp bình dân học vụ số",
        ),
        (
            "THÔNG BÁO\nVề việc tiêm phòng dại cho chó,\nmèo đợt 2\n1. Thời gian",
            "Thông báo: tiêm phòng dại cho chó, mèo đợt 2",
        ),
        (
            "ỦY BAN NHÂN DÂN\nXÃ NHÀ\nSố: 1/TB-UBND\nCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nChiều mai họp dân.",
            "Chiều mai họp dân",
        ),
        ("Kính thưa bà con!\nSáng mai, ngày 5/12, thôn họp.", "Sáng mai, ngày 5/12, thôn họp"),
        ("Thông báo", "Thông báo"),
        ("Kính thưa bà con. Ngày mai ngừng cấp điện từ 8h.", "Ngày mai ngừng cấp điện từ 8h"),
        ("Kính thưa bà con.", "Kính thưa bà con"),
        ("Một hai ba bốn. " * 2, "Một hai ba bốn"),
        ("chữ " * 60, "chữ " * 19 + "chữ…"),
        ("dài" * 100, ("dài" * 100)[:79] + "…"),
    ],
)
def test_a_title_is_proposed(text: str, title: str) -> None:
    assert import_document(text.encode(), "tep.txt").title == title


def test_an_empty_document_is_refused() -> None:
    with pytest.raises(InputError, match="không có chữ nào"):
        import_document(saved(lambda d: None), "trong.docx")
