"""Sets of jingles, and sound that people bring as one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from broadcaster.errors import InputError
from broadcaster.model import HOUSE_RATE_HZ, JingleKind
from broadcaster.production.jingles import Cut, jingle_set, jingle_sound, take_in
from broadcaster.speech.sound import from_file
from broadcaster.store.blobs import Blobs

SETS = Path(__file__).resolve().parents[2] / "audio" / "jingles"


def melody(seconds: float, *, rate_hz: int = 48_000, channels: int = 2) -> np.ndarray:  # type: ignore[type-arg]
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.repeat((0.3 * np.sin(2 * np.pi * 440 * t))[:, None], channels, axis=1)


@pytest.mark.parametrize("name", ["default", "tre"])
def test_the_sets_of_the_project_are_complete_and_audible(name: str) -> None:
    listed = jingle_set(SETS / name)
    assert set(listed) == set(JingleKind)
    for jingle in listed.values():
        samples, lufs = jingle_sound(jingle.path)
        assert len(samples) > HOUSE_RATE_HZ
        assert -35 < lufs < -8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "thiếu jingles.toml"),
        ("[[jingle", "ghi sai"),
        ('[[jingle]]\nkind = "trumpet"\nfile = "a"\ntitle = "a"\nsource = "a"\nlicence = "a"', "ghi sai"),
        ('[[jingle]]\nkind = "cut"\nfile = "a"', "ghi sai"),
    ],
)
def test_a_bad_set_is_said_plainly(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "jingles.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        jingle_set(tmp_path)


def test_what_people_bring_becomes_mono_flac_at_the_house_rate(tmp_path: Path) -> None:
    source = tmp_path / "nhạc của xã.ogg"
    soundfile.write(source, np.concatenate([np.zeros((48_000, 2)), melody(5)]), 48_000)
    blobs = Blobs(tmp_path / "blobs")
    sha256 = take_in(source, kind=JingleKind.OPENING, blobs=blobs).sha256
    pcm = from_file(blobs.path(sha256, suffix="flac"))
    assert pcm.sample_rate_hz == HOUSE_RATE_HZ
    assert 4_800 < pcm.duration_ms < 5_300  # the silence before it is gone
    assert take_in(source, kind=JingleKind.OPENING, blobs=blobs).sha256 == sha256


def test_a_part_of_a_longer_piece_may_be_taken(tmp_path: Path) -> None:
    source = tmp_path / "dài.wav"
    soundfile.write(source, melody(20, rate_hz=44_100), 44_100)
    blobs = Blobs(tmp_path / "blobs")
    sha256 = take_in(source, kind=JingleKind.CUT, blobs=blobs, cut=Cut(3_000, 6_000)).sha256
    assert from_file(blobs.path(sha256, suffix="flac")).duration_ms == pytest.approx(3_000, abs=20)


def test_too_long_too_short_silent_or_no_sound_is_refused(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    path = tmp_path / "x.wav"
    soundfile.write(path, melody(20, rate_hz=44_100), 44_100)
    with pytest.raises(InputError, match="tối đa 10 giây"):
        take_in(path, kind=JingleKind.CHIME, blobs=blobs)
    soundfile.write(path, melody(0.05, rate_hz=44_100), 44_100)
    with pytest.raises(InputError, match="ngắn quá"):
        take_in(path, kind=JingleKind.CHIME, blobs=blobs)
    soundfile.write(path, np.zeros(44_100), 44_100)
    with pytest.raises(InputError, match="im lặng"):
        take_in(path, kind=JingleKind.CHIME, blobs=blobs)
    path.write_bytes(b"MZ not a sound")
    with pytest.raises(InputError, match="không phải âm thanh"):
        take_in(path, kind=JingleKind.CHIME, blobs=blobs)
    assert list(blobs.names()) == []


def test_a_level_of_its_own_is_heard_in_every_programme(tmp_path: Path) -> None:
    source = tmp_path / "a.wav"
    soundfile.write(source, 0.2 * np.sin(2 * np.pi * 500 * np.arange(44_100 * 3) / 44_100), 44_100)
    blobs = Blobs(tmp_path / "kho")
    usual = take_in(source, kind=JingleKind.CUT, blobs=blobs)
    louder = take_in(source, kind=JingleKind.CUT, blobs=blobs, cut=Cut(level_db=4.0))
    assert usual.sha256 != louder.sha256
    levels = [jingle_sound(blobs.path(one.sha256, suffix="flac"))[1] for one in (usual, louder)]
    assert levels[0] - levels[1] == pytest.approx(
        4.0, abs=0.01
    )  # brought to the same, it comes out 4 dB above


@pytest.mark.parametrize("cut", [Cut(2_000, 1_000), Cut(level_db=30.0), Cut(-1)])
def test_a_cut_that_cannot_be_is_refused(tmp_path: Path, cut: Cut) -> None:
    with pytest.raises(InputError, match="Chỗ cắt|Mức tiếng"):
        take_in(tmp_path / "a.wav", kind=JingleKind.CUT, blobs=Blobs(tmp_path), cut=cut)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, melody(1, rate_hz=44_100), 44_100)
    first, _ = jingle_sound(path)
    soundfile.write(path, melody(2, rate_hz=44_100), 44_100)
    second, _ = jingle_sound(path)
    assert len(second) == 2 * len(first)
