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
# A line holds what every player and village says of an airing: a week is what a screen can show at once.  Whoever
# wants a year counted asks for the report.
SHOWN = timedelta(days=6)
LONGEST = timedelta(days=31)


@bp.get("")
@needs("report")
def report() -> ResponseReturnValue:
    """What happened in a period, the last seven days unless asked otherwise, with the periods beside it."""
    first, last = _period()
    length = last - first + timedelta(days=1)
    older = (first - length, first - timedelta(days=1))
    newer = (last + timedelta(days=1), min(last + length, today())) if last < today() else None
    with reading() as session:
        lines = list(by_airing(airing_report(session, first, last, now=now())).values())
        lines.reverse()  # newest first: what somebody opens the log for has just happened
        return render_template(
            "log.html",
            lines=lines,
            totals=totals(lines, now()),
            first=first,
            last=last,
            older=older,
            newer=newer,
        )


@bp.get("/thay-doi")
@needs("report")
def changes() -> ResponseReturnValue:
    """The book of who changed what, newest first."""
    return changes_page()


def _period() -> tuple[date, date]:
    last = _day(request.args.get("den", ""), today())
    first = _day(request.args.get("tu", ""), last - SHOWN)
    if last < first:
        raise InputError("Ngày cuối trước ngày đầu. Hãy chọn lại kỳ báo cáo.")
    if last - first > LONGEST:
        raise InputError(
            "Nhật ký xem mỗi lần nhiều nhất một tháng. Hãy chọn kỳ ngắn hơn, hoặc mở Báo cáo để xem cả năm."
        )
    return first, last


def _day(text: str, otherwise: date) -> date:
    day = parse_day(text) if text.strip() else otherwise
    if day is None:
        raise InputError("Ngày chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 24/11/2026.")
    return day
