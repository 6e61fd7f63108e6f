"""How exactly airings start, and how fast an emergency is heard (`bench_emergency.py`), in real time.

    python scripts/bench_player.py [--check] [--only idle|busy|emergency] [--airings 500] [--spacing 1.5] [--emergencies 100]

A station of its own in a scratch folder is served by the real web process; the real player (`soundcard:null`:
miniaudio's null back end, chosen on purpose) is a process of its own.  A start is the first frame that is not
silence, timed inside the device's callback on the machine's monotonic clock; what a file has of silence before
its first sound is taken off.  `busy` runs two renderers at the worker's low priority meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time as clock
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from broadcaster import install as installing
from broadcaster.config import Settings, load
from broadcaster.model import AiringOrigin, AiringState, LatePolicy, Priority, RenditionKind, StartMode
from broadcaster.playout.clock import SystemClock
from broadcaster.playout.player import run_player
from broadcaster.playout.sound import decode
from broadcaster.schedule.live import bump_plan
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, ProgrammeRow, Receiver, Rendition, Station, Variant
from broadcaster.system import lower_priority, raise_priority
from scripts.bench_line import SENTENCES
from scripts.bench_tools import Row, machine, table, wait_until_served

ROOT = Path(__file__).resolve().parent.parent
RATE_HZ = 44_100
SPACING_S, CLIP_S, CLIPS = (
    1.5,
    0.2,
    20,
)  # closer than the second an airing is cued ahead is harder than any week
WARM_UP_S = 8.0  # from the plan to the first start: twenty files are fetched and decoded


class House:
    """A station in a scratch folder and the means to put airings into it."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.settings: Settings = load(environ={}, home=home, flags={"web.port": self.port})
        installing.install(self.settings, now=datetime.now(UTC), sample=False)
        self.db = Database(self.settings.database_url)
        self.blobs = Blobs(self.settings.blobs_url)
        with self.db.reading() as session:
            self.station_id = session.query(Station).one().id
        self.silence_s: dict[str, float] = {}  # airing -> silence before its file's first sound

    def programme(self, seed: int, seconds: float) -> tuple[ProgrammeRow, float]:
        """A programme of noise as a real MP3, and the silence it begins with."""
        data = noise_mp3(seed, seconds)
        sha256 = self.blobs.put(data, suffix="mp3")
        row = ProgrammeRow(
            station_id=self.station_id, input_key=uuid.uuid4().hex * 2, title=f"Buổi {seed}",
            duration_ms=round(seconds * 1000), loudness_lufs=-16.0, true_peak_dbtp=-2.3, items=[],
            waveform_svg="", revoked_reason="", made_at=datetime.now(UTC),
        )  # fmt: skip
        row.renditions.append(Rendition(kind=RenditionKind.AIR, sha256=sha256, size_bytes=len(data)))
        return row, leading_silence_s(self.blobs.path(sha256, suffix="mp3"))

    def airings(self, moments: Sequence[datetime]) -> list[str]:
        """Routine airings at these moments, their programmes dealt in turn."""
        with self.db.writing() as session:
            programmes = [self.programme(seed, CLIP_S) for seed in range(min(CLIPS, len(moments)))]
            session.add_all([row for row, _ in programmes])
            names = []
            for number, at in enumerate(moments):
                row, silence_s = programmes[number % len(programmes)]
                names.append(self._airing(session, at, row, Priority.ROUTINE))
                self.silence_s[names[-1]] = silence_s
            bump_plan(session, self.station_id)
        return names

    def wait_for_player(self) -> None:
        """Until the player has spoken with the station: before that nothing can be measured."""
        deadline = clock.monotonic() + 120
        while True:
            with self.db.reading() as session:
                if session.query(Receiver).filter(Receiver.last_seen_at.is_not(None)).count():
                    return
            if clock.monotonic() > deadline:
                raise SystemExit("the player never reached its station")
            clock.sleep(0.2)

    def _airing(self, session: Any, at: datetime, programme: ProgrammeRow, level: Priority) -> str:
        local = at.astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
        airing = Airing(
            id=str(uuid.uuid4()), station_id=self.station_id, origin=AiringOrigin.EXTRA, slot_id=None,
            name="Đo", local_date=local.date(), start_local=local.time().replace(microsecond=0), planned_at=at,
            max_minutes=15, start_mode=StartMode.AT_ONCE, wait_s=0, late_policy=LatePolicy.PLAY_WITHIN_GRACE,
            grace_s=60, priority=level, volume_percent=100, template_name="thuong", state=AiringState.CLOSED,
        )  # fmt: skip
        session.add(airing)
        session.flush()
        session.add(Variant(airing_id=airing.id, number=1, programme=programme))
        session.flush()
        return airing.id


def noise_mp3(seed: int, seconds: float) -> bytes:
    """Noise as MP3 mono 64 kbit/s."""
    import imageio_ffmpeg

    noise = np.random.default_rng(seed).normal(scale=0.15, size=round(seconds * RATE_HZ))
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "s16le", "-ar", str(RATE_HZ), "-ac", "1", "-i", "-",
         "-b:a", "64k", "-f", "mp3", "-"],
        input=(np.clip(noise, -0.9, 0.9) * 32767).astype("<i2").tobytes(), capture_output=True, timeout=60,
        check=True,
    )  # fmt: skip
    return done.stdout


def leading_silence_s(path: Path) -> float:
    """Silence at the beginning of a decoded file."""
    return float(np.flatnonzero(decode(path))[0]) / RATE_HZ


# ------------------------------------------------------------------------------------ the child processes


def play(home: Path, result: Path) -> None:
    """The player, its card's callback timed; writes onsets when it is told to stop."""
    from broadcaster.playout.outputs import soundcard

    onsets: list[dict[str, Any]] = []

    class TimedCard(soundcard.SoundCard):
        waiting: tuple[str, int] | None = None  # what was cued and has not been heard, from which frame on

        def _render(self, count: int) -> Any:
            first = self._deck.position
            block = super()._render(count)
            for mark in self._deck.take_marks():
                if mark.event == "start":
                    self.waiting = (mark.key, mark.frame)
            if self.waiting is not None:
                key, frame = self.waiting
                sounding = np.flatnonzero(block[max(0, frame - first) :])
                if len(sounding):
                    index = max(0, frame - first) + int(sounding[0])
                    at = self._last_callback + index / RATE_HZ
                    wall_less_monotonic = clock.time() - clock.monotonic()
                    onsets.append({"airing": key, "at": at, "wall_less_monotonic": wall_less_monotonic})
                    self.waiting = None
            return block

    import broadcaster.playout.outputs as outputs

    vars(outputs)["SoundCard"] = TimedCard
    real_time = raise_priority()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_player(load(environ={}, home=home), output="soundcard:null", clock=SystemClock(), stop=stop)
    result.write_text(json.dumps({"real_time": real_time, "onsets": onsets}), encoding="utf-8")


def render(folder: Path) -> None:
    """Whole programmes, one after another, every sentence new, at the worker's priority."""
    lower_priority()
    for number in range(100_000):
        text = folder / "bản tin.txt"
        text.write_text("\n".join(f"{one} Lần {number}." for one in SENTENCES), encoding="utf-8")
        command = [sys.executable, "-m", "broadcaster", "produce", str(text), "-o", str(folder / "ra.mp3")]
        subprocess.run(
            [*command, "--voice", "kokoro:nu-1", "--accept-warnings"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )


@contextmanager
def child(*command: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, ended politely."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})},
    )  # fmt: skip
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


@contextmanager
def station() -> Iterator[House]:
    """A fresh station, served by its real web process."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        home = {"BROADCASTER_HOME": folder}
        with child("-m", "broadcaster", "serve", "--port", str(house.port), environment=home):
            wait_until_served(f"http://127.0.0.1:{house.port}")
            yield house
        house.db.dispose()


# ------------------------------------------------------------------------------------ the measures


def starts(count: int, *, renderers: int, spacing_s: float) -> tuple[list[float], int, bool]:
    """Start errors in ms (late is positive), how many never sounded, whether real-time priority was granted."""
    with station() as house, ExitStack() as stack:
        for number in range(renderers):
            folder = house.settings.home / f"dựng {number}"
            folder.mkdir()
            stack.enter_context(child(__file__, "--as-renderer", str(folder)))
        result = house.settings.home / "onsets.json"
        with child(__file__, "--as-player", str(house.settings.home), str(result)):
            house.wait_for_player()
            begin = datetime.now(UTC) + timedelta(seconds=WARM_UP_S)
            moments = [begin + timedelta(seconds=spacing_s * number) for number in range(count)]
            planned = dict(zip(house.airings(moments), moments, strict=True))
            clock.sleep((moments[-1] - datetime.now(UTC)).total_seconds() + 2)
        told = json.loads(result.read_text(encoding="utf-8"))
        errors = []
        for onset in told["onsets"]:
            due = planned[onset["airing"]].timestamp() - onset["wall_less_monotonic"]
            errors.append(1000 * (onset["at"] - due - house.silence_s[onset["airing"]]))
        return errors, count - len(errors), bool(told["real_time"])


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(np.ceil(len(ordered) * percent / 100)) - 1)]


def start_rows(
    what: str,
    count: int,
    *,
    renderers: int,
    spacing_s: float,
    limits: tuple[tuple[str, float, float], ...],
) -> list[Row]:
    """A row a limit: (name, percentile, ms); early counts like late."""
    errors, lost, real_time = starts(count, renderers=renderers, spacing_s=spacing_s)
    sizes = [abs(error) for error in errors]
    about = (
        f"n={len(errors)}, {spacing_s:g} s apart, {lost} never sounded, median {statistics.median(errors):+.1f} ms, "
        f"{min(errors):+.1f}…{max(errors):+.1f}; real-time priority {'granted' if real_time else 'not granted'}"
    )
    rows = []
    for name, percent, limit in limits:
        value = percentile(sizes, percent)
        rows.append(
            Row(
                f"{what}: {name}", f"{value:.1f} ms ({about})", f"≤ {limit:g} ms", value <= limit and not lost
            )
        )
    return rows


def commit_line() -> str:
    """What was measured on what."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return (
        f"{commit.stdout.strip()}; {machine()}; miniaudio null back end, 20 ms buffer, doorbell every 0.5 s"
    )


def main() -> int:
    """Measure, print, and with --check say by the exit code whether every target is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", choices=("idle", "busy", "emergency"))
    parser.add_argument("--airings", type=int, default=500)
    parser.add_argument("--spacing", type=float, default=SPACING_S, help="seconds from one start to the next")
    parser.add_argument("--emergencies", type=int, default=100)
    parser.add_argument("--as-player", nargs=2, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--as-renderer", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_player:
        play(*options.as_player)
        return 0
    if options.as_renderer:
        render(options.as_renderer)
        return 0
    rows: list[Row] = []
    before = commit_line()
    if options.only in (None, "idle"):
        limits = (("p50", 50.0, 5.0), ("p99", 99.0, 20.0))
        rows += start_rows(
            "start error, nothing else runs",
            options.airings,
            renderers=0,
            spacing_s=options.spacing,
            limits=limits,
        )
    if options.only in (None, "busy"):
        limits = (("p99", 99.0, 50.0), ("max", 100.0, 100.0))
        rows += start_rows(
            "start error, two renderers",
            options.airings,
            renderers=2,
            spacing_s=options.spacing,
            limits=limits,
        )
    if options.only in (None, "emergency"):
        from scripts.bench_emergency import rows as emergency_rows  # it measures with this file's player

        rows += emergency_rows(options.emergencies)
    print(f"{before}\n")
    print(table(rows))
    return 1 if options.check and any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
