"""Every route × every role × own and other station; forged forms; headers; GET changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Rule

from broadcaster.delivery.links import village_token
from broadcaster.model import Role
from broadcaster.newsroom.people import ACTIONS, may

ROLES = {
    "canbo": Role.AUTHOR,
    "lanhdao": Role.APPROVER,
    "kythuat": Role.TECHNICIAN,
    "quantri": Role.ADMINISTRATOR,
    "tramyte": Role.CONTRIBUTOR,
}
OPEN_FORMS = ("feedback.from_listener", "feedback.from_operator", "contributors.send_in")


def rules(world: Any) -> Iterator[tuple[Rule, str]]:
    """Every route of the screens with what it needs ('' = public)."""
    for rule in world.app.url_map.iter_rules():
        blueprint = rule.endpoint.split(".")[0]
        if rule.endpoint == "static" or blueprint in world.app.extensions["open_blueprints"]:
            continue
        yield rule, world.app.view_functions[rule.endpoint].needs


def address(world: Any, rule: Rule, *, other: bool = False) -> str:
    """The rule's address with real ids, of this station or of the other one."""
    made = world.made
    keys = world.app.extensions["broadcaster"].keys
    ids = {
        "bulletin_id": made.other_bulletin if other else made.draft,
        "revision_id": made.other_revision if other else made.waiting_revision,
        "airing_id": "of-another-station" if other else made.evening,
        "village_id": made.villages[0] + (len(made.villages) if other else 0),
        "user_id": made.users["canbo"] + (len(made.users) if other else 0),
        "notice_id": 999_999,
        "delegation_id": 999_999,
        "entry_id": 999_999,
        "activity_id": 999_999,
        "file_id": 999_999,
        "kind": "vtt" if "phu-de" in rule.rule else "khong-co" if other else "docx",
        "receiver_id": 999_999 if other else made.receiver,
        "jingle_id": 999_999 if other else made.jingle,
        "job_id": 999_999 if other else 1,
        "take_id": 999_999 if other else 1,
        "programme_id": 999_999 if other else 1,
        "recording_id": 999_999 if other else 1,
        "slot_id": 999_999 if other else 1,
        "emergency_id": 999_999 if other else made.emergency,
        "change_id": 999_999 if other else 1,
        "copy_id": 999_999 if other else 1,
        "token": village_token(keys.link_key, made.villages[0], 1),
        "slug": "nhu-thanh",
        "name": "can-bo",
        "filename": "app.css",
        "asset_name": "swagger-ui.css",
        "token_id": 999_999,
        "document_id": 999_999,
        "campaign_id": 999_999,
        "topic_id": 999_999,
        "topic_slug": "an-toan",
        "village_slug": "thon-1",
        "feedback_id": 999_999,
        "contributor_id": 999_999,
        "contribution_id": 999_999,
    }
    with world.app.test_request_context():
        values = {name: ids[name] for name in rule.arguments}
        return world.app.url_map.bind("localhost").build(rule.endpoint, values, method=_method(rule))


def _method(rule: Rule) -> str:
    return "POST" if "POST" in (rule.methods or set()) else "GET"


def test_every_view_says_what_it_needs_and_only_known_actions(world: Any) -> None:
    found = {needs for _, needs in rules(world)}
    assert found - {""} <= ACTIONS
    assert len(found) > 8


def test_a_contributor_opens_the_page_for_drafts_the_own_account_and_nothing_else_of_the_station(
    world: Any,
) -> None:
    opened = {rule.endpoint for rule, needs in rules(world) if needs and may(Role.CONTRIBUTOR, needs)}
    assert opened == {
        "contributors.own", "contributors.send_own", "own_account.page", "own_account.password", "own_account.email",
        "own_account.elsewhere", "notices.inbox_page", "notices.read_all", "notices.open_one", "signin.leave",
    }  # fmt: skip


@pytest.mark.parametrize("username", ROLES)
def test_each_role_opens_exactly_what_the_one_table_allows(world: Any, username: str) -> None:
    browser = world.browser(username)
    for rule, needs in rules(world):
        if rule.endpoint in ("signin.leave", "signin.sign_in"):
            continue
        allowed = needs == "" or may(ROLES[username], needs)
        url = address(world, rule)
        status = (browser.post(url) if _method(rule) == "POST" else browser.get(url)).status_code
        if allowed:
            assert status not in (400, 401, 403, 405, 500), f"{username} {rule} {status}"
        elif rule.endpoint == "today.board" and may(ROLES[username], "contribute"):
            assert status == 303, "the station's address leads a contributor to the page for drafts"
        else:
            assert status == 403, f"{username} {rule} {status}"


def test_without_a_session_nothing_opens_but_the_public_pages(world: Any) -> None:
    browser = world.browser()
    browser.get("/dang-nhap")
    for rule, needs in rules(world):
        if needs == "":
            continue
        url = address(world, rule)
        if _method(rule) == "POST":
            assert browser.post(url).status_code == 401, rule
        else:
            answer = browser.get(url)
            assert answer.status_code == 303, rule
            assert answer.location.startswith("/dang-nhap"), rule


def test_things_of_another_station_do_not_exist(world: Any) -> None:
    browser = world.browser("quantri")
    for rule, needs in rules(world):
        if needs == "" or not rule.arguments:
            continue
        url = address(world, rule, other=True)
        data = {"bulletin": str(world.made.approved), "position": "1", "target": world.made.tomorrow, "reason": "thử",
                "version": "1", "text": "thử", "spoken": "thử"}  # fmt: skip
        answer = browser.post(url, data) if _method(rule) == "POST" else browser.get(url)
        assert answer.status_code == 404, f"{rule} {answer.status_code}"
        assert "Xã Khác" not in answer.text
        assert "xã khác" not in answer.text


def test_lists_show_nothing_of_another_station(world: Any) -> None:
    browser = world.browser("quantri")
    for rule, _ in rules(world):
        if _method(rule) == "GET" and not rule.arguments:
            assert "Tin của xã khác".encode() not in browser.get(rule.rule).data, rule


def test_a_form_without_its_token_is_refused_and_changes_nothing(world: Any) -> None:
    browser = world.browser("quantri")
    before = dump(world)
    for rule, _ in rules(world):
        if _method(rule) != "POST" or rule.endpoint.startswith(("village_page.", *OPEN_FORMS)):
            continue  # no cookie carries any right there
        answer = browser.client.post(address(world, rule), data={"text": "thử"})
        assert answer.status_code == 400, rule
        # Refused outright, or carried to a page that sends it with a fresh token.
        assert "Hãy đăng nhập lại rồi gửi lại" in answer.text or "Chữ bạn gõ vẫn còn đủ" in answer.text, rule
    assert dump(world) == before


def test_getting_every_page_twice_changes_nothing_even_for_preview_bots(world: Any) -> None:
    browser = world.browser("quantri")
    before = dump(world)
    for agent in ("ZaloPC-preview", "facebookexternalhit/1.1"):
        for rule, _ in rules(world):
            if _method(rule) == "GET":
                browser.get(address(world, rule), headers={"User-Agent": agent})
    assert dump(world) == before


def test_every_page_carries_the_strict_headers_and_no_inline_script_or_style(world: Any) -> None:
    browser = world.browser("quantri")
    for rule, _ in rules(world):
        if _method(rule) != "GET":
            continue
        answer = browser.get(address(world, rule))
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "http:" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if answer.mimetype == "text/html":
            assert " style=" not in answer.text, rule
            assert "<style" not in answer.text, rule
            assert "<script>" not in answer.text, rule
            assert " onclick=" not in answer.text, rule


def test_a_page_that_does_not_exist_says_so_in_vietnamese(world: Any) -> None:
    answer = world.browser("canbo").get("/khong-co-trang-nay")
    assert answer.status_code == 404
    assert "Không có trang này" in answer.text


def dump(world: Any) -> str:
    """Everything the database holds, as text."""
    path = Path(world.settings.database_url.removeprefix("sqlite:///"))
    connection = sqlite3.connect(path)
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()
