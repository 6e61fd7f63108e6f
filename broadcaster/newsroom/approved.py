"""Which revision of a bulletin may sound.  The one answer, for one bulletin or for many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from broadcaster.store.tables import Bulletin, Decision, Revision


def approved_revisions(session: Session, bulletin_ids: Iterable[int]) -> dict[int, Revision]:
    """bulletin id -> its latest revision whose last decision is an approval, with its take.

    A newer revision that still waits, or was returned, does not hide the approved one.  Withdrawing writes
    a decision on every revision that was approved, so a withdrawn bulletin has none.  One query.
    """
    wanted = set(bulletin_ids)
    if not wanted:
        return {}
    rows = session.scalars(_approved(select(Revision), wanted).options(joinedload(Revision.take)))
    return {row.bulletin_id: row for row in rows}  # the last of a bulletin wins: the highest number


@dataclass(frozen=True, slots=True)
class Heading:
    """An approved revision's title, and whether its take is there."""

    title: str
    spoken: bool


def approved_headings(session: Session, bulletin_ids: Iterable[int]) -> dict[int, Heading]:
    """The same answer without the texts, for lists: bulletin id -> heading.  One query."""
    wanted = set(bulletin_ids)
    if not wanted:
        return {}
    rows = session.execute(_approved(select(Revision.bulletin_id, Revision.title, Revision.take_id), wanted))
    return {bulletin_id: Heading(title, take_id is not None) for bulletin_id, title, take_id in rows}


def _approved(asked: Select[*tuple[Any, ...]], wanted: set[int]) -> Select[*tuple[Any, ...]]:
    last = (
        select(Decision.revision_id, func.max(Decision.id).label("decision_id"))
        .join(Revision, Revision.id == Decision.revision_id)
        .where(Revision.bulletin_id.in_(wanted))
        .group_by(Decision.revision_id)
        .subquery()
    )
    return (
        asked.join(last, last.c.revision_id == Revision.id)
        .join(Decision, Decision.id == last.c.decision_id)
        .join(Bulletin, Bulletin.id == Revision.bulletin_id)
        .where(Revision.bulletin_id.in_(wanted), Decision.verdict == "approved")
        .order_by(Revision.number)
    )


def approved_revision(session: Session, bulletin_id: int) -> Revision | None:
    """The revision that may sound, or None."""
    return approved_revisions(session, [bulletin_id]).get(bulletin_id)
