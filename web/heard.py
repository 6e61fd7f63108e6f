"""The report's rows (one an airing and village) gathered by airing, for the screens.  Pure.

The players' own reports and the villages' words stay side by side and are never merged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from broadcaster.model import Outcome, ReceiptKind
from broadcaster.report.counting import PlayerLine, ReportRow


@dataclass(slots=True)
class Heard:
    """One airing: how many villages it was for, what its players report, what villages say."""

    row: ReportRow
    villages: int = 0
    players: dict[int, PlayerLine] = field(default_factory=dict)
    played: int = 0
    downloaded: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)  # village, reason
    quiet: list[str] = field(default_factory=list)  # villages that have said nothing final

    @property
    def silent(self) -> int:
        """Villages that have said nothing final."""
        return self.villages - self.played - len(self.failures)

    def add(self, row: ReportRow) -> None:
        """Count one village."""
        self.villages += 1
        for line in row.players:
            self.players.setdefault(line.receiver_id, line)
        said = row.confirmed
        if said is None or said.kind is ReceiptKind.DOWNLOADED:
            self.quiet.append(row.village)
        if said is None:
            return
        if said.kind is ReceiptKind.PLAYED:
            self.played += 1
        elif said.kind is ReceiptKind.FAILED:
            self.failures.append((row.village, said.reason))
        else:
            self.downloaded += 1


@dataclass(frozen=True, slots=True)
class Totals:
    """A period's figures: airings planned, those that a player reports as played, and villages' words."""

    airings: int
    played: int
    words: int
    confirmed: int
    failed: int


def by_airing(rows: Iterable[ReportRow]) -> dict[str, Heard]:
    """Every airing of the rows, in their order."""
    found: dict[str, Heard] = {}
    for row in rows:
        found.setdefault(row.airing_id, Heard(row)).add(row)
    return found


def totals(heard: Iterable[Heard], now: datetime) -> Totals:
    """The figures over airings that the station meant to sound and whose time has come, as the report counts."""
    meant = [one for one in heard if one.row.planned and one.row.planned_at <= now]
    played = [
        one for one in meant if any(line.told.outcome is Outcome.PLAYED for line in one.players.values())
    ]
    return Totals(
        airings=len(meant),
        played=len(played),
        words=sum(one.villages for one in meant),
        confirmed=sum(one.played for one in meant),
        failed=sum(len(one.failures) for one in meant),
    )
