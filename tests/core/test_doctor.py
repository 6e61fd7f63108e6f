"""The doctor says what is missing and what to do, on either platform."""

import socket
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from broadcaster import doctor
from broadcaster.config import load
from broadcaster.mqtt import installed
from broadcaster.speech.gtts import GttsVoice


def test_a_nearly_full_disk_is_a_fault_with_a_remedy() -> None:
    assert doctor.disk(Path("."), free_bytes=500_000_000).ok is False
    assert "0,5 GB" in doctor.disk(Path("."), free_bytes=500_000_000).sentence
    assert doctor.disk(Path("."), free_bytes=50_000_000_000).ok is True


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_a_loopback_address_is_refused_for_phones(url: str) -> None:
    assert doctor.public_address(url).ok is False


def test_an_address_in_the_office_network_is_accepted() -> None:
    assert doctor.public_address("http://192.168.1.20:8000").ok is True
    assert doctor.public_address("").ok is None


@pytest.mark.parametrize(("platform", "stdout", "code", "ok"), [
    ("linux", "NTPSynchronized=yes", 0, True),
    ("linux", "NTPSynchronized=no", 0, False),
    ("win32", "Leap Indicator: 0", 0, True),
    ("win32", "", 1, False),
])  # fmt: skip
def test_an_unsynchronised_clock_is_a_fault(platform: str, stdout: str, code: int, ok: bool) -> None:
    def run(*_: Any, **__: Any) -> Any:
        return SimpleNamespace(stdout=stdout, returncode=code)

    assert doctor.clock_synchronised(platform=platform, run=run).ok is ok


def test_parts_that_do_not_start_with_the_machine_are_named() -> None:
    finding = doctor.power_on_start(states={"serve": "active", "play": "inactive"})
    assert finding.ok is None
    assert "play" in finding.sentence


def test_a_muted_or_faint_mixer_would_silence_the_morning() -> None:
    assert doctor.volume(ask=lambda: (80, True)).ok is False
    assert doctor.volume(ask=lambda: (5, False)).ok is False
    assert doctor.volume(ask=lambda: (90, False)).ok is True
    assert doctor.volume(ask=lambda: None).ok is None


def test_a_machine_that_may_sleep_is_named_with_the_remedy_of_its_system() -> None:
    assert "powercfg" in doctor.sleep(ask=lambda: True, platform="win32").sentence
    assert "systemctl mask" in doctor.sleep(ask=lambda: True, platform="linux").sentence
    assert doctor.sleep(ask=lambda: False).ok is True
    assert doctor.sleep(ask=lambda: None).ok is None


@pytest.mark.parametrize(("reason", "ok"), [(None, True), ("cài thêm gói viet-asr", None)])
def test_a_station_that_wants_listening_back_is_told_whether_it_can(
    reason: str | None, ok: bool | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("broadcaster.speech.hearing.Recogniser.available", staticmethod(lambda: reason))

    def told(wanted: bool) -> list[doctor.Finding]:
        flags = {"voice.chain": ("silent",), "voice.listen_back": wanted}
        found = doctor.voices(load(environ={}, home=tmp_path, flags=flags))
        return [one for one in found if "nghe lại" in one.title]

    assert not told(False)
    (finding,) = told(True)
    assert finding.ok is ok
    assert reason is None or reason in finding.sentence


def test_a_voice_is_good_when_it_has_spoken_and_not_because_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setattr(
        "broadcaster.speech.gtts.GttsVoice",
        partial(GttsVoice, endpoint=f"http://127.0.0.1:{port}/", pause_s=0.0),
    )
    found = doctor.voices(load(environ={}, home=tmp_path, flags={"voice.chain": ("gtts", "espeak:vi+f5")}))
    assert [(one.title, one.ok) for one in found] == [("Giọng gtts", None), ("Giọng espeak:vi+f5", True)]
    assert "không nối được mạng" in found[0].sentence
    assert "đọc được" in found[1].sentence


def test_the_second_doorbell_is_asked_for_only_where_one_is_set() -> None:
    assert doctor.broker("") == []
    (wrong,) = doctor.broker("loa.example.vn")
    assert (wrong.ok, "mqtt://máy:1883" in wrong.sentence) == (False, True)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        (found,) = doctor.broker(f"mqtt://127.0.0.1:{listening.getsockname()[1]}")
        port = listening.getsockname()[1]
    assert found.ok is installed()
    (away,) = doctor.broker(f"mqtt://127.0.0.1:{port}")
    assert away.ok is False
