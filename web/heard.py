"""What was heard of airings, for the screens: players' own reports and villages' receipts, never merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.model import AsRunEvent, Outcome, ReceiptKind
from broadcaster.store.tables import Airing, AsRun, Receipt, Receiver

# The last event that a player wrote decides what the board says; the report's table decides for the papers.
_ENDS = {
    AsRunEvent.FINISHED: Outcome.PLAYED,
    AsRunEvent.INTERRUPTED: Outcome.INTERRUPTED,
    AsRunEvent.PREEMPTED: Outcome.PREEMPTED,
    AsRunEvent.MISSED: Outcome.MISSED,
    AsRunEvent.SKIPPED: Outcome.SKIPPED,
}


@dataclass(frozen=True, slots=True)
class PlayerReport:
    """What one player says: `outcome` None while it plays."""

    name: str
    outcome: Outcome | None
    at: datetime
    reason: str


@dataclass(slots=True)
class Heard:
    """One airing's two truths; `receipts` counts villages by what they said."""

    villages: int = 0
    players: list[PlayerReport] = field(default_factory=list)
    receipts: dict[ReceiptKind, int] = field(default_factory=dict)

    @property
    def played(self) -> int:
        """Villages that confirmed."""
        return self.receipts.get(ReceiptKind.PLAYED, 0)

    @property
    def failed(self) -> int:
        """Villages that could not play."""
        return self.receipts.get(ReceiptKind.FAILED, 0)

    @property
    def downloaded(self) -> int:
        """Villages that have the file."""
        return self.receipts.get(ReceiptKind.DOWNLOADED, 0)


def heard(session: Session, airing_ids: Sequence[str], now: datetime) -> dict[str, Heard]:
    """Every airing's reports: three queries, whatever the number of airings."""
    found = {airing_id: Heard() for airing_id in airing_ids}
    if not found:
        return found
    rows = session.execute(
        select(AsRun, Receiver.name)
        .join(Receiver, Receiver.id == AsRun.receiver_id)
        .where(AsRun.airing_id.in_(airing_ids))
        .order_by(AsRun.receiver_id, AsRun.sequence)
    )
    latest: dict[tuple[str, int], PlayerReport] = {}
    for event, name in rows:
        latest[event.airing_id, event.receiver_id] = PlayerReport(
            name, _ENDS.get(event.event), event.at, event.reason
        )
    for (airing_id, _receiver), report in latest.items():
        found[airing_id].players.append(report)
    counted = session.execute(
        select(Receipt.airing_id, Receipt.kind, func.count(Receipt.id))
        .join(Airing, Airing.id == Receipt.airing_id)
        .where(Receipt.airing_id.in_(airing_ids), Receipt.withdrawn_at.is_(None))
        .group_by(Receipt.airing_id, Receipt.kind)
    )
    for airing_id, kind, number in counted:
        found[airing_id].receipts[kind] = number
    return found
