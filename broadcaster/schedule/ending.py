"""A weekly slot ends, or gives way to what somebody puts in its place; so does a single airing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound
from broadcaster.schedule.checking import SLOT_KEY, SlotForm
from broadcaster.schedule.closing import skip_airing
from broadcaster.schedule.rules import end_slot, remove_slot
from broadcaster.store.tables import Slot, User

GAVE_WAY: Final = "Nhường chỗ cho một buổi khác trùng giờ."


def form_of(slot: Slot) -> SlotForm:
    """The slot as the form a person fills in."""
    return SlotForm(
        name=slot.name, weekdays=slot.weekdays, start_local=slot.start_local, valid_from=slot.valid_from,
        valid_to=slot.valid_to, max_minutes=slot.max_minutes, start_mode=slot.start_mode, wait_s=slot.wait_s,
        late_policy=slot.late_policy, grace_s=slot.grace_s, priority=slot.priority,
        volume_percent=slot.volume_percent, template_name=slot.template_name, on_holidays=slot.on_holidays,
        carry_over=slot.carry_over, village_ids=tuple(sorted(one.id for one in slot.villages)),
    )  # fmt: skip


def end_before(session: Session, slot: Slot, day: date, *, actor: User, now: datetime) -> None:
    """The slot has its last airing before `day`; wholly gone when it had none."""
    if day <= slot.valid_from:
        remove_slot(session, slot.id, actor=actor, now=now)
    else:
        end_slot(session, slot.id, day - timedelta(days=1), actor=actor, now=now)


def parted(keys: Collection[str]) -> tuple[list[int], list[str]]:
    """(slots, airings) that a clash's ways out name."""
    slots = [key.removeprefix(SLOT_KEY) for key in keys if key.startswith(SLOT_KEY)]
    if not all(one.isdigit() for one in slots):
        raise InputError("Không rõ buổi nào phải nhường chỗ. Hãy mở lại trang rồi chọn cách giải quyết.")
    return [int(one) for one in slots], [key for key in keys if not key.startswith(SLOT_KEY)]


def give_way(session: Session, keys: Collection[str], *, day: date, actor: User, now: datetime) -> None:
    """Carry out what a person chose in a clash: slots end before `day`, airings are left out on theirs."""
    slots, airings = parted(keys)
    for number in slots:
        slot = session.get(Slot, number)
        if slot is None or not slot.active:
            raise NotFound("Khung giờ phải nhường chỗ không còn ở đài. Hãy tải lại trang rồi làm lại.")
        end_before(session, slot, day, actor=actor, now=now)
    for airing_id in airings:
        skip_airing(session, airing_id, reason=GAVE_WAY, actor=actor, now=now)
