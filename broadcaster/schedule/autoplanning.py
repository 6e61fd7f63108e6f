"""The automatic plan on the station's own rows: what may go where, the preview, and carrying it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from broadcaster.errors import Conflict, InputError, Refused
from broadcaster.model import AiringState, BulletinState
from broadcaster.newsroom.approved import approved_revisions
from broadcaster.newsroom.people import record
from broadcaster.schedule.autoplan import Candidate, Limits, Opening, Proposal, propose
from broadcaster.schedule.changes import Before, orders_of, set_orders
from broadcaster.schedule.holidays import days_off, read_holidays
from broadcaster.schedule.live import bump_plan
from broadcaster.schedule.materialising import exceptions_of, hand_on, materialise, rule_of
from broadcaster.schedule.policy import Policy
from broadcaster.schedule.running import FRAME_MS, length_ms, speech_ms
from broadcaster.schedule.slots import instant, local_day, occurrences
from broadcaster.store.tables import (
    Airing,
    Bulletin,
    Campaign,
    PlanChange,
    Rotation,
    Slot,
    Station,
    Topic,
    User,
    Variant,
    VariantItem,
)

LONGEST_DAYS: Final = 366
WINDOW: Final = timedelta(days=60)  # how far around the period a bulletin's own airings are looked at


@dataclass(frozen=True, slots=True)
class AutoPlan:
    """A proposal with the names a page shows."""

    proposal: Proposal
    titles: Mapping[int, str]
    slots: Mapping[int, str]
    topics: Mapping[int, str]
    limits: Limits
    openings: int
    carried: Mapping[
        tuple[int, date], tuple[str, ...]
    ]  # what an airing has without this plan, rotations included
    first: date
    last: date


def preview_auto(
    session: Session,
    station: Station,
    *,
    first: date,
    last: date,
    rest_days: int,
    per_airing: int,
    now: datetime,
) -> AutoPlan:
    """Spread the approved bulletins of the station's topics over a period; changes nothing.

    Targets are the campaign's, in the share of it that the period is; what airs already counts.
    """
    today = local_day(station.zone, now)
    if not today <= first <= last or (last - first).days >= LONGEST_DAYS:
        raise InputError("Khoảng ngày phải bắt đầu từ hôm nay trở đi và không dài quá một năm. Hãy chọn lại.")
    if not (0 <= rest_days <= 60 and 1 <= per_airing <= 10):
        raise InputError("Số ngày nghỉ từ 0 đến 60, số bản tin mỗi buổi từ 1 đến 10. Hãy nhập lại.")
    policy = Policy.from_data(station.policy)
    bulletins = session.scalars(
        select(Bulletin)
        .where(Bulletin.station_id == station.id, Bulletin.state != BulletinState.WITHDRAWN)
        .order_by(Bulletin.id)
        .options(selectinload(Bulletin.revisions))
    ).all()
    approved = {
        key: one
        for key, one in approved_revisions(session, [row.id for row in bulletins]).items()
        if one.take is not None
    }
    bulletins = [row for row in bulletins if row.id in approved]
    placed = _placed_dates(session, station, [row.id for row in bulletins], first, last)
    openings, names, dealt = _openings(session, station, first, last, now)
    for bulletin_id, day in dealt:
        placed[bulletin_id] = sorted({*placed.get(bulletin_id, ()), day})
    topics = session.scalars(select(Topic).where(Topic.station_id == station.id).order_by(Topic.id)).all()
    limits = Limits(
        targets=_targets(session, topics, first, last),
        already=_already(session, station, first, last) + _topics_of(session, [one for one, _ in dealt]),
        rest_days=rest_days,
        per_airing=per_airing,
        most_repeats=policy.repeats_in_30_days * max(1, -(-((last - first).days + 1) // 30)),
    )
    candidates = [
        Candidate(
            row.id,
            row.title,
            row.topic_id,
            speech_ms(row, approved[row.id]),
            row.priority,
            tuple(placed.get(row.id, ())),
        )
        for row in bulletins
    ]
    return AutoPlan(
        proposal=propose(candidates, openings, limits),
        titles={row.id: row.title for row in bulletins},
        carried=_carried(session, openings),
        slots=names,
        topics={row.id: row.title for row in topics},
        limits=limits,
        openings=len(openings),
        first=first,
        last=last,
    )


def apply_auto(
    session: Session,
    station: Station,
    *,
    first: date,
    last: date,
    rest_days: int,
    per_airing: int,
    digest: str,
    actor: User,
    now: datetime,
) -> PlanChange:
    """Carry out the plan that was seen: the same question must give the same answer, else Conflict."""
    found = preview_auto(
        session, station, first=first, last=last, rest_days=rest_days, per_airing=per_airing, now=now
    )
    if found.proposal.digest != digest:
        raise Conflict(
            "Bản tin hoặc lịch vừa thay đổi nên kế hoạch không còn như bạn đã xem. Hãy xem lại rồi áp dụng."
        )
    if not found.proposal.choices:
        raise Refused("Kế hoạch này không xếp thêm bản tin nào.", remedies=("Chọn khoảng ngày dài hơn.",))
    today = local_day(station.zone, now)
    materialise(session, station, today=today, now=now, days=(last - today).days + 1)
    rows = session.scalars(
        select(Airing).where(
            Airing.station_id == station.id, Airing.slot_id.is_not(None), Airing.local_date.between(first, last),
            Airing.state == AiringState.PLANNED,
        )
    )  # fmt: skip
    ids = {(row.slot_id, row.local_date): row.id for row in rows}
    wanted: dict[str, list[int]] = {}
    for choice in found.proposal.choices:
        airing_id = ids.get((choice.slot_id, choice.day))
        if airing_id is None:
            raise Conflict("Lịch vừa thay đổi nên có buổi không còn. Hãy xem lại kế hoạch rồi áp dụng.")
        wanted.setdefault(airing_id, []).append(choice.bulletin_id)
    before = Before(session, station, airings=list(wanted))
    there = orders_of(session, list(wanted))
    set_orders(session, {key: [*there[key], *added] for key, added in wanted.items()}, now=now)
    change = before.keep(
        f"kế hoạch tự động, {len(found.proposal.choices)} lượt vào {len(wanted)} buổi", actor=actor, now=now
    )
    record(
        session, station_id=station.id, actor=actor, action="áp dụng kế hoạch tự động", subject=f"lịch {change.id}",
        detail={"first": first.isoformat(), "last": last.isoformat(), "choices": len(found.proposal.choices),
                "met": found.proposal.met, "bound": found.proposal.bound, "digest": digest}, now=now,
    )  # fmt: skip
    bump_plan(session, station.id)
    return change


def _openings(
    session: Session, station: Station, first: date, last: date, now: datetime
) -> tuple[list[Opening], dict[int, str], list[tuple[int, date]]]:
    """The airings to come, the names of their slots, and what rotations will deal to those not yet made."""
    slots = session.scalars(
        select(Slot)
        .where(Slot.station_id == station.id, Slot.active)
        .options(selectinload(Slot.exceptions), selectinload(Slot.villages))
    ).all()
    made = {
        (row.slot_id, row.local_date): row
        for row in session.scalars(
            select(Airing)
            .where(
                Airing.station_id == station.id, Airing.slot_id.is_not(None), Airing.local_date.between(first, last),
                Airing.state != AiringState.CANCELLED,
            )
            .options(selectinload(Airing.variants).selectinload(Variant.items).selectinload(VariantItem.bulletin)
                     .selectinload(Bulletin.revisions))
        )
    }  # fmt: skip
    off = days_off(read_holidays(station.holidays), first, last)
    rotations = {
        row.slot_id: row for row in session.scalars(select(Rotation).where(Rotation.station_id == station.id))
    }
    turning = {one for row in rotations.values() for one in row.bulletins}
    in_turn = {
        row.id: row
        for row in session.scalars(
            select(Bulletin).where(Bulletin.id.in_(turning)).options(selectinload(Bulletin.revisions))
        )
    }
    dealt: list[tuple[int, date]] = []
    found: list[Opening] = []
    for slot in slots:
        for one in occurrences(rule_of(slot), exceptions_of(slot), first, last):
            if one.origin == "rule" and not slot.on_holidays and one.local_date in off:
                continue
            if instant(station.zone, one.local_date, one.start_local) <= now:
                continue
            airing = made.get((slot.id, one.local_date))
            if airing is not None and airing.state is not AiringState.PLANNED:
                continue
            if airing is not None:
                carried = [item.bulletin for item in airing.variants[0].items]
            else:  # it is made when its time comes nearer, with what its rotation deals
                hand = hand_on(rule_of(slot), rotations.get(slot.id), one.local_date)
                carried = [in_turn[number] for number in hand if number in in_turn]
                dealt.extend((row.id, one.local_date) for row in carried)
            found.append(
                Opening(
                    slot.id, one.local_date, one.start_local, slot.max_minutes * 60_000,
                    max(length_ms(session, carried), FRAME_MS) if carried else 0,
                    frozenset(row.id for row in carried),
                )
            )  # fmt: skip
    return found, {slot.id: slot.name for slot in slots}, dealt


def _carried(session: Session, openings: Sequence[Opening]) -> dict[tuple[int, date], tuple[str, ...]]:
    ids = {number for one in openings for number in one.carried}
    rows = session.execute(select(Bulletin.id, Bulletin.title).where(Bulletin.id.in_(ids)))
    titles = {number: title for number, title in rows}
    return {
        one.key: tuple(titles[number] for number in sorted(one.carried)) for one in openings if one.carried
    }


def _topics_of(session: Session, bulletin_ids: Sequence[int]) -> Counter[int]:
    """topic id -> how many of these have it."""
    rows = session.execute(select(Bulletin.id, Bulletin.topic_id).where(Bulletin.id.in_(set(bulletin_ids))))
    topics = {number: topic for number, topic in rows}
    return Counter(topic for one in bulletin_ids if (topic := topics.get(one)) is not None)


def _placed_dates(
    session: Session, station: Station, ids: Collection[int], first: date, last: date
) -> dict[int, list[date]]:
    rows = session.execute(
        select(VariantItem.bulletin_id, Airing.local_date)
        .join(Variant, Variant.id == VariantItem.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .where(
            Airing.station_id == station.id,
            VariantItem.bulletin_id.in_(ids),
            VariantItem.dropped_reason == "",
            Airing.state.not_in([AiringState.CANCELLED, AiringState.SKIPPED]),
            Airing.local_date.between(first - WINDOW, last + WINDOW),
        )
        .distinct()
    )
    found: dict[int, list[date]] = {}
    for bulletin_id, day in rows:
        found.setdefault(bulletin_id, []).append(day)
    return {key: sorted(days) for key, days in found.items()}


def _already(session: Session, station: Station, first: date, last: date) -> Counter[int]:
    rows = session.execute(
        select(Bulletin.topic_id, func.count(func.distinct(VariantItem.id)))
        .join(VariantItem, VariantItem.bulletin_id == Bulletin.id)
        .join(Variant, Variant.id == VariantItem.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .where(
            Airing.station_id == station.id, Variant.number == 1, Bulletin.topic_id.is_not(None),
            VariantItem.dropped_reason == "",
            Airing.state.not_in([AiringState.CANCELLED, AiringState.SKIPPED]),
            Airing.local_date.between(first, last),
        )
        .group_by(Bulletin.topic_id)
    )  # fmt: skip
    return Counter({topic_id: count for topic_id, count in rows if topic_id is not None})


def _targets(session: Session, topics: Sequence[Topic], first: date, last: date) -> dict[int, int]:
    """A topic's target over its campaign -> its share of the days of this period, rounded up."""
    campaigns = {row.id: row for row in session.scalars(select(Campaign))}
    found: dict[int, int] = {}
    for topic in topics:
        if not topic.target_broadcasts:
            continue
        campaign = campaigns.get(topic.campaign_id) if topic.campaign_id is not None else None
        begin, end = (campaign.first_day, campaign.last_day) if campaign is not None else (first, last)
        days = (min(last, end) - max(first, begin)).days + 1
        if days > 0:
            found[topic.id] = -(-topic.target_broadcasts * days // ((end - begin).days + 1))
    return found
