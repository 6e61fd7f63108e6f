"""Full disks, other people's files, damaged sounds, missing tools: a backup is whole or not there."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from broadcaster.config import Settings, load
from broadcaster.errors import StoreError
from broadcaster.store import backup as room
from broadcaster.store.backup import backup, check, restore
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import load_keys
from broadcaster.store.shelf import clear_unfinished, prune
from broadcaster.upkeep import Night
from tests.support.backups import NOW, SOUNDS, files_under, rows_of

ROOT = Path(__file__).resolve().parents[2]

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


KILLED = """
import sys, time
from datetime import datetime
from pathlib import Path
import broadcaster.store.backup as room
from broadcaster.config import load

def copy(source, target):
    target.write_bytes(b"half")
    print("half", flush=True)
    time.sleep(120)

room._copy_sqlite = copy
room.backup(load(environ={}, home=Path(sys.argv[1])), Path(sys.argv[2]), now=datetime.fromisoformat(sys.argv[3]))
"""


def test_what_a_killed_backup_leaves_is_cleared_by_the_next_one_and_by_the_clock_but_never_while_it_runs(
    small: Settings, tmp_path: Path
) -> None:
    usb = tmp_path / "usb"
    command = [sys.executable, "-c", KILLED, str(small.home), str(usb), NOW.isoformat()]
    half = usb / "sao-luu-20261123-200000.dang-ghi"
    for cleared_by in ("backup", "clock"):
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"half\n"
            if cleared_by == "backup":
                whole = backup(small, usb, now=NOW + timedelta(minutes=1))
            assert clear_unfinished(usb) == []
            assert (half / "database.sqlite").read_bytes() == b"half", "somebody is still writing it"
            writer.kill()
        assert half.is_dir()
        if cleared_by == "backup":
            second = backup(small, usb, now=NOW + timedelta(minutes=2))
            check(whole)
            check(second)
        else:
            Night(load(environ={}, home=small.home, flags={"backup.folder": str(usb)}))
        assert not half.exists()
    assert sorted(path.name for path in usb.iterdir()) == [whole.name, second.name]


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
