"""Emergencies: ask, hear, put on the air, stop; and the stop order for everything.

Nothing here needs JavaScript, and nothing sounds by opening a page.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError
from broadcaster.newsroom.people import authenticate
from broadcaster.schedule.emergency.accepting import accept, cancel_emergency, refuse_emergency, review
from broadcaster.schedule.emergency.asking import (
    REPEATS_MIN,
    EmergencyForm,
    MessageBlocked,
    compose_message,
    emergency_by_id,
    request_emergency,
)
from broadcaster.schedule.emergency.message import (
    air_sha256,
    key_of,
    message_programme,
    recorded_messages,
)
from broadcaster.schedule.emergency.pins import WrongPin, count_wrong, set_pin
from broadcaster.schedule.emergency.showing import airings_of, board, history, sound_job, told
from broadcaster.schedule.emergency.stopping import may_sound, stop_all
from broadcaster.store.tables import EmergencyPin, Revision, Station, Village
from web.deps import deps, now, reading, station, writing
from web.errors import status_of
from web.security import actor, needs, signed_in

bp = Blueprint("emergency", __name__, url_prefix="/khan-cap")
HOURS = (1, 2, 3, 6, 12, 24, 48, 72)
NEW = "moi"


@bp.get("")
@needs("see")
def page() -> ResponseReturnValue:
    """What is in force, what waits, and the form to ask; `huy` is an emergency whose end is announced."""
    with reading() as session:
        typed: dict[str, Any] = {}
        if request.args.get("huy", "").isdigit():
            row = emergency_by_id(session, int(request.args["huy"]))
            typed = {
                "message": NEW,
                "cancels": str(row.id),
                "title": f"Báo hủy: {row.revision.title}"[:200],
                "text": f"Kính thưa bà con. Tin khẩn cấp “{row.revision.title}” không còn hiệu lực. "
                "Mời bà con trở lại sinh hoạt bình thường và tiếp tục theo dõi loa của xã.",
            }
        return _page(session, typed=typed)


@bp.post("")
@needs("submit")
def ask() -> ResponseReturnValue:
    """Write the wish down and go to its page, where it is heard and put on the air."""
    form = request.form
    answers = {
        name.removeprefix("answer:"): said for name, said in form.items() if name.startswith("answer:")
    }
    try:
        with writing() as session:
            here = session.get_one(Station, station().id)
            person = actor(session)
            wanted = _form(form.to_dict(), [int(one) for one in form.getlist("villages") if one.isdigit()])
            if form.get("message") == NEW:
                revision = compose_message(
                    session, here, title=form.get("title", ""), text=form.get("text", ""), answers=answers,
                    read_twice="read_twice" in form, actor=person, now=now(),
                )  # fmt: skip
            else:
                revision = _picked(session, here, form.get("message", ""))
            row = request_emergency(
                session, here, revision, wanted,
                persons=deps().settings.integer("newsroom.emergency_persons"), actor=person, now=now(),
            )  # fmt: skip
            number = row.id
    except BroadcasterError as error:
        with reading() as session:
            typed = form.to_dict() | {"villages": form.getlist("villages"), "answers": answers}
            return _page(session, error, typed), status_of(error)
    deps().doorbell.ring()
    return redirect(url_for("emergency.one", emergency_id=number), 303)


@bp.get("/<int:emergency_id>")
@needs("see")
def one(emergency_id: int) -> ResponseReturnValue:
    """One emergency: its sound, what it waits for, what became of it."""
    with reading() as session:
        return _one(session, emergency_id)


@bp.post("/<int:emergency_id>/phat")
@needs("see")
def put_on_air(emergency_id: int) -> ResponseReturnValue:
    """The last word: from here on players sound it.  Who may is the room's to say (two persons, or a PIN)."""
    try:
        with writing() as session:
            made = accept(
                session, emergency_id, actor=actor(session), heard_sha256=request.form.get("heard", ""),
                pin=request.form.get("pin", ""), now=now(),
            )  # fmt: skip
            count = len(made)
    except WrongPin as error:
        with writing() as session:
            count_wrong(session, actor(session), now=now())
        with reading() as session:
            return _one(session, emergency_id, error), status_of(error)
    except BroadcasterError as error:
        with reading() as session:
            return _one(session, emergency_id, error), status_of(error)
    flash(
        "Đã lệnh cho các loa phát ngay."
        if count == 1
        else f"Đã lệnh cho các loa phát ngay, cả thảy {count} lần."
    )
    return redirect(url_for("emergency.one", emergency_id=emergency_id), 303)


@bp.post("/<int:emergency_id>/khong-phat")
@needs("see")
def refuse(emergency_id: int) -> ResponseReturnValue:
    """No, with a reason; whoever asked takes it back in the same way."""
    return _change(
        emergency_id,
        lambda session: refuse_emergency(
            session, emergency_id, reason=request.form.get("reason", ""), actor=actor(session), now=now()
        ),
        "Đã ghi: không phát lời khẩn cấp này.",
    )


@bp.post("/<int:emergency_id>/dung")
@needs("see")
def cancel(emergency_id: int) -> ResponseReturnValue:
    """End it: whoever is signed in may, since every second counts; it is written down."""
    return _change(
        emergency_id,
        lambda session: cancel_emergency(
            session, emergency_id, reason=request.form.get("reason", ""), actor=actor(session), now=now()
        ),
        "Đã lệnh dừng lời khẩn cấp này ở mọi loa.",
    )


@bp.post("/<int:emergency_id>/xem-xet")
@needs("emergency")
def look_again(emergency_id: int) -> ResponseReturnValue:
    """The review afterwards of what one person decided."""
    return _change(
        emergency_id,
        lambda session: review(
            session, emergency_id, note=request.form.get("note", ""), actor=actor(session), now=now()
        ),
        "Đã ghi nhận xét.",
    )


@bp.get("/dung-tat-ca")
@needs("see")
def ask_stop() -> ResponseReturnValue:
    """The first of two steps: what may be sounding, and the reason."""
    with reading() as session:
        return _stop(session)


@bp.post("/dung-tat-ca")
@needs("see")
def stop_everything() -> ResponseReturnValue:
    """The second: everything off the air, by one person, written down."""
    try:
        with writing() as session:
            stopped = stop_all(
                session, session.get_one(Station, station().id), reason=request.form.get("reason", ""),
                actor=actor(session), now=now(),
            )  # fmt: skip
            names = [f"{row.name} {row.start_local:%H:%M}" for row in stopped]
    except BroadcasterError as error:
        with reading() as session:
            return _stop(session, error), status_of(error)
    flash(
        "Đã lệnh dừng ngay: " + ("; ".join(names) if names else "lúc này không có buổi nào đang phát") + "."
    )
    return redirect(url_for("emergency.page"), 303)


@bp.post("/ma-pin")
@needs("see")
def pin() -> ResponseReturnValue:
    """Set one's own PIN; the password is asked again, so that an open screen is not enough."""
    try:
        with writing() as session:
            person = actor(session)
            if authenticate(session, person.username, request.form.get("password", "")) is None:
                raise InputError("Mật khẩu không đúng nên chưa đổi mã PIN. Hãy nhập lại.")
            set_pin(session, person, request.form.get("pin", ""), now=now())
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, error), status_of(error)
    flash("Đã đặt mã PIN khẩn cấp.")
    return redirect(url_for("emergency.page"), 303)


def _change(emergency_id: int, change: Callable[[Session], object], said: str) -> ResponseReturnValue:
    try:
        with writing() as session:
            change(session)
    except BroadcasterError as error:
        with reading() as session:
            return _one(session, emergency_id, error), status_of(error)
    flash(said)
    return redirect(url_for("emergency.one", emergency_id=emergency_id), 303)


def _form(typed: dict[str, str], villages: list[int]) -> EmergencyForm:
    hours = typed.get("hours", "")
    if not hours.isdigit() or int(hours) not in HOURS:
        raise InputError("Hãy chọn hạn phát: sau bao lâu thì lời khẩn cấp hết hiệu lực.")
    if typed.get("where") == "some" and not villages:
        raise InputError("Chưa chọn thôn nào. Hãy chọn ít nhất một thôn, hoặc chọn “Mọi thôn”.")
    repeat = typed.get("repeat", "0")
    return EmergencyForm(
        reason=typed.get("reason", ""),
        expires_at=now() + timedelta(hours=int(hours)),
        village_ids=tuple(villages) if typed.get("where") == "some" else (),
        repeat_min=int(repeat) if repeat.isdigit() else -1,
        drill="drill" in typed,
        cancels_id=int(typed["cancels"]) if typed.get("cancels", "").isdigit() else None,
    )


def _picked(session: Session, here: Station, wanted: str) -> Revision:
    for revision in recorded_messages(session, here):
        if str(revision.id) == wanted:
            return revision
    raise InputError("Hãy chọn một lời khẩn cấp có sẵn, hoặc chọn soạn lời mới.")


def _page(
    session: Session, error: BroadcasterError | None = None, typed: dict[str, Any] | None = None
) -> str:
    here = session.get_one(Station, station().id)
    return render_template(
        "emergency.html",
        state=board(session, now=now()),
        past=history(session),
        messages=recorded_messages(session, here),
        villages=session.scalars(select(Village).order_by(Village.position, Village.id)).all(),
        persons=deps().settings.integer("newsroom.emergency_persons"),
        has_pin=session.get(EmergencyPin, signed_in().user_id) is not None,
        hours=HOURS,
        repeats=REPEATS_MIN,
        typed=typed or {},
        warnings=error.warnings if isinstance(error, MessageBlocked) else (),
        error=error,
    )


def _one(session: Session, emergency_id: int, error: BroadcasterError | None = None) -> str:
    row = emergency_by_id(session, emergency_id)
    here = session.get_one(Station, station().id)
    programme = message_programme(
        session, here.id, row.programme_key if row.decided_at else key_of(here, row.revision)
    )
    names = {one.id: one.name for one in session.scalars(select(Village))}
    return render_template(
        "emergency_one.html",
        row=row,
        programme=programme,
        heard=air_sha256(programme),
        job=None if programme is not None else sound_job(session, row),
        airings=airings_of(session, row.id),
        told=told(session, here) if row.state in ("accepted", "cancelled") else None,
        where=[names[one] for one in row.villages if one in names],
        over=row.expires_at <= now(),
        mine=row.requested_by_id == signed_in().user_id,
        may_accept=_may_accept(row.persons, row.requested_by_id),
        error=error,
    )


def _may_accept(persons: int, requested_by: int) -> bool:
    person = signed_in()
    if persons == 1:
        return person.may("submit") or person.may("emergency")
    return person.may("emergency") and person.user_id != requested_by


def _stop(session: Session, error: BroadcasterError | None = None) -> str:
    here = session.get_one(Station, station().id)
    moment: datetime = now()
    return render_template(
        "emergency_stop.html",
        sounding=may_sound(session, here, now=moment),
        running=board(session, now=moment).running,
        typed=request.form.get("reason", ""),
        error=error,
    )
