"""What several commands share: the opened station and the `--station` option."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import inspect, select

from broadcaster.config import Settings, load
from broadcaster.errors import InputError, StoreError
from broadcaster.store.db import Database
from broadcaster.store.tables import Station
from broadcaster.store.upgrade import upgrade

station_option = click.option("--station", help="Mã đài, khi máy này có nhiều đài.")


@contextmanager
def opened(*, make: bool = False) -> Iterator[tuple[Settings, Database]]:
    """Settings and a database brought up to date; closed at the end.  `make`: an empty one when there is none."""
    settings = load()
    if make:
        settings.var.mkdir(parents=True, exist_ok=True)
        upgrade(settings.database_url)
    else:
        bring_up_to_date(settings)
    db = Database(settings.database_url)
    try:
        yield settings, db
    finally:
        db.dispose()


def bring_up_to_date(settings: Settings) -> None:
    """Upgrade the database that is there; StoreError when there is none, or a newer program made it.

    Only `init`, `restore` and `archive import` make a database: one made by asking for the plan would stand in a restore's way.
    """
    if not _database_exists(settings.database_url):
        raise StoreError("Chưa có đài nào trên máy này. Hãy chạy: python -m broadcaster init")
    upgrade(settings.database_url)


def _database_exists(url: str) -> bool:
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).exists()
    db = Database(url)
    try:
        with db.reading() as session:
            return inspect(session.connection()).has_table("alembic_version")
    finally:
        db.dispose()


def the_station(db: Database, slug: str | None) -> Station:
    """The station named, or the only one there is; a sentence otherwise."""
    with db.reading() as session:
        stations = session.scalars(select(Station).order_by(Station.slug)).all()
    if not stations:
        raise StoreError("Chưa có đài nào. Hãy chạy: python -m broadcaster init")
    if slug is None:
        if len(stations) == 1:
            return stations[0]
        raise InputError("Máy này có nhiều đài. Hãy thêm --station: " + ", ".join(s.slug for s in stations))
    for station in stations:
        if station.slug == slug:
            return station
    raise InputError(f"Không có đài “{slug}”. Các đài: " + ", ".join(s.slug for s in stations))
