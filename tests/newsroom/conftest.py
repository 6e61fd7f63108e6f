from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from broadcaster.model import Role, SpokenSentence, Take
from broadcaster.newsroom import bulletins as room
from broadcaster.store.db import Database
from broadcaster.store.tables import Bulletin, Decision, Revision, Station, User
from tests.support.databases import upgraded

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TEXT = "Sáng mai trạm y tế xã tiêm phòng cho trẻ em. Mời bà con đưa các cháu đến đúng giờ."


@dataclass
class House:
    """A station and its people; `other` is a station next door with an author of its own."""

    station: Station
    author: User
    colleague: User
    approver: User
    technician: User
    admin: User
    other: Station
    stranger: User


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with upgraded("sqlite", tmp_path) as database:
        yield database


@pytest.fixture
def house(db: Database) -> House:
    with db.writing() as session:
        stations = [
            Station(slug=slug, name=f"Xã {slug}", call_sign=f"Đài truyền thanh xã {slug}", created_at=NOW)
            for slug in ("nha", "ben-canh")
        ]
        session.add_all(stations)
        session.flush()

        def person(name: str, role: Role, station: Station = stations[0]) -> User:
            user = User(
                station_id=station.id, username=name, display_name=name.title(), password_hash="-", role=role,
                created_at=NOW,
            )  # fmt: skip
            session.add(user)
            return user

        return House(
            stations[0],
            person("soan", Role.AUTHOR),
            person("ban", Role.AUTHOR),
            person("duyet", Role.APPROVER),
            person("kythuat", Role.TECHNICIAN),
            person("quantri", Role.ADMINISTRATOR),
            stations[1],
            person("la", Role.AUTHOR, stations[1]),
        )


@pytest.fixture
def session(db: Database, house: House) -> Iterator[Session]:
    """One writing session of the station: each test is one transaction."""
    with db.writing(station_id=house.station.id) as opened:
        yield opened


def a_take(letter: str = "a") -> Take:
    return Take(
        sha256=letter * 64, voice="silent", speed=1.0, duration_ms=1500,
        sentences=(SpokenSentence("Xin chào bà con.", 0, 66_150),), why="",
    )  # fmt: skip


def a_bulletin(session: Session, house: House, text: str = TEXT, **more: object) -> Bulletin:
    values: dict[str, object] = {"title": "Lịch tiêm phòng", **more}
    return room.create_bulletin(
        session, station_id=house.station.id, author=house.author, text=text, now=NOW, **values
    )  # type: ignore[arg-type]


def edit(session: Session, bulletin: Bulletin, actor: User, **changes: object) -> Bulletin:
    values: dict[str, object] = {
        "version": bulletin.version, "title": bulletin.title, "text": bulletin.draft_text,
        "topic_id": bulletin.topic_id, "priority": bulletin.priority, "read_twice": bulletin.read_twice,
        **changes,
    }  # fmt: skip
    return room.save_draft(session, bulletin.id, actor=actor, now=NOW, **values)  # type: ignore[arg-type]


def submitted(session: Session, house: House, bulletin: Bulletin, take: str | None = "a") -> Revision:
    revision = room.submit(session, bulletin.id, version=bulletin.version, actor=house.author, now=NOW)
    if take:
        room.freeze_take(session, revision.id, a_take(take), voice_label="giọng thử", now=NOW)
        session.refresh(revision)
    return revision


def approve(session: Session, revision: Revision, actor: User, **changed: str) -> Decision:
    seen = {
        "text_sha256": revision.text_sha256,
        "reading_sha256": revision.reading_sha256,
        "take_sha256": revision.take.sha256 if revision.take else "",
        **changed,
    }
    return room.approve(session, revision.id, actor=actor, now=NOW, **seen)
