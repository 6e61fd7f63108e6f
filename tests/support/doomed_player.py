"""A player that is killed (SIGKILL, by itself) at a named step: `doomed_player.py HOME WAV START SECONDS STEP`."""

import os
import signal
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from broadcaster.config import load
from broadcaster.playout.clock import GivenClock
from broadcaster.playout.held import HeldAudio
from broadcaster.playout.journal import Ledger
from broadcaster.playout.outputs.paced import WavOutput
from broadcaster.playout.player import run_player
from broadcaster.playout.sync import Link


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: type, name: str, *, when: Any = lambda *a, **k: True) -> None:
    old = getattr(owner, name)

    def doomed(*args: Any, **kwargs: Any) -> Any:
        if when(*args, **kwargs):
            die()
        return old(*args, **kwargs)

    setattr(owner, name, doomed)


def after(owner: type, name: str, *, when: Any = lambda *a, **k: True) -> None:
    old = getattr(owner, name)

    def doomed(*args: Any, **kwargs: Any) -> Any:
        result = old(*args, **kwargs)
        if when(*args, **kwargs):
            die()
        return result

    setattr(owner, name, doomed)


def something_to_tell(link: Link, batch: list[Any]) -> bool:
    return bool(batch)


STEPS = {
    "before the claim": lambda: before(Ledger, "start"),
    "after the claim": lambda: after(Ledger, "start"),
    "after it was cued": lambda: after(WavOutput, "play_at"),
    "while it sounds": lambda: after(WavOutput, "_keep", when=lambda _out, block: bool(block.any())),
    "before the close": lambda: before(Ledger, "close_airing"),
    "after the close": lambda: after(Ledger, "close_airing"),
    "before the upload": lambda: before(Link, "events", when=something_to_tell),
    "after the upload": lambda: after(Link, "events", when=something_to_tell),
    "before the confirmation": lambda: before(Ledger, "confirm"),
    "before a file is renamed": lambda: before(HeldAudio, "settle"),
    "after a file is renamed": lambda: after(HeldAudio, "settle"),
}

if __name__ == "__main__":
    home, wav, start, length_s, step = sys.argv[1:]
    STEPS[step]()
    begin = datetime.fromisoformat(start)
    run_player(
        load(environ={}, home=Path(home)), output=f"wav:{wav}", clock=GivenClock(begin), stop=threading.Event(),
        until=begin + timedelta(seconds=float(length_s)),
    )  # fmt: skip
    sys.exit(3)  # the step never came
