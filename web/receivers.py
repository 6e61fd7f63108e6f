"""Receivers: players with tokens of their own; a short code pairs one, a button takes its right away."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.delivery.receivers import add_receiver, open_pairing, revoke
from broadcaster.errors import BroadcasterError, InputError, NotFound
from broadcaster.store.tables import Receiver, Village
from web.deps import deps, now, reading, station, writing
from web.errors import status_of
from web.security import needs

bp = Blueprint("receivers", __name__, url_prefix="/may-thu")
SILENT_AFTER = timedelta(minutes=5)


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
    rows = session.scalars(select(Receiver).order_by(Receiver.revoked_at.is_not(None), Receiver.name)).all()
    villages = session.scalars(select(Village).order_by(Village.position, Village.id)).all()
    return render_template(
        "receivers.html", rows=rows, villages=villages, silent_after=SILENT_AFTER, error=error, typed=typed
    )


def _load(session: Session, receiver_id: int) -> Receiver:
    row = session.scalar(select(Receiver).where(Receiver.id == receiver_id))
    if row is None:
        raise NotFound("Không có máy thu này ở đài. Hãy mở lại danh sách máy thu.")
    return row
