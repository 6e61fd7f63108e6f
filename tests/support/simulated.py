"""Months of a village box in minutes: the real player, ledger, disk and decisions; simulated are time, power,
network, sound card and the station's answers.

The clock jumps from one instant at which something can happen to the next: edges of faults (whole minutes), the
windows of airings by the box's own clock, the station's news.  Between them the player looks as often as it asks.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broadcaster.config import Settings, load
from broadcaster.errors import PlayerError
from broadcaster.model import AsRunEvent
from broadcaster.playout import sound
from broadcaster.playout.held import HeldAudio
from broadcaster.playout.journal import Event, Ledger
from broadcaster.playout.loop import Player
from broadcaster.playout.outputs.deck import RATE_HZ, Ended, Samples
from broadcaster.playout.pairing import Pairing
from broadcaster.playout.plan import AudioFile
from broadcaster.signing import canonical_json, sign
from tests.support.oracle import AHEAD, REFRESH, Due, Facts

START = datetime(2026, 8, 24, 17, 0, tzinfo=UTC)  # midnight at the station
LENGTH_S = 90.0
LOOK_BACK = 7 * 1440
KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
PROGRAMME = np.full(round(LENGTH_S * RATE_HZ), 0.25, dtype=np.float32)


def decode(path: Path) -> Samples:
    """Every file of the simulation is one programme; that its bytes are the right ones is checked here."""
    assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem, "only whole files are decoded"
    return PROGRAMME


@dataclass
class SimStation:
    """What the station would answer at a minute."""

    airings: Sequence[Due]  # in order of time
    skip: frozenset[str] = frozenset()  # airings that may not start late

    def __post_init__(self) -> None:
        self._published = sorted(due.published for due in self.airings)
        self._minutes = [due.minute for due in self.airings]
        self._by_hash = {hashlib.sha256(self.data(due)).hexdigest(): due for due in self.airings}

    def between(self, first: float, last: float) -> Sequence[Due]:
        """Airings of the minutes from `first` to before `last`."""
        return self.airings[bisect_left(self._minutes, first) : bisect_left(self._minutes, last)]

    def data(self, due: Due) -> bytes:
        """Its file."""
        return due.name.encode() * 100

    def of(self, sha256: str) -> Due:
        """The airing of a file."""
        return self._by_hash[sha256]

    def tag(self, minute: int) -> str:
        """Changes with what is published and with the hour-hand of the plan."""
        news = bisect_right(self._published, minute)
        return f"{minute // REFRESH}-{news}"

    def manifest(self, receiver: int, second: float) -> tuple[bytes, str]:
        """Signed bytes for one receiver."""
        minute = int(second // 60)
        until = minute // REFRESH * REFRESH + AHEAD + REFRESH
        rows = [
            {
                "id": due.name, "origin": "slot", "priority": "routine", "planned_at": instant(60 * due.minute),
                "start_mode": "at_once", "wait_s": 0,
                "late_policy": "skip" if due.name in self.skip else "play_within_grace",
                "grace_s": 60 * (due.latest - due.minute) + 30, "volume_percent": 100, "title": due.name,
                "duration_ms": round(1000 * LENGTH_S), "state": "closed", "reason": "", "variant": 1,
                "file": self._file(due) if due.published <= minute else None,
            }
            for due in self.between(minute - LOOK_BACK, until)
        ]  # fmt: skip
        body = canonical_json(
            {
                "format": 1, "station": "xa", "receiver": receiver, "zone": "Asia/Ho_Chi_Minh", "epoch": 1,
                "version": minute, "issued_at": instant(second), "valid_until": instant(60 * until),
                "airings": rows, "clips": [],
            }
        )  # fmt: skip
        return body, sign(KEY, body)

    def _file(self, due: Due) -> dict[str, Any]:
        data = self.data(due)
        return {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data), "suffix": "mp3"}


def instant(second: float) -> str:
    return (START + timedelta(seconds=second)).isoformat()


@dataclass
class World:
    """One box's surroundings; `second` is the true time."""

    facts: Facts
    station: SimStation
    receiver: int
    second: float = 0.0
    booted: float = 0.0
    uploaded: dict[int, Event] = field(default_factory=dict)
    sounded: list[tuple[str, float]] = field(default_factory=list)  # airing, true second of each onset

    @property
    def minute(self) -> int:
        return int(self.second // 60)

    def at(self, name: str) -> Any:
        """A fact of this minute."""
        return getattr(self.facts, name)[self.minute]

    # the clock
    def now(self) -> datetime:
        return START + timedelta(seconds=self.second, minutes=int(self.at("offset")))

    def monotonic(self) -> float:
        return self.second - self.booted

    def since_boot(self) -> float:
        return self.second - self.booted

    def wait(self, wake: threading.Event, seconds: float) -> None:
        raise AssertionError("the simulation moves this clock")


class SimLink:
    """The station's answers, or none."""

    measured: Any = None

    def __init__(self, world: World) -> None:
        self._world = world

    def _reached(self) -> None:
        if not self._world.at("net"):
            raise PlayerError("Không gọi được đài (mô phỏng).")
        if self.measured is not None:
            self.measured(START + timedelta(seconds=self._world.second - 0.5))

    def doorbell(self, tag: str) -> bool:
        self._reached()
        return self._world.station.tag(self._world.minute) != tag

    def manifest(self, tag: str = "") -> tuple[bytes, str, str] | None:
        self._reached()
        return *self._world.station.manifest(
            self._world.receiver, self._world.second
        ), self._world.station.tag(self._world.minute)

    def events(self, batch: list[dict[str, Any]]) -> int:
        self._reached()
        for row in batch:
            event = Event(
                **{**row, "at": datetime.fromisoformat(row["at"]), "event": AsRunEvent(row["event"])}
            )
            old = self._world.uploaded.setdefault(event.sequence, event)
            assert old == event, "the same number says the same"
        return max(self._world.uploaded, default=0)

    def heartbeat(self, data: dict[str, Any]) -> None:
        self._reached()

    def fetch(self, file: AudioFile, audio: HeldAudio, stop: Callable[[], bool]) -> None:
        self._reached()
        due = self._world.station.of(file.sha256)
        audio.part(file).write_bytes(self._world.station.data(due))
        audio.settle(file)

    def close(self) -> None:
        """Nothing to let go of."""


class SimOutput:
    """A sound card by arithmetic: when a clip began, and so how much of it has sounded."""

    name = "mô phỏng"

    def __init__(self, world: World) -> None:
        self._world = world
        self._clip: tuple[str, float, float] | None = None  # airing, true second of its onset, length
        self._heard = False
        self._ended: list[Ended] = []

    def play_at(self, key: str, samples: Samples, start: datetime, *, gain: float = 1.0) -> datetime:
        self._run()
        begin = self._world.second + max(0.0, (start - self._world.now()).total_seconds())
        self._clip, self._heard = (key, begin, len(samples) / RATE_HZ), False
        return start

    def stop_at(self, instant: datetime) -> dict[str, int]:
        self._run()
        clip, self._clip = self._clip, None
        return {} if clip is None else {clip[0]: round(1000 * max(0.0, self._world.second - clip[1]))}

    def heard_ms(self, key: str) -> int:
        return 0 if self._clip is None else round(1000 * max(0.0, self._world.second - self._clip[1]))

    def ended(self) -> list[tuple[Ended, datetime]]:
        self._run()
        ended, self._ended = self._ended, []
        return [(one, self._world.now()) for one in ended]

    @property
    def fault(self) -> str:
        return "" if self._world.at("card") else "Không có card âm thanh (mô phỏng)."

    def tend(self) -> None:
        """A card is there or not."""

    def close(self) -> None:
        """Nothing to close."""

    def _run(self) -> None:
        if self._clip is not None and self._world.second > self._clip[1] and not self._heard:
            self._heard = True
            self._world.sounded.append((self._clip[0], self._clip[1]))
        if self._clip is not None and self._world.second >= self._clip[1] + self._clip[2]:
            frames = round(self._clip[2] * RATE_HZ)
            self._ended.append(Ended(self._clip[0], 0, frames, True, 0.25))
            self._clip = None


class Box:
    """One receiver's life through all minutes of its facts."""

    def __init__(self, folder: Path, world: World) -> None:
        self._folder, self._world = folder, world
        self._settings: Settings = load(environ={}, home=folder)
        self._running: tuple[Player, Ledger] | None = None
        (folder / "player").mkdir(parents=True, exist_ok=True)

    def live(self) -> None:
        """From the first minute to the last."""
        world = self._world
        old = sound.decode
        sound.decode = decode
        try:
            last = 60 * len(world.facts.power) - 61
            edges = self._edges()
            while world.second < last:
                self._power()
                rest_s = self._look()
                world.second = min(self._next(edges, rest_s), last)
        finally:
            sound.decode = old
            self._cut()

    def events(self) -> list[Event]:
        """Everything in the ledger, uploaded or not."""
        ledger = Ledger(self._folder / "player" / "ledger.db")
        try:
            left = {event.sequence: event for event in ledger.to_upload(most=100_000)}
        finally:
            ledger.close()
        return [event for _number, event in sorted({**self._world.uploaded, **left}.items())]

    def _power(self) -> None:
        if not self._world.at("power"):
            self._cut()
        elif self._running is None:
            world, folder = self._world, self._folder / "player"
            world.booted = world.second
            ledger = Ledger(folder / "ledger.db")
            audio = HeldAudio(
                folder / "audio", budget_bytes=10**9,
                free_bytes=lambda _folder: 10**9 if world.at("room") else 0,
            )  # fmt: skip
            player = Player(
                self._settings, folder, Pairing("http://127.0.0.1:9", "t", PUBLIC), ledger=ledger,
                output=SimOutput(world), clock=world, threads=False, audio=audio,
                link=lambda _pairing, _life: SimLink(world),  # type: ignore[arg-type, return-value]
            )  # fmt: skip
            self._running = (player, ledger)

    def _cut(self) -> None:
        """The power goes: no word, no farewell."""
        if self._running is not None:
            self._running[1].close()
            self._running = None

    def _look(self) -> float:
        if self._running is None:
            return 60.0
        player = self._running[0]
        if self._world.second % 60 == 0:
            player.sync_once()
        return player.tick()

    def _next(self, edges: list[float], rest_s: float) -> float:
        """The next true second at which something can happen."""
        world = self._world
        second = world.second
        busy = self._running is not None and (self._running[0].sounding is not None or self._near(second))
        following = edges[int(np.searchsorted(edges, second, side="right"))]
        return min(following, second + (4.0 if rest_s < 0.1 else max(rest_s, 0.02))) if busy else following

    def _near(self, second: float) -> bool:
        reading = second / 60 + int(self._world.at("offset"))
        return any(
            due.minute - 0.1 <= reading <= due.latest + 0.6
            for due in self._world.station.between(reading - 60, reading + 1)
        )

    def _edges(self) -> list[float]:
        """Faults, one second before and at; windows by the box's clock; news; now and then."""
        facts, station = self._world.facts, self._world.station
        minutes = {0, len(facts.power)}
        for row in (facts.power, facts.net, facts.room, facts.card, facts.offset):
            minutes.update((np.flatnonzero(np.diff(row.astype(np.int64))) + 1).tolist())
        minutes.update(range(0, len(facts.power), REFRESH))
        offsets = set(np.unique(facts.offset).tolist())
        for due in station.airings:
            minutes.update(due.minute - offset for offset in offsets)
            minutes.update(due.latest + 1 - offset for offset in offsets)
            minutes.add(due.published)
        seconds = {float(60 * minute + shift) for minute in minutes for shift in (-5, -1, 0, 1)}
        return sorted(second for second in seconds if second >= 0)


def boxes(folder: Path, worlds: Sequence[World]) -> Iterator[tuple[World, list[Event]]]:
    """Live each of them."""
    for world in worlds:
        box = Box(folder / f"máy {world.receiver}", world)
        box.live()
        yield world, box.events()
