"""Captions at the time of the speech, texts within their limits, videos that every phone plays, USB sticks, notices."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.delivery.captions import cues, quiet, srt, vtt
from broadcaster.delivery.poster import poster
from broadcaster.delivery.share import FRAMES_A_SECOND, LIMITS, hashtag, kit, light_mp3, video
from broadcaster.delivery.usb import HASHES, LIST, packed, write_folder, write_zip
from broadcaster.errors import StoreError
from broadcaster.model import (
    HOUSE_RATE_HZ,
    AiringOrigin,
    AiringState,
    PlannedAiring,
    PlannedFile,
    PlannedItem,
    Priority,
    RenditionKind,
)
from broadcaster.reading import read
from broadcaster.speech.engines import Voices
from broadcaster.speech.ffmpeg import find_ffmpeg
from broadcaster.speech.takes import make_take
from broadcaster.store.blobs import Blobs

TIMING = re.compile(r"(\d\d):(\d\d):(\d\d)[.,](\d\d\d) --> (\d\d):(\d\d):(\d\d)[.,](\d\d\d)")


def starts(text: str) -> list[float]:
    """Starts of the cues in seconds."""
    return [int(h) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000 for h, m, s, ms, *_ in TIMING.findall(text)]


def test_captions_show_the_written_words_at_the_time_of_the_speech() -> None:
    spoken = [["ngày hai mươi chín", 0, HOUSE_RATE_HZ * 2], ["cảm ơn", HOUSE_RATE_HZ * 3, HOUSE_RATE_HZ]]
    found = cues(spoken, ["Ngày 29/01/2026.", "- Cảm ơn <bà con> & cán bộ."])
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in found] == [
        (0, 2000, "Ngày 29/01/2026."), (3000, 4000, "Cảm ơn <bà con> & cán bộ."),
    ]  # fmt: skip
    assert vtt(found).startswith("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nNgày 29/01/2026.\n\n")
    assert "&lt;bà con&gt; &amp;" in vtt(found)
    assert srt(found).startswith("1\r\n00:00:00,000 --> 00:00:02,000\r\nNgày 29/01/2026.\r\n")
    assert starts(srt(found)) == starts(vtt(found)) == [0.0, 3.0]


def test_without_a_sentence_for_each_the_spoken_words_are_shown() -> None:
    assert [cue.text for cue in cues([["cảm ơn bà con", 0, 44_100]], [])] == ["cảm ơn bà con"]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.text(min_size=0, max_size=400), st.integers(0, 900), st.integers(0, 60_000)), max_size=6
    ),
    st.lists(st.tuples(st.integers(0, 200_000), st.integers(90, 900)), max_size=20),
)
def test_cues_never_leave_their_sentence_and_lose_no_word(
    rows: list[tuple[str, int, int]], silences: list[tuple[int, int]]
) -> None:
    at, sentences = 0, []
    for text, gap_ms, length_ms in rows:
        sentences.append([text, (at + gap_ms) * HOUSE_RATE_HZ // 1000, length_ms * HOUSE_RATE_HZ // 1000])
        at += gap_ms + length_ms
    rests = sorted((start, start + length) for start, length in silences)
    found = cues(sentences, [text for text, _, _ in rows], rests=rests)
    spans = [
        (start * 1000 // HOUSE_RATE_HZ, (start + length) * 1000 // HOUSE_RATE_HZ)
        for _, start, length in sentences
    ]
    for cue in found:
        assert any(first <= cue.start_ms <= cue.end_ms <= last for first, last in spans)
    assert [cue.start_ms for cue in found] == sorted(cue.start_ms for cue in found)
    whole = " ".join(cue.text for cue in cues(sentences, [text for text, _, _ in rows]))
    assert " ".join(cue.text for cue in found) == whole


def test_the_captions_of_a_spoken_bulletin_begin_with_the_speech(tmp_path: Path) -> None:
    text = (
        "Kính thưa bà con. Theo kế hoạch số 39/KH-UBND ngày 29/01/2026 của Ủy ban nhân dân xã, sáng thứ Bảy tuần này các "
        "thôn tổ chức lớp học kỹ năng số, bà con nhớ mang theo điện thoại, giấy tờ và sổ tay. Xin cảm ơn bà con."
    )
    reading = read(text)
    voices = Voices(home=tmp_path, voices_dir=tmp_path)
    blobs = Blobs(tmp_path / "blobs")
    try:
        take = make_take(reading, chain=["espeak:vi+f5"], opener=voices, blobs=blobs)
    finally:
        voices.close()
    samples, rate_hz = soundfile.read(blobs.path(take.sha256, suffix="flac"), dtype="float32")
    found = cues(
        [[one.text, one.start_sample, one.length_samples] for one in take.sentences],
        [one.written for one in reading.sentences], rests=quiet(samples, rate_hz),
    )  # fmt: skip
    assert len(found) > len(reading.sentences)
    loud = np.abs(samples) > 0.05
    for cue in found:
        at = cue.start_ms * rate_hz // 1000
        onset = at + int(np.argmax(loud[at:]))
        assert (onset - at) / rate_hz <= 0.2, cue
        before = loud[max(0, at - rate_hz // 20) : at]
        assert not before.any(), cue
    assert 2 < found[-1].end_ms / 1000 <= len(samples) / rate_hz + 0.01


@settings(deadline=None)
@given(title=st.text(min_size=1, max_size=300), text=st.text(max_size=4000), topic=st.text(max_size=80))
def test_every_text_is_within_its_channels_limit_and_carries_the_address(
    title: str, text: str, topic: str
) -> None:
    url = "https://loa.example.vn/nghe/nhu-thanh/12"
    made = kit(title, text, url=url, station="Đài xã Như Thanh", topic=topic)
    for name, limit in LIMITS.items():
        assert len(made.texts[name]) <= limit
        assert url in made.texts[name]


def test_a_text_ends_with_a_whole_sentence() -> None:
    made = kit(
        "Phòng cháy",
        "Câu một ngắn. " + "Câu hai rất dài " * 20 + ".",
        url="https://loa.vn/1",
        station="Đài",
        topic="Rừng",
    )
    assert made.texts["ngan"] == "Phòng cháy\n\nCâu một ngắn.\n\nNghe bản tin: https://loa.vn/1\n#Dai #Rung"
    assert hashtag("Chuyển đổi số, Đảng") == "#ChuyenDoiSoDang"
    assert hashtag("…") == ""


def test_a_video_has_the_sound_and_its_captions_change_with_the_speech(tmp_path: Path) -> None:
    sound = tmp_path / "take.flac"
    tone = 0.2 * np.sin(np.arange(HOUSE_RATE_HZ * 4) * 0.05)
    soundfile.write(sound, tone.astype(np.float32), HOUSE_RATE_HZ)
    found = cues(
        [["a", 0, HOUSE_RATE_HZ], ["b", HOUSE_RATE_HZ * 2, HOUSE_RATE_HZ]],
        ["Câu thứ nhất.", "Câu thứ hai khác hẳn."],
    )
    video(sound, found, tmp_path / "v.mp4", duration_ms=4000, station="Đài xã", title="Phòng cháy")
    told = _probe(tmp_path / "v.mp4")
    assert "h264" in told
    assert "aac" in told
    assert "yuv420p" in told
    assert "1280x720" in told
    seconds = re.search(r"Duration: 00:00:(\d\d\.\d\d)", told)
    assert seconds is not None
    assert abs(float(seconds[1]) - 4.0) < 0.25
    changes = _changes(tmp_path / "v.mp4")
    assert len(changes) == 1
    assert abs(changes[0] - 2.0) <= 0.2
    assert (tmp_path / "v.mp4").read_bytes().index(b"moov") < (tmp_path / "v.mp4").read_bytes().index(b"mdat")


def test_the_last_words_stay_to_the_end_of_the_sound(tmp_path: Path) -> None:
    sound = tmp_path / "take.flac"
    soundfile.write(sound, np.zeros(HOUSE_RATE_HZ * 20, dtype=np.float32), HOUSE_RATE_HZ)
    found = cues([["a", 0, HOUSE_RATE_HZ], ["b", HOUSE_RATE_HZ * 2, HOUSE_RATE_HZ * 17]], ["Một.", "Hai."])
    video(sound, found, tmp_path / "v.mp4", duration_ms=20_000, station="Đài xã", title="Phòng cháy")
    told = subprocess.run(
        [find_ffmpeg(), "-hide_banner", "-i", str(tmp_path / "v.mp4"), "-map", "0:v", "-f", "null", "-"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    pictures = re.findall(r"frame= *(\d+)", told.stderr)
    assert int(pictures[-1]) == 20 * FRAMES_A_SECOND


def test_the_small_mp3_is_mono_and_as_long_as_the_take(tmp_path: Path) -> None:
    sound = tmp_path / "take.flac"
    soundfile.write(sound, np.zeros(HOUSE_RATE_HZ * 3, dtype=np.float32), HOUSE_RATE_HZ)
    light_mp3(sound, tmp_path / "s.mp3")
    info = soundfile.info(tmp_path / "s.mp3")
    assert info.channels == 1
    assert abs(info.duration - 3.0) < 0.1


# ------------------------------------------------------------------------------------ USB sticks


def line(number: int, hour: int, sha256: str | None, **more: object) -> PlannedAiring:
    fields: dict[str, object] = {
        "airing_id": f"a{number}", "origin": AiringOrigin.SLOT, "state": AiringState.PLANNED, "reason": "",
        "priority": Priority.ROUTINE, "local_date": date(2026, 11, 24), "start_local": time(hour, 30),
        "planned_at": datetime(2026, 11, 24, hour, 30, tzinfo=UTC), "slot_name": "Buổi sáng – Đồng Hơn", "variant": 1,
        "villages": (), "items": (PlannedItem("Tiêm <chủng>", 1, "Y tế", True),), "duration_ms": 65_000,
        "files": {RenditionKind.AIR: PlannedFile(sha256, 7)} if sha256 else {},
    }  # fmt: skip
    return PlannedAiring(**(fields | more))  # type: ignore[arg-type]


def test_a_stick_holds_numbered_files_a_list_and_hashes_that_match(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    late, early = blobs.put(b"mp3 two", suffix="mp3"), blobs.put(b"mp3 one", suffix="mp3")
    day = [line(2, 17, late), line(1, 5, early), line(3, 20, None, reason="Mất điện.")]
    files = write_folder(tmp_path / "usb", day, blobs=blobs, title="Xã Như Thanh: Đồng Hơn")
    assert [file.name for file in files] == [
        "01-20261124-0530-buoi-sang-dong-hon.mp3", "02-20261124-1730-buoi-sang-dong-hon.mp3",
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "usb").iterdir()) == sorted(
        [HASHES, LIST, *(file.name for file in files)]
    )
    for row in (tmp_path / "usb" / HASHES).read_text().splitlines():
        sha256, name = row.split("  ")
        assert hashlib.sha256((tmp_path / "usb" / name).read_bytes()).hexdigest() == sha256
    told = (tmp_path / "usb" / LIST).read_text(encoding="utf-8")
    assert "Tiêm &lt;chủng&gt;" in told
    assert "Mất điện." in told
    write_zip(tmp_path / "p.zip", day, blobs=blobs, title="x")
    with zipfile.ZipFile(tmp_path / "p.zip") as pack:
        assert pack.read(files[0].name) == b"mp3 one"
        assert pack.namelist()[-2:] == [LIST, HASHES]


def test_more_than_99_files_still_sort_by_their_numbers() -> None:
    names = [file.name for file in packed([line(n, n % 24, "a" * 64) for n in range(120)])]
    assert names == sorted(names)


def test_a_stick_that_gives_back_other_bytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = Blobs(tmp_path / "blobs")
    sha256 = blobs.put(b"mp3 one", suffix="mp3")
    other = hashlib.sha256(b"other bytes")
    monkeypatch.setattr(hashlib, "file_digest", lambda _file, _kind: other)
    with pytest.raises(StoreError, match="ghi sai tệp"):
        write_folder(tmp_path / "usb", [line(1, 5, sha256)], blobs=blobs, title="x")
    assert list((tmp_path / "usb").iterdir()) == []


# ------------------------------------------------------------------------------------ the notice


def test_a_notice_is_one_a4_page_with_its_words_in_it(tmp_path: Path) -> None:
    data = poster(
        station="Đài xã Như Thanh", title="Phòng cháy rừng mùa hanh khô", main_line="Bà con không đốt nương. " * 40,
        url="https://loa.example.vn/nghe/nhu-thanh/12", below="Gọi xã: 0237 000 001",
    )  # fmt: skip
    assert data.startswith(b"%PDF-")
    assert data.count(b"/Type /Page\n") == 1
    (tmp_path / "p.pdf").write_bytes(data)
    words = " ".join(_pdf_text(tmp_path / "p.pdf").split())
    for wanted in (
        "Phòng cháy rừng mùa hanh khô",
        "Bà con không đốt nương.",
        "Quét mã để nghe",
        "loa.example.vn",
    ):
        assert wanted in words


def _pdf_text(path: Path) -> str:
    program = shutil.which("pdftotext")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("poppler-utils is part of this suite")
        pytest.skip("no pdftotext")
    return subprocess.run(
        [program, str(path), "-"], capture_output=True, text=True, check=True, timeout=60
    ).stdout


def _probe(path: Path) -> str:
    told = subprocess.run(
        [find_ffmpeg(), "-hide_banner", "-i", str(path)], capture_output=True, text=True, timeout=60
    )
    return told.stderr


def _changes(path: Path) -> list[float]:
    """Seconds at which the picture becomes another one."""
    told = subprocess.run(
        [find_ffmpeg(), "-hide_banner", "-i", str(path), "-vf", "select='gt(scene,0.0005)',showinfo", "-f", "null", "-"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return [float(found) for found in re.findall(r"pts_time:([\d.]+)", told.stderr)]
