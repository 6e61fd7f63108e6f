"""The report's own words and its frame: letterhead, recipients, signature."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from broadcaster.errors import BroadcasterError, InputError
from broadcaster.report.narrative import draft, missing_numbers
from broadcaster.report.paper import LABELS, checked_frame
from broadcaster.report.papers import frame_of, report_of, save_frame, save_text, saved_text
from broadcaster.report.period import Period
from web.deps import now, reading, station, writing
from web.errors import status_of
from web.reports import asked_period
from web.security import actor, needs

bp = Blueprint("report_text", __name__, url_prefix="/bao-cao")


@bp.get("/loi-van")
@needs("report")
def words() -> ResponseReturnValue:
    """The report's text: the saved one, or the draft from the figures."""
    return _words_page(asked_period(), None, None)


@bp.post("/loi-van")
@needs("report")
def keep_words() -> ResponseReturnValue:
    """Save the text; what was typed comes back when it is refused."""
    period = asked_period()
    body = request.form.get("loi_van", "")
    try:
        with writing() as session:
            save_text(
                session,
                station(),
                period,
                body,
                version=request.form.get("version", 0, type=int),
                actor=actor(session),
                now=now(),
            )
    except BroadcasterError as error:
        return _words_page(period, body, error)
    flash("Đã lưu lời văn của báo cáo.")
    return redirect(url_for("reports.page", ky=period.text), 303)


@bp.get("/the-thuc")
@needs("report")
def frame() -> ResponseReturnValue:
    """Letterhead, recipients, signature."""
    with reading() as session:
        values = frame_of(session, station())
    return render_template("report_frame.html", values=values, labels=LABELS)


@bp.post("/the-thuc")
@needs("report")
def keep_frame() -> ResponseReturnValue:
    """Save letterhead and signature."""
    try:
        values = checked_frame(request.form)
        with writing() as session:
            save_frame(session, station(), values, actor=actor(session), now=now())
    except InputError as error:
        return render_template(
            "report_frame.html", values=request.form, labels=LABELS, error=error
        ), status_of(error)
    flash("Đã lưu thể thức văn bản.")
    return redirect(url_for("reports.page"), 303)


def _words_page(period: Period, body: str | None, error: BroadcasterError | None) -> ResponseReturnValue:
    with reading() as session:
        shown = report_of(session, station(), period, now=now())
        saved = saved_text(session, period)
    fresh = draft(shown)
    if body is None:
        body = fresh if saved is None or "moi" in request.args else saved.body
    extra = {} if error is None else {"error": error}
    page = render_template(
        "report_words.html",
        period=period,
        body=body,
        saved=saved,
        version=saved.version if saved is not None else 0,
        missing=missing_numbers(body, shown),
        **extra,
    )
    return page if error is None else (page, status_of(error))
