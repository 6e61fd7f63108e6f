"""Dated airings: made from rules, filled, closed, added and left out.  The room's front door for changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from broadcaster.errors import InputError, NotFound, Refused
from broadcaster.model import (
    AiringOrigin,
    AiringState,
    BulletinState,
    LatePolicy,
    Priority,
    StartMode,
)
from broadcaster.newsroom.people import record
from broadcaster.schedule import policy as rules_of_the_station
from broadcaster.schedule.closing import close_content, mark_started, skip_airing
from broadcaster.schedule.live import bump_plan, new_airing_id, villages_on
from broadcaster.schedule.materialising import materialise, write_variant
from broadcaster.schedule.running import length_ms, minutes_text, move_item, place, remove_item
from broadcaster.schedule.slots import instant
from broadcaster.store.tables import Airing, Bulletin, Station, User, Village

__all__ = [
    "add_extra",
    "bump_plan",
    "close_content",
    "mark_started",
    "materialise",
    "move_item",
    "place",
    "remove_item",
    "sessions_on",
    "skip_airing",
]

_NAMES = {
    AiringOrigin.EXTRA: "Phát bổ sung",
    AiringOrigin.EMERGENCY: "Phát khẩn cấp",
    AiringOrigin.DRILL: "Diễn tập",
}


def add_extra(
    session: Session,
    station: Station,
    *,
    local_date: date,
    start_local: time,
    bulletin_ids: Sequence[int],
    village_ids: Sequence[int] | None = None,
    max_minutes: int,
    actor: User,
    now: datetime,
    origin: AiringOrigin = AiringOrigin.EXTRA,
    name: str = "",
    priority: Priority | None = None,
    template_name: str = "thuong",
) -> Airing:
    """An airing of its own, beside the weekly slots.  `village_ids` None = every village.

    Refused with remedies when it is in the past, breaks the station's policy or clashes; an emergency or a
    drill asks no policy.
    """
    planned_at = instant(station.zone, local_date, start_local)
    level = priority or (
        Priority.EMERGENCY if origin in (AiringOrigin.EMERGENCY, AiringOrigin.DRILL) else Priority.PRIORITY
    )
    title = name.strip() or _NAMES.get(origin, "Phát bổ sung")
    if planned_at <= now and level is not Priority.EMERGENCY:
        raise Refused(
            f"Giờ phát {start_local:%H:%M} ngày {local_date:%d/%m/%Y} đã qua.",
            remedies=("Chọn giờ sau giờ hiện tại.",),
        )
    targets = _targets(session, station, local_date, village_ids)
    wanted = rules_of_the_station.Session(
        key="",
        name=title,
        start=start_local,
        minutes=max_minutes,
        priority=level,
        villages=None if village_ids is None else frozenset(one.id for one in targets),
    )
    refuse(
        rules_of_the_station.check_session(
            rules_of_the_station.Policy.from_data(station.policy),
            wanted,
            weekday=local_date.isoweekday(),
            others=sessions_on(session, station, local_date),
        )
    )
    if level is not Priority.EMERGENCY:
        _check_bulletins(session, station, bulletin_ids, max_minutes)
    airing = Airing(
        id=new_airing_id(now), station_id=station.id, origin=origin, slot_id=None, name=title,
        local_date=local_date, start_local=start_local, planned_at=planned_at, max_minutes=max_minutes,
        start_mode=StartMode.AT_ONCE, wait_s=0, late_policy=LatePolicy.PLAY_WITHIN_GRACE, grace_s=300,
        priority=level, volume_percent=100, template_name=template_name, state=AiringState.PLANNED, reason="",
    )  # fmt: skip
    session.add(airing)
    session.flush()
    write_variant(session, airing.id, [one.id for one in targets], list(dict.fromkeys(bulletin_ids)))
    record(
        session, station_id=station.id, actor=actor, action="thêm buổi phát", subject=airing.id,
        detail={"date": local_date.isoformat(), "start": start_local.isoformat("minutes"),
                "bulletins": list(bulletin_ids)}, now=now,
    )  # fmt: skip
    bump_plan(session, station.id)
    return airing


def sessions_on(
    session: Session, station: Station, day: date, *, without_slot: int | None = None
) -> list[rules_of_the_station.Session]:
    """What the station has on the air on that date, as policy sees it; left-out airings do not count."""
    rows = session.scalars(
        select(Airing)
        .where(
            Airing.station_id == station.id,
            Airing.local_date == day,
            Airing.state.not_in([AiringState.CANCELLED, AiringState.SKIPPED]),
        )
        .options(selectinload(Airing.villages))
    )
    return [
        rules_of_the_station.Session(
            key=row.id,
            name=row.name,
            start=row.start_local,
            minutes=row.max_minutes,
            priority=row.priority,
            villages=frozenset(village.id for village in row.villages),
        )
        for row in rows
        if without_slot is None or row.slot_id != without_slot
    ]


class Clash(Refused):
    """Another session stands in the way; `ways` are those a page can carry out at once."""

    def __init__(
        self, message: str, *, remedies: tuple[str, ...], ways: tuple[rules_of_the_station.Way, ...]
    ) -> None:
        super().__init__(message, remedies=remedies)
        self.ways = ways


def refuse(refusals: Sequence[rules_of_the_station.Refusal]) -> None:
    """Raise one Refused that says everything that is wrong, each sentence once; a Clash when that is all."""
    if not refusals:
        return
    message = " ".join(dict.fromkeys(one.message for one in refusals))
    remedies = tuple(dict.fromkeys(way for one in refusals for way in one.remedies))
    ways = rules_of_the_station.common_ways(refusals)
    if ways:
        raise Clash(message, remedies=remedies, ways=ways)
    raise Refused(message, remedies=remedies)


def _targets(
    session: Session, station: Station, day: date, village_ids: Sequence[int] | None
) -> list[Village]:
    everyone = session.scalars(
        select(Village).where(Village.station_id == station.id).order_by(Village.position, Village.id)
    ).all()
    here = villages_on(everyone, day)
    if village_ids is None:
        return here
    chosen = [one for one in here if one.id in set(village_ids)]
    if len(chosen) != len(set(village_ids)) or not chosen:
        raise InputError(
            "Có thôn được chọn không còn ở đài vào ngày này, hoặc chưa chọn thôn nào. Hãy chọn lại các thôn."
        )
    return chosen


def _check_bulletins(
    session: Session, station: Station, bulletin_ids: Sequence[int], max_minutes: int
) -> None:
    if not bulletin_ids:
        raise InputError("Buổi phát bổ sung cần ít nhất một bản tin. Hãy chọn bản tin.")
    rows = session.scalars(
        select(Bulletin)
        .where(Bulletin.station_id == station.id, Bulletin.id.in_(bulletin_ids))
        .options(selectinload(Bulletin.revisions))
    ).all()
    if len(rows) != len(set(bulletin_ids)):
        raise NotFound("Có bản tin được chọn không còn ở đài. Hãy mở lại danh sách bản tin và chọn lại.")
    for row in rows:
        if row.state is BulletinState.WITHDRAWN:
            raise Refused(
                f"Bản tin “{row.title}” đã rút, không xếp vào buổi phát được. Hãy chọn bản tin khác."
            )
    length = length_ms(session, rows)
    if length > max_minutes * 60_000:
        raise Refused(
            f"Các bản tin đã chọn dài khoảng {minutes_text(length)}, quá {max_minutes} phút của buổi này.",
            remedies=("Bỏ bớt một bản tin.", "Tăng thời lượng của buổi trong phạm vi quy định."),
        )
