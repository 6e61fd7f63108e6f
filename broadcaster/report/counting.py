"""Planned, played, confirmed: three columns, side by side and never merged, an airing and a village a row.

A player's log says what a machine did; a receipt says what a person heard.  Each may be wrong, and a report
that mixed them could not be checked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from broadcaster.model import AiringOrigin, AiringState, Outcome, PlannedAiring, Priority, ReceiptKind
from broadcaster.report.summary import Contact, Event, Planned, Told, outcome
from broadcaster.schedule.plan import plan_days
from broadcaster.store.tables import Airing, AsRun, Receipt, Receiver, Station, Village

# Of several receivers that one village hears, the best result is the village's.
_BEST = (
    Outcome.PLAYED,
    Outcome.INTERRUPTED,
    Outcome.PREEMPTED,
    Outcome.SKIPPED,
    Outcome.MISSED,
    Outcome.UNREPORTED,
)


@dataclass(frozen=True, slots=True)
class PlayerLine:
    """What one receiver did with an airing."""

    receiver_id: int
    receiver: str
    told: Told


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a village said: downloaded, played, or could not play and why."""

    kind: ReceiptKind
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One airing in one village.

    `players` are the receivers this village hears (none = no receiver reached it), `confirmations` what its
    operator said.
    """

    airing_id: str
    origin: AiringOrigin
    priority: Priority
    state: AiringState
    reason: str
    local_date: date
    start_local: time
    planned_at: datetime
    slot_name: str
    titles: tuple[str, ...]
    topics: tuple[str, ...]
    duration_ms: int | None
    village_slug: str
    village: str
    players: tuple[PlayerLine, ...] = field(default=())
    confirmations: tuple[Confirmation, ...] = field(default=())

    @property
    def planned(self) -> bool:
        """True when the station meant it to sound (first column)."""
        return self.state not in (AiringState.SKIPPED, AiringState.CANCELLED)

    @property
    def played(self) -> PlayerLine | None:
        """The best of its receivers (second column); None when it hears none."""
        return min(self.players, key=lambda line: _BEST.index(line.told.outcome), default=None)

    @property
    def confirmed(self) -> Confirmation | None:
        """What the village says in the end (third column): played or failed, else downloaded, else None."""
        said = [one for one in self.confirmations if one.kind is not ReceiptKind.DOWNLOADED]
        return max(said or self.confirmations, key=lambda one: one.at, default=None)

    @property
    def why(self) -> str:
        """One sentence about the player's side."""
        line = self.played
        if line is not None:
            return line.told.why
        if not self.planned:
            return f"Đài không phát buổi này: {self.reason}"
        return "Thôn này chưa có máy thu."


def airing_report(
    session: Session,
    first: date,
    last: date,
    *,
    now: datetime,
    lines: Sequence[PlannedAiring] | None = None,
    receivers: Sequence[Receiver] | None = None,
) -> list[ReportRow]:
    """Every airing of the dates `first` to `last` in every village it was planned for, in order of time.

    A constant number of queries, whatever the period.  `lines` and `receivers` (`known_receivers`) spare
    theirs when the caller has asked already.
    """
    if lines is None:
        lines = plan_days(session, first, (last - first).days + 1)
    if not lines:
        return []
    events = _events(session, first, last)
    said = _receipts(session, first, last)
    if receivers is None:
        receivers = known_receivers(session)
    reach = {row.id: frozenset(one.slug for one in row.villages) for row in receivers}
    zones = _zones(session, first, last)
    villages = _names(session)
    rows: list[ReportRow] = []
    for line in lines:
        station_id, zone = zones[line.airing_id]
        players = [
            (reach[row.id], _judge(row, line, events.get((line.airing_id, row.id), ()), zone, now))
            for row in receivers
            if row.station_id == station_id and _was_there(row, line, (line.airing_id, row.id) in events)
        ]
        everywhere = _row(line)
        for slug in line.villages:
            rows.append(
                replace(
                    everywhere,
                    village_slug=slug,
                    village=villages.get((station_id, slug), slug),
                    players=tuple(told for heard, told in players if not heard or slug in heard),
                    confirmations=tuple(said.get((line.airing_id, slug), ())),
                )
            )
    return rows


def _row(line: PlannedAiring) -> ReportRow:
    """What is the same in every village."""
    sounding = [item for item in line.items if item.approved]
    return ReportRow(
        airing_id=line.airing_id,
        origin=line.origin,
        priority=line.priority,
        state=line.state,
        reason=line.reason,
        local_date=line.local_date,
        start_local=line.start_local,
        planned_at=line.planned_at,
        slot_name=line.slot_name,
        titles=tuple(item.title for item in sounding),
        topics=tuple(dict.fromkeys(item.topic for item in sounding if item.topic)),
        duration_ms=line.duration_ms,
        village_slug="",
        village="",
    )


def _judge(
    receiver: Receiver, line: PlannedAiring, events: Sequence[Event], zone: str, now: datetime
) -> PlayerLine:
    planned = Planned(
        planned_at=line.planned_at,
        receiver=receiver.name,
        state=line.state,
        reason=line.reason,
        duration_ms=line.duration_ms,
        grace_s=line.grace_s,
        zone=zone,
        contact=Contact(receiver.last_seen_at, next(iter(receiver.heartbeat.get("alarms", ())), "")),
    )
    return PlayerLine(receiver.id, receiver.name, outcome(events, planned, now))


def _was_there(receiver: Receiver, line: PlannedAiring, reported: bool) -> bool:
    """Receivers that could have played it: paired, made before it and not revoked before it; or that report it."""
    if reported:
        return True
    paired = bool(receiver.token_hash) or receiver.last_seen_at is not None
    gone = receiver.revoked_at is not None and receiver.revoked_at <= line.planned_at
    return paired and receiver.created_at <= line.planned_at and not gone


def _events(session: Session, first: date, last: date) -> dict[tuple[str, int], list[Event]]:
    rows = session.execute(
        select(AsRun.airing_id, AsRun.receiver_id, AsRun.event, AsRun.at, AsRun.offset_ms, AsRun.reason)
        .join(Airing, Airing.id == AsRun.airing_id)
        .where(Airing.local_date.between(first, last))
        .order_by(AsRun.receiver_id, AsRun.sequence)
    )
    found: dict[tuple[str, int], list[Event]] = defaultdict(list)
    for airing_id, receiver_id, event, at, offset_ms, reason in rows:
        found[airing_id, receiver_id].append(Event(event, at, offset_ms, reason))
    return dict(found)


def _receipts(session: Session, first: date, last: date) -> dict[tuple[str, str], list[Confirmation]]:
    rows = session.execute(
        select(Receipt.airing_id, Village.slug, Receipt.kind, Receipt.server_at, Receipt.reason)
        .join(Village, Village.id == Receipt.village_id)
        .join(Airing, Airing.id == Receipt.airing_id)
        .where(Airing.local_date.between(first, last), Receipt.withdrawn_at.is_(None))
        .order_by(Receipt.server_at, Receipt.id)
    )
    found: dict[tuple[str, str], list[Confirmation]] = defaultdict(list)
    for airing_id, slug, kind, at, reason in rows:
        found[airing_id, slug].append(Confirmation(kind, at, reason))
    return dict(found)


def known_receivers(session: Session) -> Sequence[Receiver]:
    """Every receiver there is or was, with its villages.  One query."""
    return (
        session.scalars(select(Receiver).order_by(Receiver.id).options(joinedload(Receiver.villages)))
        .unique()
        .all()
    )


def _zones(session: Session, first: date, last: date) -> dict[str, tuple[int, str]]:
    rows = session.execute(
        select(Airing.id, Station.id, Station.zone)
        .join(Station, Station.id == Airing.station_id)
        .where(Airing.local_date.between(first, last))
    )
    return {airing_id: (station_id, zone) for airing_id, station_id, zone in rows}


def _names(session: Session) -> dict[tuple[int, str], str]:
    rows = session.execute(select(Village.station_id, Village.slug, Village.name))
    return {(station_id, slug): name for station_id, slug, name in rows}
