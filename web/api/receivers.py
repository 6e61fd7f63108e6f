"""Players as other programs see them: how each is, and what they wrote down."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from broadcaster.errors import NotFound
from broadcaster.store.tables import AsRun, Receiver
from web.api import schemas
from web.api.base import bp, scope
from web.deps import reading


@bp.get("/receivers")
@scope("receivers.read")
@bp.output(schemas.ReceiversOut)
@bp.doc(summary="Các máy thu", tags=["Máy thu"])
def receivers() -> dict[str, Any]:
    """All players, revoked ones too."""
    with reading() as session:
        rows = session.scalars(
            select(Receiver).options(selectinload(Receiver.villages)).order_by(Receiver.id)
        ).all()
        return {"receivers": [_line(row) for row in rows]}


@bp.get("/receivers/<int(max=2147483647):receiver_id>")
@scope("receivers.read")
@bp.output(schemas.ReceiverOut)
@bp.doc(summary="Một máy thu", tags=["Máy thu"], responses={404: "Không có máy thu này ở đài"})
def receiver(receiver_id: int) -> dict[str, Any]:
    """One player."""
    with reading() as session:
        row = session.scalar(select(Receiver).where(Receiver.id == receiver_id))
        if row is None:
            raise NotFound("Không có máy thu này ở đài.")
        return _line(row)


@bp.get("/as-run")
@scope("asrun.read")
@bp.input(schemas.AsRunQuery, location="query", arg_name="query")
@bp.output(schemas.AsRunPage)
@bp.doc(summary="Nhật ký phát sóng của các máy thu", tags=["Nhật ký"])
def as_run(query: dict[str, Any]) -> dict[str, Any]:
    """The players' own lines, in the order they came in."""
    # A line has no station of its own: only the join lets the session's filter see it.
    wanted = (
        select(AsRun)
        .join(Receiver, Receiver.id == AsRun.receiver_id)
        .where(AsRun.id > query["after"])
        .order_by(AsRun.id)
        .limit(query["limit"] + 1)
    )
    if "airing" in query:
        wanted = wanted.where(AsRun.airing_id == query["airing"])
    if "receiver" in query:
        wanted = wanted.where(AsRun.receiver_id == query["receiver"])
    with reading() as session:
        rows = session.scalars(wanted).all()
    shown = rows[: query["limit"]]
    return {
        "events": [
            {
                "id": row.id,
                "receiver": row.receiver_id,
                "sequence": row.sequence,
                "airing": row.airing_id,
                "event": row.event.value,
                "at": row.at,
                "offset_ms": row.offset_ms,
                "sha256": row.sha256,
                "reason": row.reason,
                "received_at": row.received_at,
            }
            for row in shown
        ],
        "next_after": shown[-1].id if len(rows) > len(shown) else None,
    }


def _line(row: Receiver) -> dict[str, Any]:
    alarms = row.heartbeat.get("alarms", [])
    return {
        "id": row.id,
        "name": row.name,
        "villages": [village.slug for village in row.villages],
        "last_seen_at": row.last_seen_at,
        "revoked": row.revoked_at is not None,
        "alarms": [str(alarm) for alarm in alarms] if isinstance(alarms, list) else [],
    }
