"""What every screen needs, made once by `create_app` and asked for by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from flask import current_app, g
from sqlalchemy.orm import Session

from broadcaster.config import Settings
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import Keys
from broadcaster.store.queue import Doorbell
from broadcaster.store.tables import Station

Row = TypeVar("Row")


@dataclass(frozen=True)
class Deps:
    """The station's database, settings, keys, files and render bell, as the web process holds them."""

    db: Database
    settings: Settings
    keys: Keys
    blobs: Blobs
    doorbell: Doorbell

    def close(self) -> None:
        """Let go of the database and the queue."""
        self.doorbell.close()
        self.db.dispose()


def deps() -> Deps:
    """The current app's dependencies."""
    return cast(Deps, current_app.extensions["broadcaster"])


def now() -> datetime:
    """The instant of this request, aware UTC: the same through the whole request."""
    if "now" not in g:
        g.now = cast(Callable[[], datetime], current_app.config["NOW"])()
    return cast(datetime, g.now)


def station() -> Station:
    """The station of the person signed in, or of the village link (loaded by the guard)."""
    return cast(Station, g.station)


def kept(session: Session, row: Row) -> Row:
    """The row, usable after its session has ended (its columns; not its relations)."""
    session.expunge(row)
    return row


def today() -> date:
    """Today's date at the station."""
    return now().astimezone(ZoneInfo(station().zone)).date()


@contextmanager
def reading() -> Iterator[Session]:
    """A session for questions that sees this station only; inside another one, the same."""
    opened: Session | None = g.get("reading")
    if opened is not None and opened.info["station_id"] == station().id:
        yield opened
        return
    with deps().db.reading(station_id=station().id) as session:
        g.reading = session
        try:
            yield session
        finally:
            g.pop("reading", None)


@contextmanager
def writing() -> Iterator[Session]:
    """A session for changes that sees this station only; commits at its end."""
    with deps().db.writing(station_id=station().id) as session:
        yield session
