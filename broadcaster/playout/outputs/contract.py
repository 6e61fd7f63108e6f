"""What an output is."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from broadcaster.playout.outputs.deck import Ended, Samples


class Output(Protocol):
    """A place where sound goes: always open, fed silence, one voice at a time, 44.1 kHz mono.

    `play_at` lays a clip so that its first sample sounds at `start`, exact to the sample, or at once when
    that instant is past; whatever sounds then ends there.  It returns the instant of the first sample.
    `stop_at` ends what sounds and returns, for each key, how many ms of it will have been heard.
    `ended` gives each clip once, after its last sample.  `fault` is a Vietnamese sentence while nothing
    can be heard, else empty.  `tend` is called at every tick (reopen a lost device).
    """

    name: str

    def play_at(self, key: str, samples: Samples, start: datetime, *, gain: float = 1.0) -> datetime: ...

    def stop_at(self, instant: datetime) -> dict[str, int]: ...

    def heard_ms(self, key: str) -> int: ...

    def ended(self) -> list[tuple[Ended, datetime]]: ...

    @property
    def fault(self) -> str: ...

    def tend(self) -> None: ...

    def close(self) -> None: ...
