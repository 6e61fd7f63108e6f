"""Getting programmes ready with somebody watching: the first start, `--once`, `--all`.

The same worker and the same clock tick as the real processes; only the order is decided here: the takes of
the nearest airing first, then its programme, then the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.config import Settings
from broadcaster.errors import SoundError
from broadcaster.model import PlannedAiring, RenditionKind, Role
from broadcaster.schedule.plan import next_airing, plan_between
from broadcaster.schedule.stationfile import approve_sample
from broadcaster.station import Clockwork
from broadcaster.step import Step
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.tables import ProgrammeRow, RenderJob, Rendition, Station, User
from broadcaster.worker import RENDER_LANE, Worker

PROGRAMME_SUFFIX = "mp3"


@dataclass(frozen=True, slots=True)
class Ready:
    """A programme that stands ready on disk, with what the meters said of it."""

    airing: PlannedAiring
    path: Path
    duration_ms: int
    loudness_lufs: float
    true_peak_dbtp: float
    sha256: str


class Rehearsal:
    """Renders in the foreground.  `show` hears of each step, at most a few times a second."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        *,
        now: Callable[[], datetime],
        show: Callable[[Step], None] = lambda step: None,
    ) -> None:
        self._settings, self._db, self._now, self._show = settings, db, now, show
        self._clock = Clockwork(db, settings, blobs=Blobs(settings.blobs_url))

    def nearest(self) -> Ready | None:
        """Make what the nearest airing needs; None when nothing is planned."""
        with self._worker() as worker:
            self._turn()
            while (airing := self._next()) is not None:
                if airing.files and self._whole(airing):
                    return self._ready(airing)
                # Its takes first (they are due first), and then its programme before anybody else's take.
                wanted = ("programme",) if all(item.approved for item in airing.items) else ("take",)
                job = worker.work_one(wanted) or worker.work_one(RENDER_LANE)
                self._turn()
                if job is None:
                    if self._next() == airing:
                        return self._ready(airing) if airing.files else self._stuck(airing)
        return None

    def everything(self, *, until: datetime | None = None) -> list[Ready]:
        """Make every programme of the horizon, or of the airings before `until`, nearest first.

        Those that cannot be made are left out of the answer.
        """
        with self._worker() as worker:
            self._turn()
            while self._waiting(until) and worker.work_one(RENDER_LANE) is not None:
                self._turn()
        now = self._now()
        end = until or now + timedelta(days=self._settings.integer("schedule.horizon_days") + 1)
        with self._db.reading() as session:
            airings = [a for a in plan_between(session, now, end) if a.files]
        return [self._ready(airing) for airing in airings]

    def _waiting(self, until: datetime | None) -> bool:
        """True while a job of before `until` is in the queue; jobs are taken by the instant they are due."""
        asked = select(RenderJob.id).where(RenderJob.state == "queued", RenderJob.kind.in_(RENDER_LANE))
        if until is not None:
            asked = asked.where(RenderJob.due_at < until)
        with self._db.reading() as session:
            return session.scalars(asked.limit(1)).first() is not None

    def approve(self) -> bool:
        """The sample approver approves sample takes that are frozen; True while some are still to come."""
        return approve_samples(self._db, now=self._now())

    def _turn(self) -> None:
        self.approve()
        self._clock.tick(self._now())

    def _next(self) -> PlannedAiring | None:
        with self._db.reading() as session:
            return next_airing(session, self._now())

    def _whole(self, airing: PlannedAiring) -> bool:
        """True when its file holds all that is approved: nothing of it waits in the queue."""
        with self._db.reading() as session:
            waiting = session.scalars(
                select(RenderJob).where(
                    RenderJob.kind == "programme", RenderJob.state.in_(("queued", "running"))
                )
            ).all()
        return all(item.approved for item in airing.items) and not any(
            job.due_at == airing.planned_at for job in waiting
        )

    def _ready(self, airing: PlannedAiring) -> Ready:
        file = airing.files[RenditionKind.AIR]
        with self._db.reading() as session:
            row = session.scalars(
                select(ProgrammeRow)
                .join(Rendition, Rendition.programme_id == ProgrammeRow.id)
                .where(Rendition.sha256 == file.sha256)
            ).first()
            assert row is not None, "the plan names files of stored programmes"
            return Ready(
                airing, Blobs(self._settings.blobs_url).path(file.sha256, suffix=PROGRAMME_SUFFIX),
                row.duration_ms, row.loudness_lufs, row.true_peak_dbtp, file.sha256,
            )  # fmt: skip

    def _stuck(self, airing: PlannedAiring) -> Ready:
        with self._db.reading() as session:
            errors = session.scalars(
                select(RenderJob.error).where(RenderJob.error != "").order_by(RenderJob.id.desc())
            ).all()
        why = errors[0] if errors else "Không có bản tin nào đã duyệt trong buổi này."
        raise SoundError(
            f"Chưa dựng được buổi {airing.start_local:%H:%M} ngày {airing.local_date:%d/%m/%Y}: {why}"
        )

    @contextmanager
    def _worker(self) -> Iterator[Worker]:
        """A worker, while a thread tells `show` what the job rows say."""
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over,), daemon=True)
        watcher.start()
        try:
            with Worker(self._settings, self._db, now=self._now) as worker:
                yield worker
        finally:
            over.set()
            watcher.join(timeout=5)
            self._clock.stop()  # the station's own clock takes over at once

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(0.4):
            with self._db.reading() as session:
                job = session.scalars(select(RenderJob).where(RenderJob.state == "running")).first()
            if job is not None:
                self._show(Step(_title(job), job.done_steps, job.all_steps))


def approve_samples(db: Database, *, now: datetime) -> bool:
    """The sample approver approves sample takes that are frozen; True while some are still to come."""
    with db.writing() as session:
        waiting = False
        for station in session.scalars(select(Station)):
            approver = _approver(session, station)
            if approver is not None:
                done = approve_sample(session, station_id=station.id, approver=approver, now=now)
                waiting |= done.without_take > 0
        return waiting


def _approver(session: Session, station: Station) -> User | None:
    return session.scalars(
        select(User)
        .where(User.station_id == station.id, User.role == Role.APPROVER, User.active)
        .order_by(User.id)
    ).first()


def _title(job: RenderJob) -> str:
    what = {"take": "Đọc bản tin", "programme": "Dựng chương trình"}.get(job.kind, job.kind)
    name = str(job.payload.get("title", ""))
    return f"{what}: {job.stage or 'bắt đầu'}" + (f" · {name}" if name else "")
