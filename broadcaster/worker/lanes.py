"""The process: two lanes and the doorbell that wakes them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from broadcaster.config import Settings
from broadcaster.errors import StoreError
from broadcaster.newsroom.hearing import ask_hearings
from broadcaster.production.produce import sweep_scratch
from broadcaster.speech.hearing import Recogniser
from broadcaster.speech.takes import TAKE_SUFFIX
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.queue import Doorbell, reconcile
from broadcaster.store.tables import RenderJob, TakeRow
from broadcaster.store.upgrade import check_version
from broadcaster.system import lower_priority
from broadcaster.worker.bench import Worker, utc_now
from broadcaster.worker.jobs import PREVIEW_LANE, PREVIEWS, RENDER_LANE

log = logging.getLogger("broadcaster.worker")

IDLE_S = 2.0  # a lost ring costs no more than this
UPKEEP_S = 15.0
PREVIEWS_KEPT = timedelta(days=1)
_SCRATCH_KEPT_S = 6 * 3600.0


def run_worker(
    settings: Settings,
    *,
    stop: threading.Event,
    once: bool = False,
    polite: bool = True,
    now: Callable[[], datetime] = utc_now,
) -> None:
    """Work until `stop` is set; with `once`, until nothing is left that can be done now.

    `polite` lowers the priority of the render lane (on Windows: of the whole process); somebody waits for
    a preview, so its lane keeps the usual one where the system can tell threads apart.  StoreError when the database is not of this
    program's version.  A bug in a lane ends the process loudly: whoever supervises it starts it again.
    """
    check_version(settings.database_url)
    settings.var.mkdir(parents=True, exist_ok=True)
    db = Database(settings.database_url)
    try:
        _sweep_scratch(settings)
        reconcile(db, now=now())
        if once:
            if polite:
                lower_priority()
            with Worker(settings, db, stop=stop, now=now) as worker:
                worker.work_off()
                if ask_to_listen(settings, db, now()):
                    worker.work_off()
        else:
            _run_lanes(settings, db, stop=stop, polite=polite, now=now)
    finally:
        db.dispose()


def _run_lanes(
    settings: Settings, db: Database, *, stop: threading.Event, polite: bool, now: Callable[[], datetime]
) -> None:
    lanes = [
        _Lane(settings, db, kinds, stop, now, polite=polite and kinds is RENDER_LANE)
        for kinds in (PREVIEW_LANE, RENDER_LANE)
    ]
    doorbell = Doorbell(settings.queue_url)
    for lane in lanes:
        lane.start()
    upkeep_at = 0.0
    try:
        while not stop.is_set():
            if doorbell.wait(stop, seconds=IDLE_S):
                for lane in lanes:
                    lane.wake.set()
            if time.monotonic() >= upkeep_at:
                upkeep_at = time.monotonic() + UPKEEP_S
                _upkeep(settings, db, now())
    finally:
        stop.set()
        for lane in lanes:
            lane.wake.set()
            lane.join()
        doorbell.close()
    for lane in lanes:
        if lane.broken is not None:
            raise lane.broken


class _Lane(threading.Thread):
    """A thread with a worker of its own, so that what it does never waits for the other lane."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        kinds: Sequence[str],
        stop: threading.Event,
        now: Callable[[], datetime],
        *,
        polite: bool,
    ) -> None:
        super().__init__(name=f"lane-{kinds[0]}")
        self.wake = threading.Event()
        self.broken: BaseException | None = None
        self._settings, self._db, self._kinds = settings, db, kinds
        self._stop_asked, self._now, self._polite = stop, now, polite

    def run(self) -> None:
        """Work until asked to stop; a bug stops the whole process."""
        try:
            if self._polite:
                lower_priority()  # Linux: of this thread and all that it starts
            with Worker(self._settings, self._db, stop=self._stop_asked, now=self._now) as worker:
                while not self._stop_asked.is_set():
                    self._work(worker)
                    self.wake.wait(IDLE_S)
                    self.wake.clear()
        except BaseException as error:
            self.broken = error
            self._stop_asked.set()

    def _work(self, worker: Worker) -> None:
        try:
            worker.work_off(self._kinds)
        except StoreError as error:
            # The database is away or busy: the rows are safe there, try again at the next tick.
            log.warning("chưa làm việc được: %s", error.message)


def _upkeep(settings: Settings, db: Database, now: datetime) -> None:
    try:
        lost = reconcile(db, now=now)
        if lost:
            log.warning("đưa %s việc bỏ dở về hàng chờ", lost)
        forget_previews(db, Blobs(settings.blobs_url), older_than=now - PREVIEWS_KEPT)
        ask_to_listen(settings, db, now)
    except StoreError as error:
        log.warning("chưa dọn được hàng chờ: %s", error.message)


def ask_to_listen(settings: Settings, db: Database, now: datetime) -> int:
    """Ask for listening back where the station wants it and the recogniser is installed; how many takes."""
    if not settings.boolean("voice.listen_back") or Recogniser.available() is not None:
        return 0
    with db.writing() as session:
        return ask_hearings(session, now=now)


def forget_previews(db: Database, blobs: Blobs, *, older_than: datetime) -> int:
    """Take away previews that nobody listens to any more, with their sound; how many."""
    with db.writing() as session:
        rows = session.scalars(
            select(RenderJob).where(
                RenderJob.kind.in_(PREVIEWS),
                RenderJob.state.in_(["done", "failed"]),
                RenderJob.created_at < older_than,
            )
        ).all()
        files = {str(row.result["sha256"]) for row in rows if "sha256" in row.result}
        # One sentence may be a whole take: what is frozen stays.
        files -= set(session.scalars(select(TakeRow.sha256).where(TakeRow.sha256.in_(files))))
        for row in rows:
            session.delete(row)
        session.flush()
        kept = session.scalars(select(RenderJob.result).where(RenderJob.kind.in_(PREVIEWS)))
        files -= {str(result["sha256"]) for result in kept if "sha256" in result}
    for sha256 in files:
        blobs.delete(sha256, suffix=TAKE_SUFFIX)
    return len(rows)


def _sweep_scratch(settings: Settings) -> None:
    """Remove what a killed process left half made; another worker may be rendering there now."""
    sweep_scratch(settings.var / "scratch", older_than_s=_SCRATCH_KEPT_S)
