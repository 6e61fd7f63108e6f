"""Settings: the station's row and this machine's file, each said apart, checked and written into the book."""

from __future__ import annotations

import re
import socket
import stat
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from broadcaster.config import load
from broadcaster.errors import ConfigError
from broadcaster.schedule.timekeeping import note
from broadcaster.store.tables import Audit, LexiconEntry, Station
from broadcaster.toml_file import write_settings
from tests.support.web_station import NOW

POLICY = {
    "earliest_start": "05:00", "latest_end": "20:30", "quiet_from": "21:00", "quiet_to": "05:00",
    "sessions_a_day": "2", "minutes_a_session": "30", "minutes_a_day": "60", "repeats_in_30_days": "12",
    "weekdays": ["mon", "wed", "fri"],
}  # fmt: skip


def station(world: Any) -> Station:
    with world.db.reading() as session:
        return session.get_one(Station, world.made.station)


def newest(world: Any) -> Audit:
    with world.db.reading() as session:
        return session.scalars(select(Audit).order_by(Audit.id.desc())).first()


def test_name_call_sign_and_phone_are_changed_and_only_changes_are_in_the_book(world: Any) -> None:
    admin = world.browser("quantri")
    admin.get("/cai-dat/dai")
    form = {
        "name": "Đài xã Đồng Lớn",
        "call_sign": "Đây là Đài truyền thanh Xã Đồng Lớn.",
        "phone": "0237 3 848 999",
    }
    assert admin.post("/cai-dat/dai", form).status_code == 303
    assert station(world).name == "Đài xã Đồng Lớn"
    assert newest(world).detail == {
        "before": {"name": "Xã Đồng Lớn", "phone": "0237 3 848 123"},
        "after": {"name": "Đài xã Đồng Lớn", "phone": "0237 3 848 999"},
    }
    for change in ({"name": " "}, {"name": "x" * 201}, {"phone": "gọi tôi"}, {"call_sign": ""}):
        assert admin.post("/cai-dat/dai", form | change).status_code == 422
    assert (
        "&lt;b&gt;xã&lt;/b&gt;" in admin.post("/cai-dat/dai", form | {"name": "<b>xã</b>", "phone": "x"}).text
    )


def test_the_broadcasting_rules_are_changed_as_people_write_hours(world: Any) -> None:
    admin = world.browser("quantri")
    admin.get("/cai-dat/dai")
    assert admin.post("/cai-dat/quy-dinh", POLICY).status_code == 303
    assert station(world).policy["weekdays"] == "mon,wed,fri"
    assert station(world).policy["minutes_a_day"] == 60
    assert station(world).policy["repeats_in_30_days"] == 12
    page = admin.get("/cai-dat/dai").text
    assert 'value="20:30"' in page
    assert 'value="mon" checked' in page
    assert 'value="tue" checked' not in page


@pytest.mark.parametrize(
    "change",
    [{"latest_end": "04:00"}, {"sessions_a_day": "0"}, {"minutes_a_session": "nhiều"}, {"weekdays": []},
     {"minutes_a_session": "90"}, {"quiet_to": "25:00"}],
)  # fmt: skip
def test_rules_that_cannot_be_are_refused_and_stay_in_the_form(world: Any, change: dict[str, Any]) -> None:
    admin = world.browser("quantri")
    admin.get("/cai-dat/dai")
    answer = admin.post("/cai-dat/quy-dinh", POLICY | change)
    assert answer.status_code == 422
    assert station(world).policy == {}
    assert 'value="20:30"' in answer.text or "latest_end" in change


def test_the_order_of_voices_is_the_stations_own_and_an_unknown_one_lists_the_choices(world: Any) -> None:
    technician = world.browser("kythuat")
    assert "Dùng được" in technician.get("/cai-dat/giong").text
    assert technician.post("/cai-dat/giong", {"chain": "espeak:vi+f5\nsilent"}).status_code == 303
    assert station(world).voice_chain == ["espeak:vi+f5", "silent"]
    answer = technician.post("/cai-dat/giong", {"chain": "chị google"})
    assert answer.status_code == 422
    assert "chị google" in answer.text
    assert station(world).voice_chain == ["espeak:vi+f5", "silent"]
    assert technician.post("/cai-dat/giong", {"chain": ""}).status_code == 303
    assert "thứ tự chung của máy" in technician.get("/cai-dat/giong").text


def test_a_machine_setting_is_written_into_the_file_and_holds_at_once_where_it_can(world: Any) -> None:
    toml = world.settings.home / "broadcaster.toml"
    toml.write_text("# giữ dòng này\n[web]\nport = 8123 # cổng\n", encoding="utf-8")
    technician = world.browser("kythuat")
    technician.get("/cai-dat/may")
    answer = technician.post(
        "/cai-dat/may",
        {"web.public_url": "https://moi.example.vn", "mail.password": "bí mật", "web.port": "1"},
    )
    assert answer.status_code == 303
    text = toml.read_text(encoding="utf-8")
    assert "# giữ dòng này" in text
    assert "port = 8123 # cổng" in text  # not editable in the web
    assert load(environ={}, home=world.settings.home).text("web.public_url") == "https://moi.example.vn"
    assert stat.S_IMODE(toml.stat().st_mode) == 0o600
    assert "https://moi.example.vn/t/" in world.browser("canbo").get(f"/thon/{world.made.villages[0]}").text
    page = technician.get("/cai-dat/may").text
    assert "bí mật" not in page
    assert "đã đặt" in page
    assert "bí mật" not in str(newest(world).detail)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("web.public_url", "loa.example.vn"),
        ("voice.speed", "9"),
        ("web.session_idle_min", "một giờ"),
        ("mail.port", "0"),
    ],
)
def test_an_impossible_machine_setting_changes_nothing(world: Any, key: str, value: str) -> None:
    technician = world.browser("kythuat")
    technician.get("/cai-dat/may")
    answer = technician.post("/cai-dat/may", {key: value})
    assert answer.status_code == 422
    assert value in answer.text
    assert not (world.settings.home / "broadcaster.toml").exists()


def test_a_decimal_comma_is_understood(world: Any) -> None:
    technician = world.browser("kythuat")
    technician.get("/cai-dat/may")
    assert technician.post("/cai-dat/may", {"voice.speed": "0,95"}).status_code == 303
    assert load(environ={}, home=world.settings.home).number("voice.speed") == 0.95


def test_a_broken_file_is_named_and_left_alone(world: Any) -> None:
    toml = world.settings.home / "broadcaster.toml"
    toml.write_text("[web\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="sai cú pháp"):
        write_settings(world.settings.home, {"mail.host": "thu.example.vn"})
    assert toml.read_text(encoding="utf-8") == "[web\n"


def test_a_trial_letter_goes_to_oneself_or_says_why_not(world: Any) -> None:
    technician = world.browser("kythuat")
    technician.get("/cai-dat/may")
    assert "chưa ghi hộp thư" in technician.post("/cai-dat/may/gui-thu").text
    technician.post("/tai-khoan-cua-toi/hop-thu", {"email": "khoa@xa.example.vn"})
    assert "Chưa có máy chủ gửi thư" in technician.post("/cai-dat/may/gui-thu").text
    got: list[Any] = []

    class Keep:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            got.append(envelope.rcpt_tos)
            return "250 OK"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(Keep(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        form = {
            "mail.host": "127.0.0.1",
            "mail.port": str(port),
            "mail.security": "none",
            "mail.sender": "loa@xa.vn",
        }
        assert technician.post("/cai-dat/may", form).status_code == 303
        assert technician.post("/cai-dat/may/gui-thu").status_code == 303
    finally:
        server.stop()
    assert got == [["khoa@xa.example.vn"]]


def test_a_machine_that_woke_up_years_ago_is_named_first_and_may_be_said_to_be_right(world: Any) -> None:
    with world.db.writing() as session:
        note(session, NOW + timedelta(days=365))
    admin = world.browser("quantri")
    first = admin.get("/").text.split("Cần làm", 1)[1].split("</li>")[0]
    assert "Giờ của máy đài đang là" in first
    assert 'href="/cai-dat/may"' in first
    assert "Giờ máy đúng rồi" in admin.get("/cai-dat/may").text
    assert admin.post("/cai-dat/may/gio-dung").status_code == 303
    assert newest(world).action == "xác nhận giờ máy đúng"
    assert "Giờ của máy đài đang là" not in admin.get("/").text
    assert "Giờ máy đúng rồi" not in admin.get("/cai-dat/may").text


def test_the_dictionary_is_kept_searched_and_names_the_approved_bulletins_it_would_alter(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/cai-dat/tu-dien")
    assert (
        author.post(
            "/cai-dat/tu-dien", {"written": "UBND", "spoken": "ủy ban"}, follow_redirects=False
        ).status_code
        == 303
    )
    page = author.get("/cai-dat/tu-dien?tim=uy ban").text
    assert "UBND" in page
    assert "vẫn phát như đã duyệt: “Bình dân học vụ số”" in page
    answer = author.post("/cai-dat/tu-dien", {"written": "XYZ", "spoken": "123"})
    assert answer.status_code == 422
    assert 'value="XYZ"' in answer.text
    with world.db.reading() as session:
        entry = session.scalars(select(LexiconEntry)).one()
    assert author.post(f"/cai-dat/tu-dien/{entry.id}/bo").status_code == 303
    assert "còn trống" in author.get("/cai-dat/tu-dien").text


def test_the_book_is_filtered_by_person_words_and_days(world: Any) -> None:
    author = world.browser("canbo")
    everything = author.get("/nhat-ky/thay-doi").text
    assert "Nguyễn Văn Minh" in everything
    assert f'<a href="/lich/buoi/{world.made.evening}">buổi 17:00 ngày 24/11/2026</a>' in everything
    assert f">{world.made.evening}<" not in everything, "an id says nothing to anybody"
    assert f'<a href="/ban-tin/{world.made.waiting}">“' in everything
    assert ">bản tin " not in everything, "a number of a bulletin neither"
    assert re.search(r"bản tin:</span><span>\s“", everything)
    assert "khung giờ Buổi sáng" in everything
    assert ">2026-11-24T" not in everything
    only = author.get("/nhat-ky/thay-doi?ai=lanhdao&tim=tra lai").text
    assert "Sai số liệu. Xem lại ngày tiêm." in only
    assert '<td data-label="Việc">gửi duyệt</td>' not in only
    assert "Không có thay đổi nào khớp" in author.get("/nhat-ky/thay-doi?tu=01/01/2020&den=02/01/2020").text
    assert author.get("/nhat-ky/thay-doi?tu=hom qua").status_code == 422


def test_each_role_sees_only_the_settings_it_may_change(world: Any) -> None:
    seen = {
        name: world.browser(name).get("/cai-dat").text for name in ("canbo", "lanhdao", "kythuat", "quantri")
    }
    words = {
        "Tài khoản và vai trò": {"quantri"}, "Ủy quyền duyệt": {"lanhdao", "quantri"},
        "Đài và quy định phát thanh": {"quantri"}, "Từ điển cách đọc": {"canbo", "quantri"},
        "Giọng đọc": {"kythuat", "quantri"}, "Tài khoản của tôi": {"canbo", "lanhdao", "kythuat", "quantri"},
    }  # fmt: skip
    for word, who in words.items():
        assert {name for name, page in seen.items() if f"<b>{word}</b>" in page} == who, word
