"""What every test may lean on: upgraded databases, dropped when the session ends; no deadlines for Hypothesis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.databases import ORIGINALS

# A busy machine is no fault of the code: timings are benches, never asserts.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def _databases() -> Iterator[None]:
    yield
    ORIGINALS.close()
