"""From an empty folder to a station that works: database, keys, sample station, accounts, its own player.

Everything here may be run again: what exists is kept, what is missing is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.config import CHECKOUT, Settings
from broadcaster.delivery.links import village_token
from broadcaster.delivery.receivers import add_receiver, issue_token
from broadcaster.model import Role
from broadcaster.newsroom.bulletins import create_bulletin
from broadcaster.newsroom.importing import import_document
from broadcaster.newsroom.people import add_user, new_password
from broadcaster.playout.pairing import read_pairing, write_pairing
from broadcaster.schedule.stationfile import load_content, load_station
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import Keys, load_keys
from broadcaster.store.tables import Receiver, Station, User, Village
from broadcaster.store.upgrade import upgrade

OWN_PLAYER = "Máy phát của đài"
SAMPLE = CHECKOUT / "schedules" / "nhu-thanh"


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

    With `sample=False` the station gets its name, villages, week and jingles, but no accounts and no bulletins.
    """
    settings.var.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database_url)
    keys = load_keys(settings.keys)
    accounts: tuple[Account, ...] = ()
    db = Database(settings.database_url)
    try:
        with db.writing() as session:
            station = session.scalar(select(Station).order_by(Station.id))
            if station is None:
                blobs = Blobs(settings.blobs_url)
                station = load_station(session, folder, blobs=blobs, settings=settings, now=now)
                if sample:
                    accounts = _people(session, station, folder, settings, now=now)
        _pair_own_player(db, station.id, settings, keys, now=now)
    finally:
        db.dispose()
    return Installed(station.id, accounts)


def _pair_own_player(db: Database, station_id: int, settings: Settings, keys: Keys, *, now: datetime) -> None:
    """Give this machine's player its token, unless it has one (of this station or of another)."""
    place = settings.var / "player"
    if read_pairing(place) is not None:
        return
    with db.writing() as session:
        receiver = session.scalars(
            select(Receiver).where(
                Receiver.station_id == station_id, Receiver.name == OWN_PLAYER, Receiver.revoked_at.is_(None)
            )
        ).first() or add_receiver(session, station_id=station_id, name=OWN_PLAYER, now=now)
        token = issue_token(receiver)
        name = f"{session.get_one(Station, station_id).slug}/{receiver.id}"
    write_pairing(
        place, server=local_address(settings), token=token, public_key_hex=keys.public_key_hex, receiver=name
    )


def local_address(settings: Settings) -> str:
    """Where the station's own player finds the station: this machine, whatever address others use."""
    return f"http://127.0.0.1:{settings.integer('web.port')}"


def village_links(db: Database, keys: Keys, base_url: str) -> list[tuple[str, str]]:
    """Name and secret link of every village, in the villages' order."""
    with db.reading() as session:
        villages = session.scalars(select(Village).order_by(Village.position)).all()
    return [
        (village.name, f"{base_url}/t/{village_token(keys.link_key, village.id, village.link_generation)}")
        for village in villages
    ]


def _people(
    session: Session, station: Station, folder: Path, settings: Settings, *, now: datetime
) -> tuple[Account, ...]:
    accounts = []
    people: dict[Role, User] = {}
    for username, name, role, title in SAMPLE_PEOPLE:
        password = new_password()
        people[role] = add_user(
            session, station_id=station.id, username=username, display_name=name, role=role,
            password=password, now=now,
        )  # fmt: skip
        accounts.append(Account(username, password, title))
    load_content(
        session, station, folder, settings=settings, author=people[Role.AUTHOR],
        approver=people[Role.APPROVER], now=now,
    )  # fmt: skip
    for path in sorted((folder / "bulletins").glob("*.docx")):
        document = import_document(path.read_bytes(), path.name)
        create_bulletin(
            session, station_id=station.id, author=people[Role.AUTHOR], title=document.title,
            text=document.text, source_name=path.name, notes=document.notes, now=now,
        )  # fmt: skip
    return tuple(accounts)
