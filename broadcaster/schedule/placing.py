"""Many placements at once: a bulletin by a pattern of dates, last week's running orders, yesterday's airings.

The first two have a preview that changes nothing and says why for every line, and one step that carries out
exactly what was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError, NotFound, Refused
from broadcaster.model import AiringOrigin, AiringState
from broadcaster.newsroom.approved import approved_revisions
from broadcaster.newsroom.people import record
from broadcaster.schedule.airings import add_extra
from broadcaster.schedule.changes import Before, orders_of, set_orders
from broadcaster.schedule.live import bump_plan
from broadcaster.schedule.running import place
from broadcaster.store.tables import (
    Airing,
    Station,
    User,
)

EVERY: Final = ("each", "alternate", "weekdays", "dates", "times")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Where a bulletin goes: airings of these slots from `first` to `last` (all slots when none is named).

    `kind`: each airing, every other day, the named `weekdays` (ISO), the named `dates`, or `times` airings
    spread evenly.
    """

    kind: str
    first: date
    last: date
    slot_ids: tuple[int, ...] = ()
    weekdays: frozenset[int] = frozenset()
    dates: frozenset[date] = frozenset()
    times: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One airing of a preview; `why_not` is empty when the bulletin can go there."""

    airing_id: str
    name: str
    day: date
    planned_at: datetime
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Copied:
    """One airing of this week and what last week's same airing carried."""

    airing_id: str
    day: date
    name: str
    bulletins: tuple[int, ...]


# ------------------------------------------------------------------------------ one bulletin, many dates


def chosen(airings: Sequence[tuple[str, date, int]], pattern: Pattern) -> list[str]:
    """(id, date, slot) in order of time -> the ids that the pattern names.  Pure."""
    able = [
        one
        for one in airings
        if pattern.first <= one[1] <= pattern.last and (not pattern.slot_ids or one[2] in pattern.slot_ids)
    ]
    if pattern.kind == "weekdays":
        able = [one for one in able if one[1].isoweekday() in pattern.weekdays]
    elif pattern.kind == "dates":
        able = [one for one in able if one[1] in pattern.dates]
    elif pattern.kind == "alternate" and able:
        begins = able[0][1]
        able = [one for one in able if (one[1] - begins).days % 2 == 0]
    elif pattern.kind == "times":
        wanted = min(pattern.times, len(able))
        able = [able[(2 * number + 1) * len(able) // (2 * wanted)] for number in range(wanted)]
    return [one[0] for one in able]


def preview_spread(
    session: Session, station: Station, bulletin_id: int, pattern: Pattern, *, actor: User, now: datetime
) -> list[Line]:
    """Which airings the pattern names and which of them would refuse; changes nothing."""
    _check_pattern(pattern)
    ids = _named(session, station, pattern, now)
    with session.begin_nested() as trial:
        lines = [_tried(session, one, bulletin_id, actor=actor, now=now) for one in ids]
        trial.rollback()
    session.expire_all()
    return lines


def spread(
    session: Session, station: Station, bulletin_id: int, pattern: Pattern, *, actor: User, now: datetime
) -> list[Line]:
    """Put the bulletin wherever the pattern says and the rules allow.  Refused when nowhere is left."""
    _check_pattern(pattern)
    ids = _named(session, station, pattern, now)
    before = Before(session, station, airings=ids)
    lines = [_tried(session, one, bulletin_id, actor=actor, now=now) for one in ids]
    if not any(not line.why_not for line in lines):
        raise Refused(
            "Không có buổi nào nhận được bản tin này theo cách rải đã chọn."
            + (f" {lines[0].why_not}" if lines else ""),
            remedies=("Chọn khoảng ngày khác.", "Chọn khung giờ khác."),
        )
    before.keep(f"rải bản tin vào {sum(not line.why_not for line in lines)} buổi", actor=actor, now=now)
    return lines


def _tried(session: Session, airing_id: str, bulletin_id: int, *, actor: User, now: datetime) -> Line:
    """Place it in one airing; a refusal undoes only that and becomes the line's reason."""
    airing = session.get_one(Airing, airing_id)
    why = ""
    try:
        with session.begin_nested():
            place(session, airing_id, bulletin_id, actor=actor, now=now)
    except Refused as error:
        why = error.message
    return Line(airing_id, airing.name, airing.local_date, airing.planned_at, why)


# ----------------------------------------------------------------------------------------- last week


def preview_copy(session: Session, station: Station, monday: date, *, now: datetime) -> list[Copied]:
    """What each empty airing of the week would take over from the same slot a week before."""
    source = _by_slot(session, station, monday - timedelta(days=7))
    orders = orders_of(session, [row.id for row in source.values()])
    found: list[Copied] = []
    target = _by_slot(session, station, monday)
    there = orders_of(session, [row.id for row in target.values()])
    usable = approved_revisions(session, {one for order in orders.values() for one in order})
    for (slot_id, day), airing in sorted(target.items(), key=lambda pair: (pair[1].planned_at, pair[1].id)):
        before = source.get((slot_id, day - timedelta(days=7)))
        if (
            airing.state is not AiringState.PLANNED
            or airing.planned_at <= now
            or there[airing.id]
            or before is None
        ):
            continue
        order = tuple(one for one in orders[before.id] if one in usable)
        if order:
            found.append(Copied(airing.id, day, airing.name, order))
    return found


def copy_week(
    session: Session, station: Station, monday: date, *, actor: User, now: datetime
) -> list[Copied]:
    """Fill the week's empty airings with what they carried a week before; full ones are left alone."""
    lines = preview_copy(session, station, monday, now=now)
    if not lines:
        raise Refused(
            "Không có gì để sao chép: tuần trước không có bản tin đã duyệt, hoặc các buổi tuần này đã có nội dung.",
            remedies=("Xếp từng bản tin vào buổi phát.", "Dùng “Rải bản tin”."),
        )
    before = Before(session, station, airings=[line.airing_id for line in lines])
    set_orders(session, {line.airing_id: line.bulletins for line in lines}, now=now)
    before.keep(f"sao chép tuần trước vào {len(lines)} buổi", actor=actor, now=now)
    record(
        session, station_id=station.id, actor=actor, action="sao chép tuần trước", subject=monday.isoformat(),
        detail={"airings": {line.airing_id: list(line.bulletins) for line in lines}}, now=now,
    )  # fmt: skip
    bump_plan(session, station.id)
    return lines


def copy_yesterday(
    session: Session, station: Station, day: date, *, actor: User, now: datetime
) -> list[Line]:
    """Give a day without airings those of the day before, beside the week, at the hours still to come.

    A line each; what could not be taken over says why.  Emergencies and drills are not repeated, and only what
    is approved goes along.  Refused when the day has airings of its own or nothing could be taken over.
    """
    rows = session.scalars(
        select(Airing)
        .where(
            Airing.station_id == station.id, Airing.local_date.in_([day, day - timedelta(days=1)]),
            Airing.state != AiringState.CANCELLED,
            Airing.origin.in_([AiringOrigin.SLOT, AiringOrigin.EXTRA]),
        )
        .order_by(Airing.planned_at, Airing.id)
    ).all()  # fmt: skip
    if any(row.local_date == day for row in rows):
        raise Refused(
            f"Ngày {day:%d/%m/%Y} đã có buổi phát, nên không sao chép hôm trước đè lên.",
            remedies=("Mở buổi đã có và xếp bản tin vào.", "Thêm một buổi ngoài lịch."),
        )
    orders = orders_of(session, [row.id for row in rows])
    usable = approved_revisions(session, {one for order in orders.values() for one in order})
    everyone = {one.id for row in rows for one in row.villages}
    lines = []
    for row in rows:
        heard_in = {one.id for one in row.villages}
        why, made = "", None
        try:
            with session.begin_nested():
                made = add_extra(
                    session, station, local_date=day, start_local=row.start_local,
                    bulletin_ids=[one for one in orders[row.id] if one in usable],
                    village_ids=None if heard_in == everyone else sorted(heard_in),
                    max_minutes=row.max_minutes, actor=actor, now=now, name=row.name, priority=row.priority,
                    template_name=row.template_name,
                )  # fmt: skip
        except BroadcasterError as error:
            why = error.message
        lines.append(
            Line(made.id if made else row.id, row.name, day, made.planned_at if made else row.planned_at, why)
        )
    if all(line.why_not for line in lines):
        raise Refused(
            " ".join(
                ["Không sao chép được buổi nào của hôm trước."]
                + [f"{line.name}: {line.why_not}" for line in lines]
            ),
            remedies=("Thêm một buổi ngoài lịch.", "Lập khung giờ hằng tuần."),
        )
    return lines


def _by_slot(session: Session, station: Station, monday: date) -> dict[tuple[int, date], Airing]:
    rows = session.scalars(
        select(Airing).where(
            Airing.station_id == station.id, Airing.slot_id.is_not(None),
            Airing.local_date.between(monday, monday + timedelta(days=6)), Airing.state != AiringState.CANCELLED,
        )
    )  # fmt: skip
    return {(row.slot_id, row.local_date): row for row in rows if row.slot_id is not None}


def _named(session: Session, station: Station, pattern: Pattern, now: datetime) -> list[str]:
    rows = session.execute(
        select(Airing.id, Airing.local_date, Airing.slot_id)
        .where(
            Airing.station_id == station.id, Airing.slot_id.is_not(None), Airing.planned_at > now,
            Airing.state == AiringState.PLANNED, Airing.local_date.between(pattern.first, pattern.last),
        )
        .order_by(Airing.planned_at, Airing.id)
    )  # fmt: skip
    found = chosen([(airing_id, day, slot_id or 0) for airing_id, day, slot_id in rows], pattern)
    if not found:
        raise NotFound(
            "Không có buổi phát nào khớp với cách rải này. Hãy chọn khoảng ngày hoặc khung giờ khác."
        )
    return found


def _check_pattern(pattern: Pattern) -> None:
    if pattern.kind not in EVERY:
        raise InputError("Hãy chọn một cách rải trong danh sách.")
    if pattern.last < pattern.first:
        raise InputError("Ngày cuối trước ngày đầu. Hãy chọn lại.")
    if pattern.kind == "weekdays" and not pattern.weekdays:
        raise InputError("Hãy chọn ít nhất một thứ trong tuần.")
    if pattern.kind == "dates" and not pattern.dates:
        raise InputError("Hãy ghi ít nhất một ngày, ví dụ 24/11/2026.")
    if pattern.kind == "times" and not 1 <= pattern.times <= 200:
        raise InputError("Số lần rải phải từ 1 đến 200.")
