"""One airing whose player is killed once or twice: starts counted from samples, ends from the station's book."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import numpy as np

from broadcaster.config import load
from broadcaster.model import AsRunEvent, Priority
from broadcaster.playout.player import player_folder
from tests.support.doomed_player import DOOMED
from tests.support.receivers import RATE_HZ, Studio, seconds, studio

EVENING = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
QUIET_S = 0.2  # between two sounds that count as two
Doom = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Story:
    """What came of an airing: how each life ended, audible starts, and what the station was told of it."""

    died: tuple[bool, ...]
    starts: int
    events: tuple[AsRunEvent, ...]
    whole: bool  # its last sound lasted as long as the programme


class Killing:
    """A station whose receiver is killed, an airing a day so that no plan grows."""

    def __init__(self, folder: Path, station: Studio, forks: subprocess.Popen[str]) -> None:
        self._folder, self._station, self._forks = folder, station, forks
        self.day = EVENING

    def story(self, priority: Priority, dooms: Sequence[Doom], *, pause_s: float = 0.0) -> Story:
        """Lives with these dooms, `pause_s` apart, then one that nobody kills."""
        self.day += timedelta(days=1)
        planned = self.day
        airing = self._station.airing(planned, seed=9, seconds=2, priority=priority)
        home = load(environ={}, home=self._folder / "máy phát")
        self._station.pair(player_folder(home))
        died, starts, whole = [], 0, False
        begin, length_s = planned - seconds(1), 9.0
        for number, doom in enumerate([*dooms, None]):
            wav = self._folder / f"{number}.wav"
            died.append(self._live(home.home, wav, begin, length_s if doom else 16.0, doom))
            if wav.exists():
                found, whole = sounds(wav, 2.0, whole)
                starts += found
                wav.unlink()
            begin += timedelta(seconds=length_s + pause_s)
        shutil.rmtree(home.home)
        return Story(tuple(died), starts, tuple(row.event for row in self._station.as_run(airing)), whole)

    def _live(self, home: Path, wav: Path, begin: datetime, length_s: float, doom: Doom | None) -> bool:
        """True when the doom came; the life without one must end well."""
        asked = {
            "home": str(home),
            "wav": str(wav),
            "start": begin.isoformat(),
            "seconds": length_s,
            "doom": doom,
        }
        _write(self._forks.stdin, json.dumps(asked) + "\n")
        code = int(_read(self._forks.stdout))
        assert code in ((-signal.SIGKILL, DOOMED, 0) if doom else (0,)), f"{doom} ended with {code}"
        return code != 0


@contextmanager
def killing(folder: Path) -> Iterator[Killing]:
    """The station, and a process that forks its players."""
    holder: list[Killing] = []

    def now() -> datetime:
        return (holder[0].day if holder else EVENING) - timedelta(hours=1)

    forks = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "support" / "doomed_player.py")], text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with studio(folder, now=now) as station, station.serving():
            holder.append(Killing(folder, station, forks))
            yield holder[0]
    finally:
        forks.kill()
        forks.communicate()


def sounds(wav: Path, length_s: float, whole: bool) -> tuple[int, bool]:
    """How often sound begins after silence on a tape, and whether the last of it lasts `length_s`."""
    # all that was written, not what the header of a killed player's file says
    loud = np.flatnonzero(np.frombuffer(wav.read_bytes()[44:], dtype="<i2"))
    if not len(loud):
        return 0, whole
    breaks = np.flatnonzero(np.diff(loud) > QUIET_S * RATE_HZ)
    last = loud[breaks[-1] + 1] if len(breaks) else loud[0]
    return len(breaks) + 1, bool(loud[-1] - last > (length_s - 0.1) * RATE_HZ)


def _write(pipe: IO[str] | None, line: str) -> None:
    assert pipe is not None, "opened with a pipe"
    pipe.write(line)
    pipe.flush()


def _read(pipe: IO[str] | None) -> str:
    assert pipe is not None, "opened with a pipe"
    return pipe.readline()
