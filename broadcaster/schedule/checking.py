"""What a weekly slot is checked against before it is written: itself, the station's policy, and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from broadcaster.errors import InputError
from broadcaster.model import LatePolicy, Priority, StartMode
from broadcaster.schedule import policy as rules_of_the_station
from broadcaster.schedule.airings import refuse, sessions_on
from broadcaster.schedule.materialising import rule_of
from broadcaster.schedule.slots import parse_weekdays
from broadcaster.store.tables import Slot, Station, Village

SLOT_KEY: Final = "slot-"  # before a slot's number, where policy knows sessions by a key


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotForm:
    """Everything a person says about a slot.  `weekdays` 'mon,tue,…'; no `village_ids` = every village."""

    name: str
    weekdays: str
    start_local: time
    valid_from: date
    valid_to: date | None = None
    max_minutes: int = 15
    start_mode: StartMode = StartMode.AT_ONCE
    wait_s: int = 0
    late_policy: LatePolicy = LatePolicy.PLAY_WITHIN_GRACE
    grace_s: int = 300
    priority: Priority = Priority.ROUTINE
    volume_percent: int = 100
    template_name: str = "thuong"
    on_holidays: bool = True
    carry_over: bool = False
    village_ids: tuple[int, ...] = field(default=())


def check_form(session: Session, station: Station, form: SlotForm) -> frozenset[int]:
    """The weekdays of a form that makes sense; InputError otherwise."""
    weekdays = parse_weekdays(form.weekdays)
    if not form.name.strip():
        raise InputError("Hãy đặt tên cho khung giờ, ví dụ “Buổi sáng”.")
    if form.valid_to is not None and form.valid_to < form.valid_from:
        raise InputError("Ngày kết thúc của khung giờ trước ngày bắt đầu. Hãy sửa lại hai ngày.")
    if not 0 <= form.volume_percent <= 100:
        raise InputError("Âm lượng tính từ 0 đến 100 phần trăm. Hãy nhập lại.")
    if form.grace_s < 0 or form.wait_s < 0:
        raise InputError("Số giây chờ và số giây cho phép trễ không được âm. Hãy nhập lại.")
    if form.priority is Priority.EMERGENCY:
        raise InputError("Khung giờ hằng tuần không dùng mức khẩn cấp. Hãy dùng màn hình phát khẩn cấp.")
    if form.village_ids:
        known = session.scalars(
            select(Village.id).where(Village.station_id == station.id, Village.id.in_(form.village_ids))
        ).all()
        if len(known) != len(set(form.village_ids)):
            raise InputError("Có thôn được chọn không còn ở đài. Hãy chọn lại các thôn.")
    return weekdays


def check_policy(
    session: Session,
    station: Station,
    form: SlotForm,
    weekdays: frozenset[int],
    *,
    slot_id: int | None,
    today: date,
) -> None:
    """Refused, or a Clash with its ways out, when policy, another slot or a dated airing forbids it."""
    policy = rules_of_the_station.Policy.from_data(station.policy)
    wanted = rules_of_the_station.Session(
        key=f"{SLOT_KEY}{slot_id or 'mới'}",
        name=form.name.strip(),
        start=form.start_local,
        minutes=form.max_minutes,
        priority=form.priority,
        villages=frozenset(form.village_ids) or None,
    )
    others = session.scalars(
        select(Slot)
        .where(Slot.station_id == station.id, Slot.active, Slot.id != (slot_id or 0))
        .order_by(Slot.id)
        .options(selectinload(Slot.villages))
    ).all()
    together = [
        one
        for one in others
        if (one.valid_to is None or one.valid_to >= max(form.valid_from, today))
        and (form.valid_to is None or one.valid_from <= form.valid_to)
    ]
    refusals: list[rules_of_the_station.Refusal] = []
    for weekday in sorted(weekdays):
        beside = [session_of(one, one.start_local) for one in together if weekday in rule_of(one).weekdays]
        refusals += rules_of_the_station.check_session(policy, wanted, weekday=weekday, others=beside)
    refuse([_from_a_day_on(one, together, max(form.valid_from, today)) for one in refusals])
    _check_dated(session, station, form, weekdays, wanted, policy, slot_id=slot_id, today=today)


def _check_dated(
    session: Session,
    station: Station,
    form: SlotForm,
    weekdays: frozenset[int],
    wanted: rules_of_the_station.Session,
    policy: rules_of_the_station.Policy,
    *,
    slot_id: int | None,
    today: date,
) -> None:
    # Extra airings and moved days are dated, so the weekly comparison above does not see them.
    day = max(today, form.valid_from)
    last = station.materialised_through or day
    last = last if form.valid_to is None else min(last, form.valid_to)
    while day <= last:
        if day.isoweekday() in weekdays:
            beside = sessions_on(session, station, day, without_slot=slot_id)
            refuse(rules_of_the_station.clashes(wanted, beside, policy=policy))
        day += timedelta(days=1)


def session_of(slot: Slot, start: time) -> rules_of_the_station.Session:
    """A slot as policy sees it, at that start."""
    return rules_of_the_station.Session(
        key=f"{SLOT_KEY}{slot.id}",
        name=slot.name,
        start=start,
        minutes=slot.max_minutes,
        priority=slot.priority,
        villages=frozenset(one.id for one in slot.villages) or None,
    )


def _from_a_day_on(
    refusal: rules_of_the_station.Refusal, others: Sequence[Slot], day: date
) -> rules_of_the_station.Refusal:
    """Between weekly slots the other one gives way for good, not on one day."""
    names = {f"{SLOT_KEY}{one.id}": one.name for one in others}
    ways = tuple(
        replace(way, label=f"Thay “{names[way.replace]}”: khung đó thôi phát từ {day:%d/%m/%Y}")
        if way.replace in names
        else way
        for way in refusal.ways
    )
    said = tuple(
        f"{way.label}." if one.startswith("Thay ") and way.replace else one
        for one, way in zip(refusal.remedies, ways, strict=False)
    )
    return replace(refusal, ways=ways, remedies=said)
