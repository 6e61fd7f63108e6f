"""The online voice against a local server that behaves like the endpoint, well and badly."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from broadcaster.errors import VoiceError
from broadcaster.speech.gtts import GttsVoice
from broadcaster.speech.sound import rms_db
from tests.support.online_voices import Endpoint

WORDS = "Kính thưa bà con, sáng mai cắt điện."


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.close()


@pytest.fixture
def voice(endpoint: Endpoint) -> Iterator[GttsVoice]:
    opened = GttsVoice(
        endpoint=endpoint.url, connect_s=20, read_s=20, sentence_s=40, pause_s=0.01, rest_s=600
    )
    yield opened
    opened.close()


def test_a_good_answer_is_sound(voice: GttsVoice, endpoint: Endpoint) -> None:
    pcm = voice.speak(WORDS)
    assert pcm.sample_rate_hz == 24_000
    assert pcm.duration_ms == pytest.approx(2_000, abs=150)
    assert rms_db(pcm.samples) > -30
    assert endpoint.asked == [WORDS]


def test_a_long_sentence_is_asked_for_in_pieces_one_after_another(endpoint: Endpoint) -> None:
    voice = GttsVoice(endpoint=endpoint.url, pause_s=0.15)
    words = ", ".join(["Ủy ban nhân dân xã đề nghị bà con chủ động sắp xếp công việc"] * 4)
    pcm = voice.speak(words)
    voice.close()
    assert len(endpoint.asked) >= 3
    assert " ".join(endpoint.asked).replace(",", "").split() == words.replace(",", "").split()
    assert all(len(piece) <= 100 for piece in endpoint.asked)
    assert min(after - before for before, after in zip(endpoint.at, endpoint.at[1:], strict=False)) >= 0.14
    assert pcm.duration_ms == pytest.approx(250 * len(words.split()), rel=0.1)


def test_speed_is_made_here(voice: GttsVoice) -> None:
    assert voice.speak(WORDS, speed=1.25).duration_ms == pytest.approx(1_600, abs=150)


def test_too_many_requests_opens_the_breaker_and_time_closes_it(endpoint: Endpoint) -> None:
    endpoint.manners = ["429", "good"]
    now = [1_000.0]
    voice = GttsVoice(
        endpoint=endpoint.url, pause_s=0, rest_s=600, clock=lambda: now[0], sleep=lambda _s: None
    )
    assert voice.available() is None
    with pytest.raises(VoiceError, match="429"):
        voice.speak(WORDS)
    assert "thử lại sau 10 phút" in (voice.available() or "")
    with pytest.raises(VoiceError, match="429"):
        voice.speak(WORDS)
    assert len(endpoint.asked) == 1  # it was not even asked
    now[0] += 601
    assert voice.available() is None
    assert voice.speak(WORDS).duration_ms > 1_000
    voice.close()


@pytest.mark.parametrize(
    ("manner", "message", "requests"),
    [
        ("drop", "không nối được mạng", 2),
        ("503", "503", 2),
        ("403", "mã 403", 1),
        ("html", "không gửi âm thanh", 1),
        ("no sound", "không gửi âm thanh", 1),
        ("silent answer", "trống", 1),
        ("broken sound", "không giải mã được|trống", 1),
        ("endless", "quá nhiều dữ liệu", 1),
    ],
)
def test_a_bad_answer_is_one_clear_sentence(
    voice: GttsVoice, endpoint: Endpoint, manner: str, message: str, requests: int
) -> None:
    endpoint.manners = [manner]
    with pytest.raises(VoiceError, match=message):
        voice.speak(WORDS)
    assert len(endpoint.asked) == requests


@pytest.mark.parametrize("manner", ["hang", "drip"])
def test_a_server_that_hangs_or_drips_is_not_waited_for(endpoint: Endpoint, manner: str) -> None:
    endpoint.manners = [manner]
    hasty = GttsVoice(endpoint=endpoint.url, connect_s=5, read_s=0.6, sentence_s=1.5, pause_s=0)
    start = time.monotonic()
    with pytest.raises(VoiceError, match="không trả lời kịp|trả lời quá chậm"):
        hasty.speak(WORDS)
    assert time.monotonic() - start < 15  # the server would have taken 20 s, or for ever
    assert hasty.available() is not None
    hasty.close()


def test_one_server_error_is_tried_again(voice: GttsVoice, endpoint: Endpoint) -> None:
    endpoint.manners = ["500", "good"]
    assert voice.speak(WORDS).duration_ms > 1_000


def test_no_network_is_said_at_once_and_remembered() -> None:
    voice = GttsVoice(endpoint="http://127.0.0.1:9/x", connect_s=1, pause_s=0)
    with pytest.raises(VoiceError, match="không nối được mạng"):
        voice.speak(WORDS)
    assert "không nối được mạng" in (voice.available() or "")
    voice.close()


def test_nothing_to_say_is_not_sent(voice: GttsVoice, endpoint: Endpoint) -> None:
    for words in ("", "…", " – ! "):
        with pytest.raises(VoiceError, match="không có chữ"):
            voice.speak(words)
    assert endpoint.asked == []
