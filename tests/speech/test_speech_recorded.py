"""Sound that people bring: any format a phone makes, and everything that is not sound."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from broadcaster.errors import InputError, SoundError
from broadcaster.model import HOUSE_RATE_HZ
from broadcaster.speech import ffmpeg
from broadcaster.speech.brought import brought_sound
from broadcaster.speech.ffmpeg import find_ffmpeg, run_ffmpeg
from broadcaster.speech.recorded import keep_bulletin, keep_sentence, recording
from broadcaster.speech.sound import from_file, peak_db, rms_db
from broadcaster.speech.takes import take_level_db, take_of_recording
from broadcaster.store.blobs import Blobs
from tests.support.processes import gone


def speech_like(seconds: float, *, rate_hz: int = 44_100) -> np.ndarray:  # type: ignore[type-arg]
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return 0.3 * np.sin(2 * np.pi * 300 * t) * np.clip(np.sin(2 * np.pi * 2 * t), 0.05, 1)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """1 s of silence, 3 s of sound, 2 s of silence."""
    path = tmp_path / "giọng đọc.wav"
    soundfile.write(path, np.concatenate([np.zeros(44_100), speech_like(3), np.zeros(88_200)]), 44_100)
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp3", ["-b:a", "64k"]),
        ("a.m4a", ["-c:a", "aac"]),
        ("a.ogg", ["-c:a", "libopus"]),
        ("a.flac", []),
        ("a.webm", ["-c:a", "libopus"]),
        ("a.wav", ["-c:a", "pcm_u8", "-ar", "8000"]),
        ("b.wav", ["-ar", "192000", "-ac", "6", "-c:a", "pcm_s24le"]),
        ("c.wav", ["-ac", "2", "-c:a", "pcm_f32le"]),
    ],
)
def test_every_format_a_phone_makes_comes_in(
    wav: Path, tmp_path: Path, name: str, options: list[str]
) -> None:
    target = tmp_path / name
    subprocess.run([find_ffmpeg(), "-v", "error", "-i", wav, *options, target], check=True, timeout=60)
    pcm = recording(target)
    assert pcm.sample_rate_hz == HOUSE_RATE_HZ
    assert pcm.samples.dtype == "float32"
    assert pcm.duration_ms == pytest.approx(3_150, abs=300)  # trimmed, with a breath at both ends
    assert rms_db(pcm.samples) == pytest.approx(-20, abs=0.5) or peak_db(pcm.samples) == pytest.approx(
        -1, abs=0.1
    )


def test_amr_of_an_old_telephone_comes_in(tmp_path: Path) -> None:
    bits = np.random.default_rng(3).integers(0, 256, (150, 31), dtype=np.uint8)
    path = tmp_path / "máy cũ.amr"
    path.write_bytes(b"#!AMR\n" + b"".join(b"\x3c" + bytes(row) for row in bits))  # 3 s at 12.2 kbit/s
    assert brought_sound(path, max_minutes=1).duration_ms == pytest.approx(3_000, abs=200)


def test_a_whole_bulletin_is_trimmed_levelled_and_freed_of_its_offset(wav: Path, tmp_path: Path) -> None:
    sound, rate_hz = soundfile.read(wav)
    for name, changed in (("nhỏ.wav", sound * 0.02), ("lệch.wav", sound * 0.5 + 0.3)):
        soundfile.write(tmp_path / name, changed, rate_hz)
    blobs = Blobs(tmp_path / "kho")
    for name in ("giọng đọc.wav", "nhỏ.wav", "lệch.wav"):
        kept = keep_bulletin(tmp_path / name, blobs=blobs)
        pcm = from_file(blobs.path(kept.sha256, suffix="flac"))
        assert kept.duration_ms == pcm.duration_ms == pytest.approx(3_170, abs=60)
        assert abs(float(pcm.samples.mean())) < 0.002
        take = take_of_recording(kept.sha256, blobs=blobs, duration_ms=kept.duration_ms)
        assert take_level_db(take, blobs=blobs) == pytest.approx(-20, abs=1.5)
        assert peak_db(pcm.samples) <= -0.9
        assert kept.notes[0] == "Đã cắt 2,8 giây im lặng ở hai đầu."
    assert "rất nhỏ" in keep_bulletin(tmp_path / "nhỏ.wav", blobs=blobs).notes[-1]


def test_speech_in_the_middle_of_a_long_recording_keeps_every_sample(tmp_path: Path) -> None:
    sound = np.concatenate([np.zeros(44_100), speech_like(25), np.zeros(44_100)])
    path = tmp_path / "dài.wav"
    soundfile.write(path, sound, 44_100)
    blobs = Blobs(tmp_path / "kho")
    heard = from_file(blobs.path(keep_bulletin(path, blobs=blobs).sha256, suffix="flac")).samples
    start = 44_100 - 60 * 44_100 // 1000  # the breath that is left before it
    gain = float(np.dot(heard, sound[start : start + len(heard)])) / float(
        np.dot(sound[start : start + len(heard)], sound[start : start + len(heard)])
    )
    assert float(np.abs(heard - gain * sound[start : start + len(heard)]).max()) < 2e-3


def test_a_recorded_sentence_is_kept_with_its_length(wav: Path, tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "kho")
    kept = keep_sentence(wav, sentence="Kính thưa bà con, sáng mai cắt điện.", blobs=blobs)
    assert from_file(blobs.path(kept.sha256, suffix="flac")).duration_ms == kept.duration_ms


def test_a_dc_offset_is_taken_away(wav: Path, tmp_path: Path) -> None:
    sound, rate_hz = soundfile.read(wav)
    shifted = tmp_path / "lệch.wav"
    soundfile.write(shifted, sound * 0.5 + 0.3, rate_hz)
    pcm = recording(shifted)
    assert abs(float(pcm.samples.mean())) < 0.002
    assert pcm.duration_ms == pytest.approx(3_150, abs=200)


def test_a_part_may_be_cut_out(wav: Path) -> None:
    assert brought_sound(wav, max_minutes=1, trim=False, start_ms=1_500, end_ms=2_500).duration_ms == 1_000


def text(path: Path) -> None:
    path.write_text("đây không phải âm thanh " * 50, encoding="utf-8")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def quiet(path: Path) -> None:
    soundfile.write(path, np.zeros(44_100 * 2), 44_100)


def broken(path: Path) -> None:
    soundfile.write(path, np.clip(speech_like(3) * 40, -1, 1), 44_100)


def long(path: Path) -> None:
    soundfile.write(path, np.zeros(8_000 * 60 * 31) + 0.1, 8_000, subtype="PCM_U8")


def picture(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 500)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (text, "không phải âm thanh"),
        (picture, "không phải âm thanh"),
        (empty, "trống"),
        (quiet, "chỉ có im lặng"),
        (broken, "vỡ tiếng"),
        (long, "dài hơn 3 phút"),
    ],
)
def test_what_cannot_be_used_is_said_plainly(tmp_path: Path, spoil, message: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "bản thu.wav"
    spoil(path)
    with pytest.raises(InputError, match=message):
        recording(path)
    with pytest.raises(InputError, match=message.replace("hơn 3", "hơn 30")):
        keep_bulletin(path, blobs=Blobs(tmp_path / "kho"))
    assert not list((tmp_path / "kho").rglob("*.flac"))


def test_a_missing_file_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Không thấy tệp"):
        recording(tmp_path / "không có.mp3")


def test_a_recording_is_held_against_the_sentence_it_replaces(wav: Path) -> None:
    recording(wav, sentence="Kính thưa bà con, sáng mai cắt điện.")
    with pytest.raises(InputError, match="không hợp với câu này: quá ngắn"):
        recording(wav, sentence="một hai ba bốn năm sáu bảy tám chín mười " * 8)


# ---------------------------------------------------------------------------------------------- ffmpeg


def test_ffmpeg_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    pid_file = tmp_path / "pid"
    fake = tmp_path / "ffmpeg"
    child = f"import os,time; open({str(pid_file)!r},'w').write(str(os.getpid())); time.sleep(60)"
    fake.write_text(
        f"#!{sys.executable}\nimport subprocess,sys\nsubprocess.run([sys.executable, '-c', {child!r}])\n"
    )
    fake.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: str(fake))
    with pytest.raises(SoundError, match="đã bị dừng"):
        run_ffmpeg(["-i", "x"], timeout_s=2)
    assert gone(int(pid_file.read_text()))


def test_without_ffmpeg_on_the_path_the_packaged_one_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    find_ffmpeg.cache_clear()
    monkeypatch.setenv("PATH", "")
    try:
        found = find_ffmpeg()
        assert "imageio" in found
        monkeypatch.setattr(ffmpeg, "find_ffmpeg", lambda: found)
        assert b"ffmpeg" in run_ffmpeg(["-version"], timeout_s=20)
    finally:
        find_ffmpeg.cache_clear()


def test_without_any_ffmpeg_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    find_ffmpeg.cache_clear()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    try:
        with pytest.raises(SoundError, match="imageio-ffmpeg"):
            find_ffmpeg()
    finally:
        find_ffmpeg.cache_clear()
