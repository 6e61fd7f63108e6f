"""From an empty folder to a station that works: database, keys, sample station, accounts, its own player.

Everything here may be run again: what exists is kept, what is missing is made.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from broadcaster.config import CHECKOUT, Settings
from broadcaster.model import Role
from broadcaster.newsroom.people import add_user
from broadcaster.schedule.stationfile import load_station
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import load_keys
from broadcaster.store.tables import Station
from broadcaster.store.upgrade import upgrade

SAMPLE = CHECKOUT / "schedules" / "nhu-thanh"
# Letters that are not mistaken for one another when they are copied from a screen by hand.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Account:
    """A sample account; the password exists here and on the person's screen only."""

    username: str
    password: str
    title: str


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation made; `accounts` is empty when the station was there already."""

    station_id: int
    accounts: tuple[Account, ...] = field(default=())


SAMPLE_PEOPLE = (
    ("canbo", "Cán bộ văn hóa", Role.AUTHOR, "cán bộ văn hóa, soạn bản tin"),
    ("lanhdao", "Phó Chủ tịch", Role.APPROVER, "lãnh đạo, duyệt bản tin"),
    ("kythuat", "Kỹ thuật viên", Role.TECHNICIAN, "kỹ thuật, máy thu và cài đặt"),
    ("quantri", "Quản trị", Role.ADMINISTRATOR, "quản trị, người dùng"),
)


def install(settings: Settings, *, now: datetime, folder: Path = SAMPLE, sample: bool = True) -> Installed:
    """Create or upgrade the database and, on an empty one, load the station from `folder`.

    With `sample=False` the station gets its name and villages but no accounts and no bulletins.
    """
    settings.var.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database_url)
    load_keys(settings.keys)
    db = Database(settings.database_url)
    try:
        with db.reading() as session:
            station = session.scalar(select(Station).order_by(Station.id))
            if station is not None:
                return Installed(station.id)
        with db.writing() as session:
            blobs = Blobs(settings.blobs_url)
            loaded = load_station(session, folder, blobs=blobs, settings=settings, now=now, bulletins=sample)
            accounts = []
            people = {}
            if sample:
                for username, name, role, title in SAMPLE_PEOPLE:
                    password = "".join(secrets.choice(ALPHABET) for _ in range(10))
                    people[role] = add_user(
                        session, station_id=loaded.id, username=username, display_name=name, role=role,
                        password=password, now=now,
                    )  # fmt: skip
                    accounts.append(Account(username, password, title))
            return Installed(loaded.id, tuple(accounts))
    finally:
        db.dispose()
