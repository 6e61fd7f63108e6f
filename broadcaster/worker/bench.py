"""One lane's tools, and doing one job with them: claim, hold, finish or give up."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from broadcaster.config import Settings
from broadcaster.errors import BroadcasterError, InputError, StoreError
from broadcaster.speech.cache import SentenceCache
from broadcaster.speech.engines import Voices
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.queue import LEASE, Job, claim, fail, finish, give_back, renew, report_progress
from broadcaster.worker.jobs import JOBS, Tools

log = logging.getLogger("broadcaster.worker")
_PROGRESS_EVERY_S = 1.0


class _LostError(Exception):
    """The lease ran out and somebody else has the job: drop everything, write nothing."""


class _StoppedError(Exception):
    """The process is asked to stop."""


def utc_now() -> datetime:
    """The clock of this process."""
    return datetime.now(UTC)


class Worker:
    """Does jobs one after another.  A context manager; one for each lane, never shared by threads."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        *,
        now: Callable[[], datetime] = utc_now,
        stop: threading.Event | None = None,
    ) -> None:
        self.owner = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._db = db
        self._now = now
        self._stop = stop or threading.Event()
        self._tools = Tools(
            settings=settings,
            db=db,
            blobs=Blobs(settings.blobs_url),
            voices=Voices(home=settings.home, voices_dir=settings.voices),
            cache=SentenceCache(settings.audio / "cache", limit_mb=settings.integer("voice.cache_mb")),
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the voices."""
        self._tools.voices.close()

    def work_one(self, kinds: Sequence[str] = tuple(JOBS)) -> Job | None:
        """Claim the most urgent job of these kinds and do it; None when there was none to do.

        A job's failure is written on its row; only StoreError (no database) is raised.
        """
        job = claim(self._db, owner=self.owner, kinds=kinds, now=self._now())
        if job is not None:
            self.do(job)
        return job

    def work_off(self, kinds: Sequence[str] = tuple(JOBS)) -> int:
        """Do jobs until none is left that can be done now; how many."""
        done = 0
        while not self._stop.is_set() and self.work_one(kinds) is not None:
            done += 1
        return done

    def do(self, job: Job) -> None:
        """Do a claimed job: its result and its end are one transaction."""
        try:
            with self._held(job) as progress:
                made = JOBS[job.kind](self._tools, job, progress)
            with self._db.writing(station_id=job.station_id) as session:
                if not finish(session, job, result=made.result):
                    raise _LostError
                made.write(session, self._now())
        except _LostError:
            log.warning("việc %s (%s) đã sang tiến trình khác", job.id, job.kind)
        except _StoppedError:
            give_back(self._db, job)
        except BroadcasterError as error:
            log.warning("việc %s (%s) không thành: %s", job.id, job.kind, error.message)
            self._failed(job, error.message, for_good=isinstance(error, InputError))
        except Exception as error:
            # Our own bug: told in full to the log and in short to people; the lane goes on with other jobs.
            log.exception("việc %s (%s) hỏng vì lỗi chương trình", job.id, job.kind)
            self._failed(job, f"Lỗi chương trình khi dựng tiếng ({type(error).__name__}). Hãy báo kỹ thuật.")
        finally:
            self._tools.cache.release()

    def _failed(self, job: Job, message: str, *, for_good: bool = False) -> None:
        fail(self._db, job, error=message, now=self._now(), for_good=for_good)

    @contextmanager
    def _held(self, job: Job) -> Iterator[Callable[[str, int, int], None]]:
        """Renew the lease all the time that the block takes; gives the job's progress callback."""
        lost, over = threading.Event(), threading.Event()
        thread = threading.Thread(target=self._beat, args=(job, lost, over), name=f"lease-{job.id}")
        last_stage, last_said = "", 0.0

        def progress(stage: str, done: int, total: int) -> None:
            nonlocal last_stage, last_said
            if lost.is_set():
                raise _LostError
            if self._stop.is_set():
                raise _StoppedError
            moment = time.monotonic()
            if stage == last_stage and moment - last_said < _PROGRESS_EVERY_S:
                return
            last_stage, last_said = stage, moment
            if not report_progress(self._db, job, stage=stage[:60], done=done, total=total, now=self._now()):
                raise _LostError

        thread.start()
        try:
            yield progress
        finally:
            over.set()
            thread.join()

    def _beat(self, job: Job, lost: threading.Event, over: threading.Event) -> None:
        while not over.wait(LEASE.total_seconds() / 4):
            try:
                if not renew(self._db, job, now=self._now()):
                    lost.set()
                    return
            except StoreError as error:
                # A busy database: the lease outlives three missed beats.
                log.warning("chưa gia hạn được việc %s: %s", job.id, error.message)
