"""What the whole room shares about airings: which may still change, how they are named, who is told."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from broadcaster.errors import NotFound, Refused
from broadcaster.model import AiringState
from broadcaster.store.tables import Airing, Station, Variant, VariantItem, Village

CLOCK = "đồng hồ đài"  # who the book names where no person acted
OPEN = (AiringState.PLANNED, AiringState.CLOSED)


def not_started(airing: Airing, now: datetime) -> bool:
    """True while nothing of it can have sounded: what has started is frozen, also before the clock says so."""
    return airing.state in OPEN and airing.planned_at > now


def new_airing_id(now: datetime) -> str:
    """A UUID (version 7: it begins with the time it was made, so ids sort by age)."""
    milliseconds = int(now.timestamp() * 1000)
    number = (
        (milliseconds << 80)
        | (0x7 << 76)
        | (secrets.randbits(12) << 64)
        | (0b10 << 62)
        | secrets.randbits(62)
    )
    return str(uuid.UUID(int=number))


def called(airing: Airing) -> str:
    """How messages name an airing: “Buổi sáng” 05:30 ngày 24/11/2026."""
    return f"“{airing.name}” {airing.start_local:%H:%M} ngày {airing.local_date:%d/%m/%Y}"


def load_airing(session: Session, airing_id: str, *, to_change: bool = False) -> Airing:
    """One airing with its variants and running orders; NotFound when there is none here.

    `to_change` locks its row (PostgreSQL; SQLite has one writer anyway): of two officers the second sees
    what the first has done.
    """
    query = select(Airing).where(Airing.id == airing_id)
    if to_change:
        query = query.with_for_update().execution_options(populate_existing=True)
    airing = session.scalar(
        query.options(
            selectinload(Airing.variants).selectinload(Variant.items).selectinload(VariantItem.bulletin)
        )
    )
    if airing is None:
        raise NotFound("Không tìm thấy buổi phát này ở đài. Hãy mở lại lịch phát và chọn buổi khác.")
    return airing


def load_changeable(session: Session, airing_id: str, *, now: datetime) -> Airing:
    """The same, Refused once it has started or will not sound."""
    airing = load_airing(session, airing_id, to_change=True)
    if airing.state in (AiringState.SKIPPED, AiringState.CANCELLED):
        raise Refused(
            f"Buổi {called(airing)} sẽ không phát ({airing.reason or 'đã bỏ'}), nên không sửa được nữa.",
            remedies=("Chọn buổi phát khác.", "Thêm một buổi phát bổ sung."),
        )
    if not not_started(airing, now):
        raise Refused(
            f"Buổi {called(airing)} đã tới giờ phát, nội dung không sửa được nữa.",
            remedies=("Chọn buổi phát sau.", "Thêm một buổi phát bổ sung."),
        )
    return airing


def station_of(session: Session, station_id: int) -> Station:
    """The station of a row; its absence is our own bug."""
    station = session.get(Station, station_id)
    assert station is not None, "a root row carries its station"
    return station


def bump_plan(session: Session, station_id: int) -> None:
    """Raise the station's plan version: receivers hear of it at their next doorbell."""
    session.execute(
        update(Station)
        .where(Station.id == station_id)
        .values(plan_version=Station.plan_version + 1)
        .execution_options(synchronize_session="fetch")
    )


def villages_on(villages: Sequence[Village], day: date) -> list[Village]:
    """Those of `villages` that exist on that date."""
    return [
        village
        for village in villages
        if (village.valid_from is None or village.valid_from <= day)
        and (village.valid_to is None or day <= village.valid_to)
    ]
