"""The player's clock, passed in: the machine's own, or a given one that runs as fast as sound is written."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """`now` may step (that is what wall clocks do); `monotonic` (seconds) never does.

    `since_boot` (seconds) runs on while the machine sleeps: a wall clock that moved and this one did not
    was set; one that both moved slept.  `wait` returns after `seconds`, or at once when `wake` is set, and clears it.
    """

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    def since_boot(self) -> float: ...

    def wait(self, wake: threading.Event, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def since_boot(self) -> float:
        """Linux stops its monotonic clock while it sleeps, Windows does not."""
        boot = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if boot is None else time.clock_gettime(boot)

    def wait(self, wake: threading.Event, seconds: float) -> None:
        """Sleep, but not longer than until somebody wakes."""
        if wake.wait(seconds):
            wake.clear()


class GivenClock:
    """Starts at a given instant and moves only in `wait`, after whatever hangs on it has caught up.

    An output made with this clock writes its samples inside `wait`: an hour passes as fast as the disk
    takes it, and every sample still has its instant.
    """

    def __init__(self, start: datetime) -> None:
        assert start.tzinfo is not None, "instants carry their zone"
        self._start = self._now = start.astimezone(UTC)
        self._pumps: list[Callable[[datetime], None]] = []

    def now(self) -> datetime:
        """The given time."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the given start."""
        return (self._now - self._start).total_seconds()

    def since_boot(self) -> float:
        """The same."""
        return self.monotonic()

    def attach(self, pump: Callable[[datetime], None]) -> None:
        """`pump(until)` is called before the clock moves to `until`."""
        self._pumps.append(pump)

    def wait(self, wake: threading.Event, seconds: float) -> None:
        """Move on by `seconds`; nobody sleeps."""
        wake.clear()
        until = self._now + timedelta(seconds=seconds)
        for pump in self._pumps:
            pump(until)
        self._now = until
