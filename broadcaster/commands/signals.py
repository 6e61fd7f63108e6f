"""How a long-running command begins its log and learns that it must stop; the player uses it too."""

from __future__ import annotations

import logging
import signal
import sys
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


def start_log() -> None:
    """Times and messages on stderr, where the supervisor or systemd keeps them."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("apscheduler", "waitress.queue", "alembic", "huey"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
