"""A station worth backing up, and ways to spoil a backup of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, create_engine, select

from broadcaster.config import Settings, load
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import load_keys
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
    """Every row of every table, in an order of its own; a row's values by the names of their columns, since a
    migrated table holds its columns in the order they came."""
    engine = create_engine(url)
    try:
        metadata = MetaData()
        metadata.reflect(engine)
        with engine.connect() as connection:
            return {
                table.name: sorted(
                    (tuple(row) for row in connection.execute(select(*sorted(table.columns, key=_name)))),
                    key=repr,
                )
                for table in metadata.sorted_tables
            }
    finally:
        engine.dispose()


def _name(column: Column[Any]) -> str:
    return column.name


def files_under(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


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
