"""Finding sounds again in what was played."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import fftconvolve


def decoded(path: Path) -> NDArray[np.float32]:
    """Mono samples of a file at 44.1 kHz, as the listener gets them."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == 44_100, f"{path}: {rate} Hz"
    mono: NDArray[np.float32] = samples[:, 0]
    return mono


def onset(heard: NDArray[np.float32], wanted: NDArray[np.float32]) -> tuple[int, float]:
    """Where `wanted` begins in `heard`, and how alike they are there (1 = the same but for level)."""
    scores = fftconvolve(heard, wanted[::-1], mode="valid")
    at = int(np.argmax(scores))
    part = heard[at : at + len(wanted)]
    alike = float(scores[at] / (np.linalg.norm(part) * np.linalg.norm(wanted) + 1e-12))
    return at, alike
