"""Sổ hoạt động: meetings, banners and posters, entered by hand with their evidence."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError, NotFound
from broadcaster.newsroom.activities import (
    EVIDENCE,
    ActivityForm,
    activity,
    activity_rows,
    add_activity,
    attach,
    edit_activity,
    withdraw_activity,
)
from broadcaster.report.narrative import KINDS
from broadcaster.report.period import after, before, month_of, parse_period
from broadcaster.store.tables import ActivityRow, Topic, Village
from web.deps import deps, now, reading, station, today, writing
from web.errors import status_of
from web.security import actor, needs
from web.words import day_text, parse_day

bp = Blueprint("activities", __name__, url_prefix="/hoat-dong")
_TYPES = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "pdf": "application/pdf",
}  # fmt: skip


@bp.get("")
@needs("report")
def listing() -> ResponseReturnValue:
    """The activities of a period, this month unless asked otherwise."""
    asked = request.args.get("ky", "")
    period = parse_period(asked) if asked else month_of(today())
    with reading() as session:
        rows = activity_rows(session, period)
        topics, villages = _names(session)
    return render_template(
        "activities.html", rows=rows, period=period, back=before(period), on=after(period), kinds=KINDS,
        topics=topics, villages=villages,
    )  # fmt: skip


@bp.get("/moi")
@needs("report")
def new() -> ResponseReturnValue:
    """An empty form."""
    return _form({"day": day_text(today()), "quantity": "1"})


@bp.post("/moi")
@needs("report")
def create() -> ResponseReturnValue:
    """Write an activity down; what was typed comes back when it is refused."""
    try:
        with writing() as session:
            person = actor(session)
            row = add_activity(session, station(), _typed(), actor=person, now=now())
            _keep_files(session, row.id)
            where = month_of(row.day).text
    except BroadcasterError as error:
        return _form(request.form.to_dict(), error=error), status_of(error)
    flash("Đã ghi hoạt động.")
    return redirect(url_for("activities.listing", ky=where), 303)


@bp.get("/<int:activity_id>")
@needs("report")
def one(activity_id: int) -> ResponseReturnValue:
    """One activity, to read or change."""
    with reading() as session:
        row = activity(session, activity_id)
    return _form(_shown(row), row=row)


@bp.post("/<int:activity_id>")
@needs("report")
def change(activity_id: int) -> ResponseReturnValue:
    """Save changes and new evidence."""
    try:
        with writing() as session:
            row = edit_activity(
                session,
                activity_id,
                _typed(),
                version=request.form.get("version", 0, type=int),
                actor=actor(session),
                now=now(),
            )
            _keep_files(session, row.id)
            where = month_of(row.day).text
    except BroadcasterError as error:
        with reading() as session:
            row = activity(session, activity_id)
        return _form(request.form.to_dict(), row=row, error=error), status_of(error)
    flash("Đã lưu hoạt động.")
    return redirect(url_for("activities.listing", ky=where), 303)


@bp.post("/<int:activity_id>/huy")
@needs("report")
def withdraw(activity_id: int) -> ResponseReturnValue:
    """Take it out of the figures; the line stays."""
    try:
        with writing() as session:
            withdraw_activity(
                session, activity_id, reason=request.form.get("reason", ""), actor=actor(session), now=now()
            )
    except BroadcasterError as error:
        with reading() as session:
            row = activity(session, activity_id)
        return _form(_shown(row), row=row, error=error), status_of(error)
    flash("Đã hủy hoạt động; dòng này vẫn còn trong sổ nhưng không tính vào báo cáo.")
    return redirect(url_for("activities.listing"), 303)


@bp.get("/<int:activity_id>/tep/<int:file_id>")
@needs("report")
def evidence(activity_id: int, file_id: int) -> ResponseReturnValue:
    """A file of evidence, with the bytes it was kept with."""
    with reading() as session:
        files = [file for file in activity(session, activity_id).files if file.id == file_id]
    if not files:
        raise NotFound("Không có tệp này. Hãy mở lại sổ hoạt động.")
    file = files[0]
    data = deps().blobs.get(file.sha256, suffix=file.suffix)
    kind = _TYPES.get(file.suffix, "application/octet-stream")
    # A picture may be looked at here; anything else is only ever saved.
    return send_file(
        BytesIO(data), mimetype=kind, as_attachment=not kind.startswith("image/"), download_name=file.name
    )


def _keep_files(session: Session, activity_id: int) -> None:
    for file in request.files.getlist("files"):
        if file.filename:
            attach(
                session,
                deps().blobs,
                activity_id,
                file.filename,
                file.read(),
                actor=actor(session),
                now=now(),
            )


def _typed() -> ActivityForm:
    form = request.form
    day = parse_day(form.get("day", ""))
    if day is None:
        raise InputError("Ngày chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 24/11/2026.")
    return ActivityForm(
        kind=form.get("kind", ""),
        day=day,
        title=form.get("title", ""),
        village_id=_number("village", "thôn"),
        place=form.get("place", ""),
        topic_id=_number("topic", "chủ đề"),
        quantity=_number("quantity", "số lượng") or 0,
        people=_number("people", "số người"),
        note=form.get("note", ""),
    )


def _number(name: str, what: str) -> int | None:
    text = request.form.get(name, "").strip().replace(".", "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise InputError(f"Ô {what} chỉ nhận chữ số. Hãy sửa lại.")
    return int(text)


def _shown(row: ActivityRow) -> dict[str, str]:
    def text(value: int | None) -> str:
        return "" if value is None else str(value)

    return {
        "kind": row.kind, "day": day_text(row.day), "title": row.title, "village": text(row.village_id),
        "place": row.place, "topic": text(row.topic_id), "quantity": str(row.quantity),
        "people": text(row.people), "note": row.note,
    }  # fmt: skip


def _names(session: Session) -> tuple[dict[int, str], dict[int, str]]:
    topics = session.execute(select(Topic.id, Topic.title).order_by(Topic.position, Topic.id))
    villages = session.execute(select(Village.id, Village.name).order_by(Village.position, Village.id))
    return {key: name for key, name in topics}, {key: name for key, name in villages}


def _form(
    typed: dict[str, str], *, row: ActivityRow | None = None, error: BroadcasterError | None = None
) -> str:
    with reading() as session:
        topics, villages = _names(session)
    return render_template(
        "activity.html", typed=typed, row=row, kinds=KINDS, topics=topics, villages=villages, error=error,
        accept=",".join(f".{suffix}" for suffix in EVIDENCE),
    )  # fmt: skip
