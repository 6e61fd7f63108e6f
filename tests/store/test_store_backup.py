"""A backup is the whole station, made while it runs; restoring gives the same station, or nothing at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from broadcaster.config import Settings, load
from broadcaster.errors import StoreError
from broadcaster.store.backup import backup, check, restore
from broadcaster.store.db import Database
from broadcaster.store.keys import load_keys
from broadcaster.store.tables import Audit, Station
from tests.support.backups import NOW, SPOILT, files_under, rows_of, settings_for
from tests.support.databases import empty_url

# --------------------------------------------------------------------------------------- there and back


def test_a_restored_station_has_the_same_rows_sounds_and_keys_and_a_higher_epoch(
    station: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    before = rows_of(station.database_url)
    made = backup(station, tmp_path / "usb", now=NOW)
    assert made.name == "sao-luu-20261123-200000"
    restore(elsewhere, made, now=NOW)

    after = rows_of(elsewhere.database_url)
    columns = sorted(column.name for column in Station.__table__.columns)
    epoch = columns.index("epoch")
    for old, new in zip(before["station"], after["station"], strict=True):
        assert new[epoch] > old[epoch]
        assert [*new[:epoch], *new[epoch + 1 :]] == [*old[:epoch], *old[epoch + 1 :]]
    del before["station"], after["station"]
    assert after == before
    assert sum(map(len, after.values())) > 15

    assert files_under(elsewhere.keys) == files_under(station.keys)
    assert load_keys(elsewhere.keys).public_key_hex == load_keys(station.keys).public_key_hex
    assert files_under(Path(elsewhere.blobs_url)) == files_under(Path(station.blobs_url))
    assert load(environ={}, home=elsewhere.home).integer("web.port") == 8123


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such modes")
def test_keys_stay_readable_by_their_owner_only(
    station: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    made = backup(station, tmp_path / "usb", now=NOW)
    assert made.stat().st_mode & 0o077 == 0
    restore(elsewhere, made, now=NOW)
    for path in elsewhere.keys.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_backup_made_while_others_write_is_one_moment_of_the_station(
    station: Settings, elsewhere: Settings, database: Database, tmp_path: Path
) -> None:
    """The writer adds rows in pairs; a copy of two moments would hold half a pair."""
    stop, wrote = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            with database.writing() as session:
                for half in ("a", "b"):
                    session.add(
                        Audit(
                            station_id=1, at=NOW, actor="thử", action="test", subject=f"{number}{half}",
                            detail={"filling": "x" * 500},
                        )
                    )  # fmt: skip
                    session.flush()
            number += 1
            if number >= 20:
                wrote.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert wrote.wait(60)
        made = backup(station, tmp_path / "usb", now=NOW)
    finally:
        stop.set()
        writer.join()
    restore(elsewhere, made, now=NOW)
    with_rows = Database(elsewhere.database_url)
    try:
        with with_rows.reading() as session:
            count = session.scalar(select(func.count()).select_from(Audit).where(Audit.action == "test"))
    finally:
        with_rows.dispose()
    assert count is not None
    assert count >= 40
    assert count % 2 == 0


def test_a_restored_station_can_be_backed_up_and_restored_again_with_a_higher_epoch_each_time(
    station: Settings, tmp_path: Path
) -> None:
    """The same old backup brought back twice must not give players the same number twice."""
    made = backup(station, tmp_path / "usb", now=NOW)
    seen = []
    for number in range(2):
        with empty_url(
            "sqlite" if station.database_url.startswith("sqlite") else "postgresql", tmp_path
        ) as url:
            target = url.replace("broadcaster.db", f"lan-{number}.db")
            restore(
                settings_for(tmp_path / f"nhà {number}", target), made, now=NOW + timedelta(days=number + 1)
            )
            (row,) = rows_of(target)["station"]
            seen.append(row[sorted(column.name for column in Station.__table__.columns).index("epoch")])
    assert 1 < seen[0] < seen[1]


# ------------------------------------------------------------------------------------- nothing is written


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_backup_that_is_not_whole_is_refused_and_nothing_is_written(
    small: Settings, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    made = backup(small, tmp_path / "usb", now=NOW)
    check(made)
    spoil(made)
    home = tmp_path / "máy mới"
    target = load(environ={}, home=home)
    with pytest.raises(StoreError) as caught:
        restore(target, made, now=NOW)
    assert caught.value.message.endswith(".")
    assert not home.exists()


def test_what_the_manifest_does_not_list_is_not_brought_along(small: Settings, tmp_path: Path) -> None:
    made = backup(small, tmp_path / "usb", now=NOW)
    (made / "keys" / "admin.key").write_bytes(b"planted")
    (made / "Thumbs.db").write_bytes(b"left by a file manager")
    target = load(environ={}, home=tmp_path / "máy mới")
    restore(target, made, now=NOW)
    assert sorted(path.name for path in target.keys.iterdir()) == ["link.key", "session.key", "signing.key"]


def test_existing_data_is_never_overwritten(
    station: Settings, elsewhere: Settings, database: Database, tmp_path: Path
) -> None:
    made = backup(station, tmp_path / "usb", now=NOW)
    restore(elsewhere, made, now=NOW)
    before, files = rows_of(elsewhere.database_url), files_under(elsewhere.home)
    with database.writing() as session:
        session.scalars(select(Station)).one().name = "Đã đổi"
    later = backup(station, tmp_path / "usb", now=NOW + timedelta(minutes=1))
    with pytest.raises(StoreError, match="đã có dữ liệu|Đã có dữ liệu"):
        restore(elsewhere, later, now=NOW)
    assert rows_of(elsewhere.database_url) == before
    assert files_under(elsewhere.home) == files


def test_a_log_without_its_database_is_not_played_into_the_restored_one(
    small: Settings, tmp_path: Path
) -> None:
    made = backup(small, tmp_path / "usb", now=NOW)
    target = load(environ={}, home=tmp_path / "máy mới")
    target.var.mkdir(parents=True)
    (target.var / "broadcaster.db-wal").write_bytes(b"of another life")
    with pytest.raises(StoreError, match="broadcaster.db-wal"):
        restore(target, made, now=NOW)


def test_a_backup_of_one_kind_of_database_is_not_restored_into_the_other(
    station: Settings, tmp_path: Path
) -> None:
    made = backup(station, tmp_path / "usb", now=NOW)
    other = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    url = other if station.database_url.startswith("sqlite") else f"sqlite:///{tmp_path / 'khác.db'}"
    home = tmp_path / "máy khác"
    with pytest.raises(StoreError, match="store.database_url"):
        restore(settings_for(home, url), made, now=NOW)
    assert list(home.iterdir()) == []


def test_settings_that_point_elsewhere_are_told_before_anything_is_written(
    small: Settings, tmp_path: Path
) -> None:
    (small.home / "broadcaster.toml").write_text(
        '[store]\nblobs_url = "/o-dia-cu/am-thanh"\n', encoding="utf-8"
    )
    made = backup(small, tmp_path / "usb", now=NOW)
    target = load(environ={}, home=tmp_path / "máy mới")
    with pytest.raises(StoreError, match="store.blobs_url"):
        restore(target, made, now=NOW)
    assert not target.home.exists()
