"""Receivers, jingles, help, the component page."""

from __future__ import annotations

import io
import re
from typing import Any

from openpyxl import load_workbook
from sqlalchemy import select

from broadcaster.delivery.receivers import pair
from broadcaster.store.tables import Jingle, Receiver
from tests.support.web_station import NOW, flac


def test_a_receiver_gets_a_code_that_pairs_it_once_and_is_revoked(world: Any) -> None:
    technician = world.browser("kythuat")
    technician.get("/may-thu")
    assert technician.post("/may-thu", {"name": " "}).status_code == 422
    page = technician.post("/may-thu", {"name": "Loa nhà văn hóa", "villages": [str(world.made.villages[1])]})
    assert page.status_code == 200
    code = re.search(r'class="code">([^<]+)<', page.text).group(1)
    assert code not in technician.get("/may-thu").text  # shown once
    with world.db.writing() as session:
        receiver, _token = pair(session, code, now=NOW)
        receiver_id = receiver.id
    assert "Đồng Hơn" in technician.get("/may-thu").text
    assert technician.post(f"/may-thu/{receiver_id}/thu-hoi").status_code == 303
    with world.db.reading() as session:
        assert session.get_one(Receiver, receiver_id).revoked_at == NOW
    assert "Đã thu hồi" in technician.get("/may-thu").text


def test_a_receivers_own_words_stand_on_its_row_and_a_strange_heartbeat_breaks_nothing(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        row = session.scalars(select(Receiver)).first()
        row.last_seen_at, row.rival_at = NOW, NOW
        row.heartbeat = {
            "alarms": ["Không có card âm thanh."], "version": 7, "cached_until": "2026-11-27T05:30:00+07:00",
            "disk_free_mb": 12_300, "clock_offset_s": -0.4, "volume_percent": 70, "output": "soundcard (ALSA)",
            "sounding": None,
        }  # fmt: skip
    page = world.browser("kythuat").get("/may-thu").text
    for words in ("Không có card âm thanh.", "05:30 ngày 27/11/2026", "12,3 GB", "-0,4 giây", "70%", "soundcard (ALSA)",
                  "Hai máy dùng chung mã"):  # fmt: skip
        assert words in page, words
    with world.db.writing(station_id=world.made.station) as session:
        session.scalars(select(Receiver)).first().heartbeat = {
            "alarms": "x", "version": [], "cached_until": "hôm qua", "disk_free_mb": "đầy", "clock_offset_s": True,
        }  # fmt: skip
    assert world.browser("kythuat").get("/may-thu").status_code == 200


def test_a_jingle_is_taken_in_with_its_source_and_can_be_heard(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/nhac-hieu")
    form = {"title": "Chuông mới", "kind": "chime", "source": "Xã tự thu", "licence": "của xã"}
    made = author.post("/nhac-hieu", form | {"file": (io.BytesIO(flac(1.5)), "chuong.flac")})
    assert made.status_code == 303, made.text
    with world.db.reading(station_id=world.made.station) as session:
        row = session.scalars(select(Jingle).where(Jingle.title == "Chuông mới")).one()
        jingle_id, duration_ms = row.id, row.duration_ms
    assert 1000 < duration_ms <= 1600
    heard = author.get(f"/nhac-hieu/{jingle_id}/nghe")
    assert heard.data.startswith(b"fLaC")


def test_a_jingle_is_cut_anew_from_what_was_brought_and_the_one_before_stays(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/nhac-hieu")
    form = {"title": "Chuông dài", "kind": "chime", "source": "Xã tự thu", "licence": "của xã", "end": "3"}
    author.post("/nhac-hieu", form | {"file": (io.BytesIO(flac(6)), "chuong.flac")})
    with world.db.reading(station_id=world.made.station) as session:
        first = session.scalars(select(Jingle).where(Jingle.title == "Chuông dài")).one()
    assert 2_800 < first.duration_ms <= 3_000
    assert 'name="end" value="3"' in author.get(f"/nhac-hieu/{first.id}").text
    wrong = author.post(f"/nhac-hieu/{first.id}", {"start": "5", "end": "hai"})
    assert wrong.status_code == 422
    assert 'value="hai"' in wrong.text
    changed = {"start": "1", "end": "5,5", "fade_out": "1", "level": "−3"}
    assert author.post(f"/nhac-hieu/{first.id}", changed).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        old, new = session.scalars(
            select(Jingle).where(Jingle.title == "Chuông dài").order_by(Jingle.id)
        ).all()
    assert (old.in_use, new.in_use) == (False, True)
    assert 4_300 < new.duration_ms <= 4_500
    assert new.cut["level_db"] == -3.0
    assert author.post(f"/nhac-hieu/{old.id}/dung").status_code == 303
    assert "Đã dùng" in author.get("/nhac-hieu").text


def test_a_set_that_comes_with_the_project_waits_to_be_chosen(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/nhac-hieu")
    assert author.post("/nhac-hieu/bo", {"set": "tre"}).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        rows = session.scalars(select(Jingle).where(Jingle.title.contains("tre"))).all()
    assert len(rows) == 6
    assert not any(row.in_use for row in rows)
    assert author.post("/nhac-hieu/bo", {"set": "tre"}).status_code == 303  # twice adds nothing
    assert author.post("/nhac-hieu/bo", {"set": "../.."}).status_code == 422
    assert rows[0].title in author.get("/khung-chuong-trinh").text


def test_a_jingle_that_is_not_sound_is_refused_and_the_words_stay(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/nhac-hieu")
    form = {"title": "Không phải nhạc", "kind": "opening", "source": "tôi", "licence": "của tôi"}
    answer = author.post("/nhac-hieu", form | {"file": (io.BytesIO(b"day la van ban"), "nhac.mp3")})
    assert answer.status_code == 422
    assert 'value="Không phải nhạc"' in answer.text
    assert author.post("/nhac-hieu", form).status_code == 422
    assert (
        author.post("/nhac-hieu", form | {"kind": "la", "file": (io.BytesIO(flac()), "a.flac")}).status_code
        == 422
    )


def test_help_pages_are_shown_as_written_and_unknown_ones_are_missing(world: Any) -> None:
    browser = world.browser()
    listing = browser.get("/huong-dan").text
    assert "/huong-dan/can-bo" in listing
    assert "<h1>" in browser.get("/huong-dan/can-bo").text
    assert browser.get("/huong-dan/..%2f..%2fREADME").status_code == 404
    picture = browser.get("/huong-dan/hinh/soan.webp")
    assert picture.mimetype == "image/webp"
    assert picture.data[8:12] == b"WEBP"
    assert browser.get("/huong-dan/hinh/khong-co.webp").status_code == 404
    assert browser.get("/huong-dan/hinh/..%2fcan-bo.md").status_code == 404


def test_the_component_page_has_every_state_word(world: Any) -> None:
    page = world.browser().get("/style").text
    for word in (
        "Nháp",
        "Chờ duyệt",
        "Đã duyệt",
        "Trả lại",
        "Lỡ giờ phát",
        "Nhường bản khẩn cấp",
        "Không phát được",
    ):
        assert word in page


def test_htmx_comes_from_its_package_under_our_own_address(world: Any) -> None:
    answer = world.browser().get("/vendor/htmx.min.js")
    assert answer.mimetype == "text/javascript"
    assert b"htmx" in answer.data[:200]


def test_the_log_keeps_three_truths_apart_and_gives_them_as_a_workbook(world: Any) -> None:
    author = world.browser("canbo")
    page = author.get("/nhat-ky").text
    for word in (
        "Theo lịch",
        "Máy phát báo",
        "Thôn xác nhận",
        "Loa trụ sở xã",
        "2/5",
        "Xuân Phong: Mất điện",
    ):
        assert word in page
    assert "<dt>Buổi theo lịch, đã đến giờ</dt><dd>2</dd>" in page
    assert "2<small>/10 " in page
    assert page.count('<tr><th scope="row">') == 3, "that of 17:00 is named, and not counted before its time"
    answer = author.get("/bao-cao/tai/xlsx?tu=2026-11-24&den=2026-11-24")
    assert "bao-cao_nhu-thanh_2026-11-24_2026-11-24.xlsx" in answer.headers["Content-Disposition"]
    book = load_workbook(io.BytesIO(answer.data))
    cells = {str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row}
    book.close()
    assert {"Đồng Lớn", "Bình dân học vụ số"} <= cells


def test_a_period_that_cannot_be_gets_a_sentence(world: Any) -> None:
    author = world.browser("canbo")
    for period in ("tu=2026-11-24&den=2026-11-01", "tu=2020-01-01&den=2026-01-01", "tu=hom-qua"):
        answer = author.get(f"/nhat-ky?{period}")
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text


def test_the_log_shows_a_week_at_a_time_and_leads_to_the_weeks_beside_it(world: Any) -> None:
    author = world.browser("canbo")
    page = author.get("/nhat-ky?den=2026-11-20").text
    assert 'name="tu" value="14/11/2026"' in page
    assert "/nhat-ky?tu=2026-11-07&amp;den=2026-11-13" in page
    assert "/nhat-ky?tu=2026-11-21&amp;den=" in page
    assert "mở Báo cáo" in author.get("/nhat-ky?tu=2026-10-01&den=2026-11-20").text


def test_the_book_of_changes_names_who_did_what(world: Any) -> None:
    page = world.browser("canbo").get("/nhat-ky/thay-doi").text
    assert "gửi duyệt" in page
    assert "canbo" in page
