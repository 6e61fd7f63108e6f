"""The station's week <-> the file: what is exported, applied to a station, exports as the same file again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from broadcaster.errors import InputError
from broadcaster.schedule.checking import SlotForm
from broadcaster.schedule.ending import form_of
from broadcaster.schedule.fallback import fillers, set_fillers
from broadcaster.schedule.holidays import holiday_data, read_holidays
from broadcaster.schedule.rules import (
    add_slot,
    edit_slot,
    remove_slot,
    set_exception,
    set_holidays,
    set_rotation,
)
from broadcaster.schedule.slots import local_day
from broadcaster.schedule.weekfile import ExceptionLine, RotationLine, SlotLine, WeekFile
from broadcaster.store.tables import Bulletin, Rotation, Slot, SlotException, Station, User, Village

FOLDER: Final = "đài mẫu/"  # how `source_name` begins for bulletins that came from a station's folder


@dataclass(frozen=True, slots=True)
class Applied:
    """What an import did to the slots."""

    added: int = 0
    changed: int = 0
    removed: int = 0


def week_of(session: Session, station: Station, *, now: datetime) -> WeekFile:
    """The week as it stands; dated exceptions from today on."""
    slots = session.scalars(
        select(Slot)
        .where(Slot.station_id == station.id, Slot.active)
        .order_by(Slot.start_local, Slot.valid_from, Slot.id)
        .options(selectinload(Slot.exceptions), selectinload(Slot.villages))
        .execution_options(populate_existing=True)
    ).all()
    slugs = _slugs(slots)
    names = _names(session, station)
    rotations = {
        row.slot_id: row for row in session.scalars(select(Rotation).where(Rotation.station_id == station.id))
    }
    today = local_day(station.zone, now)
    return WeekFile(
        slots=tuple(_line(slot, slugs[slot.id]) for slot in slots),
        rotations=tuple(
            RotationLine(
                slugs[slot.id], row.per_airing, tuple(names[one] for one in row.bulletins if one in names)
            )
            for slot in slots
            if (row := rotations.get(slot.id)) is not None and row.bulletins
        ),
        exceptions=tuple(
            ExceptionLine(slugs[slot.id], row.local_date, row.action, row.start_local, row.note)
            for slot in slots
            for row in sorted(slot.exceptions, key=lambda one: one.local_date)
            if row.local_date >= today
        ),
        holidays=read_holidays(station.holidays),
        fillers=tuple(names[row.bulletin_id] for row in fillers(session) if row.bulletin_id in names),
    )


def apply_week(
    session: Session, station: Station, week: WeekFile, *, actor: User | None, now: datetime
) -> Applied:
    """Make the station's week what the file says; airings that have not started follow, what was played stays.

    Slots go by name.  Refused with remedies where the file breaks the station's own rules; InputError names a
    village or a bulletin that is not here.  All or nothing: the caller's transaction.
    """
    villages = {
        row.slug: row.id for row in session.scalars(select(Village).where(Village.station_id == station.id))
    }
    known = {
        row.name: row
        for row in session.scalars(
            select(Slot)
            .where(Slot.station_id == station.id, Slot.active)
            .order_by(Slot.id)
            .options(selectinload(Slot.villages), selectinload(Slot.exceptions))
        )
    }
    if len({line.name for line in week.slots}) != len(week.slots):
        raise InputError("Tệp có hai khung giờ trùng tên. Hãy đặt tên khác nhau.")
    added = changed = 0
    gone = [row for name, row in known.items() if name not in {line.name for line in week.slots}]
    for row in gone:  # first, so that what takes their place does not clash with them
        remove_slot(session, row.id, actor=actor, now=now)
    slots: dict[str, Slot] = {}
    for line in week.slots:
        form = form_from(line, villages)
        there = known.get(line.name)
        if there is None:
            slots[line.slug] = add_slot(session, station, form, actor=actor, now=now)
            added += 1
        else:
            if form != form_of(there):
                edit_slot(session, there.id, form, version=there.version, actor=actor, now=now)
                changed += 1
            slots[line.slug] = there
    set_holidays(session, station, [holiday_data(row) for row in week.holidays], actor=actor, now=now)
    _exceptions(session, station, week, slots, actor=actor, now=now)
    bulletins = {name: key for key, name in _names(session, station).items()}
    for line_slug, slot in slots.items():
        turn = next((one for one in week.rotations if one.slot == line_slug), None)
        wanted = [] if turn is None else [_bulletin(bulletins, name) for name in turn.bulletins]
        current = session.scalar(select(Rotation).where(Rotation.slot_id == slot.id))
        if turn is not None and (
            current is None or (current.per_airing, current.bulletins) != (turn.per_airing, wanted)
        ):
            set_rotation(session, slot.id, wanted, per_airing=turn.per_airing, actor=actor, now=now)
        elif turn is None and current is not None and current.bulletins:
            set_rotation(session, slot.id, [], per_airing=current.per_airing, actor=actor, now=now)
    set_fillers(session, station, [_bulletin(bulletins, name) for name in week.fillers], actor=actor, now=now)
    return Applied(added, changed, len(gone))


def form_from(line: SlotLine, villages: Mapping[str, int]) -> SlotForm:
    """A line of the file as the form a person fills in; InputError when a village is not here."""
    for slug in line.villages:
        if slug not in villages:
            raise InputError(
                f"Khung giờ “{line.name}” nói tới thôn “{slug}” không có ở đài. Hãy sửa mã thôn."
            )
    return SlotForm(
        name=line.name, weekdays=line.weekdays, start_local=line.start_local, valid_from=line.valid_from,
        valid_to=line.valid_to, max_minutes=line.max_minutes, start_mode=line.start_mode, wait_s=line.wait_s,
        late_policy=line.late_policy, grace_s=line.grace_s, priority=line.priority,
        volume_percent=line.volume_percent, template_name=line.template_name, on_holidays=line.on_holidays,
        carry_over=line.carry_over, village_ids=tuple(sorted(villages[slug] for slug in line.villages)),
    )  # fmt: skip


def _line(slot: Slot, slug: str) -> SlotLine:
    return SlotLine(
        slug=slug, name=slot.name, weekdays=slot.weekdays, start_local=slot.start_local,
        valid_from=slot.valid_from, valid_to=slot.valid_to, max_minutes=slot.max_minutes,
        start_mode=slot.start_mode, wait_s=slot.wait_s, late_policy=slot.late_policy, grace_s=slot.grace_s,
        priority=slot.priority, volume_percent=slot.volume_percent, template_name=slot.template_name,
        villages=tuple(one.slug for one in sorted(slot.villages, key=lambda one: (one.position, one.id))),
        on_holidays=slot.on_holidays, carry_over=slot.carry_over,
    )  # fmt: skip


def _exceptions(
    session: Session,
    station: Station,
    week: WeekFile,
    slots: Mapping[str, Slot],
    *,
    actor: User | None,
    now: datetime,
) -> None:
    today = local_day(station.zone, now)
    wanted = {(line.slot, line.day): line for line in week.exceptions if line.day >= today}
    for slug, slot in slots.items():
        rows = session.scalars(
            select(SlotException).where(SlotException.slot_id == slot.id, SlotException.local_date >= today)
        ).all()
        for row in rows:
            if (slug, row.local_date) not in wanted:
                session.delete(row)
    session.flush()
    for slot in slots.values():
        session.expire(slot, ["exceptions"])
    for line in wanted.values():
        there = next((one for one in slots[line.slot].exceptions if one.local_date == line.day), None)
        if there is not None and (there.action, there.start_local, there.note) == (
            line.action,
            line.start_local,
            line.note,
        ):
            continue
        set_exception(
            session, slots[line.slot].id, line.day, line.action, start_local=line.start_local, note=line.note,
            actor=actor, now=now,
        )  # fmt: skip


def _names(session: Session, station: Station) -> dict[int, str]:
    """bulletin id -> how the file calls it: the file it came from, else its title; of two the newest."""
    found: dict[str, int] = {}
    for row in session.scalars(
        select(Bulletin).where(Bulletin.station_id == station.id).order_by(Bulletin.id)
    ):
        name = row.source_name.removeprefix(FOLDER) if row.source_name.startswith(FOLDER) else row.title
        found[name] = row.id
    return {key: name for name, key in found.items()}


def _bulletin(known: Mapping[str, int], name: str) -> int:
    if name not in known:
        raise InputError(
            f"Tệp nói tới bản tin “{name}” không có ở đài. Hãy soạn bản tin đó trước, hoặc bỏ khỏi tệp."
        )
    return known[name]


def _slugs(slots: Sequence[Slot]) -> dict[int, str]:
    found: dict[int, str] = {}
    for slot in slots:
        bare = unicodedata.normalize("NFD", slot.name.replace("đ", "d").replace("Đ", "d"))
        plain = "".join(letter for letter in bare if not unicodedata.combining(letter)).lower()
        base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "khung"
        slug, number = base, 2
        while slug in found.values():
            slug, number = f"{base}-{number}", number + 1
        found[slot.id] = slug
    return found
