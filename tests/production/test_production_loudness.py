"""The meter against known values, and against ffmpeg's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from broadcaster.production.loudness import CONTROL, Meter, TruePeak, integrated_lufs
from broadcaster.speech.ffmpeg import find_ffmpeg


def sine(
    hz: float, seconds: float, level_db: float, *, rate_hz: int = 44_100, phase: float = 0.0
) -> NDArray[np.float32]:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * hz * t + phase)).astype(np.float32)


def lufs(samples: NDArray[np.float32], *, rate_hz: int = 44_100) -> float:
    meter = Meter(rate_hz=rate_hz)
    meter.add(samples)
    meter.finish()
    return integrated_lufs(meter.energies())


def dbtp(samples: NDArray[np.float32], *, block: int = 10_000) -> float:
    peak = TruePeak()
    for start in range(0, len(samples), block):
        peak.add(samples[start : start + block])
    peak.finish()
    return peak.dbtp


@pytest.mark.parametrize("rate_hz", [44_100, 22_050])
def test_full_scale_997_hz_in_one_channel_reads_minus_three(rate_hz: int) -> None:
    """ITU-R BS.1770: 0 dBFS of 997 Hz in one channel is -3.01 LKFS."""
    assert lufs(sine(997, 20, 0, rate_hz=rate_hz), rate_hz=rate_hz) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("level_db", [-23.0, -33.0])
def test_a_1_khz_tone_reads_its_level(level_db: float) -> None:
    """EBU Tech 3341 cases 1 and 2, for one channel instead of two (3 LU lower)."""
    assert lufs(sine(1000, 20, level_db)) == pytest.approx(level_db - 3.01, abs=0.1)


def test_the_relative_gate_leaves_out_what_is_quiet() -> None:
    """EBU Tech 3341 case 3: 10 s at -36, 60 s at -23, 10 s at -36 dBFS reads as -23."""
    joined = np.concatenate([sine(1000, 10, -36), sine(1000, 60, -23), sine(1000, 10, -36)])
    assert lufs(joined) == pytest.approx(-26.0, abs=0.1)


def test_the_absolute_gate_leaves_out_silence() -> None:
    """EBU Tech 3341 case 4: with 10 s at -72 dBFS on either side too."""
    parts = [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)]
    joined = np.concatenate([sine(1000, seconds, level) for level, seconds in parts])
    assert lufs(joined) == pytest.approx(-26.0, abs=0.1)


def test_silence_reads_as_the_gate() -> None:
    assert lufs(np.zeros(44_100 * 2, dtype=np.float32)) == -70.0
    assert lufs(np.zeros(0, dtype=np.float32)) == -70.0


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=12))
@settings(max_examples=20, deadline=None)
def test_loudness_does_not_depend_on_how_the_sound_is_cut(cuts: list[int]) -> None:
    sound = sine(440, 3, -20)
    meter, start = Meter(), 0
    for cut in [*cuts, len(sound)]:
        meter.add(sound[start : start + cut])
        start += cut
    meter.add(sound[start:])
    meter.finish()
    assert integrated_lufs(meter.energies()) == pytest.approx(lufs(sound), abs=1e-6)
    assert len(meter.energies()) == -(-len(sound) // CONTROL)


def test_a_peak_between_two_samples_is_found() -> None:
    """EBU Tech 3341 case 16: fs/4 at 45 degrees shows samples 3 dB below its true peak."""
    tone = sine(44_100 / 4, 1, -6, phase=np.pi / 4)
    assert 20 * np.log10(np.max(np.abs(tone))) == pytest.approx(-9.01, abs=0.01)
    assert dbtp(tone) == pytest.approx(-6.0, abs=0.3)


@pytest.mark.parametrize("hz", [100, 997, 3_001, 7_003])
def test_true_peak_of_a_tone_is_its_amplitude(hz: float) -> None:
    tone = sine(hz, 1, -3.3) * np.hanning(44_100).astype(np.float32)  # a cut tone would overshoot for real
    assert dbtp(tone) == pytest.approx(-3.3, abs=0.2)


def test_both_meters_agree_with_ffmpeg(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    t = np.arange(44_100 * 12) / 44_100
    sound = rng.standard_normal(len(t)) * (0.02 + 0.15 * (np.sin(2 * np.pi * 0.7 * t) > 0))
    sound = np.clip(np.convolve(sound, np.hanning(9) / 4, mode="same"), -1, 1).astype(np.float32)
    path = tmp_path / "noise.wav"
    soundfile.write(path, sound, 44_100, subtype="FLOAT")
    command = [find_ffmpeg(), "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true"]
    said = subprocess.run(
        [*command, "-f", "null", "-"], capture_output=True, text=True, timeout=60, check=True
    )
    summary = said.stderr[said.stderr.rindex("Summary") :]
    theirs = float(re.search(r"I:\s+(-?[\d.]+) LUFS", summary)[1])  # type: ignore[index]
    peak = float(re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)[1])  # type: ignore[index]
    assert lufs(sound) == pytest.approx(theirs, abs=0.1)
    assert dbtp(sound) == pytest.approx(peak, abs=0.3)
