"""A programme whose peaks cannot be mended one by one comes out quieter, never not at all."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from broadcaster.model import HOUSE_RATE_HZ, Profile, RenditionKind
from broadcaster.production import mastering
from broadcaster.production.encoding import FORMATS, Tags
from broadcaster.production.loudness import BLOCK


@pytest.mark.parametrize(("lowered", "off_lu"), [(0, 12.0), (3, 1.5)])
def test_peaks_that_the_codec_puts_back_everywhere_cost_loudness_at_most_and_never_the_programme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lowered: int, off_lu: float
) -> None:
    # A limiter set far too high lets every stroke through, as an unlucky encoding would put it back.
    loud = dataclasses.replace(FORMATS[RenditionKind.AIR], ceiling_db=1.5)
    monkeypatch.setitem(FORMATS, RenditionKind.AIR, loud)
    monkeypatch.setattr(mastering, "_MENDED", 1)
    monkeypatch.setattr(mastering, "_LOWER", lowered)
    random = np.random.default_rng(7)
    length = 8 * HOUSE_RATE_HZ // BLOCK * BLOCK
    sound = (0.03 * random.standard_normal(length)).astype(np.float32)
    stroke = 0.9 * np.sin(2 * np.pi * 1000 / HOUSE_RATE_HZ * np.arange(HOUSE_RATE_HZ // 50)).astype(
        np.float32
    )
    for start in range(0, length - len(stroke), HOUSE_RATE_HZ // 2):
        sound[start : start + len(stroke)] += stroke
    blocks = [sound[start : start + BLOCK] for start in range(0, length, BLOCK)]
    (made,) = mastering.master(
        blocks, length=length, profile=Profile.HORN, kinds=(RenditionKind.AIR,), folder=tmp_path,
        tags=Tags(title="Thử", station="Đài", date="2026-11-24", topic="", key=""),
    )  # fmt: skip
    assert made.measured.true_peak_dbtp <= -1.0
    assert made.measured.loudness_lufs == pytest.approx(-16.0, abs=off_lu)
    assert made.path.stat().st_size > 10_000
