"""Short programmes of made-up speech, so that tests take no engine's time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broadcaster.model import HOUSE_RATE_HZ, JingleKind, Pcm, Take
from broadcaster.production.jingles import jingle_paths
from broadcaster.production.produce import ProgrammeItem
from broadcaster.production.template import Template
from broadcaster.speech.takes import freeze
from broadcaster.store.blobs import Blobs

JINGLES = Path(__file__).resolve().parents[2] / "audio" / "jingles" / "default"


def babble(seconds: float, *, seed: int = 0, level_db: float = -20.0) -> Pcm:
    """Noise with the rhythm and band of speech: syllables of 0.2 s, most energy below 4 kHz."""
    rng = np.random.default_rng(seed)
    count = round(seconds * HOUSE_RATE_HZ)
    noise = np.convolve(rng.standard_normal(count + 32), np.hanning(16), mode="same")[:count]
    t = np.arange(count) / HOUSE_RATE_HZ
    tone = np.sin(2 * np.pi * 180 * t) + 0.6 * np.sin(2 * np.pi * 900 * t)
    beat = np.clip(np.sin(2 * np.pi * 2.5 * t), 0.02, 1) ** 2
    sound = (noise / noise.std() + tone) * beat
    sound *= 10 ** (level_db / 20) / np.sqrt(np.mean(sound**2))
    return Pcm(np.clip(sound, -0.95, 0.95).astype(np.float32), HOUSE_RATE_HZ)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def jingles() -> dict[JingleKind, Path]:
    return jingle_paths(JINGLES)


@pytest.fixture
def take(blobs: Blobs) -> Callable[..., Take]:
    def make(seconds: float = 4.0, *, seed: int = 0, level_db: float = -20.0) -> Take:
        pcm = babble(seconds, seed=seed, level_db=level_db)
        return freeze(
            ["một câu"], lambda _n: pcm.samples, rests_ms=[0], voice="test", speed=1.0, why="", blobs=blobs
        )

    return make


@pytest.fixture
def order(
    blobs: Blobs, take: Callable[..., Take], jingles: dict[JingleKind, Path], tmp_path: Path
) -> Callable[..., dict[str, Any]]:
    """Arguments of `produce` for a short programme; keyword arguments replace some."""

    def make(**changed: Any) -> dict[str, Any]:
        spoken: list[str] = []

        def say(written: str) -> Pcm:
            spoken.append(written)
            return babble(0.06 * len(written), seed=len(written))

        arguments: dict[str, Any] = {
            "items": [
                ProgrammeItem("Lịch tiêm chủng", take(5, seed=1)),
                ProgrammeItem("Tạm ngừng cấp điện", take(4, seed=2), read_twice=True),
            ],
            "template": Template(greeting="Kính chào.", headlines="Có các tin.", closing="Xin hết."),
            "station_name": "Đài truyền thanh xã Tân Bình",
            "call_sign": "Đây là đài xã",
            "local_date": date(2026, 11, 24),
            "start_local": time(5, 30),
            "jingles": jingles,
            "speak_words": say,
            "blobs": blobs,
            "scratch": tmp_path / "scratch",
        }
        return arguments | changed

    return make
