"""Listening back to a whole take: what was not recovered, and where it is in the sound."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from broadcaster.errors import StoreError, VoiceError
from broadcaster.model import HOUSE_RATE_HZ, SpokenSentence
from broadcaster.speech.hearing import (
    LONGEST_S,
    Place,
    Recogniser,
    hearing_from_json,
    hearing_to_json,
    listen_back,
)
from broadcaster.speech.kokoro import open_kokoro
from broadcaster.speech.sound import resampled

SECOND = HOUSE_RATE_HZ
VOICES = Path(__file__).resolve().parents[2] / "audio" / "voices"


class Told:
    """Ears that hear what they are told, by (first sample, padding)."""

    def __init__(self, answer: Callable[[int, float], str]) -> None:
        self.answer = answer
        self.asked: list[tuple[int, int, float]] = []

    def hear(self, file: Path, start: int, length: int, padding_s: float) -> str:
        self.asked.append((start, length, padding_s))
        return self.answer(start, padding_s)


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """Forty seconds of noise with a silence at 10 s and at 25 s."""
    noise = np.random.default_rng(1).standard_normal(40 * SECOND) * 0.1
    for at in (10, 25):
        noise[at * SECOND : at * SECOND + SECOND // 2] = 0
    file = tmp_path / "take.flac"
    soundfile.write(file, noise.astype(np.float32), SECOND)
    return file


TWO = (
    SpokenSentence("Kính thưa bà con.", 0, 2 * SECOND),
    SpokenSentence("Sáng mai tiêm phòng cho trẻ em.", 3 * SECOND, 7 * SECOND),
)


def test_a_place_says_what_was_lost_what_was_heard_and_where_to_listen(take: Path) -> None:
    ears = Told(lambda start, _: "kính thưa bà con" if start == 0 else "sáng mai tìm phong cho trẻ em")
    found = listen_back(take, TWO, ears=ears)
    assert (found.syllables, found.missed) == (11, 2)
    assert found.places == (Place(1, "tiêm phòng", "tìm phong", 4_500, 7_500),)
    assert hearing_from_json(hearing_to_json(found)) == found


def test_what_one_padding_recovers_is_not_a_place(take: Path) -> None:
    heard = {0.4: "kính thưa bà cân", 0.2: "kính thừa bà con"}
    found = listen_back(take, TWO[:1], ears=Told(lambda _, padding_s: heard[padding_s]))
    assert (found.missed, found.places) == (0, ())


def test_a_sentence_that_is_heard_at_once_is_not_heard_twice(take: Path) -> None:
    ears = Told(lambda *_: "kính thưa bà con")
    listen_back(take, TWO[:1], ears=ears)
    assert ears.asked == [(0, 2 * SECOND, 0.4)]


def test_nothing_heard_is_every_word_lost(take: Path) -> None:
    found = listen_back(take, TWO, ears=Told(lambda *_: ""))
    assert found.missed == found.syllables == 11
    assert [place.said for place in found.places] == ["Kính thưa bà con", "Sáng mai tiêm phòng cho trẻ em"]
    assert [place.heard for place in found.places] == ["", ""]


def test_a_recording_in_one_piece_is_parted_where_it_is_silent_and_told_by_sentence(take: Path) -> None:
    spoken = ("Kính thưa bà con.", "Sáng mai tiêm phòng.", "Xin cảm ơn.")
    parts = iter(["kính thưa bà con", "sáng mai tiêm phòng", "xin cảm hơn"] * 2)
    ears = Told(lambda *_: next(parts))
    found = listen_back(take, [SpokenSentence("", 0, 40 * SECOND)], ears=ears, spoken=spoken)
    starts = [start / SECOND for start, _, _ in ears.asked[:3]]
    assert starts[0] == 0
    assert 10 <= starts[1] <= 10.5
    assert 25 <= starts[2] <= 25.5
    assert all(length <= LONGEST_S * SECOND for _, length, _ in ears.asked[:2])
    assert [(place.sentence, place.said, place.heard) for place in found.places] == [(2, "ơn", "hơn")]


def test_a_take_that_says_nothing_of_its_sentences_is_heard_whole(take: Path) -> None:
    ears = Told(lambda *_: "xin chào")
    found = listen_back(take, (), ears=ears, spoken=("Xin chào.",))
    assert found.places == ()
    assert sum(length for _, length, _ in ears.asked) == 40 * SECOND


def test_a_damaged_take_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.flac").write_bytes(b"no sound")
    with pytest.raises(StoreError, match="thu lại"):
        listen_back(tmp_path / "x.flac", (), ears=Told(lambda *_: ""), spoken=("Xin chào.",))


@pytest.fixture
def recogniser() -> Recogniser:
    if (reason := Recogniser.available()) is not None:
        packaged = (sys.version_info[:2], sys.platform, platform.machine()) == ((3, 11), "linux", "x86_64")
        if os.environ.get("CI") == "true" and packaged:
            pytest.fail(reason)
        pytest.skip(reason)
    return Recogniser()


@pytest.mark.timeout(240)
def test_the_real_recogniser_finds_the_words_that_were_not_said(
    recogniser: Recogniser, home: Path, tmp_path: Path
) -> None:
    voice = open_kokoro("nu-1", home=home, voices_dir=VOICES)
    try:
        said = resampled(voice.speak("Kính thưa toàn thể nhân dân trong xã."))
    finally:
        voice.close()
    file = tmp_path / "take.flac"
    soundfile.write(file, said.samples, SECOND)
    wrong = "Kính thưa toàn thể nhân dân trong xã, ngày mai cả tỉnh mất điện."
    try:
        found = listen_back(file, [SpokenSentence(wrong, 0, len(said.samples))], ears=recogniser)
        assert "mất điện" in found.places[-1].said
        assert found.missed < found.syllables
        with pytest.raises(VoiceError, match="Máy nghe lại"):
            recogniser.hear(tmp_path / "nothing.flac", 0, 10, 0.4)
    finally:
        recogniser.close()
