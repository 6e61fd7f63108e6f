"""The worker with real parts: reading, voice, mixing, files and database."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import soundfile
from sqlalchemy import select

from broadcaster.config import Settings, load
from broadcaster.errors import StoreError, VoiceError
from broadcaster.model import RenditionKind
from broadcaster.newsroom.bulletins import frozen_reading
from broadcaster.production.jingles import jingle_paths
from broadcaster.production.template import Template, template_data
from broadcaster.schedule.airings import materialise, place
from broadcaster.schedule.plan import plan
from broadcaster.schedule.rendering import enqueue_programmes
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.queue import LEASE, RETRY_AFTER, Doorbell, Job, claim, enqueue, reconcile
from broadcaster.store.tables import Airing, Jingle, RenderJob, Revision, TakeRow, TemplateRevision
from broadcaster.store.upgrade import upgrade
from broadcaster.worker import JOBS, PREVIEW_LANE, RENDER_LANE, Worker, bench, run_worker
from broadcaster.worker.jobs import Made, Progress, Tools
from broadcaster.worker.lanes import forget_previews
from tests.support.commune import MONDAY, Commune, at, found, slot
from tests.support.newsroom import approved, submitted

NOW = at("03:00")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(environ={}, home=tmp_path / "đài", flags={"voice.chain": ("silent",)})


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    upgrade(settings.database_url)
    database = Database(settings.database_url)
    yield database
    database.dispose()


@pytest.fixture
def commune(db: Database) -> Commune:
    with db.writing() as session:
        return found(session)


@pytest.fixture
def worker(settings: Settings, db: Database) -> Iterator[Worker]:
    with Worker(settings, db, now=lambda: NOW) as made:
        yield made


def a_revision(db: Database, commune: Commune, **more: str) -> Revision:
    with db.writing(station_id=commune.station.id) as session:
        return submitted(session, commune, now=NOW, **more)


def job_of(db: Database, kind: str = "take") -> RenderJob:
    with db.reading() as session:
        return session.scalars(select(RenderJob).where(RenderJob.kind == kind)).one()


def patched(monkeypatch: pytest.MonkeyPatch, kind: str, function: Any) -> None:
    monkeypatch.setitem(JOBS, kind, function)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------- takes


def test_a_submitted_bulletin_gets_its_take_sentence_by_sentence(
    db: Database, commune: Commune, worker: Worker, settings: Settings
) -> None:
    revision = a_revision(db, commune)
    done = worker.work_one()
    assert done is not None
    with db.reading() as session:
        row = session.get_one(Revision, revision.id)
        take = row.take
        assert take is not None
        spoken = [sentence.spoken for sentence in frozen_reading(row).sentences]
    assert [text for text, _, _ in take.sentences] == spoken
    assert (take.voice, take.voice_label) == ("silent", "giọng im lặng (chỉ để thử)")
    path = Blobs(settings.blobs_url).path(take.sha256, suffix="flac")
    info = soundfile.info(path)
    assert round(info.frames * 1000 / info.samplerate) == take.duration_ms > 3_000
    job = job_of(db)
    assert (job.state, job.result["sha256"], job.error) == ("done", take.sha256, "")
    assert worker.work_one() is None


def test_a_take_is_spoken_with_the_frozen_reading_and_not_with_today_s_dictionary(
    db: Database, commune: Commune, worker: Worker
) -> None:
    from broadcaster.newsroom.lexicon import set_entry

    a_revision(db, commune)
    with db.writing() as session:
        set_entry(
            session, station_id=commune.station.id, written="trạm y tế", spoken="bệnh viện",
            actor=commune.author, now=NOW,
        )  # fmt: skip
    worker.work_off()
    with db.reading() as session:
        said = " ".join(text for text, _, _ in session.scalars(select(TakeRow)).one().sentences)
    assert "trạm y tế" in said


def test_the_station_s_own_voices_come_before_the_settings(
    db: Database, commune: Commune, worker: Worker
) -> None:
    with db.writing() as session:
        session.merge(commune.station).voice_chain = ["espeak:vi+f5"]
    a_revision(db, commune)
    worker.work_off()
    with db.reading() as session:
        assert session.scalars(select(TakeRow)).one().voice == "espeak:vi+f5"


# ------------------------------------------------------------------------------------- whole programmes


def furnished(db: Database, commune: Commune, settings: Settings) -> None:
    """The project's own jingles and a template, approved."""
    blobs = Blobs(settings.blobs_url)
    with db.writing() as session:
        for kind, path in jingle_paths(settings.jingles / "default").items():
            session.add(
                Jingle(
                    station_id=commune.station.id, kind=kind.value, title=kind.value,
                    sha256=blobs.put(path, suffix="flac"), duration_ms=1, source="x", licence="x", created_at=NOW,
                )
            )  # fmt: skip
        session.add(
            TemplateRevision(
                station_id=commune.station.id, name="thuong", number=1,
                body=template_data(Template(jingle_alone_ms=1_000)), sha256="0" * 64,
                author_id=commune.author.id, approved_by_id=commune.approver.id, approved_at=NOW, created_at=NOW,
            )
        )  # fmt: skip


def test_from_a_text_to_an_approved_programme_in_tomorrow_s_plan(
    db: Database, commune: Commune, worker: Worker, settings: Settings
) -> None:
    furnished(db, commune, settings)
    revision = a_revision(db, commune)
    worker.work_off()
    with db.writing(station_id=commune.station.id) as session:
        row = session.get_one(Revision, revision.id)
        approved(session, row, commune.approver, now=NOW)
        slot(session, commune, valid_from=MONDAY + timedelta(days=1))
        materialise(session, session.merge(commune.station), today=MONDAY, now=NOW, days=2)
        airing = session.scalars(select(Airing)).one()
        place(session, airing.id, row.bulletin_id, actor=commune.author, now=NOW)
        session.flush()
        assert enqueue_programmes(session, session.merge(commune.station), now=NOW, days=2) == 1

    assert worker.work_off() == 1

    job = job_of(db, "programme")
    assert (job.state, job.error) == ("done", "")
    with db.reading(station_id=commune.station.id) as session:
        (planned,) = plan(session, MONDAY + timedelta(days=1))
    file = planned.files[RenditionKind.AIR]
    path = Blobs(settings.blobs_url).path(file.sha256, suffix="mp3")
    assert path.stat().st_size == file.size_bytes
    assert planned.duration_ms is not None
    assert planned.duration_ms > 10_000
    assert abs(soundfile.info(path).duration * 1000 - planned.duration_ms) < 200
    assert list((settings.var / "scratch").iterdir()) == []


# ------------------------------------------------------------------------------------------- previews


def ask_preview(
    db: Database, commune: Commune, key: str = "p", *, when: datetime = NOW, kind: str = "preview"
) -> int:
    sentences = [["Kính chào bà con.", "sentence"], ["Sáng mai tiêm phòng.", "paragraph"]]
    with db.writing() as session:
        return enqueue(
            session, station_id=commune.station.id, kind=kind, key=key,
            payload={"sentences": sentences, "bulletin_id": 1}, due_at=when, now=when,
        ).id  # fmt: skip


@pytest.mark.parametrize(("kind", "lane"), [("preview", PREVIEW_LANE), ("listen", RENDER_LANE)])
def test_a_preview_is_a_small_file_and_names_its_voice(
    db: Database, commune: Commune, worker: Worker, settings: Settings, kind: str, lane: tuple[str, ...]
) -> None:
    ask_preview(db, commune, kind=kind)
    assert worker.work_off(lane) == 1
    result = job_of(db, kind).result
    path = Blobs(settings.blobs_url).path(result["sha256"], suffix=result["suffix"])
    assert round(soundfile.info(path).duration * 1000) == result["duration_ms"]
    assert result["voice"] == "giọng im lặng (chỉ để thử)"


def test_a_preview_never_waits_behind_a_render(
    db: Database, commune: Commune, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, began, stop = threading.Event(), threading.Event(), threading.Event()
    real_take, real_preview = JOBS["take"], JOBS["preview"]

    def long_take(tools: Tools, job: Job, progress: Progress) -> Made:
        began.set()
        assert heard.wait(60), "the preview waited for the render"
        return real_take(tools, job, progress)

    def preview(tools: Tools, job: Job, progress: Progress) -> Made:
        made = real_preview(tools, job, progress)
        heard.set()
        return made

    patched(monkeypatch, "take", long_take)
    patched(monkeypatch, "preview", preview)
    a_revision(db, commune)
    process = threading.Thread(
        target=run_worker, args=(settings,), kwargs={"stop": stop, "polite": False, "now": lambda: NOW}
    )
    process.start()
    try:
        assert began.wait(60)
        ask_preview(db, commune)
        bell = Doorbell(settings.queue_url)
        bell.ring()
        bell.close()
        assert heard.wait(60)
        assert _until(lambda: job_of(db).state == "done")
    finally:
        stop.set()
        process.join(60)
    assert not process.is_alive()
    assert job_of(db, "preview").state == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells threads apart")
def test_renders_give_way_and_previews_do_not(
    db: Database, commune: Commune, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    nice: dict[str, int] = {}
    stop = threading.Event()

    def measured(tools: Tools, job: Job, progress: Progress) -> Made:
        nice[job.kind] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        return Made({}, lambda session, now: None)

    for kind in ("take", "preview"):
        patched(monkeypatch, kind, measured)
    a_revision(db, commune)
    ask_preview(db, commune)
    process = threading.Thread(target=run_worker, args=(settings,), kwargs={"stop": stop, "now": lambda: NOW})
    process.start()
    try:
        assert _until(lambda: len(nice) == 2)
    finally:
        stop.set()
        process.join(60)
    assert nice == {"take": 19, "preview": usual}
    assert os.getpriority(os.PRIO_PROCESS, 0) == usual


def test_old_previews_go_and_takes_stay(
    db: Database, commune: Commune, worker: Worker, settings: Settings
) -> None:
    old = NOW - timedelta(days=2)
    ask_preview(db, commune, when=old)
    ask_preview(db, commune, "the same words, newer")
    with db.writing() as session:
        session.scalars(select(RenderJob).where(RenderJob.key == "p")).one().payload = {
            "sentences": [["Một câu khác.", "sentence"]]
        }
    a_revision(db, commune)
    worker.work_off()
    blobs = Blobs(settings.blobs_url)
    with db.reading() as session:
        files = {row.key: row.result["sha256"] for row in session.scalars(select(RenderJob))}
    with db.writing() as session:  # somebody listened to words that are now a whole take
        session.add(
            RenderJob(
                station_id=commune.station.id, kind="preview", key="as the take", state="done", due_at=old,
                result={"sha256": files["1"], "suffix": "flac"}, created_at=old,
            )
        )  # fmt: skip
    assert forget_previews(db, blobs, older_than=NOW - timedelta(days=1)) == 2
    assert {key: blobs.has(sha256, suffix="flac") for key, sha256 in files.items()} == {
        "p": False, "the same words, newer": True, "1": True,
    }  # fmt: skip


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
        assert _until(lambda: (job_of(db).lease_until or NOW) > NOW + timedelta(seconds=90))
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


def _until(true: Any, seconds: float = 60) -> bool:
    waiting = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if true():
            return True
        waiting.wait(0.05)
    return False
