"""Units that send drafts: a link for each, their own page, and the officer's tray of what came in."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from broadcaster.errors import BroadcasterError, NotFound, Refused
from broadcaster.newsroom import contributions
from broadcaster.newsroom.importing import import_document
from broadcaster.store.tables import ContributionState, Contributor, ContributorAccount, Station, Topic, User
from web.deps import deps, kept, now, reading, station, writing
from web.errors import status_of
from web.keyed import keyed
from web.security import actor, csrf, limiter, needs, public, signed_in

bp = Blueprint("contributors", __name__)
STATES = {
    ContributionState.WAITING: ("Chờ xã nhận", "clock", "wait"),
    ContributionState.ACCEPTED: ("Xã đã nhận", "check", "good"),
    ContributionState.DECLINED: ("Xã không nhận", "cross", "bad"),
}


@bp.get("/g/<token>")
@public
def unit_page(token: str) -> ResponseReturnValue:
    """A unit's own page: send a draft, see what became of the others."""
    return keyed(_unit_page(_enter(token), token, {}))


@bp.post("/g/<token>")
@public
@csrf.exempt  # the address is the key; there is no cookie
@limiter.limit("10 per minute; 60 per hour")
def send_in(token: str) -> ResponseReturnValue:
    """A draft comes in; what was typed comes back when it is refused."""
    unit = _enter(token)
    try:
        _take(unit, None)
    except BroadcasterError as error:
        return keyed(_unit_page(unit, token, request.form.to_dict(), error), status_of(error))
    return redirect(url_for("contributors.unit_page", token=token, _anchor="da-gui"), 303)


@bp.get("/gui-bai")
@needs("contribute")
def own() -> ResponseReturnValue:
    """What an account of a unit opens: a form, and what became of the drafts it sent."""
    return _own({})


@bp.post("/gui-bai")
@needs("contribute")
@limiter.limit("10 per minute; 60 per hour")
def send_own() -> ResponseReturnValue:
    """A draft of this account."""
    person = signed_in()
    try:
        with reading() as session:
            unit = contributions.unit_of(session, person.user_id)
            if unit is None:
                raise Refused(
                    "Tài khoản này chưa thuộc đơn vị nào. Hãy nhờ quản trị viên của xã chọn đơn vị."
                )
            unit = kept(session, unit)
        _take(unit, person.user_id)
    except BroadcasterError as error:
        return _own(request.form.to_dict(), error), status_of(error)
    flash("Đã gửi bài. Xã xem, sửa cách đọc và duyệt rồi mới phát.")
    return redirect(url_for("contributors.own", _anchor="da-gui"), 303)


def _take(unit: Contributor, user_id: int | None) -> None:
    """Keep what the form holds."""
    typed, file = request.form, request.files.get("file")
    most = deps().settings.integer("newsroom.max_text_chars")
    document = import_document(file.read(), file.filename, max_chars=most) if file and file.filename else None
    with writing() as session:
        contributions.send_in(
            session, session.get_one(Contributor, unit.id), user=session.get(User, user_id) if user_id else None,
            title=typed.get("title", ""), text=typed.get("text", ""), sender=typed.get("sender", ""),
            wish=typed.get("wish", ""), document=document, source_name=file.filename or "" if file else "",
            max_chars=most, now=now(),
        )  # fmt: skip


def _own(typed: dict[str, str], error: BroadcasterError | None = None) -> str:
    person = signed_in()
    with reading() as session:
        rows = contributions.contributions(session, user_id=person.user_id)
        return render_template(
            "contribute.html", unit=contributions.unit_of(session, person.user_id), rows=rows, states=STATES,
            fates=contributions.on_the_air(session, rows), typed=typed, error=error,
        )  # fmt: skip


@bp.get("/don-vi")
@needs("write")
def listing() -> ResponseReturnValue:
    """What came in, and the units with their links."""
    return _listing()


@bp.post("/don-vi")
@needs("write")
def add() -> ResponseReturnValue:
    """A new unit."""
    try:
        with writing() as session:
            contributions.add_contributor(
                session, station_id=station().id, name=request.form.get("name", ""),
                contact=request.form.get("contact", ""), actor=actor(session), now=now(),
            )  # fmt: skip
    except BroadcasterError as error:
        return _listing(error), status_of(error)
    flash("Đã thêm đơn vị. Hãy gửi đường dẫn riêng cho đơn vị đó.")
    return redirect(url_for("contributors.listing", _anchor="don-vi"), 303)


@bp.post("/don-vi/<int:contributor_id>/doi-lien-ket")
@needs("write")
def change_link(contributor_id: int) -> ResponseReturnValue:
    """A new link, or none while the unit is stopped."""
    active = request.form.get("do") != "stop"
    with writing() as session:
        row = contributions.change_link(
            session, contributor_id, active=active, actor=actor(session), now=now()
        )
        name = row.name
    flash(f"Đã đổi đường dẫn của {name}." if active else f"Đã ngừng đường dẫn của {name}.")
    return redirect(url_for("contributors.listing", _anchor="don-vi"), 303)


@bp.get("/don-vi/bai/<int:contribution_id>")
@needs("write")
def look(contribution_id: int) -> ResponseReturnValue:
    """One draft as it was sent."""
    return _look(contribution_id)


@bp.post("/don-vi/bai/<int:contribution_id>/nhan")
@needs("write")
def accept(contribution_id: int) -> ResponseReturnValue:
    """Into the newsroom as a draft."""
    topic = request.form.get("topic", "")
    with writing() as session:
        draft = contributions.accept(
            session, contribution_id, topic_id=int(topic) if topic.isdigit() else None, actor=actor(session),
            max_chars=deps().settings.integer("newsroom.max_text_chars"), now=now(),
        )  # fmt: skip
        bulletin_id = draft.id
    flash("Đã nhận bài vào bản tin nháp. Hãy xem cách đọc bên dưới.")
    return redirect(url_for("compose.page", bulletin_id=bulletin_id), 303)


@bp.post("/don-vi/bai/<int:contribution_id>/khong-nhan")
@needs("write")
def decline(contribution_id: int) -> ResponseReturnValue:
    """Not taken, with a reason."""
    try:
        with writing() as session:
            contributions.decline(
                session,
                contribution_id,
                reason=request.form.get("reason", ""),
                actor=actor(session),
                now=now(),
            )
    except NotFound:
        raise
    except BroadcasterError as error:
        return _look(contribution_id, error), status_of(error)
    flash("Đã báo cho đơn vị là không nhận.")
    return redirect(url_for("contributors.listing"), 303)


def _look(contribution_id: int, error: BroadcasterError | None = None) -> str:
    with reading() as session:
        row = contributions.contribution_by_id(session, contribution_id)
        topics = session.scalars(select(Topic).order_by(Topic.position, Topic.id)).all()
        return render_template("contribution.html", row=row, topics=topics, states=STATES, error=error)


def _listing(error: BroadcasterError | None = None) -> str:
    key, base = deps().keys.link_key, deps().settings.base_url
    with reading() as session:
        units = session.scalars(
            select(Contributor).order_by(Contributor.active.desc(), Contributor.name)
        ).all()
        links = {
            row.id: base
            + url_for(
                "contributors.unit_page",
                token=contributions.contributor_token(key, row.id, row.link_generation),
            )
            for row in units
            if row.active
        }
        accounts: dict[int, list[str]] = {}
        for unit_id, name in session.execute(
            select(ContributorAccount.contributor_id, User.display_name)
            .join(User, User.id == ContributorAccount.user_id)
            .where(User.active)
            .order_by(User.display_name)
        ):
            accounts.setdefault(unit_id, []).append(name)
        return render_template(
            "contributors.html", accounts=accounts, rows=contributions.contributions(session), units=units, links=links, states=STATES,
            error=error, typed=request.form,
        )  # fmt: skip


def _unit_page(
    unit: Contributor, token: str, typed: dict[str, str], error: BroadcasterError | None = None
) -> str:
    with reading() as session:
        rows = contributions.contributions(session, contributor_id=unit.id)[:20]
        return render_template(
            "contributor_page.html",
            unit=unit,
            token=token,
            typed=typed,
            rows=rows,
            states=STATES,
            fates=contributions.on_the_air(session, rows),
            error=error,
        )


def _enter(token: str) -> Contributor:
    with deps().db.reading() as session:
        unit = contributions.contributor_by_token(session, deps().keys.link_key, token)
        if unit is None:
            abort(404)
        g.station = kept(session, session.get_one(Station, unit.station_id))
        return kept(session, unit)
