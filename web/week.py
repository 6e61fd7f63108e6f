"""The week as a real table: days across, times down; and airings outside the weekly slots."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, time, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError
from broadcaster.model import AiringState, PlannedAiring
from broadcaster.schedule.airings import Clash, add_extra
from broadcaster.schedule.checking import SlotForm
from broadcaster.schedule.ending import give_way
from broadcaster.schedule.plan import plan_days
from broadcaster.schedule.policy import Way
from broadcaster.schedule.rules import add_slot, remove_slot
from broadcaster.store.tables import Airing, Slot, Village
from web.airing import choices
from web.deps import deps, now, reading, station, today, writing
from web.errors import status_of
from web.security import actor, needs
from web.words import SHORT_WEEKDAYS, WEEKDAY_NAMES, monday_of, parse_day, parse_time

bp = Blueprint("week", __name__, url_prefix="/lich")


@bp.get("")
@needs("see")
def table() -> ResponseReturnValue:
    """One week, Monday to Sunday; `tuan` is any date in it, `thon` a village's slug."""
    with reading() as session:
        return _page(session, _monday(request.args.get("tuan", "")))


@bp.post("/them")
@needs("schedule")
def extra() -> ResponseReturnValue:
    """An airing outside the weekly slots.  A clash is refused, with its ways out."""
    form = request.form
    day = today()
    try:
        day = _day(form.get("day", ""))
        wanted = form.get("bulletin", "")
        if not wanted.isdigit():
            raise InputError("Hãy chọn bản tin cho buổi phát ngoài lịch.")
        start = _time(form.get("start", ""))
        with writing() as session:
            give_way(session, form.getlist("replace"), day=day, actor=actor(session), now=now())
            airing = add_extra(
                session,
                station(),
                local_date=day,
                start_local=start,
                bulletin_ids=[int(wanted)],
                max_minutes=_minutes(form.get("minutes", "")),
                actor=actor(session),
                now=now(),
            )
            airing_id = airing.id
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, monday_of(day), error, form.to_dict()), status_of(error)
    deps().doorbell.ring()
    flash("Đã thêm buổi phát ngoài lịch.")
    return redirect(url_for("airing.panel", airing_id=airing_id), 303)


@bp.get("/khung-gio")
@needs("schedule")
def slots() -> ResponseReturnValue:
    """The weekly rules."""
    with reading() as session:
        return _slots(session)


@bp.post("/khung-gio")
@needs("schedule")
def new_slot() -> ResponseReturnValue:
    """A new weekly rule and its airings."""
    form = request.form
    try:
        days = [name for name in WEEKDAY_NAMES if name in form.getlist("weekdays")]
        if not days:
            raise InputError("Hãy chọn ít nhất một ngày trong tuần cho khung giờ.")
        first = _day(form.get("from", ""))
        with writing() as session:
            since = max(first, today())
            give_way(session, form.getlist("replace"), day=since, actor=actor(session), now=now())
            add_slot(
                session,
                station(),
                SlotForm(
                    name=form.get("name", "").strip(),
                    weekdays=",".join(days),
                    start_local=_time(form.get("start", "")),
                    valid_from=first,
                    max_minutes=_minutes(form.get("minutes", "")),
                ),
                actor=actor(session),
                now=now(),
            )
    except BroadcasterError as error:
        with reading() as session:
            return _slots(session, error, form.to_dict() | {"weekdays": form.getlist("weekdays")}), status_of(
                error
            )
    deps().doorbell.ring()
    flash("Đã thêm khung giờ; các buổi phát của 14 ngày tới đã được lập.")
    return redirect(url_for("week.slots"), 303)


@bp.post("/khung-gio/<int:slot_id>/bo")
@needs("schedule")
def drop_slot(slot_id: int) -> ResponseReturnValue:
    """Stop a weekly rule; what was broadcast stays in the book."""
    with writing() as session:
        remove_slot(session, slot_id, actor=actor(session), now=now())
    deps().doorbell.ring()
    flash("Đã bỏ khung giờ; các buổi chưa phát của khung này đã được hủy.")
    return redirect(url_for("week.slots"), 303)


def ways_of(error: BroadcasterError | None) -> tuple[Way, ...]:
    """What the page offers to do at once about a clash."""
    return error.ways if isinstance(error, Clash) else ()


def _monday(text: str) -> date:
    return monday_of(parse_day(text) or today())


def _day(text: str) -> date:
    day = parse_day(text)
    if day is None:
        raise InputError("Ngày chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 24/11/2026.")
    return day


def _time(text: str) -> time:
    start = parse_time(text)
    if start is None:
        raise InputError("Giờ phát chưa đúng. Hãy gõ giờ và phút, ví dụ 05:30.")
    return start


def _minutes(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 240:
        raise InputError("Số phút tối đa của buổi phát phải từ 1 đến 240.")
    return int(text)


def _page(
    session: Session, monday: date, error: BroadcasterError | None = None, typed: dict[str, str] | None = None
) -> str:
    villages = session.scalars(select(Village).order_by(Village.position, Village.id)).all()
    chosen = request.args.get("thon", "")
    village = chosen if chosen in {row.slug for row in villages} else None
    lines = plan_days(session, monday, 7, village)
    days = [monday + timedelta(days=number) for number in range(7)]
    cells: dict[time, dict[date, list[PlannedAiring]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        cells[line.start_local][line.local_date].append(line)
    return render_template(
        "week.html",
        monday=monday,
        number=monday.isocalendar().week,
        days=days,
        times=sorted(cells),
        cells=cells,
        lines=lines,
        today=today(),
        villages=villages,
        village=village,
        choices=choices(session),
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7),
        coming=[today() + timedelta(days=number) for number in range(15)],
        typed=typed or {},
        ways=ways_of(error),
        error=error,
    )


def _slots(
    session: Session, error: BroadcasterError | None = None, typed: dict[str, object] | None = None
) -> str:
    rows = session.scalars(select(Slot).where(Slot.active).order_by(Slot.start_local)).all()
    words = dict(zip(WEEKDAY_NAMES, SHORT_WEEKDAYS, strict=True))
    coming: dict[int, str] = {}  # slot -> its next airing, from which it is changed
    for slot_id, airing_id in session.execute(
        select(Airing.slot_id, Airing.id)
        .where(
            Airing.slot_id.in_([row.id for row in rows]),
            Airing.planned_at > now(),
            Airing.state == AiringState.PLANNED,
        )
        .order_by(Airing.planned_at)
    ):
        coming.setdefault(slot_id, airing_id)
    return render_template(
        "slots.html",
        rows=rows,
        coming=coming,
        words=words,
        typed=typed or {},
        error=error,
        today=today(),
        ways=ways_of(error),
    )
