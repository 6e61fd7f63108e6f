"""Villages are renamed and merged; what was broadcast before stays under the old name.

The old row ends the day before and names its successor; airings keep the villages they were written for, so a
report of any period is right.  The clock brings the airings that have not started in line at its next tick.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound, Refused
from broadcaster.naming import plain_name
from broadcaster.newsroom.people import record
from broadcaster.schedule.live import bump_plan
from broadcaster.store.tables import Receiver, ReceiverVillage, SlotVillage, Station, User, Village


def succeed(
    session: Session,
    station: Station,
    village_ids: Sequence[int],
    *,
    name: str = "",
    heir_id: int | None = None,
    day: date,
    today: date,
    actor: User,
    now: datetime,
) -> Village:
    """From `day` on the villages are one: a new one called `name`, or the existing `heir_id`.

    One village and a name is a renaming.  Loudspeakers and slots of the old villages reach the heir from now
    on too.  InputError, NotFound, Refused (one of them has ended already).
    """
    if day < today:
        raise InputError(f"Ngày đổi {day:%d/%m/%Y} đã qua. Hãy chọn từ hôm nay trở đi.")
    old = [_village(session, station, one) for one in dict.fromkeys(village_ids) if one != heir_id]
    if not old:
        raise InputError("Chưa chọn thôn nào để đổi tên hoặc sáp nhập. Hãy chọn ít nhất một thôn.")
    for one in old:
        if one.valid_to is not None:
            raise Refused(
                f"{one.name} đã kết thúc từ ngày {one.valid_to:%d/%m/%Y}. Hãy chọn thôn đang hoạt động."
            )
        if one.valid_from is not None and one.valid_from >= day:
            raise Refused(f"{one.name} mới có từ ngày {one.valid_from:%d/%m/%Y}. Hãy chọn ngày đổi muộn hơn.")
    heir = (
        _village(session, station, heir_id)
        if heir_id is not None
        else _founded(session, station, old, name, day)
    )
    if heir.valid_to is not None and heir.valid_to >= day - timedelta(days=1):
        raise Refused(f"{heir.name} cũng sắp kết thúc. Hãy chọn thôn khác để nhập vào.")
    for one in old:
        one.valid_to, one.successor_id = day - timedelta(days=1), heir.id
    _pass_on(session, [one.id for one in old], heir.id)
    session.flush()
    bump_plan(session, station.id)
    record(
        session, station_id=station.id, actor=actor, action="sáp nhập thôn", subject=heir.name,
        detail={"from": day.isoformat(), "villages": [one.name for one in old], "heir": heir.id}, now=now,
    )  # fmt: skip
    return heir


def _village(session: Session, station: Station, village_id: int) -> Village:
    row = session.get(Village, village_id)
    if row is None or row.station_id != station.id:
        raise NotFound("Không có thôn này ở đài. Hãy mở lại danh sách thôn.")
    return row


def _founded(session: Session, station: Station, old: Sequence[Village], name: str, day: date) -> Village:
    called = " ".join(name.split())
    if not called:
        raise InputError("Chưa ghi tên mới. Hãy ghi tên thôn sau khi đổi.")
    if len(called) > 120:
        raise InputError("Tên thôn quá dài. Hãy viết không quá 120 ký tự.")
    slugs = set(session.scalars(select(Village.slug).where(Village.station_id == station.id)))
    slug, number = plain_name(called, "thon")[:50], 1
    while slug in slugs:
        number += 1
        slug = f"{plain_name(called, 'thon')[:50]}-{number}"
    first = min(old, key=lambda one: (one.position, one.id))
    heir = Village(
        station_id=station.id, slug=slug, name=called, position=first.position, valid_from=day,
        operator_name=first.operator_name, operator_phone=first.operator_phone,
    )  # fmt: skip
    session.add(heir)
    session.flush()
    return heir


def _pass_on(session: Session, old_ids: Sequence[int], heir_id: int) -> None:
    """Receivers and slots that were made for the old villages serve the heir too; the old stay for the past."""
    receivers = set(
        session.scalars(
            select(ReceiverVillage.receiver_id)
            .join(Receiver, Receiver.id == ReceiverVillage.receiver_id)
            .where(ReceiverVillage.village_id.in_(old_ids))
        )
    ) - set(session.scalars(select(ReceiverVillage.receiver_id).where(ReceiverVillage.village_id == heir_id)))
    slots = set(
        session.scalars(select(SlotVillage.slot_id).where(SlotVillage.village_id.in_(old_ids)))
    ) - set(session.scalars(select(SlotVillage.slot_id).where(SlotVillage.village_id == heir_id)))
    session.add_all(ReceiverVillage(receiver_id=one, village_id=heir_id) for one in sorted(receivers))
    session.add_all(SlotVillage(slot_id=one, village_id=heir_id) for one in sorted(slots))
