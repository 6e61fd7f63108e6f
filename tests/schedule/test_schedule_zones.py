"""The zone of the machine changes nothing: instants come from the station's zone alone."""

from __future__ import annotations

import time as machine
from collections.abc import Iterator
from datetime import UTC, date, datetime, time

import pytest

from broadcaster.delivery.feeds import ical
from broadcaster.schedule.airings import materialise
from broadcaster.schedule.plan import plan, plan_days
from broadcaster.schedule.slots import instant, local_day
from broadcaster.store.db import Database
from tests.support.commune import MONDAY, at, found, slot


@pytest.fixture(params=["UTC", "Asia/Ho_Chi_Minh", "America/New_York"])
def machine_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The machine's own zone, as the operating system knows it."""
    if not hasattr(machine, "tzset"):
        pytest.skip("this system cannot change its zone for one process")
    monkeypatch.setenv("TZ", request.param)
    machine.tzset()
    yield request.param
    monkeypatch.undo()
    machine.tzset()


def test_a_morning_is_the_same_instant_whatever_the_machine_thinks(machine_zone: str, db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=7)
    with db.reading() as session:
        (line,) = plan(session, MONDAY)
        assert line.planned_at == datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
        assert (line.local_date, line.start_local) == (MONDAY, time(5, 30))
        text = ical(plan_days(session, MONDAY, 7), title="x", host="h", now=at("00:30")).decode()
    assert "DTSTART:20261122T223000Z" in text
    assert text.count("BEGIN:VEVENT") == 6


def test_the_station_s_day_begins_at_its_own_midnight(machine_zone: str) -> None:
    assert local_day("Asia/Ho_Chi_Minh", datetime(2026, 11, 22, 16, 59, 59, tzinfo=UTC)) == date(2026, 11, 22)
    assert local_day("Asia/Ho_Chi_Minh", datetime(2026, 11, 22, 17, 0, 0, tzinfo=UTC)) == MONDAY
    assert instant("Asia/Ho_Chi_Minh", MONDAY, time(0, 0)) == datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
