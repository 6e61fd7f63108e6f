"""What every test may lean on: upgraded databases, dropped when the session ends; no deadlines for Hypothesis.

The files that take longest begin first, so that no worker is left with one of them when the others are done.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.databases import ORIGINALS

# A busy machine is no fault of the code: timings are benches, never asserts.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

LONGEST = ("e2e/", "web/test_web_screens", "web/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait for a broadcast, then those with many pages, then the rest, each in its own order."""
    items.sort(
        key=lambda item: next((n for n, part in enumerate(LONGEST) if part in item.nodeid), len(LONGEST))
    )


@pytest.fixture(scope="session", autouse=True)
def _databases() -> Iterator[None]:
    yield
    ORIGINALS.close()
