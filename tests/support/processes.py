"""Whether a process that was killed is really gone: a kill is asked for, and happens a little later."""

from __future__ import annotations

import time
from pathlib import Path


def gone(pid: int, *, within_s: float = 5.0) -> bool:
    """True once the process has ended (a zombie nobody has collected yet counts), False if it outlives the time."""
    deadline = time.monotonic() + within_s
    while _alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
