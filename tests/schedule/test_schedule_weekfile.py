"""The week as a file: read strictly, written in one order, exported and imported without a loss."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, ConfigError, InputError, Refused
from broadcaster.model import LatePolicy, Priority, StartMode
from broadcaster.schedule.airings import materialise
from broadcaster.schedule.fallback import set_fillers
from broadcaster.schedule.holidays import Holiday
from broadcaster.schedule.plan import plan_days
from broadcaster.schedule.rules import set_exception, set_holidays, set_rotation
from broadcaster.schedule.weekexchange import apply_week, week_of
from broadcaster.schedule.weekfile import (
    ExceptionLine,
    RotationLine,
    SlotLine,
    WeekFile,
    read_week,
    write_week,
)
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, Slot, Station
from tests.support.commune import MONDAY, Commune, at, bulletin, found, slot

NOW = at("00:30")
words = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30
).map(lambda text: " ".join(text.split()) or "x")


@st.composite
def weeks(draw: st.DrawFn) -> WeekFile:
    slots = tuple(
        SlotLine(
            slug=f"khung-{number}", name=draw(words), weekdays=draw(st.sampled_from(["mon", "mon,wed,sun", "sat"])),
            start_local=draw(st.times()).replace(second=0, microsecond=0), valid_from=draw(st.dates()),
            valid_to=draw(st.none() | st.dates()), max_minutes=draw(st.integers(1, 180)),
            start_mode=draw(st.sampled_from(StartMode)), wait_s=draw(st.integers(0, 3600)),
            late_policy=draw(st.sampled_from(LatePolicy)), grace_s=draw(st.integers(0, 7200)),
            priority=draw(st.sampled_from([Priority.ROUTINE, Priority.PRIORITY])),
            volume_percent=draw(st.integers(0, 100)), template_name=draw(words),
            villages=tuple(draw(st.lists(st.sampled_from(["thon-1", "thon-2"]), unique=True))),
            on_holidays=draw(st.booleans()), carry_over=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 3)))
    )  # fmt: skip
    names = [row.slug for row in slots]
    titles = st.lists(words, max_size=6).map(tuple)
    return WeekFile(
        slots=slots,
        rotations=tuple(RotationLine(name, draw(st.integers(1, 20)), draw(titles)) for name in names),
        exceptions=tuple(
            ExceptionLine(name, draw(st.dates()), draw(st.sampled_from(["skip", "replace", "extra"])),
                          draw(st.none() | st.just(time(6, 10))), draw(st.just("") | words))
            for name in names
        ),
        holidays=(Holiday("Tết", lunar=(1, 1), days=5, shift=-1), Holiday("Lễ", public=True)),
        fillers=draw(titles),
    )  # fmt: skip


@given(weeks())
def test_what_is_written_is_read_again(week: WeekFile) -> None:
    assert read_week(write_week(week)) == week


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[slot]\n", "sai cú pháp"),
        ("[[slots]]\n", "mục lạ"),
        ('[[rotation]]\nslot = "sang"\n', "khung giờ"),
        ('[[exception]]\nslot = "sang"\ndate = 2026-01-01\naction = "skip"\n', "ngoại lệ"),
        ('[[holiday]]\nname = "Tết"\nlunar = "1-1"\n', "ngày/tháng"),
    ],
)
def test_a_file_that_will_not_do_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_week(text)


def furnished(session: Session) -> Commune:
    """A station with everything that a week can have."""
    commune = found(session)
    morning = slot(session, commune, weekdays="mon,tue,wed,thu,fri", now=NOW)
    evening = slot(session, commune, "Buổi chiều", "17:00", villages=(commune.villages[1].id,), now=NOW)
    session.get_one(Slot, evening.id).on_holidays = False
    session.flush()
    order = [bulletin(session, commune, name).id for name in ("Bản A", "Bản B", "Bản C")]
    set_rotation(session, morning.id, order, per_airing=2, actor=commune.author, now=NOW)
    set_fillers(session, commune.station, order[2:], actor=commune.author, now=NOW)
    set_holidays(
        session, commune.station, [{"name": "Tết", "lunar": "1/1", "days": 5}], actor=commune.author, now=NOW
    )
    set_exception(
        session, morning.id, MONDAY + timedelta(days=2), "replace", start_local=time(6, 20), note="Họp dân",
        actor=commune.author, now=NOW,
    )  # fmt: skip
    materialise(session, commune.station, today=MONDAY, now=NOW, days=7)
    return commune


def sounds(session: Session) -> list[tuple[object, ...]]:
    return [
        (
            line.local_date,
            line.start_local,
            line.slot_name,
            line.villages,
            [item.title for item in line.items],
        )
        for line in plan_days(session, MONDAY, 7)
    ]


def test_an_exported_week_makes_the_same_station_again(db: Database) -> None:
    with db.writing() as session:
        furnished(session)
        first = sounds(session)
        text = write_week(week_of(session, session.scalars(select(Station)).one(), now=NOW))
    assert "Họp dân" in text
    with db.writing() as session:
        station = session.scalars(select(Station)).one()
        done = apply_week(session, station, WeekFile(), actor=None, now=NOW)
        assert (done.added, done.removed) == (0, 2)
        assert sounds(session) == []
        done = apply_week(session, station, read_week(text), actor=None, now=NOW)
        assert (done.added, done.removed) == (2, 0)
        materialise(session, station, today=MONDAY, now=NOW, days=7)
        assert write_week(week_of(session, station, now=NOW)) == text
        again = sounds(session)
        assert [line[:4] for line in again] == [line[:4] for line in first]
        ids = session.scalars(select(Airing.id)).all()
        done = apply_week(session, station, read_week(text), actor=None, now=NOW)
        assert (done.added, done.changed, done.removed) == (0, 0, 0)
        assert session.scalars(select(Airing.id)).all() == ids


@pytest.mark.parametrize(
    ("old", "new", "error", "said"),
    [
        ('"thon-2"', '"thon-9"', InputError, "thon-9"),
        ('"Bản A"', '"Bản Z"', InputError, "Bản Z"),
        ('start = "17:00"', 'start = "05:35"', Refused, "trùng giờ"),
        ('start = "17:00"', 'start = "23:55"', Refused, "nửa đêm"),
    ],
)
def test_an_import_that_cannot_be_changes_nothing(
    db: Database, old: str, new: str, error: type[BroadcasterError], said: str
) -> None:
    with db.writing() as session:
        furnished(session)
        text = write_week(week_of(session, session.scalars(select(Station)).one(), now=NOW))
    assert old in text
    with pytest.raises(error, match=said), db.writing() as session:
        apply_week(
            session,
            session.scalars(select(Station)).one(),
            read_week(text.replace(old, new)),
            actor=None,
            now=NOW,
        )
    with db.reading() as session:
        assert write_week(week_of(session, session.scalars(select(Station)).one(), now=NOW)) == text


def test_the_clock_of_these_tests_is_a_monday() -> None:
    assert date(2026, 11, 23) == MONDAY
