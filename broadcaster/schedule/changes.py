"""Taking back what was just done to the plan: the state before a change is kept, and put back on request.

A change is one transaction; so is its undoing.  What has started meanwhile stays, and what somebody else has
changed meanwhile is not overwritten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.attributes import flag_modified

from broadcaster.errors import Conflict, NotFound, Refused
from broadcaster.model import AiringState, LatePolicy, Priority, StartMode
from broadcaster.newsroom.people import record
from broadcaster.schedule.live import bump_plan, not_started, station_of
from broadcaster.schedule.materialising import COPIED, materialise
from broadcaster.schedule.slots import local_day
from broadcaster.store.tables import (
    Airing,
    PlanChange,
    Rotation,
    Slot,
    SlotException,
    SlotVillage,
    Station,
    User,
    Variant,
    VariantItem,
)

UNDO_FOR: Final = timedelta(minutes=10)  # the button is offered for 10 s; a page without JavaScript keeps it
_SLOT: Final = (
    *COPIED,
    "weekdays",
    "start_local",
    "valid_from",
    "valid_to",
    "on_holidays",
    "carry_over",
    "active",
)
_ENUMS: Final[Mapping[str, type[StrEnum]]] = {
    "start_mode": StartMode, "late_policy": LatePolicy, "priority": Priority,
}  # fmt: skip


class Before:
    """What the plan was, gathered before a change; `keep` writes it down once the change is made."""

    def __init__(
        self,
        session: Session,
        station: Station,
        *,
        slots: Collection[int] = (),
        airings: Collection[str] = (),
    ) -> None:
        self._session, self._station = session, station
        self._slots = {str(row.id): _slot(session, row) for row in _load_slots(session, slots)}
        self._owners = {
            airing_id: slot_id
            for airing_id, slot_id in session.execute(
                select(Airing.id, Airing.slot_id).where(
                    Airing.slot_id.in_(slots), Airing.state.in_([AiringState.PLANNED, AiringState.CLOSED])
                )
            )
        }
        self._orders = orders_of(session, airings)
        self._skipped = {
            airing_id: state
            for airing_id, state in session.execute(
                select(Airing.id, Airing.state).where(Airing.id.in_(airings))
            )
        }

    def keep(self, label: str, *, actor: User, now: datetime, made_slots: Collection[int] = ()) -> PlanChange:
        """Write down how to take the change back; call it after everything is flushed."""
        self._session.flush()
        ids = [int(one) for one in self._slots]
        row = PlanChange(
            station_id=self._station.id, user_id=actor.id, label=label[:200], made_at=now,
            before={
                "slots": self._slots,
                "owners": self._owners,
                "orders": self._orders,
                "states": {airing_id: state.value for airing_id, state in self._skipped.items()},
                "made_slots": sorted(made_slots),
                "versions": {str(one.id): one.version for one in _load_slots(self._session, [*ids, *made_slots])},
                "after": orders_of(self._session, list(self._orders)),
            },
        )  # fmt: skip
        self._session.add(row)
        self._session.flush()
        return row


def latest_change(session: Session, user_id: int, *, now: datetime) -> PlanChange | None:
    """What this person may still take back, the newest first."""
    return session.scalar(
        select(PlanChange)
        .where(
            PlanChange.user_id == user_id, PlanChange.undone_at.is_(None), PlanChange.made_at > now - UNDO_FOR
        )
        .order_by(PlanChange.id.desc())
        .limit(1)
    )


def undo(session: Session, change_id: int, *, actor: User, now: datetime) -> PlanChange:
    """Put everything back as it was before the change.  Conflict when somebody has changed it since."""
    change = session.scalar(select(PlanChange).where(PlanChange.id == change_id).with_for_update())
    if change is None:
        raise NotFound("Không thấy việc cần hoàn tác. Hãy tải lại trang.")
    if change.user_id != actor.id or change.undone_at is not None or change.made_at <= now - UNDO_FOR:
        raise Refused("Việc này không hoàn tác được nữa. Hãy sửa trực tiếp trên lịch.")
    station = station_of(session, change.station_id)
    before: dict[str, Any] = change.before
    slots = {row.id: row for row in _load_slots(session, [int(one) for one in before["versions"]])}
    for number, version in before["versions"].items():
        if int(number) not in slots or slots[int(number)].version != version:
            raise Conflict("Khung giờ vừa được sửa thêm, nên không hoàn tác tự động được. Hãy sửa trên lịch.")
    if orders_of(session, list(before["orders"])) != before["after"]:
        raise Conflict("Buổi phát vừa được sửa thêm, nên không hoàn tác tự động được. Hãy sửa trên lịch.")
    for number in before["made_slots"]:
        slots[number].active = False
    for number, kept in before["slots"].items():
        _put_back(session, slots[int(number)], kept)
    session.flush()
    _give_back(session, before["owners"], now)
    _restore_states(session, before["states"], now)
    set_orders(session, before["orders"], now=now)
    change.undone_at = now
    session.flush()
    today = local_day(station.zone, now)
    if station.materialised_through is not None:
        days = max((station.materialised_through - today).days + 1, 1)
        materialise(session, station, today=today, now=now, days=days)
    record(
        session, station_id=station.id, actor=actor, action="hoàn tác", subject=f"lịch {change.id}",
        detail={"label": change.label}, now=now,
    )  # fmt: skip
    bump_plan(session, station.id)
    return change


def orders_of(session: Session, airing_ids: Sequence[str] | Collection[str]) -> dict[str, list[int]]:
    """airing id -> its bulletins in order (of its first variant), also when there are none."""
    found: dict[str, list[int]] = {airing_id: [] for airing_id in sorted(airing_ids)}
    rows = session.execute(
        select(Variant.airing_id, VariantItem.bulletin_id)
        .join(VariantItem, VariantItem.variant_id == Variant.id)
        .where(Variant.airing_id.in_(found), Variant.number == 1)
        .order_by(VariantItem.position)
    )
    for airing_id, bulletin_id in rows:
        found[airing_id].append(bulletin_id)
    return found


def set_orders(session: Session, orders: Mapping[str, Sequence[int]], *, now: datetime) -> int:
    """Give airings these running orders; what has started or closed is left alone.  How many were set."""
    airings = session.scalars(
        select(Airing)
        .where(Airing.id.in_(orders))
        .options(selectinload(Airing.variants).selectinload(Variant.items))
        .execution_options(populate_existing=True)
    ).all()
    done = 0
    for airing in airings:
        if airing.state is not AiringState.PLANNED or airing.planned_at <= now:
            continue
        for variant in airing.variants:
            kept = {item.bulletin_id: item for item in variant.items}
            variant.items[:] = [
                kept.get(one) or VariantItem(bulletin_id=one, position=0)
                for one in dict.fromkeys(orders[airing.id])
            ]
            for number, item in enumerate(variant.items, start=1):
                item.position = number
        done += 1
    session.flush()
    return done


def _load_slots(session: Session, ids: Collection[int]) -> Sequence[Slot]:
    return session.scalars(
        select(Slot)
        .where(Slot.id.in_(ids))
        .order_by(Slot.id)
        .options(selectinload(Slot.exceptions), selectinload(Slot.villages))
        .execution_options(populate_existing=True)
    ).all()


def _slot(session: Session, row: Slot) -> dict[str, Any]:
    rotation = session.scalar(select(Rotation).where(Rotation.slot_id == row.id))
    return {
        "columns": {name: _plain(getattr(row, name)) for name in _SLOT},
        "villages": sorted(one.id for one in row.villages),
        "exceptions": [
            {
                "local_date": one.local_date.isoformat(),
                "action": one.action,
                "start_local": _plain(one.start_local),
                "note": one.note,
            }
            for one in sorted(row.exceptions, key=lambda one: one.local_date)
        ],
        "rotation": None if rotation is None else [rotation.per_airing, list(rotation.bulletins)],
    }


def _put_back(session: Session, slot: Slot, kept: Mapping[str, Any]) -> None:
    for name, value in kept["columns"].items():
        setattr(slot, name, _typed(name, value))
    flag_modified(slot, "name")
    session.execute(delete(SlotException).where(SlotException.slot_id == slot.id))
    session.execute(delete(SlotVillage).where(SlotVillage.slot_id == slot.id))
    session.flush()
    session.expire(slot, ["exceptions", "villages"])
    if kept["villages"]:
        session.execute(
            insert(SlotVillage), [{"slot_id": slot.id, "village_id": one} for one in kept["villages"]]
        )
    session.add_all(
        SlotException(
            slot_id=slot.id, local_date=date.fromisoformat(one["local_date"]), action=one["action"],
            start_local=_typed("start_local", one["start_local"]), note=one["note"],
        )
        for one in kept["exceptions"]
    )  # fmt: skip


def _give_back(session: Session, owners: Mapping[str, int], now: datetime) -> None:
    for airing in session.scalars(select(Airing).where(Airing.id.in_(owners))):
        if not_started(airing, now) and airing.slot_id != owners[airing.id]:
            airing.slot_id = owners[airing.id]
    session.flush()


def _restore_states(session: Session, states: Mapping[str, str], now: datetime) -> None:
    for airing in session.scalars(select(Airing).where(Airing.id.in_(states))):
        wanted = AiringState(states[airing.id])
        # Left out by a person and taken back in time; what was cancelled comes back as a new airing.
        if airing.state is AiringState.SKIPPED and wanted is AiringState.PLANNED and airing.planned_at > now:
            airing.state, airing.reason = wanted, ""
    session.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return value.isoformat() if isinstance(value, date | time) else value


def _typed(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _ENUMS:
        return _ENUMS[name](value)
    if name == "start_local":
        return time.fromisoformat(value)
    return date.fromisoformat(value) if name in ("valid_from", "valid_to") else value
