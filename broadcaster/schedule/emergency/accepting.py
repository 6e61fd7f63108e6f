"""The last word before the air, and every word after it: accept, refuse, cancel, review.

Accepting writes all airings at once, repeats included: from then on players carry it out, also if the
station dies a second later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError, Refused
from broadcaster.model import AiringOrigin, AiringState, LatePolicy, NoticeKind, Priority, StartMode
from broadcaster.newsroom.approved import approved_revision
from broadcaster.newsroom.bulletins import approve
from broadcaster.newsroom.notices import settle, tell
from broadcaster.newsroom.people import record, require
from broadcaster.schedule.emergency.asking import deciders, emergency_by_id
from broadcaster.schedule.emergency.message import air_sha256, key_of, message_programme
from broadcaster.schedule.emergency.pins import check_pin
from broadcaster.schedule.live import CLOCK, OPEN, bump_plan, new_airing_id, station_of, villages_on
from broadcaster.schedule.materialising import write_variant
from broadcaster.schedule.slots import zone_of
from broadcaster.store.tables import (
    Airing,
    Emergency,
    ProgrammeRow,
    Revision,
    Station,
    User,
    Variant,
    Village,
)

REST: Final = timedelta(seconds=30)  # between the end of a message and its repeat
DRILL_WAITS_S: Final = 900
WITHDRAWN: Final = "Bản tin của lời khẩn cấp đã rút."


def accept(
    session: Session,
    emergency_id: int,
    *,
    actor: User,
    heard_sha256: str,
    now: datetime,
    pin: str = "",
) -> list[Airing]:
    """Put it on the air now.  `heard_sha256` is the sound the page offered to hear.

    With two persons the second accepts and thereby approves the message; with one, the person who asked
    types a PIN and the message must have been approved before.  Refused, Conflict or InputError otherwise.
    """
    row = emergency_by_id(session, emergency_id, to_change=True)
    station = station_of(session, row.station_id)
    _ensure_waiting(row, now)
    revision = row.revision
    if row.persons == 1:
        if approved_revision(session, revision.bulletin_id) is not revision:
            raise Refused(
                "Một người chỉ được phát lời khẩn cấp đã thu và đã duyệt từ trước.",
                remedies=("Chọn một lời khẩn cấp có sẵn.", "Nhờ người duyệt nghe và cho phát."),
            )
        check_pin(session, actor, pin, now=now)
    else:
        require(
            session, actor, "emergency", now=now,
            message="Tài khoản này không được cho phát khẩn cấp. Hãy gọi người duyệt.",
        )  # fmt: skip
        if actor.id == row.requested_by_id:
            raise Refused(
                "Phát khẩn cấp cần hai người: người yêu cầu không tự cho phát.",
                remedies=("Nhờ một người duyệt khác mở trang này và cho phát.",),
            )
    programme = message_programme(session, station.id, key_of(station, revision))
    if programme is None:
        raise Refused("Lời khẩn cấp chưa thu xong nên chưa nghe được. Hãy chờ vài giây rồi tải lại trang.")
    if air_sha256(programme) != heard_sha256:
        raise Conflict("Âm thanh đã đổi so với bản trên trang của bạn. Hãy tải lại, nghe rồi quyết định.")
    _approve_message(session, revision, actor, now)
    row.state, row.decided_by_id, row.decided_at = "accepted", actor.id, now
    row.programme_key = programme.input_key
    airings = _air(session, station, row, programme, now)
    record(
        session, station_id=station.id, actor=actor, action="phát khẩn cấp" if not row.drill else "diễn tập",
        subject=f"khẩn cấp {row.id}",
        detail={"title": revision.title, "reason": row.reason, "airings": len(airings), "persons": row.persons,
                "sha256": heard_sha256}, now=now,
    )  # fmt: skip
    _tell_accepted(session, row, actor, now)
    bump_plan(session, station.id)
    return airings


def _tell_accepted(session: Session, row: Emergency, actor: User, now: datetime) -> None:
    settle(session, f"emergency:{row.id}", kind=NoticeKind.EMERGENCY, now=now)
    what = "diễn tập" if row.drill else "phát khẩn cấp"
    if row.persons == 1:
        people = deciders(session, row.station_id, besides=actor.id)
        text = f"{actor.display_name} đã một mình {what} “{row.revision.title}”. Mời bạn xem xét lại. Lý do: {row.reason}"
    else:
        people, text = [row.requested_by], f"{actor.display_name} đã cho {what} “{row.revision.title}”."
    tell(
        session,
        people,
        kind=NoticeKind.EMERGENCY,
        about=f"emergency:{row.id}",
        actor=actor,
        text=text,
        now=now,
    )


def refuse_emergency(session: Session, emergency_id: int, *, reason: str, actor: User, now: datetime) -> None:
    """Say no, with a reason; whoever asked may take the wish back in the same way."""
    row = emergency_by_id(session, emergency_id, to_change=True)
    _ensure_waiting(row, now)
    if actor.id != row.requested_by_id:
        require(
            session, actor, "emergency", now=now,
            message="Tài khoản này không được quyết định phát khẩn cấp. Hãy gọi người duyệt.",
        )  # fmt: skip
    if not reason.strip():
        raise InputError("Hãy ghi lý do không phát, để người yêu cầu biết cần làm gì.")
    row.state, row.decided_by_id, row.decided_at, row.decision_note = "refused", actor.id, now, reason.strip()
    record(
        session, station_id=row.station_id, actor=actor, action="không cho phát khẩn cấp",
        subject=f"khẩn cấp {row.id}", detail={"reason": reason.strip()}, now=now,
    )  # fmt: skip
    settle(session, f"emergency:{row.id}", kind=NoticeKind.EMERGENCY, now=now)
    tell(
        session, [row.requested_by], kind=NoticeKind.EMERGENCY, about=f"emergency:{row.id}", actor=actor, now=now,
        text=f"{actor.display_name} không cho phát khẩn cấp “{row.revision.title}”. Lý do: {reason.strip()}",
    )  # fmt: skip


def cancel_emergency(
    session: Session, emergency_id: int, *, reason: str, actor: User | None, now: datetime
) -> int:
    """End an accepted emergency at once: what sounds is stopped, no repeat follows.  One person is enough.

    Returns how many airings it took off.  `actor` None is the station's clock.
    """
    row = emergency_by_id(session, emergency_id, to_change=True)
    if row.state != "accepted":
        raise Conflict("Lần phát khẩn cấp này không còn đang phát. Hãy tải lại trang.")
    if not reason.strip():
        raise InputError("Hãy ghi lý do dừng; lý do được lưu vào nhật ký.")
    taken = end_airings(session, row, reason=reason.strip(), now=now)
    row.state, row.ended_at, row.end_reason = "cancelled", now, reason.strip()
    row.ended_by_id = None if actor is None else actor.id
    record(
        session, station_id=row.station_id, actor=actor if actor is not None else CLOCK,
        action="dừng phát khẩn cấp", subject=f"khẩn cấp {row.id}",
        detail={"reason": reason.strip(), "airings": taken}, now=now,
    )  # fmt: skip
    bump_plan(session, row.station_id)
    return taken


def end_airings(session: Session, row: Emergency, *, reason: str, now: datetime) -> int:
    """Cancel the airings that are to come and order those that have begun off the air."""
    airings = session.scalars(
        select(Airing).where(Airing.emergency_id == row.id, Airing.stopped_at.is_(None))
    ).all()
    taken = 0
    for airing in airings:
        if airing.state in OPEN and airing.planned_at > now:
            airing.state, airing.reason = AiringState.CANCELLED, reason
            taken += 1
        elif airing.state in (*OPEN, AiringState.STARTED):
            # What began stays in the book as begun; the order beside it takes it off the air, for good.
            airing.stopped_at, airing.stop_reason = now, reason
            taken += 1
    session.flush()
    return taken


def review(session: Session, emergency_id: int, *, note: str, actor: User, now: datetime) -> None:
    """The second pair of eyes, afterwards: on what one person alone had put on the air."""
    row = emergency_by_id(session, emergency_id, to_change=True)
    require(
        session, actor, "emergency", now=now,
        message="Tài khoản này không được xem xét phát khẩn cấp. Hãy gọi người duyệt.",
    )  # fmt: skip
    if row.persons != 1 or row.decided_at is None or row.state == "refused":
        raise Refused("Chỉ lần phát khẩn cấp do một người quyết định mới cần xem xét lại.")
    if row.reviewed_at is not None:
        raise Conflict("Lần phát này đã được xem xét. Hãy tải lại trang.")
    if actor.id in (row.requested_by_id, row.decided_by_id):
        raise Refused("Người đã phát không tự xem xét. Hãy nhờ người duyệt khác.")
    if not note.strip():
        raise InputError("Hãy ghi nhận xét, dù chỉ là “đúng quy định”.")
    row.reviewed_by_id, row.reviewed_at, row.review_note = actor.id, now, note.strip()
    record(
        session, station_id=row.station_id, actor=actor, action="xem xét phát khẩn cấp",
        subject=f"khẩn cấp {row.id}", detail={"note": note.strip()}, now=now,
    )  # fmt: skip


def end_withdrawn(session: Session, station: Station, *, now: datetime) -> int:
    """End accepted emergencies whose message has been withdrawn meanwhile; how many."""
    rows = session.scalars(
        select(Emergency).where(
            Emergency.station_id == station.id, Emergency.state == "accepted", Emergency.expires_at > now
        )
    ).all()
    gone = [row for row in rows if approved_revision(session, row.revision.bulletin_id) is None]
    for row in gone:
        cancel_emergency(session, row.id, reason=WITHDRAWN, actor=None, now=now)
    return len(gone)


def starts(first: datetime, expires: datetime, *, repeat_min: int) -> list[tuple[datetime, timedelta]]:
    """(instant, how long it is worth being heard) of every airing, pure.  The last one counts until the end."""
    if repeat_min == 0:
        return [(first, expires - first)]
    step = timedelta(minutes=repeat_min)
    every = [
        first + number * step
        for number in range((expires - first) // step + 1)
        if first + number * step < expires
    ]
    return [(at, min(step, expires - at)) for at in every]


def _air(
    session: Session, station: Station, row: Emergency, programme: ProgrammeRow, now: datetime
) -> list[Airing]:
    length = timedelta(milliseconds=programme.duration_ms)
    if row.repeat_min and length + REST > timedelta(minutes=row.repeat_min):
        raise Refused(
            f"Lời khẩn cấp dài {round(length.total_seconds())} giây, không kịp phát lại sau {row.repeat_min} phút.",
            remedies=("Yêu cầu lại với khoảng phát lại dài hơn.",),
        )
    targets = _targets(session, station, row, now)
    zone = zone_of(station.zone)
    made: list[Airing] = []
    for at, worth in starts(now, row.expires_at, repeat_min=row.repeat_min):
        local = at.astimezone(zone)
        airing = Airing(
            id=new_airing_id(at), station_id=station.id,
            origin=AiringOrigin.DRILL if row.drill else AiringOrigin.EMERGENCY, slot_id=None,
            name=f"{'Diễn tập' if row.drill else 'Khẩn cấp'}: {row.revision.title}"[:120],
            local_date=local.date(), start_local=local.time().replace(microsecond=0), planned_at=at,
            max_minutes=max(1, -(-programme.duration_ms // 60_000)), late_policy=LatePolicy.PLAY_WITHIN_GRACE,
            # A drill is silent: it must never take the air from what people are listening to.
            start_mode=StartMode.WAIT if row.drill else StartMode.AT_ONCE, wait_s=DRILL_WAITS_S if row.drill else 0,
            priority=Priority.ROUTINE if row.drill else Priority.EMERGENCY,
            grace_s=round(worth.total_seconds()), volume_percent=0 if row.drill else 100, template_name="",
            state=AiringState.CLOSED, reason="", emergency_id=row.id,
        )  # fmt: skip
        session.add(airing)
        session.flush()
        write_variant(session, airing.id, [one.id for one in targets], [row.revision.bulletin_id])
        variant = session.scalars(select(Variant).where(Variant.airing_id == airing.id)).one()
        variant.programme_id, variant.wanted_key = programme.id, programme.input_key
        for item in variant.items:
            item.revision_id = row.revision_id
        made.append(airing)
    session.flush()
    return made


def _targets(session: Session, station: Station, row: Emergency, now: datetime) -> Sequence[Village]:
    everyone = session.scalars(
        select(Village).where(Village.station_id == station.id).order_by(Village.position, Village.id)
    ).all()
    here = villages_on(everyone, now.astimezone(zone_of(station.zone)).date())
    chosen = [one for one in here if not row.villages or one.id in row.villages]
    if not chosen:
        raise InputError("Các thôn đã chọn không còn ở đài. Hãy yêu cầu lại và chọn thôn khác.")
    return chosen


def _approve_message(session: Session, revision: Revision, actor: User, now: datetime) -> None:
    if approved_revision(session, revision.bulletin_id) is revision:
        return
    assert revision.take is not None, "its programme exists"
    approve(
        session, revision.id, actor=actor, text_sha256=revision.text_sha256,
        reading_sha256=revision.reading_sha256, take_sha256=revision.take.sha256, now=now,
    )  # fmt: skip


def _ensure_waiting(row: Emergency, now: datetime) -> None:
    said = {"accepted": "đã được cho phát", "refused": "đã bị từ chối", "cancelled": "đã dừng"}
    if row.state != "waiting":
        raise Conflict(f"Yêu cầu phát khẩn cấp này {said[row.state]}. Hãy tải lại trang.")
    if row.expires_at <= now:
        raise Refused("Yêu cầu phát khẩn cấp này đã hết hạn.", remedies=("Lập một yêu cầu mới.",))
