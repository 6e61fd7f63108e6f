"""When an airing's content closes: what came too late goes into the next one, and an empty one gets a filler."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from broadcaster.errors import InputError, NotFound, Refused
from broadcaster.model import AiringState, BulletinState
from broadcaster.newsroom.approved import approved_revisions
from broadcaster.newsroom.people import record
from broadcaster.schedule.live import CLOCK
from broadcaster.schedule.running import length_ms
from broadcaster.store.tables import (
    Airing,
    Bulletin,
    Filler,
    Revision,
    Slot,
    Station,
    User,
    Variant,
    VariantItem,
)

MOST_FILLERS = 50


def carry_over(session: Session, airing: Airing, late: Sequence[VariantItem], *, now: datetime) -> list[int]:
    """Put what was not approved in time into the slot's next airing, at its head; bulletin ids carried.

    Only for slots that say so.  What was withdrawn is not carried; what the next airing already has, or has
    no room for, is left out: it stays in the book of this one with its reason.
    """
    if airing.slot_id is None or not session.get_one(Slot, airing.slot_id).carry_over:
        return []
    following = session.scalar(
        select(Airing)
        .where(
            Airing.slot_id == airing.slot_id,
            Airing.planned_at > airing.planned_at,
            Airing.state == AiringState.PLANNED,
        )
        .order_by(Airing.planned_at)
        .limit(1)
        .options(selectinload(Airing.variants).selectinload(Variant.items).selectinload(VariantItem.bulletin))
    )
    if following is None:
        return []
    carried: list[int] = []
    for bulletin in {item.bulletin_id: item.bulletin for item in late}.values():
        if bulletin.state is not BulletinState.WITHDRAWN and _put_first(session, following, bulletin):
            carried.append(bulletin.id)
    if carried:
        session.flush()
        record(
            session, station_id=airing.station_id, actor=CLOCK, action="chuyển sang buổi sau",
            subject=following.id, detail={"from": airing.id, "bulletins": carried}, now=now,
        )  # fmt: skip
    return carried


def fill(session: Session, airing: Airing, *, now: datetime) -> int | None:
    """Give an airing with nothing in it the filler that was heard longest ago; its bulletin id, or None."""
    rows = session.scalars(
        select(Filler)
        .where(Filler.station_id == airing.station_id)
        .order_by(Filler.position, Filler.id)
        .options(selectinload(Filler.bulletin).selectinload(Bulletin.revisions))
    ).all()
    if not rows:
        return None
    approved = approved_revisions(session, [row.bulletin_id for row in rows])
    heard = _last_heard(session, [row.bulletin_id for row in rows])
    fits = [
        row
        for row in rows
        if (revision := approved.get(row.bulletin_id)) is not None
        and revision.take is not None
        and length_ms(session, [row.bulletin]) <= airing.max_minutes * 60_000
    ]
    never = datetime.fromtimestamp(0, UTC)
    chosen = min(
        fits, key=lambda row: (heard.get(row.bulletin_id, never), row.position, row.id), default=None
    )
    if chosen is None:
        return None
    for variant in airing.variants:
        _fix(variant, chosen.bulletin, approved[chosen.bulletin_id])
    session.flush()
    record(
        session, station_id=airing.station_id, actor=CLOCK, action="dùng bản tin dự phòng", subject=airing.id,
        detail={"bulletin": chosen.bulletin_id}, now=now,
    )  # fmt: skip
    return chosen.bulletin_id


def set_fillers(
    session: Session, station: Station, bulletin_ids: Sequence[int], *, actor: User | None, now: datetime
) -> None:
    """Which bulletins may fill an empty airing, in order.  They must be here and approved."""
    order = list(dict.fromkeys(bulletin_ids))
    if len(order) > MOST_FILLERS:
        raise InputError(f"Nhiều nhất {MOST_FILLERS} bản tin dự phòng. Hãy bỏ bớt.")
    known = session.scalars(
        select(Bulletin).where(Bulletin.station_id == station.id, Bulletin.id.in_(order))
    ).all()
    if len(known) != len(order):
        raise NotFound("Có bản tin dự phòng không còn ở đài. Hãy chọn lại.")
    approved = approved_revisions(session, order)
    for row in known:
        if row.id not in approved:
            raise Refused(
                f"Bản tin “{row.title}” chưa được duyệt nên không dùng dự phòng được.",
                remedies=("Gửi duyệt bản tin này trước.", "Chọn bản tin khác."),
            )
    for old in session.scalars(select(Filler).where(Filler.station_id == station.id)):
        session.delete(old)
    session.flush()
    session.add_all(
        Filler(station_id=station.id, bulletin_id=one, position=place)
        for place, one in enumerate(order, start=1)
    )
    session.flush()
    record(
        session, station_id=station.id, actor=actor, action="đặt bản tin dự phòng", subject=station.slug,
        detail={"bulletins": order}, now=now,
    )  # fmt: skip


def fillers(session: Session) -> list[Filler]:
    """The station's fillers in order."""
    return list(
        session.scalars(
            select(Filler).order_by(Filler.position, Filler.id).options(selectinload(Filler.bulletin))
        )
    )


def _put_first(session: Session, airing: Airing, bulletin: Bulletin) -> bool:
    placed = False
    for variant in airing.variants:
        there = [item.bulletin for item in variant.items]
        if bulletin.id in {one.id for one in there}:
            continue
        if length_ms(session, [*there, bulletin]) > airing.max_minutes * 60_000:
            continue
        variant.items.insert(0, VariantItem(bulletin_id=bulletin.id, bulletin=bulletin, position=0))
        for number, item in enumerate(variant.items, start=1):
            item.position = number
        placed = True
    return placed


def _fix(variant: Variant, bulletin: Bulletin, revision: Revision) -> None:
    last = max((item.position for item in variant.items), default=0)
    variant.items.append(
        VariantItem(
            bulletin_id=bulletin.id,
            bulletin=bulletin,
            revision_id=revision.id,
            revision=revision,
            position=last + 1,
        )
    )


def _last_heard(session: Session, bulletin_ids: Sequence[int]) -> dict[int, datetime]:
    rows = session.execute(
        select(VariantItem.bulletin_id, func.max(Airing.planned_at))
        .join(Variant, Variant.id == VariantItem.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .where(
            VariantItem.bulletin_id.in_(bulletin_ids),
            VariantItem.dropped_reason == "",
            Airing.state.in_([AiringState.CLOSED, AiringState.STARTED]),
        )
        .group_by(VariantItem.bulletin_id)
    )
    return {bulletin_id: at.replace(tzinfo=UTC) if at.tzinfo is None else at for bulletin_id, at in rows}
