"""Planning pages: the dialog of a series, taking back, patterns, last week, the automatic plan, holidays, the sheet."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from typing import Any

import pytest
from lxml import html
from sqlalchemy import select

from broadcaster.model import AiringState, LatePolicy, Priority, StartMode
from broadcaster.schedule.ending import GAVE_WAY
from broadcaster.schedule.plan import plan_days
from broadcaster.store.tables import Airing, Bulletin, Filler, Slot, Station, Topic
from tests.support.web_station import TODAY, at, give_programme

WEDNESDAY = TODAY + timedelta(days=1)


def starts(world: Any) -> dict[date, list[str]]:
    """date -> starts of what will sound."""
    found: dict[date, list[str]] = {}
    with world.db.reading(station_id=world.made.station) as session:
        for line in plan_days(session, TODAY, 12):
            found.setdefault(line.local_date, []).append(f"{line.start_local:%H:%M}")
    return found


def dialog(world: Any, browser: Any, deed: str = "doi") -> tuple[str, dict[str, str]]:
    url = f"/lich/buoi/{world.made.tomorrow}/doi"
    page = browser.get(f"{url}?viec={deed}").text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None, page
    return url, {"deed": deed, "version": version.group(1)}


def test_the_dialog_has_the_safest_reach_chosen_and_one_verb(world: Any) -> None:
    browser = world.browser("canbo")
    page = browser.get(f"/lich/buoi/{world.made.tomorrow}/doi").text
    checked = re.findall(r'name="scope" value="(\w+)" checked', page)
    assert checked == ["this"]
    assert page.count('class="main"') == 1
    assert "Hủy" in page


@pytest.mark.parametrize(("scope", "days"), [("this", 1), ("following", 10), ("all", 10)])
def test_another_start_and_taking_it_back(world: Any, scope: str, days: int) -> None:
    browser = world.browser("canbo")
    before = starts(world)
    url, hidden = dialog(world, browser)
    answer = browser.post(url, {**hidden, "scope": scope, "start": "6h15", "day": "25/11/2026"})
    assert answer.status_code == 303, answer.text
    assert sum("06:15" in every for every in starts(world).values()) == days
    page = browser.get("/lich").text
    back = re.search(r'action="(/lich/hoan-tac/\d+)"', page)
    assert back is not None, page
    assert browser.post(back.group(1)).status_code == 303
    assert starts(world) == before
    assert "/lich/hoan-tac/" not in browser.get("/lich").text


def test_somebody_else_does_not_see_my_way_back(world: Any) -> None:
    browser = world.browser("canbo")
    url, hidden = dialog(world, browser)
    browser.post(url, {**hidden, "scope": "this", "start": "06:15"})
    assert "/lich/hoan-tac/" not in world.browser("quantri").get("/lich").text


def test_a_stale_dialog_is_a_conflict_and_keeps_what_was_typed(world: Any) -> None:
    browser = world.browser("canbo")
    url, hidden = dialog(world, browser)
    browser.post(url, {**hidden, "scope": "this", "start": "06:15"})
    answer = browser.post(url, {**hidden, "scope": "following", "start": "06:40"})
    assert answer.status_code == 409
    assert "06:40" in answer.text


def test_a_day_off_has_its_reason_and_a_rule_that_ends_needs_none(world: Any) -> None:
    browser = world.browser("canbo")
    url, hidden = dialog(world, browser, "bo")
    assert browser.post(url, {**hidden, "scope": "this", "reason": ""}).status_code == 422
    assert browser.post(url, {**hidden, "scope": "this", "reason": "Tang lễ"}).status_code == 303
    assert "05:30" not in starts(world)[WEDNESDAY]


def test_the_slot_is_edited_for_all_to_come(world: Any) -> None:
    browser = world.browser("canbo")
    url, hidden = dialog(world, browser, "sua")
    answer = browser.post(
        url,
        {**hidden, "scope": "all", "name": "Sáng sớm", "start": "05:35", "minutes": "12", "volume": "60",
         "weekdays": ["wed", "fri"], "where": "some", "villages": [str(world.made.villages[0])], "carry_over": "on",
         "until": "31/12/2026", "late": "skip", "grace": "10", "mode": "wait", "wait": "3", "priority": "priority"},
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    with world.db.reading(station_id=world.made.station) as session:
        slot = session.scalars(select(Slot).where(Slot.name == "Sáng sớm")).one()
        assert (slot.weekdays, slot.max_minutes, slot.volume_percent, slot.on_holidays, slot.carry_over) == (
            "wed,fri", 12, 60, False, True,
        )  # fmt: skip
        assert (slot.valid_to, slot.late_policy, slot.grace_s, slot.start_mode, slot.wait_s, slot.priority) == (
            date(2026, 12, 31), LatePolicy.SKIP, 600, StartMode.WAIT, 180, Priority.PRIORITY,
        )  # fmt: skip
        line = next(one for one in plan_days(session, WEDNESDAY, 1) if one.slot_name == "Sáng sớm")
        assert line.villages == ("thon-1",)
        # What was broadcast this morning stays as it was.
        morning = session.get_one(Airing, world.made.morning)
        assert (morning.name, morning.state, morning.start_local) == (
            "Buổi sáng",
            AiringState.STARTED,
            time(5, 30),
        )


@pytest.mark.parametrize("scope", ["following", "all"])
def test_a_slot_is_changed_from_the_list_of_slots_and_what_nobody_touched_stays(
    world: Any, scope: str
) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        slot = session.scalars(select(Slot).where(Slot.name == "Buổi sáng")).one()
        slot.grace_s, slot.wait_s = 90, 20  # a week's file says seconds
    browser = world.browser("canbo")
    page = html.fromstring(browser.get("/lich/khung-gio").text)
    (link, *_) = [one for one in page.xpath("//a/@href") if "viec=sua" in one]
    (form,) = [one for one in html.fromstring(browser.get(link).text).forms if "/doi" in (one.action or "")]
    fields = dict(form.form_values()) | {
        "weekdays": ["mon", "tue", "wed"],
        "scope": scope,
        "until": "31/03/2027",
    }
    assert browser.post(form.action, fields).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        rows = session.scalars(select(Slot).where(Slot.name == "Buổi sáng", Slot.active).order_by(Slot.id))
        newest = list(rows)[-1]
        assert (newest.weekdays, newest.valid_to) == ("mon,tue,wed", date(2027, 3, 31))
        assert (newest.grace_s, newest.wait_s) == (90, 20)
    assert "đến 31/03/2027" in browser.get("/lich/khung-gio").text
    refused = browser.post(form.action, fields | {"until": "hôm nào"})
    assert refused.status_code in (409, 422)


def test_a_bulletin_is_looked_at_and_then_put_into_many_airings(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get("/lich/rai")
    form = {
        "bulletin": str(world.made.approved),
        "first": "25/11/2026",
        "last": "28/11/2026",
        "kind": "alternate",
    }
    seen = browser.post("/lich/rai", {**form, "xem": "1"})
    assert seen.status_code == 200
    assert "4 trên 4 buổi" in seen.text
    assert "Hoàn tác" not in browser.get("/lich").text
    assert browser.post("/lich/rai", form).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        lines = plan_days(session, WEDNESDAY, 4)
        carrying = [
            line.local_date for line in lines if any(i.bulletin_id == world.made.approved for i in line.items)
        ]
    assert carrying == [WEDNESDAY, WEDNESDAY, WEDNESDAY + timedelta(days=2), WEDNESDAY + timedelta(days=2)]


def test_a_pattern_with_a_wrong_date_says_which(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get("/lich/rai")
    form = {
        "bulletin": str(world.made.approved),
        "first": "25/11/2026",
        "last": "28/11/2026",
        "kind": "dates",
        "dates": "31/2/2026",
    }
    answer = browser.post("/lich/rai", form)
    assert answer.status_code == 422
    assert "31/2/2026" in answer.text


def test_last_week_again(world: Any) -> None:
    browser = world.browser("canbo")
    monday = "2026-11-30"
    assert "Bình dân học vụ số" in browser.get(f"/lich/sao-chep?tuan={monday}").text
    assert browser.post("/lich/sao-chep", {"tuan": monday}).status_code == 303
    assert browser.post("/lich/sao-chep", {"tuan": monday}).status_code == 422
    with world.db.reading(station_id=world.made.station) as session:
        lines = plan_days(session, date(2026, 12, 1), 1)
        assert [[item.bulletin_id for item in line.items] for line in lines] == [[world.made.approved]] * 2


def test_the_automatic_plan_gives_its_reasons_and_is_applied_as_seen(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        bulletin = session.get_one(Bulletin, world.made.approved)
        session.get_one(Topic, bulletin.topic_id).target_broadcasts = 4
    browser = world.browser("canbo")
    asked = {"first": "25/11/2026", "last": "05/12/2026", "rest": "2", "most": "2"}
    page = browser.get("/lich/tu-dong", query_string=asked).text
    assert "chưa phát lần nào" in page or "đã nghỉ" in page
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert digest is not None, page
    assert browser.post("/lich/tu-dong", {**asked, "digest": "0" * 64}).status_code == 409
    assert browser.post("/lich/tu-dong", {**asked, "digest": digest.group(1)}).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        lines = plan_days(session, WEDNESDAY, 11)
        assert sum(any(i.bulletin_id == world.made.approved for i in line.items) for line in lines) == 4


def test_holidays_are_added_shown_for_a_year_and_taken_away(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get("/lich/nghi-le")
    tet = {"name": "Tết Nguyên đán", "kind": "lunar", "when": "1/1", "days": "5", "eve": "on"}
    assert browser.post("/lich/nghi-le", tet).status_code == 303
    page = browser.get("/lich/nghi-le").text
    assert "Thứ Sáu, 05/02/2027" in page
    assert "Thứ Ba, 09/02/2027" in page
    wrong = browser.post("/lich/nghi-le", {**tet, "when": "40/1"})
    assert wrong.status_code == 422
    assert "ngày/tháng" in wrong.text
    assert browser.post("/lich/nghi-le", {"bo": "0"}).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        assert session.get_one(Station, world.made.station).holidays == []


def test_fillers_are_chosen_among_what_is_approved(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get("/lich/nghi-le")
    assert browser.post("/lich/du-phong", {"fillers": [str(world.made.approved)]}).status_code == 303
    assert browser.post("/lich/du-phong", {"fillers": [str(world.made.draft)]}).status_code == 422
    with world.db.reading(station_id=world.made.station) as session:
        assert session.scalars(select(Filler.bulletin_id)).all() == [world.made.approved]


def test_the_sheet_says_the_same_as_the_plan(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        give_programme(session, world.made, world.made.tomorrow)
    page = world.browser("lanhdao").get("/lich/in?tuan=2026-11-24").text
    assert "Phòng cháy rừng mùa hanh khô (chưa duyệt)" in page
    assert "In lúc 08:00 ngày 24/11/2026" in page
    assert page.count("(chưa có bản tin)") == sum(not line.items for line in _week(world))


EXTRA = {"day": "2026-11-25", "start": "17:05", "minutes": "10"}


@pytest.mark.parametrize(
    ("number", "what"), [(0, ("17:15", True)), (1, ("16:50", True)), (2, ("17:05", False))]
)
def test_a_clash_is_solved_by_one_of_three_buttons(world: Any, number: int, what: tuple[str, bool]) -> None:
    browser = world.browser("canbo")
    browser.get("/lich")
    answer = browser.post("/lich/them", {**EXTRA, "bulletin": str(world.made.approved)})
    assert answer.status_code == 422
    part = answer.text[answer.text.index("Giải quyết trùng giờ") :]
    forms = re.findall(r"<form.*?</form>", part[: part.index("</section>")], flags=re.DOTALL)
    assert len(forms) == 3
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', forms[number]))
    assert browser.post("/lich/them", fields).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        lines = {f"{line.start_local:%H:%M}": line for line in plan_days(session, WEDNESDAY, 1)}
    start, both = what
    assert start in lines
    evening = lines["17:00"]
    assert (evening.state is AiringState.PLANNED) == both
    assert both or evening.reason == GAVE_WAY


def _week(world: Any) -> list[Any]:
    with world.db.reading(station_id=world.made.station) as session:
        return plan_days(session, TODAY - timedelta(days=1), 7)


def test_the_clock_of_the_test_is_a_tuesday() -> None:
    assert (TODAY.isoweekday(), at("08:00").hour) == (2, 1)
