"""The worker with real parts: reading, voice, mixing, files and database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.config import Settings, load
from broadcaster.store.db import Database
from broadcaster.worker import Worker
from tests.support.commune import Commune, found
from tests.support.databases import ORIGINALS
from tests.support.jobs import NOW


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(environ={}, home=tmp_path / "đài", flags={"voice.chain": ("silent",)})


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    ORIGINALS.copy_sqlite(Path(settings.database_url.removeprefix("sqlite:///")))
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
