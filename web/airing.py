"""One airing: its running order, and what may still be changed in it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError
from broadcaster.model import AiringState, BulletinState
from broadcaster.report.counting import airing_report
from broadcaster.schedule.airings import skip_airing
from broadcaster.schedule.emergency.showing import told
from broadcaster.schedule.plan import airing_of, plan_days
from broadcaster.schedule.running import move_item, place, remove_item
from broadcaster.store.tables import Airing, Bulletin, ProgrammeRow, Station, Variant
from web.deps import deps, now, reading, station, writing
from web.errors import status_of
from web.heard import by_airing
from web.security import actor, needs

bp = Blueprint("airing", __name__, url_prefix="/lich/buoi")
OPEN = (AiringState.PLANNED, AiringState.CLOSED)


@bp.get("/<airing_id>")
@needs("see")
def panel(airing_id: str) -> ResponseReturnValue:
    """The airing and its running order."""
    with reading() as session:
        return _page(session, airing_id)


@bp.post("/<airing_id>/xep")
@needs("schedule")
def put(airing_id: str) -> ResponseReturnValue:
    """Place a bulletin at the end of the running order."""
    wanted = request.form.get("bulletin", "")

    def change(session: Session) -> str:
        if not wanted.isdigit():
            raise InputError("Hãy chọn một bản tin để xếp vào buổi này.")
        place(session, airing_id, int(wanted), actor=actor(session), now=now())
        return "Đã xếp bản tin vào buổi phát."

    return _change(airing_id, change)


@bp.post("/<airing_id>/bo/<int:bulletin_id>")
@needs("schedule")
def take_out(airing_id: str, bulletin_id: int) -> ResponseReturnValue:
    """Take a bulletin out of this airing."""

    def change(session: Session) -> str:
        remove_item(session, airing_id, bulletin_id, actor=actor(session), now=now())
        return "Đã bỏ bản tin khỏi buổi phát."

    return _change(airing_id, change)


@bp.post("/<airing_id>/doi-cho/<int:bulletin_id>")
@needs("schedule")
def order(airing_id: str, bulletin_id: int) -> ResponseReturnValue:
    """Move a bulletin to another place in the running order."""

    def change(session: Session) -> str:
        position = request.form.get("position", "")
        if not position.isdigit():
            raise InputError("Thiếu vị trí mới. Hãy mở lại buổi phát rồi bấm Lên hoặc Xuống.")
        move_item(session, airing_id, bulletin_id, position=int(position), actor=actor(session), now=now())
        return "Đã đổi thứ tự."

    return _change(airing_id, change)


@bp.post("/<airing_id>/chuyen/<int:bulletin_id>")
@needs("schedule")
def carry(airing_id: str, bulletin_id: int) -> ResponseReturnValue:
    """Move a bulletin into another airing: both happen or neither does."""
    target = request.form.get("target", "")

    def change(session: Session) -> str:
        if not target:
            raise InputError("Hãy chọn buổi phát để chuyển bản tin sang.")
        person = actor(session)
        place(session, target, bulletin_id, actor=person, now=now())
        remove_item(session, airing_id, bulletin_id, actor=person, now=now())
        return "Đã chuyển bản tin sang buổi khác."

    return _change(airing_id, change)


@bp.post("/<airing_id>/khong-phat")
@needs("schedule")
def skip(airing_id: str) -> ResponseReturnValue:
    """Leave this airing out, with its reason."""

    def change(session: Session) -> str:
        reason = request.form.get("reason", "").strip()
        if not reason:
            raise InputError("Hãy ghi lý do không phát buổi này.")
        skip_airing(session, airing_id, reason=reason, actor=actor(session), now=now())
        return "Buổi này sẽ không phát."

    return _change(airing_id, change)


def _change(airing_id: str, change: Callable[[Session], str]) -> ResponseReturnValue:
    try:
        with writing() as session:
            message = change(session)
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, airing_id, error), status_of(error)
    deps().doorbell.ring()
    flash(message)
    return redirect(url_for("airing.panel", airing_id=airing_id), 303)


def _page(session: Session, airing_id: str, error: BroadcasterError | None = None) -> str:
    line = airing_of(session, airing_id)
    around = plan_days(session, line.local_date, 1)
    names = [each.airing_id for each in around]
    at = names.index(airing_id) if airing_id in names else -1
    placed = {item.bulletin_id for item in line.items}
    others = session.scalars(
        select(Airing)
        .where(Airing.id != airing_id, Airing.state.in_(OPEN), Airing.planned_at > now())
        .order_by(Airing.planned_at)
        .limit(60)
    ).all()
    programme = _programme(session, airing_id)
    # Taken back, but perhaps not everywhere: who may still sound it is said where it was taken back.
    taken_back = line.stopped_at is not None or (programme is not None and programme.revoked_reason != "")
    return render_template(
        "airing.html",
        line=line,
        told=told(session, session.get_one(Station, station().id)) if taken_back else None,
        changeable=line.state in OPEN and line.planned_at > now(),
        before=around[at - 1] if at > 0 else None,
        after=around[at + 1] if 0 <= at < len(around) - 1 else None,
        choices=[row for row in choices(session) if row.id not in placed],
        others=others,
        known=by_airing(airing_report(session, line.local_date, line.local_date, now=now())).get(airing_id),
        programme=programme,
        monday=line.local_date,
        error=error,
    )


def choices(session: Session) -> list[Bulletin]:
    """Bulletins that may be placed: approved ones first, then those on their way."""
    rows = session.scalars(
        select(Bulletin)
        .where(Bulletin.state.in_([BulletinState.APPROVED, BulletinState.SUBMITTED, BulletinState.DRAFT]))
        .order_by(Bulletin.state, Bulletin.updated_at.desc())
        .limit(200)
    )
    return list(rows)


def _programme(session: Session, airing_id: str) -> ProgrammeRow | None:
    return session.scalar(
        select(ProgrammeRow)
        .join(Variant, Variant.programme_id == ProgrammeRow.id)
        .join(Airing, Airing.id == Variant.airing_id)
        .where(Airing.id == airing_id)
        .limit(1)
    )
