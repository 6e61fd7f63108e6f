"""Months of weather for village boxes: outages, reboots, clocks set wrong, full disks, lost cards; and its toll.

`season` draws the facts by lot, half of the faults near an airing where they hurt; `toll` holds what a box did
against the oracle.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from broadcaster.model import AsRunEvent
from broadcaster.playout.journal import Event
from tests.support.oracle import DAY, NEVER, Due, Facts, judge
from tests.support.simulated import SimStation, World

SLOTS = (5 * 60 + 30, 17 * 60)  # local minutes; the simulation begins at a local midnight
SETTLE = 9 * DAY  # at the end everything works, so that what is known can be accounted for
REASONS = {
    "Máy phát không chạy": "off",
    "Máy phát không có giờ": "clock",
    "Đồng hồ của máy phát được chỉnh": "set",
    "Không có card": "card",
    "Đến giờ mà máy phát chưa tải": "file",
    "Đến giờ mà đài chưa có": "file",
    "Lịch của buổi này đến": "late",
}
TERMINAL = (AsRunEvent.FINISHED, AsRunEvent.INTERRUPTED, AsRunEvent.MISSED, AsRunEvent.SKIPPED)


@dataclass
class Toll:
    """What came of all airings at all boxes."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def airings(days: int, dice: random.Random) -> tuple[list[Due], frozenset[str]]:
    """Two a day; some are published at the last minute, late or never, some may not start late."""
    found, strict = [], set()
    for day in range(1, days):
        for slot, start in enumerate(SLOTS):
            minute, name, draw = day * DAY + start, f"{day}-{slot}", dice.random()
            published = minute - dice.randint(60, 70 * 60)
            if draw < 0.10:
                published = minute + dice.randint(-30, 4)
            elif draw < 0.12:
                published = NEVER
            if dice.random() < 0.1:
                strict.add(name)
            found.append(Due(name, minute, minute if name in strict else minute + 5, max(1, published)))
    return found, frozenset(strict)


def season(days: int, due: Sequence[Due], dice: random.Random, *, station: np.ndarray) -> Facts:
    """One box's facts.  `station`: minutes in which the station itself can be reached."""
    minutes = days * DAY + SETTLE
    power, net, room, card = (np.ones(minutes, dtype=bool) for _ in range(4))
    offset = np.zeros(minutes, dtype=np.int64)

    def begin() -> int:
        if dice.random() < 0.5:
            return max(10, dice.choice(due).minute + dice.randint(-15, 6))
        return dice.randint(10, days * DAY - 1)

    def strike(row: np.ndarray, per_days: float, lengths: tuple[int, int], value: int = 0) -> None:
        for _ in range(max(1, round(days / per_days))):
            at = begin()
            end = min(at + round(np.exp(dice.uniform(*np.log(lengths)))), days * DAY)
            row[at:end] = value

    strike(power, 4, (1, 180))  # power cuts
    strike(power, 3, (1, 2))  # reboots
    strike(power, 60, (1500, 5 * DAY))  # a box that somebody unplugged
    strike(net, 4, (5, 80 * 60))
    strike(room, 8, (60, 40 * 60))
    strike(card, 8, (1, 300))
    for sign in (-1, 1):  # a clock set an hour wrong, and put right again
        strike(offset, 16, (3, 6 * 60), sign * 60)
    # A clock moves while the box runs; what it does while the box is off is seen at the next start.
    for minute in np.flatnonzero(np.diff(offset)) + 1:
        power[max(0, minute - 1) : minute + 1] = True
    return Facts(power, net & station, room, card, offset)


def worlds(
    days: int, receivers: int, seed: int, *, station_down: Sequence[tuple[int, int]] = ()
) -> list[World]:
    """Boxes that hear one station; it is down in the given minutes, and sometimes for an hour or two."""
    dice = random.Random(seed)
    due, strict = airings(days, dice)
    up = np.ones(days * DAY + SETTLE, dtype=bool)
    for _ in range(days // 5):
        at = dice.choice(due).minute + dice.randint(-90, 5)
        up[at : at + dice.randint(5, 240)] = False
    for first, last in station_down:
        up[first:last] = False
    station = SimStation(due, strict)
    return [World(season(days, due, dice, station=up), station, number) for number in range(1, receivers + 1)]


def toll(world: World, events: Sequence[Event], into: Toll) -> None:
    """Hold what a box did against what it could have done."""
    by_airing: dict[str, list[Event]] = {}
    for event in events:
        by_airing.setdefault(event.airing_id, []).append(event)
    onsets = Counter(name for name, _second in world.sounded)
    for name, verdict in judge(world.facts, list(world.station.airings)).items():
        rows = by_airing.get(name, [])
        ends = [row for row in rows if row.event in TERMINAL]
        starts = [row for row in rows if row.event is AsRunEvent.STARTED]
        fault = ""
        if len(starts) > 1 or onsets[name] > 1:
            fault = "started twice"
        elif onsets[name] and not starts:
            fault = "sounded and was not written down"
        elif verdict.playable != bool(onsets[name]):
            fault = "could have played and did not" if verdict.playable else "played although it could not"
        elif verdict.known and len(ends) != 1:
            fault = f"{len(ends)} ends"
        elif ends and ends[0].event in (AsRunEvent.MISSED, AsRunEvent.SKIPPED):
            named = next(
                (flag for text, flag in REASONS.items() if ends[0].reason.startswith(text)), ends[0].reason
            )
            into.counts[f"not played: {named}"] += 1
            if named not in verdict.true:
                fault = f"gives “{ends[0].reason}”, true are {sorted(verdict.true)}"
        if fault:
            into.wrong.append(
                f"receiver {world.receiver}, airing {name}: {fault} ({[row.event.value for row in rows]})"
            )
        into.counts["airings"] += 1
        into.counts["could be played"] += verdict.playable
        into.counts["played"] += bool(onsets[name])
        into.counts["cut by a fault"] += bool(ends and ends[0].event is AsRunEvent.INTERRUPTED)
        into.counts["unknown"] += not verdict.known
