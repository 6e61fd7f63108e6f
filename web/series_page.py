"""One dialog for a change of a series (this one, this and the following, all to come), and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError, NotFound
from broadcaster.model import LatePolicy, Priority, StartMode
from broadcaster.schedule.changes import undo
from broadcaster.schedule.ending import form_of
from broadcaster.schedule.plan import airing_of
from broadcaster.schedule.series import Scope, edit_series, move, take_away
from broadcaster.store.tables import Airing, Slot, Village
from web.deps import deps, now, reading, writing
from web.errors import status_of
from web.security import actor, needs
from web.week import ways_of
from web.words import WEEKDAY_NAMES, parse_day, parse_time

Choice = TypeVar("Choice", bound=StrEnum)
bp = Blueprint("series", __name__, url_prefix="/lich")
DEEDS = {"doi": "Đổi giờ hoặc ngày", "bo": "Cho nghỉ hoặc bỏ", "sua": "Sửa khung giờ"}
SCOPES = (
    (Scope.THIS, "Chỉ buổi này"),
    (Scope.FOLLOWING, "Buổi này và về sau"),
    (Scope.ALL, "Tất cả buổi chưa phát"),
)


@bp.get("/buoi/<airing_id>/doi")
@needs("schedule")
def dialog(airing_id: str) -> ResponseReturnValue:
    """The dialog; `viec` says which deed, and the safest reach is chosen."""
    with reading() as session:
        return _page(session, airing_id, request.args.get("viec", "doi"))


@bp.post("/buoi/<airing_id>/doi")
@needs("schedule")
def change(airing_id: str) -> ResponseReturnValue:
    """Carry it out as far as was said."""
    deed = request.form.get("deed", "")
    deeds: dict[str, Callable[[Session, str], str]] = {"doi": _move, "bo": _take_away, "sua": _edit}
    try:
        with writing() as session:
            if deed not in deeds:
                raise InputError("Hãy chọn việc cần làm với buổi phát này.")
            label = deeds[deed](session, airing_id)
            day = session.get_one(Airing, airing_id).local_date
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, airing_id, deed, error), status_of(error)
    deps().doorbell.ring()
    flash(f"Xong: {label}.")
    return redirect(url_for("week.table", tuan=day.isoformat()), 303)


@bp.post("/hoan-tac/<int:change_id>")
@needs("schedule")
def take_back(change_id: int) -> ResponseReturnValue:
    """Put the plan back as it was before this person's change."""
    with writing() as session:
        label = undo(session, change_id, actor=actor(session), now=now()).label
    deps().doorbell.ring()
    flash(f"Đã hoàn tác: {label}.")
    return redirect(url_for("week.table"), 303)


def _move(session: Session, airing_id: str) -> str:
    start = parse_time(request.form.get("start", ""))
    if start is None:
        raise InputError("Giờ phát chưa đúng. Hãy gõ giờ và phút, ví dụ 05:30.")
    typed = request.form.get("day", "").strip()
    day = parse_day(typed) if typed else None
    if typed and day is None:
        raise InputError("Ngày chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 24/11/2026.")
    found = move(
        session,
        airing_id,
        scope=_scope(),
        start_local=start,
        day=day,
        version=_version(),
        instead_of=request.form.getlist("replace"),
        actor=actor(session),
        now=now(),
    )
    return found.label


def _take_away(session: Session, airing_id: str) -> str:
    found = take_away(
        session, airing_id, scope=_scope(), reason=request.form.get("reason", ""), version=_version(),
        actor=actor(session), now=now(),
    )  # fmt: skip
    return found.label


def _edit(session: Session, airing_id: str) -> str:
    slot = _slot(session, airing_id)
    if slot is None:
        raise NotFound("Buổi này không thuộc khung giờ hằng tuần.")
    form = request.form
    minutes, volume = form.get("minutes", ""), form.get("volume", "")
    grace, wait = form.get("grace", ""), form.get("wait", "")
    if not all(number.isdigit() for number in (minutes, volume, grace, wait)):
        raise InputError("Số phút và âm lượng phải là số. Hãy nhập lại.")
    until = form.get("until", "").strip()
    last = parse_day(until) if until else None
    if until and last is None:
        raise InputError(
            "Ngày kết thúc chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 24/12/2026, hoặc để trống."
        )
    start = parse_time(form.get("start", ""))
    if start is None:
        raise InputError("Giờ phát chưa đúng. Hãy gõ giờ và phút, ví dụ 05:30.")
    wanted = replace(
        form_of(slot),
        name=form.get("name", ""),
        weekdays=",".join(name for name in WEEKDAY_NAMES if name in form.getlist("weekdays")),
        start_local=start,
        max_minutes=int(minutes),
        volume_percent=int(volume),
        valid_to=last,
        late_policy=_one_of(LatePolicy, "late"),
        grace_s=_seconds(grace, slot.grace_s),
        start_mode=_one_of(StartMode, "mode"),
        wait_s=_seconds(wait, slot.wait_s),
        priority=_one_of(Priority, "priority"),
        on_holidays="on_holidays" in form,
        carry_over="carry_over" in form,
        village_ids=tuple(int(one) for one in form.getlist("villages") if one.isdigit())
        if form.get("where") == "some"
        else (),
    )
    if form.get("where") == "some" and not wanted.village_ids:
        raise InputError("Chưa chọn thôn nào. Hãy chọn ít nhất một thôn, hoặc chọn “Mọi thôn”.")
    found = edit_series(
        session, airing_id, wanted, scope=_scope(), version=_version(),
        instead_of=request.form.getlist("replace"), actor=actor(session), now=now(),
    )  # fmt: skip
    return found.label


def _seconds(minutes: str, before: int) -> int:
    """What was typed, in seconds; what a week's file had said to the second stays while nobody types another minute."""
    return before if int(minutes) == round(before / 60) else int(minutes) * 60


def _one_of(kind: type[Choice], field: str) -> Choice:
    try:
        return kind(request.form.get(field, ""))
    except ValueError:
        raise InputError("Trang này thiếu một lựa chọn. Hãy mở lại buổi phát rồi sửa tiếp.") from None


def _scope() -> Scope:
    try:
        return Scope(request.form.get("scope", ""))
    except ValueError:
        raise InputError(
            "Hãy chọn phạm vi: chỉ buổi này, buổi này và về sau, hay tất cả buổi chưa phát."
        ) from None


def _version() -> int:
    typed = request.form.get("version", "")
    if not typed.isdigit():
        raise InputError("Trang này thiếu thông tin phiên bản. Hãy mở lại buổi phát.")
    return int(typed)


def _slot(session: Session, airing_id: str) -> Slot | None:
    airing = session.scalar(select(Airing).where(Airing.id == airing_id))
    if airing is None:
        raise NotFound("Không tìm thấy buổi phát này ở đài. Hãy mở lại lịch phát và chọn buổi khác.")
    return session.get(Slot, airing.slot_id) if airing.slot_id is not None else None


def _page(session: Session, airing_id: str, deed: str, error: BroadcasterError | None = None) -> str:
    line = airing_of(session, airing_id)
    slot = _slot(session, airing_id)
    return render_template(
        "series.html",
        line=line,
        slot=slot,
        form=form_of(slot) if slot is not None else None,
        version=request.form.get("version") or session.get_one(Airing, airing_id).version,
        deed=deed if deed in DEEDS else "doi",
        deeds=DEEDS,
        scopes=SCOPES if deed != "sua" else SCOPES[1:],
        villages=session.scalars(select(Village).order_by(Village.position, Village.id)).all(),
        typed=request.form,
        ways=ways_of(error),
        error=error,
    )
