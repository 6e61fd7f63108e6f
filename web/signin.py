"""Sign in and out."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from broadcaster.errors import InputError
from broadcaster.newsroom.people import authenticate
from web import carried
from web.deps import deps
from web.security import account, enter, limiter, needs, public
from web.security import leave as end_session

bp = Blueprint("signin", __name__)
log = logging.getLogger(__name__)


@bp.get("/dang-nhap")
@public
def form() -> ResponseReturnValue:
    """The form; somebody signed in goes to today's board."""
    if account() is not None:
        return redirect(url_for("today.board"), 303)
    return render_template("signin.html", username="", target=request.args.get("next", ""))


@bp.post("/dang-nhap")
@public
@limiter.limit("10 per minute; 60 per hour")
@limiter.limit("30 per hour", key_func=lambda: "ten:" + request.form.get("username", "").strip().lower()[:60])
def sign_in() -> ResponseReturnValue:
    """Check name and password.  The same answer for a wrong name and a wrong password."""
    username = request.form.get("username", "").strip()
    target = request.form.get("next", "")
    late = carried.unpacked(request.form.get("carried", ""))
    # Hashing takes its time, so it is not done while the database's one writer waits.
    with deps().db.reading() as session:
        user = authenticate(session, username, request.form.get("password", ""))
    if user is not None:
        with deps().db.writing(station_id=user.station_id) as session:
            enter(session, user)
    else:
        log.warning("Đăng nhập không thành công: tên %r từ %s", username[:60], request.remote_addr)
        wrong = InputError(
            "Tên đăng nhập hoặc mật khẩu chưa đúng. Hãy gõ lại; chú ý phím Caps Lock và bộ gõ tiếng Việt."
        )
        page = render_template("signin.html", username=username, target=target, carried=late, error=wrong)
        return page, 422
    if late is not None:
        return carried.go_on(late)
    return redirect(_ours(target) or url_for("today.board"), 303)


@bp.post("/dang-xuat")
@needs("own")
def leave() -> ResponseReturnValue:
    """End the session."""
    end_session()
    return redirect(url_for("signin.form"), 303)


def _ours(target: str) -> str:
    """The path to go on to, when it is one of ours; never another site."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith(("//", "/\\")):
        return ""
    return target
