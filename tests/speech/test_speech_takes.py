"""A take is exact: what was spoken, where, with the rests between, in one file by hash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from broadcaster.errors import InputError, StoreError
from broadcaster.model import HOUSE_RATE_HZ, Pause, Pcm, Reading, Sentence, Take
from broadcaster.speech.cache import SentenceCache
from broadcaster.speech.engines import Voices
from broadcaster.speech.recorded import keep_bulletin
from broadcaster.speech.sound import from_file, rms_db
from broadcaster.speech.takes import (
    Pauses,
    make_take,
    take_blocks,
    take_level_db,
    take_of_recording,
    words_speaker,
)
from broadcaster.store.blobs import Blobs

READING = Reading(
    text="",
    sentences=(
        Sentence(0, 0, "", "Kính thưa bà con.", pause=Pause.PARAGRAPH),
        Sentence(0, 0, "", "Sáng mai cắt điện.", pause=Pause.SENTENCE),
        Sentence(0, 0, "", "Xin cảm ơn.", pause=Pause.PARAGRAPH),
    ),
)


@pytest.fixture
def make(tmp_path: Path) -> Any:
    voices = Voices(home=tmp_path, voices_dir=tmp_path)
    blobs = Blobs(tmp_path / "blobs")

    def made(
        reading: Reading = READING, *, voice: str = "espeak:vi+f5", **options: Any
    ) -> tuple[Take, Blobs]:
        cache = SentenceCache(tmp_path / "cache")
        take = make_take(reading, chain=[voice], opener=voices, blobs=blobs, cache=cache, **options)
        return take, blobs

    yield made
    voices.close()


def samples(take: Take, blobs: Blobs) -> Any:
    return np.concatenate(list(take_blocks(take, blobs=blobs)))


def test_a_take_is_a_mono_flac_at_the_house_rate(make: Any) -> None:
    take, blobs = make()
    pcm = from_file(blobs.path(take.sha256, suffix="flac"))
    assert pcm.sample_rate_hz == HOUSE_RATE_HZ
    assert take.duration_ms == pcm.duration_ms
    assert take.voice == "espeak:vi+f5"
    assert [sentence.text for sentence in take.sentences] == [s.spoken for s in READING.sentences]


def test_rests_are_exact_and_none_follows_the_last(make: Any) -> None:
    pauses = Pauses(sentence_ms=300, paragraph_ms=2_000)
    take, blobs = make(pauses=pauses)
    one, two, three = take.sentences
    assert two.start_sample - (one.start_sample + one.length_samples) == 2 * HOUSE_RATE_HZ
    assert three.start_sample - (two.start_sample + two.length_samples) == HOUSE_RATE_HZ * 3 // 10
    whole = samples(take, blobs)
    assert len(whole) == three.start_sample + three.length_samples
    rest = whole[one.start_sample + one.length_samples : two.start_sample]
    assert not rest.any()
    for sentence in take.sentences:
        part = whole[sentence.start_sample : sentence.start_sample + sentence.length_samples]
        assert rms_db(part) > -40


def test_cached_sentences_give_the_same_file_again(make: Any) -> None:
    first, _ = make()
    second, _ = make()
    assert first == second


def test_slower_reading_is_another_take(make: Any) -> None:
    normal, _ = make()
    slow, _ = make(speed=0.8)
    assert slow.duration_ms > normal.duration_ms * 1.08
    assert slow.speed == 0.8


def test_a_person_replaces_one_sentence_at_the_level_of_the_others(make: Any) -> None:
    t = np.arange(HOUSE_RATE_HZ) / HOUSE_RATE_HZ
    human = Pcm((0.004 * np.sin(2 * np.pi * 300 * t)).astype(np.float32), HOUSE_RATE_HZ)
    take, blobs = make(recorded={1: human})
    assert take.voice == "espeak:vi+f5+recorded"
    placed = take.sentences[1]
    assert placed.length_samples == HOUSE_RATE_HZ
    whole = samples(take, blobs)
    part = whole[placed.start_sample : placed.start_sample + placed.length_samples]
    machine = whole[: take.sentences[0].length_samples]
    assert rms_db(part) == pytest.approx(rms_db(machine), abs=0.5)


def test_a_whole_recording_is_a_take_too(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    t = np.arange(24_000 * 3) / 24_000
    soundfile.write(tmp_path / "đọc.wav", np.sin(2 * np.pi * 200 * t) * 0.1, 24_000)
    kept = keep_bulletin(tmp_path / "đọc.wav", blobs=blobs)
    take = take_of_recording(kept.sha256, blobs=blobs, duration_ms=kept.duration_ms, text="Cả bài.")
    assert take.voice == "recorded"
    assert take.duration_ms == 3_000
    assert take.sentences[0].length_samples == 3 * HOUSE_RATE_HZ
    assert take_level_db(take, blobs=blobs) == pytest.approx(-20.0, abs=0.1)


def test_nothing_to_read_is_said_plainly(make: Any) -> None:
    with pytest.raises(InputError, match="không có câu nào"):
        make(Reading("", ()))


def test_a_damaged_take_is_noticed(make: Any) -> None:
    take, blobs = make(voice="silent")
    blobs.path(take.sha256, suffix="flac").write_bytes(b"not a flac")
    with pytest.raises(StoreError, match="đã bị hỏng"):
        samples(take, blobs)


def test_one_word_and_very_many_words_are_both_takes(make: Any) -> None:
    one, _ = make(Reading("", (Sentence(0, 0, "", "Chào."),)), voice="silent")
    assert one.duration_ms == 330
    words = "một hai ba bốn năm sáu bảy tám chín mười"
    many = tuple(Sentence(0, 0, "", words) for _ in range(200))
    take, _ = make(Reading("", many), voice="silent")
    assert take.duration_ms == 200 * 2_400 + 199 * 650


def test_the_words_of_a_template_are_spoken_with_their_rests(
    tmp_path: Path, opener: Callable[..., Any]
) -> None:
    voices = Voices(home=tmp_path, voices_dir=tmp_path)
    speak_words = words_speaker(lambda _text: READING, chain=["silent"], opener=voices)
    spoken = speak_words("…")
    each = [230 * len(s.spoken.split()) + 100 for s in READING.sentences]
    assert spoken.duration_ms == sum(each) + 1_100 + 650
    silent = words_speaker(lambda _text: Reading("", ()), chain=["silent"], opener=voices)
    with pytest.raises(InputError, match="không có gì để đọc"):
        silent("???")
