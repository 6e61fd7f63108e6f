"""What listeners and operators tell the station: public forms without account or cookie, and the officer's list."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from broadcaster.delivery.links import village_by_token
from broadcaster.errors import BroadcasterError, NotFound
from broadcaster.newsroom import feedback
from broadcaster.store.tables import FeedbackKind, FeedbackState, Station, Village
from web.deps import deps, kept, now, reading, station, today, writing
from web.errors import status_of
from web.keyed import keyed
from web.security import actor, csrf, limiter, needs, public

bp = Blueprint("feedback", __name__)
KINDS = {
    FeedbackKind.BROKEN: "Loa hỏng",
    FeedbackKind.UNHEARD: "Không nghe rõ, không nghe được",
    FeedbackKind.QUESTION: "Câu hỏi",
    FeedbackKind.OTHER: "Góp ý khác",
}
STATES = {
    FeedbackState.NEW: ("Mới", "alert", "wait"),
    FeedbackState.WORKING: ("Đang xử lý", "clock", "calm"),
    FeedbackState.ANSWERED: ("Đã trả lời", "check", "good"),
    FeedbackState.CLOSED: ("Đã đóng", "check", "calm"),
}


@bp.get("/gop-y/<slug>")
@public
def listener(slug: str) -> ResponseReturnValue:
    """The form for everybody."""
    _enter_station(slug)
    return _public_page(slug, {"bulletin": request.args.get("ban_tin", "")})


@bp.post("/gop-y/<slug>")
@public
@csrf.exempt  # no cookie carries any right here
@limiter.limit("5 per minute; 30 per hour")
def from_listener(slug: str) -> ResponseReturnValue:
    """A listener's word."""
    _enter_station(slug)
    typed = request.form.to_dict()
    if typed.get("website"):  # people do not see this field; programs fill in every one
        return redirect(url_for("feedback.thanks", slug=slug), 303)
    try:
        with writing() as session:
            feedback.receive(
                session, station_id=station().id, kind=_kind(typed), text=typed.get("text", ""),
                sender=typed.get("sender", ""), phone=typed.get("phone", ""), village_id=_number(typed.get("village")),
                bulletin_id=_number(typed.get("bulletin")), now=now(),
            )  # fmt: skip
    except BroadcasterError as error:
        return _public_page(slug, typed, error), status_of(error)
    return redirect(url_for("feedback.thanks", slug=slug), 303)


@bp.get("/gop-y/<slug>/da-nhan")
@public
def thanks(slug: str) -> ResponseReturnValue:
    """It has come in."""
    _enter_station(slug)
    return render_template("feedback_thanks.html", slug=slug)


@bp.get("/t/<token>/gop-y")
@public
def operator(token: str) -> ResponseReturnValue:
    """The form of a village's own link, with what the station has answered."""
    return keyed(_operator_page(_enter_village(token), token, {}))


@bp.post("/t/<token>/gop-y")
@public
@csrf.exempt  # the address is the key; there is no cookie
@limiter.limit("10 per minute; 60 per hour")
def from_operator(token: str) -> ResponseReturnValue:
    """A village operator's word."""
    village = _enter_village(token)
    typed = request.form.to_dict()
    try:
        with writing() as session:
            feedback.receive(
                session, station_id=station().id, kind=_kind(typed), text=typed.get("text", ""),
                sender=village.operator_name, phone=village.operator_phone, village_id=village.id, from_operator=True,
                now=now(),
            )  # fmt: skip
    except BroadcasterError as error:
        return keyed(_operator_page(village, token, typed, error), status_of(error))
    return redirect(url_for("feedback.operator", token=token, _anchor="da-gui"), 303)


@bp.get("/gop-y")
@needs("villages")
def listing() -> ResponseReturnValue:
    """Everything that came in, open ones first."""
    return _listing()


@bp.post("/gop-y/so/<int:feedback_id>")
@needs("villages")
def answer(feedback_id: int) -> ResponseReturnValue:
    """Where it stands, and the answer."""
    wanted = request.form.get("state", "")
    state = FeedbackState(wanted) if wanted in set(FeedbackState) else FeedbackState.WORKING
    try:
        with writing() as session:
            feedback.answer(
                session,
                feedback_id,
                state=state,
                text=request.form.get("answer", ""),
                actor=actor(session),
                now=now(),
            )
    except NotFound:
        raise
    except BroadcasterError as error:
        return _listing(error, opened=feedback_id), status_of(error)
    flash("Đã lưu.")
    return redirect(url_for("feedback.listing", _anchor=f"g-{feedback_id}"), 303)


def _listing(error: BroadcasterError | None = None, *, opened: int = 0) -> str:
    with reading() as session:
        return render_template(
            "feedback.html", rows=feedback.listing(session), kinds=KINDS, states=STATES, error=error, opened=opened,
            typed=request.form,
        )  # fmt: skip


def _public_page(slug: str, typed: dict[str, str], error: BroadcasterError | None = None) -> str:
    with reading() as session:
        rows = session.scalars(select(Village).order_by(Village.position, Village.id)).all()
    villages = [row for row in rows if row.valid_to is None or row.valid_to >= today()]
    return render_template(
        "feedback_public.html", slug=slug, typed=typed, villages=villages, kinds=KINDS, error=error
    )


def _operator_page(
    village: Village, token: str, typed: dict[str, str], error: BroadcasterError | None = None
) -> str:
    with reading() as session:
        rows = feedback.of_village(session, village.id)
        return render_template(
            "feedback_village.html", village=village, token=token, typed=typed, rows=rows, kinds=KINDS, states=STATES,
            error=error,
        )  # fmt: skip


def _enter_station(slug: str) -> None:
    with deps().db.reading() as session:
        found = session.scalars(select(Station).where(Station.slug == slug)).first()
        if found is None:
            abort(404)
        g.station = kept(session, found)


def _enter_village(token: str) -> Village:
    with deps().db.reading() as session:
        village = village_by_token(session, deps().keys.link_key, token)
        if village is None:
            abort(404)
        g.station = kept(session, session.get_one(Station, village.station_id))
        return kept(session, village)


def _kind(typed: dict[str, str]) -> FeedbackKind:
    wanted = typed.get("kind", "")
    return FeedbackKind(wanted) if wanted in set(FeedbackKind) else FeedbackKind.OTHER


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
