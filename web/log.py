"""What was planned, what players report, what villages say: three columns, never merged."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from broadcaster.errors import InputError
from broadcaster.report.counting import airing_report
from web.changes import changes_page
from web.deps import now, reading, today
from web.heard import by_airing, totals
from web.security import needs
from web.words import parse_day

bp = Blueprint("log", __name__, url_prefix="/nhat-ky")
LONGEST = timedelta(days=366)


@bp.get("")
@needs("report")
def report() -> ResponseReturnValue:
    """The report of a period, this month unless asked otherwise."""
    first, last = _period()
    with reading() as session:
        lines = list(by_airing(airing_report(session, first, last, now=now())).values())
        lines.reverse()  # newest first: what somebody opens the log for has just happened
        return render_template("log.html", lines=lines, totals=totals(lines), first=first, last=last)


@bp.get("/thay-doi")
@needs("report")
def changes() -> ResponseReturnValue:
    """The book of who changed what, newest first."""
    return changes_page()


def _period() -> tuple[date, date]:
    first = _day(request.args.get("tu", ""), today().replace(day=1))
    last = _day(request.args.get("den", ""), today())
    if last < first:
        raise InputError("Ngày cuối trước ngày đầu. Hãy chọn lại kỳ báo cáo.")
    if last - first > LONGEST:
        raise InputError("Kỳ báo cáo dài nhất là một năm. Hãy chọn kỳ ngắn hơn.")
    return first, last


def _day(text: str, otherwise: date) -> date:
    day = parse_day(text) if text.strip() else otherwise
    if day is None:
        raise InputError("Ngày chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 24/11/2026.")
    return day
