"""Who testifies about an airing: what receivers finished, what else they wrote, what villages said.

Ids of a group come as one text: a row an airing instead of a row a village.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from broadcaster.model import AsRunEvent, ReceiptKind
from broadcaster.report.ledger import Said
from broadcaster.report.summary import Contact, Event
from broadcaster.store.tables import Airing, AsRun, Receipt, Receiver, ReceiverVillage, Station


@dataclass(frozen=True, slots=True)
class Box:
    """A receiver, the instants between which it should have played, and what is known of it."""

    id: int
    name: str
    paired: bool
    since: datetime
    until: datetime | None
    contact: Contact

    def was_there(self, planned_at: datetime) -> bool:
        """True when it could have played it: paired, made before it and not revoked before it."""
        gone = self.until is not None and self.until <= planned_at
        return self.paired and self.since <= planned_at and not gone


def finished(session: Session, counted: ColumnElement[bool]) -> dict[str, frozenset[int]]:
    """What a receiver has finished stays played, whatever else it wrote: the table of `summary` says so."""
    rows = session.execute(
        select(AsRun.airing_id, joined(AsRun.receiver_id))
        .join(Airing, Airing.id == AsRun.airing_id)
        .where(counted, AsRun.event == AsRunEvent.FINISHED)
        .group_by(AsRun.airing_id)
    )
    return {airing: apart(text) for airing, text in rows}


def joined(column: Any) -> ColumnElement[str]:
    """Ids of a group as one text: a row an airing instead of a row a village."""
    return func.aggregate_strings(cast(column, String), ",")


@lru_cache(maxsize=4096)
def apart(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split(",")))


def all_events(session: Session, counted: ColumnElement[bool]) -> dict[tuple[str, int], list[Event]]:
    """Every event of each airing and receiver; for a few days, a year has too many."""
    return _events(session, select(*_EVENT).join(Airing, Airing.id == AsRun.airing_id).where(counted))


def odd_events(session: Session, counted: ColumnElement[bool]) -> dict[tuple[str, int], list[Event]]:
    """The events of every airing and receiver where it did not finish."""
    done = aliased(AsRun)
    unfinished = ~exists().where(
        done.airing_id == AsRun.airing_id,
        done.receiver_id == AsRun.receiver_id,
        done.event == AsRunEvent.FINISHED,
    )
    return _events(
        session, select(*_EVENT).join(Airing, Airing.id == AsRun.airing_id).where(counted, unfinished)
    )


_EVENT = (AsRun.airing_id, AsRun.receiver_id, AsRun.event, AsRun.at, AsRun.offset_ms, AsRun.reason)


def _events(
    session: Session, wanted: Select[str, int, AsRunEvent, datetime, int, str]
) -> dict[tuple[str, int], list[Event]]:
    found: dict[tuple[str, int], list[Event]] = defaultdict(list)
    for airing, receiver, event, at, offset_ms, reason in session.execute(
        wanted.order_by(AsRun.receiver_id, AsRun.sequence)
    ):
        found[airing, receiver].append(Event(event, at, offset_ms, reason))
    return found


class Words:
    """The villages' last words: a failure or a broadcast, whichever came later; a download only without either."""

    def __init__(self, session: Session, counted: ColumnElement[bool]) -> None:
        told: dict[ReceiptKind, dict[str, frozenset[int]]] = {
            ReceiptKind.PLAYED: {},
            ReceiptKind.DOWNLOADED: {},
        }
        for airing, kind, text in session.execute(
            select(Receipt.airing_id, Receipt.kind, joined(Receipt.village_id))
            .join(Airing, Airing.id == Receipt.airing_id)
            .where(counted, Receipt.withdrawn_at.is_(None), Receipt.kind.in_(list(told)))
            .group_by(Receipt.airing_id, Receipt.kind)
        ):
            told[kind][airing] = apart(text)
        self._told = told
        later = aliased(Receipt)
        self._failed: dict[str, dict[int, str]] = defaultdict(dict)
        for airing, village, reason in session.execute(
            select(Receipt.airing_id, Receipt.village_id, Receipt.reason)
            .join(Airing, Airing.id == Receipt.airing_id)
            .outerjoin(
                later,
                and_(
                    later.airing_id == Receipt.airing_id,
                    later.village_id == Receipt.village_id,
                    later.kind == ReceiptKind.PLAYED,
                    later.withdrawn_at.is_(None),
                    or_(
                        later.server_at > Receipt.server_at,
                        and_(later.server_at == Receipt.server_at, later.id > Receipt.id),
                    ),
                ),
            )
            .where(
                counted,
                Receipt.kind == ReceiptKind.FAILED,
                Receipt.withdrawn_at.is_(None),
                later.id.is_(None),
            )
            .order_by(Receipt.server_at, Receipt.id)
        ):
            self._failed[airing][village] = reason

    def about(self, airing: str) -> Sayings:
        """What the villages said about one airing."""
        return Sayings(
            self._told[ReceiptKind.PLAYED].get(airing, NOBODY),
            self._told[ReceiptKind.DOWNLOADED].get(airing, NOBODY),
            self._failed.get(airing, {}),
        )


@dataclass(frozen=True, slots=True)
class Sayings:
    """Villages by their last word about one airing; `failed` with the reason, which outweighs the others."""

    played: frozenset[int]
    downloaded: frozenset[int]
    failed: Mapping[int, str]

    def of(self, village: int) -> tuple[Said, str]:
        """A village's word and its reason."""
        if village in self.failed:
            return Said.FAILED, self.failed[village]
        if village in self.played:
            return Said.PLAYED, ""
        return (Said.DOWNLOADED if village in self.downloaded else Said.NOTHING), ""


NOBODY: frozenset[int] = frozenset()


def receivers_of(session: Session, station: Station) -> tuple[dict[int, Box], dict[int, list[int]]]:
    """Receivers by id, and by village those it hears; under 0 those that every village hears."""
    rows: Sequence[Any] = session.execute(
        select(
            Receiver.id, Receiver.name, Receiver.token_hash, Receiver.last_seen_at, Receiver.created_at,
            Receiver.revoked_at, Receiver.heartbeat,
        ).where(Receiver.station_id == station.id).order_by(Receiver.id)
    ).all()  # fmt: skip
    boxes = {row[0]: _box(*row) for row in rows}
    narrow = session.execute(
        select(ReceiverVillage.receiver_id, ReceiverVillage.village_id)
        .join(Receiver, Receiver.id == ReceiverVillage.receiver_id)
        .where(Receiver.station_id == station.id)
    )
    return boxes, _hearers(boxes, ((receiver, village) for receiver, village in narrow))


def heard_from(receivers: Iterable[Receiver]) -> tuple[dict[int, Box], dict[int, list[int]]]:
    """The same of rows that were read already, with their villages; a village hears only its own station's."""
    rows = list(receivers)
    boxes = {
        row.id: _box(
            row.id, row.name, row.token_hash, row.last_seen_at, row.created_at, row.revoked_at, row.heartbeat
        )
        for row in rows
    }
    return boxes, _hearers(boxes, ((row.id, village.id) for row in rows for village in row.villages))


def _box(
    box: int,
    name: str,
    token: str,
    seen: datetime | None,
    since: datetime,
    until: datetime | None,
    beat: Mapping[str, Any],
) -> Box:
    contact = Contact(seen, next(iter(beat.get("alarms", ())), ""))
    return Box(box, name, bool(token) or seen is not None, since, until, contact)


def _hearers(boxes: Collection[int], pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    narrow: dict[int, set[int]] = defaultdict(set)
    for receiver, village in pairs:
        narrow[receiver].add(village)
    everywhere = [box for box in boxes if box not in narrow]
    hearers = {0: everywhere}
    for village in set().union(*narrow.values()) if narrow else ():
        hearers[village] = sorted([*everywhere, *(box for box in narrow if village in narrow[box])])
    return hearers
