"""The Edge voices against a local server that speaks their protocol: good, slow, refusing, silent, wrong."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadcaster.errors import InputError, VoiceError
from broadcaster.speech import edge
from broadcaster.speech.edge import EdgeVoice
from broadcaster.speech.engines import open_voice
from broadcaster.speech.ffmpeg import find_ffmpeg

try:
    import aiohttp.web as web
    import edge_tts.communicate as communicate
except ImportError:  # the extra is optional on a laptop, and part of the suite in CI
    if os.environ.get("CI") == "true":
        raise
    pytest.skip("requirements-edge.txt is not installed", allow_module_level=True)

SENTENCE = "Mời bà con chú ý theo dõi chương trình."


class Service:
    """What the endpoint does: `mode` says how; `asked` holds the SSML it was sent."""

    def __init__(self, mp3: bytes) -> None:
        self.mode = "good"
        self.asked: list[str] = []
        self._mp3 = mp3

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.mode == "refuse":
            return web.Response(status=403)
        if self.mode == "hang":
            await asyncio.sleep(30)
        line = web.WebSocketResponse()
        await line.prepare(request)
        await line.receive()
        self.asked.append((await line.receive()).data)
        await line.send_str("X-RequestId:1\r\nPath:turn.start\r\n\r\n{}")
        if self.mode == "strange":
            await line.send_str("X-RequestId:1\r\nPath:weather\r\n\r\n{}")
        if self.mode in ("good", "broken"):
            data = self._mp3 if self.mode == "good" else b"khong phai am thanh" * 50
            head = b"X-RequestId:1\r\nContent-Type:audio/mpeg\r\nPath:audio\r\n"
            for start in range(0, len(data), 4_000):
                await line.send_bytes(len(head).to_bytes(2, "big") + head + data[start : start + 4_000])
        if self.mode == "drip":
            await asyncio.sleep(30)
        await line.send_str("X-RequestId:1\r\nPath:turn.end\r\n\r\n{}")
        await line.close()
        return line


@pytest.fixture(scope="module")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path: Path = tmp_path_factory.mktemp("edge") / "a.mp3"
    tone = ["-f", "lavfi", "-i", "sine=frequency=300:duration=2.4:sample_rate=24000"]
    subprocess.run([find_ffmpeg(), "-v", "error", *tone, "-b:a", "48k", path], check=True, timeout=60)
    return path.read_bytes()


@pytest.fixture
def service(mp3: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Service, str]]:
    monkeypatch.setattr(
        communicate, "WSS_URL", communicate.WSS_URL
    )  # whatever the voice puts there goes again
    made, loop, ready = Service(mp3), asyncio.new_event_loop(), threading.Event()
    where: list[int] = []

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/edge", made.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        where.append(site._server.sockets[0].getsockname()[1])  # type: ignore[union-attr]
        return runner

    def run() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(20)
    yield made, f"ws://127.0.0.1:{where[0]}/edge?TrustedClientToken=x"
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)


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
