"""One slot, many airings: change, move or take away this one, this and the following, or all that are to come.

What has started never changes.  An airing that only moves keeps its identity and its running order.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError, Refused
from broadcaster.model import AiringState
from broadcaster.schedule.changes import Before, orders_of, set_orders
from broadcaster.schedule.checking import SlotForm
from broadcaster.schedule.ending import end_before, form_of, give_way, parted
from broadcaster.schedule.live import OPEN, called, load_changeable, station_of
from broadcaster.schedule.materialising import rule_of
from broadcaster.schedule.rules import add_slot, edit_slot, remove_slot, set_exception
from broadcaster.schedule.slots import local_day, ordinal
from broadcaster.store.tables import Airing, PlanChange, Rotation, Slot, Station, User


class Scope(StrEnum):
    """How far a change of one airing reaches; the first is the safest."""

    THIS = "this"
    FOLLOWING = "following"
    ALL = "all"


def move(
    session: Session,
    airing_id: str,
    *,
    scope: Scope,
    start_local: time,
    day: date | None = None,
    version: int,
    instead_of: Collection[str] = (),
    actor: User,
    now: datetime,
) -> PlanChange:
    """Another start, and for one airing also another date.  `version` is the airing's, as the page showed it.

    A Clash (with its ways out) when another airing stands in the way, unless `instead_of` names it; Refused when
    policy does; Conflict when it moved meanwhile.
    """
    airing, slot, station = _open(session, airing_id, version, now)
    before = _before(session, station, slot, instead_of)
    target = day or airing.local_date
    give_way(session, instead_of, day=_since(airing, station, scope, now), actor=actor, now=now)
    if scope is Scope.THIS:
        _move_one(session, airing, slot, target, start_local, actor=actor, now=now)
        return before.keep(f"dời buổi {called(airing)}", actor=actor, now=now)
    if target != airing.local_date:
        raise InputError("Chỉ dời được ngày của một buổi. Với cả chuỗi, hãy sửa các thứ trong khung giờ.")
    made = _change_rule(session, airing, slot, station, scope, start_local=start_local, actor=actor, now=now)
    return before.keep(f"đổi giờ “{slot.name}”", actor=actor, now=now, made_slots=made)


def edit_series(
    session: Session,
    airing_id: str,
    form: SlotForm,
    *,
    scope: Scope,
    version: int,
    instead_of: Collection[str] = (),
    actor: User,
    now: datetime,
) -> PlanChange:
    """Change what the slot says (name, days, length, villages…), from this airing on or for all to come.

    `instead_of` names what gives way, as in `move`.
    """
    airing, slot, station = _open(session, airing_id, version, now)
    if scope is Scope.THIS:
        raise InputError("Một buổi chỉ đổi được giờ, ngày và nội dung. Hãy chọn “buổi này và về sau”.")
    before = _before(session, station, slot, instead_of)
    give_way(session, instead_of, day=_since(airing, station, scope, now), actor=actor, now=now)
    if scope is Scope.ALL:
        form = replace(form, valid_from=slot.valid_from)
        edit_slot(session, slot.id, form, version=slot.version, actor=actor, now=now)
        made: tuple[int, ...] = ()
    else:
        made = _split(session, airing, slot, station, form, actor=actor, now=now)
    return before.keep(f"sửa khung giờ “{slot.name}”", actor=actor, now=now, made_slots=made)


def take_away(
    session: Session,
    airing_id: str,
    *,
    scope: Scope,
    reason: str,
    version: int,
    actor: User,
    now: datetime,
) -> PlanChange:
    """No airing on this date, from this date on, or ever again.  A reason is written for one date."""
    airing, slot, station = _open(session, airing_id, version, now)
    before = Before(session, station, slots=[slot.id])
    if scope is Scope.THIS:
        if not reason.strip():
            raise InputError("Hãy ghi lý do nghỉ buổi này; lý do sẽ hiện trên bảng và báo cáo.")
        set_exception(session, slot.id, airing.local_date, "skip", note=reason, actor=actor, now=now)
        label = f"cho nghỉ buổi {called(airing)}"
    elif scope is Scope.FOLLOWING and airing.local_date > slot.valid_from:
        end_before(session, slot, airing.local_date, actor=actor, now=now)
        label = f"bỏ “{slot.name}” từ {airing.local_date:%d/%m/%Y}"
    else:
        remove_slot(session, slot.id, actor=actor, now=now)
        label = f"bỏ khung giờ “{slot.name}”"
    return before.keep(label, actor=actor, now=now)


def _open(session: Session, airing_id: str, version: int, now: datetime) -> tuple[Airing, Slot, Station]:
    airing = load_changeable(session, airing_id, now=now)
    if airing.version != version:
        raise Conflict(f"Buổi {called(airing)} vừa được người khác sửa. Hãy tải lại trang rồi làm tiếp.")
    if airing.slot_id is None:
        raise Refused(
            f"Buổi {called(airing)} không thuộc khung giờ hằng tuần.",
            remedies=("Cho buổi này nghỉ rồi thêm một buổi ngoài lịch khác.",),
        )
    slot = session.get_one(Slot, airing.slot_id)
    return airing, slot, station_of(session, airing.station_id)


def _before(session: Session, station: Station, slot: Slot, instead_of: Collection[str]) -> Before:
    slots, airings = parted(instead_of)
    return Before(session, station, slots=[slot.id, *slots], airings=airings)


def _since(airing: Airing, station: Station, scope: Scope, now: datetime) -> date:
    """The first day that a change reaches."""
    return local_day(station.zone, now) if scope is Scope.ALL else airing.local_date


def _move_one(
    session: Session, airing: Airing, slot: Slot, day: date, start: time, *, actor: User, now: datetime
) -> None:
    if day == airing.local_date:
        named = airing.local_date.isoweekday() in rule_of(slot).weekdays
        action = "replace" if named else "extra"
        set_exception(session, slot.id, day, action, start_local=start, actor=actor, now=now)
        return
    taken = session.scalar(
        select(Airing).where(
            Airing.slot_id == slot.id, Airing.local_date == day, Airing.state != AiringState.CANCELLED
        )
    )
    if taken is not None:
        raise Refused(
            f"Ngày {day:%d/%m/%Y} khung “{slot.name}” đã có một buổi.",
            remedies=("Chọn ngày khác.", "Chuyển từng bản tin sang buổi đó.", "Thêm một buổi ngoài lịch."),
        )
    order = orders_of(session, [airing.id])[airing.id]
    note = f"Dời sang {day:%d/%m/%Y}."
    set_exception(session, slot.id, airing.local_date, "skip", note=note, actor=actor, now=now)
    set_exception(session, slot.id, day, "extra", start_local=start, actor=actor, now=now)
    moved = session.scalar(
        select(Airing).where(Airing.slot_id == slot.id, Airing.local_date == day, Airing.state.in_(OPEN))
    )
    if moved is None:
        raise Refused(
            f"Lịch mới lập tới trước ngày {day:%d/%m/%Y}, nên chưa dời buổi tới đó được.",
            remedies=("Chọn một ngày gần hơn.",),
        )
    set_orders(session, {moved.id: order}, now=now)


def _change_rule(
    session: Session,
    airing: Airing,
    slot: Slot,
    station: Station,
    scope: Scope,
    *,
    start_local: time,
    actor: User,
    now: datetime,
) -> tuple[int, ...]:
    form = replace(form_of(slot), start_local=start_local)
    if scope is Scope.ALL:
        edit_slot(session, slot.id, form, version=slot.version, actor=actor, now=now)
        return ()
    return _split(session, airing, slot, station, form, actor=actor, now=now)


def _split(
    session: Session,
    airing: Airing,
    slot: Slot,
    station: Station,
    form: SlotForm,
    *,
    actor: User,
    now: datetime,
) -> tuple[int, ...]:
    """The slot ends the day before; a new one goes on from here with the same airings under their own ids."""
    begins = airing.local_date
    if begins <= slot.valid_from:  # there is nothing before it
        edit_slot(
            session,
            slot.id,
            replace(form, valid_from=slot.valid_from),
            version=slot.version,
            actor=actor,
            now=now,
        )
        return ()
    slot.valid_to = begins - timedelta(days=1)
    session.flush()
    # Its airings are handed over before anything is materialised, so that they change in place.
    new = add_slot(
        session,
        station,
        replace(form, valid_from=begins),
        actor=actor,
        now=now,
        instead_of=slot,
    )
    _copy_rotation(session, slot, new)
    return (new.id,)


def _copy_rotation(session: Session, old: Slot, new: Slot) -> None:
    rotation = session.scalar(select(Rotation).where(Rotation.slot_id == old.id))
    if rotation is None:
        return
    # A turn is counted from a slot's first day: the list begins where the old one stood.
    order = list(rotation.bulletins)
    at = ordinal(rule_of(old), new.valid_from) * rotation.per_airing % len(order) if order else 0
    session.add(
        Rotation(
            station_id=new.station_id, slot_id=new.id, per_airing=rotation.per_airing,
            bulletins=[*order[at:], *order[:at]],
        )
    )  # fmt: skip
    session.flush()
