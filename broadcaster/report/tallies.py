"""Adding up cells.  Pure; every sum of a report is made here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import add, itemgetter

from broadcaster.report.ledger import Cell, Item, Part, Player, Said

_PLAYERS, _SAIDS = len(Player), len(Said)


@dataclass(frozen=True, slots=True)
class Tally:
    """Whole numbers of one line of a report."""

    airings: int = 0
    airings_played: int = 0
    airings_confirmed: int = 0
    villages: int = 0
    villages_played: int = 0
    villages_partly: int = 0
    villages_silent: int = 0
    villages_unreported: int = 0
    villages_without_receiver: int = 0
    villages_confirmed: int = 0
    villages_failed: int = 0
    villages_unsaid: int = 0
    receivers: int = 0
    receivers_played: int = 0
    pieces: int = 0
    pieces_played: int = 0
    pieces_confirmed: int = 0
    bulletins: int = 0
    bulletins_played: int = 0
    bulletins_confirmed: int = 0
    planned_ms: int = 0
    played_ms: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Heard:
    """A part's cells added up: index = Player, then Said; receivers and those that played."""

    player: Sequence[int]
    said: Sequence[int]
    receivers: int
    receivers_played: int


def by_part(cells: Iterable[Cell]) -> dict[int, Heard]:
    # Counted by the library's own loop: a year is 27 000 cells of a few kinds an airing.
    rows: dict[int, list[int]] = {}
    kinds = Counter(map(itemgetter(0, 2, 3, 4, 5), cells))
    for (part, player, said, receivers, receivers_played), number in kinds.items():
        row = rows.get(part)
        if row is None:
            row = rows[part] = [0] * (_PLAYERS + _SAIDS + 2)
        row[player] += number
        row[_PLAYERS + said] += number
        row[-2] += receivers * number
        row[-1] += receivers_played * number
    return {index: Heard(row[:_PLAYERS], row[_PLAYERS:-2], row[-2], row[-1]) for index, row in rows.items()}


def tally_of(
    parts: Sequence[Part], which: Iterable[int], heard: Mapping[int, Heard], mine: Callable[[Item], bool]
) -> Tally:
    """`which` are indices of parts that were meant to sound; of several parts of one airing, one counts."""
    player, said = [0] * _PLAYERS, [0] * _SAIDS
    receivers = receivers_played = 0
    airings: dict[str, int | None] = {}
    played: set[str] = set()
    confirmed: set[str] = set()
    pieces: tuple[set[tuple[int, str]], ...] = (set(), set(), set())
    for index in which:
        part = parts[index]
        length = airings.get(part.airing_id)
        airings[part.airing_id] = max(length or 0, part.duration_ms or 0)
        own = {(item.bulletin_id, part.airing_id) for item in part.items if item.sounds and mine(item)}
        pieces[0].update(own)
        one = heard.get(index)
        if one is None:
            continue
        player = list(map(add, player, one.player))
        said = list(map(add, said, one.said))
        receivers += one.receivers
        receivers_played += one.receivers_played
        if one.player[Player.PLAYED]:
            played.add(part.airing_id)
            pieces[1].update(own)
        if one.said[Said.PLAYED]:
            confirmed.add(part.airing_id)
            pieces[2].update(own)
    bulletins = [len({bulletin for bulletin, _airing in group}) for group in pieces]
    return Tally(
        airings=len(airings),
        airings_played=len(played),
        airings_confirmed=len(confirmed),
        villages=sum(player),
        villages_played=player[Player.PLAYED],
        villages_partly=player[Player.PARTLY],
        villages_silent=player[Player.SILENT],
        villages_unreported=player[Player.UNREPORTED],
        villages_without_receiver=player[Player.NO_RECEIVER],
        villages_confirmed=said[Said.PLAYED],
        villages_failed=said[Said.FAILED],
        villages_unsaid=said[Said.DOWNLOADED] + said[Said.NOTHING],
        receivers=receivers,
        receivers_played=receivers_played,
        pieces=len(pieces[0]),
        pieces_played=len(pieces[1]),
        pieces_confirmed=len(pieces[2]),
        bulletins=bulletins[0],
        bulletins_played=bulletins[1],
        bulletins_confirmed=bulletins[2],
        planned_ms=sum(length or 0 for length in airings.values()),
        played_ms=sum(airings[airing] or 0 for airing in played),
    )


@dataclass(slots=True)
class VillageCount:
    """One village's cells while they are added up; the lists hold indices of parts."""

    parts: list[int] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    player: Counter[int] = field(default_factory=Counter)
    said: Counter[int] = field(default_factory=Counter)
    receivers: int = 0
    receivers_played: int = 0

    def tally(self, own: Mapping[int, frozenset[int]], lengths: Mapping[int, int]) -> Tally:
        """The village's line; `own` = bulletins and `lengths` = ms of each part."""
        groups = (self.parts, self.heard, self.told)
        pieces = [sum(map(len, map(own.__getitem__, group))) for group in groups]
        bulletins = [len(frozenset[int]().union(*map(own.__getitem__, group))) for group in groups]
        return Tally(
            airings=len(self.parts), airings_played=len(self.heard), airings_confirmed=len(self.told),
            villages=len(self.parts), villages_played=len(self.heard),
            villages_partly=self.player[Player.PARTLY], villages_silent=self.player[Player.SILENT],
            villages_unreported=self.player[Player.UNREPORTED],
            villages_without_receiver=self.player[Player.NO_RECEIVER], villages_confirmed=len(self.told),
            villages_failed=self.said[Said.FAILED],
            villages_unsaid=self.said[Said.DOWNLOADED] + self.said[Said.NOTHING],
            receivers=self.receivers, receivers_played=self.receivers_played,
            pieces=pieces[0], pieces_played=pieces[1], pieces_confirmed=pieces[2],
            bulletins=bulletins[0], bulletins_played=bulletins[1], bulletins_confirmed=bulletins[2],
            planned_ms=sum(map(lengths.__getitem__, self.parts)),
            played_ms=sum(map(lengths.__getitem__, self.heard)),
        )  # fmt: skip


def by_village(cells: Iterable[Cell], planned: Container[int]) -> dict[int, VillageCount]:
    """Every village's count of the planned parts, in one walk over the cells."""
    found: dict[int, VillageCount] = defaultdict(VillageCount)
    kept = [cell for cell in cells if cell[0] in planned]
    for part, village, player, said, *_ in kept:
        row = found[village]
        row.parts.append(part)
        if not player:
            row.heard.append(part)
        if not said:
            row.told.append(part)
    kinds = Counter(map(itemgetter(1, 2, 3, 4, 5), kept))
    for (village, player, said, receivers, receivers_played), number in kinds.items():
        row = found[village]
        row.player[player] += number
        row.said[said] += number
        row.receivers += receivers * number
        row.receivers_played += receivers_played * number
    return dict(found)
