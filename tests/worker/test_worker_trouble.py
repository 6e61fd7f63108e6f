"""What goes wrong costs time, never a job, a take or another job."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from broadcaster.config import Settings, load
from broadcaster.errors import StoreError, VoiceError
from broadcaster.store.db import Database
from broadcaster.store.queue import LEASE, RETRY_AFTER, Job, claim, reconcile
from broadcaster.store.tables import RenderJob, TakeRow
from broadcaster.worker import JOBS, Worker, bench, run_worker
from broadcaster.worker.jobs import Made, Progress, Tools
from tests.support.commune import Commune
from tests.support.jobs import NOW, a_revision, ask_preview, job_of, patched, until

# ------------------------------------------------------------------------------------------- trouble


def test_a_voice_that_fails_is_tried_later_and_then_given_up_with_its_sentence(
    db: Database, commune: Commune, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [NOW]

    def mute(tools: Tools, job: Job, progress: Progress) -> Made:
        raise VoiceError("Không giọng nào đọc được.")

    patched(monkeypatch, "take", mute)
    a_revision(db, commune)
    with Worker(settings, db, now=lambda: clock[0]) as worker:
        for pause in (RETRY_AFTER, RETRY_AFTER * 3, timedelta(0)):
            assert worker.work_off() == 1
            assert worker.work_one() is None
            clock[0] += pause
    assert (job_of(db).state, job_of(db).error) == ("failed", "Không giọng nào đọc được.")


def test_a_voice_that_does_not_exist_is_not_tried_again(
    db: Database, commune: Commune, settings: Settings
) -> None:
    a_revision(db, commune)
    wrong = load(environ={}, home=settings.home, flags={"voice.chain": ("khong-co",)})
    with Worker(wrong, db, now=lambda: NOW) as worker:
        worker.work_off()
    assert job_of(db).state == "failed"
    assert "Không có giọng “khong-co”" in job_of(db).error


def test_a_bug_in_one_job_is_told_and_the_next_job_is_done(
    db: Database,
    commune: Commune,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real = JOBS["take"]

    def clumsy(tools: Tools, job: Job, progress: Progress) -> Made:
        if job.key == "1":
            raise ZeroDivisionError("our own bug")
        return real(tools, job, progress)

    patched(monkeypatch, "take", clumsy)
    a_revision(db, commune)
    a_revision(db, commune, title="Tin khác")
    with caplog.at_level(logging.ERROR):
        worker.work_off()
    assert "our own bug" in caplog.text
    with db.reading() as session:
        rows = {row.key: row for row in session.scalars(select(RenderJob))}
    assert (rows["1"].state, rows["2"].state) == ("queued", "done")
    assert "Lỗi chương trình" in rows["1"].error


def test_a_worker_that_lost_its_job_writes_nothing(
    db: Database, commune: Commune, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = JOBS["take"]
    taken: list[Job] = []

    def slow(tools: Tools, job: Job, progress: Progress) -> Made:
        made = real(tools, job, progress)
        later = NOW + LEASE + timedelta(seconds=1)
        assert reconcile(db, now=later) == 1
        other = claim(db, owner="other", kinds=["take"], now=later)
        assert other is not None
        taken.append(other)
        return made

    patched(monkeypatch, "take", slow)
    a_revision(db, commune)
    with Worker(settings, db, now=lambda: NOW) as worker:
        worker.work_one()
    with db.reading() as session:
        assert session.scalars(select(TakeRow)).all() == []
    assert (job_of(db).state, job_of(db).owner) == ("running", "other")
    monkeypatch.undo()
    with Worker(settings, db, now=lambda: NOW) as second:
        second.owner = "other"
        second.do(taken[0])
    with db.reading() as session:
        assert len(session.scalars(select(TakeRow)).all()) == 1
    assert job_of(db).state == "done"


def test_the_lease_is_renewed_while_a_long_step_says_nothing(
    db: Database, commune: Commune, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [NOW]

    def silent_step(tools: Tools, job: Job, progress: Progress) -> Made:
        clock[0] = NOW + timedelta(seconds=40)
        assert until(lambda: (job_of(db).lease_until or NOW) > NOW + timedelta(seconds=90))
        return Made({}, lambda session, now: None)

    patched(monkeypatch, "take", silent_step)
    monkeypatch.setattr(bench, "LEASE", timedelta(seconds=0.2))  # of the beat only
    a_revision(db, commune)
    with Worker(settings, db, now=lambda: clock[0]) as worker:
        worker.work_one()
    assert job_of(db).state == "done"


def test_a_worker_that_is_asked_to_stop_gives_its_job_back(
    db: Database, commune: Commune, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    real = JOBS["take"]

    def interrupted(tools: Tools, job: Job, progress: Progress) -> Made:
        stop.set()
        return real(tools, job, progress)

    patched(monkeypatch, "take", interrupted)
    a_revision(db, commune)
    with Worker(settings, db, now=lambda: NOW, stop=stop) as worker:
        worker.work_off()
    assert (job_of(db).state, job_of(db).attempt) == ("queued", 0)


def test_progress_is_on_the_row(
    db: Database, commune: Commune, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int, int]] = []

    def watched(tools: Tools, job: Job, progress: Progress) -> Made:
        for stage, done in (("đọc", 1), ("đọc", 2), ("nén air", 1)):
            progress(stage, done, 5)
            row = job_of(db)
            seen.append((row.stage, row.done_steps, row.all_steps))
        return Made({}, lambda session, now: None)

    patched(monkeypatch, "take", watched)
    a_revision(db, commune)
    worker.work_one()
    assert seen == [("đọc", 1, 5), ("đọc", 1, 5), ("nén air", 1, 5)]  # not oftener than once a second


def test_once_does_all_there_is_and_ends(db: Database, commune: Commune, settings: Settings) -> None:
    a_revision(db, commune)
    ask_preview(db, commune)
    run_worker(settings, stop=threading.Event(), once=True, polite=False, now=lambda: NOW)
    assert (job_of(db).state, job_of(db, "preview").state) == ("done", "done")


def test_a_database_that_was_never_made_is_told(settings: Settings) -> None:
    with pytest.raises(StoreError, match="broadcaster init"):
        run_worker(settings, stop=threading.Event(), once=True, polite=False)


def test_a_lane_that_breaks_ends_the_process_loudly(
    db: Database, commune: Commune, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Worker, kinds: object) -> int:
        raise ZeroDivisionError("our own bug")

    monkeypatch.setattr(Worker, "work_off", broken)
    with pytest.raises(ZeroDivisionError):
        run_worker(settings, stop=threading.Event(), polite=False)
