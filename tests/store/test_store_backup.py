"""A backup is the whole station, made while it runs; restoring gives the same station, or nothing at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, create_engine, func, select

from broadcaster.config import Settings, load
from broadcaster.errors import StoreError
from broadcaster.store import backup as room
from broadcaster.store.backup import backup, check, prune, restore
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import load_keys
from broadcaster.store.tables import Audit, Station
from tests.support.commune import bulletin, found, furnish, slot
from tests.support.databases import empty_url

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
SOUNDS = (b"chuong trinh" * 5000, b"ban thu" * 9000, b"nhac hieu")


def settings_for(home: Path, url: str, *, toml: str = "") -> Settings:
    home.mkdir(exist_ok=True)
    if toml:
        (home / "broadcaster.toml").write_text(toml, encoding="utf-8")
    return load(environ={}, home=home, flags={"store.database_url": url})


@pytest.fixture
def station(database: Database, tmp_path: Path) -> Settings:
    """A station with rows, keys, sounds and a settings file, on each kind of database."""
    settings = settings_for(tmp_path / "đài", database.url, toml="[web]\nport = 8123\n")
    with database.writing() as session:
        commune = found(session)
        furnish(session, commune)
        for title in ("Tiêm phòng sởi", "Cắt điện ngày mai"):
            bulletin(session, commune, title)
        slot(session, commune)
    load_keys(settings.keys)
    blobs = Blobs(settings.blobs_url)
    for data in SOUNDS:
        blobs.put(data, suffix="mp3")
    return settings


@pytest.fixture
def elsewhere(database: Database, tmp_path: Path) -> Iterator[Settings]:
    """An empty home and an empty database of the same kind."""
    (tmp_path / "trống").mkdir()
    with empty_url("sqlite" if database.is_sqlite else "postgresql", tmp_path / "trống") as url:
        yield settings_for(tmp_path / "máy mới", url)


@pytest.fixture
def small(tmp_path: Path) -> Settings:
    """A station of one table row on SQLite, for the tests that only look at files."""
    from broadcaster.store.upgrade import upgrade

    settings = load(environ={}, home=tmp_path)
    settings.var.mkdir()
    upgrade(settings)
    load_keys(settings.keys)
    Blobs(settings.blobs_url).put(SOUNDS[0], suffix="mp3")
    return settings


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in an order of its own."""
    engine = create_engine(url)
    try:
        metadata = MetaData()
        metadata.reflect(engine)
        with engine.connect() as connection:
            return {
                table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
                for table in metadata.sorted_tables
            }
    finally:
        engine.dispose()


def files_under(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


# --------------------------------------------------------------------------------------- there and back


def test_a_restored_station_has_the_same_rows_sounds_and_keys_and_a_higher_epoch(
    station: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    before = rows_of(station.database_url)
    made = backup(station, tmp_path / "usb", now=NOW)
    assert made.name == "sao-luu-20261123-200000"
    restore(elsewhere, made, now=NOW)

    after = rows_of(elsewhere.database_url)
    columns = [column.name for column in Station.__table__.columns]
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
            seen.append(row[[column.name for column in Station.__table__.columns].index("epoch")])
    assert 1 < seen[0] < seen[1]


# ------------------------------------------------------------------------------------- nothing is written


def remove_sound(folder: Path) -> None:
    next(folder.glob("blobs/*/*")).unlink()


def change_sound(folder: Path) -> None:
    path = next(folder.glob("blobs/*/*"))
    path.write_bytes(b"X" + path.read_bytes()[1:])


def cut_database(folder: Path) -> None:
    path = next(folder.glob("database.*"))
    path.write_bytes(path.read_bytes()[:-100])


def change_key(folder: Path) -> None:
    (folder / "keys" / "link.key").write_bytes(b"0" * 32)


def cut_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "manifest.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        change(data)
        path.write_text(json.dumps(data), encoding="utf-8")

    return edit


def climb_out(folder: Path) -> None:
    (folder.parent / "ngoài.key").write_bytes(b"x")
    digest = hashlib.sha256(b"x").hexdigest()
    edited(lambda data: data["files"].update({"keys/../../ngoài.key": digest}))(folder)


def point_out(folder: Path) -> None:
    outside = folder.parent / "ngoài.key"
    outside.write_bytes(b"x")
    try:
        (folder / "keys" / "them.key").symlink_to(outside)
    except OSError:
        pytest.skip("no symbolic links here")
    edited(lambda data: data["files"].update({"keys/them.key": hashlib.sha256(b"x").hexdigest()}))(folder)


def name_the_whole_machine(folder: Path) -> None:
    outside = folder.parent / "ngoài.key"
    outside.write_bytes(b"x")
    edited(lambda data: data["files"].update({str(outside): hashlib.sha256(b"x").hexdigest()}))(folder)


def rename_a_sound(folder: Path) -> None:
    old = next(folder.glob("blobs/*/*"))
    name = "ab" * 32 + ".mp3"
    (folder / "blobs" / "ab").mkdir()
    old.rename(folder / "blobs" / "ab" / name)
    was = f"blobs/{old.parent.name}/{old.name}"
    edited(lambda data: data["files"].update({f"blobs/ab/{name}": data["files"].pop(was)}))(folder)


SPOILT = (
    remove_sound, change_sound, cut_database, change_key, cut_manifest, climb_out, point_out,
    name_the_whole_machine, rename_a_sound,
    lambda folder: (folder / "manifest.json").unlink(),
    lambda folder: (folder / "manifest.json").write_text("[]"),
    edited(lambda data: data.pop("files")),
    edited(lambda data: data.update(files=["keys/link.key"])),
    edited(lambda data: data.pop("database")),
    edited(lambda data: data.update(database="keys/link.key")),
    edited(lambda data: data["files"].pop(data["database"])),
    edited(lambda data: data.update(format=99)),
    edited(lambda data: data.update(schema="9999_future")),
)  # fmt: skip


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


# -------------------------------------------------------------------------------------- while backing up


def test_a_full_disk_leaves_no_half_backup(
    small: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_source: Path, _target: Path) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(room, "_copy", full)
    with pytest.raises(StoreError, match="No space left on device"):
        backup(small, tmp_path / "usb", now=NOW)
    assert list((tmp_path / "usb").iterdir()) == []


def test_a_full_disk_under_the_database_copy_leaves_no_half_backup(
    small: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(room, "_copy_sqlite", full)
    with pytest.raises(StoreError, match="disk is full"):
        backup(small, tmp_path / "usb", now=NOW)
    assert list((tmp_path / "usb").iterdir()) == []


def test_a_full_disk_while_restoring_leaves_no_database_and_can_be_run_again(
    small: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = backup(small, tmp_path / "usb", now=NOW)
    target = load(environ={}, home=tmp_path / "máy mới")
    whole = room.upgrade

    def full(_url: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(room, "upgrade", full)
    with pytest.raises(StoreError, match="chạy lại lệnh này"):
        restore(target, made, now=NOW)
    assert [path.name for path in target.var.iterdir()] == ["keys"]
    monkeypatch.setattr(room, "upgrade", whole)
    restore(target, made, now=NOW)
    assert rows_of(target.database_url)["alembic_version"]


def test_a_second_backup_in_the_same_second_does_not_touch_the_first(small: Settings, tmp_path: Path) -> None:
    made = backup(small, tmp_path / "usb", now=NOW)
    files = files_under(made)
    with pytest.raises(StoreError, match="chờ một giây"):
        backup(small, tmp_path / "usb", now=NOW)
    assert files_under(made) == files
    under_way = tmp_path / "usb" / "sao-luu-20261123-200001.dang-ghi"
    under_way.mkdir()
    with pytest.raises(StoreError):
        backup(small, tmp_path / "usb", now=NOW + timedelta(seconds=1))
    assert under_way.is_dir()


def test_half_written_files_of_others_are_not_part_of_a_backup(small: Settings, tmp_path: Path) -> None:
    blob = next(Path(small.blobs_url).glob("*/*"))
    (blob.parent / ".dang-ghi.part").write_bytes(b"half")
    (small.keys / "link.123.new").write_bytes(b"half")
    names = check(backup(small, tmp_path / "usb", now=NOW)).files
    assert not any(name.endswith((".part", ".new")) for name in names)


def test_a_damaged_sound_is_named_and_the_rest_is_saved(
    small: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blobs = Blobs(small.blobs_url)
    bad = blobs.put(SOUNDS[1], suffix="mp3")
    blobs.path(bad, suffix="mp3").write_bytes(b"hong")
    made = backup(small, tmp_path / "usb", now=NOW)
    assert bad in caplog.text
    names = check(made).files
    assert f"blobs/{bad[:2]}/{bad}.mp3" not in names
    assert sum(name.startswith("blobs/") for name in names) == 1


def test_sounds_that_retention_takes_away_meanwhile_are_kept_and_new_ones_are_in_too(
    small: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs, copy_database = Blobs(small.blobs_url), room._copy_sqlite
    old = hashlib.sha256(SOUNDS[0]).hexdigest()
    made_meanwhile = []

    def meanwhile(source: Path, target: Path) -> str:
        blobs.delete(old, suffix="mp3")
        made_meanwhile.append(blobs.put(SOUNDS[2], suffix="mp3"))
        return copy_database(source, target)

    monkeypatch.setattr(room, "_copy_sqlite", meanwhile)
    names = check(backup(small, tmp_path / "usb", now=NOW)).files
    for sha256 in (old, *made_meanwhile):
        assert f"blobs/{sha256[:2]}/{sha256}.mp3" in names


@pytest.mark.parametrize("form", ["file://{}", "{}"])
def test_the_store_of_sounds_may_be_a_file_url_or_a_link(small: Settings, tmp_path: Path, form: str) -> None:
    real = tmp_path / "ổ lớn"
    shutil.move(small.blobs_url, real)
    try:
        Path(small.blobs_url).symlink_to(real, target_is_directory=True)
    except OSError:
        pytest.skip("no symbolic links here")
    place = form.format(real if "//" in form else small.blobs_url)
    settings = load(environ={}, home=small.home, flags={"store.blobs_url": place})
    made = backup(settings, tmp_path / "usb", now=NOW)
    saved = next((made / "blobs").glob("*/*"))
    assert not saved.is_symlink()
    assert saved.read_bytes() == SOUNDS[0]
    target = load(
        environ={}, home=tmp_path / "máy mới", flags={"store.blobs_url": form.format(tmp_path / "kho mới")}
    )
    restore(target, made, now=NOW)
    assert Blobs(target.blobs_url).get(saved.stem, suffix="mp3") == SOUNDS[0]


def test_sounds_of_a_remote_store_are_fetched_and_sent_back(
    small: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is no folder: everything goes through its own doors."""
    import obstore.store

    from broadcaster.store import blobs as blobs_room

    shelves = {"memory:///cu": obstore.store.MemoryStore(), "memory:///moi": obstore.store.MemoryStore()}
    monkeypatch.setattr(blobs_room, "_opened", shelves.__getitem__)
    settings = load(environ={}, home=small.home, flags={"store.blobs_url": "memory:///cu"})
    sha256 = Blobs("memory:///cu", cache=tmp_path / "cache").put(SOUNDS[1], suffix="flac")
    made = backup(settings, tmp_path / "usb", now=NOW)
    assert (made / f"blobs/{sha256[:2]}/{sha256}.flac").read_bytes() == SOUNDS[1]
    target = load(environ={}, home=tmp_path / "máy mới", flags={"store.blobs_url": "memory:///moi"})
    restore(target, made, now=NOW)
    assert Blobs("memory:///moi", cache=tmp_path / "cache 2").get(sha256, suffix="flac") == SOUNDS[1]


def test_without_a_database_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Chưa có cơ sở dữ liệu"):
        backup(load(environ={}, home=tmp_path), tmp_path / "usb", now=NOW)
    assert list((tmp_path / "usb").iterdir()) == []


def test_a_backup_of_an_older_version_is_upgraded_on_the_way(tmp_path: Path) -> None:
    from alembic import command

    from broadcaster.store.upgrade import alembic_config, check_version

    settings = load(environ={}, home=tmp_path)
    settings.var.mkdir()
    load_keys(settings.keys)
    db = Database(settings.database_url)
    try:
        with db.engine.begin() as connection:
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "0003")
    finally:
        db.dispose()
    made = backup(settings, tmp_path / "usb", now=NOW)
    target = load(environ={}, home=tmp_path / "máy mới")
    restore(target, made, now=NOW)
    check_version(target.database_url)


# ------------------------------------------------------------------------------------------------ prune


def test_pruning_keeps_the_newest_and_never_the_last_one_away(tmp_path: Path) -> None:
    for name in ("sao-luu-20260101-000000", "sao-luu-20260201-000000", "sao-luu-20260301-000000", "ảnh",
                 "sao-luu-20260401-000000.dang-ghi"):  # fmt: skip
        (tmp_path / name).mkdir()
    gone = prune(tmp_path, keep=2)
    assert [path.name for path in gone] == ["sao-luu-20260101-000000"]
    assert prune(tmp_path, keep=2) == []
    prune(tmp_path, keep=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "sao-luu-20260301-000000", "sao-luu-20260401-000000.dang-ghi", "ảnh",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------- PostgreSQL


def test_a_missing_tool_of_postgresql_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreError, match="Không thấy lệnh pg_dump"):
        room._postgresql("postgresql+psycopg://nobody@127.0.0.1:9/none", "pg_dump")


def test_a_password_never_stands_in_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.name == "nt":
        pytest.skip("needs a shell script")
    tool = tmp_path / "pg_dump"
    tool.write_text('#!/bin/sh\necho "$@" > "$OUT"\necho "$PGPASSWORD" >> "$OUT"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("OUT", str(tmp_path / "out"))
    room._postgresql("postgresql+psycopg://dai:b%40ng@db:5433/dai", "pg_dump", "--format=custom")
    arguments, password = (tmp_path / "out").read_text().splitlines()
    assert arguments == "--dbname=postgresql://dai@db:5433/dai --format=custom"
    assert password == "b@ng"
