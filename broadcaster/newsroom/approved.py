"""Which revision of a bulletin may sound.  The one answer, for one bulletin or for many."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
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
    last = (
        select(Decision.revision_id, func.max(Decision.id).label("decision_id"))
        .group_by(Decision.revision_id)
        .subquery()
    )
    rows = session.scalars(
        select(Revision)
        .join(last, last.c.revision_id == Revision.id)
        .join(Decision, Decision.id == last.c.decision_id)
        .join(Bulletin, Bulletin.id == Revision.bulletin_id)
        .where(Revision.bulletin_id.in_(wanted), Decision.verdict == "approved")
        .order_by(Revision.number)
        .options(joinedload(Revision.take))
    )
    return {row.bulletin_id: row for row in rows}  # the last of a bulletin wins: the highest number


def approved_revision(session: Session, bulletin_id: int) -> Revision | None:
    """The revision that may sound, or None."""
    return approved_revisions(session, [bulletin_id]).get(bulletin_id)
