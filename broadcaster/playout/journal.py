"""The player's own ledger: what it did, committed before it is heard, uploaded when the station answers.

SQLite from the standard library, WAL, `synchronous=FULL`: a power cut loses nothing that was committed.
The numbering of events belongs to the receiver: it goes on where the station's copy ends, so that a new
memory card does not write over old reports.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from broadcaster.errors import PlayerError
from broadcaster.model import AsRunEvent, Priority
from broadcaster.playout.ledgerfile import is_damage, open_ledger, unused
from broadcaster.playout.plan import Event, Record, utc_text
from broadcaster.playout.reserve import Reserve

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS event (
    sequence INTEGER PRIMARY KEY, airing_id TEXT NOT NULL, event TEXT NOT NULL, at TEXT NOT NULL,
    offset_ms INTEGER NOT NULL, sha256 TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS event_airing ON event (airing_id, sequence);
CREATE TABLE IF NOT EXISTS airing (
    id TEXT PRIMARY KEY, event TEXT NOT NULL, at TEXT NOT NULL, offset_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL, sha256 TEXT NOT NULL, priority TEXT NOT NULL, started_at TEXT);
CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_SOUNDING: Final = (AsRunEvent.STARTED, AsRunEvent.RESUMED)

_ITS_OWN: Final = (
    '["confirmed", "numbered_after", "born_at", "opened_at", "successor"]'  # a receiver's, not the box's
)


class Ledger:
    """One file, one writer at a time; every method may be called from any thread.  Close it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._path = path
        self._reserve = Reserve(path.with_name(path.stem + ".reserve"))
        self._reserve.tend()
        self._db, self.damaged = open_ledger(path, _SCHEMA)
        self.broken = False  # it was found damaged since: whoever opens it again gets a new one

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    # ------------------------------------------------------------------------------------ as-run

    def start(
        self, airing_id: str, *, at: datetime, sha256: str, priority: Priority, reason: str = ""
    ) -> bool:
        """Commit that this airing begins.  False = it began before and may not begin again: stay silent.

        Only an emergency that was not heard to its end may begin again.
        """
        with self._writing():
            old = self._record(airing_id)
            if old is not None:
                again = priority is Priority.EMERGENCY and old.event in (
                    AsRunEvent.INTERRUPTED,
                    AsRunEvent.SKIPPED,
                )
                if not again:
                    return False
            attempts = old.attempts + 1 if old is not None else 1
            self._append(airing_id, AsRunEvent.STARTED, at, 0, sha256, reason)
            self._db.execute(
                "INSERT OR REPLACE INTO airing VALUES (?, ?, ?, 0, ?, ?, ?, ?)",
                (
                    airing_id,
                    AsRunEvent.STARTED.value,
                    utc_text(at),
                    attempts,
                    sha256,
                    priority.value,
                    utc_text(at),
                ),
            )
        return True

    def resume(self, airing_id: str, *, at: datetime, offset_ms: int, reason: str = "") -> bool:
        """Commit that a cut airing goes on at `offset_ms`.  False = it was not cut."""
        with self._writing():
            old = self._record(airing_id)
            if old is None or old.event is not AsRunEvent.PREEMPTED:
                return False
            self._append(airing_id, AsRunEvent.RESUMED, at, offset_ms, old.sha256, reason)
            self._move(airing_id, AsRunEvent.RESUMED, at, offset_ms)
        return True

    def close_airing(
        self, airing_id: str, event: AsRunEvent, *, at: datetime, offset_ms: int = 0, reason: str = ""
    ) -> bool:
        """Write how an airing ended (or that it was cut).  False = its ledger does not allow that any more.

        FINISHED, PREEMPTED and INTERRUPTED end what sounds; MISSED and SKIPPED what never did.
        """
        assert event not in _SOUNDING, "use start() and resume()"
        with self._writing():
            old = self._record(airing_id)
            sounds = old is not None and old.event in _SOUNDING
            if event in (AsRunEvent.MISSED, AsRunEvent.SKIPPED):
                if old is not None:
                    return False
                self._append(airing_id, event, at, 0, "", reason)
                self._db.execute(
                    "INSERT INTO airing VALUES (?, ?, ?, 0, 0, '', ?, NULL)",
                    (airing_id, event.value, utc_text(at), Priority.ROUTINE.value),
                )
                return True
            if not sounds or old is None:
                return False
            self._append(airing_id, event, at, offset_ms, old.sha256, reason)
            self._move(airing_id, event, at, offset_ms)
        return True

    def progress(self, airing_id: str, offset_ms: int) -> None:
        """Remember how far it has come, for the time after a crash; no event."""
        with self._writing():
            self._db.execute("UPDATE airing SET offset_ms = ? WHERE id = ?", (offset_ms, airing_id))

    def records(self, airing_ids: Iterable[str]) -> dict[str, Record]:
        """The last word on these airings, and on every one that is said to sound.

        Not on all: years of them would be read twenty times a second.
        """
        names = list(airing_ids)
        with self._reading():
            rows = self._db.execute(
                "SELECT id, event, at, offset_ms, attempts, sha256, priority, started_at FROM airing "
                "WHERE event IN (?, ?) OR id IN (SELECT value FROM json_each(?))",
                (*(event.value for event in _SOUNDING), json.dumps(names)),
            ).fetchall()
        return {str(row[0]): _record(row) for row in rows}

    # ------------------------------------------------------------------------------------ uploading

    def to_upload(self, *, most: int = 200) -> list[Event]:
        """The oldest events that the station has not confirmed."""
        with self._reading():
            rows = self._db.execute(
                "SELECT sequence, airing_id, event, at, offset_ms, sha256, reason FROM event "
                "WHERE sequence > ? ORDER BY sequence LIMIT ?",
                (self._confirmed(), most),
            ).fetchall()
        return [
            Event(row[0], row[1], AsRunEvent(row[2]), datetime.fromisoformat(row[3]), row[4], row[5], row[6])
            for row in rows
        ]

    def confirm(self, sequence: int) -> None:
        """The station has everything up to `sequence`."""
        with self._writing():
            if sequence > self._confirmed():
                self._put("confirmed", str(sequence))

    def agree(self, sequence: int) -> None:
        """The station says it has everything up to `sequence`.

        An empty ledger numbers on after that (the events of the one before it are there already); a station
        that knows less than it once confirmed was restored from a backup and is told again.
        """
        with self._writing():
            (highest,) = self._db.execute("SELECT COALESCE(MAX(sequence), 0) FROM event").fetchone()
            first = self._get("numbered_after") is None and self._get("confirmed") is None
            if (
                first and highest and sequence
            ):  # it played before it could ask where the one before it had ended
                self._db.execute("UPDATE event SET sequence = -sequence - ?", (sequence,))
                self._db.execute("UPDATE event SET sequence = -sequence")
            if first or highest == 0:
                self._put("numbered_after", str(sequence))
            if first or highest == 0 or sequence < self._confirmed():
                self._put("confirmed", str(sequence))

    def succeed(self, another: bool) -> None:
        """Said once to a new ledger: whether a plan was there before it, so that another one was lost."""
        with self._writing():
            self._db.execute("INSERT OR IGNORE INTO mark VALUES ('successor', ?)", (str(int(another)),))

    def belong(self, receiver: str) -> None:
        """Be the ledger of this receiver (`nhu-thanh/3`).

        When it was another one's, that one's events stay in a file beside it and are no longer uploaded.  What
        sounded keeps its record: the same airing must not sound again because the box has a new name.
        """
        with self._reading():
            before = self._get("receiver")
        if before == receiver or not receiver:
            return
        if before is not None:
            self._put_aside(before)
        with self._writing():
            if before is not None:
                self._db.execute("DELETE FROM event")
                self._db.execute(
                    "DELETE FROM mark WHERE name IN (SELECT value FROM json_each(?))", (_ITS_OWN,)
                )
            self._put("receiver", receiver)

    def opened_at(self, now: datetime) -> datetime:
        """When a believed clock first saw this ledger; `now` becomes it the first time."""
        with self._writing():
            if self._get("opened_at") is None:
                self._put("opened_at", utc_text(now))
            return self._instant("opened_at") or now

    def heard_of_reports(self) -> bool:
        """True once the station has said what it has of this receiver, or an event of its own is written."""
        with self._reading():
            (highest,) = self._db.execute("SELECT COALESCE(MAX(sequence), 0) FROM event").fetchone()
            return bool(highest) or self._get("numbered_after") is not None

    def first_of_its_receiver(self) -> bool:
        """True when the station has said that no ledger before this one ever reported.

        While it has not said so, an earlier ledger may have played what stands in the plan.
        """
        with self._reading():
            return self._get("numbered_after") == "0" and self._get("successor") != "1"

    # ------------------------------------------------------------------------------------ marks

    def born_at(self) -> datetime | None:
        """When this ledger began: what was due before is not this player's business.  None = not yet."""
        return self._instant("born_at")

    def born(self, at: datetime) -> None:
        """It begins (or began, when a clock that ran ahead is put right) at `at`."""
        with self._writing():
            self._put("born_at", utc_text(at))

    def alive(self, now: datetime) -> None:
        """The player was there at `now`, by a clock that is believed: no earlier instant can come again.

        A `now` before what was written stands: the station has put a clock right that had run ahead.
        """
        self._reserve.tend()
        with self._writing():
            self._put("alive_at", utc_text(now))
            self._put("floor", utc_text(now))

    def absent(self, stretches: Iterable[tuple[datetime, datetime]]) -> None:
        """Remember when the player was not there."""
        with self._writing():
            self._put(
                "absences", json.dumps([[utc_text(first), utc_text(last)] for first, last in stretches])
            )

    def absences(self) -> tuple[tuple[datetime, datetime], ...]:
        """When it was not there, the latest last."""
        with self._reading():
            known = json.loads(self._get("absences") or "[]")
        return tuple((datetime.fromisoformat(first), datetime.fromisoformat(last)) for first, last in known)

    def touch(self) -> None:
        """Write something that means nothing: PlayerError while the ledger cannot be written."""
        with self._writing():
            self._put("touched", "")

    def last_alive(self) -> datetime | None:
        """When the player was there the last time, as far as it was written down."""
        return self._instant("alive_at")

    def floor(self) -> datetime | None:
        """The clock can never be earlier than this.  None = nothing was written yet."""
        return self._instant("floor")

    # ------------------------------------------------------------------------------------ inside

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self.broken = self.broken or is_damage(error)
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                self._reserve.release()  # if it was the disk, the next try has some room
                raise PlayerError(
                    f"Không ghi được sổ của máy phát: {error}. Hãy kiểm tra ổ đĩa của máy phát."
                ) from error

    def _put_aside(self, receiver: str) -> None:
        copy = unused(self._path.with_name(f"{self._path.stem}-{receiver.replace('/', '-')}.db"))
        with self._reading():
            self._db.execute("VACUUM INTO ?", (str(copy),))

    def _append(
        self, airing_id: str, event: AsRunEvent, at: datetime, offset_ms: int, sha256: str, reason: str
    ) -> None:
        (highest,) = self._db.execute("SELECT COALESCE(MAX(sequence), 0) FROM event").fetchone()
        number = max(int(highest), int(self._get("numbered_after") or 0)) + 1
        self._db.execute(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, airing_id, event.value, utc_text(at), offset_ms, sha256, reason[:1000]),
        )
        self._put("floor", max(utc_text(at), self._get("floor") or ""))

    def _move(self, airing_id: str, event: AsRunEvent, at: datetime, offset_ms: int) -> None:
        self._db.execute(
            "UPDATE airing SET event = ?, at = ?, offset_ms = ? WHERE id = ?",
            (event.value, utc_text(at), offset_ms, airing_id),
        )

    def _record(self, airing_id: str) -> Record | None:
        row = self._db.execute(
            "SELECT id, event, at, offset_ms, attempts, sha256, priority, started_at FROM airing "
            "WHERE id = ?",
            (airing_id,),
        ).fetchone()
        return None if row is None else _record(row)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                self.broken = self.broken or is_damage(error)
                raise PlayerError(
                    f"Không đọc được sổ của máy phát: {error}. Hãy kiểm tra ổ đĩa của máy phát."
                ) from error

    def _instant(self, name: str) -> datetime | None:
        with self._reading():
            known = self._get(name)
        return None if known is None else datetime.fromisoformat(known)

    def _confirmed(self) -> int:
        return int(self._get("confirmed") or 0)

    def _get(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _put(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO mark VALUES (?, ?)", (name, value))


def _record(row: Any) -> Record:
    return Record(
        event=AsRunEvent(row[1]),
        at=datetime.fromisoformat(row[2]),
        offset_ms=int(row[3]),
        attempts=int(row[4]),
        sha256=str(row[5]),
        priority=Priority(row[6]),
        started_at=None if row[7] is None else datetime.fromisoformat(row[7]),
    )
