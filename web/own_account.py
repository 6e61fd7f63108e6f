"""One's own account: password, address for notices, and where one is signed in."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from broadcaster.errors import BroadcasterError, InputError
from broadcaster.newsroom.accounts import (
    change_email,
    change_password,
    end_other_sign_ins,
    sign_ins,
)
from web.deps import now, reading, writing
from web.errors import status_of
from web.security import actor, enter, limiter, needs, signed_in

bp = Blueprint("own_account", __name__, url_prefix="/tai-khoan-cua-toi")
SHOWN = timedelta(days=30)


@bp.get("")
@needs("own")
def page() -> ResponseReturnValue:
    """The page."""
    return _page()


@bp.post("/mat-khau")
@needs("own")
@limiter.limit("10 per minute")
def password() -> ResponseReturnValue:
    """A new password; every other browser is signed out, this one goes on with a new session."""
    try:
        if request.form.get("new", "") != request.form.get("again", ""):
            raise InputError("Hai lần gõ mật khẩu mới không giống nhau. Hãy gõ lại cả hai.")
        with writing() as session:
            user = actor(session)
            change_password(
                session, user, old=request.form.get("old", ""), new=request.form.get("new", ""), now=now()
            )
            end_other_sign_ins(session, user.id, now=now())
            enter(session, user)
    except BroadcasterError as error:
        return _page(error), status_of(error)
    flash("Đã đổi mật khẩu. Các máy khác đã đăng xuất.")
    return redirect(url_for("own_account.page"), 303)


@bp.post("/hop-thu")
@needs("own")
def email() -> ResponseReturnValue:
    """The address for notices."""
    try:
        with writing() as session:
            change_email(session, actor(session), email=request.form.get("email", ""), now=now())
    except BroadcasterError as error:
        return _page(error), status_of(error)
    flash("Đã lưu hộp thư.")
    return redirect(url_for("own_account.page"), 303)


@bp.post("/dang-xuat-noi-khac")
@needs("own")
def elsewhere() -> ResponseReturnValue:
    """Sign out every other browser."""
    person = signed_in()
    with writing() as session:
        end_other_sign_ins(session, person.user_id, keep=person.sign_in, now=now())
    flash("Đã đăng xuất các máy khác.")
    return redirect(url_for("own_account.page"), 303)


def _page(error: BroadcasterError | None = None) -> str:
    with reading() as session:
        row = actor(session)
        places = sign_ins(session, row.id, since=now() - SHOWN)
        typed = request.form.get("email", row.email)
        return render_template("own_account.html", row=row, places=places, email=typed, error=error)
