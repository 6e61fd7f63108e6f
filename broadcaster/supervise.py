"""Start several processes and keep them running: what dies is started again, with back-off.

One that has lived for a minute counts as healthy, so its next death is answered at once.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from broadcaster.system import group_options, stop_group

FIRST_WAIT_S, LONGEST_WAIT_S, HEALTHY_S = 0.5, 60.0, 60.0


@dataclass(slots=True)
class Part:
    """One process of the station: its name, its command, and how its restarts went."""

    name: str
    argv: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    wait_s: float = FIRST_WAIT_S
    next_start: float = 0.0
    log: IO[bytes] | None = field(default=None, repr=False)


def next_wait(previous_s: float, lived_s: float) -> float:
    """Seconds to wait before the next start: doubled each time, short again after a healthy life."""
    return FIRST_WAIT_S if lived_s >= HEALTHY_S else min(previous_s * 2, LONGEST_WAIT_S)


class Supervisor:
    """Runs parts until `stop` is set.  Their output goes to `<logs>/<name>.log`."""

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        logs: Path,
        cwd: Path,
        environment: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self.parts = [Part(name, argv) for name, argv in commands.items()]
        self._logs, self._cwd, self._environment, self._say = logs, cwd, dict(environment), say

    def run(self, stop: threading.Event) -> None:
        """Keep every part alive until `stop`; then end them in reverse order."""
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            while not stop.is_set():
                for part in self.parts:
                    self._look_after(part, time.monotonic())
                stop.wait(0.2)
        finally:
            for part in reversed(self.parts):
                if part.process is not None:
                    stop_group(part.process)
                if part.log is not None:
                    part.log.close()

    def _look_after(self, part: Part, now: float) -> None:
        if part.process is not None:
            if part.process.poll() is None:
                return
            stop_group(part.process)  # what it started must not outlive it
            part.wait_s = next_wait(part.wait_s, now - part.started)
            part.next_start = now + part.wait_s
            self._say(
                f"Tiến trình “{part.name}” dừng (mã {part.process.returncode}); "
                f"chạy lại sau {part.wait_s:.1f} giây. Xem {self._logs / (part.name + '.log')}"
            )
            part.process = None
        if now >= part.next_start:
            part.process, part.started = self._start(part), now

    def _start(self, part: Part) -> subprocess.Popen[bytes]:
        if part.log is None:
            part.log = (self._logs / f"{part.name}.log").open("ab")
        options: dict[str, Any] = group_options()
        return subprocess.Popen(
            list(part.argv),
            cwd=self._cwd,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=part.log,
            stderr=subprocess.STDOUT,
            **options,
        )
