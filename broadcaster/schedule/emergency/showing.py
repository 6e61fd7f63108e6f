"""What pages ask about emergencies: those in force, those that wait, those to be reviewed, and one's airings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from broadcaster.store.tables import Airing, Emergency, RenderJob, Revision


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
