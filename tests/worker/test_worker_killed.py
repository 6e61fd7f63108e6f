"""kill -9 at the worst moments: after a restart the job ends done, exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.config import CHECKOUT, load
from broadcaster.production.template import Template, template_data
from broadcaster.speech.takes import freeze
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.queue import enqueue
from broadcaster.store.tables import ProgrammeRow, RenderJob, Revision, TakeRow
from tests.support.commune import found
from tests.support.databases import upgraded
from tests.support.newsroom import submitted


def started(home: Path, url: str, where: str) -> subprocess.Popen[str]:
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("BROADCASTER_")},
        "BROADCASTER_STORE_DATABASE_URL": url,
        "BROADCASTER_VOICE_CHAIN": "silent",
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUTF8": "1",
    }
    script = CHECKOUT / "tests" / "support" / "killed_worker.py"
    return subprocess.Popen(
        [sys.executable, str(script), str(home), where], env=environ, stdout=subprocess.PIPE, text=True
    )


def state(db: Database) -> tuple[str, int, int]:
    """State and attempts of the job, and how many takes there are."""
    with db.reading() as session:
        job = session.scalars(select(RenderJob)).one()
        return job.state, job.attempt, len(session.scalars(select(TakeRow)).all())


@pytest.mark.parametrize(
    ("where", "kind"),
    [("nén air", "sqlite"), ("ghi tệp", "postgresql")],
)
def test_a_worker_killed_while_it_renders_shows_no_half_file_and_the_programme_is_made_once(
    kind: str, where: str, tmp_path: Path
) -> None:
    with upgraded(kind, tmp_path) as db:
        home = tmp_path / "đài"
        blobs = Blobs(load(environ={}, home=home).blobs_url)
        with db.writing() as session:
            ask_for_a_programme(session, found(session).station.id, blobs)
        before = set(blobs.names())
        url = db.engine.url.render_as_string(hide_password=False)
        with started(home, url, where) as first:
            assert first.stdout is not None
            assert first.stdout.readline() == "HERE\n"
            first.send_signal(signal.SIGKILL)
        with db.reading() as session:
            assert session.scalars(select(RenderJob.state)).one() == "running"
            assert session.scalars(select(ProgrammeRow)).all() == []
        for sha256, suffix, _ in set(blobs.names()) - before:  # published, but nobody has been told of it yet
            assert (where, suffix) == ("ghi tệp", "mp3")
            blobs.get(sha256, suffix=suffix)  # whole, or it raises

        with started(home, url, "never") as second:
            assert second.wait(120) == 0

        with db.reading() as session:
            job = session.scalars(select(RenderJob)).one()
            assert (job.state, job.attempt) == ("done", 2)
            made = session.scalars(select(ProgrammeRow)).one()
            files = {rendition.sha256 for rendition in made.renditions}
        assert files == {sha256 for sha256, suffix, _ in set(blobs.names()) - before}
        for sha256 in files:
            blobs.get(sha256, suffix="mp3")


def ask_for_a_programme(session: Session, station_id: int, blobs: Blobs) -> None:
    """A job with everything in it: a take of four seconds, and a frame without words or sounds."""
    t = np.arange(4 * 44_100) / 44_100
    sound = (0.2 * np.sin(2 * np.pi * 300 * t)).astype(np.float32)
    take = freeze(["một"], lambda _n: sound, rests_ms=[0], voice="thử", speed=1.0, why="", blobs=blobs)
    template = Template(call_sign="", greeting="", headlines="", closing="")
    now = datetime.now(UTC)
    enqueue(
        session, station_id=station_id, kind="programme", key="5" * 64, due_at=now, now=now,
        payload={
            "title": "Buổi sáng", "station_name": "Đài", "call_sign": "Đài", "local_date": "2026-11-24",
            "start_local": "05:30", "voice_chain": ["silent"], "template": template_data(template),
            "jingles": {}, "profile": "horn",
            "items": [{
                "title": "Một", "read_twice": False,
                "take": {
                    "sha256": take.sha256, "voice": "thử", "speed": 1.0, "duration_ms": take.duration_ms,
                    "sentences": [["một", 0, len(sound)]],
                },
            }],
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("where", "kind"), [("half-way", "sqlite"), ("writing", "sqlite"), ("writing", "postgresql")]
)
def test_a_worker_killed_with_its_job_in_hand_costs_nothing_but_time(
    kind: str, where: str, tmp_path: Path
) -> None:
    with upgraded(kind, tmp_path) as db:
        home = tmp_path / "đài"
        now = datetime.now(UTC)
        with db.writing() as session:
            revision = submitted(session, found(session), now=now)
        url = db.engine.url.render_as_string(hide_password=False)
        with started(home, url, where) as first:
            assert first.stdout is not None
            assert first.stdout.readline() == "HERE\n"
            first.send_signal(signal.SIGKILL)
        assert first.returncode == -signal.SIGKILL
        assert state(db) == ("running", 1, 0)

        with started(home, url, "never") as second:
            assert second.wait(120) == 0

        assert state(db) == ("done", 2, 1)
        with db.reading() as session:
            take = session.get_one(Revision, revision.id).take
            assert take is not None
            assert Blobs(load(environ={}, home=home).blobs_url).has(take.sha256, suffix="flac")
