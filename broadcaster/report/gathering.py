"""The store -> a Ledger.  A constant number of queries, plain columns, whatever the period.

A year of 37 villages is 27 000 cells and 54 000 log lines, and a page must not wait for them: the database
says which receivers finished what, and only the others' events are read and judged one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from broadcaster.model import AiringOrigin, AiringState, Outcome, RenditionKind
from broadcaster.newsroom.approved import approved_revisions
from broadcaster.report.ledger import ENOUGH, Activity, Cell, Item, Ledger, Part, Place, Player, Said
from broadcaster.report.period import Period
from broadcaster.report.summary import Event, Planned, Told, outcome
from broadcaster.report.witnesses import (
    NOBODY,
    Box,
    Sayings,
    Words,
    apart,
    finished,
    joined,
    odd_events,
    receivers_of,
)
from broadcaster.store.tables import (
    Airing,
    Bulletin,
    ProgrammeRow,
    Rendition,
    Revision,
    Station,
    TakeRow,
    Topic,
    User,
    Variant,
    VariantItem,
    VariantVillage,
    Village,
)

_PARTLY = (Outcome.INTERRUPTED, Outcome.PREEMPTED)
_PLAYED = (Player.PLAYED, "")
_FEW = 500  # what a question to the database may name one by one
_NO_RECEIVER = "Thôn này chưa có máy thu."


def heard_parts(session: Session, station: Station, period: Period, *, now: datetime) -> list[Part]:
    """The parts of the period's ledger that some village heard, without the ledger: a page must not wait for it.

    The same as the parts of `gather` in which a cell's player is PLAYED.
    """
    counted = _counted(station, period, now)
    parts, variants = _parts(session, counted)
    heard_by = _villages_of(session, counted)
    done = finished(session, counted)
    boxes, hearers = receivers_of(session, station)
    reached = cache(
        lambda villages: frozenset(box for one in villages for box in hearers.get(one, hearers[0]))
    )
    found, unsure = set[int](), dict[int, frozenset[int]]()
    for index, (part, variant) in enumerate(zip(parts, variants, strict=True)):
        if not part.planned:
            continue
        receivers = reached(heard_by.get(variant, ()))
        if receivers.isdisjoint(done.get(part.airing_id, NOBODY)):
            unsure[index] = receivers
        else:
            found.add(index)
    if unsure:
        few = len(unsure) <= _FEW
        which = and_(counted, Airing.id.in_({parts[one].airing_id for one in unsure})) if few else counted
        odd = odd_events(session, which)
        for index, receivers in unsure.items():
            judged = _Judged(parts[index], boxes, NOBODY, odd, station.zone, now)
            if any(told is not None and told[0] is Player.PLAYED for told in map(judged.of, receivers)):
                found.add(index)
    return [parts[index] for index in sorted(found)]


def gather(
    session: Session, station: Station, period: Period, *, now: datetime, activities: Sequence[Activity] = ()
) -> Ledger:
    """The station's ledger of a period as it stands at `now`."""
    here = _of_period(station, period)
    counted = _counted(station, period, now)
    parts, variants = _parts(session, counted)
    heard_by = _villages_of(session, counted)
    done = finished(session, counted)
    odd = odd_events(session, counted)
    words = Words(session, counted)
    boxes, hearers = receivers_of(session, station)
    hearing = cache(lambda villages: [(one, hearers.get(one, hearers[0])) for one in villages])
    cells: list[Cell] = []
    for index, (part, variant) in enumerate(zip(parts, variants, strict=True)):
        villages = heard_by.get(variant, ())
        told = words.about(part.airing_id)
        if not part.planned:
            cells.extend(_let_go(index, part, villages, told.of))
            continue
        finishers = done.get(part.airing_id, NOBODY)
        judged = _Judged(part, boxes, finishers, odd, station.zone, now)
        cells.extend(_cells_of(index, hearing(villages), finishers, judged, told))
    return Ledger(
        station=station.name,
        zone=station.zone,
        period=period,
        as_of=now,
        parts=tuple(parts),
        cells=tuple(cells),
        villages=_places(session, station, period, {cell.village for cell in cells}),
        topics={
            topic_id: title
            for topic_id, title in session.execute(
                select(Topic.id, Topic.title)
                .where(Topic.station_id == station.id)
                .order_by(Topic.position, Topic.id)
            )
        },
        authors={
            user_id: name
            for user_id, name in session.execute(
                select(User.id, User.display_name)
                .where(User.station_id == station.id)
                .order_by(User.display_name, User.id)
            )
        },
        activities=tuple(activities),
        to_come=_count(session, *here, Airing.planned_at > now, Airing.state.in_(_AHEAD)),
        drills=_count(session, *here, Airing.planned_at <= now, Airing.origin == AiringOrigin.DRILL),
    )


def _of_period(station: Station, period: Period) -> tuple[ColumnElement[bool], ...]:
    return (Airing.station_id == station.id, Airing.local_date.between(period.first, period.last))


def _counted(station: Station, period: Period, now: datetime) -> ColumnElement[bool]:
    """The airings of a period that count: their time has come, and they were neither called off nor a drill."""
    return and_(
        *_of_period(station, period),
        Airing.planned_at <= now,
        Airing.state != AiringState.CANCELLED,
        Airing.origin != AiringOrigin.DRILL,
    )


_AHEAD = (AiringState.PLANNED, AiringState.CLOSED)


class _Judged:
    """What each receiver did with one airing, asked for once however many villages hear it."""

    def __init__(
        self,
        part: Part,
        boxes: Mapping[int, Box],
        finished: frozenset[int],
        odd: Mapping[tuple[str, int], list[Event]],
        zone: str,
        now: datetime,
    ) -> None:
        self._part, self._boxes, self._finished, self._odd = part, boxes, finished, odd
        self._zone, self._now = zone, now
        self._known: dict[int, tuple[Player, str] | None] = {}

    def of(self, box_id: int) -> tuple[Player, str] | None:
        """(what, why) of a receiver; None when it was not there and says nothing."""
        if box_id in self._finished:
            return _PLAYED
        if box_id not in self._known:
            self._known[box_id] = self._judge(self._boxes[box_id])
        return self._known[box_id]

    def _judge(self, box: Box) -> tuple[Player, str] | None:
        part = self._part
        events = self._odd.get((part.airing_id, box.id), ())
        if not events and not box.was_there(part.planned_at):
            return None
        planned = Planned(
            planned_at=part.planned_at,
            receiver=box.name,
            state=part.state,
            reason=part.reason,
            duration_ms=part.duration_ms,
            zone=self._zone,
        )
        return _player(outcome(events, planned, self._now), part.duration_ms)


def _player(told: Told, duration_ms: int | None) -> tuple[Player, str]:
    if told.outcome is Outcome.PLAYED:
        return Player.PLAYED, ""
    if told.outcome in _PARTLY:
        enough = duration_ms is not None and told.heard_ms >= ENOUGH * duration_ms
        return (Player.PLAYED, told.why) if enough else (Player.PARTLY, told.why)
    return (Player.UNREPORTED if told.outcome is Outcome.UNREPORTED else Player.SILENT), told.why


def _cells_of(
    index: int,
    hearing: Sequence[tuple[int, Sequence[int]]],
    done: frozenset[int],
    judged: _Judged,
    told: Sayings,
) -> Iterator[Cell]:
    """`hearing` = the part's villages with the receivers each hears; `done` = those that finished it."""
    played_word, failed, word = told.played, told.failed, told.of
    for village, boxes in hearing:
        # What nearly every cell is: one receiver, and it finished.
        if len(boxes) == 1 and boxes[0] in done:
            receivers = played = 1
            best, why = _PLAYED
        else:
            receivers, played, best, why = _best(boxes, judged)
        if village in played_word and village not in failed:
            said, reason = Said.PLAYED, ""
        else:
            said, reason = word(village)
        yield _cell(Cell, (index, village, best, said, receivers, played, why, reason))


_cell = tuple.__new__  # a NamedTuple's own constructor is a third of the time of a year


def _best(boxes: Sequence[int], judged: _Judged) -> tuple[int, int, Player, str]:
    receivers = played = 0
    best, why = Player.NO_RECEIVER, _NO_RECEIVER
    for box_id in boxes:
        found = judged.of(box_id)
        if found is None:
            continue
        receivers += 1
        if found[0] is Player.PLAYED:
            played += 1
        if found[0] < best:
            best, why = found
    return receivers, played, best, why


def _let_go(
    index: int, part: Part, villages: Iterable[int], word: Callable[[int], tuple[Said, str]]
) -> Iterator[Cell]:
    why = f"Đài không phát buổi này: {part.reason or 'không ghi lý do'}"
    for village in villages:
        said, reason = word(village)
        yield Cell(index, village, Player.SILENT, said, 0, 0, why, reason)


def _parts(session: Session, counted: ColumnElement[bool]) -> tuple[list[Part], list[int]]:
    """The parts in order of time, and the id of each one's variant."""
    rows = session.execute(
        select(
            Airing.id, Variant.id, Variant.number, Airing.origin, Airing.priority, Airing.state, Airing.reason,
            Airing.local_date, Airing.start_local, Airing.planned_at, Airing.name, ProgrammeRow.duration_ms,
            ProgrammeRow.revoked_reason, Rendition.sha256,
        )
        .join(Variant, Variant.airing_id == Airing.id)
        .outerjoin(ProgrammeRow, ProgrammeRow.id == Variant.programme_id)
        .outerjoin(
            Rendition, and_(Rendition.programme_id == ProgrammeRow.id, Rendition.kind == RenditionKind.AIR)
        )
        .where(counted)
        .order_by(Airing.planned_at, Airing.id, Variant.number)
    ).all()  # fmt: skip
    items = _items(session, counted)
    parts = []
    for row in rows:
        begun, revoked = row[5] is AiringState.STARTED, bool(row[12])
        parts.append(
            Part(
                airing_id=row[0], variant=row[2], origin=row[3], priority=row[4], state=row[5], reason=row[6],
                local_date=row[7], start_local=row[8], planned_at=row[9], slot=row[10],
                duration_ms=row[11] if begun or not revoked else None, sha256=row[13] or "",
                items=tuple(items.get(row[1], ())),
            )
        )  # fmt: skip
    return parts, [row[1] for row in rows]


def _items(session: Session, counted: ColumnElement[bool]) -> dict[int, list[Item]]:
    rows = session.execute(
        select(
            VariantItem.variant_id, VariantItem.bulletin_id, VariantItem.revision_id, VariantItem.dropped_reason,
            Airing.state, Bulletin.title, Bulletin.topic_id, Bulletin.author_id, Revision.title,
            TakeRow.duration_ms, Revision.read_twice,
        )
        .join(Variant, Variant.id == VariantItem.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .join(Bulletin, Bulletin.id == VariantItem.bulletin_id)
        .outerjoin(Revision, Revision.id == VariantItem.revision_id)
        .outerjoin(TakeRow, TakeRow.id == Revision.take_id)
        .where(counted)
        .order_by(VariantItem.variant_id, VariantItem.position, VariantItem.id)
    ).all()  # fmt: skip
    # Its time has come and its content was never closed (the clock stood still): the plan's own answer.
    left_open = {row[1] for row in rows if row[4] is AiringState.PLANNED}
    approved = approved_revisions(session, left_open) if left_open else {}
    found: dict[int, list[Item]] = defaultdict(list)
    for variant, bulletin, revision, dropped, state, title, topic, author, revised, length, twice in rows:
        if state is AiringState.PLANNED:
            current = approved.get(bulletin)
            sounds = current is not None and current.take_id is not None
            revision = current.id if current is not None else None
            name = current.title if current is not None else title
            take = current.take if current is not None else None
            length, twice = (take.duration_ms, current.read_twice) if current and take else (0, False)
        else:
            sounds = revision is not None and not dropped
            name = revised or title
        air_ms = (length or 0) * (2 if twice else 1)
        found[variant].append(
            Item(bulletin, revision, name, topic or 0, author, sounds, dropped or "", air_ms)
        )
    return found


def _villages_of(session: Session, counted: ColumnElement[bool]) -> dict[int, tuple[int, ...]]:
    """The villages of each variant, in the station's order."""
    order = {
        village: number
        for number, village in enumerate(
            session.scalars(select(Village.id).order_by(Village.position, Village.id))
        )
    }
    rows = session.execute(
        select(VariantVillage.variant_id, joined(VariantVillage.village_id))
        .join(Variant, Variant.id == VariantVillage.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .where(counted)
        .group_by(VariantVillage.variant_id)
    )
    ordered = cache(lambda text: tuple(sorted(apart(text), key=order.__getitem__)))
    return {variant: ordered(text) for variant, text in rows}


def _places(session: Session, station: Station, period: Period, used: set[int]) -> tuple[Place, ...]:
    """Villages of the period: what it was then, not what became of it since."""
    rows = session.execute(
        select(Village.id, Village.slug, Village.name, Village.valid_from, Village.valid_to, Village.successor_id)
        .where(Village.station_id == station.id)
        .order_by(Village.position, Village.id)
    ).all()  # fmt: skip
    names = {row[0]: row[2] for row in rows}
    return tuple(
        Place(row[0], row[1], row[2], row[3], row[4], names.get(row[5] or 0, ""))
        for row in rows
        if row[0] in used
        or ((row[3] is None or row[3] <= period.last) and (row[4] is None or row[4] >= period.first))
    )


def _count(session: Session, *where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count(Airing.id)).where(*where)) or 0
