"""A story in TOML (`tests/scenarios/README.md`) -> what the real player did in simulated time."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from broadcaster.playout.journal import Event
from tests.support.oracle import DAY, NEVER, Due, Facts
from tests.support.simulated import SimStation, World, boxes

FLAGS = {"power_off": "power", "unreachable": "net", "disk_full": "room", "no_card": "card"}


@dataclass(frozen=True)
class Scenario:
    """What was planned, what went wrong, what is expected."""

    title: str
    facts: Facts
    station: SimStation
    expect: dict[str, list[str]]
    reason: dict[str, str]


def read(path: Path) -> Scenario:
    """KeyError or ValueError when the file is not of the described shape."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    length = int(data["minutes"]) + 2
    rows = {name: np.ones(length, dtype=bool) for name in FLAGS.values()}
    offset = np.zeros(length, dtype=np.int64)
    for name, stretches in data.get("faults", {}).items():
        for stretch in stretches:
            first, last = minute(stretch[0]), minute(stretch[1])
            if name == "clock_wrong":
                offset[first:last] = int(stretch[2])
            else:
                rows[FLAGS[name]][first:last] = False
    due = [_airing(row) for row in data["airing"]]
    strict = frozenset(one.name for one in due if one.latest == one.minute)
    return Scenario(
        str(data["title"]), Facts(**rows, offset=offset), SimStation(due, strict), dict(data["expect"]),
        dict(data.get("reason", {})),
    )  # fmt: skip


def minute(text: str) -> int:
    """'05:30' or '1 05:30' -> minutes since the first midnight."""
    day, _, clock = text.rpartition(" ")
    hours, minutes = clock.split(":")
    return int(day or 0) * DAY + int(hours) * 60 + int(minutes)


def play(scenario: Scenario, folder: Path) -> dict[str, list[Event]]:
    """What the player wrote of each airing."""
    ((_world, events),) = boxes(folder, [World(scenario.facts, scenario.station, 1)])
    return {
        due.name: [event for event in events if event.airing_id == due.name]
        for due in scenario.station.airings
    }


def _airing(row: dict[str, Any]) -> Due:
    at, published = minute(row["at"]), row.get("published", "00:01")
    return Due(
        row["name"],
        at,
        at + int(row.get("late_minutes", 5)),
        NEVER if published == "never" else minute(published),
    )
