"""What every test may lean on: upgraded databases, dropped when the session ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.databases import ORIGINALS


@pytest.fixture(scope="session", autouse=True)
def _databases() -> Iterator[None]:
    yield
    ORIGINALS.close()
