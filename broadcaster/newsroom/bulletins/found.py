"""Finding bulletins and revisions, always through the station's filter."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, defer, joinedload

from broadcaster.errors import NotFound
from broadcaster.model import BulletinState
from broadcaster.store.tables import Bulletin, Revision, Topic


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


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search: its bulletins (without their texts) and how many there are in all."""

    rows: list[Bulletin]
    total: int


def bulletins(session: Session, *, state: BulletinState | None = None, search: str = "") -> list[Bulletin]:
    """Bulletins, last changed first.  `search` looks in title, text and topic, with or without marks."""
    return find(session, states=[state] if state else (), search=search, limit=None).rows


def find(
    session: Session,
    *,
    states: Sequence[BulletinState] = (),
    topic_id: int | None = None,
    author_id: int | None = None,
    search: str = "",
    first: int = 0,
    limit: int | None = 50,
) -> Found:
    """Bulletins that match everything asked, last changed first, `limit` of them from number `first` on."""
    wanted = select(Bulletin)
    if states:
        wanted = wanted.where(Bulletin.state.in_(states))
    if topic_id is not None:
        wanted = wanted.where(Bulletin.topic_id == topic_id)
    if author_id is not None:
        wanted = wanted.where(Bulletin.author_id == author_id)
    topics = [(row.id, folded(row.title)) for row in session.scalars(select(Topic))] if search.strip() else []
    for word in folded(search).split():
        named = [topic for topic, title in topics if word in title]
        wanted = wanted.where(Bulletin.folded.contains(word, autoescape=True) | Bulletin.topic_id.in_(named))
    rows = session.scalars(
        wanted.options(
            joinedload(Bulletin.topic), joinedload(Bulletin.author),
            defer(Bulletin.draft_text), defer(Bulletin.folded), defer(Bulletin.draft_answers),
        )
        .order_by(Bulletin.updated_at.desc(), Bulletin.id.desc())
        .offset(first)
        .limit(limit)
    ).all()  # fmt: skip
    if limit is None or (first == 0 and len(rows) < limit):
        return Found(list(rows), len(rows))
    total = session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0
    return Found(list(rows), total)


def folded(text: str) -> str:
    """Text as people search it: no tone marks, no case, "đ" as "d"."""
    parts = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return "".join(part for part in parts if not unicodedata.combining(part))
