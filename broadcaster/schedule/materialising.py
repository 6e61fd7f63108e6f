"""Rules -> dated airings, again and again: what has not started follows the rule, what has started stays.

The future is recomputed and compared, so an edited slot, a new exception, a village that is merged away
and a changed zone all reach the airings the same way, in place, keeping their identity and running order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session, selectinload

from broadcaster.model import AiringOrigin, AiringState, SlotExceptionRule, SlotRule
from broadcaster.schedule.holidays import days_off, read_holidays
from broadcaster.schedule.live import OPEN, bump_plan, new_airing_id, villages_on
from broadcaster.schedule.slots import Occurrence, in_turn, instant, occurrences, ordinal, parse_weekdays
from broadcaster.store.tables import (
    Airing,
    AiringVillage,
    Rotation,
    Slot,
    SlotException,
    Station,
    Variant,
    VariantItem,
    VariantVillage,
    Village,
)

LIVE_INDEX = "slot_id IS NOT NULL AND state != 'cancelled'"
COPIED = (
    "name", "max_minutes", "start_mode", "wait_s", "late_policy", "grace_s", "priority", "volume_percent",
    "template_name",
)  # fmt: skip
NOT_NAMED = "Khung giờ không còn phát vào ngày này."
TOO_LATE = "Giờ phát mới của ngày này đã qua khi khung giờ được sửa."


def materialise(session: Session, station: Station, *, today: date, now: datetime, days: int) -> int:
    """Make the airings of `days` days from `today`, and bring those that exist in line with their rules.

    Returns how many were made.  Any number of processes may run it: one live airing a (slot, date) is kept
    by the partial unique index.  Instants that have passed are not made up afterwards.
    """
    slots = session.scalars(
        select(Slot)
        .where(Slot.station_id == station.id)
        .order_by(Slot.id)
        .options(selectinload(Slot.exceptions), selectinload(Slot.villages))
        .execution_options(populate_existing=True)
    ).all()
    everyone = session.scalars(
        select(Village).where(Village.station_id == station.id).order_by(Village.position, Village.id)
    ).all()
    rotations = {
        row.slot_id: row for row in session.scalars(select(Rotation).where(Rotation.station_id == station.id))
    }
    ahead = session.scalars(
        select(Airing)
        .where(Airing.station_id == station.id, Airing.slot_id.is_not(None), Airing.local_date >= today)
        .order_by(Airing.id)
    ).all()
    reached = _villages_of(
        session, Airing.station_id == station.id, Airing.local_date >= today, Airing.state.in_(OPEN)
    )
    last = today + timedelta(days=days - 1)
    furthest = max([last, *(airing.local_date for airing in ahead)])
    off = days_off(read_holidays(station.holidays), today, furthest)
    by_slot: dict[int, list[Airing]] = defaultdict(list)
    for airing in ahead:
        assert airing.slot_id is not None
        by_slot[airing.slot_id].append(airing)
    made = changed = 0
    for slot in slots:
        follow = _Slot(session, station, slot, everyone, rotations.get(slot.id), off, now)
        fresh, moved = follow.bring_in_line(by_slot[slot.id], reached, first=today, last=last)
        made, changed = made + fresh, changed + moved
    station.materialised_through = max(last, station.materialised_through or last)
    if made or changed:
        session.flush()
        bump_plan(session, station.id)
    return made


def rule_of(slot: Slot) -> SlotRule:
    """The slot as a pure rule."""
    return SlotRule(
        slot_id=slot.id,
        weekdays=parse_weekdays(slot.weekdays),
        start_local=slot.start_local,
        valid_from=slot.valid_from,
        valid_to=slot.valid_to,
    )


def exceptions_of(slot: Slot) -> list[SlotExceptionRule]:
    """Its dated exceptions as pure rules."""
    return [
        SlotExceptionRule(slot.id, row.local_date, row.action, row.start_local) for row in slot.exceptions
    ]


def hand_over(session: Session, old: Slot, new: Slot, *, now: datetime) -> None:
    """Give the new slot the old one's airings and dated exceptions from its first day on."""
    airings = session.scalars(
        select(Airing).where(
            Airing.slot_id == old.id, Airing.local_date >= new.valid_from, Airing.state.in_(OPEN),
            Airing.planned_at > now,
        )
    ).all()  # fmt: skip
    for airing in airings:
        airing.slot_id = new.id
    rows = session.scalars(
        select(SlotException).where(
            SlotException.slot_id == old.id, SlotException.local_date >= new.valid_from
        )
    ).all()
    for row in rows:
        row.slot_id = new.id
    session.flush()
    session.expire(old, ["exceptions"])
    session.expire(new, ["exceptions"])


class _Slot:
    """One slot's airings brought in line: the rows of one transaction, gathered once."""

    def __init__(
        self,
        session: Session,
        station: Station,
        slot: Slot,
        everyone: Sequence[Village],
        rotation: Rotation | None,
        off: Mapping[date, str],
        now: datetime,
    ) -> None:
        self.session, self.station, self.slot, self.now = session, station, slot, now
        self.off = {} if slot.on_holidays else off
        self.targets = slot.villages or everyone
        self.rotation = rotation
        self.rule = rule_of(slot)

    def bring_in_line(
        self, airings: Iterable[Airing], reached: dict[str, set[int]], *, first: date, last: date
    ) -> tuple[int, int]:
        live: dict[date, Airing] = {}
        cancelled: dict[date, Airing] = {}
        # They come in the order they were made: of several cancelled ones the last is remembered.
        for airing in airings:  # in the order they were planned: the last one cancelled is remembered
            (cancelled if airing.state is AiringState.CANCELLED else live)[airing.local_date] = airing
        end = max([last, *live])
        named = (
            {
                one.local_date: one
                for one in occurrences(self.rule, exceptions_of(self.slot), first, end)
                # What somebody has said of that very date weighs more than the list of holidays.
                if one.origin != "rule" or one.local_date not in self.off
            }
            if self.slot.active
            else {}
        )
        made = changed = 0
        for day, airing in live.items():
            if airing.state in OPEN and airing.planned_at > self.now:
                changed += self._follow(airing, named.get(day), reached.get(airing.id, set()))
        for day, occurrence in named.items():
            if day in live or day > last or self._instant(occurrence) <= self.now:
                continue
            made += self._make(occurrence, cancelled.get(day))
        return made, changed

    def _instant(self, occurrence: Occurrence) -> datetime:
        return instant(self.station.zone, occurrence.local_date, occurrence.start_local)

    def _values(self, occurrence: Occurrence) -> dict[str, Any]:
        return {
            **{name: getattr(self.slot, name) for name in COPIED},
            "start_local": occurrence.start_local,
            "planned_at": self._instant(occurrence),
        }

    def _follow(self, airing: Airing, occurrence: Occurrence | None, reached: set[int]) -> bool:
        if occurrence is None:
            airing.state, airing.reason = AiringState.CANCELLED, self._why_not(airing.local_date)
            return True
        values = self._values(occurrence)
        if values["planned_at"] <= self.now:
            airing.state, airing.reason = AiringState.CANCELLED, TOO_LATE
            return True
        changed = False
        for name, value in values.items():
            if getattr(airing, name) != value:
                setattr(airing, name, value)
                changed = True
        return self._retarget(airing, reached) or changed

    def _why_not(self, day: date) -> str:
        for row in self.slot.exceptions:
            if row.local_date == day and row.action == "skip":
                return row.note or "Nghỉ phát ngày này."
        if day in self.off and day.isoweekday() in self.rule.weekdays:
            return f"Nghỉ lễ: {self.off[day]}."
        return NOT_NAMED

    def _make(self, occurrence: Occurrence, before: Airing | None) -> int:
        airing_id = new_airing_id(self.now)
        statement = (sqlite_insert if _is_sqlite(self.session) else postgresql_insert)(Airing).values(
            id=airing_id,
            station_id=self.station.id,
            origin=AiringOrigin.SLOT,
            slot_id=self.slot.id,
            local_date=occurrence.local_date,
            state=AiringState.PLANNED,
            reason="",
            version=1,
            **self._values(occurrence),
        )
        statement = statement.on_conflict_do_nothing(
            index_elements=["slot_id", "local_date"], index_where=text(LIVE_INDEX)
        )
        won = self.session.execute(statement.returning(Airing.id)).scalar_one_or_none()
        if won is None:
            return 0
        targets = villages_on(self.targets, occurrence.local_date)
        # A day that was taken away and comes back carries what people had put into it.
        day = occurrence.local_date
        order = hand_on(self.rule, self.rotation, day) if before is None else self._order_of(before)
        write_variant(self.session, airing_id, [one.id for one in targets], order)
        return 1

    def _order_of(self, airing: Airing) -> list[int]:
        rows = self.session.scalars(
            select(VariantItem.bulletin_id)
            .join(Variant, Variant.id == VariantItem.variant_id)
            .where(Variant.airing_id == airing.id)
            .order_by(Variant.number, VariantItem.position)
        )
        return list(dict.fromkeys(rows))

    def _retarget(self, airing: Airing, reached: set[int]) -> bool:
        wanted = {one.id for one in villages_on(self.targets, airing.local_date)}
        if wanted == reached:
            return False
        gone, fresh = reached - wanted, sorted(wanted - reached)
        variants = self.session.scalars(
            select(Variant.id).where(Variant.airing_id == airing.id).order_by(Variant.number)
        ).all()
        if gone:
            self.session.execute(
                delete(AiringVillage).where(
                    AiringVillage.airing_id == airing.id, AiringVillage.village_id.in_(gone)
                )
            )
            self.session.execute(
                delete(VariantVillage).where(
                    VariantVillage.variant_id.in_(variants), VariantVillage.village_id.in_(gone)
                )
            )
        _write_villages(self.session, airing.id, variants[0], fresh)
        self.session.expire(airing, ["villages"])
        return True


def hand_on(rule: SlotRule, rotation: Rotation | None, day: date) -> list[int]:
    """What the standing order puts into the slot's airing of that date when it is made."""
    if rotation is None:
        return []
    return in_turn(rotation.bulletins, per_airing=rotation.per_airing, turn=ordinal(rule, day))


def write_variant(
    session: Session, airing_id: str, village_ids: Sequence[int], bulletin_ids: Sequence[int]
) -> None:
    """The one variant of a new airing: its villages, written down now, and its running order."""
    variant = Variant(airing_id=airing_id, number=1)
    session.add(variant)
    session.flush()
    _write_villages(session, airing_id, variant.id, village_ids)
    session.add_all(
        VariantItem(variant_id=variant.id, position=place, bulletin_id=bulletin_id)
        for place, bulletin_id in enumerate(bulletin_ids, start=1)
    )
    session.flush()


def _write_villages(session: Session, airing_id: str, variant_id: int, village_ids: Sequence[int]) -> None:
    if village_ids:
        session.execute(
            insert(AiringVillage), [{"airing_id": airing_id, "village_id": one} for one in village_ids]
        )
        session.execute(
            insert(VariantVillage), [{"variant_id": variant_id, "village_id": one} for one in village_ids]
        )


def _villages_of(session: Session, *which: ColumnElement[bool]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    rows = session.execute(
        select(AiringVillage.airing_id, AiringVillage.village_id)
        .join(Airing, Airing.id == AiringVillage.airing_id)
        .where(*which)
    )
    for airing_id, village_id in rows:
        found[airing_id].add(village_id)
    return found


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
