"""Who may open what: sessions, one guard before every view, request forgery, and the headers of every page.

A view says what it needs with `@needs("action")` (the actions of `newsroom.people.RIGHTS`) or `@public`;
a view that says nothing does not start.  The guard runs centrally, so it cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import CSRFProtect
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.model import Role
from broadcaster.newsroom.accounts import begin_sign_in, end_sign_in
from broadcaster.newsroom.people import DELEGATED, delegated, may
from broadcaster.store.tables import SignIn, Station, User
from web.deps import deps, kept, now

LONGEST_SESSION_H = 12
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
PUBLIC = ""
View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://", headers_enabled=False)
_login = LoginManager()


@dataclass(frozen=True)
class Account(UserMixin):
    """The person signed in, as the pages need them."""

    user_id: int
    station_id: int
    username: str
    display_name: str
    role: Role
    epoch: int
    sign_in: int = 0  # the row of this browser
    lent: bool = False  # an approver has handed over the pen for today

    def get_id(self) -> str:
        """Account and session epoch: raising the epoch signs out everywhere."""
        return f"{self.user_id}:{self.epoch}"

    def may(self, action: str) -> bool:
        """True when the one policy table allows it, or today's delegation does."""
        return may(self.role, action) or (self.lent and action in DELEGATED)


def account() -> Account | None:
    """The person signed in, or None."""
    return current_user._get_current_object() if current_user.is_authenticated else None


def signed_in() -> Account:
    """The person signed in; only for views behind the guard."""
    person = account()
    assert person is not None
    return person


def needs(action: str) -> Callable[[View], View]:
    """Mark a view with the action it needs."""

    def mark(view: View) -> View:
        view.needs = action  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Mark a view that anybody may open."""
    view.needs = PUBLIC  # type: ignore[attr-defined]
    return view


def open_to_tokens(app: Flask, blueprint: Blueprint) -> None:
    """Let a blueprint that checks tokens itself pass the guard and the form protection."""
    csrf.exempt(blueprint)
    app.extensions.setdefault("open_blueprints", set()).add(blueprint.name)


def enter(db_session: Session, user: User) -> None:
    """Begin a session; whatever the browser held before is gone, so a planted one is worth nothing."""
    row = begin_sign_in(
        db_session, user, device=_device(request.user_agent.string or ""), address=request.remote_addr or "", now=now()
    )  # fmt: skip
    session.clear()
    session.permanent = True
    session["since"] = session["seen"] = int(now().timestamp())
    session["row"] = row.id
    login_user(_account_of(user, sign_in=row.id))
    g.station = kept(db_session, db_session.get_one(Station, user.station_id))


def leave() -> None:
    """End the session here, and for every copy of its cookie."""
    person = account()
    if person is not None:
        with deps().db.writing(station_id=person.station_id) as db_session:
            end_sign_in(db_session, person.sign_in, user_id=person.user_id, now=now())
    logout_user()
    session.clear()


def _device(agent: str) -> str:
    """A browser and a system in words that an owner recognises."""
    browser = next(
        (name for mark, name in (("Zalo/", "Zalo"), ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"),
                                 ("Chrome/", "Chrome"), ("Safari/", "Safari")) if mark in agent), "trình duyệt khác"
    )  # fmt: skip
    system = next(
        (name for mark, name in (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
                                 ("Mac OS X", "macOS"), ("Linux", "Linux")) if mark in agent), "máy khác"
    )  # fmt: skip
    return f"{browser} trên {system}"


def install(app: Flask) -> None:
    """Wire sessions, guard, form protection, rate limits and headers into the app."""
    app.session_interface = _Sessions()
    _login.init_app(app)
    _login.session_protection = None  # phones change address; the epoch and the two timeouts do the work
    app.before_request(_age_session)
    csrf.init_app(app)
    app.before_request(_guard)
    limiter.init_app(app)
    app.after_request(_headers)


class _Sessions(SecureCookieSessionInterface):
    """Cookies marked Secure exactly when the request came over HTTPS: the office uses http on 127.0.0.1."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


@_login.user_loader
def _load(identity: str) -> Account | None:
    user_id, _, epoch = identity.partition(":")
    with deps().db.reading() as db_session:
        found = db_session.execute(
            select(User, SignIn, Station)
            .join(SignIn, SignIn.user_id == User.id)
            .join(Station, Station.id == User.station_id)
            .where(User.id == int(user_id), SignIn.id == session.get("row", 0))
        ).first()
        if found is None:
            return None
        user, row, place = found
        if not user.active or str(user.session_epoch) != epoch or row.ended_at is not None:
            return None
        person = _account_of(user, sign_in=row.id, lent=delegated(db_session, user, now=now()))
        g.station = kept(db_session, place)
        return person


def _account_of(user: User, *, sign_in: int, lent: bool = False) -> Account:
    return Account(
        user.id, user.station_id, user.username, user.display_name, user.role, user.session_epoch, sign_in, lent
    )  # fmt: skip


def _age_session() -> None:
    """Sign out after idle minutes or a long day; a page that refreshes itself does not keep one alive."""
    if "_user_id" not in session:
        return
    idle = timedelta(minutes=deps().settings.integer("web.session_idle_min"))
    seen = datetime.fromtimestamp(session.get("seen", 0), UTC)
    since = datetime.fromtimestamp(session.get("since", 0), UTC)
    if now() - seen > idle or now() - since > timedelta(hours=LONGEST_SESSION_H):
        for key in ("_user_id", "_fresh", "_id", "seen", "since", "row"):
            session.pop(key, None)
    elif now() - seen > timedelta(minutes=1) and "HX-Request" not in request.headers:
        session["seen"] = int(now().timestamp())


def _guard() -> ResponseReturnValue | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    if request.blueprint in current_app.extensions.get("open_blueprints", set()):
        return None
    wanted = current_app.view_functions[request.endpoint].needs  # type: ignore[attr-defined]
    person = account()
    if wanted == PUBLIC:
        return None
    if person is None:
        if request.method in ("GET", "HEAD"):
            there = request.full_path.rstrip("?")
            return redirect(url_for("signin.form", next=there if there != "/" else None), 303)
        abort(401)
    if not person.may(wanted):
        if request.endpoint == "today.board" and person.may("contribute"):
            return redirect(
                url_for("contributors.own"), 303
            )  # the address of the station is everybody's door
        abort(403)
    return None


def _headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    if "frame-ancestors 'none'" in headers["Content-Security-Policy"]:
        headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(self)")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if response.mimetype == "text/html":
        # After sign-out the back button must find nothing.
        headers.setdefault("Cache-Control", "no-store")
    return response


def actor(session: Session) -> User:
    """The person signed in as a row of this session, for functions that write down who did it."""
    user = session.get(User, signed_in().user_id)
    assert user is not None, "the loader has just read it"
    return user
