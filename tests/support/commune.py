"""A small commune in the database: people, villages, bulletins in any state, slots.  Real rows, no fakes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.model import AiringState, BulletinState, Priority, Role
from broadcaster.schedule.airings import materialise
from broadcaster.schedule.checking import SlotForm
from broadcaster.schedule.rules import add_slot
from broadcaster.store.tables import (
    Airing,
    Bulletin,
    Decision,
    Jingle,
    Revision,
    Slot,
    Station,
    TakeRow,
    TemplateRevision,
    Topic,
    User,
    Village,
)

ZONE = "Asia/Ho_Chi_Minh"
MONDAY = date(2026, 11, 23)
WEEK = "mon,tue,wed,thu,fri,sat"


def at(text: str, day: date = MONDAY) -> datetime:
    """'05:30' at the station on `day`, as a UTC instant."""
    local = datetime.combine(day, time.fromisoformat(text))
    return (local - timedelta(hours=7)).replace(tzinfo=UTC)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Commune:
    station: Station
    author: User
    approver: User
    villages: list[Village]
    topic: Topic


def found(session: Session, *, slug: str = "nhu-thanh", villages: int = 3) -> Commune:
    """A station with an author, an approver, villages `thon-1`… and one topic."""
    now = at("00:00", date(2026, 1, 5))
    station = Station(
        slug=slug, name="Xã Thử", call_sign="Đây là Đài truyền thanh xã Thử.", zone=ZONE, created_at=now
    )
    session.add(station)
    session.flush()
    people = [
        User(
            station_id=station.id, username=f"{name}-{slug}", display_name=name, password_hash="x", role=role,
            created_at=now,
        )
        for name, role in (("soan", Role.AUTHOR), ("duyet", Role.APPROVER))
    ]  # fmt: skip
    places = [
        Village(station_id=station.id, slug=f"thon-{number}", name=f"Thôn {number}", position=number)
        for number in range(1, villages + 1)
    ]
    topic = Topic(station_id=station.id, slug="chuyen-doi-so", title="Chuyển đổi số")
    session.add_all([*people, *places, topic])
    session.flush()
    return Commune(station, people[0], people[1], places, topic)


def bulletin(
    session: Session,
    commune: Commune,
    title: str,
    *,
    state: BulletinState = BulletinState.APPROVED,
    seconds: int = 60,
    priority: Priority = Priority.ROUTINE,
    read_twice: bool = False,
    text: str = "Một bản tin.",
) -> Bulletin:
    """A bulletin; an approved or submitted one has a revision with a take of `seconds`."""
    now = at("00:00", date(2026, 1, 6))
    row = Bulletin(
        station_id=commune.station.id, title=title, topic_id=commune.topic.id, priority=priority,
        read_twice=read_twice, author_id=commune.author.id, state=state, draft_text=text, created_at=now,
        updated_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    if state in (BulletinState.APPROVED, BulletinState.SUBMITTED, BulletinState.WITHDRAWN):
        revise(session, commune, row, approved=state is BulletinState.APPROVED, seconds=seconds)
    return row


def revise(
    session: Session, commune: Commune, row: Bulletin, *, approved: bool, seconds: int = 60
) -> Revision:
    """A further revision of a bulletin, with its take."""
    now = at("00:00", date(2026, 1, 7))
    number = len(row.revisions) + 1
    mark = f"{commune.station.slug}/{row.id}/{number}"
    take = TakeRow(
        station_id=commune.station.id, sha256=sha("take " + mark), voice="silent", speed=1.0,
        duration_ms=seconds * 1000, sentences=[[row.title, 0, seconds * 24000]], created_at=now,
    )  # fmt: skip
    session.add(take)
    session.flush()
    revision = Revision(
        number=number, title=row.title, text=row.draft_text, text_sha256=sha("text " + mark),
        priority=row.priority, read_twice=row.read_twice, reading={}, reading_sha256=sha("reading " + mark), take_id=take.id,
        submitted_by_id=commune.author.id, submitted_at=now,
    )  # fmt: skip
    row.revisions.append(revision)
    session.flush()
    if approved:
        decide(session, commune, revision, "approved")
    return revision


def decide(session: Session, commune: Commune, revision: Revision, verdict: str) -> None:
    """What the approver says of a revision."""
    session.add(
        Decision(
            revision_id=revision.id, author_id=commune.author.id, approver_id=commune.approver.id,
            verdict=verdict, text_sha256=revision.text_sha256, reading_sha256=revision.reading_sha256,
            take_sha256=revision.take.sha256 if revision.take else "", at=at("01:00", date(2026, 1, 8)),
        )
    )  # fmt: skip
    session.flush()


def furnish(session: Session, commune: Commune) -> None:
    """An approved template and the station's sounds."""
    now = at("00:00", date(2026, 1, 5))
    for kind in ("opening", "closing", "cut", "chime", "bed", "alert"):
        session.add(
            Jingle(
                station_id=commune.station.id, kind=kind, title=kind, sha256=sha(kind), duration_ms=5000,
                source="thử", licence="CC0-1.0", created_at=now,
            )
        )  # fmt: skip
    session.add(
        TemplateRevision(
            station_id=commune.station.id, name="thuong", number=1, body={"name": "thuong"},
            jingles={kind: sha(kind) for kind in ("opening", "closing", "cut", "chime", "bed")}, sha256=sha("template"), author_id=commune.author.id, approved_by_id=commune.approver.id,
            approved_at=now, created_at=now,
        )
    )  # fmt: skip
    session.flush()


def slot(
    session: Session,
    commune: Commune,
    name: str = "Buổi sáng",
    start: str = "05:30",
    *,
    weekdays: str = WEEK,
    minutes: int = 15,
    villages: tuple[int, ...] = (),
    valid_from: date = date(2026, 1, 1),
    now: datetime | None = None,
) -> Slot:
    """A weekly slot through the station's own door."""
    form = SlotForm(
        name=name, weekdays=weekdays, start_local=time.fromisoformat(start), valid_from=valid_from,
        max_minutes=minutes, village_ids=villages,
    )  # fmt: skip
    return add_slot(session, commune.station, form, actor=commune.author, now=now or at("00:10"))


def plan_ahead(session: Session, commune: Commune, *, now: datetime | None = None, days: int = 14) -> int:
    """Airings of the coming days from the rules, as the clock makes them at night; how many are new."""
    return materialise(session, commune.station, today=MONDAY, now=now or at("00:30"), days=days)


def live_airings(session: Session) -> list[Airing]:
    """Those that are not cancelled, in order of time."""
    wanted = select(Airing).where(Airing.state != AiringState.CANCELLED).order_by(Airing.planned_at)
    return list(session.scalars(wanted))


def airing_on(session: Session, day: date) -> Airing:
    """The only one of a day."""
    (airing,) = [one for one in live_airings(session) if one.local_date == day]
    return airing
