"""The worker with real parts: reading, voice, mixing, files and database."""

from __future__ import annotations

import os
import sys
import threading
from datetime import timedelta

import pytest
import soundfile
from sqlalchemy import select

from broadcaster.config import Settings
from broadcaster.model import RenditionKind
from broadcaster.newsroom.bulletins import create_bulletin, frozen_reading, submit
from broadcaster.production.jingles import jingle_paths
from broadcaster.production.template import Template, template_data
from broadcaster.schedule.airings import materialise, place
from broadcaster.schedule.plan import plan
from broadcaster.schedule.rendering import enqueue_programmes
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.queue import Doorbell, Job
from broadcaster.store.tables import Airing, Jingle, RenderJob, Revision, TakeRow, TemplateRevision
from broadcaster.worker import JOBS, PREVIEW_LANE, RENDER_LANE, Worker, run_worker
from broadcaster.worker.jobs import Made, Progress, Tools
from broadcaster.worker.lanes import forget_previews
from tests.support.commune import MONDAY, Commune, slot
from tests.support.jobs import NOW, a_revision, ask_preview, job_of, patched, until
from tests.support.newsroom import TEXT, approved

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


def test_a_bulletin_s_own_voice_and_pace_come_before_the_station_s(
    db: Database, commune: Commune, worker: Worker
) -> None:
    with db.writing() as session:
        row = create_bulletin(
            session, station_id=commune.station.id, author=commune.author, title="Tiêm phòng", text=TEXT, now=NOW
        )  # fmt: skip
        row.voice, row.speed = "espeak:vi+f5", 0.8
        session.flush()
        submit(session, row.id, version=row.version, actor=commune.author, now=NOW)
    worker.work_off()
    with db.reading() as session:
        made = session.scalars(select(TakeRow)).one()
    assert (made.voice, made.speed) == ("espeak:vi+f5", 0.8)


# ------------------------------------------------------------------------------------- whole programmes


def furnished(db: Database, commune: Commune, settings: Settings) -> None:
    """The project's own jingles and a template, approved."""
    blobs = Blobs(settings.blobs_url)
    with db.writing() as session:
        sounds: dict[str, str] = {}
        for kind, path in jingle_paths(settings.jingles / "default").items():
            sounds[kind.value] = blobs.put(path, suffix="flac")
            session.add(
                Jingle(
                    station_id=commune.station.id, kind=kind.value, title=kind.value,
                    sha256=sounds[kind.value], duration_ms=1, source="x", licence="x", created_at=NOW,
                )
            )  # fmt: skip
        session.add(
            TemplateRevision(
                station_id=commune.station.id, name="thuong", number=1,
                body=template_data(Template(jingle_alone_ms=1_000)), jingles=sounds, sha256="0" * 64,
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
        assert until(lambda: job_of(db).state == "done")
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
        assert until(lambda: len(nice) == 2)
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
