"""One bulletin, one voice; a bad sentence is spoken again; what is known is not spoken at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broadcaster.errors import StoreError, VoiceError
from broadcaster.model import HOUSE_RATE_HZ, Pause, Pcm
from broadcaster.speech.cache import SentenceCache, sentence_key
from broadcaster.speech.chain import SentenceToSpeak, speak_all
from broadcaster.speech.check import fault, syllables
from tests.support.voices import ScriptedVoice, tone

Opener = Callable[..., Any]
WORDS = ["Kính thưa bà con trong xã.", "Sáng mai cắt điện.", "Xin cảm ơn bà con đã nghe."]
SENTENCES = [SentenceToSpeak(words, Pause.SENTENCE) for words in WORDS]


def test_the_first_voice_that_can_speaks_everything(opener: Opener) -> None:
    one, two = ScriptedVoice("one"), ScriptedVoice("two")
    spoken = speak_all(SENTENCES, chain=["one", "two"], opener=opener(one, two))
    assert (spoken.voice, spoken.label, spoken.why) == ("one", "giọng one", "")
    assert one.calls == WORDS
    assert two.calls == []
    assert [segment.sample_rate_hz for segment in spoken.segments] == [HOUSE_RATE_HZ] * 3


def test_a_voice_that_is_not_there_is_passed_over_and_named(opener: Opener) -> None:
    one, two = ScriptedVoice("one", reason="chưa cài"), ScriptedVoice("two")
    spoken = speak_all(SENTENCES, chain=["one", "two"], opener=opener(one, two))
    assert spoken.voice == "two"
    assert spoken.why == "Đọc bằng giọng two vì không dùng được one (chưa cài)."
    assert one.calls == []


def test_failing_half_way_moves_the_whole_bulletin(opener: Opener, tmp_path: Path) -> None:
    one, two = ScriptedVoice("one", faults={1: VoiceError("Hết mạng.")}), ScriptedVoice("two")
    cache = SentenceCache(tmp_path)
    spoken = speak_all(SENTENCES, chain=["one", "two"], opener=opener(one, two), cache=cache)
    assert spoken.voice == "two"
    assert two.calls == WORDS
    assert "one (Hết mạng)" in spoken.why


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (tone(0.05), "quá ngắn"),
        (tone(60), "quá dài"),
        (tone(1.5, level=0.0), "im lặng"),
        (Pcm(np.clip(tone(1.5).samples * 50, -1, 1), 22_050), "méo"),
        (Pcm(np.full(30_000, np.nan, dtype=np.float32), 22_050), "âm thanh hỏng"),
        (Pcm(np.zeros(0, dtype=np.float32), 22_050), "không có âm thanh"),
    ],
)
def test_a_sentence_that_cannot_be_right_is_spoken_again_and_then_the_voice_is_left(
    opener: Opener, bad: Pcm, message: str
) -> None:
    once = ScriptedVoice("one", faults={1: bad})
    spoken = speak_all(SENTENCES, chain=["one"], opener=opener(once))
    assert once.calls == [WORDS[0], WORDS[1], WORDS[1], WORDS[2]]
    assert spoken.voice == "one"
    twice = ScriptedVoice("one", faults={1: bad, 2: bad})
    with pytest.raises(VoiceError, match=message):
        speak_all(SENTENCES, chain=["one"], opener=opener(twice))


def test_when_no_voice_is_left_every_reason_is_named(opener: Opener) -> None:
    one, two = ScriptedVoice("one", reason="chưa cài"), ScriptedVoice("two", faults={0: VoiceError("Hỏng.")})
    with pytest.raises(VoiceError, match=r"one \(chưa cài\); two \(Hỏng\)"):
        speak_all(SENTENCES, chain=["one", "two"], opener=opener(one, two))
    with pytest.raises(VoiceError, match=r"voice\.chain"):
        speak_all(SENTENCES, chain=[], opener=opener())


def test_mending_one_sentence_speaks_one_sentence(opener: Opener, tmp_path: Path) -> None:
    cache = SentenceCache(tmp_path)
    speak_all(SENTENCES, chain=["one"], opener=opener(ScriptedVoice("one")), cache=cache)
    again = ScriptedVoice("one")
    mended = [SENTENCES[0], SentenceToSpeak("Sáng kia cắt điện."), SENTENCES[2]]
    spoken = speak_all(mended, chain=["one"], opener=opener(again), cache=SentenceCache(tmp_path))
    assert again.calls == ["Sáng kia cắt điện."]
    assert len(list(spoken.segments)) == 3


def test_what_is_all_known_needs_no_engine(opener: Opener, tmp_path: Path) -> None:
    speak_all(SENTENCES, chain=["one"], opener=opener(ScriptedVoice("one")), cache=SentenceCache(tmp_path))
    gone = ScriptedVoice("one", reason="mất mạng")
    spoken = speak_all(SENTENCES, chain=["one"], opener=opener(gone), cache=SentenceCache(tmp_path))
    assert spoken.voice == "one"
    assert gone.calls == []


def test_progress_counts_sentences_and_may_cancel(opener: Opener) -> None:
    seen: list[tuple[int, int]] = []
    speak_all(
        SENTENCES,
        chain=["one"],
        opener=opener(ScriptedVoice("one")),
        progress=lambda n, m: seen.append((n, m)),
    )
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]

    def cancel(done: int, total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    voice = ScriptedVoice("one")
    with pytest.raises(KeyboardInterrupt):
        speak_all(SENTENCES, chain=["one"], opener=opener(voice), progress=cancel)
    assert len(voice.calls) == 1


def test_a_voice_with_several_workers_is_asked_for_all_that_is_missing_at_once(
    opener: Opener, tmp_path: Path
) -> None:
    class Choir(ScriptedVoice):
        asked: tuple[str, ...] = ()

        def speak_many(self, sentences: Sequence[str], *, speed: float = 1.0) -> Iterator[Pcm]:
            self.asked = tuple(sentences)
            for n, sentence in enumerate(sentences):
                yield tone(0.01) if n == 0 else self.speak(sentence, speed=speed)

    cache = SentenceCache(tmp_path)
    speak_all(SENTENCES[1:2], chain=["one"], opener=opener(ScriptedVoice("one")), cache=cache)
    choir = Choir("one")
    spoken = speak_all(SENTENCES, chain=["one"], opener=opener(choir), cache=cache)
    assert choir.asked == (WORDS[0], WORDS[2])
    assert choir.calls == [WORDS[0], WORDS[2]]  # the first came out too short and was spoken again
    assert [segment.duration_ms > 500 for segment in spoken.segments] == [True] * 3


# ------------------------------------------------------------------------------------------ the cache


def key(sentence: str = "a", *, voice: str = "v", version: str = "1", speed: float = 1.0) -> str:
    return sentence_key(voice=voice, version=version, speed=speed, sentence=sentence)


def test_the_key_follows_everything_the_sound_depends_on() -> None:
    keys = {key(), key("b"), key(voice="w"), key(version="2"), key(speed=1.1)}
    assert len(keys) == 5
    assert key(" a  ") == key("a")


def test_sound_comes_back_as_it_was_put(tmp_path: Path) -> None:
    cache = SentenceCache(tmp_path)
    kept = cache.put(key(), tone(1, rate_hz=HOUSE_RATE_HZ))
    got = cache.get(key())
    assert got is not None
    assert np.array_equal(got.samples, kept.samples)
    assert cache.get(key("other")) is None


def test_a_damaged_file_is_spoken_again(tmp_path: Path) -> None:
    cache = SentenceCache(tmp_path)
    cache.put(key(), tone(1))
    (path,) = tmp_path.rglob("*.flac")
    path.write_bytes(b"fLaC nonsense")
    assert cache.get(key()) is None
    assert not path.exists()


def test_the_longest_unused_goes_first_and_what_is_in_use_stays(tmp_path: Path) -> None:
    cache = SentenceCache(tmp_path, limit_mb=0.1)
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, HOUSE_RATE_HZ // 4).astype(np.float32)
    for n in range(4):  # 4 x 21 kB
        cache.put(key(str(n)), Pcm(noise, HOUSE_RATE_HZ))
        (path,) = tmp_path.rglob(f"{key(str(n))}.flac")
        os.utime(path, (1_000 + n, 1_000 + n))
    assert cache.size_bytes() < 100_000
    cache.release()
    assert cache.get(key("0")) is not None  # used again: now the youngest, and in use
    cache.put(key("4"), Pcm(noise, HOUSE_RATE_HZ))
    assert [cache.has(key(str(n))) for n in range(5)] == [True, False, True, True, True]


def test_a_cache_smaller_than_one_bulletin_still_serves_it(opener: Opener, tmp_path: Path) -> None:
    cache = SentenceCache(tmp_path, limit_mb=0.001)
    spoken = speak_all(SENTENCES, chain=["one"], opener=opener(ScriptedVoice("one")), cache=cache)
    assert [segment.duration_ms > 500 for segment in spoken.segments] == [True] * 3


def test_a_file_that_another_process_took_away_is_spoken_again(opener: Opener, tmp_path: Path) -> None:
    voice = ScriptedVoice("one")
    spoken = speak_all(SENTENCES, chain=["one"], opener=opener(voice), cache=SentenceCache(tmp_path))
    for path in tmp_path.rglob("*.flac"):
        path.unlink()
    assert spoken.segments[1].duration_ms > 500
    assert voice.calls == [*WORDS, WORDS[1]]


def test_a_full_disk_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: Any, **_kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StoreError, match="xóa bớt tệp"):
        SentenceCache(tmp_path).put(key(), tone(1))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# -------------------------------------------------------------------------------------------- checks


def test_syllables_are_words_with_letters() -> None:
    assert syllables("Xin chào, bà con – số 5.") == 6
    assert syllables("… – !") == 0


def test_a_right_sentence_has_no_fault() -> None:
    assert fault(tone(1.5), "Kính thưa bà con trong xã.") is None
