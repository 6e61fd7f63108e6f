from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.store.db import Database
from tests.support.backups import elsewhere, small, station  # noqa: F401 - fixtures
from tests.support.databases import KINDS, empty_url, upgraded


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An upgraded database, once of each kind."""
    with upgraded(request.param, tmp_path) as db:
        yield db


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it, once of each kind."""
    with empty_url(request.param, tmp_path) as url:
        yield url
