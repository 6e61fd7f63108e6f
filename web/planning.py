"""Planning by the week and the month: a bulletin over many dates, last week again, the automatic plan,
holidays and fillers, and the sheet for the wall."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError
from broadcaster.newsroom.approved import approved_revisions
from broadcaster.schedule.autoplanning import apply_auto, preview_auto
from broadcaster.schedule.fallback import fillers, set_fillers
from broadcaster.schedule.holidays import days_off, holiday_from, read_holidays
from broadcaster.schedule.placing import (
    EVERY,
    Pattern,
    copy_week,
    copy_yesterday,
    preview_copy,
    preview_spread,
    spread,
)
from broadcaster.schedule.plan import plan_days
from broadcaster.schedule.rules import set_holidays
from broadcaster.store.tables import Bulletin, Slot, Station
from web.airing import choices
from web.deps import deps, now, reading, station, today, writing
from web.errors import status_of
from web.security import actor, needs
from web.words import monday_of, parse_day

bp = Blueprint("planning", __name__, url_prefix="/lich")
KINDS = {
    "each": "Mọi buổi trong khoảng ngày",
    "alternate": "Cách một ngày",
    "weekdays": "Các thứ đã chọn",
    "dates": "Các ngày đã ghi",
    "times": "Rải đều một số lần",
}
assert tuple(KINDS) == EVERY


@bp.get("/rai")
@needs("schedule")
def ask_spread() -> ResponseReturnValue:
    """The form; `ban-tin` is a bulletin that is chosen already."""
    with reading() as session:
        return _spread_page(session, {"bulletin": request.args.get("ban-tin", "")})


@bp.post("/rai")
@needs("schedule")
def do_spread() -> ResponseReturnValue:
    """Look first (`xem`), then place exactly that."""
    typed = _typed()
    try:
        pattern, bulletin = _pattern(typed), _number(typed.get("bulletin", ""), "Hãy chọn bản tin cần rải.")
        if "xem" in request.form:
            with writing() as session:  # tried and rolled back: the rules themselves answer
                here = session.get_one(Station, station().id)
                lines = preview_spread(session, here, bulletin, pattern, actor=actor(session), now=now())
                return _spread_page(session, typed, lines=lines)
        with writing() as session:
            here = session.get_one(Station, station().id)
            done = spread(session, here, bulletin, pattern, actor=actor(session), now=now())
    except BroadcasterError as error:
        with reading() as session:
            return _spread_page(session, typed, error=error), status_of(error)
    deps().doorbell.ring()
    placed = sum(not line.why_not for line in done)
    left = len(done) - placed
    flash(f"Đã xếp bản tin vào {placed} buổi" + (f", {left} buổi không nhận được." if left else "."))
    return redirect(url_for("week.table", tuan=pattern.first.isoformat()), 303)


@bp.get("/sao-chep")
@needs("schedule")
def ask_copy() -> ResponseReturnValue:
    """What each empty airing of the week would take over from the week before."""
    with reading() as session:
        return _copy_page(session, _monday(request.args.get("tuan", "")))


@bp.post("/sao-chep")
@needs("schedule")
def do_copy() -> ResponseReturnValue:
    """Copy last week."""
    monday = _monday(request.form.get("tuan", ""))
    try:
        with writing() as session:
            here = session.get_one(Station, station().id)
            lines = copy_week(session, here, monday, actor=actor(session), now=now())
    except BroadcasterError as error:
        with reading() as session:
            return _copy_page(session, monday, error), status_of(error)
    deps().doorbell.ring()
    flash(f"Đã sao chép tuần trước vào {len(lines)} buổi còn trống.")
    return redirect(url_for("week.table", tuan=monday.isoformat()), 303)


@bp.post("/sao-chep-hom-qua")
@needs("schedule")
def copy_day() -> ResponseReturnValue:
    """Yesterday's airings for a today that has none; what could not be taken over is said."""
    with writing() as session:
        here = session.get_one(Station, station().id)
        lines = copy_yesterday(session, here, today(), actor=actor(session), now=now())
    deps().doorbell.ring()
    left = [f"{line.name}: {line.why_not}" for line in lines if line.why_not]
    flash(" ".join([f"Đã sao chép {len(lines) - len(left)} buổi của hôm qua.", *left]))
    return redirect(url_for("today.board"), 303)


@bp.get("/tu-dong")
@needs("schedule")
def ask_auto() -> ResponseReturnValue:
    """The automatic plan: asked for by its limits, shown with a reason for each choice.  Changes nothing."""
    typed = request.args.to_dict()
    try:
        with reading() as session:
            found = None
            if typed:
                here = session.get_one(Station, station().id)
                found = preview_auto(session, here, **_auto(typed), now=now())
            return _auto_page(typed, found)
    except BroadcasterError as error:
        return _auto_page(typed, None, error), status_of(error)


@bp.post("/tu-dong")
@needs("schedule")
def do_auto() -> ResponseReturnValue:
    """Apply the plan that was seen; 409 when it would be another one now."""
    typed = request.form.to_dict()
    try:
        with writing() as session:
            here = session.get_one(Station, station().id)
            change = apply_auto(
                session, here, **_auto(typed), digest=typed.get("digest", ""), actor=actor(session), now=now()
            )
            label = change.label
    except BroadcasterError as error:
        return _auto_page(typed, None, error), status_of(error)
    deps().doorbell.ring()
    flash(f"Đã áp dụng {label}.")
    return redirect(url_for("week.table", tuan=typed.get("first", "")), 303)


@bp.get("/nghi-le")
@needs("schedule")
def free_days() -> ResponseReturnValue:
    """Holidays of the station and the bulletins that fill an empty airing."""
    with reading() as session:
        return _free_page(session)


@bp.post("/nghi-le")
@needs("schedule")
def keep_free_days() -> ResponseReturnValue:
    """Add or take away one holiday."""
    form = request.form
    try:
        with writing() as session:
            here = session.get_one(Station, station().id)
            rows = list(here.holidays)
            if form.get("bo", "").isdigit():
                rows = [row for number, row in enumerate(rows) if number != int(form["bo"])]
            else:
                rows.append(_holiday(form.to_dict()))
            set_holidays(session, here, rows, actor=actor(session), now=now())
    except BroadcasterError as error:
        with reading() as session:
            return _free_page(session, error), status_of(error)
    deps().doorbell.ring()
    flash("Đã lưu ngày nghỉ lễ; các buổi chưa phát đã theo danh sách mới.")
    return redirect(url_for("planning.free_days"), 303)


@bp.post("/du-phong")
@needs("schedule")
def keep_fillers() -> ResponseReturnValue:
    """Which approved bulletins may fill an empty airing."""
    wanted = [int(one) for one in request.form.getlist("fillers") if one.isdigit()]
    try:
        with writing() as session:
            set_fillers(
                session, session.get_one(Station, station().id), wanted, actor=actor(session), now=now()
            )
    except BroadcasterError as error:
        with reading() as session:
            return _free_page(session, error), status_of(error)
    flash("Đã lưu các bản tin dự phòng.")
    return redirect(url_for("planning.free_days"), 303)


@bp.get("/in")
@needs("see")
def sheet() -> ResponseReturnValue:
    """The week on one sheet, A4 across, for the wall."""
    monday = _monday(request.args.get("tuan", ""))
    with reading() as session:
        lines = plan_days(session, monday, 7, request.args.get("thon") or None)
    days = [monday + timedelta(days=number) for number in range(7)]
    cells: dict[Any, dict[date, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        cells[line.start_local][line.local_date].append(line)
    return render_template(
        "week_sheet.html", monday=monday, days=days, times=sorted(cells), cells=cells, lines=lines
    )


def _monday(text: str) -> date:
    return monday_of(parse_day(text) or today())


def _typed() -> dict[str, Any]:
    return request.form.to_dict() | {name: request.form.getlist(name) for name in ("slots", "weekdays")}


def _pattern(typed: dict[str, Any]) -> Pattern:
    return Pattern(
        kind=typed.get("kind", ""),
        first=_day(typed.get("first", "")),
        last=_day(typed.get("last", "")),
        slot_ids=tuple(int(one) for one in typed["slots"] if one.isdigit()),
        weekdays=frozenset(int(one) for one in typed["weekdays"] if one.isdigit() and 1 <= int(one) <= 7),
        dates=frozenset(
            _day(one) for one in typed.get("dates", "").replace(";", ",").split(",") if one.strip()
        ),
        times=int(typed["times"]) if typed.get("times", "").isdigit() else 0,
    )


def _auto(typed: dict[str, str]) -> dict[str, Any]:
    rest, most = typed.get("rest", ""), typed.get("most", "")
    return {
        "first": _day(typed.get("first", "")),
        "last": _day(typed.get("last", "")),
        "rest_days": _number(rest, "Số ngày nghỉ giữa hai lần phát phải là số."),
        "per_airing": _number(most, "Số bản tin mỗi buổi phải là số."),
    }


def _holiday(typed: dict[str, str]) -> dict[str, Any]:
    kind = typed.get("kind", "")
    row: dict[str, Any] = {"name": typed.get("name", "")}
    if kind == "public":
        return {"name": typed.get("name", "") or "Ngày nghỉ lễ của cả nước", "public": True}
    if kind == "on":
        row["on"] = _day(typed.get("when", "")).isoformat()
    elif kind in ("date", "lunar"):
        row[kind] = typed.get("when", "")
    else:
        raise InputError("Hãy chọn loại ngày nghỉ.")
    row["days"] = _number(typed.get("days", "1"), "Số ngày nghỉ phải là số.")
    if typed.get("eve"):
        row["from"] = -1
    holiday_from(row)
    return row


def _day(text: str) -> date:
    day = parse_day(text)
    if day is None:
        raise InputError(
            f"Ngày “{text.strip()[:30]}” chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 24/11/2026."
        )
    return day


def _number(text: str, said: str) -> int:
    if not text.isdigit() or len(text) > 6:
        raise InputError(said)
    return int(text)


def _spread_page(
    session: Session, typed: dict[str, Any], *, lines: Any = None, error: BroadcasterError | None = None
) -> str:
    return render_template(
        "spread.html",
        typed=typed,
        lines=lines,
        kinds=KINDS,
        choices=choices(session),
        slots=session.scalars(select(Slot).where(Slot.active).order_by(Slot.start_local)).all(),
        first=today(),
        last=today() + timedelta(days=13),
        error=error,
    )


def _copy_page(session: Session, monday: date, error: BroadcasterError | None = None) -> str:
    here = session.get_one(Station, station().id)
    lines = preview_copy(session, here, monday, now=now())
    ids = {one for line in lines for one in line.bulletins}
    titles = {row.id: row.title for row in session.scalars(select(Bulletin).where(Bulletin.id.in_(ids)))}
    return render_template("copy_week.html", monday=monday, lines=lines, titles=titles, error=error)


def _auto_page(typed: dict[str, str], found: Any, error: BroadcasterError | None = None) -> str:
    return render_template(
        "auto_plan.html", typed=typed, found=found, first=today() + timedelta(days=1),
        last=today() + timedelta(days=28), error=error,
    )  # fmt: skip


def _free_page(session: Session, error: BroadcasterError | None = None) -> str:
    here = session.get_one(Station, station().id)
    rows = read_holidays(here.holidays)
    approved = approved_revisions(
        session, session.scalars(select(Bulletin.id).where(Bulletin.station_id == here.id)).all()
    )
    kept = [row.bulletin_id for row in fillers(session)]
    order = {bulletin_id: place for place, bulletin_id in enumerate(kept)}
    return render_template(
        "free_days.html",
        rows=rows,
        coming=days_off(rows, today(), today() + timedelta(days=366)),
        approved=sorted(approved.values(), key=lambda one: (order.get(one.bulletin_id, 999), one.title)),
        kept=set(kept),
        slots=session.scalars(select(Slot).where(Slot.active).order_by(Slot.start_local)).all(),
        typed=request.form,
        error=error,
    )
