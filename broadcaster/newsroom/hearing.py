"""Which takes a machine should listen back to, and what it found.  Advice: nothing here stops a bulletin.

The result stays on the job that made it; a take never changes, so neither does what was heard in it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from broadcaster.model import BulletinState
from broadcaster.speech.hearing import Hearing, hearing_from_json
from broadcaster.store.queue import enqueue
from broadcaster.store.tables import Bulletin, RenderJob, Revision

KIND: Final = "listen_back"
_AFTER: Final = timedelta(hours=1)  # whatever goes on the air sooner is rendered first


def ask_hearings(session: Session, *, now: datetime) -> int:
    """Ask for every take that waits for an approver and that nobody was asked to hear; how many.

    By looking, not by telling: takes come from the worker, from recordings, from before the setting was on.
    """
    asked = select(RenderJob.key).where(
        RenderJob.kind == KIND,
        RenderJob.station_id == Bulletin.station_id,
        RenderJob.key == cast(Revision.id, String),
    )
    waiting = session.execute(
        select(Revision.id, Bulletin.station_id)
        .join(Bulletin, Revision.bulletin_id == Bulletin.id)
        .where(Revision.take_id.is_not(None), Bulletin.state == BulletinState.SUBMITTED, ~asked.exists())
        .order_by(Revision.id)
    ).all()
    for revision_id, station_id in waiting:
        enqueue(
            session, station_id=station_id, kind=KIND, key=str(revision_id),
            payload={"revision_id": revision_id}, due_at=now + _AFTER, now=now,
        )  # fmt: skip
    return len(waiting)


def hearing_job(session: Session, revision_id: int) -> RenderJob | None:
    """The job that listens to this revision's take; None when nobody asked for it."""
    return session.scalar(
        select(RenderJob).where(RenderJob.kind == KIND, RenderJob.key == str(revision_id)).limit(1)
    )


def hearing_of(session: Session, revision_id: int) -> Hearing | None:
    """What was found, once it was."""
    job = hearing_job(session, revision_id)
    if job is None or job.state != "done" or "places" not in job.result:
        return None
    return hearing_from_json(job.result)
