"""Which revision of a bulletin may sound, for many bulletins in one go."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from broadcaster.model import BulletinState
from broadcaster.store.tables import Bulletin, Decision, Revision


def approved_revisions(session: Session, bulletin_ids: Iterable[int]) -> dict[int, Revision]:
    """bulletin id -> its latest revision whose last decision is an approval, with its take.

    A newer revision that still waits does not hide the approved one; a withdrawn bulletin has none.
    One query, however many bulletins.
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
        .where(
            Revision.bulletin_id.in_(wanted),
            Decision.verdict == "approved",
            Bulletin.state != BulletinState.WITHDRAWN,
        )
        .order_by(Revision.number)
        .options(joinedload(Revision.take))
    )
    return {row.bulletin_id: row for row in rows}  # the last of a bulletin wins: the highest number
