"""Ledger -> the figures of a report.  Pure; the three columns are counted beside one another.

How each is counted:

- *airings* (buổi): those the station meant to sound; played when in one village a receiver played it,
  confirmed when one village said so.
- *villages* (lượt thôn): one airing in one village; played when one of the village's receivers played at
  least 95 %; receivers (lượt máy) are counted beside it.
- *bulletins on the air* (lượt tin bài): distinct (bulletin, airing) pairs; the number of bulletins beside it.

A topic's or an author's airings are those with one of its bulletins, so they overlap; its lượt tin bài do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from broadcaster.report.ledger import Activity, Cell, Item, Ledger, Part, Player, Post, Said
from broadcaster.report.tallies import Tally, VillageCount, by_part, by_village, tally_of
from broadcaster.report.targets import Standing

_Key = TypeVar("_Key", int, str)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: `key` finds its rows again (a village's id, a topic's id, a slot's name…)."""

    key: str
    label: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Miss:
    """One reason why something was not heard.  `side` is planned, player or village; `count` in its unit."""

    side: str
    what: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What part of the ledger is asked for; None = all of it."""

    topic: int | None = None
    village: int | None = None
    slot: str | None = None
    author: int | None = None
    month: str | None = None

    def takes(self, part: Part) -> bool:
        """True when the airing belongs to it (the village is a matter of cells)."""
        if self.slot is not None and part.slot != self.slot:
            return False
        if self.month is not None and f"{part.local_date:%Y-%m}" != self.month:
            return False
        return not self.of_items or any(self.takes_item(item) for item in part.items)

    @property
    def of_items(self) -> bool:
        """True when it chooses among bulletins."""
        return self.topic is not None or self.author is not None

    def takes_item(self, item: Item) -> bool:
        """True when the bulletin is one of its bulletins."""
        return (self.topic is None or item.topic_id == self.topic) and (
            self.author is None or item.author_id == self.author
        )


EVERYTHING: Final = Choice()


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything a report shows."""

    ledger: Ledger
    choice: Choice
    total: Tally
    by_topic: tuple[Line, ...]
    by_village: tuple[Line, ...]
    by_slot: tuple[Line, ...]
    by_author: tuple[Line, ...]
    by_month: tuple[Line, ...]
    misses: tuple[Miss, ...]
    activities: tuple[Activity, ...]
    posts: tuple[Post, ...]
    targets: tuple[Standing, ...]
    skipped: int  # airings the station itself let go, with reasons among the misses

    def reached_here(self, target: Standing) -> int:
        """Broadcasts of the target's topic in this period alone."""
        key = str(target.topic_id)
        return next((line.tally.pieces_played for line in self.by_topic if line.key == key), 0)

    @property
    def posts_by_network(self) -> dict[str, int]:
        """network -> how many, the most first."""
        return dict(Counter(post.network for post in self.posts).most_common())


def figures(ledger: Ledger, choice: Choice = EVERYTHING) -> Figures:
    """Count what `choice` takes of the ledger."""
    cells = chosen_cells(ledger, choice)
    heard = by_part(cells)
    taken = [
        index
        for index, part in enumerate(ledger.parts)
        if choice.takes(part) and (index in heard or choice.village is None)
    ]
    meant = [index for index in taken if ledger.parts[index].planned]

    def count(parts: Iterable[int], item: Callable[[Item], bool] = lambda _item: True) -> Tally:
        return tally_of(ledger.parts, parts, heard, lambda one: choice.takes_item(one) and item(one))

    def grouped(key: Callable[[Part], Iterable[_Key]]) -> dict[_Key, list[int]]:
        found: dict[_Key, list[int]] = {}
        for index in meant:
            for one in key(ledger.parts[index]):
                found.setdefault(one, []).append(index)
        return found

    def of_items(key: Callable[[Item], int], names: Mapping[int, str]) -> tuple[Line, ...]:
        parts = grouped(lambda part: dict.fromkeys(key(i) for i in part.items if choice.takes_item(i)))
        return tuple(
            Line(str(one), names[one], count(parts[one], _only(key, one))) for one in names if one in parts
        )

    slots = grouped(lambda part: (part.slot,))
    months = grouped(lambda part: (f"{part.local_date:%Y-%m}",))
    topics = {**ledger.topics, 0: "Chưa gắn chủ đề"}
    return Figures(
        ledger=ledger,
        choice=choice,
        total=count(meant),
        by_topic=of_items(lambda item: item.topic_id, topics),
        by_village=_villages(ledger, choice, cells, meant),
        by_slot=tuple(
            Line(slot, slot, count(parts))
            for slot, parts in sorted(
                slots.items(), key=lambda pair: (ledger.parts[pair[1][0]].start_local, pair[0])
            )
        ),
        by_author=of_items(lambda item: item.author_id, ledger.authors),
        by_month=tuple(
            Line(month, month_label(month), count(parts)) for month, parts in sorted(months.items())
        ),
        misses=_misses(ledger, taken, cells, choice),
        activities=tuple(one for one in ledger.activities if choice.topic in (None, one.topic_id)),
        posts=tuple(one for one in ledger.posts if choice.topic in (None, one.topic_id)),
        # A target is the whole station's: beside the figures of one village it would mean something else.
        targets=tuple(
            one
            for one in ledger.targets
            if choice == Choice(topic=choice.topic) and choice.topic in (None, one.topic_id)
        ),
        skipped=len({ledger.parts[i].airing_id for i in taken if not ledger.parts[i].planned}),
    )


def chosen_cells(ledger: Ledger, choice: Choice) -> Sequence[Cell]:
    """The cells of the parts that `choice` takes, planned or not, of its village."""
    if choice == EVERYTHING:
        return ledger.cells
    taken = {index for index, part in enumerate(ledger.parts) if choice.takes(part)}
    return [
        cell
        for cell in ledger.cells
        if cell.part in taken and (choice.village is None or cell.village == choice.village)
    ]


def _only(key: Callable[[Item], int], value: int) -> Callable[[Item], bool]:
    return lambda item: key(item) == value


def month_label(month: str) -> str:
    """'2026-11' -> 'tháng 11/2026'."""
    day = date.fromisoformat(f"{month}-01")
    return f"tháng {day.month}/{day.year}"


def _villages(
    ledger: Ledger, choice: Choice, cells: Sequence[Cell], meant: Sequence[int]
) -> tuple[Line, ...]:
    """Every village's line in one walk over the cells."""
    mine = by_village(cells, set(meant))
    lengths = {index: ledger.parts[index].duration_ms or 0 for index in meant}
    own = {
        index: frozenset(
            item.bulletin_id for item in ledger.parts[index].items if item.sounds and choice.takes_item(item)
        )
        for index in meant
    }
    everybody = choice.village is None and not choice.of_items
    return tuple(
        Line(
            str(village.id),
            village.label(ledger.period),
            mine.get(village.id, VillageCount()).tally(own, lengths),
        )
        for village in ledger.villages
        if village.id in mine or everybody
    )


def _misses(ledger: Ledger, taken: Sequence[int], cells: Iterable[Cell], choice: Choice) -> tuple[Miss, ...]:
    """Reasons, the most frequent first within each side: the station's own, the players', the villages'."""
    let_go = Counter(
        ledger.parts[index].reason or "không ghi lý do"
        for index in {ledger.parts[i].airing_id: i for i in taken if not ledger.parts[i].planned}.values()
    )
    dropped = Counter(
        item.dropped or "không kịp giờ chốt nội dung"
        for index in taken
        if ledger.parts[index].planned
        for item in ledger.parts[index].items
        if not item.sounds and choice.takes_item(item)
    )
    player: Counter[tuple[str, str]] = Counter()
    said: Counter[str] = Counter()
    planned = [part.planned for part in ledger.parts]
    for cell in cells:
        if (cell.player is Player.PLAYED and cell.said is not Said.FAILED) or not planned[cell.part]:
            continue
        if cell.player is not Player.PLAYED:
            player[PLAYER_WORDS[cell.player], cause(cell)] += 1
        if cell.said is Said.FAILED:
            said[cell.said_reason or "không ghi lý do"] += 1
    return (
        *(Miss("planned", "Đài cho nghỉ buổi phát", reason, n) for reason, n in let_go.most_common()),
        *(Miss("planned", "Tin bài bị rút khỏi buổi phát", reason, n) for reason, n in dropped.most_common()),
        *(Miss("player", what, reason, n) for (what, reason), n in player.most_common()),
        *(Miss("village", "Thôn báo không phát được", reason, n) for reason, n in said.most_common()),
    )


PLAYER_WORDS: Mapping[Player, str] = {
    Player.PLAYED: "đã phát đủ",
    Player.PARTLY: "phát dở",
    Player.SILENT: "không phát",
    Player.UNREPORTED: "chưa có báo cáo",
    Player.NO_RECEIVER: "không có máy thu",
}
SAID_WORDS: Mapping[Said, str] = {
    Said.PLAYED: "đã phát xong",
    Said.FAILED: "không phát được",
    Said.DOWNLOADED: "mới tải về",
    Said.NOTHING: "chưa xác nhận",
}


def cause(cell: Cell) -> str:
    """The cell's reason without what differs from airing to airing (times, receivers' names)."""
    if cell.player is Player.NO_RECEIVER:
        return "thôn chưa có máy thu"
    if cell.player is Player.UNREPORTED:
        return "chưa nhận được nhật ký của máy"
    return cell.why.partition(": ")[2].rstrip(".") or cell.why.rstrip(".")
