"""What pages ask about emergencies: those in force, those that wait, those to be reviewed, and one's airings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from broadcaster.store.tables import Airing, Emergency, Receiver, RenderJob, Revision, Station


@dataclass(frozen=True, slots=True)
class Board:
    """Emergencies as people must see them now, newest first."""

    running: tuple[Emergency, ...]  # accepted and not yet over
    waiting: tuple[Emergency, ...]  # for the second person
    to_review: tuple[Emergency, ...]  # put on the air by one person alone


def board(session: Session, *, now: datetime) -> Board:
    """One query, for the head of every page."""
    rows = session.scalars(
        select(Emergency)
        .where(
            (Emergency.state.in_(["waiting", "accepted"]) & (Emergency.expires_at > now))
            | (
                (Emergency.persons == 1)
                & Emergency.reviewed_at.is_(None)
                & Emergency.state.in_(["accepted", "cancelled"])
            )
        )
        .order_by(Emergency.id.desc())
        .options(selectinload(Emergency.revision), selectinload(Emergency.requested_by))
    ).all()
    return Board(
        running=tuple(row for row in rows if row.state == "accepted" and row.expires_at > now),
        waiting=tuple(row for row in rows if row.state == "waiting"),
        to_review=tuple(
            row for row in rows if row.persons == 1 and row.decided_at is not None and row.reviewed_at is None
        ),
    )


def history(session: Session, *, limit: int = 30) -> list[Emergency]:
    """The latest wishes, whatever became of them."""
    return list(
        session.scalars(
            select(Emergency)
            .order_by(Emergency.id.desc())
            .limit(limit)
            .options(
                selectinload(Emergency.revision).selectinload(Revision.bulletin),
                selectinload(Emergency.requested_by),
                selectinload(Emergency.decided_by),
            )
        )
    )


def airings_of(session: Session, emergency_id: int) -> list[Airing]:
    """Every airing an accepted emergency has, in order."""
    return list(
        session.scalars(
            select(Airing).where(Airing.emergency_id == emergency_id).order_by(Airing.planned_at, Airing.id)
        )
    )


@dataclass(frozen=True, slots=True)
class Told:
    """Which players hold the plan as it is now, by their own last word.  `behind` may still play the old one."""

    up_to_date: tuple[str, ...]
    behind: tuple[tuple[str, datetime | None], ...]  # name, when it was last heard


def told(session: Session, station: Station) -> Told:
    """Every paired player: does it know of the latest change?"""
    rows = session.scalars(
        select(Receiver)
        .where(Receiver.station_id == station.id, Receiver.revoked_at.is_(None), Receiver.token_hash != "")
        .order_by(Receiver.name)
    ).all()
    now_at = (station.epoch, station.plan_version)

    def knows(row: Receiver) -> bool:
        beat = row.heartbeat
        held = (beat.get("epoch", station.epoch), beat.get("version", 0))
        return all(isinstance(one, int) for one in held) and held >= now_at

    return Told(
        up_to_date=tuple(row.name for row in rows if knows(row)),
        behind=tuple((row.name, row.last_seen_at) for row in rows if not knows(row)),
    )


def sound_job(session: Session, row: Emergency) -> RenderJob | None:
    """The work that makes the message's sound: its take first, then the message itself."""
    kind, key = ("emergency", row.programme_key)
    if row.revision.take_id is None:
        kind, key = "take", str(row.revision_id)
    return session.scalar(
        select(RenderJob).where(
            RenderJob.station_id == row.station_id, RenderJob.kind == kind, RenderJob.key == key
        )
    )
