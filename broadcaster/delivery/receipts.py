"""What village operators say of an airing: one row a kind, taken back rather than deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound
from broadcaster.model import ReceiptKind
from broadcaster.store.tables import AiringVillage, Receipt, Village

LONGEST_REASON = 500


def record_receipt(
    session: Session,
    village: Village,
    airing_id: str,
    kind: ReceiptKind,
    *,
    reason: str = "",
    phone_at: datetime | None = None,
    now: datetime,
) -> Receipt:
    """Write a confirmation down; the same one again changes nothing but a reason that was empty.

    `phone_at` is the phone's own time when it was tapped offline.  Played takes back “could not play”, and
    the other way round: an operator says one thing in the end.
    """
    text = " ".join(reason.split())[:LONGEST_REASON]
    if kind is ReceiptKind.FAILED and not text:
        raise InputError("Hãy chọn lý do không phát được, rồi gửi lại.")
    if session.get(AiringVillage, (airing_id, village.id)) is None:
        raise NotFound("Buổi phát này không dành cho thôn. Hãy tải lại trang rồi chọn buổi khác.")
    receipt = _find(session, village, airing_id, kind)
    if receipt is None:
        receipt = Receipt(
            village_id=village.id, airing_id=airing_id, kind=kind, reason=text, phone_at=phone_at,
            server_at=now, withdrawn_at=None,
        )  # fmt: skip
        session.add(receipt)
    elif receipt.withdrawn_at is not None:
        receipt.reason, receipt.phone_at = text, phone_at
        receipt.server_at, receipt.withdrawn_at = now, None
    elif text and not receipt.reason:
        receipt.reason = text
    opposite = {ReceiptKind.PLAYED: ReceiptKind.FAILED, ReceiptKind.FAILED: ReceiptKind.PLAYED}.get(kind)
    if opposite is not None:
        other = _find(session, village, airing_id, opposite)
        if other is not None and other.withdrawn_at is None:
            other.withdrawn_at = now
    session.flush()
    return receipt


def withdraw_receipt(
    session: Session, village: Village, airing_id: str, kind: ReceiptKind, *, now: datetime
) -> Receipt | None:
    """Take a confirmation back (a wrong tap); None when there was none."""
    receipt = _find(session, village, airing_id, kind)
    if receipt is None:
        return None
    if receipt.withdrawn_at is None:
        receipt.withdrawn_at = now
        session.flush()
    return receipt


def receipts_of(session: Session, village: Village, airing_ids: list[str]) -> dict[str, list[Receipt]]:
    """The standing confirmations of a village, by airing."""
    found: dict[str, list[Receipt]] = {}
    rows = session.scalars(
        select(Receipt)
        .where(
            Receipt.village_id == village.id,
            Receipt.airing_id.in_(airing_ids),
            Receipt.withdrawn_at.is_(None),
        )
        .order_by(Receipt.server_at, Receipt.id)
    )
    for row in rows:
        found.setdefault(row.airing_id, []).append(row)
    return found


def _find(session: Session, village: Village, airing_id: str, kind: ReceiptKind) -> Receipt | None:
    return session.scalar(
        select(Receipt).where(
            Receipt.village_id == village.id, Receipt.airing_id == airing_id, Receipt.kind == kind
        )
    )
