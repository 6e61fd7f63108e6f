"""The limiter: never over, no louder than asked, and exactly as loud."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from broadcaster.production.limiter import gains_for, limiting_knots
from broadcaster.production.loudness import CONTROL, Meter, TruePeak, true_peaks


@given(hnp.arrays(np.float32, st.integers(1, 400), elements=st.floats(0, 8, width=32)))
@settings(max_examples=100, deadline=None)
def test_no_block_passes_the_ceiling_and_none_is_raised(peaks: np.ndarray) -> None:  # type: ignore[type-arg]
    knots = limiting_knots(peaks, ceiling=0.7)
    assert len(knots) == len(peaks) + 1
    assert float(knots.max()) <= 1.0
    assert float(knots.min()) > 0.0
    assert np.all(np.maximum(knots[:-1], knots[1:]) * peaks <= 0.7 * (1 + 1e-5))


def test_quiet_sound_is_left_alone_and_one_stroke_is_met_before_it_comes() -> None:
    peaks = np.full(200, 0.1, dtype=np.float32)
    assert np.all(limiting_knots(peaks, ceiling=0.7) == 1.0)
    peaks[100] = 1.4
    knots = limiting_knots(peaks, ceiling=0.7)
    assert knots[100] == pytest.approx(0.5, abs=0.02)
    assert knots[90] == 1.0
    assert 0.5 < knots[120] < 1.0  # still coming back
    assert knots[199] == 1.0


@pytest.mark.parametrize("target_lufs", [-16.0, -19.0])
def test_limited_sound_is_as_loud_as_asked_and_under_the_true_peak(target_lufs: float) -> None:
    rng = np.random.default_rng(5)
    count = CONTROL * 350 * 6
    t = np.arange(count) / 44_100
    sound = np.convolve(rng.standard_normal(count), np.hanning(24) / 12, mode="same")
    sound *= 0.05 + 0.3 * np.clip(np.sin(2 * np.pi * 1.5 * t), 0, 1) ** 4
    sound = sound.astype(np.float32)
    meter = Meter()
    meter.add(sound)
    rows = np.arange(len(sound) // CONTROL)
    peaks = true_peaks(np.pad(sound, 7), rows)
    gains = gains_for(meter.energies(), peaks, target_lufs=target_lufs, ceiling_db=-3.0)
    out = gains.apply(sound, first_block=0)
    after, peak = Meter(), TruePeak()
    after.add(out)
    peak.add(out)
    peak.finish()
    assert float(np.min(gains.knots)) < 0.9  # it had work to do
    from broadcaster.production.loudness import integrated_lufs

    assert integrated_lufs(after.energies()) == pytest.approx(target_lufs, abs=0.05)
    assert gains.loudness_lufs == pytest.approx(target_lufs, abs=0.02)
    assert peak.dbtp <= -2.9


@given(st.integers(0, 2**31), st.integers(2, 40))
@settings(max_examples=30, deadline=None)
def test_working_in_chunks_changes_nothing(seed: int, chunk: int) -> None:
    peaks = np.random.default_rng(seed).uniform(0, 2, 300).astype(np.float32) ** 3
    whole = limiting_knots(peaks, ceiling=0.7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("broadcaster.production.limiter._CHUNK", chunk)
        assert np.allclose(limiting_knots(peaks, ceiling=0.7), whole, atol=1e-6)


def test_applying_in_parts_is_applying_at_once() -> None:
    rng = np.random.default_rng(6)
    sound = (rng.standard_normal(CONTROL * 500) * 0.4).astype(np.float32)
    meter = Meter()
    meter.add(sound)
    gains = gains_for(meter.energies(), meter.peaks(), target_lufs=-8, ceiling_db=-3)
    whole = gains.apply(sound, first_block=0)
    cut = CONTROL * 200
    parts = [gains.apply(sound[:cut], first_block=0), gains.apply(sound[cut:], first_block=200)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_silence_stays_silence() -> None:
    gains = gains_for(np.zeros(1000), np.zeros(1000, dtype=np.float32), target_lufs=-16, ceiling_db=-3)
    assert gains.gain == 1.0
    assert gains.loudness_lufs == -70.0


def test_blocks_made_ahead_are_the_same_blocks_and_errors_arrive() -> None:
    from broadcaster.speech.ahead import ahead

    blocks = [np.full(5, n, dtype=np.float32) for n in range(50)]
    assert all(np.array_equal(a, b) for a, b in zip(ahead(iter(blocks)), blocks, strict=True))

    def failing():  # type: ignore[no-untyped-def]
        yield blocks[0]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(ahead(failing()))
    left_early = ahead(iter(blocks * 10))
    next(left_early)
    left_early.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "mixing"]
