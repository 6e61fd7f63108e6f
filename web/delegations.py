"""Delegation: an approver hands the pen to somebody for some days."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError
from broadcaster.newsroom.accounts import account_by_id
from broadcaster.newsroom.delegation import delegate, delegations, end_delegation
from broadcaster.newsroom.people import may, users
from web.deps import now, reading, today, writing
from web.errors import status_of
from web.security import actor, needs, signed_in
from web.words import parse_day, sort_key

bp = Blueprint("delegations", __name__, url_prefix="/uy-quyen")


@bp.get("")
@needs("delegate")
def listing() -> ResponseReturnValue:
    """Who holds whose pen, and the form for the next time."""
    with reading() as session:
        return _page(session)


@bp.post("")
@needs("delegate")
def create() -> ResponseReturnValue:
    """Hand the pen over."""
    try:
        days = [parse_day(request.form.get(name, "")) for name in ("first", "last")]
        first, last = days
        if first is None or last is None:
            raise InputError("Ngày chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 24/11/2026.")
        if last < today():
            raise InputError("Ngày cuối đã qua rồi. Hãy chọn lại hai ngày ủy quyền.")
        wanted = request.form.get("person", "")
        if not wanted.isdigit():
            raise InputError("Hãy chọn người được ủy quyền.")
        with writing() as session:
            taker = account_by_id(session, int(wanted))
            delegate(
                session, from_user=actor(session), to_user=taker, first_day=first, last_day=last, now=now()
            )
            name = taker.display_name
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, error=error), status_of(error)
    flash(f"Đã ủy quyền cho {name}.")
    return redirect(url_for("delegations.listing"), 303)


@bp.post("/<int:delegation_id>/thu-lai")
@needs("delegate")
def end(delegation_id: int) -> ResponseReturnValue:
    """Take the pen back."""
    with writing() as session:
        end_delegation(session, delegation_id, actor=actor(session), now=now())
    flash("Đã thu lại ủy quyền. Những bản đã duyệt vẫn giữ nguyên.")
    return redirect(url_for("delegations.listing"), 303)


def _page(session: Session, error: BroadcasterError | None = None) -> str:
    everybody = users(session)
    people = [
        user for user in everybody if user.active and user.id != signed_in().user_id and may(user.role, "see")
    ]
    people.sort(key=lambda user: sort_key(user.display_name))
    return render_template(
        "delegations.html", rows=delegations(session), names={user.id: user.display_name for user in everybody},
        people=people, day=today(), typed=request.form, error=error,
    )  # fmt: skip
