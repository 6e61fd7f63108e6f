"""The period's facts, one cell an airing and village: what every figure of a report is counted from.

Planned, player and village stand side by side in a cell and are never merged.  Everything that shows a
figure (screen, .docx, .xlsx, .csv, .pdf) counts these cells, so no two of them can disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import IntEnum
from typing import Final, NamedTuple

from broadcaster.model import AiringOrigin, AiringState, Priority
from broadcaster.report.period import Period
from broadcaster.report.targets import Standing

ENOUGH: Final = 0.95  # of a programme: what counts as played for a village


class Player(IntEnum):
    """What the players' logs say about an airing in a village; the best of its receivers."""

    PLAYED = 0  # one receiver played at least 95 % of it
    PARTLY = 1
    SILENT = 2  # missed or skipped, with a reason
    UNREPORTED = 3
    NO_RECEIVER = 4


class Said(IntEnum):
    """What the village itself said."""

    PLAYED = 0
    FAILED = 1
    DOWNLOADED = 2
    NOTHING = 3


@dataclass(frozen=True, slots=True)
class Item:
    """One bulletin of a running order.  `sounds` = it was in the programme; else `dropped` says why not.

    `air_ms` = how long its take sounds in it, twice where it is read twice.
    """

    bulletin_id: int
    revision_id: int | None
    title: str
    topic_id: int  # 0 = none
    author_id: int
    sounds: bool
    dropped: str = ""
    air_ms: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One airing, as the villages of one running order heard it (nearly always all of them)."""

    airing_id: str
    variant: int
    origin: AiringOrigin
    priority: Priority
    state: AiringState
    reason: str
    local_date: date
    start_local: time
    planned_at: datetime
    slot: str  # the slot's name at that time
    duration_ms: int | None
    sha256: str  # of the file that went on the air; "" = none was made
    items: tuple[Item, ...]

    @property
    def planned(self) -> bool:
        """True when the station meant it to sound."""
        return self.state not in (AiringState.SKIPPED, AiringState.CANCELLED)

    @property
    def sounding(self) -> tuple[Item, ...]:
        """The bulletins that were in it."""
        return tuple(item for item in self.items if item.sounds)


@dataclass(frozen=True, slots=True)
class Place:
    """A village with the dates it existed; `successor` is the name of the one it was merged into."""

    id: int
    slug: str
    name: str
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str = ""

    def label(self, period: Period) -> str:
        """Its name, with the day it began or ended when that lies in the period."""
        notes = []
        if self.valid_from is not None and period.first < self.valid_from <= period.last:
            notes.append(f"từ ngày {self.valid_from:%d/%m/%Y}")
        if self.valid_to is not None and period.first <= self.valid_to < period.last:
            notes.append(f"đến ngày {self.valid_to:%d/%m/%Y}")
            if self.successor:
                notes.append(f"nay thuộc {self.successor}")
        return f"{self.name} ({', '.join(notes)})" if notes else self.name


class Cell(NamedTuple):
    """One airing in one village.  `why` is one sentence of the player's side ("" = played in full)."""

    part: int  # index in Ledger.parts
    village: int  # Place.id
    player: Player
    said: Said
    receivers: int  # that this village hears
    receivers_played: int  # of them, at least 95 %
    why: str = ""
    said_reason: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """What was done beside the loudspeakers: a meeting, a banner, a poster."""

    id: int
    kind: str
    day: date
    title: str
    place: str
    topic_id: int
    quantity: int
    people: int | None
    note: str
    files: tuple[tuple[str, str], ...] = ()  # name, SHA-256


@dataclass(frozen=True, slots=True)
class Post:
    """A bulletin put on one of the commune's pages, by the station or by a person's hand."""

    network: str
    day: date
    bulletin_id: int
    title: str
    topic_id: int
    by_hand: bool
    url: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """A period up to `as_of`: airings whose time had come by then, drills apart."""

    station: str
    zone: str
    period: Period
    as_of: datetime
    parts: tuple[Part, ...]
    cells: tuple[Cell, ...]
    villages: tuple[Place, ...]  # those with cells, and those that existed in the period
    topics: Mapping[int, str]  # in the station's order; 0 = none
    authors: Mapping[int, str]
    activities: tuple[Activity, ...] = ()
    posts: tuple[Post, ...] = ()
    targets: tuple[Standing, ...] = ()  # of topics, as they stood at the period's end or today
    to_come: int = 0  # airings of the period still ahead of `as_of`
    drills: int = 0
