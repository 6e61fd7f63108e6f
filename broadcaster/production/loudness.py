"""Loudness after ITU-R BS.1770 (K weighting, gated) and true peak, metered block by block.

A mono file is one channel: 0 dBFS of 997 Hz reads -3.01 LUFS.  Energies and peaks are kept at a control
rate of 126 samples (350 a second at 44.1 kHz; 35 make the 100 ms step of the gate), so that the loudness
*after* a change of gain can be computed without touching the sound again.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

from broadcaster.model import HOUSE_RATE_HZ

Samples = NDArray[np.float32]
Curve = NDArray[np.float64]

CONTROL: Final = 126  # samples a control block
BLOCK: Final = CONTROL * 512  # samples handled at once: 1.46 s
STEP: Final = 35  # control blocks in 100 ms at the house rate
SILENCE_LUFS: Final = -70.0
_PHASES, _TAPS = 4, 12


def k_weighting(rate_hz: int) -> NDArray[np.float64]:
    """The two sections of the K filter at any rate: high shelf, then high pass."""
    k = math.tan(math.pi * 1681.974450955533 / rate_hz)
    q, gain = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    gain_b = gain**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [
        (gain + gain_b * k / q + k * k) / a0,
        2 * (k * k - gain) / a0,
        (gain - gain_b * k / q + k * k) / a0,
        1.0,
        2 * (k * k - 1) / a0,
        (1 - k / q + k * k) / a0,
    ]
    k = math.tan(math.pi * 38.13547087602444 / rate_hz)
    q = 0.5003270373238773
    a0 = 1 + k / q + k * k
    high = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
    return np.array([shelf, high])


class Meter:
    """Feed it blocks of any length; ask `energies()` and `peaks()` when done.

    They are kept for each control block, or (`fine=False`) for each 100 ms.
    """

    def __init__(self, *, rate_hz: int = HOUSE_RATE_HZ, fine: bool = True, expected: int = 0) -> None:
        """`expected` samples are made room for at once: an hour in small pieces would leave holes."""
        # float64: at 38 Hz the high pass's poles lie so near the circle that float32 would hum
        self._filter = k_weighting(rate_hz)
        self._state = np.zeros((2, 2))
        self._fine = fine
        per_house = CONTROL if fine else CONTROL * STEP
        self._block = per_house * rate_hz // HOUSE_RATE_HZ
        if self._block * HOUSE_RATE_HZ != per_house * rate_hz:
            raise ValueError(f"no whole control block at {rate_hz} Hz")
        self._rest = np.zeros(0, dtype=np.float32)
        self._energies = np.zeros(expected // self._block + 1, dtype=np.float32)
        self._peaks = np.zeros(expected // self._block + 1, dtype=np.float32)
        self._filled = 0
        self._length = 0

    def add(self, block: Samples) -> None:
        """The next samples."""
        joined = np.concatenate([self._rest, block]) if len(self._rest) else block
        whole = len(joined) // self._block * self._block
        self._rest = joined[whole:].copy()
        self._length += len(block)
        if whole:
            self._measure(joined[:whole])

    def finish(self) -> None:
        """Count the last, incomplete block too (as if silence followed)."""
        if len(self._rest):
            self._measure(np.pad(self._rest, (0, self._block - len(self._rest))))
            self._rest = np.zeros(0, dtype=np.float32)

    def energies(self) -> Samples:
        """Mean square of the weighted sound in each block."""
        return self._energies[: self._filled]

    def lufs(self) -> float:
        """Gated loudness of what was heard."""
        return integrated_lufs(self.energies()) if self._fine else gated_lufs(self.energies())

    def peaks(self) -> Samples:
        """Highest sample of each block."""
        return self._peaks[: self._filled]

    @property
    def length(self) -> int:
        """Samples heard."""
        return self._length

    def _measure(self, samples: Samples) -> None:
        weighted, self._state = sosfilt(self._filter, samples, zi=self._state)
        blocks = weighted.reshape(-1, self._block)
        rows = samples.reshape(-1, self._block)
        end = self._filled + len(rows)
        if end > len(self._peaks):
            room = max(end, 2 * len(self._peaks))
            self._energies = np.pad(self._energies, (0, room - len(self._energies)))
            self._peaks = np.pad(self._peaks, (0, room - len(self._peaks)))
        self._energies[self._filled : end] = np.einsum("ij,ij->i", blocks, blocks) / self._block
        self._peaks[self._filled : end] = np.abs(rows).max(axis=1)
        self._filled = end


def tenths(energies: Samples | Curve) -> Curve:
    """Mean squares of 100 ms from those of control blocks; what is left at the end is left out."""
    steps = len(energies) // STEP
    if not steps:
        return np.array([np.mean(energies, dtype=np.float64)]) if len(energies) else np.zeros(0)
    return np.asarray(energies[: steps * STEP].reshape(steps, STEP).mean(axis=1, dtype=np.float64))


def integrated_lufs(energies: Samples | Curve) -> float:
    """Gated loudness from the mean square of each control block; -70 when nothing passes the gate."""
    return gated_lufs(tenths(energies))


def gated_lufs(tenth_energies: Samples | Curve) -> float:
    """The same from mean squares of 100 ms."""
    if len(tenth_energies) < 4:
        return _lufs(float(np.mean(tenth_energies)) if len(tenth_energies) else 0.0)
    sums = np.concatenate([[0.0], np.cumsum(tenth_energies, dtype=np.float64)])
    blocks = (sums[4:] - sums[:-4]) / 4
    loud = blocks[blocks > 10 ** ((SILENCE_LUFS + 0.691) / 10)]
    if not len(loud):
        return SILENCE_LUFS
    gated = loud[loud > np.mean(loud) * 0.1]
    return _lufs(float(np.mean(gated)))


def _lufs(mean_square: float) -> float:
    return max(SILENCE_LUFS, -0.691 + 10 * math.log10(mean_square)) if mean_square > 0 else SILENCE_LUFS


# ------------------------------------------------------------------------------------------ true peak


def _interpolator() -> Samples:
    """Three fractional delays (1/4, 1/2, 3/4 sample) of a windowed sinc: rows of 12 taps."""
    taps = np.arange(_TAPS) - (_TAPS / 2 - 1)
    rows = []
    for phase in range(1, _PHASES):
        offset = taps - phase / _PHASES
        window = np.kaiser(1001, 4.0)[np.clip(np.rint((offset / _TAPS + 0.5) * 1000), 0, 1000).astype(int)]
        row = np.sinc(offset) * window
        rows.append(row / row.sum())
    return np.array(rows, dtype=np.float32)


_FRACTIONS: Final = _interpolator()
MARGIN: Final = 7  # samples of context wanted on either side of what is looked at


def between(samples: Samples) -> Samples:
    """Highest interpolated value between samples n and n+1, for n from 5 to len-7 (len-11 values a row).

    4 x oversampling with 12 taps a phase, as BS.1770-4 Annex 2 describes.  Works along the last axis.
    """
    count = samples.shape[-1] - _TAPS + 1
    peaks = np.zeros((*samples.shape[:-1], count), dtype=np.float32)
    for taps in _FRACTIONS:  # tap by tap over whole rows: four times as fast as a matrix of windows
        curve = samples[..., :count] * taps[0]
        for tap in range(1, _TAPS):
            curve += samples[..., tap : tap + count] * taps[tap]
        np.maximum(peaks, np.abs(curve, out=curve), out=peaks)
    return peaks


def true_peaks(samples: Samples, blocks: NDArray[np.intp], *, width: int = CONTROL) -> Samples:
    """True peak of some blocks of `width` samples; block 0 starts at sample `MARGIN` of `samples`.

    `samples` must reach `MARGIN` past the last block.
    """
    span = np.arange(width + 2 * MARGIN)
    rows = samples[blocks[:, None] * width + span[None, :]]
    inner = np.abs(rows[:, MARGIN : MARGIN + width]).max(axis=1)
    found: Samples = np.maximum(inner, between(rows[:, 1:]).max(axis=1))
    return found


class TruePeak:
    """Running true peak of a signal given in blocks: oversamples only where it could matter.

    `noted` lists where (first sample of a control block) the true peak passed `note_above`.
    """

    def __init__(self, *, note_above: float = math.inf) -> None:
        self.highest = 0.0
        self.noted: list[int] = []
        self._note_above = note_above
        self._heard = 0
        self._kept = np.zeros(MARGIN, dtype=np.float32)

    def add(self, block: Samples) -> None:
        """The next samples."""
        joined = np.concatenate([self._kept, block])
        rows = (len(joined) - 2 * MARGIN) // CONTROL
        if rows > 0:
            self._look(joined, rows)
            joined = joined[rows * CONTROL :]
            self._heard += rows * CONTROL
        self._kept = joined.copy()

    def finish(self) -> None:
        """Silence follows."""
        self.add(np.zeros(CONTROL + 2 * MARGIN, dtype=np.float32))

    def _look(self, joined: Samples, rows: int) -> None:
        inner = joined[MARGIN : MARGIN + rows * CONTROL].reshape(rows, CONTROL)
        tops = np.abs(inner).max(axis=1)
        self.highest = max(self.highest, float(tops.max()))
        # between two samples the curve rises above both, but in speech and music by less than 2 dB
        near = np.flatnonzero(tops > 0.8 * min(self.highest, self._note_above))
        for part in np.array_split(near, max(1, len(near) // 512)):
            if len(part):
                found = true_peaks(joined, part)
                self.highest = max(self.highest, float(found.max()))
                self.noted += [self._heard + int(row) * CONTROL for row in part[found > self._note_above]]

    @property
    def dbtp(self) -> float:
        """True peak so far, dBTP; -120 for silence."""
        return 20 * math.log10(self.highest) if self.highest > 1e-6 else -120.0
