"""A player whose clock, card and disk are in the test's hand."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broadcaster.config import load
from broadcaster.model import Priority
from broadcaster.playout.journal import Event, Ledger
from broadcaster.playout.loop import Player
from broadcaster.playout.outputs import RATE_HZ, Samples, SoundCard
from broadcaster.playout.pairing import Pairing
from broadcaster.signing import canonical_json, sign
from tests.support.receivers import mp3
from tests.support.schemas import faults

T = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
S = timedelta(seconds=1)
KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
SILENCE = 99


class HandClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.at, self.passed = now, 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.passed

    def since_boot(self) -> float:
        return self.passed

    def wait(self, wake: threading.Event, seconds: float) -> None:
        raise AssertionError("the test moves this clock")


class Card:
    label = "thử"

    def close(self) -> None:
        """Nothing to close."""


class Box:
    """A player whose card is pulled by the test: `live` passes time and takes the samples."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self.clock = HandClock(now)
        self.folder = folder
        self.pull: Callable[[int], Samples] | None = None
        self.plugged = True
        self.tape: list[Samples] = []
        self.ledger = Ledger(folder / "ledger.db")
        (folder / "audio").mkdir(parents=True, exist_ok=True)
        self.player = Player(
            load(environ={}, home=folder), folder, Pairing("http://127.0.0.1:9", "t", PUBLIC), ledger=self.ledger,
            output=SoundCard(self.clock, opener=self.open), clock=self.clock,
        )  # fmt: skip

    def open(self, render: Callable[[int], Samples], null: bool) -> Card:
        if not self.plugged:
            raise OSError("không có thiết bị")
        self.pull = render
        return Card()

    def told(
        self, *airings: tuple[str, datetime, int, Priority], issued: datetime = T - 600 * S, version: int = 1
    ) -> None:
        """A signed manifest; each airing is (id, planned at, seed of its programme, level)."""
        rows = []
        for name, at, seed, level in airings:
            data = programme(seed)
            sha256 = hashlib.sha256(data).hexdigest()
            (self.folder / "audio" / f"{sha256}.mp3").write_bytes(data)
            rows.append(
                {
                    "id": name, "origin": "slot", "priority": str(level), "planned_at": at.isoformat(),
                    "start_mode": "at_once", "wait_s": 0, "late_policy": "play_within_grace", "grace_s": 60,
                    "volume_percent": 100, "title": name, "duration_ms": 3000, "state": "closed", "reason": "",
                    "variant": 1, "file": {"sha256": sha256, "size_bytes": len(data), "suffix": "mp3"},
                }
            )  # fmt: skip
        body = canonical_json(
            {
                "format": 1, "station": "xa", "receiver": 1, "zone": "Asia/Ho_Chi_Minh", "epoch": 1,
                "version": version, "issued_at": issued.isoformat(),
                "valid_until": (issued + timedelta(hours=72)).isoformat(), "airings": rows, "clips": [],
            }
        )  # fmt: skip
        self.player._held.accept(body, sign(KEY, body))

    def live(self, seconds: float, *, card: bool = True) -> None:
        """Time passes; the card takes a block every 20 ms, the player looks every 40 ms."""
        for step in range(round(seconds / 0.02)):
            self.clock.at += 0.02 * S
            self.clock.passed += 0.02
            if card and self.plugged and self.pull is not None:
                self.tape.append(self.pull(RATE_HZ // 50))
            if step % 2:
                self.player.tick()

    def decoded(self) -> None:
        """Let the decoding thread finish what is wanted."""
        for _ in range(500):
            self.player.tick()
            wanted = {file.sha256 for file in self.player._wanted(self.clock.at, self.player._held.manifest)}
            if wanted and wanted <= self.player._shelf.ready():
                return
            threading.Event().wait(0.01)
        raise AssertionError("never decoded")

    def events(self) -> list[Event]:
        return self.ledger.to_upload()

    def alarms(self) -> str:
        health = self.player.health()
        assert faults("heartbeat", health) == []
        return " ".join(health["alarms"])

    def loud(self) -> bool:
        return bool(self.tape) and bool(np.concatenate(self.tape).any())

    def close(self) -> None:
        self.player._shelf.close()
        self.player._sync.close()
        self.ledger.close()


def programme(seed: int) -> bytes:
    return mp3(seed, 3.0) if seed != SILENCE else quiet()


def quiet() -> bytes:
    """A FLAC of three seconds of nothing (decoded by what it is, not by its name)."""
    import io

    import soundfile

    target = io.BytesIO()
    soundfile.write(target, np.zeros(3 * RATE_HZ), RATE_HZ, format="FLAC")
    return target.getvalue()
