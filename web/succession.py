"""Renaming and merging villages from a day on; reports of the past keep the old names."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from broadcaster.errors import BroadcasterError, InputError
from broadcaster.schedule.live import villages_on
from broadcaster.schedule.succession import succeed
from broadcaster.store.tables import Village
from web.deps import now, reading, station, today, writing
from web.errors import status_of
from web.security import actor, needs
from web.words import day_text, parse_day

bp = Blueprint("succession", __name__, url_prefix="/thon/sap-nhap")


@bp.get("")
@needs("villages")
def form() -> ResponseReturnValue:
    """Which villages, into what, from when."""
    return _page({"day": day_text(today())}, [])


@bp.post("")
@needs("villages")
def carry_out() -> ResponseReturnValue:
    """Do it; what was typed comes back when it is refused."""
    chosen = [int(one) for one in request.form.getlist("villages") if one.isdigit()]
    heir = request.form.get("heir", "")
    day = parse_day(request.form.get("day", ""))
    try:
        if day is None:
            raise InputError("Ngày chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 01/01/2027.")
        with writing() as session:
            made = succeed(
                session, station(), chosen, name=request.form.get("name", ""),
                heir_id=int(heir) if heir.isdigit() else None, day=day, today=today(), actor=actor(session),
                now=now(),
            )  # fmt: skip
            name = made.name
    except BroadcasterError as error:
        return _page(request.form.to_dict(), chosen, error), status_of(error)
    flash(
        f"Từ ngày {day_text(day)}: {name}. Báo cáo các kỳ trước giữ tên cũ; hãy gửi đường dẫn mới cho thôn."
    )
    return redirect(url_for("villages.listing"), 303)


def _page(typed: dict[str, str], chosen: list[int], error: BroadcasterError | None = None) -> str:
    with reading() as session:
        everyone = session.scalars(select(Village).order_by(Village.position, Village.id)).all()
    rows = [one for one in villages_on(everyone, today()) if one.valid_to is None]
    return render_template("succession.html", rows=rows, typed=typed, chosen=chosen, error=error)
