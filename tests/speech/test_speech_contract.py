"""One suite over every engine: what the chain may count on, whoever speaks.

A person's recording is no engine: it has no words of ours to speak, and stands in `test_speech_recorded.py`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from broadcaster.config import CHECKOUT
from broadcaster.errors import InputError, VoiceError
from broadcaster.model import Pcm
from broadcaster.speech.cache import sentence_key
from broadcaster.speech.check import fault
from broadcaster.speech.edge import EdgeVoice
from broadcaster.speech.engines import Voice, open_voice
from broadcaster.speech.gtts import GttsVoice
from broadcaster.speech.piper import add
from scripts.bench_tools import tree
from tests.speech.test_speech_kokoro import installed as kokoro_installed
from tests.speech.test_speech_piper import joe
from tests.support.online_voices import Endpoint, edge_service

VOICES = CHECKOUT / "audio" / "voices"
SHORT = "Mời bà con chú ý."
LONG = "Sáng mai, từ sáu giờ, thôn Xuân Phúc tạm ngừng cấp điện."
WORKERS = ("espeak", "piper", "kokoro")  # a process of their own speaks
# engine -> the name of a voice that is not there; gtts and silent have one voice each
NOBODY = {
    "espeak": "espeak:klingon", "kokoro": "kokoro:khong-co", "gtts": "gtts:xuan", "edge": "edge:xuan",
    "silent": "silent:to", "piper": "piper:../../x",
}  # fmt: skip


@dataclass(frozen=True)
class Engine:
    """An engine, the two sentences as it spoke them first, another opening, and how it fails once."""

    kind: str
    voice: Voice
    short: Pcm
    long: Pcm
    again: Callable[[], Voice]
    fail_once: Callable[[], None]


@pytest.fixture(scope="module", params=["espeak", "silent", "gtts", "edge", "piper", "kokoro"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    kind, home = str(request.param), tmp_path_factory.mktemp("engine")
    with ExitStack() as stack:

        def opened() -> Voice:
            return open_voice(kind, home=home, voices_dir=VOICES)

        again, fail_once = opened, kill_workers
        if kind == "gtts":
            endpoint = Endpoint()
            stack.callback(endpoint.close)

            def again() -> Voice:
                return GttsVoice(endpoint=endpoint.url, pause_s=0)

            def fail_once() -> None:
                endpoint.manners = ["good"] * len(endpoint.asked) + ["drop", "good"]
        elif kind == "edge":
            communicate = pytest.importorskip("edge_tts.communicate") if not os.environ.get("CI") else None
            if communicate is None:
                from edge_tts import communicate
            before = communicate.WSS_URL
            stack.callback(setattr, communicate, "WSS_URL", before)
            service, url = stack.enter_context(edge_service())

            def again() -> Voice:
                return EdgeVoice(url=url, pause_s=0)

            def fail_once() -> None:
                service.mode = "good"  # every sentence has a connection of its own: nothing is left to break
        elif kind == "piper":
            add(joe(), home=home)
        elif kind == "kokoro":
            if not kokoro_installed and not os.environ.get("CI"):
                pytest.skip("the packages of the embedded voice are not installed")
            made: Path = request.getfixturevalue("home")
            (home / "var").mkdir()
            (home / "var" / "voices").symlink_to(made, target_is_directory=True)
        voice = again()
        stack.callback(voice.close)
        yield Engine(kind, voice, voice.speak(SHORT), voice.speak(LONG), again, fail_once)


def kill_workers() -> None:
    """End, at once, the processes that speak for this one."""
    for pid in list(tree(os.getpid()))[1:]:
        if b"broadcaster.speech" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)


def test_an_engine_says_what_it_is_and_opening_it_again_is_the_same_voice(engine: Engine) -> None:
    voice, other = engine.voice, engine.again()
    assert voice.available() is None
    assert voice.name.split(":")[0] == engine.kind
    assert voice.label
    assert voice.version
    assert (voice.name, voice.version, voice.label) == (other.name, other.version, other.label)
    other.close()


def test_a_sentence_is_mono_float32_sound_that_can_be_that_sentence(engine: Engine) -> None:
    for pcm, words in ((engine.short, SHORT), (engine.long, LONG)):
        assert pcm.samples.ndim == 1
        assert pcm.samples.dtype == np.float32
        assert pcm.samples.flags.c_contiguous
        assert 8_000 <= pcm.sample_rate_hz <= 48_000
        assert float(np.abs(pcm.samples).max()) <= 1.0
        assert fault(pcm, words, may_be_silent=engine.kind == "silent") is None
    assert engine.long.duration_ms > 1.5 * engine.short.duration_ms


def test_faster_is_shorter_and_kept_apart_from_the_usual_pace(engine: Engine) -> None:
    voice = engine.voice
    assert voice.speak(LONG, speed=1.3).duration_ms < 0.9 * engine.long.duration_ms
    keys = {
        sentence_key(voice=voice.name, version=voice.version, speed=speed, sentence=LONG)
        for speed in (1.0, 1.3)
    }
    assert len(keys) == 2


@pytest.mark.parametrize("words", ["", "…", " – "])
def test_nothing_to_say_is_said_so_or_hardly_sounds(engine: Engine, words: str) -> None:
    got = spoken(engine.voice, words)
    if isinstance(got, VoiceError):
        assert got.message.endswith(".")
    else:
        assert got.duration_ms < 1_500


def spoken(voice: Voice, words: str) -> Pcm | VoiceError:
    try:
        return voice.speak(words)
    except VoiceError as error:
        return error


def test_two_threads_get_their_own_sentences(engine: Engine) -> None:
    with ThreadPoolExecutor(2) as threads:
        long, short = threads.map(engine.voice.speak, [LONG, SHORT])
    assert abs(long.duration_ms - engine.long.duration_ms) < 100
    assert abs(short.duration_ms - engine.short.duration_ms) < 100


def test_after_a_crash_the_next_sentence_is_spoken(engine: Engine) -> None:
    engine.fail_once()
    assert abs(engine.voice.speak(SHORT).duration_ms - engine.short.duration_ms) < 100


def test_closing_twice_ends_its_processes_and_it_may_be_used_again(engine: Engine) -> None:
    engine.voice.close()
    engine.voice.close()
    left = [pid for pid in list(tree(os.getpid()))[1:] if engine.kind in WORKERS and speaks(pid)]
    assert left == []
    assert engine.voice.speak(SHORT).duration_ms > 500


def speaks(pid: int) -> bool:
    return b"broadcaster.speech" in Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.parametrize("spec", NOBODY.values(), ids=list(NOBODY))
def test_a_voice_that_does_not_exist_is_refused_in_words(spec: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="[Hh]ãy chọn|không hợp lệ|chọn một trong"):
        open_voice(spec, home=tmp_path, voices_dir=VOICES)


@pytest.mark.parametrize("spec", ["espek:vi", "", "hát"])
def test_an_engine_that_does_not_exist_lists_the_choices(spec: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hãy chọn một trong"):
        open_voice(spec, home=tmp_path, voices_dir=VOICES)
