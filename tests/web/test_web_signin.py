"""Signing in and out, and how long a session lives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from broadcaster.newsroom.people import reset_password
from tests.support.web_station import NOW, PASSWORD


def test_somebody_without_a_session_is_sent_to_sign_in_and_comes_back_where_they_wanted(world: Any) -> None:
    browser = world.browser()
    sent = browser.get("/lich?tuan=2026-11-23")
    assert sent.status_code == 303
    assert sent.location == "/dang-nhap?next=/lich?tuan%3D2026-11-23"
    browser.get(sent.location)
    back = browser.post(
        "/dang-nhap", {"username": "canbo", "password": PASSWORD, "next": "/lich?tuan=2026-11-23"}
    )
    assert back.location == "/lich?tuan=2026-11-23"


def test_the_name_is_taken_in_capitals_and_the_password_is_not(world: Any) -> None:
    browser = world.browser()
    browser.get("/dang-nhap")
    assert browser.post("/dang-nhap", {"username": " CanBo ", "password": PASSWORD}).status_code == 303
    other = world.browser()
    other.get("/dang-nhap")
    assert other.post("/dang-nhap", {"username": "canbo", "password": PASSWORD.upper()}).status_code == 422


@pytest.mark.parametrize("username", ["canbo", "khongco"])
def test_a_wrong_name_and_a_wrong_password_get_the_same_sentence_and_the_name_stays(
    world: Any, username: str
) -> None:
    browser = world.browser()
    browser.get("/dang-nhap")
    answer = browser.post("/dang-nhap", {"username": username, "password": "sai mật khẩu"})
    assert answer.status_code == 422
    assert "Tên đăng nhập hoặc mật khẩu chưa đúng" in answer.text
    assert f'value="{username}"' in answer.text
    assert "sai mật khẩu" not in answer.text
    assert "<title>Lỗi: " in answer.text


@pytest.mark.parametrize(
    "target", ["https://xau.example/", "//xau.example", "/\\xau.example", "javascript:1"]
)
def test_signing_in_never_leads_to_another_site(world: Any, target: str) -> None:
    browser = world.browser()
    browser.get("/dang-nhap")
    answer = browser.post("/dang-nhap", {"username": "canbo", "password": PASSWORD, "next": target})
    assert answer.location == "/"


def test_after_ten_tries_in_a_minute_the_door_waits(world: Any) -> None:
    browser = world.browser()
    browser.get("/dang-nhap")
    for _ in range(10):
        assert browser.post("/dang-nhap", {"username": "canbo", "password": "sai"}).status_code == 422
    blocked = browser.post("/dang-nhap", {"username": "canbo", "password": PASSWORD})
    assert blocked.status_code == 429
    assert "quá nhiều lần thử" in blocked.text


def test_what_a_session_held_before_signing_in_is_gone_afterwards(world: Any) -> None:
    browser = world.browser()
    browser.get("/dang-nhap")
    before = browser.token
    with browser.client.session_transaction() as session:
        session["planted"] = "by somebody else"
    browser.post("/dang-nhap", {"username": "canbo", "password": PASSWORD})
    with browser.client.session_transaction() as session:
        assert "planted" not in session
    browser.get("/")
    assert browser.token != before


def test_an_idle_hour_signs_out_but_an_hour_of_work_does_not(world: Any) -> None:
    browser = world.browser("canbo")
    for minutes in range(0, 180, 45):
        world.clock.now = NOW + timedelta(minutes=minutes)
        assert browser.get("/").status_code == 200
    world.clock.now += timedelta(minutes=61)
    assert browser.get("/").status_code == 303


def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(world: Any) -> None:
    browser = world.browser("canbo")
    for minutes in range(0, 80, 10):
        world.clock.now = NOW + timedelta(minutes=minutes)
        answer = browser.get("/hom-nay/bang", headers={"HX-Request": "true"})
    assert answer.status_code == 303


def test_nobody_stays_signed_in_longer_than_half_a_day(world: Any) -> None:
    browser = world.browser("canbo")
    for minutes in range(0, 12 * 60, 55):
        world.clock.now = NOW + timedelta(minutes=minutes)
        assert browser.get("/").status_code == 200
    world.clock.now = NOW + timedelta(hours=12, minutes=1)
    assert browser.get("/").status_code == 303


def test_a_new_password_signs_out_everywhere(world: Any) -> None:
    browser = world.browser("canbo")
    with world.db.writing() as session:
        reset_password(session, username="canbo", password="mot cau khac han", now=NOW)
    assert browser.get("/").status_code == 303


def test_after_signing_out_the_back_button_finds_nothing(world: Any) -> None:
    browser = world.browser("canbo")
    assert browser.get("/").headers["Cache-Control"] == "no-store"
    assert browser.post("/dang-xuat").location == "/dang-nhap"
    assert browser.get("/").status_code == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_secure_over_https(world: Any) -> None:
    plain = world.browser().get("/dang-nhap").headers["Set-Cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain  # the office uses http on 127.0.0.1
    safe = world.browser().get("/dang-nhap", base_url="https://loa.example.vn").headers["Set-Cookie"]
    assert "Secure" in safe


def test_an_expired_session_gives_the_typed_text_back(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get(f"/ban-tin/{world.made.draft}")
    world.clock.now = NOW + timedelta(hours=2)
    answer = browser.post(f"/ban-tin/{world.made.draft}", {"text": "Hai giờ gõ <b>liền</b>.", "version": "1"})
    assert answer.status_code == 401
    assert "Hai giờ gõ &lt;b&gt;liền&lt;/b&gt;." in answer.text
