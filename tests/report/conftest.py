"""A database of each kind for the report's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.store.db import Database
from tests.support.cloned import Originals
from tests.support.databases import KINDS


@pytest.fixture(scope="session")
def _originals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Originals]:
    originals = Originals(tmp_path_factory.mktemp("originals"))
    yield originals
    originals.close()


@pytest.fixture(params=KINDS)
def db(request: pytest.FixtureRequest, _originals: Originals, tmp_path: Path) -> Iterator[Database]:
    """An upgraded database of each kind, guards included."""
    with _originals.copy(request.param, tmp_path) as database:
        yield database
