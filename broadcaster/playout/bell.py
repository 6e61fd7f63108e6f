"""The MQTT doorbell at a player: who hears it asks the station at once.  Without it nothing is lost but time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from broadcaster.errors import ConfigError
from broadcaster.mqtt import Line, read_message, topic_of

Known = tuple[str, int, int]  # station, epoch and plan version of the plan held


class Bell:
    """Calls `ring` when the broker knows of a newer plan than `known()` says.  Start and close it.

    Whatever stands in a message is only a reason to ask: the plan comes over HTTP and is signed.
    """

    def __init__(self, url: str, *, known: Callable[[], Known | None], ring: Callable[[], None]) -> None:
        self._url, self._known, self._ring = url, known, ring
        self._lock = threading.Lock()
        self._line: Line | None = None
        self._refused = ""

    @property
    def problem(self) -> str:
        """Why it would not ring now; empty = it would, or there is no plan yet that names its topic."""
        return self._line.problem if self._line is not None else self._refused

    def listen(self) -> None:
        """Listen where the station of the plan held rings; to be called when there is one."""
        known = self._known()
        if known is None:
            return
        topic = topic_of(known[0])
        with self._lock:
            if self._line is not None or self._refused:
                return
            try:
                self._line = Line(
                    self._url, connected=lambda line: line.subscribe(topic), heard=self._heard, name="player"
                )
            except ConfigError as error:  # a wrong setting costs the second doorbell, never the first
                self._refused = error.message

    def close(self) -> None:
        """Stop listening."""
        with self._lock:
            if self._line is not None:
                self._line.close()

    def _heard(self, payload: bytes) -> None:
        said, known = read_message(payload), self._known()
        if said is not None and (known is None or said > known[1:]):
            self._ring()
