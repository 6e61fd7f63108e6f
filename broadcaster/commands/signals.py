"""How a long-running command learns that it must stop; no station code, so the player may use it."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from broadcaster.system import die_with_parent


def stop_event(supervised: bool) -> threading.Event:
    """An event that SIGTERM and SIGINT set; with `supervised`, the parent's death ends us too (Linux)."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    if supervised:
        die_with_parent()
    return stop
