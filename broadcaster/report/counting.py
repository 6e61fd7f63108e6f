"""Some days in every detail: what each receiver did with each airing and why, an airing and a village a row.

The same witnesses as `gathering` hears for a period's figures; here each line of a player's log is looked at, and
airings still ahead, drills and cancelled ones are shown too.  Planned, player and village are never merged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from broadcaster.model import AiringOrigin, AiringState, Outcome, PlannedAiring, Priority, ReceiptKind
from broadcaster.report.ledger import Said
from broadcaster.report.summary import Event, Planned, Told, outcome
from broadcaster.report.witnesses import Box, Words, all_events, heard_from
from broadcaster.schedule.plan import plan_days
from broadcaster.store.tables import Airing, Receiver, Station, Village

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
    """A village's last word: downloaded, played, or could not play and why."""

    kind: ReceiptKind
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One airing in one village.

    `players` are the receivers this village hears (none = no receiver reached it), `confirmed` what its operator
    said in the end: played or could not, else downloaded, else nothing.
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
    confirmed: Confirmation | None = None

    @property
    def planned(self) -> bool:
        """True when the station meant it to sound (first column)."""
        return self.state not in (AiringState.SKIPPED, AiringState.CANCELLED)

    @property
    def played(self) -> PlayerLine | None:
        """The best of its receivers (second column); None when it hears none."""
        return min(self.players, key=lambda line: _BEST.index(line.told.outcome), default=None)

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
    counted = Airing.local_date.between(first, last)
    events = all_events(session, counted)
    words = Words(session, counted)
    if receivers is None:
        receivers = known_receivers(session)
    boxes, hearers = heard_from(receivers)
    owners = {row.id: row.station_id for row in receivers}
    stations = _stations(session, counted)
    villages = _villages(session)
    rows: list[ReportRow] = []
    for line in lines:
        station_id, zone = stations[line.airing_id]
        players = {
            box.id: _judged(box, line, told, zone, now)
            for box in boxes.values()
            if owners[box.id] == station_id
            and ((told := events.get((line.airing_id, box.id), ())) or box.was_there(line.planned_at))
        }
        said = words.about(line.airing_id)
        everywhere = _everywhere(line)
        for slug in line.villages:
            village, name = villages[station_id, slug]
            rows.append(
                ReportRow(
                    **everywhere,
                    village_slug=slug,
                    village=name,
                    players=tuple(players[box] for box in hearers.get(village, hearers[0]) if box in players),
                    confirmed=_confirmed(*said.of(village)),
                )
            )
    return rows


def known_receivers(session: Session) -> Sequence[Receiver]:
    """Every receiver there is or was, with its villages.  One query."""
    return (
        session.scalars(select(Receiver).order_by(Receiver.id).options(joinedload(Receiver.villages)))
        .unique()
        .all()
    )


def _stations(session: Session, counted: ColumnElement[bool]) -> dict[str, tuple[int, str]]:
    """airing -> its station and that one's zone."""
    rows = session.execute(
        select(Airing.id, Station.id, Station.zone)
        .join(Station, Station.id == Airing.station_id)
        .where(counted)
    )
    return {airing: (station, zone) for airing, station, zone in rows}


def _villages(session: Session) -> dict[tuple[int, str], tuple[int, str]]:
    rows = session.execute(select(Village.station_id, Village.slug, Village.id, Village.name))
    return {(station, slug): (village, name) for station, slug, village, name in rows}


def _everywhere(line: PlannedAiring) -> dict[str, Any]:
    """What is the same in every village."""
    sounding = [item for item in line.items if item.approved]
    return dict(
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
    )


_KINDS: Mapping[Said, ReceiptKind] = {
    Said.PLAYED: ReceiptKind.PLAYED,
    Said.FAILED: ReceiptKind.FAILED,
    Said.DOWNLOADED: ReceiptKind.DOWNLOADED,
}


def _confirmed(said: Said, reason: str) -> Confirmation | None:
    return Confirmation(_KINDS[said], reason) if said in _KINDS else None


def _judged(box: Box, line: PlannedAiring, events: Sequence[Event], zone: str, now: datetime) -> PlayerLine:
    planned = Planned(
        planned_at=line.planned_at,
        receiver=box.name,
        state=line.state,
        reason=line.reason,
        duration_ms=line.duration_ms,
        grace_s=line.grace_s,
        zone=zone,
        contact=box.contact,
    )
    return PlayerLine(box.id, box.name, outcome(events, planned, now))
