"""The clockwork walks through a day by a given clock, alone, and picks up wherever it was killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select

from broadcaster.config import Settings, load
from broadcaster.errors import StoreError
from broadcaster.model import AiringState, PlacedItem, Programme, RenditionFile, RenditionKind
from broadcaster.schedule.plan import plan
from broadcaster.schedule.preflight import ACTION
from broadcaster.schedule.rendering import store_programme
from broadcaster.schedule.rules import set_rotation
from broadcaster.schedule.timekeeping import believe, fallen_back, note
from broadcaster.station import (
    LEASE,
    LEASE_FOR,
    Clockwork,
    Tick,
    release_lease,
    run_clock,
    take_lease,
    too_far,
)
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.queue import claim, finish
from broadcaster.store.tables import Airing, Audit, Lease, RenderJob, Station
from tests.support.commune import MONDAY, at, bulletin, found, furnish, slot
from tests.support.databases import KINDS, upgraded

TUESDAY = date(2026, 11, 24)


@pytest.fixture(params=KINDS)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with upgraded(request.param, tmp_path) as database:
        yield database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    with upgraded("sqlite", tmp_path) as database:
        yield database


@pytest.fixture
def settings(sqlite: Database, tmp_path: Path) -> Settings:
    return load(environ={"BROADCASTER_STORE_DATABASE_URL": sqlite.url}, home=tmp_path)


def furnished(db: Database, *, slug: str = "nhu-thanh") -> int:
    with db.writing() as session:
        commune = found(session, slug=slug)
        furnish(session, commune)
        rows = [bulletin(session, commune, title).id for title in ("Một", "Hai", "Ba")]
        for name, start in (("Buổi sáng", "05:30"), ("Buổi chiều", "17:00")):
            row = slot(session, commune, name, start)
            set_rotation(session, row.id, rows, per_airing=2, actor=commune.author, now=at("00:10"))
        return commune.station.id


def clockwork(db: Database, tmp_path: Path) -> Clockwork:
    home = load(environ={}, home=tmp_path)
    return Clockwork(db, home, blobs=Blobs(home.blobs_url))


def work(db: Database, blobs: Blobs, now: datetime, *, most: int = 99) -> int:
    """What a worker does with programme jobs, with a file instead of sound."""
    done = 0
    while done < most and (job := claim(db, owner="thử", kinds=["programme"], now=now)) is not None:
        data = f"mp3 {job.key}".encode()
        file = RenditionFile(RenditionKind.AIR, blobs.put(data, suffix="mp3"), len(data))
        made = Programme((file,), 130_000, -16.0, -2.5, (PlacedItem("Một", 0, 1),), "<svg/>")
        with db.writing() as session:
            assert finish(session, job, result={})
            store_programme(session, job, made, now=now)
        done += 1
    return done


def states(db: Database) -> dict[tuple[date, str], AiringState]:
    with db.reading() as session:
        rows = session.scalars(select(Airing)).all()
        return {(row.local_date, row.name): row.state for row in rows}


def test_a_day_passes_by_the_given_clock(db: Database, tmp_path: Path) -> None:
    furnished(db)
    blobs = Blobs(load(environ={}, home=tmp_path).blobs_url)
    clock = clockwork(db, tmp_path)
    first = clock.tick(at("00:30"))
    assert (first.made, first.asked, first.closed, first.started) == (24, 24, 0, 0)
    assert work(db, blobs, at("00:31")) == 24
    assert clock.tick(at("00:32")) == Tick(ours=True)
    assert clock.tick(at("04:59")).closed == 0
    assert clock.tick(at("05:00")).closed == 1
    assert states(db)[MONDAY, "Buổi sáng"] is AiringState.CLOSED
    assert clock.tick(at("05:29")).started == 0
    assert clock.tick(at("05:30")).started == 1
    assert states(db)[MONDAY, "Buổi sáng"] is AiringState.STARTED
    assert clock.tick(at("17:00")).started == 1
    assert clock.tick(at("00:01", TUESDAY)).made == 2, "the horizon moved by a Monday"


def test_a_clock_killed_at_any_hour_is_continued_by_the_next_one(sqlite: Database, tmp_path: Path) -> None:
    furnished(sqlite)
    blobs = Blobs(load(environ={}, home=tmp_path).blobs_url)
    clockwork(sqlite, tmp_path).tick(at("00:30"))
    work(sqlite, blobs, at("00:31"))
    # Killed without letting go, and nobody there until a quarter to six.
    late = clockwork(sqlite, tmp_path).tick(at("05:45"))
    assert (late.closed, late.started) == (1, 1)
    with sqlite.reading() as session:
        (morning, _) = plan(session, MONDAY)
        assert morning.state is AiringState.STARTED
        assert all(item.approved for item in morning.items)
        assert morning.files


def test_an_airing_that_no_worker_rendered_is_left_out_with_its_reason(
    sqlite: Database, tmp_path: Path
) -> None:
    furnished(sqlite)
    clock = clockwork(sqlite, tmp_path)
    clock.tick(at("00:30"))
    clock.tick(at("05:30"))
    assert states(sqlite)[MONDAY, "Buổi sáng"] is AiringState.CLOSED, "within its grace it may still start"
    assert clock.tick(at("05:36")).started == 1
    with sqlite.reading() as session:
        assert plan(session, MONDAY)[0].reason == "Chương trình chưa dựng xong khi hết thời gian chờ."


def test_a_programme_finished_within_the_grace_still_starts(sqlite: Database, tmp_path: Path) -> None:
    furnished(sqlite)
    blobs = Blobs(load(environ={}, home=tmp_path).blobs_url)
    clock = clockwork(sqlite, tmp_path)
    clock.tick(at("00:30"))
    clock.tick(at("05:31"))
    assert work(sqlite, blobs, at("05:32"), most=1) == 1
    assert clock.tick(at("05:33")).started == 1
    assert states(sqlite)[MONDAY, "Buổi sáng"] is AiringState.STARTED


def test_what_is_missing_is_written_down_once_at_each_mark(sqlite: Database, tmp_path: Path) -> None:
    station_id = furnished(sqlite)
    clock = clockwork(sqlite, tmp_path)
    for moment in ("04:20", "04:31", "04:45", "05:21", "05:25", "05:29", "05:29"):
        clock.tick(at(moment))
    with sqlite.reading() as session:
        rows = session.scalars(select(Audit).where(Audit.action == ACTION).order_by(Audit.id)).all()
        assert [row.detail["minutes"] for row in rows] == [60, 10, 2]
        assert all(row.station_id == station_id for row in rows)
        assert "Chương trình còn chờ dựng." in rows[0].detail["missing"]
        assert "Chưa có máy thu nào được ghép nối cho buổi này." in rows[0].detail["missing"]


def test_after_a_pause_only_the_nearest_mark_is_asked(sqlite: Database, tmp_path: Path) -> None:
    furnished(sqlite)
    clock = clockwork(sqlite, tmp_path)
    clock.tick(at("00:30"))
    assert len(clock.tick(at("05:28")).alarms) == 1
    with sqlite.reading() as session:
        rows = session.scalars(select(Audit).where(Audit.action == ACTION)).all()
        assert [row.detail["minutes"] for row in rows] == [2]


def test_one_process_holds_the_clock_until_it_lets_go_or_dies(db: Database, tmp_path: Path) -> None:
    furnished(db)
    one, two = clockwork(db, tmp_path), clockwork(db, tmp_path)
    assert one.tick(at("00:30")).ours
    assert two.tick(at("00:30")) == Tick(ours=False)
    assert one.tick(at("00:31")).ours
    assert two.tick(at("00:31") + LEASE_FOR + timedelta(seconds=1)).ours, "the first one died"
    assert not one.tick(at("00:32") + timedelta(seconds=2)).ours
    two.stop()
    assert one.tick(at("00:32") + timedelta(seconds=3)).ours


def test_a_lease_from_a_clock_that_was_set_back_does_not_stop_the_station(db: Database) -> None:
    with db.writing() as session:
        assert take_lease(session, owner="một", now=at("12:00"))
    with db.writing() as session:
        assert take_lease(session, owner="hai", now=at("09:00"))
        assert session.scalars(select(Lease.owner)).one() == "hai"
        release_lease(session, owner="một")
        assert not take_lease(session, owner="ba", now=at("09:00"))


def test_racing_processes_are_one_clock(db: Database) -> None:
    won: list[str] = []

    def race(owner: str) -> None:
        with db.writing() as session:
            if take_lease(session, owner=owner, now=at("12:00")):
                won.append(owner)

    racers = [threading.Thread(target=race, args=(f"{number}",)) for number in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(won) == 1


def test_two_stations_on_one_database_each_get_their_own_airings(sqlite: Database, tmp_path: Path) -> None:
    ids = [furnished(sqlite), furnished(sqlite, slug="xa-ben")]
    total = clockwork(sqlite, tmp_path).tick(at("00:30"))
    assert (total.made, total.asked) == (48, 48)
    for station_id in ids:
        with sqlite.reading(station_id=station_id) as session:
            assert len(plan(session, MONDAY)) == 2


def test_jobs_of_a_dead_worker_come_back(sqlite: Database, tmp_path: Path) -> None:
    furnished(sqlite)
    clock = clockwork(sqlite, tmp_path)
    clock.tick(at("00:30"))
    assert claim(sqlite, owner="chết", kinds=["programme"], now=at("00:30")) is not None
    assert clock.tick(at("00:31")).returned == 0
    assert clock.tick(at("00:32")).returned == 1
    with sqlite.reading() as session:
        assert set(session.scalars(select(RenderJob.state))) == {"queued"}


def test_a_ring_that_lies_hours_ahead_means_the_clock_was_set_back() -> None:
    now = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    assert not too_far(now + timedelta(seconds=5), now, tick_s=5)
    assert too_far(now + timedelta(hours=1), now, tick_s=5)
    assert too_far(None, now, tick_s=5)


def test_the_process_ticks_by_its_alarm_clock_until_it_is_told_to_stop(
    sqlite: Database, settings: Settings
) -> None:
    furnished(sqlite)
    stop = threading.Event()
    asked: list[datetime] = []

    def now() -> datetime:
        asked.append(at("00:30"))
        if len(asked) >= 3:
            stop.set()
        return asked[-1]

    runner = threading.Thread(
        target=run_clock, args=(settings,), kwargs={"stop": stop, "now": now, "tick_s": 0.05}
    )
    runner.start()
    runner.join(timeout=60)
    assert not runner.is_alive()
    assert len(asked) >= 3
    with sqlite.reading() as session:
        assert len(session.scalars(select(Airing)).all()) == 24
        assert session.scalars(select(Lease.owner).where(Lease.name == LEASE)).one() == "", (
            "let go at the end"
        )


def test_a_clock_that_only_fails_ends_its_process_with_the_error(
    sqlite: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[float] = []

    def fail(self: Clockwork, now: datetime) -> Tick:
        failed.append(time.monotonic())
        raise StoreError("Ổ đĩa đã đầy.")

    monkeypatch.setattr(Clockwork, "tick", fail)
    with pytest.raises(StoreError, match="đầy"):
        run_clock(settings, stop=threading.Event(), now=lambda: at("00:30"), tick_s=0.02)
    assert len(failed) >= 12


def test_one_failing_tick_is_survived(sqlite: Database, tmp_path: Path) -> None:
    station_id = furnished(sqlite)
    clock = clockwork(sqlite, tmp_path)
    clock.tick(at("00:30"))

    def refuse(*_: object) -> None:
        raise RuntimeError("cắt ngang")

    event.listen(sqlite.engine, "before_cursor_execute", refuse)
    with pytest.raises(RuntimeError):
        clock.tick(at("05:00"))
    event.remove(sqlite.engine, "before_cursor_execute", refuse)
    assert clock.tick(at("05:00")).closed == 1
    with sqlite.reading() as session:
        assert session.get_one(Station, station_id).materialised_through is not None


def test_a_clock_that_fell_back_years_plans_nothing_until_it_is_right_or_said_to_be(
    db: Database, tmp_path: Path
) -> None:
    furnished(db)
    network = False
    work = Clockwork(
        db, load(environ={}, home=tmp_path), blobs=Blobs(str(tmp_path / "blobs")), synchronised=lambda: network
    )  # fmt: skip
    assert work.tick(at("04:00")).made > 0
    long_ago = at("04:00") - timedelta(days=7 * 365)
    with db.reading() as session:
        version = session.scalars(select(Station.plan_version)).one()
    for minute in range(3):
        assert work.tick(long_ago + timedelta(minutes=minute)).made == 0
    with db.reading() as session:
        assert session.scalars(select(Station.plan_version)).one() == version
        assert fallen_back(session, long_ago) == at("04:00")
        assert fallen_back(session, at("04:00") - timedelta(hours=1)) is None, (
            "an hour is put right without a question"
        )
    assert work.tick(at("04:05")).ours
    assert work.tick(long_ago).made == 0
    network = True
    assert work.tick(long_ago + timedelta(minutes=2)).ours
    with db.reading() as session:
        assert fallen_back(session, long_ago) is None, (
            "the network sets the clock: it was the other that lied"
        )
    with db.writing() as session:
        note(session, at("04:05"))
        assert fallen_back(session, long_ago) is not None
        believe(session, long_ago)
        assert fallen_back(session, long_ago) is None
