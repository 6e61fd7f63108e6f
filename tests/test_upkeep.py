"""The station's own nights: a backup when it is due, kept to n, told when it fails, and sound cleared after it."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from broadcaster.config import Settings, load
from broadcaster.model import Role
from broadcaster.station import Clockwork
from broadcaster.store.backup import check
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import load_keys
from broadcaster.store.shelf import backups_in
from broadcaster.store.tables import Notice, Station, UpkeepRun, User
from broadcaster.store.upgrade import upgrade
from broadcaster.upkeep import Night, is_due, nightly, trouble
from tests.support.commune import MONDAY, at, found

NIGHT = at("01:05", MONDAY + timedelta(days=1))


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = load(environ={}, home=tmp_path, flags={"backup.keep": 2})
    upgrade(settings)
    load_keys(settings.keys)
    Blobs(settings.blobs_url).put(b"nhac hieu" * 1000, suffix="flac")
    return settings


@pytest.fixture
def db(home: Settings) -> Any:
    database = Database(home.database_url)
    with database.writing() as session:
        commune = found(session)
        session.add(
            User(
                station_id=commune.station.id, username="kt", display_name="Kỹ thuật", password_hash="x",
                role=Role.TECHNICIAN, created_at=at("00:00"),
            )
        )  # fmt: skip
    yield database
    database.dispose()


def due(db: Database, home: Settings, now: datetime) -> bool:
    with db.reading() as session:
        return is_due(session, home, now=now)


def said(db: Database, home: Settings, now: datetime) -> str:
    with db.reading() as session:
        return trouble(session, home, now=now)


def test_a_night_is_backed_up_once_and_n_are_kept(db: Database, home: Settings) -> None:
    for day in range(4):
        now = NIGHT + timedelta(days=day)
        assert due(db, home, now)
        assert nightly(home, db, now=lambda now=now: now)
        assert not due(db, home, now + timedelta(hours=5))
        assert said(db, home, now) == ""
    kept = sorted(backups_in(home.backups))
    assert len(kept) == 2
    for folder in kept:
        check(folder)
    sounds = [next(folder.glob("blobs/*/*")) for folder in kept]
    assert sounds[0].samefile(sounds[1]), "nights share the sound that did not change"
    assert not sounds[0].samefile(next((home.audio / "blobs").glob("*/*"))), (
        "but never with the station itself"
    )
    with db.reading() as session:
        kinds = [run.kind for run in session.scalars(select(UpkeepRun)) if run.ok]
    assert kinds.count("backup") == kinds.count("sweep") == 4


def test_a_damaged_sound_in_the_last_backup_is_copied_anew(db: Database, home: Settings) -> None:
    assert nightly(home, db, now=lambda: NIGHT)
    first = backups_in(home.backups)[0]
    sound = next(first.glob("blobs/*/*"))
    sound.write_bytes(b"X" * sound.stat().st_size)
    assert nightly(home, db, now=lambda: NIGHT + timedelta(days=1))
    check(max(backups_in(home.backups)))


def test_the_hour_is_the_station_s_and_a_station_of_today_waits_for_its_first_night(
    db: Database, home: Settings
) -> None:
    with db.writing() as session:
        session.scalars(select(Station)).one().created_at = at("20:00")
    assert not due(db, home, at("22:00"))
    assert not due(db, home, at("00:59", MONDAY + timedelta(days=1)))
    assert due(db, home, at("01:00", MONDAY + timedelta(days=1)))
    off = load(environ={}, home=home.home, flags={"backup.nightly": False})
    assert not due(db, off, at("01:00", MONDAY + timedelta(days=1)))


def test_a_night_that_fails_is_tried_again_after_an_hour_told_and_shown_until_one_is_good(
    db: Database, home: Settings
) -> None:
    home.backups.write_text("một tệp chắn chỗ của thư mục")
    assert not nightly(home, db, now=lambda: NIGHT)
    assert "Chưa sao lưu được" in said(db, home, NIGHT)
    assert not due(db, home, NIGHT + timedelta(minutes=59))
    assert due(db, home, NIGHT + timedelta(minutes=61))
    again = NIGHT + timedelta(minutes=61)
    assert not nightly(home, db, now=lambda: again)
    with db.reading() as session:
        told = session.scalars(select(Notice)).all()
    assert len(told) == 1, "one sentence a day is enough"
    assert "Chưa sao lưu được" in told[0].text
    home.backups.unlink()
    assert nightly(home, db, now=lambda: again + timedelta(hours=1))
    assert said(db, home, again + timedelta(hours=1)) == ""
    assert not list(home.home.glob("sao-luu/*.dang-ghi"))


def test_a_night_is_given_up_after_four_tries_and_a_run_that_was_cut_off_is_named(
    db: Database, home: Settings
) -> None:
    home.backups.write_text("x")
    for number in range(4):
        nightly(home, db, now=lambda number=number: NIGHT + timedelta(hours=number))
    assert not due(db, home, NIGHT + timedelta(hours=10))
    with db.writing() as session:
        session.add(UpkeepRun(kind="backup", started_at=NIGHT + timedelta(hours=10), ok=False))
    assert "dừng giữa chừng" in said(db, home, NIGHT + timedelta(hours=17))


def test_weeks_without_a_good_backup_are_counted(db: Database, home: Settings) -> None:
    with db.writing() as session:
        session.scalars(select(Station)).one().created_at = NIGHT - timedelta(days=9)
    assert said(db, home, NIGHT).startswith("Đã 9 ngày chưa có bản sao lưu nào tốt")


def test_the_clock_starts_the_night_once_and_never_waits_for_it(db: Database, home: Settings) -> None:
    class Process:
        def __init__(self) -> None:
            self.code: int | None = None

        def poll(self) -> int | None:
            return self.code

    started: list[Process] = []

    def start(_settings: Settings) -> Process:
        started.append(Process())
        return started[-1]

    clock = Clockwork(db, home, blobs=Blobs(home.blobs_url), night=Night(home, start=start))
    for minute in range(5):
        clock.tick(NIGHT + timedelta(minutes=minute))
    assert len(started) == 1
    started[0].code = 1
    clock.tick(NIGHT + timedelta(minutes=6))
    assert len(started) == 2, "it died without a row: it begins again"


def test_the_process_of_the_night_leaves_a_backup_that_is_whole(db: Database, home: Settings) -> None:
    from broadcaster.upkeep import start_process

    process = start_process(home)
    assert process.wait(timeout=100) == 0
    check(backups_in(home.backups)[0])
    shutil.rmtree(home.backups)
