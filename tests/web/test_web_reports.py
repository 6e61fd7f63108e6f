"""Báo cáo: three columns, a link behind each number, papers to take away, words and activities by hand."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from openpyxl import load_workbook
from sqlalchemy import select

from broadcaster.store.tables import (
    ActivityFile,
    ActivityRow,
    Audit,
    ReportText,
    Revision,
    SocialPost,
    Topic,
    TopicTarget,
)
from tests.support.web_station import NOW, at

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
FORM = {
    "kind": "meeting",
    "day": "20/11/2026",
    "title": "Họp thôn về phòng cháy",
    "quantity": "2",
    "people": "1.150",
}


def test_the_web_begins_without_what_writes_papers(tmp_path: Path) -> None:
    code = (
        "import sys, json; from pathlib import Path; from broadcaster.config import load; from web import create_app; "
        "create_app(load(environ={}, home=Path(sys.argv[1]))); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=100, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert "web" in loaded
    assert not loaded & {"openpyxl", "xlsxwriter", "reportlab", "onnxruntime", "scipy", "viet_asr"}, (
        "an old office PC keeps them in memory all day for a paper a month"
    )


def links(page: str) -> list[str]:
    return [
        one.replace("&amp;", "&") for one in re.findall(r'href="(/bao-cao/(?:dong|tin-bai)\?[^"]+)"', page)
    ]


def test_the_report_shows_three_columns_and_every_number_leads_to_as_many_rows(world: Any) -> None:
    author = world.browser("canbo")
    page = author.get("/bao-cao?ky=2026-11").text
    for word in (
        "Theo lịch",
        "Máy phát báo đã phát",
        "Thôn xác nhận đã phát",
        "Mất điện",
        "Lượt tin bài",
    ):
        assert word in page
    found = dict.fromkeys(links(page))
    assert len(found) >= 8
    for link in found:
        number = re.search(re.escape(link.replace("&", "&amp;")) + r'">([\d.]+)</a>', page)
        assert number is not None, link
        rows = author.get(link).text
        heading = re.search(r"<h1>([\d.]+) lượt", rows)
        assert heading is not None
        assert heading[1] == number[1], link
        assert rows.count("<tr>") - 1 == int(number[1])


def test_filters_narrow_the_figures_and_a_period_without_airings_says_so(world: Any) -> None:
    author = world.browser("canbo")
    village = world.made.villages[0]
    page = author.get(f"/bao-cao?ky=2026-11&thon={village}").text
    assert page.count('data-label="Thôn báo hỏng"') == 1
    assert "Chưa có buổi phát nào trong kỳ này" in author.get("/bao-cao?ky=2025-01").text
    for wrong in ("ky=2026-99", "tu=01/11/2026", "tu=05/11/2026&den=01/11/2026"):
        assert author.get(f"/bao-cao?{wrong}").status_code == 422
    assert author.get("/bao-cao?thon=x").status_code == 404
    assert author.get("/bao-cao/dong?cot=la").status_code == 404


@pytest.mark.parametrize(
    ("kind", "begins"), [("docx", b"PK"), ("xlsx", b"PK"), ("pdf", b"%PDF"), ("csv", b"\xef\xbb\xbfngay")]
)
def test_the_period_is_taken_away_as_a_file(world: Any, kind: str, begins: bytes) -> None:
    answer = world.browser("canbo").get(f"/bao-cao/tai/{kind}?ky=2026-11")
    assert answer.status_code == 200
    assert answer.data.startswith(begins)
    assert f"bao-cao_nhu-thanh_2026-11.{kind}" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Type"].count("charset") == (kind == "csv")


def test_the_saved_words_are_those_of_the_document_and_nobody_overwrites_anothers(world: Any) -> None:
    author, other = world.browser("canbo"), world.browser("quantri")
    draft = author.get("/bao-cao/loi-van?ky=2026-11").text
    assert "máy soạn từ số liệu" in draft
    other.get("/bao-cao/loi-van?ky=2026-11")
    typed = {"ky": "2026-11", "version": "0", "loi_van": "I. KẾT QUẢ\nĐã phát đều."}
    assert author.post("/bao-cao/loi-van", typed).status_code == 303
    late = other.post("/bao-cao/loi-van", typed | {"loi_van": "Bản của người khác."})
    assert late.status_code == 409
    assert "Bản của người khác." in late.text, "what was typed comes back"
    with world.db.reading(station_id=world.made.station) as session:
        assert session.scalars(select(ReportText.body)).one() == "I. KẾT QUẢ\nĐã phát đều."
        assert "sửa lời văn báo cáo" in set(session.scalars(select(Audit.action)))
    texts = [p.text for p in Document(io.BytesIO(author.get("/bao-cao/tai/docx?ky=2026-11").data)).paragraphs]
    assert "Đã phát đều./." in texts
    assert "chưa nhắc tới số liệu" in author.get("/bao-cao?ky=2026-11").text
    assert author.post("/bao-cao/loi-van", typed | {"loi_van": " ", "version": "1"}).status_code == 422


def test_the_frame_is_kept_for_every_paper(world: Any) -> None:
    author = world.browser("canbo")
    page = author.get("/bao-cao/the-thuc").text
    assert "Phòng Văn hóa - Xã hội" in page
    typed = {
        "parent": "Ủy ban nhân dân xã Bến Sung", "issuer": "Văn phòng", "code": "BC-UBND", "place": "Bến Sung",
        "to": "Đảng ủy xã", "copies": "Như trên;\nLưu: VT.", "authority": "KT. Chủ tịch", "post": "Phó Chủ tịch",
        "name": "Nguyễn Văn A",
    }  # fmt: skip
    assert author.post("/bao-cao/the-thuc", typed | {"to": ""}).status_code == 422
    assert author.post("/bao-cao/the-thuc", typed).status_code == 303
    document = Document(io.BytesIO(author.get("/bao-cao/tai/docx?ky=2026-11").data))
    assert "Số:        /BC-UBND" in document.tables[0].rows[0].cells[0].text
    assert "KT. CHỦ TỊCH\nPHÓ CHỦ TỊCH" in document.tables[1].rows[0].cells[1].text


def test_the_week_s_book_and_the_year_s_counter_open_and_lead_to_their_files(world: Any) -> None:
    author = world.browser("canbo")
    book = author.get("/bao-cao/so-tuan?ky=2026-W48").text
    assert "Lê Thị Hoa" in book
    assert "Nguyễn Văn Minh" in book
    assert author.get("/bao-cao/so-tuan/pdf?ky=2026-W48").data.startswith(b"%PDF")
    assert author.get("/bao-cao/so-tuan/xlsx?ky=2026-W48").status_code == 404
    year = author.get("/bao-cao/nam?nam=2026").text
    assert "Còn thiếu 99" in year
    assert author.get("/bao-cao/nam?nam=mười").status_code == 422


def test_an_activity_is_written_down_with_evidence_and_counted_beside_broadcasts(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/hoat-dong/moi")
    made = author.post("/hoat-dong/moi", FORM | {"files": (io.BytesIO(PNG), "ảnh họp.png")})
    assert made.status_code == 303, made.text
    with world.db.reading(station_id=world.made.station) as session:
        row = session.scalars(select(ActivityRow)).one()
        file = session.scalars(select(ActivityFile)).one()
    assert (row.people, row.quantity, file.name) == (1150, 2, "ảnh họp.png")
    assert author.get(f"/hoat-dong/{row.id}/tep/{file.id}").data == PNG
    assert "1.150 người" in author.get("/hoat-dong?ky=2026-11").text
    assert "1 hoạt động" in author.get("/bao-cao?ky=2026-11").text
    assert "2 hội nghị, cuộc họp, 1.150 lượt người" in author.get("/bao-cao/loi-van?ky=2026-11").text
    changed = FORM | {"title": "Họp dân", "version": str(row.version)}
    author.get(f"/hoat-dong/{row.id}")
    assert author.post(f"/hoat-dong/{row.id}", changed).status_code == 303
    stale = author.post(f"/hoat-dong/{row.id}", changed | {"title": "Bản cũ"})
    assert stale.status_code == 409
    assert "Bản cũ" in stale.text
    assert author.post(f"/hoat-dong/{row.id}/huy", {"reason": ""}).status_code == 422
    assert author.post(f"/hoat-dong/{row.id}/huy", {"reason": "Ghi nhầm"}).status_code == 303
    assert "Đã hủy: Ghi nhầm" in author.get("/hoat-dong?ky=2026-11").text
    assert "1 hoạt động" not in author.get("/bao-cao?ky=2026-11").text


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "la"}, {"day": "hôm kia"}, {"title": " "}, {"quantity": "0"}, {"people": "nhiều"},
        {"village": "999"}, {"topic": "999"}, {"files": (io.BytesIO(b"MZ la exe"), "anh.png")},
        {"files": (io.BytesIO(PNG), "a.exe")},
    ],
)  # fmt: skip
def test_what_cannot_be_an_activity_is_refused_and_the_words_stay(world: Any, wrong: dict[str, Any]) -> None:
    author = world.browser("canbo")
    author.get("/hoat-dong/moi")
    typed = FORM | {"note": "ghi chú còn nguyên"} | wrong
    if "files" in typed:
        typed["files"] = (io.BytesIO(typed["files"][0].getvalue()), typed["files"][1])
    answer = author.post("/hoat-dong/moi", typed)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "ghi chú còn nguyên" in answer.text
    with world.db.reading(station_id=world.made.station) as session:
        assert session.scalars(select(ActivityRow)).all() == []


def test_a_technician_has_no_reports(world: Any) -> None:
    technician = world.browser("kythuat")
    for path in ("/bao-cao", "/bao-cao/tai/xlsx", "/bao-cao/loi-van", "/hoat-dong", "/bao-cao/so-tuan"):
        assert technician.get(path).status_code == 403


def test_the_archive_says_how_the_nights_went_and_the_board_when_one_is_missing(world: Any) -> None:
    from broadcaster.store.tables import UpkeepRun
    from tests.support.web_station import NOW

    technician = world.browser("kythuat")
    with world.db.writing() as session:
        session.add(
            UpkeepRun(
                kind="backup", started_at=NOW, ended_at=NOW, ok=False, said="Chưa sao lưu được: ổ đĩa đầy."
            )
        )
    page = technician.get("/luu-tru").text
    assert "Không xong" in page
    assert "Sao lưu đêm qua không xong: Chưa sao lưu được: ổ đĩa đầy." in page
    assert "Sao lưu đêm qua không xong" in world.browser("canbo").get("/").text


def test_villages_are_merged_from_a_day_on_and_a_wrong_form_keeps_its_words(world: Any) -> None:
    author = world.browser("canbo")
    page = author.get("/thon/sap-nhap").text
    assert ">Đồng Lớn</label>" in page
    chosen = [str(one) for one in world.made.villages[:2]]
    wrong = author.post("/thon/sap-nhap", {"villages": chosen, "name": "Thôn Mới", "day": "01/01/2020"})
    assert wrong.status_code == 422
    assert 'value="Thôn Mới"' in wrong.text
    assert (
        author.post(
            "/thon/sap-nhap", {"villages": chosen, "name": "Thôn Mới", "day": "01/12/2026"}
        ).status_code
        == 303
    )
    assert ">Đồng Lớn</label>" not in author.get("/thon/sap-nhap").text


def posted(world: Any, network: str, at: Any, state: str = "posted") -> None:
    with world.db.writing(station_id=world.made.station) as session:
        revision = session.scalars(
            select(Revision.id).where(Revision.bulletin_id == world.made.approved)
        ).one()
        session.add(
            SocialPost(
                station_id=world.made.station, bulletin_id=world.made.approved, revision_id=revision, network=network,
                by_hand=network == "cong", text="", state=state, url="https://xa.vn/bai", at=at,
                actor_id=world.made.users["canbo"],
            )
        )  # fmt: skip


def targeted(world: Any, first: date, last: date, broadcasts: int) -> int:
    """A target for the topic that has aired once; its id."""
    with world.db.writing(station_id=world.made.station) as session:
        topic = session.scalars(select(Topic.id).order_by(Topic.id)).first()
        assert topic is not None
        session.add(
            TopicTarget(
                station_id=world.made.station,
                topic_id=topic,
                first_day=first,
                last_day=last,
                broadcasts=broadcasts,
            )
        )
        return topic


def test_the_report_says_what_the_plan_wanted_what_was_done_and_what_is_behind(world: Any) -> None:
    topic = targeted(world, date(2026, 11, 1), date(2026, 11, 30), 40)
    targeted(world, date(2027, 1, 1), date(2027, 6, 30), 10)
    author = world.browser("canbo")
    page = author.get("/bao-cao?ky=2026-11").text
    assert "1/40 lượt tin bài" in page
    assert "chậm 31 lượt so với nhịp đều" in page, "24 of 30 days gone: 32 wanted, one done"
    assert "10 lượt" not in page, "a target of other days has no place here"
    assert "1/40 lượt tin bài" not in author.get("/bao-cao?ky=2026-11&chu_de=999").text
    one_village = author.get(f"/bao-cao?ky=2026-11&thon={world.made.villages[0]}").text
    assert "1/40 lượt tin bài" not in one_village, "a target is the whole station's"
    earlier = author.get("/bao-cao?ky=2026-11-01..2026-11-10").text
    assert "0/40 lượt tin bài" in earlier
    assert "chậm 13 lượt" in earlier, "as it stood on the tenth"
    words = author.get("/bao-cao/loi-van?ky=2026-11").text
    assert "0/1 chỉ tiêu theo kịp nhịp đều" in words
    document = Document(io.BytesIO(author.get("/bao-cao/tai/docx?ky=2026-11").data))
    rows = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]
    assert [
        "Chuyển đổi số",
        "01/11/2026–30/11/2026",
        "1/40 lượt tin bài",
        "1",
        "chậm 31 lượt so với nhịp đều",
    ] in rows
    book = load_workbook(io.BytesIO(author.get("/bao-cao/tai/xlsx?ky=2026-11").data), data_only=True)
    assert [cell.value for cell in book["Chỉ tiêu"][2]][5:8] == [40, 1, 1]
    assert [cell.value for cell in book["Chỉ tiêu"][2]][0] == topic


def test_posts_on_the_commune_s_pages_are_counted_in_the_report_by_place(world: Any) -> None:
    for network, moment, state in (
        ("zalo", at("00:10", date(2026, 11, 1)), "posted"), ("zalo", NOW, "posted"), ("cong", NOW, "posted"),
        ("facebook", NOW, "failed"), ("zalo", at("00:10", date(2026, 12, 1)), "posted"),
    ):  # fmt: skip
        posted(world, network, moment, state)
    author = world.browser("canbo")
    page = author.get("/bao-cao?ky=2026-11").text
    assert "Đăng trên mạng: 3 lượt (Zalo OA 2, Cổng thông tin xã 1)" in " ".join(page.split())
    assert "3 lượt đăng bản tin trên mạng: Zalo OA 2" in author.get("/bao-cao/loi-van?ky=2026-11").text
    book = load_workbook(io.BytesIO(author.get("/bao-cao/tai/xlsx?ky=2026-11").data), data_only=True)
    assert book["Đăng trên mạng"].max_row == 4
    assert {row[0].value: row[1].value for row in book["Tổng hợp"].iter_rows()}[
        "Lượt đăng bản tin trên mạng"
    ] == 3


def test_the_evidence_of_a_theme_is_one_file_that_answers_for_every_piece(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/hoat-dong/moi")
    topic = str(targeted(world, date(2026, 1, 1), date(2026, 12, 31), 9))
    form = FORM | {"topic": topic, "title": "=Họp thôn", "files": (io.BytesIO(PNG), "ảnh họp.png")}
    assert author.post("/hoat-dong/moi", form).status_code == 303
    posted(world, "zalo", NOW)
    year = author.get("/bao-cao/nam?nam=2026").text
    link = re.search(r'href="(/bao-cao/tai/zip[^"]+)"', year)
    assert link is not None
    assert f"chu_de={topic}" in link[1]
    answer = author.get(link[1].replace("&amp;", "&"))
    assert "minh-chung_nhu-thanh_2026.zip" in answer.headers["Content-Disposition"]
    pack = zipfile.ZipFile(io.BytesIO(answer.data))
    for line in pack.read("SHA256SUMS.txt").decode().splitlines():
        digest, name = line.split("  ", 1)
        assert hashlib.sha256(pack.read(name)).hexdigest() == digest, name

    def table(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(pack.read(name).decode("utf-8-sig"))))

    (piece,) = table("luot-tin-bai.csv")
    assert (piece["tin_bai"], piece["thon_theo_lich"], piece["thon_may_phat_du"], piece["thon_xac_nhan"]) == (
        "Bình dân học vụ số", "5", "5", "2",
    )  # fmt: skip
    assert piece["sha256_ban_thu"] == world.made.sound
    assert len(piece["sha256_chuong_trinh"]) == 64
    text = pack.read(piece["tep_van_ban"]).decode()
    assert "Kính thưa bà con. Theo kế hoạch số 39/KH-UBND" in text
    assert "Người duyệt: Nguyễn Văn Minh, 09:00 23/11/2026" in text
    assert [line["su_kien"] for line in table("nhat-ky-may.csv")] == ["started", "finished"]
    assert {line["loi_thon"] for line in table("xac-nhan-thon.csv")} == {"đã phát xong", "không phát được"}
    (meeting,) = table("hoat-dong.csv")
    assert meeting["noi_dung"] == "'=Họp thôn", "no cell is taken for a formula"
    assert pack.read(meeting["tep"]) == PNG
    assert [line["noi_dang"] for line in table("dang-tren-mang.csv")] == ["Zalo OA"]
    assert "1 lượt tin bài đã phát" in pack.read("DOC-TRUOC.txt").decode()
    assert author.get("/bao-cao/tai/zip?ky=2025&chu_de=" + topic).status_code == 200
