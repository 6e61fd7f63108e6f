"""Who is told what: the approver that something waits, the author what became of it.

A notice is one sentence for one person.  It stands in the page, goes out by e-mail where an address is known,
and comes as a ready text to send by hand.  Telling never fails the thing that is told about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session, selectinload

from broadcaster.model import NoticeKind, Role
from broadcaster.newsroom.people import allowed, may
from broadcaster.store.tables import Notice, User

# What a notice is about -> the page to open.  Doors check that these pages exist.
PATHS: Final = {
    "revision": "/duyet/{}",
    "bulletin": "/ban-tin/{}",
    "airing": "/lich/buoi/{}",
    "delegation": "/duyet",
    "approvals": "/duyet",
    "archive": "/luu-tru",
    "emergency": "/khan-cap/{}",
}
SUBJECTS: Final = {
    NoticeKind.WAITING: "Có bản tin chờ duyệt",
    NoticeKind.APPROVED: "Bản tin đã được duyệt",
    NoticeKind.RETURNED: "Bản tin bị trả lại",
    NoticeKind.WITHDRAWN: "Bản tin đã rút",
    NoticeKind.DELEGATED: "Bạn được ủy quyền duyệt",
    NoticeKind.EMERGENCY: "Phát khẩn cấp",
    NoticeKind.UPKEEP: "Sao lưu cần xem lại",
    NoticeKind.ALARM: "Buổi phát sắp tới còn thiếu",
}
# After each failure the next try waits longer; after the last one it is given up and shown.
MAIL_WAITS: Final = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240))


def tell(
    session: Session,
    people: Iterable[User],
    *,
    kind: NoticeKind,
    text: str,
    about: str = "",
    actor: User | None = None,
    now: datetime,
) -> list[Notice]:
    """Write the sentence down for each active person; whoever did the thing need not hear of it."""
    made = [
        Notice(
            station_id=person.station_id, user_id=person.id, from_user_id=None if actor is None else actor.id,
            kind=kind, text=text, about=about[:60], at=now, mail_due_at=now if person.email else None,
        )
        for person in people
        if person.active and (actor is None or person.id != actor.id)
    ]  # fmt: skip
    session.add_all(made)
    session.flush()
    return made


def approvers(
    session: Session, station_id: int, *, now: datetime, besides: Collection[int] = ()
) -> list[User]:
    """Who is asked to approve: approvers and today's delegates; administrators only when there is nobody else.

    `besides`: ids of people who may not (their own words).
    """
    everybody = session.scalars(
        select(User).where(User.station_id == station_id, User.active).order_by(User.id)
    ).all()
    able = [
        user for user in everybody if user.id not in besides and allowed(session, user, "approve", now=now)
    ]
    first = [user for user in able if not (user.role is Role.ADMINISTRATOR and may(user.role, "approve"))]
    return first or able


def settle(session: Session, about: str, *, now: datetime, kind: NoticeKind = NoticeKind.WAITING) -> None:
    """What waited has been decided: nobody need open it any more, and no letter about it leaves."""
    session.execute(
        update(Notice)
        .where(Notice.about == about, Notice.kind == kind)
        .values(read_at=func.coalesce(Notice.read_at, now), mail_due_at=None)
        .execution_options(synchronize_session="fetch")
    )


def unread(session: Session, user_id: int) -> int:
    """How many sentences this person has not yet seen."""
    count = session.scalar(
        select(func.count(Notice.id)).where(Notice.user_id == user_id, Notice.read_at.is_(None))
    )
    return count or 0


def inbox(session: Session, user_id: int, *, limit: int = 60) -> list[Notice]:
    """What this person was told, unread first, then newest first."""
    return list(
        session.scalars(
            select(Notice)
            .where(Notice.user_id == user_id)
            .options(selectinload(Notice.from_user))
            .order_by(Notice.read_at.is_not(None), Notice.id.desc())
            .limit(limit)
        )
    )


def sent(session: Session, user_id: int, *, limit: int = 30) -> list[Notice]:
    """What others were told because of this person, newest first."""
    return list(
        session.scalars(
            select(Notice)
            .where(Notice.from_user_id == user_id)
            .options(selectinload(Notice.user))
            .order_by(Notice.id.desc())
            .limit(limit)
        )
    )


def mark_read(session: Session, user_id: int, *, notice_id: int | None = None, now: datetime) -> None:
    """This person has seen one sentence, or all of them."""
    change = update(Notice).where(Notice.user_id == user_id, Notice.read_at.is_(None))
    if notice_id is not None:
        change = change.where(Notice.id == notice_id)
    session.execute(change.values(read_at=now).execution_options(synchronize_session="fetch"))


def path_of(notice: Notice) -> str:
    """The page a notice is about, '' when it has none."""
    kind, _, number = notice.about.partition(":")
    return PATHS[kind].format(number) if kind in PATHS else ""


def message(notice: Notice, *, station_name: str, address: str) -> str:
    """The text to send by hand (Zalo, SMS).  `address` = the public one, '' when phones cannot open any."""
    path = path_of(notice)
    where = (
        f"\nMở tại: {address}{path}" if address and path else "\nMời mở trang của đài trên máy ở xã để xem."
    )
    return f"[{station_name}] {SUBJECTS[notice.kind]}. {notice.text}{where}"


# --------------------------------------------------------------------------------------------- post


def due_letters(session: Session, *, now: datetime, limit: int = 20) -> list[Notice]:
    """Notices whose letter should leave now, oldest first."""
    return list(
        session.scalars(
            select(Notice)
            .where(Notice.mail_due_at <= now)
            .options(selectinload(Notice.user))
            .order_by(Notice.mail_due_at, Notice.id)
            .limit(limit)
        )
    )


def claim_letter(session: Session, notice: Notice, *, now: datetime) -> bool:
    """Take one letter to send; False when another process has it.  A crash costs a repeat, never a loss."""
    attempt = notice.mail_attempts
    wait = MAIL_WAITS[min(attempt, len(MAIL_WAITS) - 1)]
    changed = session.execute(
        update(Notice)
        .where(Notice.id == notice.id, Notice.mail_attempts == attempt, Notice.mail_due_at.is_not(None))
        .values(mail_attempts=attempt + 1, mail_due_at=now + wait)
        .execution_options(synchronize_session=False)
    )
    return isinstance(changed, CursorResult) and changed.rowcount == 1


def letter_sent(session: Session, notice_id: int, *, now: datetime) -> None:
    """It has left."""
    _settle_letter(session, notice_id, mailed_at=now, mail_due_at=None, mail_error="")


def letter_failed(session: Session, notice_id: int, *, attempts: int, error: str) -> None:
    """It has not; after the last wait it is given up."""
    values: dict[str, object] = {"mail_error": error[:300]}
    if attempts > len(MAIL_WAITS):
        values["mail_due_at"] = None
    _settle_letter(session, notice_id, **values)


def letters_in_trouble(session: Session, *, limit: int = 10) -> Sequence[Notice]:
    """Letters whose last try failed, newest first: for the page about e-mail."""
    return session.scalars(
        select(Notice)
        .where(Notice.mail_error != "", Notice.mailed_at.is_(None))
        .options(selectinload(Notice.user))
        .order_by(Notice.id.desc())
        .limit(limit)
    ).all()


def _settle_letter(session: Session, notice_id: int, **values: object) -> None:
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
