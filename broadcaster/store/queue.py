"""Work for the worker.  Rows are the truth; Huey only rings the bell, so a lost ring costs one tick.

A job is claimed by compare-and-set, held by a lease that the worker renews, and finished exactly once:
every change after the claim names its owner, so a worker that lost its lease can no longer finish it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from huey import RedisHuey, SqliteHuey
from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from broadcaster.store.db import Database
from broadcaster.store.tables import RenderJob

CANCELLED = "Đã dừng theo yêu cầu."
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 3
RETRY_AFTER = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job as plain values: no session stays open while it is worked on."""

    id: int
    station_id: int
    kind: str
    key: str
    payload: dict[str, Any]
    attempt: int
    owner: str


def enqueue(
    session: Session,
    *,
    station_id: int,
    kind: str,
    key: str,
    payload: dict[str, Any],
    due_at: datetime,
    now: datetime,
) -> RenderJob:
    """Ask for work once: the same (kind, key) again only brings its due time forward, or wakes a failed one."""
    same = select(RenderJob).where(
        RenderJob.station_id == station_id, RenderJob.kind == kind, RenderJob.key == key
    )
    job = session.scalar(same)
    if job is None:
        job = RenderJob(
            station_id=station_id, kind=kind, key=key, payload=payload, due_at=due_at, created_at=now,
            state="queued", attempt=0,
        )  # fmt: skip
        try:
            with session.begin_nested():
                session.add(job)
                session.flush()
            return job
        except IntegrityError:  # on PostgreSQL somebody else asked in the same moment: theirs is the job
            job = session.scalars(same).one()
    job.due_at = min(job.due_at, due_at)
    if job.state in ("failed", "dropped"):
        job.state, job.attempt, job.error, job.payload = "queued", 0, "", payload
        job.retry_at = None
    return job


def claim(db: Database, *, owner: str, kinds: Sequence[str], now: datetime) -> Job | None:
    """Take the most urgent queued job of these kinds, or None.  Two workers never get the same one."""
    with db.writing() as session:
        row = session.scalar(
            select(RenderJob)
            .where(RenderJob.state == "queued", RenderJob.kind.in_(kinds))
            .where(RenderJob.retry_at.is_(None) | (RenderJob.retry_at <= now))
            .order_by(RenderJob.due_at, RenderJob.id)
            .limit(1)
            .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer at a time anyway
        )
        if row is None:
            return None
        won = session.execute(
            update(RenderJob)
            .where(RenderJob.id == row.id, RenderJob.state == "queued")
            .values(
                state="running",
                owner=owner,
                lease_until=now + LEASE,
                attempt=RenderJob.attempt + 1,
                error="",
                result={"began": now.isoformat()},
            )
            .execution_options(synchronize_session=False)
        )
        if _changed(won) != 1:
            return None
        return Job(row.id, row.station_id, row.kind, row.key, dict(row.payload), row.attempt + 1, owner)


def report_progress(db: Database, job: Job, *, stage: str, done: int, total: int, now: datetime) -> bool:
    """Say how far it is and renew the lease; False when the job is no longer ours."""
    return _set(db, job, stage=stage, done_steps=done, all_steps=total, lease_until=now + LEASE)


def renew(db: Database, job: Job, *, now: datetime) -> bool:
    """Keep holding a job through a long step; False when it is no longer ours."""
    return _set(db, job, lease_until=now + LEASE)


def finish(session: Session, job: Job, *, result: dict[str, Any]) -> bool:
    """Close a job in the same transaction as its result; False when it is no longer ours (write nothing then)."""
    return _set_in(session, job, state="done", result=result, lease_until=None)


def fail(db: Database, job: Job, *, error: str, now: datetime | None = None, for_good: bool = False) -> bool:
    """Give a job back for later, or up after three attempts, with the sentence that says why.

    A network or a disk needs time to come back: with `now`, the pause before the next attempt grows.
    `for_good` is for what no further attempt can mend.
    """
    last = for_good or job.attempt >= MAX_ATTEMPTS
    return _set(
        db, job, state="failed" if last else "queued", error=error, lease_until=None, owner="",
        retry_at=None if last or now is None else now + RETRY_AFTER * 3 ** (job.attempt - 1),
    )  # fmt: skip


def give_back(db: Database, job: Job) -> bool:
    """Put a job back as if it had not been claimed: this worker is asked to stop."""
    return _set(db, job, state="queued", lease_until=None, owner="", attempt=job.attempt - 1)


def cancel(session: Session, job_id: int) -> RenderJob | None:
    """Somebody does not want it any more: a worker that is at it notices within a second and drops it.

    None when there is no such job; a job that has ended stays as it ended.
    """
    job = session.scalar(select(RenderJob).where(RenderJob.id == job_id).with_for_update())
    if job is not None and job.state in ("queued", "running"):
        job.state, job.owner, job.lease_until, job.error = "dropped", "", None, CANCELLED
        session.flush()
    return job


def ask_once_more(session: Session, job_id: int, *, now: datetime) -> RenderJob | None:
    """A job that failed or was cancelled goes back to the queue; None when there is no such job."""
    job = session.scalar(select(RenderJob).where(RenderJob.id == job_id).with_for_update())
    if job is not None and job.state in ("failed", "dropped"):
        job.state, job.attempt, job.error, job.retry_at, job.due_at = "queued", 0, "", None, now
        session.flush()
    return job


def reconcile(db: Database, *, now: datetime) -> int:
    """Return jobs whose worker died to the queue; a job that killed three workers is given up.  Count."""
    with db.writing() as session:
        lost = session.scalars(
            select(RenderJob).where(RenderJob.state == "running", RenderJob.lease_until < now)
        ).all()
        for row in lost:
            row.state = "failed" if row.attempt >= MAX_ATTEMPTS else "queued"
            row.error = "Tiến trình dựng tiếng đã dừng giữa chừng."
            row.owner, row.lease_until = "", None
        return len(lost)


def _set(db: Database, job: Job, **values: Any) -> bool:
    with db.writing() as session:
        return _set_in(session, job, **values)


def _set_in(session: Session, job: Job, **values: Any) -> bool:
    done = session.execute(
        update(RenderJob)
        .where(RenderJob.id == job.id, RenderJob.state == "running", RenderJob.owner == job.owner)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return _changed(done) == 1


def _changed(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount


class Doorbell:
    """Wakes the worker at once when there is work.  `ring()` never fails loudly: the tick is there anyway."""

    def __init__(self, url: str) -> None:
        if url.startswith("redis://"):
            self._huey = RedisHuey("broadcaster", url=url)
        else:
            Path(url).parent.mkdir(parents=True, exist_ok=True)
            self._huey = SqliteHuey("broadcaster", filename=url)
        self._ring = self._huey.task(name="ring")(_rung)

    def ring(self) -> None:
        """Say that there is work."""
        self._ring()

    def wait(self, stop: threading.Event, *, seconds: float) -> bool:
        """Wait until somebody rings, `stop` is set, or the time is over; True when it rang."""
        step, waited = 0.2, 0.0
        while waited < seconds and not stop.is_set():
            rang = False
            while self._huey.dequeue() is not None:
                rang = True
            if rang:
                return True
            stop.wait(step)
            waited += step
        return False

    def close(self) -> None:
        """Let go of the queue's own connection."""
        self._huey.storage.close()


def _rung() -> None:
    """The task itself does nothing: the row is the work."""
