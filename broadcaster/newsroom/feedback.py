"""What listeners and village operators tell the station, and the answer they get.  Nothing is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from broadcaster.errors import InputError, NotFound
from broadcaster.newsroom.importing import clean_text
from broadcaster.newsroom.people import record
from broadcaster.store.tables import Bulletin, Feedback, FeedbackKind, FeedbackState, User, Village

LONGEST = 2_000
OPEN = (FeedbackState.NEW, FeedbackState.WORKING)


def receive(
    session: Session,
    *,
    station_id: int,
    kind: FeedbackKind,
    text: str,
    sender: str = "",
    phone: str = "",
    village_id: int | None = None,
    from_operator: bool = False,
    bulletin_id: int | None = None,
    now: datetime,
) -> Feedback:
    """Write a word down.  InputError when it is empty or longer than 2,000 letters."""
    plain = clean_text(text)[0].strip()
    if not plain:
        raise InputError("Hãy ghi vài chữ để xã biết chuyện gì.")
    if len(plain) > LONGEST:
        raise InputError("Nội dung dài quá 2.000 ký tự. Hãy ghi ngắn lại.")
    if village_id is not None and session.scalar(select(Village.id).where(Village.id == village_id)) is None:
        raise InputError("Không có thôn này ở xã. Hãy chọn lại thôn.")
    if (
        bulletin_id is not None
        and session.scalar(select(Bulletin.id).where(Bulletin.id == bulletin_id)) is None
    ):
        bulletin_id = None
    row = Feedback(
        station_id=station_id, kind=kind, text=plain, sender=_line(sender, 120), phone=_line(phone, 40),
        village_id=village_id, from_operator=from_operator, bulletin_id=bulletin_id, received_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def answer(
    session: Session, feedback_id: int, *, state: FeedbackState, text: str, actor: User, now: datetime
) -> Feedback:
    """Say where it stands and what was answered.  InputError when an answer is said to be given and is empty."""
    row = session.scalar(select(Feedback).where(Feedback.id == feedback_id).with_for_update())
    if row is None:
        raise NotFound("Không có góp ý này ở đài. Hãy mở lại danh sách.")
    plain = clean_text(text)[0].strip()[:LONGEST]
    if state is FeedbackState.ANSWERED and not plain:
        raise InputError("Hãy ghi câu trả lời rồi lưu, hoặc chọn “Đang xử lý”.")
    before = {"state": row.state.value, "answer": row.answer}
    row.state, row.answer = state, plain
    row.answered_at, row.answered_by_id = now, actor.id
    session.flush()
    record(
        session, station_id=row.station_id, actor=actor, action="trả lời góp ý", subject=f"góp ý {row.id}",
        detail={"before": before, "after": {"state": state.value, "answer": plain}}, now=now,
    )  # fmt: skip
    return row


def listing(session: Session, *, states: Sequence[FeedbackState] = ()) -> list[Feedback]:
    """Words to the station, open ones first, newest first; of these states only when some are given."""
    wanted = select(Feedback).options(
        joinedload(Feedback.village), joinedload(Feedback.bulletin), joinedload(Feedback.answered_by)
    )
    if states:
        wanted = wanted.where(Feedback.state.in_(states))
    return list(session.scalars(wanted.order_by(Feedback.state.not_in(OPEN), Feedback.id.desc()).limit(300)))


def open_count(session: Session) -> int:
    """How many nobody has answered or closed."""
    return session.scalar(select(func.count(Feedback.id)).where(Feedback.state.in_(OPEN))) or 0


def of_village(session: Session, village_id: int) -> list[Feedback]:
    """The last words that came through a village's own link, with their answers."""
    return list(
        session.scalars(
            select(Feedback)
            .where(Feedback.village_id == village_id, Feedback.from_operator.is_(True))
            .order_by(Feedback.id.desc())
            .limit(10)
        )
    )


def _line(text: str, limit: int) -> str:
    return " ".join(clean_text(text)[0].split())[:limit]
