"""Asking for an emergency: compose or pick a message, name villages, reason and end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from broadcaster.errors import InputError, NotFound, ReadingBlocked, Refused
from broadcaster.model import NoticeKind, Priority, ReadingWarning
from broadcaster.newsroom.bulletins import create_bulletin, reading_of, submit
from broadcaster.newsroom.notices import tell
from broadcaster.newsroom.people import allowed, may, record
from broadcaster.schedule.emergency.message import ask_message, key_of
from broadcaster.store.tables import Emergency, Revision, Station, User, Village

LONGEST: Final = timedelta(hours=72)
SHORTEST: Final = timedelta(minutes=5)
REPEATS_MIN: Final = (0, 5, 10, 15, 30, 60, 120)
MOST_AIRINGS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyForm:
    """What a person says about an emergency.  No `village_ids` = every village; `repeat_min` 0 = once."""

    reason: str
    expires_at: datetime
    village_ids: tuple[int, ...] = field(default=())
    repeat_min: int = 0
    drill: bool = False
    cancels_id: int | None = None


class MessageBlocked(ReadingBlocked):
    """The message holds something that nobody has said how to read; `warnings` are the open places."""

    def __init__(self, message: str, warnings: Sequence[ReadingWarning]) -> None:
        super().__init__(message)
        self.warnings = tuple(warnings)


def compose_message(
    session: Session,
    station: Station,
    *,
    title: str,
    text: str,
    answers: Mapping[str, str],
    read_twice: bool,
    actor: User,
    now: datetime,
) -> Revision:
    """A new emergency bulletin, submitted at once; MessageBlocked while a reading is open."""
    bulletin = create_bulletin(
        session, station_id=station.id, author=actor, title=title, text=text, priority=Priority.EMERGENCY,
        read_twice=read_twice, now=now,
    )  # fmt: skip
    bulletin.draft_answers = {key: " ".join(said.split()) for key, said in answers.items() if said.strip()}
    session.flush()
    try:
        return submit(session, bulletin.id, version=bulletin.version, actor=actor, now=now)
    except ReadingBlocked as error:
        raise MessageBlocked(error.message, reading_of(session, bulletin).warnings) from error


def request_emergency(
    session: Session,
    station: Station,
    revision: Revision,
    form: EmergencyForm,
    *,
    persons: int,
    actor: User,
    now: datetime,
) -> Emergency:
    """Write the wish down.  Nothing sounds before it is accepted; its sound is made meanwhile."""
    if not (allowed(session, actor, "submit", now=now) or allowed(session, actor, "emergency", now=now)):
        raise Refused("Tài khoản này không được yêu cầu phát khẩn cấp. Hãy gọi cán bộ đài hoặc người duyệt.")
    if revision.bulletin.station_id != station.id:
        raise NotFound("Không tìm thấy lời khẩn cấp này ở đài. Hãy mở lại trang và chọn lại.")
    check_form(form, now=now)
    _check_villages(session, station, form.village_ids)
    row = Emergency(
        station_id=station.id, drill=form.drill, revision_id=revision.id, cancels_id=form.cancels_id,
        villages=sorted(set(form.village_ids)), reason=form.reason.strip(), expires_at=form.expires_at,
        repeat_min=form.repeat_min, state="waiting", programme_key=key_of(station, revision), persons=persons,
        requested_by_id=actor.id, requested_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    ask_message(session, station, revision, now=now)
    record(
        session, station_id=station.id, actor=actor, action="yêu cầu phát khẩn cấp",
        subject=f"khẩn cấp {row.id}",
        detail={"title": revision.title, "reason": row.reason, "expires": form.expires_at.isoformat(),
                "repeat_min": form.repeat_min, "villages": row.villages, "drill": form.drill}, now=now,
    )  # fmt: skip
    if persons == 2:
        tell(
            session, deciders(session, station.id, besides=actor.id), kind=NoticeKind.EMERGENCY,
            about=f"emergency:{row.id}", actor=actor, now=now,
            text=f"{actor.display_name} yêu cầu phát khẩn cấp “{revision.title}” và đang chờ bạn. Lý do: {row.reason}",
        )  # fmt: skip
    return row


def deciders(session: Session, station_id: int, *, besides: int) -> list[User]:
    """Everybody who may put an emergency on the air, but for one person."""
    people = session.scalars(select(User).where(User.station_id == station_id, User.active).order_by(User.id))
    return [one for one in people if one.id != besides and may(one.role, "emergency")]


def check_form(form: EmergencyForm, *, now: datetime) -> None:
    """Raise when the reason or the end is missing, or the repeats are not to be had."""
    if not form.reason.strip():
        raise InputError("Hãy ghi lý do phát khẩn cấp; lý do được lưu vào nhật ký và báo cáo.")
    if form.repeat_min not in REPEATS_MIN:
        raise InputError("Khoảng phát lại không hợp lệ. Hãy chọn trong danh sách.")
    if not SHORTEST <= form.expires_at - now <= LONGEST:
        raise InputError("Hạn phát phải sau ít nhất 5 phút và không quá 72 giờ kể từ lúc này. Hãy chọn lại.")
    if form.repeat_min and (form.expires_at - now) // timedelta(minutes=form.repeat_min) + 1 > MOST_AIRINGS:
        raise Refused(
            f"Như vậy lời khẩn cấp sẽ phát hơn {MOST_AIRINGS} lần.",
            remedies=("Chọn khoảng phát lại dài hơn.", "Chọn hạn phát ngắn hơn."),
        )


def emergency_by_id(session: Session, emergency_id: int, *, to_change: bool = False) -> Emergency:
    """One emergency of this station; NotFound when there is none.  `to_change` locks its row (PostgreSQL)."""
    query = select(Emergency).where(Emergency.id == emergency_id)
    if to_change:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = session.scalar(
        query.options(
            selectinload(Emergency.revision).selectinload(Revision.take),
            selectinload(Emergency.revision).selectinload(Revision.bulletin),
            selectinload(Emergency.requested_by),
            selectinload(Emergency.decided_by),
            selectinload(Emergency.ended_by),
            selectinload(Emergency.reviewed_by),
        )
    )
    if row is None:
        raise NotFound("Không tìm thấy lần phát khẩn cấp này ở đài. Hãy mở lại trang Khẩn cấp.")
    return row


def _check_villages(session: Session, station: Station, wanted: Collection[int]) -> None:
    known = session.scalars(
        select(Village.id).where(Village.station_id == station.id, Village.id.in_(wanted))
    ).all()
    if len(known) != len(set(wanted)):
        raise InputError("Có thôn được chọn không còn ở đài. Hãy chọn lại các thôn.")
