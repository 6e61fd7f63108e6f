"""The papers say what the figures say, in the layout that an administrative paper has."""

from __future__ import annotations

import csv
import unicodedata
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.shared import Pt
from openpyxl import load_workbook

from broadcaster.errors import InputError
from broadcaster.report.docx import docx
from broadcaster.report.figures import Choice, Figures, figures
from broadcaster.report.gathering import gather
from broadcaster.report.ledger import Activity, Ledger
from broadcaster.report.logbook import logbook_paper
from broadcaster.report.narrative import draft, key_numbers, missing_numbers
from broadcaster.report.paper import Table, checked_frame, default_frame, report_paper, tables
from broadcaster.report.pdf import pdf
from broadcaster.report.period import parse_period
from broadcaster.report.rows import write_rows
from broadcaster.report.wording import number
from broadcaster.report.workbook import workbook
from broadcaster.store.db import Database
from broadcaster.store.upgrade import upgrade
from tests.support.commune import at, found, furnish
from tests.support.office import convert, words_of
from tests.support.years import fill_years

FRAME = default_frame("Đài truyền thanh xã Như Thanh")
PERIOD = parse_period("2026-10")


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    from dataclasses import replace

    url = f"sqlite:///{tmp_path_factory.mktemp('giấy tờ')}/x.db"
    upgrade(url)
    db = Database(url)
    try:
        with db.writing() as session:
            commune = found(session, villages=6)
            furnish(session, commune)
            fill_years(session, commune, date(2026, 10, 1), 31, seed=2)
            ledger = gather(session, commune.station, PERIOD, now=at("12:00"))
    finally:
        db.dispose()
    meeting = Activity(
        1, "meeting", date(2026, 10, 5), "=Họp thôn <về> phòng cháy & chữa cháy", "Thôn 1", 0, 2, 120, "", ()
    )
    return replace(ledger, activities=(meeting,))


@pytest.fixture(scope="module")
def shown(october: Ledger) -> Figures:
    return figures(october)


def numbers_of(shown: Figures) -> set[str]:
    total = shown.total
    return {
        number(value)
        for value in (
            total.airings, total.airings_played, total.airings_confirmed, total.villages, total.villages_played,
            total.villages_confirmed, total.receivers_played, total.pieces, total.pieces_played, total.bulletins,
        )
    }  # fmt: skip


def test_every_number_of_the_draft_stands_in_the_figures_and_an_old_text_is_told_apart(
    shown: Figures,
) -> None:
    text = draft(shown)
    assert missing_numbers(text, shown) == ()
    assert set(key_numbers(shown)) <= numbers_of(shown)
    old = text.replace(number(shown.total.villages_played), "1")
    assert missing_numbers(old, shown) == (number(shown.total.villages_played),)


def test_a_period_without_broadcasts_still_makes_a_whole_paper(october: Ledger) -> None:
    from dataclasses import replace

    empty = figures(replace(october, parts=(), cells=(), activities=()))
    assert "không có buổi phát thanh nào" in draft(empty)
    assert "tới 0 thôn" not in draft(empty)
    for made in (docx, pdf):
        assert made(report_paper(empty, draft(empty), FRAME))
    book = load_workbook(BytesIO(workbook(empty)))
    assert book["Tổng hợp"]["B5"].value.startswith("=SUM(")
    book.close()


def test_the_document_has_the_layout_of_an_administrative_paper(shown: Figures) -> None:
    document = Document(BytesIO(docx(report_paper(shown, draft(shown), FRAME))))
    section = document.sections[0]
    assert [round(one.cm, 1) for one in (section.page_width, section.page_height)] == [21.0, 29.7]
    margins = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [round(one.cm, 1) for one in margins] == [2.0, 2.0, 3.0, 1.5]
    normal = document.styles["Normal"].font
    assert (normal.name, normal.size) == ("Times New Roman", Pt(14))
    assert section.different_first_page_header_footer, "the first page has no number"
    assert "PAGE" in section.header._element.xml
    assert section.first_page_header.paragraphs[0].text == ""
    left, right = (cell.text.split("\n") for cell in document.tables[0].rows[0].cells)
    assert left[:2] == ["ỦY BAN NHÂN DÂN XÃ NHƯ THANH", "PHÒNG VĂN HÓA - XÃ HỘI"]
    assert left[-1] == "Số:        /BC-VHXH", "the clerk writes the number"
    assert right[:2] == ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"]
    assert right[-1] == "Như Thanh, ngày        tháng        năm 2026", "and the date"
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert "BÁO CÁO" in texts
    assert any(text.startswith("Kính gửi: Ủy ban nhân dân xã Như Thanh") for text in texts)
    body = [p for p in document.paragraphs if p.text.startswith("Trong tháng 10")][0]
    assert round(body.paragraph_format.first_line_indent.cm, 2) == 1.27
    assert str(body.alignment).startswith("JUSTIFY")
    assert body.paragraph_format.space_before == Pt(6)
    before_signature = [text for text in texts if text.endswith("./.")]
    assert len(before_signature) == 1
    copies, signature = (cell.text for cell in document.tables[1].rows[0].cells)
    assert copies.split("\n") == ["Nơi nhận:", "- Như trên;", "- Lưu: VT, VHXH."]
    assert signature.startswith("TRƯỞNG PHÒNG")
    assert {"Phụ lục I", "Phụ lục II"} <= set(texts)


def cells_of(table: Any) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_the_tables_of_the_document_are_the_tables_of_the_figures(shown: Figures) -> None:
    document = Document(BytesIO(docx(report_paper(shown, draft(shown), FRAME))))
    wanted = [table for table in tables(shown) if isinstance(table, Table)]
    made = [cells_of(table) for table in document.tables[2:]]
    assert made[:-1] == [[list(table.head), *(list(row) for row in table.rows)] for table in wanted]
    appendix = made[-1]
    hashes = {row[-1] for row in appendix[1:]}
    assert hashes == {part.sha256 for part in shown.ledger.parts if part.planned}
    assert all(len(one) == 64 for one in hashes)


def test_words_that_would_break_a_file_do_not(october: Ledger) -> None:
    from dataclasses import replace

    shown = figures(replace(october, station="Xã <b>&\x07\ud800 Thử"))
    assert Document(BytesIO(docx(report_paper(shown, draft(shown), FRAME))))
    assert pdf(report_paper(shown, draft(shown), FRAME)).startswith(b"%PDF")
    load_workbook(BytesIO(workbook(shown))).close()


def recalculated(shown: Figures, folder: Path) -> dict[str, dict[str, list[Any]]]:
    """The workbook's sheets after LibreOffice has worked the formulas out anew: row label -> values."""
    source = folder / "bao-cao.xlsx"
    book = load_workbook(BytesIO(workbook(shown)))
    book.save(source)  # without the values that came along, so that there is something to work out
    book.close()
    done = load_workbook(convert(source, "xlsx", folder / "ra"), data_only=True)
    found = {
        sheet.title: {str(row[0] or row[1]): list(row) for row in sheet.iter_rows(values_only=True) if row}
        for sheet in done
    }
    done.close()
    return found


@pytest.mark.parametrize("narrow", [False, True])
def test_formulas_worked_out_by_another_program_give_the_figures(
    october: Ledger, narrow: bool, tmp_path: Path
) -> None:
    choice = Choice(topic=sorted(october.topics)[2], village=october.villages[1].id) if narrow else Choice()
    shown = figures(october, choice)
    total = shown.total
    assert total.villages > 0
    sheets = recalculated(shown, tmp_path)
    summary = sheets["Tổng hợp"]
    assert summary["Buổi phát"][1:4] == [total.airings, total.airings_played, total.airings_confirmed]
    assert summary["Lượt thôn"][1:4] == [total.villages, total.villages_played, total.villages_confirmed]
    assert summary["Lượt máy thu"][1:3] == [total.receivers, total.receivers_played]
    assert summary["Lượt tin bài"][1:4] == [total.pieces, total.pieces_played, total.pieces_confirmed]
    assert summary["Số tin bài"][1:4] == [total.bulletins, total.bulletins_played, total.bulletins_confirmed]
    assert summary["Thời lượng theo lịch (giây)"][1] == pytest.approx(total.planned_ms / 1000)
    assert summary["Lượt thôn báo không phát được"][3] == total.villages_failed
    for line in shown.by_village:
        slug = next(one.slug for one in october.villages if str(one.id) == line.key)
        row, t = sheets["Thôn"][slug], line.tally
        assert row[2:10] == [
            t.villages, t.villages_played, t.villages_partly, t.villages_silent, t.villages_unreported,
            t.villages_without_receiver, t.villages_confirmed, t.villages_failed,
        ]  # fmt: skip
        assert row[10] == pytest.approx(t.villages_played / t.villages)
    assert sheets["Thôn"]["Cộng"][2] == total.villages
    for line in shown.by_topic:
        t = line.tally
        assert sheets["Chủ đề"][line.key][2:8] == [
            t.pieces, t.pieces_played, t.pieces_confirmed, t.bulletins, t.bulletins_played, t.bulletins_confirmed,
        ]  # fmt: skip


def test_the_values_that_come_along_are_those_that_are_worked_out(shown: Figures) -> None:
    book = load_workbook(BytesIO(workbook(shown)), data_only=True)
    total = shown.total
    assert [cell.value for cell in book["Tổng hợp"][6][1:4]] == [
        total.villages, total.villages_played, total.villages_confirmed,
    ]  # fmt: skip
    assert book["Hoạt động"]["C2"].value == "=Họp thôn <về> phòng cháy & chữa cháy"
    assert book["Hoạt động"]["C2"].data_type == "s", "a title is never a formula"
    charts = [sheet.title for sheet in load_workbook(BytesIO(workbook(shown))) if sheet._charts]
    assert charts == ["Tổng hợp", "Thôn", "Chủ đề"]
    book.close()


def test_every_row_behind_the_figures_is_read_back_as_it_was_meant(october: Ledger) -> None:
    from dataclasses import replace

    odd = ' Mất điện <trạm> & "loa"\x07 '
    cells = (october.cells[0]._replace(why=odd, said_reason="=1+1"), *october.cells[1:])
    book = load_workbook(BytesIO(workbook(figures(replace(october, cells=cells)))))
    sheet = book["Chi tiết"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][0] == "Ngày"
    assert len(rows) == len(cells) + 1
    assert sheet.auto_filter.ref == f"A1:M{len(rows)}"
    for row, cell in zip(rows[1:], cells, strict=True):
        part = october.parts[cell.part]
        assert row[0].date() == part.local_date
        assert row[1] == f"{part.start_local:%H:%M}"
        assert (row[7] or "", row[8], row[9]) == (
            cell.why.replace("\x07", ""),
            cell.receivers,
            cell.receivers_played,
        )
        assert row[12] == part.airing_id
    assert (rows[1][11], sheet["L2"].data_type) == ("=1+1", "s"), "text, not a formula"
    assert sheet["A2"].number_format == "dd/mm/yyyy"
    book.close()


def test_the_pdf_and_the_document_set_by_libreoffice_hold_the_same_numbers(
    shown: Figures, tmp_path: Path
) -> None:
    paper = report_paper(shown, draft(shown), FRAME)
    (tmp_path / "a.pdf").write_bytes(pdf(paper))
    (tmp_path / "b.docx").write_bytes(docx(paper))
    texts = [
        unicodedata.normalize("NFC", words_of(path))
        for path in (tmp_path / "a.pdf", convert(tmp_path / "b.docx", "pdf", tmp_path / "ra"))
    ]
    for text in texts:
        flat = " ".join(text.split())
        assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA" in flat
        assert "Độc lập - Tự do - Hạnh phúc" in flat
        first = [line.strip() for line in text.split("\n") if line.strip()][0]
        assert first.endswith("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"), "the state's name stands on one line"
        for value in numbers_of(shown):
            assert value in flat
        pages = text.split("\f")
        assert "2" not in pages[0].split("\n")[0], "no number on the first page"
        assert pages[1].strip().split("\n")[0].strip() == "2"
        assert "Trưởng phòng".upper() in flat


def test_the_csv_has_a_line_for_every_row_and_no_formula(shown: Figures) -> None:
    file = BytesIO()
    write_rows(shown, file)
    data = file.getvalue()
    assert data.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(StringIO(data.decode("utf-8-sig"))))
    assert len(lines) == len(shown.ledger.cells)
    planned = [line for line in lines if line["theo_lich"] == "có"]
    assert sum(line["may_phat"] == "đã phát đủ" for line in planned) == shown.total.villages_played
    assert sum(line["thon_xac_nhan"] == "đã phát xong" for line in planned) == shown.total.villages_confirmed
    assert all(not value.startswith(("=", "+", "-", "@")) for line in lines for value in line.values())


def test_the_week_s_book_has_a_line_for_every_airing_with_who_wrote_and_who_approved(october: Ledger) -> None:
    shown = figures(october)
    item = october.parts[0].sounding[0]
    paper = logbook_paper(shown, FRAME, {item.revision_id or 0: "Nguyễn Văn Minh"})
    table = paper.body[-1]
    assert isinstance(table, Table)
    assert len(table.rows) == len(october.parts)
    assert table.rows[0][3:5] == ("soan", "Nguyễn Văn Minh")
    assert any("không phát: " in row[6] for row in table.rows) or all(part.planned for part in october.parts)
    document = Document(BytesIO(docx(paper)))
    assert round(document.sections[0].page_width.cm, 1) == 29.7
    assert pdf(paper).startswith(b"%PDF")


def test_a_frame_without_what_a_paper_needs_is_refused_by_name() -> None:
    from dataclasses import asdict

    with pytest.raises(InputError, match="Kính gửi"):
        checked_frame(asdict(FRAME) | {"to": " "})
    assert checked_frame(asdict(FRAME)) == FRAME
