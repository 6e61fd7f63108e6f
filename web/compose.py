"""Compose: the text, how it will be read, the questions it raises, listening, a place on the air, submitting.

The page is one plain form.  With JavaScript it also saves itself while somebody types, and its buttons bring
back only the part they change; those requests carry `HX-Request`.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, Conflict, InputError, ReadingBlocked
from broadcaster.model import Priority
from broadcaster.newsroom.bulletins import (
    bulletin_by_id,
    copy_as_new,
    copy_by_id,
    reading_if,
    reading_of,
    recall,
    restore_copy,
    save_draft,
    set_answer,
    submit,
    title_reading,
    withdraw,
)
from broadcaster.newsroom.importing import clean_text
from broadcaster.newsroom.lexicon import altered_by, remove_entry
from broadcaster.schedule.running import place, remove_item
from broadcaster.store.tables import Bulletin
from web.answers import answers_in, tried_in
from web.composing import check_values, page_values
from web.deps import deps, now, reading, writing
from web.dictionary import still_as_approved
from web.errors import status_of
from web.security import actor, needs, signed_in
from web.sound import ask_preview, ask_sentence

bp = Blueprint("compose", __name__, url_prefix="/ban-tin")
SAVED = "Đã lưu nháp."
# What a button of the form does -> the part of the page that comes back to a script.
PARTS = {"place": "_compose_places.html", "unplace": "_compose_places.html", "try": "_job.html"}


@bp.get("/<int:bulletin_id>")
@needs("see")
def page(bulletin_id: int) -> ResponseReturnValue:
    """The bulletin: its text, its reading, where it airs, its history."""
    with reading() as session:
        return _page(session, bulletin_by_id(session, bulletin_id))


@bp.post("/<int:bulletin_id>")
@needs("write")
def save(bulletin_id: int) -> ResponseReturnValue:
    """Save the text and every answer that was typed, then do what the pressed button says (`do`).

    One form holds the whole page, so no button can lose what stands in another field: save, check, submit,
    listen-N, answer-N, verbatim-N, pick-N-K, try-N, forget-N, place-AIRING, unplace-AIRING.
    """
    typed = request.form.to_dict()
    do, _, number = typed.get("do", "").partition("-")
    partial = "HX-Request" in request.headers
    if do == "try":
        return _try(bulletin_id, typed, number, partial=partial)
    job_id, told = 0, SAVED
    try:
        with writing() as session:
            bulletin = _save(session, bulletin_id, typed)
            if do or not partial:  # half an answer is not one: what saves itself is the text
                told += _answer(session, bulletin, typed, do, number)
            if do == "forget":
                _forget(session, bulletin, typed, number)
            if do in ("place", "unplace"):
                told = _place(session, bulletin, do, number)
            if do == "check":
                _ready(session, bulletin)
            if do == "submit":
                submit(session, bulletin_id, version=bulletin.version, actor=actor(session), now=now())
                told = "Đã gửi duyệt. Giọng đọc đang được dựng; người duyệt sẽ nghe đúng bản này."
            if do == "listen":
                job_id = ask_preview(session, bulletin, number)
    except BroadcasterError as error:
        return _refused(bulletin_id, error, typed, part=_part(do, partial=partial))
    if do in ("submit", "listen", "place", "unplace"):
        deps().doorbell.ring()
    if partial:
        with reading() as session:
            left = {} if do else typed  # what saved itself leaves half an answer standing in its field
            return _page(
                session, bulletin_by_id(session, bulletin_id), template=_part(do, partial=True), saved=True,
                left=left, told=told if do in ("place", "unplace") or told != SAVED else "",
            )  # fmt: skip
    if job_id:
        return redirect(url_for("sound.job", job_id=job_id), 303)
    if do == "check":
        return redirect(url_for("compose.check", bulletin_id=bulletin_id), 303)
    flash(told)
    there = "phat-khi-nao" if do in ("place", "unplace") else "cach-doc"
    return redirect(url_for("compose.page", bulletin_id=bulletin_id, _anchor=there), 303)


@bp.get("/<int:bulletin_id>/xem-lai")
@needs("see")
def check(bulletin_id: int) -> ResponseReturnValue:
    """Everything once more before it is sent: length, voice, airings, and every word that will be spoken."""
    with reading() as session:
        return _check(session, bulletin_by_id(session, bulletin_id))


@bp.post("/<int:bulletin_id>/gui")
@needs("submit")
def send(bulletin_id: int) -> ResponseReturnValue:
    """Submit exactly the version that was looked at; `xep` names an airing to put it into as well."""
    version = request.form.get("version", "")
    airing_id = request.form.get("xep", "")
    try:
        with writing() as session:
            bulletin = bulletin_by_id(session, bulletin_id, to_change=True)
            if airing_id and signed_in().may("schedule"):
                place(session, airing_id, bulletin_id, actor=actor(session), now=now())
            submit(
                session, bulletin_id, version=int(version) if version.isdigit() else bulletin.version,
                actor=actor(session), now=now(),
            )  # fmt: skip
    except BroadcasterError as error:
        with reading() as session:
            return _check(session, bulletin_by_id(session, bulletin_id), error), status_of(error)
    deps().doorbell.ring()
    flash("Đã gửi duyệt. Giọng đọc đang được dựng; người duyệt sẽ nghe đúng bản này.")
    return redirect(url_for("compose.page", bulletin_id=bulletin_id), 303)


@bp.post("/<int:bulletin_id>/rut-lai")
@needs("submit")
def take_back_sent(bulletin_id: int) -> ResponseReturnValue:
    """Undo sending, until somebody has decided."""
    return _then(bulletin_id, recall, "Đã rút lại bản gửi; giờ có thể sửa tiếp rồi gửi lại.")


@bp.post("/<int:bulletin_id>/soan-lai")
@needs("write")
def begin_anew(bulletin_id: int) -> ResponseReturnValue:
    """A new draft from this bulletin."""
    with writing() as session:
        new_id = copy_as_new(session, bulletin_id, actor=actor(session), now=now()).id
    flash("Đã tạo bản nháp mới từ bản tin cũ. Bản cũ vẫn giữ nguyên.")
    return redirect(url_for("compose.page", bulletin_id=new_id), 303)


@bp.get("/<int:bulletin_id>/nhap-cu/<int:copy_id>")
@needs("see")
def old_draft(bulletin_id: int, copy_id: int) -> ResponseReturnValue:
    """A draft as it was before a saving replaced it."""
    with reading() as session:
        bulletin = bulletin_by_id(session, bulletin_id)
        copy = copy_by_id(session, bulletin_id, copy_id)
        return render_template("compose_old_draft.html", bulletin=bulletin, copy=copy)


@bp.post("/<int:bulletin_id>/nhap-cu/<int:copy_id>")
@needs("write")
def bring_back(bulletin_id: int, copy_id: int) -> ResponseReturnValue:
    """Make it the draft again; what stands there now becomes a copy."""
    version = request.form.get("version", "")
    with writing() as session:
        restore_copy(
            session, bulletin_id, copy_id, version=int(version) if version.isdigit() else 0,
            actor=actor(session), now=now(),
        )  # fmt: skip
    flash("Đã lấy lại bản nháp cũ. Bản vừa bị thay cũng được giữ trong danh sách.")
    return redirect(url_for("compose.page", bulletin_id=bulletin_id), 303)


@bp.post("/<int:bulletin_id>/rut")
@needs("withdraw")
def take_back(bulletin_id: int) -> ResponseReturnValue:
    """Withdraw an approved bulletin, with its reason."""

    def change(session: Session, bulletin_id: int, **who: Any) -> object:
        return withdraw(session, bulletin_id, reason=request.form.get("reason", ""), **who)

    return _then(
        bulletin_id,
        change,
        "Đã rút bản tin. Các chương trình chưa phát sẽ được dựng lại không có bản tin này.",
    )


def _then(bulletin_id: int, change: Any, told: str) -> ResponseReturnValue:
    """Do one thing to the bulletin and show it, with what was done or why it was not."""
    try:
        with writing() as session:
            change(session, bulletin_id, actor=actor(session), now=now())
    except BroadcasterError as error:
        return _refused(bulletin_id, error, None)
    deps().doorbell.ring()
    flash(told)
    return redirect(url_for("compose.page", bulletin_id=bulletin_id), 303)


def _save(session: Session, bulletin_id: int, typed: dict[str, str]) -> Bulletin:
    version = typed.get("version", "")
    if not version.isdigit():
        raise InputError("Trang này thiếu số phiên bản. Hãy mở lại bản tin rồi dán lại văn bản.")
    bulletin = bulletin_by_id(session, bulletin_id, to_change=True)
    title = typed.get("title", "").strip() or bulletin.title
    text = typed.get("text", "")
    # The same words again are no conflict: a second tap, or a button pressed while the page saved itself.
    same = (title, clean_text(text)[0]) == (bulletin.title, bulletin.draft_text)
    return save_draft(
        session,
        bulletin_id,
        version=bulletin.version if same else int(version),
        actor=actor(session),
        title=title,
        text=text,
        topic_id=int(typed["topic"]) if typed.get("topic", "").isdigit() else None,
        priority=Priority(typed.get("priority") or Priority.ROUTINE),
        read_twice="twice" in typed,
        voice=typed.get("voice"),
        speed=_speed(typed.get("speed", "")),
        now=now(),
    )


def _speed(text: str) -> float | None:
    try:
        return float(text.replace(",", ".")) if text.strip() else None
    except ValueError as error:
        raise InputError("Tốc độ đọc chưa đúng. Hãy chọn lại tốc độ trong danh sách.") from error


def _answer(session: Session, bulletin: Bulletin, typed: dict[str, str], do: str, number: str) -> str:
    """Keep the answers; a word for every bulletin names the approved ones that it leaves as they are."""
    everywhere = []
    for given in answers_in(typed, wanted=do, number=number):
        set_answer(
            session, bulletin.id, key=given.key, written=given.written, spoken=given.spoken,
            scope=given.scope, actor=actor(session), now=now(),
        )  # fmt: skip
        if given.scope == "station":
            everywhere.append(given.written)
    altered = {
        other.id: other
        for written in everywhere
        for other in altered_by(session, station_id=bulletin.station_id, written=written)
    }
    return f" {still_as_approved(list(altered.values()))}" if altered else ""


def _forget(session: Session, bulletin: Bulletin, typed: dict[str, str], number: str) -> None:
    """Take one answer back: the rule reads it again."""
    entry = typed.get(f"f{number}-entry", "")
    if entry.isdigit():
        remove_entry(session, int(entry), actor=actor(session), now=now())
        return
    key = typed.get(f"f{number}-key", "")
    set_answer(
        session, bulletin.id, key=key, written=key, spoken="", scope="place", actor=actor(session), now=now()
    )


def _place(session: Session, bulletin: Bulletin, do: str, airing_id: str) -> str:
    if not signed_in().may("schedule"):
        raise InputError("Tài khoản này không xếp lịch được. Hãy nhờ cán bộ phụ trách lịch phát.")
    if do == "place":
        place(session, airing_id, bulletin.id, actor=actor(session), now=now())
        return "Đã xếp vào buổi phát."
    remove_item(session, airing_id, bulletin.id, actor=actor(session), now=now())
    return "Đã bỏ khỏi buổi phát."


def _ready(session: Session, bulletin: Bulletin) -> None:
    """What still has to be answered is answered on this page, not on the next one."""
    open_places = len(reading_of(session, bulletin).warnings) + len(title_reading(session, bulletin).warnings)
    if open_places:
        raise ReadingBlocked(
            f"Còn {open_places} chỗ chưa rõ cách đọc. Hãy trả lời từng chỗ (hoặc chọn đọc nguyên) rồi tiếp tục."
        )


def _try(bulletin_id: int, typed: dict[str, str], number: str, *, partial: bool) -> ResponseReturnValue:
    """Let an answer be heard in its sentence before it is kept; nothing of the form is lost by listening."""
    try:
        given = tried_in(typed, number)
        with writing() as session:
            bulletin = bulletin_by_id(session, bulletin_id)
            result = reading_if(
                session, bulletin, text=typed.get("text", bulletin.draft_text), key=given.key,
                written=given.written, spoken=given.spoken, scope=given.scope,
            )  # fmt: skip
            job_id = ask_sentence(session, bulletin, result, given.key, given.written)
    except BroadcasterError as error:
        if partial:
            return render_template("_said.html", error=error), status_of(error)
        return _refused(bulletin_id, error, typed)
    deps().doorbell.ring()
    if partial:
        return redirect(url_for("sound.job", job_id=job_id), 303)
    with reading() as session:
        bulletin = bulletin_by_id(session, bulletin_id)
        return _page(session, bulletin, typed=typed, left=typed, tried=(number, job_id))


def _part(do: str, *, partial: bool) -> str:
    return PARTS.get(do, "_compose_reading.html") if partial else "compose.html"


def _refused(
    bulletin_id: int, error: BroadcasterError, typed: dict[str, str] | None, *, part: str = "compose.html"
) -> ResponseReturnValue:
    """The page again with the sentence and with what was typed; on a conflict the other text is shown too."""
    with reading() as session:
        bulletin = bulletin_by_id(session, bulletin_id)
        answer = _page(session, bulletin, template=part, error=error, typed=typed, left=typed)
        return answer, status_of(error)


def _page(
    session: Session,
    bulletin: Bulletin,
    *,
    template: str = "compose.html",
    error: BroadcasterError | None = None,
    typed: dict[str, str] | None = None,
    left: dict[str, str] | None = None,
    **more: Any,
) -> str:
    typing = template == "_compose_reading.html"
    values = page_values(session, bulletin, typed=typed, left=left, typing=typing)
    conflict = isinstance(error, Conflict)
    return render_template(template, error=error, conflict=conflict, **values, **more)


def _check(session: Session, bulletin: Bulletin, error: BroadcasterError | None = None) -> str:
    return render_template("compose_check.html", error=error, **check_values(session, bulletin))
