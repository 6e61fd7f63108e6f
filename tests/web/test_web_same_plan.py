"""Board, week, wall sheet, village page, calendar, manifest and command line say the same of one day."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from broadcaster.commands.station import plan_command
from broadcaster.delivery.links import village_token
from broadcaster.delivery.manifest import build_manifest
from broadcaster.model import AiringState, PlannedAiring, RenditionKind
from broadcaster.schedule.airings import add_extra, materialise, place, skip_airing
from broadcaster.schedule.plan import plan_days
from broadcaster.schedule.rules import set_exception, set_holidays
from broadcaster.store.tables import Airing, Receiver, Slot, Station, User
from tests.support.web_station import TODAY, at, give_programme

DAY = TODAY + timedelta(days=1)


@pytest.fixture
def busy(world: Any) -> list[PlannedAiring]:
    """A day with a moved morning, an extra at noon for one village, an evening that is left out, a holiday after it.

    Returns the plan of that day: what every view is held against.
    """
    made = world.made
    now = world.clock.now
    with world.db.writing(station_id=made.station) as session:
        station = session.get_one(Station, made.station)
        author = session.get_one(User, made.users["canbo"])
        slots = {row.name: row for row in session.scalars(select(Slot))}
        place(session, made.tomorrow, made.approved, actor=author, now=now)
        set_exception(
            session,
            slots["Buổi sáng"].id,
            DAY,
            "replace",
            start_local=at("06:10").time().replace(hour=6),
            actor=author,
            now=now,
        )
        add_extra(
            session, station, local_date=DAY, start_local=at("11:00").time().replace(hour=11), bulletin_ids=[made.approved],
            village_ids=made.villages[:1], max_minutes=10, actor=author, now=now,
        )  # fmt: skip
        evening = session.scalars(
            select(Airing).where(Airing.slot_id == slots["Buổi chiều"].id, Airing.local_date == DAY)
        ).one()
        skip_airing(session, evening.id, reason="Mất điện cả xã", actor=author, now=now)
        slots["Buổi sáng"].on_holidays = False
        set_holidays(
            session,
            station,
            [{"name": "Ngày hội", "on": (DAY + timedelta(days=1)).isoformat()}],
            actor=author,
            now=now,
        )
        materialise(session, station, today=TODAY, now=now, days=14)
        give_programme(session, made, made.tomorrow)
        # These rows are made last, so that the pages have met every kind of airing.
        return plan_days(session, DAY, 2)


def ids(lines: list[PlannedAiring]) -> set[str]:
    return {line.airing_id for line in lines}


def test_the_day_is_what_was_planned(busy: list[PlannedAiring]) -> None:
    starts = [(f"{line.local_date:%d} {line.start_local:%H:%M}", line.state) for line in busy]
    assert starts == [
        ("25 06:10", AiringState.PLANNED),
        ("25 11:00", AiringState.PLANNED),
        ("25 17:00", AiringState.SKIPPED),
        ("26 17:00", AiringState.PLANNED),  # the morning rests on the holiday
    ]


def test_the_week_and_the_airing_s_own_page(world: Any, busy: list[PlannedAiring]) -> None:
    browser = world.browser("lanhdao")
    page = browser.get(f"/lich?tuan={DAY.isoformat()}").text
    table = page[page.index("<table") : page.index("</table>")]
    shown = set(re.findall(r"/lich/buoi/([0-9a-f-]{36})", table))
    assert ids(busy) <= shown
    for line in busy:
        text = browser.get(f"/lich/buoi/{line.airing_id}").text
        assert f"{line.start_local:%H:%M}" in text
        assert (line.reason or "Thứ tự phát") in text


def test_the_board_of_that_day(world: Any, busy: list[PlannedAiring]) -> None:
    world.clock.now = at("00:20", DAY)
    page = world.browser("lanhdao").get("/").text
    assert set(re.findall(r"buoi-([0-9a-f-]{36})-1", page)) == {
        line.airing_id for line in busy if line.local_date == DAY
    }


def test_the_village_s_page_has_what_its_village_hears(world: Any, busy: list[PlannedAiring]) -> None:
    world.clock.now = at("00:20", DAY)
    keys = world.app.extensions["broadcaster"].keys
    for number, village in enumerate(world.made.villages[:2]):
        page = world.app.test_client().get(f"/t/{village_token(keys.link_key, village, 1)}").text
        shown = set(re.findall(r'<section id="b-([0-9a-f-]{36})"', page))
        hears = {
            line.airing_id
            for line in busy
            if line.local_date == DAY and f"thon-{number + 1}" in line.villages and (line.items or line.files)
        }
        assert shown == hears


def test_the_wall_sheet(world: Any, busy: list[PlannedAiring]) -> None:
    page = world.browser("lanhdao").get(f"/lich/in?tuan={DAY.isoformat()}").text
    assert {f"{line.start_local:%H:%M}" for line in busy} <= set(
        re.findall(r'<th scope="row">(\d\d:\d\d)</th>', page)
    )
    assert page.count("Mất điện cả xã") == 1


def test_the_calendar(world: Any, busy: list[PlannedAiring]) -> None:
    text = world.app.test_client().get("/feeds/nhu-thanh.ics").text.replace("\r\n ", "")
    events = dict(
        (uid, (start, status))
        for uid, start, status in re.findall(
            r"UID:([0-9a-f-]{36})-1@.*?DTSTART:(\w+).*?STATUS:(\w+)", text, flags=re.DOTALL
        )
    )
    for line in busy:
        status = "CANCELLED" if line.state is AiringState.SKIPPED else "CONFIRMED"
        assert events[line.airing_id] == (line.planned_at.strftime("%Y%m%dT%H%M%SZ"), status)


def test_the_manifest_of_a_player(world: Any, busy: list[PlannedAiring]) -> None:
    extension = world.app.extensions["broadcaster"]
    with world.db.reading(station_id=world.made.station) as session:
        receiver = session.get_one(Receiver, world.made.receiver)
        signed = build_manifest(
            session, receiver, keys=extension.keys, hours_ahead=72, now=world.clock.now, blobs=extension.blobs
        )
    told = {one["id"]: one for one in json.loads(signed.body)["airings"]}
    for line in busy:
        one = told[line.airing_id]
        assert (one["state"], one["reason"], one["planned_at"][:19]) == (
            line.state.value, line.reason, line.planned_at.strftime("%Y-%m-%dT%H:%M:%S"),
        )  # fmt: skip
        air = line.files.get(RenditionKind.AIR)
        assert one["file"] == (
            None if air is None else {"sha256": air.sha256, "size_bytes": air.size_bytes, "suffix": "mp3"}
        )


def test_the_command_line(world: Any, busy: list[PlannedAiring], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADCASTER_HOME", str(world.settings.home))
    ran = CliRunner().invoke(
        plan_command, ["--date", DAY.isoformat(), "--days", "2", "--json", "--station", "nhu-thanh"]
    )
    assert ran.exit_code == 0, ran.output
    assert [(one["airing"], one["start"], one["state"], one["reason"]) for one in json.loads(ran.output)] == [
        (line.airing_id, f"{line.start_local:%H:%M}", line.state.value, line.reason) for line in busy
    ]
