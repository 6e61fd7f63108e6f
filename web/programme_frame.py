"""The frame of a programme: the words and jingles around the bulletins, a revision with an approval of its own."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError
from broadcaster.model import JingleKind
from broadcaster.newsroom.templates import add_template, approve_template, approved_template, bound_body
from broadcaster.production.template import VARIABLES, Template, opening_words, template_data, template_from
from broadcaster.store.tables import Airing, Jingle, TemplateRevision, User
from web.deps import now, reading, station, today, writing
from web.errors import status_of
from web.frame_fields import (
    CHOSEN,
    LEVELS,
    PART_NAMES,
    RESTS,
    SWITCHES,
    WORDS,
    changes,
    form_values,
    typed_template,
)
from web.security import account, actor, needs

bp = Blueprint("programme_frame", __name__, url_prefix="/khung-chuong-trinh")

NAME = "thuong"


@bp.get("")
@needs("see")
def page() -> ResponseReturnValue:
    """What is in force, what waits, and the form for a new revision."""
    with reading() as session:
        return _page(session)


@bp.post("")
@needs("jingles")
def propose() -> ResponseReturnValue:
    """Save a new revision; it changes nothing on the air until somebody else approves it."""
    try:
        with writing() as session:
            template = typed_template(request.form, _current(session))
            add_template(
                session, station_id=station().id, name=NAME, body=template_data(template),
                author=actor(session), now=now(),
            )  # fmt: skip
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, error), status_of(error)
    flash("Đã gửi khung chương trình mới. Khung cũ vẫn dùng cho tới khi người khác duyệt khung này.")
    return redirect(url_for("programme_frame.page"), 303)


@bp.post("/<int:revision_id>/duyet")
@needs("approve")
def accept(revision_id: int) -> ResponseReturnValue:
    """Approve exactly the revision that was seen."""
    try:
        with writing() as session:
            approve_template(
                session, revision_id, actor=actor(session), sha256=request.form.get("sha256", ""), now=now()
            )
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, error), status_of(error)
    flash("Đã duyệt khung chương trình. Các buổi chưa chốt sẽ được dựng lại theo khung này.")
    return redirect(url_for("programme_frame.page"), 303)


def _current(session: Session) -> Template:
    row = approved_template(session, station().id, NAME)
    return template_from(bound_body(row)) if row is not None else Template()


def _page(session: Session, error: BroadcasterError | None = None) -> str:
    rows = session.scalars(
        select(TemplateRevision).where(TemplateRevision.name == NAME).order_by(TemplateRevision.number.desc())
    ).all()
    approved = next((row for row in rows if row.approved_by_id is not None), None)
    waiting = rows[0] if rows and rows[0].approved_by_id is None else None
    people = {user.id: user.display_name for user in session.scalars(select(User))}
    shown = template_from(bound_body(row)) if (row := waiting or approved) else Template()
    resent = error is not None and request.method == "POST" and "call_sign" in request.form
    typed = form_values(shown, request.form if resent else None)
    rows_of_jingles = session.scalars(select(Jingle).order_by(Jingle.kind, Jingle.title)).all()
    titles = {row.sha256: row.title for row in rows_of_jingles}
    person = account()
    return render_template(
        "programme_frame.html",
        approved=approved, waiting=waiting, people=people, typed=typed, error=error, words=WORDS,
        switches=SWITCHES, variables=VARIABLES, example=_example(session, shown),
        mine=waiting is not None and person is not None and waiting.author_id == person.user_id,
        changed=_changed(approved, waiting, titles), parts=PART_NAMES, rests=RESTS, levels=LEVELS,
        jingles={kind: _offered(rows_of_jingles, kind) for kind in CHOSEN},
    )  # fmt: skip


def _example(session: Session, template: Template) -> list[str]:
    """What would be said before the first bulletin of a morning with two of them."""
    place = station()
    airing = session.scalars(
        select(Airing).where(Airing.local_date >= today()).order_by(Airing.planned_at).limit(1)
    ).first()
    if airing is None:
        return []
    return opening_words(
        template, station_name=place.name, call_sign=place.call_sign, date=airing.local_date,
        start=airing.start_local, titles=["(tên bản tin thứ nhất)", "(tên bản tin thứ hai)"],
    )  # fmt: skip


def _offered(rows: Sequence[Jingle], kind: JingleKind) -> list[Jingle]:
    """The sounds of that kind that may be chosen."""
    return [row for row in rows if row.kind == kind.value]


def _changed(
    approved: TemplateRevision | None, waiting: TemplateRevision | None, titles: dict[str, str]
) -> list[tuple[str, str, str]]:
    if waiting is None:
        return []
    before = template_from(bound_body(approved)) if approved is not None else None
    return changes(before, template_from(bound_body(waiting)), titles)
