"""The one answer: complete, ordered, filtered by village and station, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from broadcaster.errors import NotFound
from broadcaster.model import (
    AiringOrigin,
    AiringState,
    BulletinState,
    PlannedFile,
    PlannedItem,
    Priority,
    RenditionKind,
)
from broadcaster.schedule.airings import add_extra, materialise, place, skip_airing
from broadcaster.schedule.plan import airing_of, next_airing, plan, plan_between, plan_days
from broadcaster.schedule.rules import set_exception, set_rotation
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, ProgrammeRow, Rendition
from tests.support.commune import MONDAY, Commune, at, bulletin, found, sha, slot

TUESDAY = date(2026, 11, 24)


@contextmanager
def counted(db: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def fill(session: Session, *, villages: int, bulletins: int) -> Commune:
    commune = found(session, villages=villages)
    rows = [bulletin(session, commune, f"Bản {number}").id for number in range(bulletins)]
    for name, start in (("Buổi sáng", "05:30"), ("Buổi chiều", "17:00")):
        row = slot(session, commune, name, start)
        set_rotation(session, row.id, rows, per_airing=3, actor=commune.author, now=at("00:10"))
    materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=14)
    return commune


def test_the_number_of_queries_does_not_grow_with_what_is_planned(db: Database) -> None:
    with db.writing() as session:
        fill(session, villages=37, bulletins=12)
    counts = {}
    for days in (1, 14):
        with db.reading() as session, counted(db) as statements:
            lines = plan_days(session, MONDAY, days)
            assert all(len(line.items) == 3 and len(line.villages) == 37 for line in lines)
        counts[days] = len(statements)
    assert counts[1] == counts[14] <= 10


def test_a_line_says_everything_about_an_airing(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=1)
        ready = bulletin(session, commune, "Tiêm phòng")
        waiting = bulletin(session, commune, "Họp thôn", state=BulletinState.SUBMITTED)
        (line,) = plan(session, MONDAY)
        for row in (ready, waiting):
            place(session, line.airing_id, row.id, actor=commune.author, now=at("01:00"))
        programme = ProgrammeRow(
            station_id=commune.station.id, input_key=sha("x"), title="Sáng", duration_ms=95_000,
            loudness_lufs=-16.0, true_peak_dbtp=-2.3, made_at=at("01:10"),
            renditions=[Rendition(kind=RenditionKind.AIR, sha256=sha("mp3"), size_bytes=760_000)],
        )  # fmt: skip
        session.add(programme)
        session.flush()
        airing = session.get_one(Airing, line.airing_id)
        airing.variants[0].programme_id = programme.id
        session.flush()
        (line,) = plan(session, MONDAY)
        assert line.planned_at == at("05:30")
        assert (line.start_local, line.slot_name, line.variant) == (time(5, 30), "Buổi sáng", 1)
        assert line.villages == ("thon-1", "thon-2", "thon-3")
        assert line.items == (
            PlannedItem("Tiêm phòng", ready.id, "Chuyển đổi số", True),
            PlannedItem(
                "Họp thôn", waiting.id, "Chuyển đổi số", False, "Chờ duyệt; nếu không kịp giờ chốt thì không phát."
            ),
        )  # fmt: skip
        assert dict(line.files) == {RenditionKind.AIR: PlannedFile(sha("mp3"), 760_000)}
        assert (line.duration_ms, line.max_ms) == (95_000, 900_000)
        programme.revoked_reason = "Bản tin đã rút."
        session.flush()
        (line,) = plan(session, MONDAY)
        assert (dict(line.files), line.duration_ms) == ({}, None), "a revoked programme is offered to nobody"


def test_the_title_shown_is_the_one_of_the_revision_that_will_sound(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=1)
        row = bulletin(session, commune, "Tên đã duyệt")
        (line,) = plan(session, MONDAY)
        place(session, line.airing_id, row.id, actor=commune.author, now=at("01:00"))
        row.title = "Tên đang sửa"
        session.flush()
        assert plan(session, MONDAY)[0].items[0].title == "Tên đã duyệt"


def test_lines_come_in_order_of_time_and_the_higher_level_first(db: Database) -> None:
    with db.writing() as session:
        commune = fill(session, villages=2, bulletins=1)
        item = bulletin(session, commune, "Bão")
        add_extra(
            session, commune.station, local_date=TUESDAY, start_local=time(5, 30), bulletin_ids=[item.id],
            max_minutes=10, actor=commune.author, now=at("01:00"), origin=AiringOrigin.EMERGENCY,
        )  # fmt: skip
        lines = plan(session, TUESDAY)
        assert [line.priority for line in lines] == [Priority.EMERGENCY, Priority.ROUTINE, Priority.ROUTINE]
        assert [line.start_local.hour for line in lines] == [5, 5, 17]


def test_the_next_airing_is_the_nearest_that_will_sound(db: Database) -> None:
    with db.writing() as session:
        commune = fill(session, villages=2, bulletins=1)
        first = next_airing(session, at("01:00"))
        assert first is not None
        assert first.planned_at == at("05:30")
        skip_airing(session, first.airing_id, reason="Mưa bão", actor=commune.author, now=at("01:00"))
        second = next_airing(session, at("01:00"))
        assert second is not None
        assert second.planned_at == at("17:00")
        assert next_airing(session, at("18:00", MONDAY + timedelta(days=30))) is None
        assert airing_of(session, first.airing_id).state is AiringState.SKIPPED
        with pytest.raises(NotFound):
            airing_of(session, "khong-co")


def test_instants_and_dates_give_the_same_lines(db: Database) -> None:
    with db.writing() as session:
        fill(session, villages=2, bulletins=2)
        by_date = plan_days(session, TUESDAY, 2)
        assert len(by_date) == 4
        assert plan_between(session, at("00:00", TUESDAY), at("00:00", date(2026, 11, 26))) == by_date
        assert plan_between(session, at("05:30", TUESDAY), at("17:00", TUESDAY)) == by_date[:1]


def test_a_day_taken_away_is_no_part_of_the_plan(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        row = slot(session, commune)
        materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=3)
        taken = plan(session, TUESDAY)[0].airing_id
        set_exception(session, row.id, TUESDAY, "skip", actor=commune.author, now=at("01:00"))
        assert plan(session, TUESDAY) == []
        assert airing_of(session, taken).state is AiringState.CANCELLED


def test_another_station_s_airings_do_not_exist_for_a_scoped_session(db: Database) -> None:
    with db.writing() as session:
        here = fill(session, villages=2, bulletins=1)
        there = found(session, slug="xa-ben")
        slot(session, there, "Riêng", "06:00")
        materialise(session, there.station, today=MONDAY, now=at("00:30"), days=14)
        here_id, there_id = here.station.id, there.station.id
    with db.reading(station_id=there_id) as session:
        lines = plan_days(session, MONDAY, 14)
        assert {line.slot_name for line in lines} == {"Riêng"}
        theirs = lines[0].airing_id
        nearest = next_airing(session, at("05:00"))
        assert nearest is not None
        assert nearest.slot_name == "Riêng"
    with db.reading(station_id=here_id) as session:
        assert {line.slot_name for line in plan_days(session, MONDAY, 14)} == {"Buổi sáng", "Buổi chiều"}
        with pytest.raises(NotFound):
            airing_of(session, theirs)
