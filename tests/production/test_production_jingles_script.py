"""The tracked jingles are what the script makes, and sound as their kind should."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from broadcaster.model import JingleKind

ROOT = Path(__file__).resolve().parents[2]
TRACKED = ROOT / "audio" / "jingles"


@pytest.fixture(scope="module")
def remade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jingles")
    command = [sys.executable, str(ROOT / "scripts" / "make_jingles.py"), "--to", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    return folder


@pytest.mark.parametrize("name", ["default", "tre"])
def test_the_script_makes_the_tracked_sounds_again(remade: Path, name: str) -> None:
    for kind in JingleKind:
        tracked, rate_hz = soundfile.read(TRACKED / name / f"{kind}.flac", dtype="int16")
        again, _ = soundfile.read(remade / name / f"{kind}.flac", dtype="int16")
        assert rate_hz == 44_100
        assert tracked.shape == again.shape
        assert int(np.max(np.abs(tracked.astype(int) - again))) <= 2, kind


@pytest.mark.parametrize("name", ["default", "tre"])
def test_every_kind_is_there_with_its_source_and_licence(name: str) -> None:
    listed = tomllib.loads((TRACKED / name / "jingles.toml").read_text(encoding="utf-8"))
    assert {row["kind"] for row in listed["jingle"]} == {str(kind) for kind in JingleKind}
    for row in listed["jingle"]:
        assert (TRACKED / name / row["file"]).is_file()
        assert row["licence"] == "CC0-1.0"
        assert row["source"]


@pytest.mark.parametrize("name", ["default", "tre"])
def test_lengths_suit_their_use(name: str) -> None:
    seconds = {kind: soundfile.info(TRACKED / name / f"{kind}.flac").duration for kind in JingleKind}
    assert 12 <= seconds[JingleKind.OPENING] <= 15
    assert seconds[JingleKind.CHIME] <= 3
    assert seconds[JingleKind.CUT] <= 2
    assert seconds[JingleKind.BED] >= 20


@pytest.mark.parametrize("name", ["default", "tre"])
def test_the_bed_loops_without_a_step(name: str) -> None:
    bed, _ = soundfile.read(TRACKED / name / "bed.flac")
    assert abs(bed[0] - bed[-1]) < 3 * np.max(np.abs(np.diff(bed)))
    loudest, quietest = (f(np.sqrt((part**2).mean()) for part in np.array_split(bed, 24)) for f in (max, min))
    assert loudest / quietest < 10


@pytest.mark.parametrize("name", ["default", "tre"])
def test_nobody_takes_the_alert_for_the_chime(name: str) -> None:
    """The chime is round and dies away; the alert is harsh and holds its level."""
    chime, _ = soundfile.read(TRACKED / name / "chime.flac")
    alert, _ = soundfile.read(TRACKED / name / "alert.flac")

    def held(sound: np.ndarray) -> float:  # type: ignore[type-arg]
        rms = np.sqrt([(part**2).mean() for part in np.array_split(sound, len(sound) // 2205)])
        return float(np.mean(rms > rms.max() / 2))

    def harsh(sound: np.ndarray) -> float:  # type: ignore[type-arg]
        power = np.abs(np.fft.rfft(sound)) ** 2
        above = np.fft.rfftfreq(len(sound), 1 / 44_100) > 2_500
        return float(power[above].sum() / power.sum())

    assert held(alert) > 0.75 > 0.6 > held(chime)
    assert harsh(alert) > 0.1 > 0.05 > harsh(chime)
