"""The player is killed (SIGKILL) at every step; starts are counted from samples, ends from the station's book."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from broadcaster.config import load
from broadcaster.model import AsRunEvent, Priority
from broadcaster.playout.clock import GivenClock
from broadcaster.playout.player import player_folder, run_player
from broadcaster.playout.sound import decode
from tests.support.doomed_player import STEPS
from tests.support.receivers import onset, read_wav, seconds, studio

EVENING = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
HEARD_AND_CUT = ("after it was cued", "while it sounds", "before the close")


def lives(tmp_path: Path, step: str, priority: Priority) -> tuple[int, list[AsRunEvent]]:
    """Two lives: the first is killed at `step`, the second goes on 4 s later.  (audible starts, events)."""
    with studio(tmp_path, now=lambda: EVENING - timedelta(hours=1)) as station, station.serving():
        airing = station.airing(EVENING, seed=9, seconds=2, priority=priority)
        home = load(environ={}, home=tmp_path / "máy phát")
        station.pair(player_folder(home))
        done = subprocess.run(
            [sys.executable, str(ROOT / "tests" / "support" / "doomed_player.py"), str(home.home),
             str(tmp_path / "1.wav"), (EVENING - seconds(1)).isoformat(), "5", step],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, "the step came"
        run_player(
            home, output=f"wav:{tmp_path / '2.wav'}", clock=GivenClock(EVENING + seconds(4)),
            stop=threading.Event(), until=EVENING + seconds(20),
        )  # fmt: skip
        clip = decode(station.file_of(airing)[1])
        starts = 0
        for name in ("1.wav", "2.wav"):
            tape = read_wav(tmp_path / name)
            if len(tape) > len(clip) // 4:
                starts += onset(np.append(tape, np.zeros(len(clip))), clip, length=11_025)[1] > 0.9
        return starts, [row.event for row in station.as_run(airing)]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("step", STEPS)
def test_a_killed_player_never_starts_a_programme_twice_and_accounts_for_it(
    tmp_path: Path, step: str
) -> None:
    starts, events = lives(tmp_path, step, Priority.ROUTINE)
    assert starts <= 1
    terminal = [e for e in events if e is not AsRunEvent.STARTED]
    assert len(terminal) == 1, "exactly one recorded end"
    assert events.count(AsRunEvent.STARTED) == 1
    if step in HEARD_AND_CUT or step == "after the claim":
        assert terminal == [AsRunEvent.INTERRUPTED]
    else:
        assert (terminal, starts) == ([AsRunEvent.FINISHED], 1)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("step", ["after the claim", "while it sounds"])
def test_an_emergency_whose_player_is_killed_sounds_again(tmp_path: Path, step: str) -> None:
    starts, events = lives(tmp_path, step, Priority.EMERGENCY)
    assert starts >= 1
    assert events == [
        AsRunEvent.STARTED,
        AsRunEvent.INTERRUPTED,
        AsRunEvent.STARTED,
        AsRunEvent.FINISHED,
    ]
