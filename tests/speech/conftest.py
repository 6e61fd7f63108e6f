"""A table of voices for the chain; the embedded model made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from broadcaster.speech.engines import Voice
from broadcaster.speech.kokoro import model


@pytest.fixture
def opener() -> Callable[..., Callable[[str], Voice]]:
    def make(*voices: Voice) -> Callable[[str], Voice]:
        return {voice.name: voice for voice in voices}.__getitem__

    return make


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("voices")
    model.ensure(folder)
    return folder
