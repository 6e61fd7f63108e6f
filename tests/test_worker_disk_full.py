"""A disk that fills up while a take is published: nothing half there, nothing lost, done when there is room."""

from __future__ import annotations

import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from broadcaster.config import load
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.tables import RenderJob, Revision, TakeRow
from broadcaster.store.upgrade import upgrade
from broadcaster.worker import Worker
from tests.support.commune import at, found
from tests.support.newsroom import submitted

NOW = at("03:00")


def test_a_full_disk_while_publishing_loses_nothing_and_the_job_is_done_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load(environ={}, home=tmp_path, flags={"voice.chain": ("silent",)})
    upgrade(settings)
    db = Database(settings.database_url)
    try:
        with db.writing() as session:
            commune = found(session)
        with db.writing(station_id=commune.station.id) as session:
            revision = submitted(session, commune, now=NOW)
        sync = os.fsync

        def full(_handle: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with Worker(settings, db, now=lambda: NOW) as worker:
            assert worker.work_one() is not None
        with db.reading() as session:
            job = session.scalars(select(RenderJob)).one()
            assert job.state == "queued"
            assert "Đĩa đã đầy" in job.error
            row = session.get_one(Revision, revision.id)
            assert row.take_id is None
            assert row.text == revision.text
            assert session.scalars(select(TakeRow)).all() == []
        assert [path for path in Path(settings.blobs_url).rglob("*") if path.is_file()] == []

        monkeypatch.setattr(os, "fsync", sync)
        with Worker(settings, db, now=lambda: NOW + timedelta(hours=1)) as worker:
            assert worker.work_one() is not None
        with db.reading() as session:
            take = session.scalars(select(TakeRow)).one()
            assert session.get_one(Revision, revision.id).take_id == take.id
            assert session.scalars(select(RenderJob.state)).one() == "done"
        assert Blobs(settings.blobs_url).has(take.sha256, suffix="flac")
    finally:
        db.dispose()
