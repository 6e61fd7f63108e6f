"""kill -9 at the worst moments: after a restart the job ends done, exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from broadcaster.config import CHECKOUT, load
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.tables import RenderJob, Revision, TakeRow
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
