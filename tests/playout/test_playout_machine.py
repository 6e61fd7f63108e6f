"""A player through any order of looks, crashes, clock steps, lost cards, dead ledgers, plans and lost answers."""

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from broadcaster.config import load
from broadcaster.errors import PlayerError
from broadcaster.model import AsRunEvent, Priority
from broadcaster.playout import sound
from broadcaster.playout.journal import Event, Ledger
from broadcaster.playout.loop import Player
from broadcaster.playout.pairing import Pairing
from broadcaster.signing import canonical_json, sign
from tests.support.oracle import Due, Facts
from tests.support.simulated import KEY, PUBLIC, SimLink, SimOutput, SimStation, World, decode, instant

ENDS = (AsRunEvent.FINISHED, AsRunEvent.INTERRUPTED, AsRunEvent.MISSED, AsRunEvent.SKIPPED)
GRACE_S = 300
BORN_S = 36_000.0


@dataclass
class Planned:
    """An airing that a rule added."""

    second: float
    priority: Priority
    skipped: bool = False


@dataclass
class FreeStation(SimStation):
    """A station whose plan the rules change."""

    plan: dict[str, Planned] = field(default_factory=dict)
    version: int = 1

    def of(self, sha256: str) -> Due:
        rows = (Due(name, 0, 0, 0) for name in self.plan)
        return next(one for one in rows if self._file(one)["sha256"] == sha256)

    def tag(self, minute: int) -> str:
        return str(self.version)

    def manifest(self, receiver: int, second: float) -> tuple[bytes, str]:
        rows = [
            {
                "id": name, "origin": "slot", "priority": one.priority.value, "planned_at": instant(one.second),
                "start_mode": "at_once", "wait_s": 0, "late_policy": "play_within_grace", "grace_s": GRACE_S,
                "volume_percent": 100, "title": name, "duration_ms": 90_000,
                "state": "skipped" if one.skipped else "closed", "reason": "Đài bỏ buổi này." if one.skipped else "",
                "variant": 1, "file": self._file(Due(name, 0, 0, 0)),
            }
            for name, one in self.plan.items()
        ]  # fmt: skip
        body = canonical_json(
            {
                "format": 1, "station": "xa", "receiver": receiver, "zone": "Asia/Ho_Chi_Minh", "epoch": 1,
                "version": self.version, "issued_at": instant(second), "valid_until": instant(second + 300_000),
                "airings": rows, "clips": [],
            }
        )  # fmt: skip
        return body, sign(KEY, body)


@dataclass
class FreeWorld(World):
    """Facts that the rules change."""

    now_facts: dict[str, Any] = field(
        default_factory=lambda: {"power": True, "net": True, "room": True, "card": True, "offset": 0}
    )
    lose_answers: bool = False

    def at(self, name: str) -> Any:
        return self.now_facts[name]


class FreeLink(SimLink):
    """The answer to an upload may be lost on the way."""

    def events(self, batch: list[dict[str, Any]]) -> int:
        accepted = super().events(batch)
        if self._world.lose_answers:  # type: ignore[attr-defined]
            raise PlayerError("Câu trả lời bị lạc.")
        return accepted


class Box(RuleBasedStateMachine):
    """One player."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        sound_decode, sound.decode = sound.decode, decode
        self.restore = sound_decode
        nothing = np.zeros(0, dtype=bool)
        self.station = FreeStation([])
        self.world = FreeWorld(
            Facts(nothing, nothing, nothing, nothing, np.zeros(0, dtype=np.int64)),
            self.station,
            1,
            second=BORN_S,
        )
        self.running: tuple[Player, Ledger] | None = None
        self.names = 0
        self.gone: list[Event] = []  # of ledgers that were lost before they could report
        self.begun_s = BORN_S  # when the ledger in use began: what was due before is nobody's business

    # ------------------------------------------------------------------------------------ power

    @initialize()
    def boot(self) -> None:
        self.restart()
        self.running[0].sync_once()  # type: ignore[index]
        self.running[0].tick()  # type: ignore[index]

    @rule()
    def crash(self) -> None:
        if self.running is not None:
            self.running[1].close()
            self.running = None

    @rule()
    def lose_the_ledger(self) -> None:
        """A new memory card: what was not uploaded is gone, and the plan is still held."""
        known = self.written()
        self.crash()
        self.gone += [event for event in known if event.sequence not in self.world.uploaded]
        for path in (self.folder / "player").glob("ledger.db*"):
            path.unlink()
        self.begun_s = self.world.second + 3600  # by a clock that may be an hour ahead
        self.restart()

    @rule()
    def restart(self) -> None:
        self.crash()
        world, folder = self.world, self.folder / "player"
        world.booted = world.second
        ledger = Ledger(folder / "ledger.db")
        player = Player(
            load(environ={}, home=self.folder), folder, Pairing("http://127.0.0.1:9", "t", PUBLIC), ledger=ledger,
            output=SimOutput(world), clock=world, threads=False,
            link=lambda _pairing, _life: FreeLink(world),  # type: ignore[arg-type, return-value]
        )  # fmt: skip
        self.running = (player, ledger)

    # ------------------------------------------------------------------------------------ time and faults

    @rule(seconds=st.sampled_from([0.05, 0.3, 1.0, 4.0, 30.0, 400.0]), looks=st.integers(1, 12))
    def pass_time(self, seconds: float, looks: int) -> None:
        for _ in range(looks):
            self.world.second += seconds
            if self.running is not None:
                self.running[0].tick()

    @rule(minutes=st.sampled_from([-60, -3, 0, 3, 60]))
    def set_the_clock(self, minutes: int) -> None:
        self.world.now_facts["offset"] = minutes

    @rule(name=st.sampled_from(["net", "card"]), good=st.booleans())
    def fault(self, name: str, good: bool) -> None:
        self.world.now_facts[name] = good

    @rule(read_only=st.booleans())
    def the_ledger_takes_no_writing(self, read_only: bool) -> None:
        if self.running is not None:
            self.running[1]._db.execute(f"PRAGMA query_only = {'ON' if read_only else 'OFF'}")

    # ------------------------------------------------------------------------------------ the station

    @rule(ahead_s=st.integers(-20, 900), priority=st.sampled_from(Priority))
    def plan_an_airing(self, ahead_s: int, priority: Priority) -> None:
        self.names += 1
        self.station.plan[f"b{self.names}"] = Planned(self.world.second + ahead_s, priority)
        self.station.version += 1

    @rule(data=st.data())
    def take_one_off(self, data: st.DataObject) -> None:
        if self.station.plan:
            name = data.draw(st.sampled_from(sorted(self.station.plan)))
            self.station.plan[name] = replace(self.station.plan[name], skipped=True)
            self.station.version += 1

    @rule(data=st.data(), ahead_s=st.integers(-20, 900))
    def move_one(self, data: st.DataObject, ahead_s: int) -> None:
        """Also between its claim and its start, or after it has sounded."""
        if self.station.plan:
            name = data.draw(st.sampled_from(sorted(self.station.plan)))
            self.station.plan[name] = replace(self.station.plan[name], second=self.world.second + ahead_s)
            self.station.version += 1

    @rule(lost=st.booleans())
    def sync(self, lost: bool) -> None:
        self.world.lose_answers = lost
        if self.running is not None:
            self.running[0].sync_once()
        self.world.lose_answers = False

    # ------------------------------------------------------------------------------------ promises

    def written(self) -> list[Event]:
        if self.running is not None:
            left = self.running[1].to_upload(most=10_000)
        else:
            ledger = Ledger(self.folder / "player" / "ledger.db")
            left = ledger.to_upload(most=10_000)
            ledger.close()
        rows = {**self.world.uploaded, **{event.sequence: event for event in left}}
        assert sorted(rows) == list(range(1, len(rows) + 1)), "numbered without a gap"
        return [rows[number] for number in sorted(rows)]

    @invariant()
    def nothing_routine_starts_twice_and_nothing_ends_twice(self) -> None:
        events = [*self.gone, *self.written()]
        starts = Counter(event.airing_id for event in events if event.event is AsRunEvent.STARTED)
        resumed = Counter(event.airing_id for event in events if event.event is AsRunEvent.RESUMED)
        ends = Counter(event.airing_id for event in events if event.event in ENDS)
        onsets = Counter(name for name, _second in self.world.sounded)
        for name, one in self.station.plan.items():
            if one.priority is not Priority.EMERGENCY:
                assert starts[name] <= 1
                assert ends[name] <= 1
                assert onsets[name] <= starts[name] + resumed[name], (
                    "sounded, and its start was not committed"
                )

    @invariant()
    def one_voice_at_a_time_and_never_before_its_time(self) -> None:
        for name, second in self.world.sounded:
            assert second >= self.station.plan[name].second - 60 * 60 - 1, (
                "an hour is all a clock is ever set by"
            )

    def teardown(self) -> None:
        try:
            self.world.now_facts.update(net=True, card=True, offset=0)
            self.restart()
            for _ in range(4):
                self.world.second += 1500
                self.running[0].sync_once()  # type: ignore[index]
                for _ in range(60):
                    self.world.second += 4
                    self.running[0].tick()  # type: ignore[index]
            last = {event.airing_id: event.event for event in [*self.gone, *self.written()]}
            for name, one in self.station.plan.items():
                if name not in last and (one.skipped or one.second < self.begun_s):
                    continue  # left out by the station, or due before this player was there
                assert last.get(name) in (*ENDS, AsRunEvent.PREEMPTED), f"{name} is not accounted for"
            self.nothing_routine_starts_twice_and_nothing_ends_twice()
        finally:
            self.crash()
            sound.decode = self.restore
            shutil.rmtree(self.folder)


TestBox = Box.TestCase
TestBox.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
