"""What players report: append-only, idempotent by (receiver, sequence)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError
from broadcaster.model import AsRunEvent
from broadcaster.store.tables import AsRun, Receiver

MOST_EVENTS: Final = 500
_AIRING: Final = re.compile(r"[!-~]{1,36}")
_SHA256: Final = re.compile(r"(?:[0-9a-f]{64})?")


def accept_events(
    session: Session, receiver: Receiver, events: Sequence[Mapping[str, Any]], *, now: datetime
) -> int:
    """Write a batch down and return the highest sequence up to which nothing is missing.

    The same event twice is one event.  Conflict when a sequence comes back with other contents: two
    players share one token, or a ledger was lost.  InputError names the first malformed event; nothing
    of a batch is kept then.
    """
    if len(events) > MOST_EVENTS:
        raise InputError(f"Mỗi lần gửi tối đa {MOST_EVENTS} dòng nhật ký. Hãy gửi thành nhiều lần.")
    rows = [_row(receiver, event, now=now) for event in events]
    known = {
        row.sequence: row
        for row in session.scalars(
            select(AsRun).where(
                AsRun.receiver_id == receiver.id, AsRun.sequence.in_([row.sequence for row in rows])
            )
        )
    }
    for row in rows:
        old = known.get(row.sequence)
        if old is None:
            session.add(row)
            known[row.sequence] = row
        elif (old.airing_id, old.event, old.at) != (row.airing_id, row.event, row.at):
            raise Conflict(
                f"Dòng nhật ký số {row.sequence} đã có với nội dung khác. "
                "Có thể hai máy dùng chung một mã; hãy ghép nối lại máy này."
            )
    session.flush()
    return highest_contiguous(session, receiver)


def highest_contiguous(session: Session, receiver: Receiver) -> int:
    """The highest sequence with nothing missing below it; 0 when nothing has come yet."""
    here = select(AsRun.sequence).where(AsRun.receiver_id == receiver.id)
    count, highest = session.execute(
        select(func.count(), func.coalesce(func.max(AsRun.sequence), 0)).where(
            AsRun.receiver_id == receiver.id
        )
    ).one()
    if count == highest:
        return int(highest)
    expected = 0
    for sequence in session.scalars(here.order_by(AsRun.sequence)):
        if sequence != expected + 1:
            break
        expected = sequence
    return expected


def _row(receiver: Receiver, event: Mapping[str, Any], *, now: datetime) -> AsRun:
    try:
        sequence, airing = _whole(event["sequence"]), event["airing_id"]
        kind = AsRunEvent(event["event"])
        at = datetime.fromisoformat(event["at"])
        at = at.astimezone(UTC) if at.tzinfo is not None else at
        offset, sha256, reason = (
            _whole(event.get("offset_ms", 0)),
            event.get("sha256", ""),
            event.get("reason", ""),
        )
        good = (
            type(sequence) is int
            and 0 < sequence < 2**31
            and type(offset) is int
            and 0 <= offset < 2**31
            and isinstance(airing, str)
            and _AIRING.fullmatch(airing) is not None
            and isinstance(sha256, str)
            and _SHA256.fullmatch(sha256) is not None
            and isinstance(reason, str)
            and len(reason) <= 1000
            and at.tzinfo is not None
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f"Dòng nhật ký không đúng mẫu: {error}.") from error
    if not good:
        raise InputError(f"Dòng nhật ký không đúng mẫu: {dict(event)!r:.200}.")
    return AsRun(
        receiver_id=receiver.id, sequence=sequence, airing_id=airing, event=kind, at=at,
        offset_ms=offset, sha256=sha256, reason=_storable(reason), received_at=now,
    )  # fmt: skip


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 3.0 is 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _storable(text: str) -> str:
    """Without what no database keeps: halves of letters and zero bytes."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
