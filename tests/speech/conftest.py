"""A table of voices for the chain."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from broadcaster.speech.engines import Voice


@pytest.fixture
def opener() -> Callable[..., Callable[[str], Voice]]:
    def make(*voices: Voice) -> Callable[[str], Voice]:
        return {voice.name: voice for voice in voices}.__getitem__

    return make
