"""Which villages to call: what they have not fetched, not confirmed, could not play, and which of their boxes is silent.

A village whose own receiver reports an airing as finished needs nobody to confirm it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from broadcaster.model import AiringState, AsRunEvent, PlannedAiring, ReceiptKind, RenditionKind
from broadcaster.schedule.plan import plan
from broadcaster.store.tables import AsRun, Receipt, Receiver, Village

SILENT_AFTER: Final = timedelta(minutes=15)
FETCH_BEFORE: Final = timedelta(hours=2)  # earlier, its content may still change
CONFIRM_WITHIN: Final = timedelta(minutes=20)  # after its end: before that nobody is late


@dataclass(slots=True)
class ToCall:
    """One village and what lacks there on a day."""

    village: Village
    not_fetched: list[PlannedAiring] = field(default_factory=list)
    not_confirmed: list[PlannedAiring] = field(default_factory=list)
    failed: list[tuple[PlannedAiring, str]] = field(default_factory=list)
    silent: list[Receiver] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        """True when somebody should call."""
        return bool(self.not_fetched or self.not_confirmed or self.failed or self.silent)


def to_call(session: Session, day: date, *, now: datetime) -> list[ToCall]:
    """Every village of the plan's order that lacks something on that day."""
    lines = [
        line
        for line in plan(session, day)
        if line.state not in (AiringState.SKIPPED, AiringState.CANCELLED) and RenditionKind.AIR in line.files
    ]
    villages = [
        row
        for row in session.scalars(select(Village).order_by(Village.position, Village.id))
        if (row.valid_from is None or row.valid_from <= day) and (row.valid_to is None or row.valid_to >= day)
    ]
    said = _said(session, [line.airing_id for line in lines])
    own = _own_receivers(session)
    finished = _finished(session, [line.airing_id for line in lines])
    found = []
    for village in villages:
        entry = ToCall(village)
        boxes = own.get(village.id, [])
        entry.silent = [
            box for box in boxes if box.last_seen_at is None or now - box.last_seen_at > SILENT_AFTER
        ]
        for line in lines:
            if village.slug not in line.villages:
                continue
            words = said.get((village.id, line.airing_id), {})
            if any((line.airing_id, box.id) in finished for box in boxes) or ReceiptKind.PLAYED in words:
                continue
            over = line.planned_at + timedelta(milliseconds=line.duration_ms or 0) + CONFIRM_WITHIN
            if ReceiptKind.FAILED in words:
                entry.failed.append((line, words[ReceiptKind.FAILED]))
            elif over <= now:
                entry.not_confirmed.append(line)
            elif ReceiptKind.DOWNLOADED not in words and not boxes and line.planned_at - now <= FETCH_BEFORE:
                entry.not_fetched.append(line)
        if entry.anything:
            found.append(entry)
    return found


def reminder(entry: ToCall, *, station: str, link: str) -> str:
    """A message to paste into Zalo: what is asked, for which airings, and the village's own link."""
    who = entry.village.operator_name or "bà con phụ trách loa"
    asks = []
    if entry.not_fetched:
        asks.append(f"tải về buổi {_times(entry.not_fetched)}")
    if entry.not_confirmed:
        asks.append(f"bấm “Đã phát xong” cho buổi {_times(entry.not_confirmed)} nếu loa đã phát")
    if entry.failed:
        asks.append(
            f"cho biết loa đã sửa chưa (buổi {_times([line for line, _ in entry.failed])} không phát được)"
        )
    if entry.silent:
        asks.append("kiểm tra điện và mạng của " + ", ".join(box.name for box in entry.silent))
    return f"Kính gửi {who}, {entry.village.name}: {station} nhờ {'; '.join(asks)}. Mở đường dẫn của thôn: {link}"


def _times(lines: list[PlannedAiring]) -> str:
    return ", ".join(f"{line.start_local:%H:%M} ngày {line.local_date:%d/%m}" for line in lines)


def _said(session: Session, airing_ids: list[str]) -> dict[tuple[int, str], dict[ReceiptKind, str]]:
    found: dict[tuple[int, str], dict[ReceiptKind, str]] = {}
    for row in session.scalars(
        select(Receipt).where(Receipt.airing_id.in_(airing_ids), Receipt.withdrawn_at.is_(None))
    ):
        found.setdefault((row.village_id, row.airing_id), {})[row.kind] = row.reason
    return found


def _own_receivers(session: Session) -> dict[int, list[Receiver]]:
    """village id -> the paired boxes that stand there (a receiver heard everywhere belongs to no village)."""
    found: dict[int, list[Receiver]] = {}
    for box in session.scalars(
        select(Receiver)
        .where(Receiver.revoked_at.is_(None), Receiver.token_hash != "")
        .options(selectinload(Receiver.villages))
    ):
        for village in box.villages:
            found.setdefault(village.id, []).append(box)
    return found


def _finished(session: Session, airing_ids: list[str]) -> set[tuple[str, int]]:
    rows = session.execute(
        select(AsRun.airing_id, AsRun.receiver_id).where(
            AsRun.airing_id.in_(airing_ids), AsRun.event == AsRunEvent.FINISHED
        )
    )
    return {(airing_id, receiver_id) for airing_id, receiver_id in rows}
