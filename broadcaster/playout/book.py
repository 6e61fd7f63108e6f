"""The ledger as the loop sees it: what could not be written yet is owed, counts as said, and is written first.

A disk that takes no writing silences everything routine (nothing may sound whose start is not committed),
but not an emergency, and no end of an airing is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from broadcaster.errors import PlayerError
from broadcaster.model import AsRunEvent, Priority
from broadcaster.playout.journal import Ledger
from broadcaster.playout.plan import Record, ToPlay


@dataclass(frozen=True, slots=True)
class Owed:
    """A line that the ledger did not take."""

    airing_id: str
    event: AsRunEvent
    at: datetime
    offset_ms: int = 0
    reason: str = ""
    sha256: str = ""


class Book:
    """One ledger and what is owed to it.  `trouble` is a sentence while it cannot be written, else empty."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._owed: list[Owed] = []
        self._known: dict[str, Record] = {}
        self.trouble = ""

    def settle(self) -> None:
        """See whether the ledger can be written again, and write what is owed, the oldest first."""
        try:
            if self.trouble:
                self._ledger.touch()
            while self._owed:
                self._write(self._owed[0])
                self._owed.pop(0)
        except PlayerError as error:
            self.trouble = error.message
        else:
            self.trouble = ""

    def records(self, airing_ids: Iterable[str]) -> dict[str, Record]:
        """The last word on these airings and on what is said to sound, owed lines included."""
        try:
            self._known = self._ledger.records(airing_ids)
        except PlayerError as error:
            self.trouble = error.message
        found = dict(self._known)
        for owed in self._owed:
            found[owed.airing_id] = _after(found.get(owed.airing_id), owed)
        return found

    def begin(self, airing: ToPlay, *, at: datetime, reason: str) -> bool:
        """Commit a start.  False = it may not start (again), or its start could not be committed.

        An emergency starts all the same, and its start is owed.
        """
        assert airing.file is not None, "only what has a file starts"
        try:
            return self._ledger.start(
                airing.id, at=at, sha256=airing.file.sha256, priority=airing.priority, reason=reason
            )
        except PlayerError as error:
            self.trouble = error.message
            if airing.priority is not Priority.EMERGENCY:
                return False
        self._owed.append(Owed(airing.id, AsRunEvent.STARTED, at, 0, reason, airing.file.sha256))
        return True

    def resume(self, airing_id: str, *, at: datetime, offset_ms: int) -> bool:
        """Commit that a cut airing goes on; False = it may not, or that could not be committed."""
        try:
            return self._ledger.resume(airing_id, at=at, offset_ms=offset_ms)
        except PlayerError as error:
            self.trouble = error.message
            return False

    def end(
        self, airing_id: str, event: AsRunEvent, *, at: datetime, offset_ms: int = 0, reason: str = ""
    ) -> None:
        """Write how an airing ended, now or as soon as it can be written."""
        self._owed.append(Owed(airing_id, event, at, offset_ms, reason))
        self.settle()

    def progress(self, airing_id: str, offset_ms: int) -> None:
        """Remember how far it has come."""
        try:
            self._ledger.progress(airing_id, offset_ms)
        except PlayerError as error:
            self.trouble = error.message

    def alive(self, now: datetime) -> None:
        """The player was there at `now`, by a clock that is believed."""
        try:
            self._ledger.alive(now)
        except PlayerError as error:
            self.trouble = error.message

    def absent(self, stretches: tuple[tuple[datetime, datetime], ...]) -> None:
        """Remember when nobody was there."""
        try:
            self._ledger.absent(stretches)
        except PlayerError as error:
            self.trouble = error.message

    def _write(self, owed: Owed) -> None:
        if owed.event is AsRunEvent.STARTED:
            self._ledger.start(
                owed.airing_id,
                at=owed.at,
                sha256=owed.sha256,
                priority=Priority.EMERGENCY,
                reason=owed.reason,
            )
            return
        self._ledger.close_airing(
            owed.airing_id, owed.event, at=owed.at, offset_ms=owed.offset_ms, reason=owed.reason
        )


def _after(old: Record | None, owed: Owed) -> Record:
    """What the ledger will say when it has the line."""
    if owed.event is AsRunEvent.STARTED:
        attempts = old.attempts + 1 if old is not None else 1
        return Record(owed.event, owed.at, 0, attempts, owed.sha256, Priority.EMERGENCY, owed.at)
    if old is None:
        return Record(owed.event, owed.at)
    return replace(old, event=owed.event, at=owed.at, offset_ms=owed.offset_ms)
