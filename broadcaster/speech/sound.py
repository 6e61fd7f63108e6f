"""Handling of sound as samples: rate, level, silence, and lossless files.

The house format is mono float32 at 44 100 Hz.  Levels are dB relative to full scale (a sample of 1.0).
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from broadcaster.errors import SoundError
from broadcaster.model import HOUSE_RATE_HZ, Pcm

_SILENT_DB: Final = -120.0

Samples = NDArray[np.float32]


def silence(duration_ms: int, *, rate_hz: int = HOUSE_RATE_HZ) -> Pcm:
    """Nothing, for that long."""
    return Pcm(np.zeros(round(duration_ms * rate_hz / 1000), dtype=np.float32), rate_hz)


def resampled(pcm: Pcm, rate_hz: int = HOUSE_RATE_HZ) -> Pcm:
    """The same sound at another rate (polyphase filter; length rounded up to a whole sample)."""
    if pcm.sample_rate_hz == rate_hz:
        return pcm
    from scipy.signal import resample_poly  # half a second to import: only who needs it pays

    shared = math.gcd(pcm.sample_rate_hz, rate_hz)
    samples = resample_poly(pcm.samples, rate_hz // shared, pcm.sample_rate_hz // shared)
    return Pcm(np.ascontiguousarray(samples, dtype=np.float32), rate_hz)


def from_int16(data: bytes, *, rate_hz: int) -> Pcm:
    """Little-endian signed 16-bit mono bytes as sound."""
    return Pcm(np.frombuffer(data, dtype="<i2").astype(np.float32) / 32768.0, rate_hz)


def peak_db(samples: Samples) -> float:
    """Highest sample, dBFS; -120 for silence or nothing."""
    return _db(float(np.max(np.abs(samples), initial=0.0)))


def rms_db(samples: Samples) -> float:
    """Mean level, dBFS; -120 for silence or nothing."""
    if not len(samples):
        return _SILENT_DB
    return _db(math.sqrt(float(np.mean(np.square(samples, dtype=np.float64)))))


def clipped_fraction(samples: Samples, *, level: float = 0.999, run: int = 3) -> float:
    """Share of samples lying in flat tops: at least `run` neighbours at or above `level`."""
    if len(samples) < run:
        return 0.0
    loud = np.abs(samples) >= level
    flat = loud[: len(loud) - run + 1].copy()
    for shift in range(1, run):
        flat &= loud[shift : len(loud) - run + 1 + shift]
    return float(np.count_nonzero(flat)) / len(samples)


def trimmed(pcm: Pcm, *, below_db: float = -50.0, keep_ms: int = 60) -> Pcm:
    """Without the silence at both ends, leaving `keep_ms` of it; all of it when nothing is louder."""
    window = max(1, pcm.sample_rate_hz // 200)
    loud = np.flatnonzero(np.abs(pcm.samples) > 10 ** (below_db / 20))
    if not len(loud):
        return pcm
    keep = pcm.sample_rate_hz * keep_ms // 1000
    start = max(0, int(loud[0]) - max(keep, window))
    end = min(len(pcm.samples), int(loud[-1]) + 1 + max(keep, window))
    return Pcm(
        faded(pcm.samples[start:end], rate_hz=pcm.sample_rate_hz, in_ms=5, out_ms=5), pcm.sample_rate_hz
    )


def faded(samples: Samples, *, rate_hz: int, in_ms: int = 0, out_ms: int = 0) -> Samples:
    """A copy that rises from and falls to nothing along a raised cosine."""
    copy = np.array(samples, dtype=np.float32)
    rise = min(len(copy), rate_hz * in_ms // 1000)
    fall = min(len(copy), rate_hz * out_ms // 1000)
    if rise:
        copy[:rise] *= _ramp(rise)
    if fall:
        copy[-fall:] *= _ramp(fall)[::-1]
    return copy


def to_flac(pcm: Pcm) -> bytes:
    """Lossless mono FLAC, 16 bits (rounded, limited to full scale).  The same sound gives the same bytes."""
    return _written(pcm, "FLAC", "PCM_16")


def to_wav(pcm: Pcm) -> bytes:
    """Mono WAV, 16 bits."""
    return _written(pcm, "WAV", "PCM_16")


def from_file(source: Path | bytes) -> Pcm:
    """Read WAV, FLAC, OGG or MP3 as mono float32 at its own rate (channels are averaged).

    Raises SoundError when it is none of these.
    """
    opened = io.BytesIO(source) if isinstance(source, bytes) else str(source)
    try:
        samples, rate_hz = soundfile.read(opened, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise SoundError(f"Không đọc được tệp âm thanh: {error}.") from error
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)
    return Pcm(np.ascontiguousarray(mono, dtype=np.float32), int(rate_hz))


def _written(pcm: Pcm, container: str, subtype: str) -> bytes:
    out = io.BytesIO()
    whole = np.clip(np.rint(pcm.samples * 32767.0), -32768, 32767).astype(np.int16)
    try:
        soundfile.write(out, whole, pcm.sample_rate_hz, format=container, subtype=subtype)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise SoundError(f"Không ghi được âm thanh {container}: {error}.") from error
    return out.getvalue()


def _ramp(length: int) -> Samples:
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(length) / length)).astype(np.float32)


def _db(level: float) -> float:
    return 20 * math.log10(level) if level > 1e-6 else _SILENT_DB
