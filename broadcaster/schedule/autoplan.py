"""Spreads approved bulletins over a period: pure, deterministic, with a reason for each choice.

Two passes over the openings in order of time.  The first keeps every topic at its pace, so that a target is
met evenly and not in the first weeks; the second fills what was left behind.  How good that is, is said
beside it: `bound` is what no plan whatever could exceed.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from broadcaster.model import Priority

CUT_MS = 2_500  # between two items, as the running order counts it
FRAME_MS = 45_000  # around them


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bulletin that may be placed; `placed` are the dates on which it airs already, one an airing."""

    bulletin_id: int
    title: str
    topic_id: int | None
    length_ms: int
    priority: Priority = Priority.ROUTINE
    placed: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """An airing that is to come: the room it has, and what it carries already."""

    slot_id: int
    day: date
    start: time
    max_ms: int
    used_ms: int = 0
    carried: frozenset[int] = frozenset()

    @property
    def key(self) -> tuple[int, date]:
        """Names it before it exists."""
        return (self.slot_id, self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`targets`: topic id -> airings wanted in the period, those that are placed already included.

    `rest_days`: a bulletin airs again only that many days later.  `per_airing` counts what is carried too.
    """

    targets: Mapping[int, int] = field(default_factory=dict)
    already: Mapping[int, int] = field(default_factory=dict)
    rest_days: int = 3
    per_airing: int = 3
    most_repeats: int = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """One bulletin into one opening, and why just there."""

    slot_id: int
    day: date
    bulletin_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """`met` of `bound` wanted airings (both over all topics, what was there already included)."""

    choices: tuple[Choice, ...]
    reached: Mapping[int, int]
    met: int
    bound: int
    left_out: tuple[tuple[int, str], ...]  # bulletin id, why it is nowhere

    @property
    def gap(self) -> int:
        """How many wanted airings a better plan could add at most; 0 = nothing better exists."""
        return self.bound - self.met

    @property
    def digest(self) -> str:
        """Names exactly these choices: what was seen is what is applied."""
        text = "\n".join(f"{one.slot_id} {one.day} {one.bulletin_id}" for one in self.choices)
        return hashlib.sha256(text.encode()).hexdigest()


def propose(candidates: Iterable[Candidate], openings: Iterable[Opening], limits: Limits) -> Proposal:
    """The same input gives the same plan, in whatever order it comes."""
    every = sorted(candidates, key=lambda one: one.bulletin_id)
    table = _Table(every, sorted(openings, key=lambda one: (one.day, one.start, one.slot_id)), limits)
    table.keep_pace()
    table.catch_up()
    table.let_each_be_heard()
    reached = {topic: table.reached[topic] for topic in sorted({*limits.targets, *table.reached})}
    met = sum(min(reached.get(topic, 0), wanted) for topic, wanted in limits.targets.items())
    return Proposal(
        choices=tuple(
            sorted(
                table.choices, key=lambda one: (one.day, table.start_of[one.slot_id, one.day], one.slot_id)
            )
        ),
        reached=reached,
        met=met,
        bound=bound(every, table.openings, limits),
        left_out=tuple(table.left_out()),
    )


def bound(candidates: Sequence[Candidate], openings: Sequence[Opening], limits: Limits) -> int:
    """At most so many wanted airings: no bulletin oftener than its rest allows, no more time than there is.

    Every relaxation is on the safe side: room is taken together over all airings and the shortest bulletins
    of a topic are taken first, so no plan can do better.
    """
    by_topic: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for one in candidates:
        if one.topic_id in limits.targets:
            times = _most_times(one, openings, limits)
            assert one.topic_id is not None
            by_topic[one.topic_id].append((one.length_ms, times))
    there = 0
    lengths: list[int] = []
    for topic, wanted in limits.targets.items():
        have = min(limits.already.get(topic, 0), wanted)
        there += have
        missing = wanted - have
        for length, times in sorted(by_topic[topic]):
            take = min(times, missing)
            lengths += [length] * take
            missing -= take
    seats = sum(max(limits.per_airing - len(one.carried), 0) for one in openings)
    # The first item of an empty airing pays for the frame, every other one for a cut before it: at least the cut.
    room = sum(max(one.max_ms - (one.used_ms or FRAME_MS - CUT_MS), 0) for one in openings)
    added = 0
    for length in sorted(lengths):
        if added >= seats or room < length + CUT_MS:
            break
        added, room = added + 1, room - length - CUT_MS
    return there + added


def _most_times(one: Candidate, openings: Sequence[Opening], limits: Limits) -> int:
    """How often it can air at all: the earliest possible day again and again is the most."""
    placed = sorted(one.placed)
    count, last = 0, None
    for opening in openings:
        if count >= limits.most_repeats - len(placed):
            break
        if last is not None and (opening.day - last).days < max(limits.rest_days, 0):
            continue
        if one.bulletin_id in opening.carried or not _fits(one, opening.max_ms, opening.used_ms):
            continue
        if limits.rest_days and not _rested(placed, opening.day, limits.rest_days):
            continue
        count, last = count + 1, opening.day
    return count


def _fits(one: Candidate, max_ms: int, used_ms: int) -> bool:
    return (used_ms + CUT_MS if used_ms else FRAME_MS) + one.length_ms <= max_ms


def _rested(days: Sequence[date], day: date, rest_days: int) -> bool:
    """True when no date of the sorted list is nearer than `rest_days`."""
    rest = timedelta(days=rest_days)
    return bisect_left(days, day + rest) == bisect_right(days, day - rest)


class _Table:
    """The plan while it grows."""

    def __init__(self, candidates: Sequence[Candidate], openings: Sequence[Opening], limits: Limits) -> None:
        self.openings, self.limits = openings, limits
        self.days = {one.bulletin_id: sorted(one.placed) for one in candidates}
        self.used = {one.key: one.used_ms for one in openings}
        self.seats = {one.key: limits.per_airing - len(one.carried) for one in openings}
        self.inside: dict[tuple[int, date], set[int]] = {one.key: set(one.carried) for one in openings}
        self.start_of = {one.key: one.start for one in openings}
        self.reached: dict[int, int] = defaultdict(int, limits.already)
        self.candidates = candidates
        self.by_topic: dict[int | None, list[Candidate]] = defaultdict(list)
        for one in candidates:
            self.by_topic[one.topic_id].append(one)
        self.choices: list[Choice] = []

    def keep_pace(self) -> None:
        """Each opening takes from the topics that are furthest behind their pace."""
        total = len(self.openings)
        for number, opening in enumerate(self.openings, start=1):
            while self.seats[opening.key] > 0:
                behind = {
                    topic: -(-wanted * number // total) - self.reached[topic]
                    for topic, wanted in self.limits.targets.items()
                }
                if not self._take(opening, [topic for topic in behind if behind[topic] > 0], behind):
                    break

    def catch_up(self) -> None:
        """What could not be placed in its time goes wherever there is room."""
        for opening in self.openings:
            while self.seats[opening.key] > 0:
                missing = {
                    topic: wanted - self.reached[topic] for topic, wanted in self.limits.targets.items()
                }
                if not self._take(opening, [topic for topic in missing if missing[topic] > 0], missing):
                    break

    def let_each_be_heard(self) -> None:
        """A bulletin that is nowhere yet is heard once, also where its topic has all it wants."""
        for one in self.candidates:
            if self.days[one.bulletin_id]:
                continue
            # The emptiest opening first, so that the little that is left is spread.
            free = [
                opening
                for opening in self.openings
                if self.seats[opening.key] > 0 and self._may(one, opening)
            ]
            if free:
                best = min(
                    free,
                    key=lambda opening: (self.used[opening.key], opening.day, opening.start, opening.slot_id),
                )
                self._put(one, best, "chưa phát lần nào trong kỳ; buổi này còn nhiều chỗ nhất")

    def left_out(self) -> list[tuple[int, str]]:
        found = []
        for one in self.candidates:
            if self.days[one.bulletin_id]:
                continue
            longest = max((opening.max_ms for opening in self.openings), default=0)
            if FRAME_MS + one.length_ms > longest:
                found.append((one.bulletin_id, "dài hơn mọi buổi trong kỳ"))
            else:
                found.append((one.bulletin_id, "không còn chỗ trong các buổi của kỳ này"))
        return found

    def _take(self, opening: Opening, topics: Sequence[int], behind: Mapping[int, int]) -> bool:
        # Topics by how far they are behind, in shares of their target; then the bulletin that rested longest.
        order = sorted(topics, key=lambda topic: (-behind[topic] / max(self.limits.targets[topic], 1), topic))
        for topic in order:
            able = [one for one in self.by_topic[topic] if self._may(one, opening)]
            if able:
                one = min(able, key=lambda each: self._wish(each, opening))
                self._put(one, opening, self._why(one, topic, behind[topic], opening))
                return True
        return False

    def _wish(self, one: Candidate, opening: Opening) -> tuple[int, int, int, int]:
        days = self.days[one.bulletin_id]
        at = bisect_right(days, opening.day)
        since = (opening.day - days[at - 1]).days if at else 10_000
        return (-one.priority.rank, len(days), -since, one.bulletin_id)

    def _may(self, one: Candidate, opening: Opening) -> bool:
        days = self.days[one.bulletin_id]
        return (
            one.bulletin_id not in self.inside[opening.key]
            and len(days) < self.limits.most_repeats
            and (not self.limits.rest_days or _rested(days, opening.day, self.limits.rest_days))
            and _fits(one, opening.max_ms, self.used[opening.key])
        )

    def _why(self, one: Candidate, topic: int, behind: int, opening: Opening) -> str:
        days = self.days[one.bulletin_id]
        at = bisect_right(days, opening.day)
        rest = f"đã nghỉ {(opening.day - days[at - 1]).days} ngày" if at else "chưa phát lần nào"
        level = "ưu tiên; " if one.priority is not Priority.ROUTINE else ""
        return f"{level}chủ đề còn thiếu {behind} lượt so với tiến độ (chỉ tiêu {self.limits.targets[topic]}); bản tin {rest}"

    def _put(self, one: Candidate, opening: Opening, reason: str) -> None:
        used = self.used[opening.key]
        self.used[opening.key] = (used + CUT_MS if used else FRAME_MS) + one.length_ms
        self.seats[opening.key] -= 1
        self.inside[opening.key].add(one.bulletin_id)
        insort(self.days[one.bulletin_id], opening.day)
        if one.topic_id is not None:
            self.reached[one.topic_id] += 1
        self.choices.append(Choice(opening.slot_id, opening.day, one.bulletin_id, reason))
