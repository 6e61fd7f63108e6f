"""Voicing for horn loudspeakers, in blocks: filters that carry their state, and a 3:1 compressor.

Speech: high pass 250 Hz (24 dB an octave; low notes break compression drivers), +4 dB at 2.8 kHz, low pass
7 kHz, 3:1 above -24 dBFS.  Music: the high pass alone.  `archive` leaves everything as it is.
"""

from __future__ import annotations

import functools
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from broadcaster.model import HOUSE_RATE_HZ
from broadcaster.production.loudness import BLOCK, CONTROL, Samples

SPEECH_LEVEL_DB: Final = -20.0  # mean level that speech is brought to before voicing
_THRESHOLD_DB, _RATIO = -24.0, 3.0
_ATTACK_MS, _RELEASE_MS = 5.0, 120.0


def high_pass(hz: float = 250.0) -> NDArray[np.float32]:
    """24 dB an octave."""
    return np.asarray(butter(4, hz, "highpass", fs=HOUSE_RATE_HZ, output="sos"), dtype=np.float32)


def low_pass(hz: float = 7_000.0) -> NDArray[np.float32]:
    """12 dB an octave."""
    return np.asarray(butter(2, hz, "lowpass", fs=HOUSE_RATE_HZ, output="sos"), dtype=np.float32)


def presence(hz: float = 2_800.0, *, gain_db: float = 4.0, q: float = 0.8) -> NDArray[np.float32]:
    """A bell-shaped lift (the usual audio-EQ biquad)."""
    amplitude, w = 10 ** (gain_db / 40), 2 * math.pi * hz / HOUSE_RATE_HZ
    alpha = math.sin(w) / (2 * q)
    a0 = 1 + alpha / amplitude
    cosine = -2 * math.cos(w)
    rise, fall = 1 + alpha * amplitude, 1 - alpha * amplitude
    row = [rise / a0, cosine / a0, fall / a0, 1.0, cosine / a0, (1 - alpha / amplitude) / a0]
    return np.array([row], dtype=np.float32)


class Filter:
    """Second-order sections that remember where they were; silence costs nothing.

    What enters is never quite nothing: in the rests between sentences the filters would otherwise ring on in
    numbers so small (denormal) that a processor takes ten times as long over them.
    """

    def __init__(self, *sections: NDArray[np.float32]) -> None:
        self._sections = np.concatenate(sections)
        self._state = np.zeros((len(self._sections), 2), dtype=np.float32)
        self._breath = _breath(BLOCK)

    def __call__(self, block: Samples) -> Samples:
        """The next samples, filtered."""
        if not block.any() and float(np.abs(self._state).max()) < 1e-7:
            return block
        if len(block) > len(self._breath):
            self._breath = _breath(len(block))
        out, self._state = sosfilt(self._sections, block + self._breath[: len(block)], zi=self._state)
        result: Samples = out
        return result


@functools.lru_cache(maxsize=2)
def _breath(length: int) -> Samples:
    """Noise at -240 dBFS: no ear and no 16-bit file can hold it."""
    return (np.random.default_rng(1).standard_normal(length) * 1e-12).astype(np.float32)


class Compressor:
    """3:1 above the threshold on the mean level of 1.6 ms blocks; blocks must be whole multiples of CONTROL."""

    def __init__(self) -> None:
        rate = HOUSE_RATE_HZ / CONTROL
        self._attack = 1 - math.exp(-1000 / (_ATTACK_MS * rate))
        self._release = 1 - math.exp(-1000 / (_RELEASE_MS * rate))
        self._reduction_db = 0.0
        self._gain = 1.0
        self._ramp = (np.arange(1, CONTROL + 1, dtype=np.float32) / CONTROL)[None, :]

    def __call__(self, block: Samples) -> Samples:
        """The next samples, compressed."""
        rows = block.reshape(-1, CONTROL)
        power = np.einsum("ij,ij->i", rows, rows, dtype=np.float32) / CONTROL
        over = 10 * np.log10(np.maximum(power, 1e-12)) - _THRESHOLD_DB
        wanted = np.maximum(over, 0.0) * (1 - 1 / _RATIO)
        if self._reduction_db < 1e-4 and not wanted.any():
            self._reduction_db, self._gain = 0.0, 1.0
            return block
        gains = np.power(10.0, np.array(self._followed(wanted.tolist())) / -20.0).astype(np.float32)
        before = np.concatenate([[np.float32(self._gain)], gains[:-1]])
        self._gain = float(gains[-1])
        curve = before[:, None] + (gains - before)[:, None] * self._ramp
        result: Samples = (rows * curve).reshape(-1)
        return result

    def _followed(self, wanted: list[float]) -> list[float]:
        now, attack, release = self._reduction_db, self._attack, self._release
        followed: list[float] = []
        for target in wanted:
            now += (target - now) * (attack if target > now else release)
            followed.append(now)
        self._reduction_db = now
        return followed
