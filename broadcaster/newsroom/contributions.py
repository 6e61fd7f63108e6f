"""Drafts from other units: each unit has a link of its own; an officer accepts a draft into the newsroom.

The link is a secret that can be recomputed for printing and is revoked by raising a number, as a village's is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from broadcaster.errors import Conflict, InputError, NotFound, Refused
from broadcaster.model import AiringOrigin, AiringState, Role
from broadcaster.newsroom.bulletins import create_bulletin
from broadcaster.newsroom.importing import ImportedDocument, clean_text, refuse_too_long
from broadcaster.newsroom.people import record, require
from broadcaster.store.tables import (
    Airing,
    Bulletin,
    Contribution,
    ContributionState,
    Contributor,
    ContributorAccount,
    User,
    Variant,
    VariantItem,
)

NOT_A_WRITER = "Tài khoản này không nhận được bài của đơn vị. Hãy nhờ cán bộ soạn bản tin."
MOST_WAITING: Final = 30  # of one unit: somebody who leaks a link must not fill the disk
_TOKEN: Final = re.compile(r"[a-z2-7]{26}")


def contributor_token(link_key: bytes, contributor_id: int, generation: int) -> str:
    """The 26 letters of a unit's link."""
    digest = hmac.new(
        link_key, f"contributor:{contributor_id}:{generation}".encode(), hashlib.sha256
    ).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:26]


def contributor_by_token(session: Session, link_key: bytes, token: str) -> Contributor | None:
    """The active unit whose link this is, or None; every unit is compared, so that time tells nothing."""
    text = token.strip().lower()
    if not _TOKEN.fullmatch(text):
        return None
    found: Contributor | None = None
    for row in session.scalars(select(Contributor)):
        if hmac.compare_digest(contributor_token(link_key, row.id, row.link_generation), text) and row.active:
            found = row
    return found


def add_contributor(
    session: Session, *, station_id: int, name: str, contact: str, actor: User, now: datetime
) -> Contributor:
    """A new unit.  InputError without a name or with one that is there already."""
    require(session, actor, "write", now=now, message=NOT_A_WRITER)
    title = " ".join(name.split())
    if not title or len(title) > 120:
        raise InputError("Hãy ghi tên đơn vị, ví dụ “Trạm Y tế xã” (không quá 120 ký tự).")
    row = Contributor(
        station_id=station_id, name=title, contact=" ".join(contact.split())[:200], created_at=now
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise InputError(f"Đã có đơn vị “{title}”. Hãy mở lại danh sách.") from error
    record(
        session,
        station_id=station_id,
        actor=actor,
        action="thêm đơn vị gửi bài",
        subject=title,
        detail={},
        now=now,
    )
    return row


def change_link(
    session: Session, contributor_id: int, *, active: bool, actor: User, now: datetime
) -> Contributor:
    """A new link (the old one stops at once), or none at all while the unit is not active."""
    require(session, actor, "write", now=now, message=NOT_A_WRITER)
    row = contributor_by_id(session, contributor_id)
    row.link_generation += 1
    row.active = active
    session.flush()
    record(
        session, station_id=row.station_id, actor=actor, action="đổi đường dẫn đơn vị", subject=row.name,
        detail={"active": active, "generation": row.link_generation}, now=now,
    )  # fmt: skip
    return row


def contributor_by_id(session: Session, contributor_id: int) -> Contributor:
    """The unit; NotFound when it is not of this session's station."""
    row = session.scalar(select(Contributor).where(Contributor.id == contributor_id))
    if row is None:
        raise NotFound("Không có đơn vị này ở đài. Hãy mở lại danh sách.")
    return row


def join_unit(session: Session, user: User, contributor_id: int | None) -> None:
    """Say which unit an account sends for; an account of another role has none.

    InputError when a contributor's account has no unit, NotFound when the unit is not of this station.
    """
    row = session.get(ContributorAccount, user.id)
    if user.role is not Role.CONTRIBUTOR:
        if row is not None:
            session.delete(row)
        return
    if contributor_id is None:
        raise InputError(
            "Hãy chọn đơn vị của cộng tác viên. Nếu chưa có, thêm đơn vị ở trang Bài của các đơn vị trước."
        )
    unit = contributor_by_id(session, contributor_id)
    if row is None:
        session.add(ContributorAccount(user_id=user.id, contributor_id=unit.id))
    else:
        row.contributor_id = unit.id
    session.flush()


def unit_by_name(session: Session, name: str) -> Contributor:
    """The unit of that name; NotFound names those there are."""
    names = {row.name: row for row in session.scalars(select(Contributor).order_by(Contributor.name))}
    if name.strip() not in names:
        raise NotFound(f"Không có đơn vị “{name.strip()}”. Có: {', '.join(names) or 'chưa có đơn vị nào'}.")
    return names[name.strip()]


def unit_of(session: Session, user_id: int) -> Contributor | None:
    """The unit an account sends for, or None."""
    return session.scalar(
        select(Contributor)
        .join(ContributorAccount, ContributorAccount.contributor_id == Contributor.id)
        .where(ContributorAccount.user_id == user_id)
    )


def send_in(
    session: Session,
    contributor: Contributor,
    *,
    user: User | None = None,
    title: str,
    text: str,
    sender: str = "",
    wish: str = "",
    document: ImportedDocument | None = None,
    source_name: str = "",
    max_chars: int,
    now: datetime,
) -> Contribution:
    """Keep a draft that a unit sends, by its link or by an account of its own.

    InputError without words; Refused when the unit was stopped or too many of its drafts wait.
    """
    if not contributor.active:
        raise Refused("Xã đã ngừng nhận bài của đơn vị này. Hãy gọi xã để hỏi lại.")
    words = document.text if document is not None else clean_text(text)[0]
    name = " ".join(clean_text(title)[0].split()) or (document.title if document is not None else "")
    if not words.strip():
        raise InputError("Chưa có nội dung. Hãy dán văn bản vào ô, hoặc chọn một tệp .docx hay .txt.")
    if not name:
        raise InputError("Hãy đặt tên cho bài, ví dụ “Lịch tiêm chủng tháng 12”.")
    refuse_too_long(words, max_chars=max_chars)
    waiting = session.scalars(
        select(Contribution.id).where(
            Contribution.contributor_id == contributor.id, Contribution.state == ContributionState.WAITING
        )
    ).all()
    if len(waiting) >= MOST_WAITING:
        raise Refused(f"Đơn vị đang có {MOST_WAITING} bài chờ xã nhận. Hãy gọi xã trước khi gửi thêm.")
    row = Contribution(
        station_id=contributor.station_id, contributor_id=contributor.id, title=name[:300], text=words,
        user_id=user.id if user is not None else None,
        sender=_line(sender, 120) or (user.display_name if user is not None else ""), wish=_line(wish, 300), source_name=source_name[:300],
        notes=list(document.notes) if document is not None else [], received_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def contributions(
    session: Session, *, contributor_id: int | None = None, user_id: int | None = None
) -> list[Contribution]:
    """Drafts that came in (of one unit, of one account), waiting ones first, newest first."""
    wanted = select(Contribution).options(
        joinedload(Contribution.contributor), joinedload(Contribution.bulletin)
    )
    if user_id is not None:
        wanted = wanted.where(Contribution.user_id == user_id)
    if contributor_id is not None:
        wanted = wanted.where(Contribution.contributor_id == contributor_id)
    waiting_last = Contribution.state != ContributionState.WAITING
    return list(session.scalars(wanted.order_by(waiting_last, Contribution.id.desc()).limit(200)))


def on_the_air(session: Session, rows: Iterable[Contribution]) -> dict[int, tuple[datetime, bool]]:
    """bulletin id -> when it aired last, or else airs next, and whether it has aired already."""
    wanted = [row.bulletin_id for row in rows if row.bulletin_id is not None]
    found: dict[int, tuple[datetime, bool]] = {}
    for bulletin, state, at in session.execute(
        select(VariantItem.bulletin_id, Airing.state, Airing.planned_at)
        .join(Variant, Variant.id == VariantItem.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .where(
            VariantItem.bulletin_id.in_(wanted),
            VariantItem.dropped_reason == "",
            Airing.origin != AiringOrigin.DRILL,
            Airing.state.in_((AiringState.PLANNED, AiringState.CLOSED, AiringState.STARTED)),
        )
        .order_by(Airing.planned_at)
    ):
        aired = state is AiringState.STARTED
        if aired or bulletin not in found:
            found[bulletin] = (at, aired)
    return found


def contribution_by_id(session: Session, contribution_id: int, *, to_change: bool = False) -> Contribution:
    """The draft as it was sent; NotFound when it is not of this session's station."""
    wanted = select(Contribution).where(Contribution.id == contribution_id)
    row = session.scalar(wanted.with_for_update() if to_change else wanted)
    if row is None:
        raise NotFound("Không có bài này. Hãy mở lại danh sách bài của các đơn vị.")
    return row


def accept(
    session: Session,
    contribution_id: int,
    *,
    topic_id: int | None,
    actor: User,
    max_chars: int,
    now: datetime,
) -> Bulletin:
    """Make a draft of it in the newsroom, in the officer's name; Conflict when somebody decided meanwhile."""
    require(session, actor, "write", now=now, message=NOT_A_WRITER)
    row = _undecided(session, contribution_id)
    draft = create_bulletin(
        session, station_id=row.station_id, author=actor, title=row.title, text=row.text, topic_id=topic_id,
        source_name=f"{row.contributor.name}{': ' + row.source_name if row.source_name else ''}",
        notes=[str(note) for note in row.notes], max_chars=max_chars, now=now,
    )  # fmt: skip
    row.state, row.bulletin_id, row.decided_at, row.decided_by_id = (
        ContributionState.ACCEPTED, draft.id, now, actor.id,
    )  # fmt: skip
    session.flush()
    return draft


def decline(
    session: Session, contribution_id: int, *, reason: str, actor: User, now: datetime
) -> Contribution:
    """Do not take it, with a reason that the unit reads on its page."""
    require(session, actor, "write", now=now, message=NOT_A_WRITER)
    row = _undecided(session, contribution_id)
    plain = _line(reason, 1000)
    if not plain:
        raise InputError("Hãy ghi lý do không nhận, để đơn vị biết cần sửa gì.")
    row.state, row.reason, row.decided_at, row.decided_by_id = (
        ContributionState.DECLINED, plain, now, actor.id,
    )  # fmt: skip
    session.flush()
    record(
        session, station_id=row.station_id, actor=actor, action="không nhận bài", subject=row.title,
        detail={"contributor": row.contributor.name, "reason": plain}, now=now,
    )  # fmt: skip
    return row


def _undecided(session: Session, contribution_id: int) -> Contribution:
    row = contribution_by_id(session, contribution_id, to_change=True)
    if row.state is not ContributionState.WAITING:
        raise Conflict(f"Bài “{row.title}” vừa được người khác xử lý. Hãy mở lại danh sách.")
    return row


def _line(text: str, limit: int) -> str:
    return " ".join(clean_text(text)[0].split())[:limit]
