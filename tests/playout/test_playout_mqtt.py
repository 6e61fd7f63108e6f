"""The second doorbell, with a real broker: it wakes who holds an old plan, and nothing depends on it."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from broadcaster.config import load
from broadcaster.delivery.bell import run_bell
from broadcaster.errors import ConfigError
from broadcaster.model import Priority
from broadcaster.mqtt import Broker, Line, broker_of, installed, message_of, read_message, topic_of
from broadcaster.playout.bell import Bell
from broadcaster.playout.clock import SystemClock
from broadcaster.playout.player import player_folder, run_player
from broadcaster.schedule.airings import bump_plan
from tests.support.receivers import Studio, studio


class Mosquitto:
    """A broker of this machine that can be stopped and started again at the same port."""

    def __init__(self, port: int) -> None:
        self.url, self._port = f"mqtt://127.0.0.1:{port}", port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self._process = subprocess.Popen(
            [program, "-p", str(self._port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    there = (shutil.which("mosquitto") or Path("/usr/sbin/mosquitto").exists()) and installed()
    if not there:
        if os.environ.get("CI") == "true":
            pytest.fail("mosquitto and requirements-mqtt.txt are part of this suite: see .ci/run")
        pytest.skip("no mosquitto, or no paho-mqtt here")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    found = Mosquitto(port)
    found.start()
    yield found
    found.stop()


def wait_for(true: Any, *, limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


class Ringing:
    """The station's bell in a thread, as the clock process runs it."""

    def __init__(self, station: Studio, url: str) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=run_bell, args=(station.db, url), kwargs={"stop": self._stop, "every_s": 0.02}
        )
        self._thread.start()

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join(timeout=20)
        assert not self._thread.is_alive()


def test_a_player_that_asks_once_in_five_minutes_hears_of_an_emergency_at_once(
    broker: Mosquitto, tmp_path: Path
) -> None:
    home = load(environ={}, home=tmp_path / "máy", flags={"mqtt.url": broker.url, "player.doorbell_s": 300.0})
    stop = threading.Event()
    with studio(tmp_path) as station, station.serving(), Ringing(station, broker.url):
        station.pair(player_folder(home))
        player = threading.Thread(
            target=run_player, args=(home,),
            kwargs={"output": f"wav:{tmp_path / 'a.wav'}", "clock": SystemClock(), "stop": stop},
        )  # fmt: skip
        player.start()
        try:
            wait_for(lambda: "heartbeat" in str(station.requests) and station.receiver().heartbeat)
            airing = station.airing(datetime.now(UTC), seed=3, seconds=1, priority=Priority.EMERGENCY)
            wait_for(lambda: len(station.as_run(airing)) == 2)
        finally:
            stop.set()
            player.join(timeout=20)


def test_it_rings_for_a_newer_plan_only_and_again_when_the_broker_comes_back(
    broker: Mosquitto, tmp_path: Path
) -> None:
    rings: list[float] = []
    with studio(tmp_path) as station:
        slug = station.commune.station.slug
        held = [slug, 1, 0]

        def known() -> tuple[str, int, int]:
            return (held[0], held[1], held[2])  # type: ignore[return-value]

        def change() -> None:
            with station.db.writing() as session:
                bump_plan(session, station.commune.station.id)

        with Ringing(station, broker.url):
            bell = Bell(broker.url, known=known, ring=lambda: rings.append(time.monotonic()))
            held[2] = 10**6  # nothing newer than what is held
            bell.listen()
            wait_for(lambda: bell.problem == "")
            change()
            time.sleep(0.3)
            assert rings == []
            held[2] = 0
            change()
            wait_for(lambda: rings)
            broker.stop()
            wait_for(lambda: "Mất kết nối" in bell.problem)
            rings.clear()
            broker.start()
            wait_for(
                lambda: rings, limit_s=30
            )  # nothing changed, but what was retained is gone with the broker
            assert bell.problem == ""
            bell.close()


def test_what_a_stranger_writes_there_is_no_plan(broker: Mosquitto) -> None:
    rings: list[int] = []
    bell = Bell(broker.url, known=lambda: ("xa", 1, 5), ring=lambda: rings.append(1))
    bell.listen()
    stood = threading.Event()
    stranger = Line(broker.url, connected=lambda _line: stood.set(), name="stranger")
    try:
        assert stood.wait(20)
        wait_for(lambda: bell.problem == "")
        for payload in (
            b"",
            b"\xff\x00",
            b"[1, 9]",
            b'{"epoch": "1", "version": 9}',
            b'{"epoch": 1}',
            b"9" * 9000,
        ):
            assert stranger.say(topic_of("xa"), payload)
        stranger.say(topic_of("xa"), message_of(1, 6))  # even a lie costs one question to the station
        wait_for(lambda: rings)
        assert rings == [1]
    finally:
        stranger.close()
        bell.close()


def test_a_broker_that_is_not_there_is_a_problem_and_nothing_more(tmp_path: Path) -> None:
    if not installed():
        pytest.skip("no paho-mqtt here")
    with socket.socket() as taken:  # bound, not listening: nobody answers
        taken.bind(("127.0.0.1", 0))
        url = f"mqtt://127.0.0.1:{taken.getsockname()[1]}"
        bell = Bell(url, known=lambda: ("xa", 1, 5), ring=lambda: None)
        bell.listen()
        assert "Chưa nối được máy chủ MQTT" in bell.problem
        bell.close()
    wrong = Bell("http://127.0.0.1", known=lambda: ("xa", 1, 5), ring=lambda: None)
    wrong.listen()
    assert "mqtt://máy:1883" in wrong.problem


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://loa.example.vn", Broker("loa.example.vn", 1883, False)),
        ("mqtts://xa:m%40t@10.0.0.1", Broker("10.0.0.1", 8883, True, "xa", "m@t")),
        ("mqtt://[::1]:1900/", Broker("::1", 1900, False)),
    ],
)
def test_an_address_names_the_broker(url: str, broker: Broker) -> None:
    assert broker_of(url) == broker


@pytest.mark.parametrize(
    "url", ["loa.example.vn", "http://x", "mqtt://", "mqtt://x:99999", "mqtt://x/chủ-đề"]
)
def test_what_is_no_address_is_a_sentence(url: str) -> None:
    with pytest.raises(ConfigError, match="mqtt.url"):
        broker_of(url)


def test_a_message_is_read_as_it_was_written() -> None:
    assert read_message(message_of(3, 41)) == (3, 41)
