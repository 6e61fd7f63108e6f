"""Weekly slots, their dated exceptions and standing orders, each checked against the station's policy.

Every change is followed by the airings that have not started, in the same transaction, over the days that
are materialised already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.attributes import flag_modified

from broadcaster.errors import Conflict, InputError, NotFound, Refused
from broadcaster.newsroom.people import record
from broadcaster.schedule import policy as rules_of_the_station
from broadcaster.schedule.airings import refuse, sessions_on
from broadcaster.schedule.checking import SLOT_KEY, SlotForm, check_form, check_policy, session_of
from broadcaster.schedule.holidays import holiday_data, read_holidays
from broadcaster.schedule.live import station_of
from broadcaster.schedule.materialising import hand_over, materialise, rule_of
from broadcaster.schedule.slots import ACTIONS, format_weekdays, instant, local_day
from broadcaster.store.tables import (
    Bulletin,
    Rotation,
    Slot,
    SlotException,
    SlotVillage,
    Station,
    User,
)


def add_slot(
    session: Session,
    station: Station,
    form: SlotForm,
    *,
    actor: User | None,
    now: datetime,
    instead_of: Slot | None = None,
) -> Slot:
    """A new weekly slot and its airings.  Refused with remedies when policy or another slot forbids it.

    `instead_of` is a slot that ends the day before: its later airings and exceptions become the new one's.
    """
    weekdays = check_form(session, station, form)
    old = None if instead_of is None else instead_of.id
    check_policy(session, station, form, weekdays, slot_id=old, today=local_day(station.zone, now))
    slot = Slot(station_id=station.id, version=1, **_columns(form, weekdays))
    session.add(slot)
    session.flush()
    _write_villages(session, slot.id, form.village_ids)
    if instead_of is not None:
        hand_over(session, instead_of, slot, now=now)
    _tell(session, station, actor, "thêm khung giờ", slot, now)
    _follow(session, station, now)
    return slot


def edit_slot(
    session: Session, slot_id: int, form: SlotForm, *, version: int, actor: User | None, now: datetime
) -> Slot:
    """Change a slot; what has not started follows it in place, what has started stays as it was.

    `version` is the one the form was opened with: Conflict when somebody changed the slot meanwhile.
    """
    slot, station = _load(session, slot_id)
    if slot.version != version:
        raise Conflict(
            f"Khung giờ “{slot.name}” vừa được người khác sửa. Hãy tải lại trang rồi sửa tiếp trên bản mới."
        )
    weekdays = check_form(session, station, form)
    check_policy(session, station, form, weekdays, slot_id=slot.id, today=local_day(station.zone, now))
    for name, value in _columns(form, weekdays).items():
        setattr(slot, name, value)
    flag_modified(slot, "name")  # the version moves even when only the villages did
    session.execute(delete(SlotVillage).where(SlotVillage.slot_id == slot.id))
    _write_villages(session, slot.id, form.village_ids)
    session.flush()
    session.expire(slot, ["villages"])
    _tell(session, station, actor, "sửa khung giờ", slot, now)
    _follow(session, station, now)
    return slot


def remove_slot(session: Session, slot_id: int, *, actor: User | None, now: datetime) -> Slot:
    """Stop a slot: its airings that have not started are cancelled, its history stays."""
    slot, station = _load(session, slot_id)
    slot.active = False
    session.flush()
    _tell(session, station, actor, "bỏ khung giờ", slot, now)
    _follow(session, station, now)
    return slot


def end_slot(session: Session, slot_id: int, last: date, *, actor: User | None, now: datetime) -> Slot:
    """Let a slot have its last airing on `last`.  Less on the air breaks no rule: policy is not asked."""
    slot, station = _load(session, slot_id)
    slot.valid_to = last
    for row in [one for one in slot.exceptions if one.local_date > last]:
        slot.exceptions.remove(row)
        session.delete(row)
    session.flush()
    _tell(session, station, actor, "sửa khung giờ", slot, now, until=last.isoformat())
    _follow(session, station, now)
    return slot


def set_exception(
    session: Session,
    slot_id: int,
    local_date: date,
    action: str,
    *,
    start_local: time | None = None,
    note: str = "",
    actor: User | None,
    now: datetime,
) -> SlotException:
    """One dated exception: `skip` the day, `replace` its start, or play it as an `extra` day.

    A second exception for the same date takes the place of the first.
    """
    slot, station = _load(session, slot_id)
    if action not in ACTIONS:
        raise InputError(f"Không có loại ngoại lệ “{action}”. Hãy chọn một trong: {', '.join(ACTIONS)}.")
    if local_date < local_day(station.zone, now):
        raise Refused("Ngày này đã qua, lịch cũ không sửa được.", remedies=("Chọn từ hôm nay trở đi.",))
    named = local_date.isoweekday() in rule_of(slot).weekdays
    if action == "replace" and (start_local is None or not named):
        raise InputError(
            "Đổi giờ cần giờ mới, và chỉ dùng cho ngày khung giờ này có phát. Hãy nhập giờ, hoặc chọn “thêm ngày”."
        )
    if action != "skip":
        start = start_local or slot.start_local
        if instant(station.zone, local_date, start) <= now:
            raise Refused("Giờ phát này đã qua.", remedies=("Chọn giờ sau giờ hiện tại.",))
        refuse(
            rules_of_the_station.check_session(
                rules_of_the_station.Policy.from_data(station.policy),
                session_of(slot, start),
                weekday=local_date.isoweekday(),
                others=sessions_on(session, station, local_date, without_slot=slot.id),
            )
        )
    row = next((one for one in slot.exceptions if one.local_date == local_date), None)
    if row is None:
        row = SlotException(slot_id=slot.id, local_date=local_date, action=action)
        slot.exceptions.append(row)
    row.action, row.start_local, row.note = action, start_local, note.strip()
    session.flush()
    _tell(session, station, actor, "ngoại lệ khung giờ", slot, now, date=local_date.isoformat(), kind=action)
    _follow(session, station, now)
    return row


def clear_exception(session: Session, slot_id: int, local_date: date, *, actor: User, now: datetime) -> None:
    """Let the rule speak for that date again; an airing cancelled by the exception comes back."""
    slot, station = _load(session, slot_id)
    row = next((one for one in slot.exceptions if one.local_date == local_date), None)
    if row is None:
        raise NotFound(f"Khung giờ “{slot.name}” không có ngoại lệ vào ngày {local_date:%d/%m/%Y}.")
    slot.exceptions.remove(row)
    session.delete(row)
    session.flush()
    _tell(session, station, actor, "ngoại lệ khung giờ", slot, now, date=local_date.isoformat(), kind="clear")
    _follow(session, station, now)


def set_rotation(
    session: Session,
    slot_id: int,
    bulletin_ids: Sequence[int],
    *,
    per_airing: int,
    actor: User | None,
    now: datetime,
) -> Rotation:
    """A standing order: each new airing of the slot takes the next `per_airing` bulletins in turn.

    Airings that exist already keep their running order.
    """
    slot, station = _load(session, slot_id)
    if not 1 <= per_airing <= 20:
        raise InputError("Mỗi buổi nhận từ 1 đến 20 bản tin luân phiên. Hãy nhập lại.")
    order = list(dict.fromkeys(bulletin_ids))
    known = session.scalars(
        select(Bulletin.id).where(Bulletin.station_id == station.id, Bulletin.id.in_(order))
    ).all()
    if len(known) != len(order):
        raise NotFound("Có bản tin trong danh sách luân phiên không còn ở đài. Hãy chọn lại.")
    row = session.scalar(select(Rotation).where(Rotation.slot_id == slot.id))
    if row is None:
        row = Rotation(station_id=station.id, slot_id=slot.id)
        session.add(row)
    row.per_airing, row.bulletins = per_airing, order
    session.flush()
    _tell(session, station, actor, "luân phiên bản tin", slot, now, bulletins=order, per_airing=per_airing)
    return row


def set_holidays(
    session: Session,
    station: Station,
    rows: Sequence[Mapping[str, Any]],
    *,
    actor: User | None,
    now: datetime,
) -> None:
    """The station's holidays, each a line as `schedule.holidays` reads it; slots that rest on them follow."""
    station.holidays = [holiday_data(row) for row in read_holidays(rows)]
    session.flush()
    record(
        session, station_id=station.id, actor=actor, action="đặt ngày nghỉ lễ", subject=station.slug,
        detail={"holidays": list(station.holidays)}, now=now,
    )  # fmt: skip
    _follow(session, station, now)


def _load(session: Session, slot_id: int) -> tuple[Slot, Station]:
    slot = session.scalar(
        select(Slot)
        .where(Slot.id == slot_id, Slot.active)
        .options(selectinload(Slot.exceptions), selectinload(Slot.villages))
        .with_for_update()  # of two officers the second meets the first one's version, and is told
        .execution_options(populate_existing=True)
    )
    if slot is None:
        raise NotFound("Không tìm thấy khung giờ này ở đài. Hãy mở lại lịch tuần.")
    return slot, station_of(session, slot.station_id)


def _columns(form: SlotForm, weekdays: frozenset[int]) -> dict[str, object]:
    return {
        "name": form.name.strip(),
        "weekdays": format_weekdays(weekdays),
        "start_local": form.start_local.replace(second=0, microsecond=0, tzinfo=None),
        "valid_from": form.valid_from,
        "valid_to": form.valid_to,
        "max_minutes": form.max_minutes,
        "start_mode": form.start_mode,
        "wait_s": form.wait_s,
        "late_policy": form.late_policy,
        "grace_s": form.grace_s,
        "priority": form.priority,
        "volume_percent": form.volume_percent,
        "template_name": form.template_name,
        "on_holidays": form.on_holidays,
        "carry_over": form.carry_over,
    }


def _write_villages(session: Session, slot_id: int, village_ids: Sequence[int]) -> None:
    if village_ids:
        session.execute(
            insert(SlotVillage), [{"slot_id": slot_id, "village_id": one} for one in sorted(set(village_ids))]
        )


def _follow(session: Session, station: Station, now: datetime) -> None:
    today = local_day(station.zone, now)
    if station.materialised_through is None:
        return  # the clock has not materialised anything yet; its first tick will
    days = max((station.materialised_through - today).days + 1, 1)
    materialise(session, station, today=today, now=now, days=days)


def _tell(
    session: Session,
    station: Station,
    actor: User | None,
    action: str,
    slot: Slot,
    now: datetime,
    **detail: object,
) -> None:
    record(
        session, station_id=station.id, actor=actor, action=action, subject=f"{SLOT_KEY}{slot.id}",
        detail={"name": slot.name, "weekdays": slot.weekdays, "start": f"{slot.start_local:%H:%M}", **detail},
        now=now,
    )  # fmt: skip
