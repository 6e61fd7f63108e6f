"""Compose: the text, how it will be read, the questions it raises, listening, submitting.

The page is plain forms.  With JavaScript the text form also saves itself while somebody types and brings
back the reading; that request carries `HX-Request` and gets the reading part alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, Conflict, InputError
from broadcaster.model import VERBATIM, BulletinState, Priority
from broadcaster.newsroom.bulletins import (
    bulletin_by_id,
    reading_of,
    save_draft,
    set_answer,
    submit,
    withdraw,
)
from broadcaster.newsroom.hearing import hearing_job, hearing_of
from broadcaster.schedule.running import speech_ms
from broadcaster.store.tables import Airing, Bulletin, Topic, Variant, VariantItem
from web import marking
from web.deps import deps, now, reading, today, writing
from web.errors import status_of
from web.security import account, actor, needs
from web.sound import ask_preview

bp = Blueprint("compose", __name__, url_prefix="/ban-tin")
Scope = Literal["place", "bulletin", "station"]
SCOPES: dict[str, Scope] = {"place": "place", "bulletin": "bulletin", "station": "station"}


@bp.get("/<int:bulletin_id>")
@needs("see")
def page(bulletin_id: int) -> ResponseReturnValue:
    """The bulletin: its text, its reading, its history."""
    with reading() as session:
        return _page(session, bulletin_by_id(session, bulletin_id))


@bp.post("/<int:bulletin_id>")
@needs("write")
def save(bulletin_id: int) -> ResponseReturnValue:
    """Save the text and every answer that was typed; `do` says what else: submit, listen-N, answer-N, verbatim-N.

    One form holds the whole page, so no button can lose what stands in another field.
    """
    typed = request.form.to_dict()
    do, _, number = typed.get("do", "save").partition("-")
    partial = "HX-Request" in request.headers
    job_id = 0
    try:
        with writing() as session:
            bulletin = _save(session, bulletin_id, typed)
            for given in answers_in(typed, wanted=do, number=number):
                bulletin = set_answer(
                    session, bulletin_id, key=given.key, written=given.written, spoken=given.spoken,
                    scope=given.scope, actor=actor(session), now=now(),
                )  # fmt: skip
            if do == "submit":
                submit(session, bulletin_id, version=bulletin.version, actor=actor(session), now=now())
            if do == "listen":
                job_id = ask_preview(session, bulletin, number)
    except BroadcasterError as error:
        return _refused(bulletin_id, error, typed, partial=partial)
    if do in ("submit", "listen"):
        deps().doorbell.ring()
    if partial:
        with reading() as session:
            bulletin = bulletin_by_id(session, bulletin_id)
            return _page(session, bulletin, template="_compose_reading.html", saved=True)
    if job_id:
        return redirect(url_for("sound.job", job_id=job_id), 303)
    if do == "submit":
        flash("Đã gửi duyệt. Giọng đọc đang được dựng; người duyệt sẽ nghe đúng bản này.")
    else:
        flash("Đã lưu nháp.")
    return redirect(url_for("compose.page", bulletin_id=bulletin_id, _anchor="cach-doc"), 303)


@dataclass(frozen=True, slots=True)
class Given:
    """One answer of the form: how something is read, and how far it counts."""

    key: str
    written: str
    spoken: str
    scope: Scope


def answers_in(typed: dict[str, str], *, wanted: str = "", number: str = "") -> list[Given]:
    """The answers that somebody typed or asked for; a suggestion that nobody touched is not an answer."""
    found = []
    for name in typed:
        if not (name.startswith("a") and name.endswith("-spoken") and name[1:-7].isdigit()):
            continue
        each = name[1:-7]
        spoken, was = typed[name].strip(), typed.get(f"a{each}-was", "").strip()
        asked = number == each and wanted in ("answer", "verbatim")
        written = typed.get(f"a{each}-written", "").strip()
        if number == each and wanted == "verbatim":
            spoken = VERBATIM
        if not asked and (spoken == was or not spoken):
            continue
        if not spoken or not written:
            raise InputError(
                f"Chưa có cách đọc cho “{written or spoken}”. Hãy gõ cả chữ viết và lời đọc rồi lưu."
            )
        scope = SCOPES.get(typed.get(f"a{each}-scope", ""), "place")
        found.append(Given(typed.get(f"a{each}-key", ""), written, spoken, scope))
    return found


@bp.post("/<int:bulletin_id>/rut")
@needs("withdraw")
def take_back(bulletin_id: int) -> ResponseReturnValue:
    """Withdraw an approved bulletin, with its reason."""
    try:
        with writing() as session:
            withdraw(
                session, bulletin_id, actor=actor(session), reason=request.form.get("reason", ""), now=now()
            )
    except BroadcasterError as error:
        return _refused(bulletin_id, error, None, partial=False)
    deps().doorbell.ring()
    flash("Đã rút bản tin. Các chương trình chưa phát sẽ được dựng lại không có bản tin này.")
    return redirect(url_for("compose.page", bulletin_id=bulletin_id), 303)


def _save(session: Session, bulletin_id: int, typed: dict[str, str]) -> Bulletin:
    text = typed.get("text", "")
    version = typed.get("version", "")
    if not version.isdigit():
        raise InputError("Trang này thiếu số phiên bản. Hãy mở lại bản tin rồi dán lại văn bản.")
    return save_draft(
        session,
        bulletin_id,
        version=int(version),
        actor=actor(session),
        title=typed.get("title", "").strip() or bulletin_by_id(session, bulletin_id).title,
        text=text,
        topic_id=int(typed["topic"]) if typed.get("topic", "").isdigit() else None,
        priority=Priority(typed.get("priority") or Priority.ROUTINE),
        read_twice="twice" in typed,
        now=now(),
    )


def _refused(
    bulletin_id: int, error: BroadcasterError, typed: dict[str, str] | None, *, partial: bool
) -> ResponseReturnValue:
    """The page again with the sentence and with what was typed; on a conflict the other text is shown too."""
    with reading() as session:
        bulletin = bulletin_by_id(session, bulletin_id)
        template = "_compose_reading.html" if partial else "compose.html"
        return _page(session, bulletin, template=template, error=error, typed=typed), status_of(error)


def _page(
    session: Session,
    bulletin: Bulletin,
    *,
    template: str = "compose.html",
    error: BroadcasterError | None = None,
    typed: dict[str, str] | None = None,
    saved: bool = False,
) -> str:
    result = reading_of(session, bulletin)
    person = account()
    newest = bulletin.revisions[-1] if bulletin.revisions else None
    values: dict[str, Any] = {
        "bulletin": bulletin,
        "typed": typed or _fields(bulletin),
        "conflict": isinstance(error, Conflict),
        "reading": result,
        "rows": marking.rows(result),
        "loose": marking.elsewhere(result),
        "changed": len(marking.changes(result)),
        "length_ms": speech_ms(bulletin, None) if bulletin.draft_text.strip() else 0,
        "topics": session.scalars(select(Topic).order_by(Topic.position, Topic.id)).all(),
        "revision": newest,
        "hearing_job": hearing_job(session, newest.id) if newest else None,
        "hearing": hearing_of(session, newest.id) if newest else None,
        "airings": _airings(session, bulletin),
        "may_write": person is not None and person.may("write"),
        "same_as_sent": newest is not None and newest.text.strip() == bulletin.draft_text.strip(),
        "waits": bulletin.state is BulletinState.SUBMITTED,
        "saved": saved,
        "typed_answers": _typed_answers(typed or {}),
    }
    return render_template(template, error=error, **values)


def _fields(bulletin: Bulletin) -> dict[str, Any]:
    return {
        "title": bulletin.title,
        "text": bulletin.draft_text,
        "topic": str(bulletin.topic_id or ""),
        "priority": bulletin.priority.value,
        "twice": bulletin.read_twice,
        "version": bulletin.version,
    }


def _typed_answers(typed: dict[str, str]) -> dict[str, str]:
    """key -> what somebody typed, so that a refused form comes back as it was."""
    return {
        typed[name]: typed.get(name.replace("-key", "-spoken"), "")
        for name in typed
        if name.startswith("a") and name.endswith("-key")
    }


def _airings(session: Session, bulletin: Bulletin) -> list[Airing]:
    """Where it is placed from today on."""
    return list(
        session.scalars(
            select(Airing)
            .join(Variant, Variant.airing_id == Airing.id)
            .join(VariantItem, VariantItem.variant_id == Variant.id)
            .where(VariantItem.bulletin_id == bulletin.id, Airing.local_date >= today())
            .order_by(Airing.planned_at)
            .distinct()
            .limit(20)
        )
    )
