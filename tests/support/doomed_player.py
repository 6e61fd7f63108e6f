"""A process that forks players and kills them at a named step: `python doomed_player.py`, a JSON line a life.

Forking from a process that has everything imported makes a life cheap enough to end it a thousand times.
A line names home, wav, start, seconds, and the doom: [step, how ("kill" or "exit"), which time] or null.
The answer is the child's end: minus its signal, or its exit code (DOOMED by `os._exit`, 0 = lived on).
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from broadcaster.config import load
from broadcaster.playout import held
from broadcaster.playout.clock import GivenClock
from broadcaster.playout.held import HeldAudio
from broadcaster.playout.journal import Ledger
from broadcaster.playout.outputs.paced import WavOutput
from broadcaster.playout.player import run_player
from broadcaster.playout.sync import Link

DOOMED = 77
Die = Callable[[], None]


def before(owner: Any, name: str, die: Die, when: Any = lambda *a, **k: True) -> None:
    old = getattr(owner, name)

    def doomed(*args: Any, **kwargs: Any) -> Any:
        if when(*args, **kwargs):
            die()
        return old(*args, **kwargs)

    setattr(owner, name, doomed)


def after(owner: Any, name: str, die: Die, when: Any = lambda *a, **k: True) -> None:
    old = getattr(owner, name)

    def doomed(*args: Any, **kwargs: Any) -> Any:
        result = old(*args, **kwargs)
        if when(*args, **kwargs):
            die()
        return result

    setattr(owner, name, doomed)


def something_to_tell(_link: Link, batch: list[Any]) -> bool:
    return bool(batch)


def sounding(_output: WavOutput, block: Any) -> bool:
    return bool(block.any())


STEPS: dict[str, Callable[[Die], None]] = {
    "before the manifest is renamed": lambda die: before(held, "replace_whole", die),
    "after the manifest is renamed": lambda die: after(held, "replace_whole", die),
    "before a file is renamed": lambda die: before(HeldAudio, "settle", die),
    "after a file is renamed": lambda die: after(HeldAudio, "settle", die),
    "before the claim": lambda die: before(Ledger, "start", die),
    "inside the claim": lambda die: after(Ledger, "_append", die),
    "after the claim": lambda die: after(Ledger, "start", die),
    "after it was cued": lambda die: after(WavOutput, "play_at", die),
    "while it sounds": lambda die: after(WavOutput, "_keep", die, sounding),
    "before its progress is noted": lambda die: before(Ledger, "progress", die),
    "before the close": lambda die: before(Ledger, "close_airing", die),
    "inside the close": lambda die: after(Ledger, "_move", die),
    "after the close": lambda die: after(Ledger, "close_airing", die),
    "before the upload": lambda die: before(Link, "events", die, something_to_tell),
    "after the upload": lambda die: after(Link, "events", die, something_to_tell),
    "before the confirmation": lambda die: before(Ledger, "confirm", die),
    "after the confirmation": lambda die: after(Ledger, "confirm", die),
}


def executioner(how: str, which: int) -> Die:
    """Ends this process the `which`-th time it is called."""
    left = which

    def die() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            if how == "exit":
                os._exit(DOOMED)
            os.kill(os.getpid(), signal.SIGKILL)

    return die


def live(home: str, wav: str, start: str, seconds: float, doom: tuple[str, str, int] | None) -> None:
    """One life of a player, in this process."""
    if doom is not None:
        step, how, which = doom
        STEPS[step](executioner(how, which))
    begin = datetime.fromisoformat(start)
    run_player(
        load(environ={}, home=Path(home)), output=f"wav:{wav}", clock=GivenClock(begin), stop=threading.Event(),
        until=begin + timedelta(seconds=seconds),
    )  # fmt: skip


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                live(**json.loads(line))
                os._exit(0)
            finally:
                os._exit(3)
        _pid, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
