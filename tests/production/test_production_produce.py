"""The whole line: takes and jingles in, published files out."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mutagen.id3 import ID3

from broadcaster.errors import InputError, SoundError, StoreError
from broadcaster.model import HOUSE_RATE_HZ, JingleKind, Profile, RenditionKind, Take
from broadcaster.production.encoding import decoded, write_wav
from broadcaster.production.produce import ProgrammeItem, produce, programme_key
from broadcaster.production.template import Template
from broadcaster.speech.sound import from_file
from broadcaster.speech.takes import take_blocks
from broadcaster.store.blobs import Blobs

Order = Callable[..., dict[str, Any]]
AIR = (RenditionKind.AIR,)


def air_sound(programme: Any, blobs: Blobs) -> np.ndarray:  # type: ignore[type-arg]
    path = blobs.path(programme.rendition(RenditionKind.AIR).sha256, suffix="mp3")
    return np.concatenate(list(decoded(path, rate_hz=HOUSE_RATE_HZ, timeout_s=60)))


def test_a_programme_is_published_measured_and_tagged(order: Order, blobs: Blobs) -> None:
    programme = produce(**order(topic="Y tế", key="k" * 8))
    assert [file.kind for file in programme.renditions] == [RenditionKind.AIR, RenditionKind.LIGHT]
    assert programme.loudness_lufs == pytest.approx(-16.0, abs=0.3)
    assert programme.true_peak_dbtp <= -1.0
    for file in programme.renditions:
        assert blobs.size(file.sha256, suffix="mp3") == file.size_bytes
    air, light = (blobs.path(file.sha256, suffix="mp3") for file in programme.renditions)
    assert light.stat().st_size < 0.6 * air.stat().st_size
    tags = ID3(air)
    assert tags.version == (2, 4, 0)
    assert tags["TIT2"].text == ["Đài truyền thanh xã Tân Bình, 05:30 ngày 24/11/2026"]
    assert tags["TCON"].text == ["Y tế"]
    assert str(tags["TDRC"].text[0]) == "2026-11-24"
    assert len(air_sound(programme, blobs)) == pytest.approx(programme.duration_ms * 44.1, abs=60)
    assert [item.title for item in programme.items if item.title.startswith("Tạm")] == [
        "Tạm ngừng cấp điện"
    ] * 2
    assert re.fullmatch(r"<svg .*</svg>", programme.waveform_svg)
    assert programme.waveform_svg.count("M") == 240


def test_items_sound_where_the_programme_says(order: Order, blobs: Blobs, take: Callable[..., Take]) -> None:
    """The decoded file is searched for each take; voicing off, so that the wave itself can be matched."""
    arguments = order(profile=Profile.ARCHIVE, kinds=AIR)
    programme = produce(**arguments)
    sound = air_sound(programme, blobs)
    items = [item for item in programme.items if item.title in ("Lịch tiêm chủng", "Tạm ngừng cấp điện")]
    assert len(items) == 3
    for placed, item in zip(items, [0, 1, 1], strict=True):
        wave = np.concatenate(list(take_blocks(arguments["items"][item].take, blobs=blobs)))[
            : 2 * HOUSE_RATE_HZ
        ]
        expected = placed.start_ms * HOUSE_RATE_HZ // 1000
        around = sound[expected - 2_000 : expected + len(wave) + 2_000]
        match = np.correlate(around[: len(wave) + 4_000], wave, mode="valid")
        assert abs(int(np.argmax(match)) - 2_000) <= HOUSE_RATE_HZ // 1000


def test_the_packaged_ffmpeg_makes_the_same_programme(
    order: Order, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a bare machine there is only the one that imageio-ffmpeg brings, many versions newer."""
    import imageio_ffmpeg

    packaged = imageio_ffmpeg.get_ffmpeg_exe()
    monkeypatch.setattr("broadcaster.speech.ffmpeg.find_ffmpeg", lambda: packaged)
    programme = produce(**order())
    assert programme.loudness_lufs == pytest.approx(-16.0, abs=0.3)
    assert programme.true_peak_dbtp <= -1.0
    assert len(air_sound(programme, blobs)) == pytest.approx(programme.duration_ms * 44.1, abs=60)


def test_a_wav_can_be_had_on_demand(order: Order, blobs: Blobs, tmp_path: Path) -> None:
    programme = produce(**order(kinds=AIR))
    target = tmp_path / "tập tin.wav"
    write_wav(blobs.path(programme.renditions[0].sha256, suffix="mp3"), target)
    pcm = from_file(target)
    assert pcm.sample_rate_hz == HOUSE_RATE_HZ
    assert np.allclose(pcm.samples, air_sound(programme, blobs), atol=2 / 32768)
    (tmp_path / "bad.mp3").write_bytes(b"no sound")
    with pytest.raises(SoundError):
        write_wav(tmp_path / "bad.mp3", tmp_path / "bad.wav")
    assert not (tmp_path / "bad.wav").exists()


def test_the_same_input_gives_the_same_files_and_the_same_key(order: Order) -> None:
    first, second = produce(**order(kinds=AIR)), produce(**order(kinds=AIR))
    assert first.renditions == second.renditions
    assert programme_key(**key_of(order())) == programme_key(**key_of(order()))


def key_of(arguments: dict[str, Any]) -> dict[str, Any]:
    left_out = ("speak_words", "blobs", "scratch")
    return {name: value for name, value in arguments.items() if name not in left_out} | {"words_voice": "v/1"}


@pytest.mark.parametrize(
    "change",
    [
        {"template": Template(bed=True)},
        {"call_sign": "Đây là đài khác"},
        {"profile": Profile.ARCHIVE},
        {"kinds": AIR},
        {"jingles": {}},
        {"words_voice": "v/2"},
    ],
)
def test_the_key_changes_with_whatever_changes_the_sound(order: Order, change: dict[str, Any]) -> None:
    base = key_of(order())
    assert programme_key(**(base | change)) != programme_key(**base)


def test_the_words_of_the_day_reach_the_voice(order: Order) -> None:
    said: list[str] = []
    arguments = order(kinds=AIR)
    speak = arguments["speak_words"]

    def listening(written: str) -> Any:
        said.append(written)
        return speak(written)

    produce(**(arguments | {"speak_words": listening}))
    assert said == [
        "Đây là đài xã.",
        "Kính chào.",
        "Có các tin.\nLịch tiêm chủng.\nTạm ngừng cấp điện.",
        "Xin nhắc lại.",
        "Xin hết.",
    ]


def test_progress_goes_through_every_stage_and_cancelling_publishes_nothing(
    order: Order, blobs: Blobs
) -> None:
    stages: list[str] = []

    def watch(stage: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        if not stages or stages[-1] != stage:
            stages.append(stage)

    produce(**order(progress=watch))
    assert stages == ["words", "mix", "encode:air", "check:air", "encode:light", "check:light", "publish"]
    for file in [name for name, suffix, _ in blobs.names() if suffix == "mp3"]:
        blobs.delete(file, suffix="mp3")

    class Cancelled(Exception):
        pass

    def cancel(stage: str, done: int, total: int) -> None:
        if stage == "encode:light":
            raise Cancelled

    arguments = order(progress=cancel)
    with pytest.raises(Cancelled):
        produce(**arguments)
    assert not [name for name, suffix, _ in blobs.names() if suffix == "mp3"]
    assert list(arguments["scratch"].iterdir()) == []


def test_quiet_and_loud_takes_sound_alike(order: Order, blobs: Blobs, take: Callable[..., Take]) -> None:
    items = [
        ProgrammeItem("Nhỏ", take(5, seed=3, level_db=-38)),
        ProgrammeItem("To", take(5, seed=3, level_db=-12)),
    ]
    programme = produce(**order(items=items, kinds=AIR))
    sound = air_sound(programme, blobs)
    levels = []
    for placed in [item for item in programme.items if item.title in ("Nhỏ", "To")]:
        start = placed.start_ms * HOUSE_RATE_HZ // 1000
        part = sound[start : start + placed.duration_ms * HOUSE_RATE_HZ // 1000]
        levels.append(10 * np.log10(np.mean(part**2)))
    assert levels[0] == pytest.approx(levels[1], abs=1.0)


def test_a_horn_gets_nothing_below_its_band(order: Order, blobs: Blobs) -> None:
    """Low notes break compression drivers: under 120 Hz there is next to nothing, whatever came in."""
    horn = air_sound(produce(**order(kinds=AIR)), blobs)
    full = air_sound(produce(**order(kinds=AIR, profile=Profile.ARCHIVE)), blobs)

    def low(sound: np.ndarray) -> float:  # type: ignore[type-arg]
        power = np.abs(np.fft.rfft(sound)) ** 2
        return float(power[np.fft.rfftfreq(len(sound), 1 / HOUSE_RATE_HZ) < 200].sum() / power.sum())

    assert low(full) > 0.05
    assert low(horn) < low(full) / 10


def test_silence_is_produced_as_silence(order: Order, blobs: Blobs, take: Callable[..., Take]) -> None:
    from broadcaster.speech.sound import silence
    from broadcaster.speech.takes import freeze

    quiet = freeze(
        [""], lambda _n: silence(3_000).samples, rests_ms=[0], voice="silent", speed=1.0, why="", blobs=blobs
    )
    programme = produce(
        **order(
            items=[ProgrammeItem("x", quiet)], jingles={}, speak_words=lambda _text: silence(500), kinds=AIR
        )
    )
    assert programme.loudness_lufs == -70.0


# -------------------------------------------------------------------------------------- what goes wrong


def test_no_items_is_said_plainly(order: Order) -> None:
    with pytest.raises(InputError, match="chưa có bản tin nào"):
        produce(**order(items=[]))


def test_a_jingle_that_is_not_sound_is_said_plainly(order: Order, tmp_path: Path) -> None:
    bad = tmp_path / "nhạc hiệu.mp3"
    bad.write_bytes(b"PK\x03\x04 not music" * 100)
    with pytest.raises(InputError, match=r"nhạc hiệu\.mp3 không phải âm thanh"):
        produce(**order(jingles={JingleKind.OPENING: bad}))
    with pytest.raises(InputError, match="Không thấy tệp nhạc hiệu"):
        produce(**order(jingles={JingleKind.OPENING: tmp_path / "absent.flac"}))


def test_a_lost_take_is_a_store_error(order: Order, blobs: Blobs) -> None:
    arguments = order()
    blobs.delete(arguments["items"][0].take.sha256, suffix="flac")
    with pytest.raises(StoreError, match="Không thấy tệp"):
        produce(**arguments)


@pytest.mark.parametrize("where", ["scratch", "publish"])
def test_a_full_disk_leaves_no_file(
    order: Order, blobs: Blobs, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    arguments = order(kinds=AIR)

    def full(*_args: Any, **_kwargs: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    if where == "scratch":
        monkeypatch.setattr("broadcaster.production.mastering.tempfile.TemporaryFile", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StoreError, match="xóa bớt tệp"):
        produce(**arguments)
    assert not [name for name, suffix, _ in blobs.names() if suffix == "mp3"]
    assert list(arguments["scratch"].iterdir()) == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import sys; print('boom: broken pipe', file=sys.stderr); sys.exit(3)", "boom"),
        ("import sys; print('No space left on device', file=sys.stderr); sys.exit(1)", "Đĩa đã đầy"),
        ("import time; time.sleep(60)", "đã bị dừng"),
    ],
)
def test_ffmpeg_failing_filling_the_disk_or_hanging_is_an_error_and_leaves_no_process(
    order: Order, blobs: Blobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, message: str
) -> None:
    import sys

    from broadcaster.production import encoding, mastering

    fake = tmp_path / "ffmpeg"
    fake.write_text(f"#!{sys.executable}\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setattr("broadcaster.speech.ffmpeg.find_ffmpeg", lambda: str(fake))
    started: list[Any] = []
    real = encoding.start_ffmpeg

    def watching(*args: Any, **kwargs: Any) -> Any:
        process = real(*args, **kwargs)
        started.append(process)
        return process

    monkeypatch.setattr(encoding, "start_ffmpeg", watching)
    monkeypatch.setattr(mastering, "BASE_TIMEOUT_S", 0.5)
    monkeypatch.setattr(mastering, "TIMEOUT_SHARE", 0.0)
    with pytest.raises((SoundError, StoreError), match=message):
        produce(**order())
    assert started
    assert all(process.poll() is not None for process in started)
    assert not [name for name, suffix, _ in blobs.names() if suffix == "mp3"]
