"""What a player was told and what it knows of itself, as values; the manifest's JSON is checked here (pure).

`Manifest` is the station's word; `Journal` is a snapshot of the player: what its ledger says, what sounds,
which files are decoded, whether its clock can be trusted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from broadcaster.errors import PlayerError
from broadcaster.model import AiringOrigin, AiringState, AsRunEvent, LatePolicy, Priority, StartMode

PUNCTUAL: Final = timedelta(seconds=2)  # what still counts as on time
LARGEST_BYTES: Final = 4 * 1024 * 1024
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SUFFIXES: Final = ("mp3", "flac")


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A file of the station, named by its hash."""

    sha256: str
    size_bytes: int
    suffix: str = "mp3"

    @property
    def name(self) -> str:
        """Its name on disk and in the URL."""
        return f"{self.sha256}.{self.suffix}"


@dataclass(frozen=True, slots=True)
class ToPlay:
    """One airing as this receiver should play it.  No file = there is nothing to play (yet, or any more)."""

    id: str
    planned_at: datetime
    file: AudioFile | None
    title: str = ""
    origin: AiringOrigin = AiringOrigin.SLOT
    priority: Priority = Priority.ROUTINE
    state: AiringState = AiringState.PLANNED
    reason: str = ""
    start_mode: StartMode = StartMode.AT_ONCE
    wait_s: int = 0
    late_policy: LatePolicy = LatePolicy.PLAY_WITHIN_GRACE
    grace_s: int = 300
    volume_percent: int = 100
    duration_ms: int = 0

    @property
    def deadline(self) -> datetime:
        """The last instant at which it may begin."""
        lenient = self.late_policy is LatePolicy.PLAY_WITHIN_GRACE or self.priority is Priority.EMERGENCY
        return self.planned_at + max(timedelta(seconds=self.grace_s) if lenient else PUNCTUAL, PUNCTUAL)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The signed list, ordered among others by (epoch, version), then by when it was issued."""

    station: str
    receiver: int
    epoch: int
    version: int
    issued_at: datetime
    valid_until: datetime
    airings: tuple[ToPlay, ...]
    clips: tuple[AudioFile, ...] = ()
    zone: str = "Asia/Ho_Chi_Minh"

    @property
    def order(self) -> tuple[int, int, datetime]:
        """A manifest of a lower order is never accepted."""
        return (self.epoch, self.version, self.issued_at)

    def airing(self, airing_id: str) -> ToPlay | None:
        """The airing of that id."""
        return next((one for one in self.airings if one.id == airing_id), None)


def reaching_back(plan: Manifest | None, former: Manifest | None) -> Manifest | None:
    """`plan`, with what `former` named and it no longer does because that is too long ago.

    A plan reaches back a week; a box that was off for longer still has to say that it was.  Only airings whose
    time was over before the first one of `plan` are added, so nothing that the station took out is played.
    """
    if plan is None or former is None or former is plan:
        return plan
    if (former.station, former.receiver, former.epoch) != (plan.station, plan.receiver, plan.epoch):
        return plan
    first = min((plan.issued_at, *(one.planned_at for one in plan.airings)))
    gone = [one for one in former.airings if one.deadline < first]
    return replace(plan, airings=(*gone, *plan.airings))


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger says of one airing: its last event, when, how much of it had sounded, which try."""

    event: AsRunEvent
    at: datetime
    offset_ms: int = 0
    attempts: int = 0
    sha256: str = ""
    priority: Priority = Priority.ROUTINE
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the as-run, as it is uploaded."""

    sequence: int
    airing_id: str
    event: AsRunEvent
    at: datetime
    offset_ms: int = 0
    sha256: str = ""
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """The shape of `docs/api/events.schema.json`."""
        return {
            "sequence": self.sequence,
            "airing_id": self.airing_id,
            "event": str(self.event),
            "at": utc_text(self.at),
            "offset_ms": self.offset_ms,
            "sha256": self.sha256,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Journal:
    """The player's own knowledge at one instant.

    `born_at`: what was due before this player was paired is not its business.  `sounding` is the airing in
    the output (also one that is cued for a coming instant).  `ready` are hashes decoded in memory.
    `trusted`: the clock may be believed; `floor` is the earliest instant it can be.  `clock_lost`:
    between these instants the player was there, but its clock was not to be believed.  `stepped`: the wall
    clock was set since the last look.  `absences`: stretches in which the player was not there.  `fault`: why the output is silent; empty = it works.
    """

    born_at: datetime
    records: Mapping[str, Record] = field(default_factory=dict)
    sounding: str | None = None
    ready: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    trusted: bool = True
    floor: datetime | None = None
    clock_lost: tuple[datetime, datetime] | None = None
    stepped: bool = False
    absences: tuple[tuple[datetime, datetime], ...] = ()
    fault: str = ""
    unwritable: str = ""
    trouble: str = ""
    early_volume_percent: int = 100


def read_manifest(body: bytes) -> Manifest:
    """Check and read a manifest.  PlayerError when it is too large or not of the agreed shape."""
    if len(body) > LARGEST_BYTES:
        raise PlayerError("Lịch từ đài lớn bất thường nên không nhận. Hãy báo cán bộ phụ trách đài.")
    try:
        data = json.loads(body)
        manifest = Manifest(
            station=_text(data, "station"),
            receiver=_number(data, "receiver"),
            epoch=_number(data, "epoch"),
            version=_number(data, "version"),
            issued_at=_instant(data, "issued_at"),
            valid_until=_instant(data, "valid_until"),
            airings=tuple(_airing(one) for one in data["airings"]),
            clips=tuple(_file(one) for one in data["clips"]),
            zone=_text(data, "zone"),
        )
        ZoneInfo(manifest.zone)
        if data["format"] != 1:
            raise ValueError(f"format {data['format']!r}")
        if len({one.id for one in manifest.airings}) != len(manifest.airings):
            raise ValueError("the same airing twice")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OSError) as error:
        raise PlayerError(f"Lịch từ đài không đúng mẫu ({error}) nên không nhận.") from error
    return manifest


def _airing(data: Any) -> ToPlay:
    file = data["file"]
    return ToPlay(
        id=_text(data, "id", most=36),
        planned_at=_instant(data, "planned_at"),
        file=None if file is None else _file(file),
        title=_text(data, "title"),
        origin=AiringOrigin(data["origin"]),
        priority=Priority(data["priority"]),
        state=AiringState(data["state"]),
        reason=_text(data, "reason", most=2000),
        start_mode=StartMode(data["start_mode"]),
        wait_s=_number(data, "wait_s", most=86_400),
        late_policy=LatePolicy(data["late_policy"]),
        grace_s=_number(data, "grace_s", most=7 * 86_400),
        volume_percent=_number(data, "volume_percent", most=100),
        duration_ms=_number(data, "duration_ms", most=86_400_000),
    )


def _file(data: Any) -> AudioFile:
    sha256, suffix = _text(data, "sha256", most=64), _text(data, "suffix", most=8)
    if not _SHA256.fullmatch(sha256) or suffix not in _SUFFIXES:
        raise ValueError(f"file {sha256!r:.80}.{suffix!r:.10}")
    return AudioFile(sha256, _number(data, "size_bytes", most=1 << 30), suffix)


def _text(data: Any, key: str, *, most: int = 500) -> str:
    value = data[key]
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(f"{key}: {value!r:.80}")
    return value


def _number(data: Any, key: str, *, most: int = 1 << 40) -> int:
    value = data[key]
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{key}: {value!r:.80}")
    return value


def _instant(data: Any, key: str) -> datetime:
    value = datetime.fromisoformat(data[key])
    if value.tzinfo is None:
        raise ValueError(f"{key} has no zone")
    return value.astimezone(UTC)


def utc_text(instant: datetime) -> str:
    """Always of one length, in UTC, so that text order is time order."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")
