"""How each village stands right now, in words: pure, from the plan, the receipts and the receivers' last signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from broadcaster.model import PlannedAiring, ReceiptKind
from broadcaster.store.tables import Receipt, Receiver, Village
from web.words import sort_key

SILENT_AFTER = timedelta(minutes=5)
LATE_AFTER = timedelta(minutes=30)  # an operator has that long after the end to confirm


class Condition(StrEnum):
    """Worst last: the order in which a list is sorted when somebody looks for trouble."""

    GOOD = "tot"
    SLOW = "cham"
    LOST = "mat"


CONDITIONS: dict[Condition, tuple[str, str, str]] = {
    Condition.GOOD: ("Tốt", "check", "good"),
    Condition.SLOW: ("Chậm", "clock", "wait"),
    Condition.LOST: ("Mất", "alert", "bad"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One row of the list.  `due` airings have been on today, `day` are all of today's."""

    village: Village
    receivers: tuple[Receiver, ...]
    condition: Condition
    why: str
    due: int
    day: int
    fetched: int
    played: int
    failures: tuple[str, ...]
    seen_at: datetime | None


def standings(
    villages: Sequence[Village],
    lines: Sequence[PlannedAiring],
    said: Mapping[int, Sequence[Receipt]],
    receivers: Sequence[Receiver],
    now: datetime,
) -> list[Standing]:
    """One row a village, in the order given."""
    own: dict[int, list[Receiver]] = {}
    for receiver in receivers:
        if receiver.revoked_at is None:
            for village in receiver.villages:
                own.setdefault(village.id, []).append(receiver)
    return [_standing(row, lines, said.get(row.id, ()), own.get(row.id, []), now) for row in villages]


def _standing(
    village: Village,
    lines: Sequence[PlannedAiring],
    said: Sequence[Receipt],
    receivers: list[Receiver],
    now: datetime,
) -> Standing:
    mine = [line for line in lines if village.slug in line.villages]
    due = [line for line in mine if line.planned_at <= now]
    answered = {each.airing_id for each in said if each.kind is not ReceiptKind.DOWNLOADED}
    late = [line for line in due if line.airing_id not in answered and _ended(line) + LATE_AFTER <= now]
    failures = tuple(each.reason for each in said if each.kind is ReceiptKind.FAILED)
    signs = [receiver.last_seen_at for receiver in receivers if receiver.last_seen_at is not None]
    seen_at = max(signs, default=None)
    silent = bool(receivers) and (seen_at is None or now - seen_at > SILENT_AFTER)
    condition, why = Condition.GOOD, ""
    if failures:
        condition, why = Condition.LOST, f"Không phát được: {failures[-1]}"
    elif silent:
        condition, why = Condition.LOST, "Máy thu không báo về"
    elif late and not receivers:
        condition, why = Condition.SLOW, f"Chưa xác nhận {len(late)} buổi"
    return Standing(
        village, tuple(receivers), condition, why, len(due), len(mine),
        sum(1 for each in said if each.kind is ReceiptKind.DOWNLOADED),
        sum(1 for each in said if each.kind is ReceiptKind.PLAYED), failures, seen_at,
    )  # fmt: skip


def _ended(line: PlannedAiring) -> datetime:
    return line.planned_at + timedelta(milliseconds=line.duration_ms or 0)


_WORST_FIRST = {Condition.LOST: 0, Condition.SLOW: 1, Condition.GOOD: 2}
SORTS: dict[str, Callable[[Standing], Any]] = {
    "thon": lambda row: sort_key(row.village.name),
    "tinh_trang": lambda row: (_WORST_FIRST[row.condition], sort_key(row.village.name)),
    "xac_nhan": lambda row: (row.played - row.due, sort_key(row.village.name)),
}
