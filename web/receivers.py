"""Receivers: players with tokens of their own; a short code pairs one, a button takes its right away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from broadcaster.delivery.receivers import add_receiver, open_pairing, revoke
from broadcaster.errors import BroadcasterError, InputError, NotFound
from broadcaster.store.tables import Receiver, Village
from web.deps import deps, now, reading, station, writing
from web.errors import status_of
from web.security import needs

bp = Blueprint("receivers", __name__, url_prefix="/may-thu")
SILENT_AFTER = timedelta(minutes=5)
RIVAL_FOR = timedelta(hours=1)  # how long the page tells of two players with one token


@bp.get("")
@needs("see")
def listing() -> ResponseReturnValue:
    """All receivers and when each was last heard from."""
    with reading() as session:
        return _page(session)


@bp.post("")
@needs("receivers")
def add() -> ResponseReturnValue:
    """A new receiver, not yet paired."""
    name = request.form.get("name", "").strip()
    try:
        if not name:
            raise InputError("Hãy đặt tên cho máy thu, ví dụ “Loa nhà văn hóa thôn Đồng Lớn”.")
        wanted = [int(text) for text in request.form.getlist("villages") if text.isdigit()]
        with writing() as session:
            row = add_receiver(
                session, station_id=station().id, name=name[:120], village_ids=wanted, now=now()
            )
            code = open_pairing(session, row.id, now=now())
            name = row.name
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, error=error, typed=name), status_of(error)
    return _code_page(name, code)


@bp.post("/<int:receiver_id>/ghep")
@needs("receivers")
def pairing(receiver_id: int) -> ResponseReturnValue:
    """A fresh pairing code, shown once."""
    with writing() as session:
        name = _load(session, receiver_id).name
        code = open_pairing(session, receiver_id, now=now())
    return _code_page(name, code)


@bp.post("/<int:receiver_id>/thu-hoi")
@needs("receivers")
def take_away(receiver_id: int) -> ResponseReturnValue:
    """Take a receiver's right away: from now on its token opens nothing."""
    with writing() as session:
        name = _load(session, receiver_id).name
        revoke(session, receiver_id, now=now())
    flash(f"Đã thu hồi “{name}”. Máy đó không lấy được lịch mới nữa.")
    return redirect(url_for("receivers.listing"), 303)


def _code_page(name: str, code: str) -> ResponseReturnValue:
    # Not a redirect: the code is shown once and stands in no address, log or cookie.
    return render_template("pairing.html", name=name, code=code, server=deps().settings.base_url)


def _page(session: Session, *, error: BroadcasterError | None = None, typed: str = "") -> str:
    rows = session.scalars(
        select(Receiver)
        .options(selectinload(Receiver.villages))
        .order_by(Receiver.revoked_at.is_not(None), Receiver.name)
    ).all()
    villages = session.scalars(select(Village).order_by(Village.position, Village.id)).all()
    return render_template(
        "receivers.html", rows=rows, villages=villages, silent_after=SILENT_AFTER, rival_for=RIVAL_FOR,
        health={row.id: health(row.heartbeat) for row in rows if row.heartbeat}, error=error, typed=typed,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Health:
    """What a player said of itself last, ready to be shown; None = it did not say."""

    alarms: tuple[str, ...]
    version: int | None
    cached_until: datetime | None
    disk_free_mb: int | None
    clock_offset_s: float | None
    volume_percent: int | None
    output: str
    sounding: str


def health(beat: Mapping[str, Any]) -> Health:
    """A heartbeat is what somebody else's program sent: whatever is not of the agreed kind is left out."""

    def of(kind: type | tuple[type, ...], key: str) -> Any:
        value = beat.get(key)
        return value if isinstance(value, kind) and not isinstance(value, bool) else None

    return Health(
        alarms=tuple(str(one) for one in of(list, "alarms") or ()),
        version=of(int, "version"),
        cached_until=instant_of(of(str, "cached_until")),
        disk_free_mb=of(int, "disk_free_mb"),
        clock_offset_s=of((int, float), "clock_offset_s"),
        volume_percent=of(int, "volume_percent"),
        output=of(str, "output") or "",
        sounding=of(str, "sounding") or "",
    )


def instant_of(text: str | None) -> datetime | None:
    """An instant with its zone, or None."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _load(session: Session, receiver_id: int) -> Receiver:
    row = session.scalar(select(Receiver).where(Receiver.id == receiver_id))
    if row is None:
        raise NotFound("Không có máy thu này ở đài. Hãy mở lại danh sách máy thu.")
    return row
