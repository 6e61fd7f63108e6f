"""Gain to a loudness under a true-peak ceiling, decided at the control rate before anything is encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from broadcaster.production.loudness import (
    CONTROL,
    SILENCE_LUFS,
    STEP,
    Curve,
    Samples,
    gated_lufs,
    integrated_lufs,
    tenths,
)

_AHEAD: Final = 2  # control blocks of look-ahead and of smoothing on either side: 5.7 ms
_RELEASE_DB: Final = 0.22  # a control block: 77 dB a second
_CHUNK: Final = STEP * 1000  # control blocks worked on at once: an hour has 1.3 million
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


def limiting_knots(peaks: Samples, *, ceiling: float, room: Samples | None = None) -> Samples:
    """Limiter curve for blocks with these true peaks: knots (one more than blocks), each in (0, 1].

    Within block b the curve lies between knots b and b+1, both at most `ceiling / peaks[b]`; it falls
    6 ms before a peak and rises by at most 77 dB a second after it.  The answer lies in `room` (see
    `room_for`), which holds every step on the way to it.
    """
    count = len(peaks)
    # dB at first, its edges repeated; then linear; then knots
    curve = room_for(count) if room is None else room
    last_db = 0.0
    for start in range(0, count, _CHUNK):
        end = min(count, start + _CHUNK)
        low, high = max(0, start - _AHEAD), min(count, end + _AHEAD)
        near = np.maximum(peaks[low:high].astype(np.float64), 1e-9)
        need_db = 20 * np.log10(np.minimum(1.0, ceiling / near))
        reach = np.pad(need_db, (_AHEAD - (start - low), _AHEAD - (high - end)))
        held = np.lib.stride_tricks.sliding_window_view(reach, 2 * _AHEAD + 1).min(axis=1)
        slope = _RELEASE_DB * np.arange(1, end - start + 1)
        risen = np.minimum.accumulate(np.concatenate([[last_db], held - slope]))[1:] + slope
        risen = np.minimum(risen, 0.0)
        last_db = float(risen[-1])
        curve[start + _AHEAD : end + _AHEAD] = risen
    if not count:
        curve[0] = 1.0
        return curve[:1]
    curve[:_AHEAD] = curve[_AHEAD]
    curve[count + _AHEAD :] = curve[count + _AHEAD - 1]
    width = 2 * _AHEAD + 1
    for start in range(0, count, _CHUNK):  # smoothed in place: what is still to be read lies ahead
        end = min(count, start + _CHUNK)
        linear = np.power(10.0, curve[start : end + 2 * _AHEAD].astype(np.float64) / 20)
        sums = np.concatenate([[0.0], np.cumsum(linear)])
        smooth = (sums[width:] - sums[:-width]) / width
        curve[start:end] = np.where(smooth > 1 - 1e-6, 1.0, smooth)
    curve[count] = curve[count - 1]
    for start in reversed(range(1, count, _CHUNK)):  # from the end: what is still to be read lies before
        end = min(count, start + _CHUNK)
        curve[start:end] = np.minimum(curve[start:end], curve[start - 1 : end - 1])
    return curve[: count + 1]


def room_for(blocks: int) -> Samples:
    """Where `limiting_knots` works for so many blocks: an hour's worth is made once, not at every attempt."""
    return np.empty(blocks + 2 * _AHEAD, dtype=np.float32)


def gains_for(
    energies: Samples, peaks: Samples, *, target_lufs: float, ceiling_db: float, room: Samples | None = None
) -> Gains:
    """The gain that makes the limited sound exactly as loud as wanted.

    `energies` and `peaks` (true peaks where it matters) come from a Meter.  Silence stays silence.  Sound
    so spiky that no gain reaches the target comes out quieter: `loudness_lufs` says how loud.  The gains lie in
    `room` (see `room_for`) when it is given: those of before are gone then.
    """
    loudness = integrated_lufs(energies)
    if loudness <= SILENCE_LUFS:
        return Gains(1.0, np.ones(len(peaks) + 1, dtype=np.float32), SILENCE_LUFS)
    ceiling = 10 ** (ceiling_db / 20)
    gain_db = target_lufs - loudness
    room = room_for(len(peaks)) if room is None else room
    for _ in range(_STEPS):
        gain = 10 ** (min(gain_db, _MOST_GAIN_DB) / 20)
        knots = limiting_knots(peaks, ceiling=ceiling / gain, room=room)
        reached = gated_lufs(_limited_tenths(energies, knots, gain))
        if abs(reached - target_lufs) < 0.01 or gain_db > _MOST_GAIN_DB:
            break
        gain_db += 1.4 * (target_lufs - reached)  # the limiter takes back a part of every step
    return Gains(gain, knots, reached)


def _limited_tenths(energies: Samples, knots: Samples, gain: float) -> Curve:
    """Mean squares of 100 ms after the gain and the limiter."""
    parts = []
    for start in range(0, max(1, len(energies) // STEP * STEP), _CHUNK):
        part = energies[start : start + _CHUNK]
        middle = (knots[start : start + len(part)] + knots[start + 1 : start + len(part) + 1]) * np.float32(
            0.5
        )
        parts.append(tenths(part * np.square(middle * np.float32(gain))))
    return np.concatenate(parts)
