"""Finding bulletins and revisions, always through the station's filter."""

from __future__ import annotations

import unicodedata

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from broadcaster.errors import NotFound
from broadcaster.model import BulletinState
from broadcaster.store.tables import Bulletin, Revision


def bulletin_by_id(session: Session, bulletin_id: int, *, to_change: bool = False) -> Bulletin:
    """The bulletin; NotFound when it is not of this session's station.  `to_change` locks its row."""
    wanted = select(Bulletin).where(Bulletin.id == bulletin_id)
    if to_change:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    row = session.scalar(wanted)
    if row is None:
        raise NotFound("Không thấy bản tin này. Có thể đường dẫn sai hoặc bản tin thuộc đài khác.")
    return row


def revision_by_id(session: Session, revision_id: int) -> Revision:
    """The revision with its bulletin; NotFound when it is not of this session's station."""
    # A revision has no station of its own: only the join lets the session's filter see it.
    row = session.scalar(
        select(Revision)
        .join(Revision.bulletin)
        .where(Revision.id == revision_id)
        .options(contains_eager(Revision.bulletin))
    )
    if row is None:
        raise NotFound("Không thấy phiên bản này. Có thể đường dẫn sai hoặc bản tin thuộc đài khác.")
    return row


def newest_revision(session: Session, bulletin_id: int) -> Revision | None:
    """The last one submitted, whatever became of it."""
    return session.scalar(
        select(Revision).where(Revision.bulletin_id == bulletin_id).order_by(Revision.number.desc()).limit(1)
    )


def waiting(session: Session) -> list[Revision]:
    """What approvers have to look at: emergencies first, then the longest waiting."""
    newest = (
        select(Revision.bulletin_id, func.max(Revision.number).label("number"))
        .group_by(Revision.bulletin_id)
        .subquery()
    )
    rows = session.scalars(
        select(Revision)
        .join(Revision.bulletin)
        .join(
            newest,
            (newest.c.bulletin_id == Revision.bulletin_id) & (newest.c.number == Revision.number),
        )
        .where(Bulletin.state == BulletinState.SUBMITTED)
        .options(
            contains_eager(Revision.bulletin),
            joinedload(Revision.take),
            joinedload(Revision.submitted_by),
        )
    )
    return sorted(rows, key=lambda row: (-row.priority.rank, row.submitted_at, row.id))


def bulletins(session: Session, *, state: BulletinState | None = None, search: str = "") -> list[Bulletin]:
    """Bulletins, last changed first.  `search` looks in title and text, with or without Vietnamese marks."""
    wanted = select(Bulletin).options(joinedload(Bulletin.topic), joinedload(Bulletin.author))
    if state is not None:
        wanted = wanted.where(Bulletin.state == state)
    rows = session.scalars(wanted.order_by(Bulletin.updated_at.desc(), Bulletin.id.desc())).all()
    words = _folded(search).split()
    if not words:
        return list(rows)
    # A commune has hundreds of bulletins, and no database folds Vietnamese the way people search.
    return [row for row in rows if _holds_all(_folded(f"{row.title}\n{row.draft_text}"), words)]


def _holds_all(text: str, words: list[str]) -> bool:
    return all(word in text for word in words)


def _folded(text: str) -> str:
    parts = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return "".join(part for part in parts if not unicodedata.combining(part))
