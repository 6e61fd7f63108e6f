"""Two pairs of eyes: approve exactly what was seen and heard, return it with a reason, withdraw it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError, Refused
from broadcaster.model import BulletinState, NoticeKind
from broadcaster.newsroom.approved import approved_revision
from broadcaster.newsroom.bulletins.drafts import flush_or_conflict
from broadcaster.newsroom.bulletins.found import bulletin_by_id, newest_revision, revision_by_id
from broadcaster.newsroom.notices import settle, tell
from broadcaster.newsroom.people import record, require
from broadcaster.store.tables import Bulletin, Decision, Revision, User

_STATES = {
    BulletinState.DRAFT: "đang được sửa lại",
    BulletinState.APPROVED: "đã được duyệt",
    BulletinState.RETURNED: "đã được trả lại",
    BulletinState.WITHDRAWN: "đã được thu hồi",
}


def approve(
    session: Session,
    revision_id: int,
    *,
    actor: User,
    text_sha256: str,
    reading_sha256: str,
    take_sha256: str,
    heard: bool | None = None,
    now: datetime,
) -> Decision:
    """Approve a revision.  The three hashes are those of the page the approver saw and heard.

    `heard` goes into the book: whether the page saw the sound being played (None = it could not know).
    Refused: no right, own words, no take yet.  Conflict: it moved, or another revision is newer.
    """
    revision, bulletin = _to_decide(session, revision_id)
    require(
        session, actor, "approve", now=now,
        message="Tài khoản này không được duyệt bản tin. Hãy chuyển cho người duyệt.",
    )  # fmt: skip
    if actor.id in {bulletin.author_id, revision.submitted_by_id, *revision.writers}:
        raise Refused(
            "Người soạn hoặc sửa bản tin không được tự duyệt. Hãy nhờ người khác duyệt.",
            remedies=(
                "Nhờ một người duyệt khác.",
                "Người duyệt có thể ủy quyền cho người không soạn bản tin này.",
            ),
        )
    _ensure_waiting(session, revision, bulletin)
    if revision.take is None:
        raise Refused("Bản tin chưa có bản thu nên chưa nghe được. Hãy đợi thu xong rồi nghe và duyệt.")
    seen = (text_sha256, reading_sha256, take_sha256)
    if seen != (revision.text_sha256, revision.reading_sha256, revision.take.sha256):
        raise Conflict(
            f"Phiên bản {revision.number} của “{revision.title}” không còn như bạn đã xem. "
            "Hãy mở lại, nghe lại rồi duyệt."
        )
    bulletin.state, bulletin.state_reason, bulletin.updated_at = BulletinState.APPROVED, "", now
    return _decide(session, revision, actor=actor, verdict="approved", reason="", now=now, heard=heard)


def return_bulletin(
    session: Session, revision_id: int, *, actor: User, reason: str, now: datetime
) -> Decision:
    """Send it back to its author with a reason; what was approved before airs on."""
    revision, bulletin = _to_decide(session, revision_id)
    require(
        session, actor, "return", now=now,
        message="Tài khoản này không được trả lại bản tin. Hãy chuyển cho người duyệt.",
    )  # fmt: skip
    reason = _reason(reason, "trả lại")
    _ensure_waiting(session, revision, bulletin)
    bulletin.state, bulletin.state_reason, bulletin.updated_at = BulletinState.RETURNED, reason, now
    return _decide(session, revision, actor=actor, verdict="returned", reason=reason, now=now)


def withdraw(session: Session, bulletin_id: int, *, actor: User, reason: str, now: datetime) -> Decision:
    """Take an approved bulletin off the air; nothing of it sounds until something is approved again.

    The programmes that hold it are the schedule's: it asks `approved_revision` and finds none.
    """
    bulletin = bulletin_by_id(session, bulletin_id, to_change=True)
    require(
        session, actor, "withdraw", now=now,
        message="Tài khoản này không được thu hồi bản tin. Hãy báo người duyệt hoặc cán bộ soạn bản tin.",
    )  # fmt: skip
    reason = _reason(reason, "thu hồi")
    decision = None
    # Every approved revision: else withdrawing the newest would let an older one sound again.
    while (revision := approved_revision(session, bulletin.id)) is not None:
        made = _decide(session, revision, actor=actor, verdict="withdrawn", reason=reason, now=now)
        decision = decision or made
    if decision is None:
        raise Refused(f"Bản tin “{bulletin.title}” chưa được duyệt nên không có gì để thu hồi.")
    bulletin.state, bulletin.state_reason, bulletin.updated_at = BulletinState.WITHDRAWN, reason, now
    flush_or_conflict(session)
    return decision


def _to_decide(session: Session, revision_id: int) -> tuple[Revision, Bulletin]:
    revision = revision_by_id(session, revision_id)
    return revision, bulletin_by_id(session, revision.bulletin_id, to_change=True)


def _ensure_waiting(session: Session, revision: Revision, bulletin: Bulletin) -> None:
    newest = newest_revision(session, bulletin.id)
    if newest is not None and newest.number > revision.number:
        raise Conflict(
            f"Bản tin “{newest.title}” đã có phiên bản {newest.number}, bạn đang xem phiên bản {revision.number}. "
            "Hãy mở phiên bản mới rồi quyết định."
        )
    if bulletin.state is not BulletinState.SUBMITTED:
        raise Conflict(
            f"Bản tin “{bulletin.title}” {_STATES[bulletin.state]}, phiên bản {revision.number} không còn chờ duyệt. "
            "Hãy mở lại danh sách chờ duyệt."
        )


def _decide(
    session: Session,
    revision: Revision,
    *,
    actor: User,
    verdict: str,
    reason: str,
    now: datetime,
    heard: bool | None = None,
) -> Decision:
    decision = Decision(
        revision_id=revision.id, author_id=revision.bulletin.author_id, approver_id=actor.id, verdict=verdict,
        reason=reason, text_sha256=revision.text_sha256, reading_sha256=revision.reading_sha256,
        take_sha256=revision.take.sha256 if revision.take is not None else "", at=now,
    )  # fmt: skip
    session.add(decision)
    flush_or_conflict(session)
    record(
        session, station_id=revision.bulletin.station_id, actor=actor,
        action={"approved": "duyệt", "returned": "trả lại", "withdrawn": "thu hồi"}[verdict],
        subject=f"bản tin {revision.bulletin_id}",
        detail={"revision": revision.number, "reason": reason, "take": decision.take_sha256}
        | ({} if heard is None else {"heard": heard}),
        now=now,
    )  # fmt: skip
    _tell(session, revision, actor=actor, kind=NoticeKind(verdict), reason=reason, now=now)
    return decision


def _tell(
    session: Session, revision: Revision, *, actor: User, kind: NoticeKind, reason: str, now: datetime
) -> None:
    """Whoever wrote it and whoever sent it hears what became of it."""
    settle(session, f"revision:{revision.id}", now=now)
    wanted = {revision.bulletin.author_id, revision.submitted_by_id}
    people = session.scalars(select(User).where(User.id.in_(wanted)).order_by(User.id)).all()
    said = {
        NoticeKind.APPROVED: f"{actor.display_name} đã duyệt “{revision.title}”.",
        NoticeKind.RETURNED: f"{actor.display_name} trả lại “{revision.title}”. Lý do: {reason}",
        NoticeKind.WITHDRAWN: f"{actor.display_name} rút “{revision.title}”, bản tin không phát nữa. Lý do: {reason}",
    }
    tell(
        session, people, kind=kind, text=said[kind], about=f"bulletin:{revision.bulletin_id}", actor=actor, now=now
    )  # fmt: skip


def _reason(reason: str, verb: str) -> str:
    plain = " ".join(reason.split())
    if not plain:
        raise InputError(f"Hãy ghi lý do {verb}, để người soạn biết cần làm gì.")
    return plain[:1000]
