"""A station that answers badly: slowly, never, in drips, with errors or somebody else's plan.  What is held stays."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broadcaster.model import AsRunEvent, Priority
from broadcaster.playout import sync
from broadcaster.playout.held import HeldAudio, HeldManifest
from broadcaster.playout.journal import Ledger
from broadcaster.playout.pairing import Pairing
from broadcaster.playout.sync import Sync
from broadcaster.signing import canonical_json, sign
from tests.support.receivers import seconds, studio
from tests.support.simulated import KEY, PUBLIC

T = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
FILES = {hashlib.sha256(data).hexdigest(): data for data in (b"x" * 300_000, b"gap" * 100)}
LONG, URGENT = FILES


def plan(version: int, *, key: Ed25519PrivateKey = KEY, urgent: bool = False) -> tuple[bytes, str]:
    def row(name: str, sha256: str, hours: float) -> dict[str, Any]:
        return {
            "id": name, "origin": "slot", "priority": "routine", "planned_at": (T + timedelta(hours=hours)).isoformat(),
            "start_mode": "at_once", "wait_s": 0, "late_policy": "play_within_grace", "grace_s": 60,
            "volume_percent": 100, "title": name, "duration_ms": 1000, "state": "closed", "reason": "", "variant": 1,
            "file": {"sha256": sha256, "size_bytes": len(FILES[sha256]), "suffix": "mp3"},
        }  # fmt: skip

    rows = [row("xa", LONG, 20)] + ([row("gần", URGENT, 0.1)] if urgent else [])
    body = canonical_json(
        {
            "format": 1, "station": "xa", "receiver": 1, "zone": "Asia/Ho_Chi_Minh", "epoch": 1, "version": version,
            "issued_at": T.isoformat(), "valid_until": (T + timedelta(hours=73)).isoformat(), "airings": rows,
            "clips": [],
        }
    )  # fmt: skip
    return body, sign(key, body)


class BadStation(ThreadingHTTPServer):
    """Answers as its mood is; `asked` are the paths."""

    mood = "well"
    version = 1
    urgent = False
    daemon_threads = True
    asked: list[str]
    gate: threading.Event


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: BadStation

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        mood = self.server.mood
        if mood == "never":
            self.server.gate.wait(5)
            return
        if mood in ("500", "503", "302", "409"):
            self.send_response(int(mood))
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        key = Ed25519PrivateKey.generate() if mood == "forged" else KEY
        body, signature = plan(self.server.version, key=key, urgent=self.server.urgent)
        if mood == "huge":
            body = b" " * (5 * 1024 * 1024)
        if mood == "malformed":
            body = b'{"format": 1'
            signature = sign(KEY, body)
        if self.path.startswith("/a/"):
            body = FILES[self.path[3:67]]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Manifest-Signature", signature)
        self.end_headers()
        if mood == "half open":  # says how much will come, and then nothing does
            self.wfile.write(body[:10])
            self.wfile.flush()
            self.server.gate.wait(5)
        elif mood == "drips" or (mood == "slow files" and self.path.startswith(f"/a/{LONG}")):
            size = 1 if mood == "drips" else 1000
            for start in range(0, len(body), size):
                try:
                    self.wfile.write(body[start : start + size])
                    self.wfile.flush()
                except OSError:
                    return
                time.sleep(0.05)
        else:
            self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"accepted": 0}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def station() -> Iterator[BadStation]:
    opened = BadStation(("127.0.0.1", 0), Handler)
    opened.asked, opened.gate = [], threading.Event()
    thread = threading.Thread(target=opened.serve_forever, daemon=True)
    thread.start()
    yield opened
    opened.gate.set()
    opened.shutdown()
    thread.join(timeout=10)
    opened.server_close()


@pytest.fixture
def syncing(
    station: BadStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Sync, HeldManifest]]:
    monkeypatch.setattr(sync, "_TIMEOUT", (1.0, 0.5))
    monkeypatch.setattr(sync, "_WHOLE_S", 0.5)
    held, ledger = HeldManifest(tmp_path, PUBLIC), Ledger(tmp_path / "ledger.db")
    opened = Sync(
        Pairing(f"http://127.0.0.1:{station.server_port}", "t", PUBLIC), held=held,
        audio=HeldAudio(tmp_path / "audio", budget_bytes=10**9), ledger=ledger, doorbell_s=0.1, health=dict,
        changed=lambda: None, measured=lambda _at: None,
    )  # fmt: skip
    yield opened, held
    opened.close()
    ledger.close()


@pytest.mark.parametrize(("mood", "sentence"), [
    ("never", "Không gọi được đài"),
    ("half open", "đứt giữa chừng"),
    ("drips", "quá chậm"),
    ("500", "Đài trả lời 500"),
    ("503", "Đài trả lời 503"),
    ("302", "chuyển sang địa chỉ khác"),
    ("409", "hai máy phát đang dùng chung một mã"),
    ("huge", "lớn bất thường"),
    ("malformed", "không đúng mẫu"),
    ("forged", "Chữ ký"),
    ("old", "cũ hơn lịch đang giữ"),
])  # fmt: skip
def test_a_bad_answer_is_a_sentence_and_changes_nothing_that_is_held(
    station: BadStation, syncing: tuple[Sync, HeldManifest], mood: str, sentence: str
) -> None:
    opened, held = syncing
    station.version = 5
    opened.once()
    assert opened.problems() == []
    good = held.manifest
    assert good is not None
    station.mood, station.version = mood, 4 if mood == "old" else 6
    opened._try("doorbell", opened._ring)
    assert sentence in opened.problems()[0]
    assert held.manifest is good
    station.mood, station.version = "well", 7
    opened.once()
    assert opened.problems() == []
    assert held.manifest is not None
    assert held.manifest.version == 7


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def test_what_is_needed_sooner_does_not_wait_behind_a_slow_download(
    station: BadStation, syncing: tuple[Sync, HeldManifest], tmp_path: Path
) -> None:
    opened, _held = syncing
    station.mood = "slow files"
    opened.start()
    part = tmp_path / "audio" / f"{LONG}.mp3.part"
    wait_for(part.exists)
    station.version, station.urgent = 2, True
    wait_for((tmp_path / "audio" / f"{URGENT}.mp3").exists)
    assert not (tmp_path / "audio" / f"{LONG}.mp3").exists(), "the long one was broken off, not waited for"
    wait_for(lambda: station.asked.count(f"/a/{LONG}.mp3") == 2)


def test_of_two_players_with_one_token_one_is_told_and_both_still_hear_of_the_plan(tmp_path: Path) -> None:
    with studio(tmp_path, now=lambda: T) as house, house.serving():
        airing = house.airing(T + seconds(600), priority=Priority.ROUTINE)
        made = []
        for name in ("gốc", "bản sao"):
            held, ledger = (
                HeldManifest(tmp_path / name, house.keys.public_key_hex),
                Ledger(tmp_path / name / "l.db"),
            )
            opened = Sync(
                Pairing(house.url, house.token, house.keys.public_key_hex), held=held,
                audio=HeldAudio(tmp_path / name / "audio", budget_bytes=10**9), ledger=ledger, doorbell_s=0.5,
                health=dict, changed=lambda: None, measured=lambda _at: None,
            )  # fmt: skip
            made.append((opened, held, ledger))
        (first, first_held, first_ledger), (second, second_held, second_ledger) = made
        first.once()
        second.once()
        assert (first.problems(), second.problems()) == ([], [])
        first_ledger.start(airing, at=T, sha256="a" * 64, priority=Priority.ROUTINE)
        first.once()
        assert "hai máy phát đang dùng chung một mã" in first.problems()[0]
        assert house.receiver().rival_at == T
        assert second.problems() == []
        second.once()
        assert second.problems() == []
        assert first_held.manifest is not None
        assert second_held.manifest is not None
        assert house.as_run() == []
        assert [event.event for event in first_ledger.to_upload()] == [AsRunEvent.STARTED], "kept, not lost"
        for opened, _held, ledger in made:
            opened.close()
            ledger.close()
