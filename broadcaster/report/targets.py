"""What a topic should reach and how far it has come.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Amount:
    """Broadcasts (lượt tin bài), minutes on the air and different bulletins."""

    broadcasts: int = 0
    minutes: int = 0
    bulletins: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """One topic between two days: wanted, reached by `until`, placed in airings to come; `behind` is what it lacks.

    `behind` compares with an even pace: half of the days gone, half of the target reached.
    """

    topic_id: int
    topic: str
    first_day: date
    last_day: date
    until: date
    wanted: Amount
    reached: Amount
    ahead: int
    behind: Amount

    @property
    def is_behind(self) -> bool:
        """True when any of the three lacks something."""
        return any((self.behind.broadcasts, self.behind.minutes, self.behind.bulletins))

    @property
    def percent(self) -> int:
        """Share of the broadcasts' target (or of the first target there is), at most 100."""
        pairs = (
            (self.reached.broadcasts, self.wanted.broadcasts), (self.reached.minutes, self.wanted.minutes),
            (self.reached.bulletins, self.wanted.bulletins),
        )  # fmt: skip
        return next((min(100, got * 100 // want) for got, want in pairs if want), 0)


def behind(wanted: Amount, reached: Amount, *, first_day: date, last_day: date, today: date) -> Amount:
    """What an even pace would have reached by the end of `today` and was not."""
    whole = (last_day - first_day).days + 1
    gone = max(0, min(whole, (today - first_day).days + 1))

    def lacking(want: int, got: int) -> int:
        return max(0, want * gone // whole - got)

    return Amount(
        lacking(wanted.broadcasts, reached.broadcasts),
        lacking(wanted.minutes, reached.minutes),
        lacking(wanted.bulletins, reached.bulletins),
    )
