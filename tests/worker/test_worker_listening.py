"""Listening back as a job: off unless asked for, after the take, and never in anybody's way."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from broadcaster.config import Settings, load
from broadcaster.newsroom.hearing import KIND, hearing_of
from broadcaster.speech.hearing import Recogniser
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.tables import RenderJob, Revision
from broadcaster.worker import run_worker
from tests.support.commune import Commune
from tests.support.jobs import NOW, a_revision, job_of


class Deaf:
    """Ears that get everything but the last word; they remember what file they were given."""

    files: list[Path] = []
    closed = 0

    @staticmethod
    def available() -> str | None:
        return None

    def hear(self, file: Path, start: int, length: int, padding_s: float) -> str:
        self.files.append(file)
        return "sáng mai trạm y tế xã tiêm phòng cho trẻ"

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> type[Deaf]:
    Deaf.files, Deaf.closed = [], 0
    monkeypatch.setattr("broadcaster.worker.jobs.Recogniser", Deaf)
    monkeypatch.setattr("broadcaster.worker.lanes.Recogniser", Deaf)
    return Deaf


def run_once(settings: Settings) -> None:
    run_worker(settings, stop=threading.Event(), once=True, polite=False, now=lambda: NOW)


def listening(settings: Settings) -> Settings:
    return load(environ={}, home=settings.home, flags={"voice.chain": ("silent",), "voice.listen_back": True})


def test_a_take_is_listened_to_when_the_station_wants_it(
    db: Database, commune: Commune, settings: Settings, deaf: type[Deaf]
) -> None:
    revision = a_revision(db, commune)
    run_once(listening(settings))
    with db.reading() as session:
        found = hearing_of(session, revision.id)
        take = session.get_one(Revision, revision.id).take
        assert take is not None
        file = Blobs(settings.blobs_url).path(take.sha256, suffix="flac")
    assert found is not None
    assert found.places[0].said == "em"
    assert found.places[0].end_ms <= take.duration_ms
    assert set(deaf.files) == {file}
    assert deaf.closed == 1


def test_nobody_listens_unless_the_setting_is_on(
    db: Database, commune: Commune, settings: Settings, deaf: type[Deaf]
) -> None:
    a_revision(db, commune)
    run_once(settings)
    with db.reading() as session:
        assert session.scalars(select(RenderJob).where(RenderJob.kind == KIND)).all() == []
    assert deaf.files == []


def test_without_the_recogniser_the_setting_asks_for_nothing(
    db: Database, commune: Commune, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recogniser, "available", staticmethod(lambda: "thiếu gói viet-asr"))
    a_revision(db, commune)
    run_once(listening(settings))
    with db.reading() as session:
        assert session.scalars(select(RenderJob).where(RenderJob.kind == KIND)).all() == []


def test_a_recogniser_that_went_away_is_told_on_the_job_and_the_take_stays(
    db: Database, commune: Commune, settings: Settings, deaf: type[Deaf], monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = a_revision(db, commune)

    class Gone(Deaf):
        @staticmethod
        def available() -> str | None:
            return "thiếu viet-asr"

    monkeypatch.setattr("broadcaster.worker.jobs.Recogniser", Gone)
    run_once(listening(settings))
    job = job_of(db, KIND)
    assert (job.state, job.error) == ("failed", "thiếu viet-asr")
    with db.reading() as session:
        assert session.get_one(Revision, revision.id).take is not None
