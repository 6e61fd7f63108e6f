"""Gain to a loudness under a true-peak ceiling, decided at the control rate before anything is encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from broadcaster.production.loudness import CONTROL, SILENCE_LUFS, Curve, Samples, integrated_lufs

_AHEAD: Final = 3  # control blocks of look-ahead and of smoothing on either side: 4.8 ms
_RELEASE_DB: Final = 0.12  # a control block: 76 dB a second
_MOST_GAIN_DB: Final = 40.0
_STEPS: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Gains:
    """A constant gain and the limiter's curve: `knots[b]` is its value at the start of control block b."""

    gain: float
    knots: Samples
    loudness_lufs: float  # what will come out

    def apply(self, block: Samples, *, first_block: int) -> Samples:
        """Samples of whole control blocks, from block `first_block` on, with the gain applied."""
        count = len(block) // CONTROL
        knots = self.knots[first_block : first_block + count + 1]
        if float(knots.min()) >= 1.0:
            return block * np.float32(self.gain)
        ramp = np.arange(CONTROL, dtype=np.float32)[None, :] / CONTROL
        curve = knots[:-1, None] + (knots[1:] - knots[:-1])[:, None] * ramp
        louder = block.reshape(-1, CONTROL) * (curve * np.float32(self.gain))
        return np.asarray(louder.reshape(-1), dtype=np.float32)


def limiting_knots(peaks: Samples, *, ceiling: float) -> Samples:
    """Limiter curve for blocks with these true peaks: knots (one more than blocks), each in (0, 1].

    Within block b the curve lies between knots b and b+1, both at most `ceiling / peaks[b]`; it falls
    4 ms before a peak and rises by at most 76 dB a second after it.
    """
    need_db = 20 * np.log10(np.minimum(1.0, ceiling / np.maximum(peaks.astype(np.float64), 1e-9)))
    reach = np.pad(need_db, _AHEAD, constant_values=0.0)
    windows = np.lib.stride_tricks.sliding_window_view(reach, 2 * _AHEAD + 1)
    held = windows.min(axis=1)
    slope = _RELEASE_DB * np.arange(len(held))
    released = np.minimum(np.minimum.accumulate(held - slope) + slope, 0.0)
    padded = np.pad(released, _AHEAD, mode="edge")
    linear = np.power(10.0, padded / 20)
    sums = np.concatenate([[0.0], np.cumsum(linear)])
    width = 2 * _AHEAD + 1
    smooth = np.minimum((sums[width:] - sums[:-width]) / width, 1.0)
    smooth[smooth > 1 - 1e-7] = 1.0
    knots = np.minimum(np.concatenate([smooth[:1], smooth]), np.concatenate([smooth, smooth[-1:]]))
    result: Samples = knots.astype(np.float32)
    return result


def gains_for(energies: Curve, peaks: Samples, *, target_lufs: float, ceiling_db: float) -> Gains:
    """The gain that makes the limited sound exactly as loud as wanted.

    `energies` and `peaks` (true peaks where it matters) come from a Meter.  Silence stays silence.  Sound
    so spiky that no gain reaches the target comes out quieter: `loudness_lufs` says how loud.
    """
    loudness = integrated_lufs(energies)
    if loudness <= SILENCE_LUFS:
        return Gains(1.0, np.ones(len(peaks) + 1, dtype=np.float32), SILENCE_LUFS)
    ceiling = 10 ** (ceiling_db / 20)
    gain_db = target_lufs - loudness
    for _ in range(_STEPS):
        gain = 10 ** (min(gain_db, _MOST_GAIN_DB) / 20)
        knots = limiting_knots(peaks * np.float32(gain), ceiling=ceiling)
        middle = (knots[:-1] + knots[1:]).astype(np.float64) / 2
        reached = integrated_lufs(energies * np.square(middle * gain))
        if abs(reached - target_lufs) < 0.01 or gain_db > _MOST_GAIN_DB:
            break
        gain_db += 1.4 * (target_lufs - reached)  # the limiter takes back a part of every step
    return Gains(gain, knots, reached)
