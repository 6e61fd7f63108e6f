"""“Dừng ngay tất cả”: one person, at once, written down."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError
from broadcaster.model import AiringState
from broadcaster.newsroom.people import record
from broadcaster.schedule.emergency.accepting import cancel_emergency
from broadcaster.schedule.live import OPEN, bump_plan
from broadcaster.store.tables import Airing, Emergency, Station, User

LONGEST_AIR: Final = timedelta(hours=4)  # nothing that began before that can still sound


def may_sound(session: Session, station: Station, *, now: datetime) -> list[Airing]:
    """What may be sounding somewhere now: begun, not over by its longest length and its grace, not stopped."""
    rows = session.scalars(
        select(Airing)
        .where(
            Airing.station_id == station.id,
            Airing.planned_at <= now,
            Airing.planned_at > now - LONGEST_AIR,
            Airing.stopped_at.is_(None),
            Airing.state.in_([*OPEN, AiringState.STARTED]),
        )
        .order_by(Airing.planned_at, Airing.id)
    )
    return [
        row for row in rows if now < row.planned_at + timedelta(minutes=row.max_minutes, seconds=row.grace_s)
    ]


def stop_all(session: Session, station: Station, *, reason: str, actor: User, now: datetime) -> list[Airing]:
    """Order everything off the air, end the emergencies, and say what was stopped.

    What is stopped stays stopped; the next planned airing sounds as planned.
    """
    if not reason.strip():
        raise InputError("Hãy ghi lý do dừng tất cả; lý do được lưu vào nhật ký.")
    why = reason.strip()
    running = session.scalars(
        select(Emergency.id).where(
            Emergency.station_id == station.id, Emergency.state == "accepted", Emergency.expires_at > now
        )
    ).all()
    stopped = may_sound(session, station, now=now)
    for airing in stopped:
        airing.stopped_at, airing.stop_reason = now, why
    session.flush()
    for emergency_id in running:
        cancel_emergency(session, emergency_id, reason=why, actor=actor, now=now)
    record(
        session, station_id=station.id, actor=actor, action="dừng ngay tất cả", subject=station.slug,
        detail={"reason": why, "airings": [row.id for row in stopped], "emergencies": list(running)}, now=now,
    )  # fmt: skip
    bump_plan(session, station.id)
    return stopped
