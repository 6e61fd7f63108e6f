"""The Edge voices against a local server that speaks their protocol: good, slow, refusing, silent, wrong."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadcaster.errors import InputError, VoiceError
from broadcaster.speech import edge
from broadcaster.speech.edge import EdgeVoice
from broadcaster.speech.engines import open_voice
from tests.support.online_voices import Service, edge_service

try:
    import edge_tts.communicate as communicate
except ImportError:  # the extra is optional on a laptop, and part of the suite in CI
    if os.environ.get("CI") == "true":
        raise
    pytest.skip("requirements-edge.txt is not installed", allow_module_level=True)

SENTENCE = "Mời bà con chú ý theo dõi chương trình."


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Service, str]]:
    monkeypatch.setattr(
        communicate, "WSS_URL", communicate.WSS_URL
    )  # whatever the voice puts there goes again
    with edge_service() as both:
        yield both


class Ticking:
    """A clock that only a sleeper moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def voice(url: str, name: str = "nu", **more: Any) -> tuple[EdgeVoice, Ticking]:
    clock = Ticking()
    return EdgeVoice(name, url=url, clock=clock, sleep=clock.sleep, **more), clock


def test_a_good_answer_is_sound_and_the_next_question_waits_its_turn(service: tuple[Service, str]) -> None:
    made, url = service
    woman, clock = voice(url)
    pcm = woman.speak(SENTENCE)
    assert pcm.duration_ms == pytest.approx(2_400, abs=120)
    woman.speak(SENTENCE, speed=1.2)
    assert clock.slept == [pytest.approx(0.6)]
    assert "HoaiMyNeural" in made.asked[0]
    assert "rate='+0%'" in made.asked[0]
    assert re.search(r"rate='\+20%'", made.asked[1])
    voice(url, "nam")[0].speak(SENTENCE)
    assert "NamMinhNeural" in made.asked[2]


@pytest.mark.parametrize(
    ("mode", "said"),
    [("empty", "không gửi âm thanh"), ("strange", "trả lời sai"), ("broken", "không giải mã được")],
)
def test_a_bad_answer_is_one_clear_sentence(service: tuple[Service, str], mode: str, said: str) -> None:
    made, url = service
    made.mode = mode
    woman, _ = voice(url)
    with pytest.raises(VoiceError, match=said):
        woman.speak(SENTENCE)
    assert woman.available() is None


def test_who_refuses_is_left_alone_and_asked_again_later(service: tuple[Service, str]) -> None:
    made, url = service
    made.mode = "refuse"
    woman, clock = voice(url)
    with pytest.raises(VoiceError, match="từ chối \\(mã 403\\)"):
        woman.speak(SENTENCE)
    assert "thử lại sau 15 phút" in str(woman.available())
    with pytest.raises(VoiceError, match="từ chối"):
        woman.speak(SENTENCE)
    clock.now += 901
    made.mode = "good"
    assert woman.speak(SENTENCE).duration_ms > 2_000


@pytest.mark.parametrize("mode", ["hang", "drip"])
def test_a_server_that_hangs_is_not_waited_for(service: tuple[Service, str], mode: str) -> None:
    made, url = service
    made.mode = mode
    woman, _ = voice(url, sentence_s=1.0)
    with pytest.raises(VoiceError, match="không trả lời kịp"):
        woman.speak(SENTENCE)
    assert "không trả lời kịp" in str(woman.available())


def test_no_network_is_said_at_once_and_remembered() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        woman, _ = voice(f"ws://127.0.0.1:{taken.getsockname()[1]}/edge?x=1")
        with pytest.raises(VoiceError, match="không nối được mạng"):
            woman.speak(SENTENCE)
    assert "không nối được mạng" in str(woman.available())


def test_nothing_to_say_is_not_sent(service: tuple[Service, str]) -> None:
    made, url = service
    with pytest.raises(VoiceError, match="không có chữ nào"):
        voice(url)[0].speak(" … ")
    assert made.asked == []


def test_it_is_in_the_table_of_engines_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_voice("edge:nam", home=tmp_path, voices_dir=tmp_path).name == "edge:nam"
    assert open_voice("edge", home=tmp_path, voices_dir=tmp_path).name == "edge:nu"
    with pytest.raises(InputError, match="edge:nu hoặc edge:nam"):
        open_voice("edge:xuan", home=tmp_path, voices_dir=tmp_path)
    monkeypatch.setattr(edge, "installed", lambda _name: False)
    assert "requirements-edge.txt" in str(EdgeVoice().available())
