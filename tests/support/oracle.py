"""Which airings a box could have played, minute by minute, and which reasons for silence would be true.

Written from the promises alone; it imports nothing of the player.  Every minute a box has power, the station in
reach, room on its disk and a sound card, or not, and a clock that is so many minutes off.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

AHEAD, REFRESH, DAY = (
    72 * 60,
    360,
    1440,
)  # the plan reaches AHEAD; the station moves it on every REFRESH minutes
TRUSTED_OFFSET = 2  # minutes that a clock may differ from the station's
NEVER = 10**9
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Due:
    """An airing: its minute, until which minute it may start, when its file appeared (NEVER = not at all)."""

    name: str
    minute: int
    latest: int
    published: int


@dataclass(frozen=True)
class Facts:
    """One box: an entry a minute."""

    power: Flags
    net: Flags
    room: Flags
    card: Flags
    offset: NDArray[np.int64]


@dataclass(frozen=True)
class Verdict:
    """`playable`: it must have started.  `known`: it must be accounted for.  `true` are reasons that hold."""

    playable: bool
    known: bool
    true: frozenset[str]


def believed(facts: Facts) -> Flags:
    """Minutes whose clock may be believed: the station said so since the box started, or time did not go back."""
    answer = np.zeros(len(facts.power), dtype=bool)
    asked, floor = -NEVER, -NEVER
    for minute in range(len(answer)):
        if not facts.power[minute]:
            asked = -NEVER
            continue
        if facts.net[minute]:
            asked = minute
        reading, off = minute + int(facts.offset[minute]), abs(int(facts.offset[minute]))
        answer[minute] = off <= TRUSTED_OFFSET if minute - asked < DAY else reading > floor
        if answer[minute]:
            floor = reading
    return answer


def first(flags: Flags, since: int) -> int:
    """The first minute from `since` on, or one that never comes."""
    found = np.flatnonzero(flags[max(since, 0) :])
    return max(since, 0) + int(found[0]) if len(found) else NEVER


def judge(facts: Facts, airings: list[Due]) -> dict[str, Verdict]:
    """A verdict an airing."""
    minutes = np.arange(len(facts.power))
    reading, sure, verdicts = minutes + facts.offset, believed(facts), {}
    for due in airings:
        listed = due.minute // REFRESH * REFRESH - AHEAD
        known = first(facts.power & facts.net, listed)
        held = first(facts.power & facts.net & facts.room, max(listed, due.published))
        by_clock = (reading >= due.minute) & (reading <= due.latest)
        near = by_clock | ((minutes >= due.minute) & (minutes <= due.latest))
        closed = first(facts.power & sure & (reading > due.latest), known)
        fit = facts.power & sure & facts.card & (minutes >= held) & (minutes < closed)
        # committed a moment ahead: then only power and card count, and what fails is not repeated
        cued, works = fit[:-1] & (reading[:-1] == due.minute - 1), (facts.power & facts.card)[1:]
        could = (cued & works).any() or ((by_clock & fit).any() and not cued.any())
        true = {
            "off": (near & ~facts.power).any(),
            "clock": (near & facts.power & ~sure).any(),
            "set": not (by_clock & facts.power & sure).any(),
            "card": (by_clock & facts.power & ~facts.card).any(),
            "file": (by_clock & facts.power & (minutes < held)).any(),
            "late": (near & facts.power & (minutes < known)).any(),
        }
        verdicts[due.name] = Verdict(bool(could), known < NEVER, frozenset(n for n in true if true[n]))
    return verdicts
