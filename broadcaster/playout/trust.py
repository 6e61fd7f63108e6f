"""Whether the player's clock may be believed: by the station while it answers, else by what was written before.

Given readings of clocks, it reads none itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from broadcaster.playout.decide import ASLEEP

_OFF_S: Final = 120.0  # a clock this far from the station's is not to be believed
_MEASURED_LATELY_S: Final = 86_400.0  # the clock since boot knows no steps, and drifts seconds a day
_SLACK: Final = timedelta(seconds=5)  # an airing is committed up to this long before its instant


class Trust:
    """`floor` is the earliest instant that it can be; `lost` the last stretch without a believed clock."""

    def __init__(self, floor: datetime) -> None:
        self.floor = floor
        self.believed = True
        self.stepped = False
        self.lost: tuple[datetime, datetime] | None = None
        self.offset_s: float | None = None  # ours minus the station's, when it was looked at last
        self._station: tuple[datetime, float] | None = None  # its clock, and ours since boot at that moment
        self._doubted_at = 0.0
        self._seen: tuple[datetime, float] | None = None

    def measured(self, station_now: datetime, since_boot: float) -> None:
        """The station's clock answered; `since_boot` is ours at that moment."""
        self._station = (station_now, since_boot)

    def judge(self, now: datetime, monotonic: float, since_boot: float, issued_at: datetime | None) -> None:
        """Look at the clocks; `issued_at` is the signed instant of the manifest held."""
        if self._seen is not None:
            wall, boot = self._seen
            self.stepped = (now - wall).total_seconds() - (since_boot - boot) > ASLEEP.total_seconds()
        if self._station is not None:
            station_now, boot = self._station
            self.offset_s = (now - station_now).total_seconds() - (since_boot - boot)
        self._seen = (now, since_boot)
        trusted = self._trusted(now, since_boot, issued_at)
        if self.believed and not trusted:
            self._doubted_at = monotonic
        if trusted and not self.believed:
            self.lost = (now - timedelta(seconds=monotonic - self._doubted_at), now)
        self.believed = trusted

    def wrote(self, now: datetime) -> None:
        """A believed `now` was written down.

        It may lie before the floor: then the station has said that the clock had run ahead.
        """
        self.floor = now

    def _trusted(self, now: datetime, since_boot: float, issued_at: datetime | None) -> bool:
        if (
            self._station is not None
            and since_boot - self._station[1] < _MEASURED_LATELY_S
            and self.offset_s is not None
        ):
            return abs(self.offset_s) <= _OFF_S
        if issued_at is not None and now < issued_at - timedelta(seconds=_OFF_S):
            return False
        return now >= self.floor - _SLACK
