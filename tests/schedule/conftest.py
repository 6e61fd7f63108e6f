"""A database of each kind for the schedule's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.store.db import Database
from tests.support.databases import KINDS, upgraded


@pytest.fixture(params=KINDS)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An upgraded database of each kind, guards included."""
    with upgraded(request.param, tmp_path) as database:
        yield database
