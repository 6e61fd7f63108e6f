"""Approve, phone first: exactly this text, this reading and this sound; or back to the author with a reason."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from broadcaster.errors import BroadcasterError, Conflict, InputError
from broadcaster.model import BulletinState, Reading
from broadcaster.newsroom.bulletins import (
    approve,
    frozen_reading,
    return_bulletin,
    revision_by_id,
    waiting,
)
from broadcaster.newsroom.hearing import hearing_job, hearing_of
from broadcaster.speech.choices import is_spare
from broadcaster.store.tables import Bulletin, Decision, RenderJob, Revision
from web import marking
from web.deps import deps, now, reading, today, writing
from web.differing import changed_sentences
from web.errors import status_of
from web.placing import expected_ms, places_of
from web.security import actor, needs, signed_in
from web.words import PRIORITIES, number_text

bp = Blueprint("approve", __name__, url_prefix="/duyet")
REASONS = (
    "Sai số liệu", "Sai ngày giờ", "Sai tên người hoặc đơn vị", "Dài quá", "Đọc chưa rõ", "Chưa đến lúc phát",
)  # fmt: skip
HEARD = {"1": True, "0": False}  # what the page's script saw of the player; without one nobody knows


@bp.get("")
@needs("approve")
def queue() -> ResponseReturnValue:
    """What waits, oldest first."""
    with reading() as session:
        return render_template(
            "approve_queue.html", rows=waiting(session), me=signed_in().user_id, last=_last(session)
        )


@bp.get("/<int:revision_id>")
@needs("approve")
def look(revision_id: int) -> ResponseReturnValue:
    """One revision: sound, differences, text, and the two answers."""
    with reading() as session:
        return _page(session, revision_by_id(session, revision_id))


@bp.post("/<int:revision_id>/duyet")
@needs("approve")
def accept(revision_id: int) -> ResponseReturnValue:
    """Approve exactly what was shown: the three hashes come back with the form."""
    form = request.form
    try:
        with writing() as session:
            title = revision_by_id(session, revision_id).title
            approve(
                session,
                revision_id,
                actor=actor(session),
                text_sha256=form.get("text_sha256", ""),
                reading_sha256=form.get("reading_sha256", ""),
                take_sha256=form.get("take_sha256", ""),
                heard=HEARD.get(form.get("heard", "")),
                now=now(),
            )
    except BroadcasterError as error:
        if isinstance(error, Conflict) and _done_by_me(revision_id, "approved"):
            flash("Bạn đã duyệt bản này rồi; bấm thêm lần nữa không đổi gì.")
            return redirect(url_for("approve.queue"), 303)
        return _refused(revision_id, error)
    deps().doorbell.ring()
    flash(f"Đã duyệt “{title}”.")
    return redirect(url_for("approve.queue"), 303)


@bp.post("/<int:revision_id>/tra-lai")
@needs("return")
def send_back(revision_id: int) -> ResponseReturnValue:
    """Return it with a reason: one of the common ones, words of one's own, or both."""
    chosen = [reason for reason in request.form.getlist("common") if reason in REASONS]
    reason = ". ".join([*chosen, request.form.get("reason", "").strip()]).strip(". ")
    try:
        if not reason:
            raise InputError("Hãy chọn hoặc ghi lý do trả lại, để người soạn biết phải sửa gì.")
        with writing() as session:
            title = revision_by_id(session, revision_id).title
            return_bulletin(session, revision_id, actor=actor(session), reason=reason, now=now())
    except BroadcasterError as error:
        if isinstance(error, Conflict) and _done_by_me(revision_id, "returned"):
            flash("Bạn đã trả lại bản này rồi; bấm thêm lần nữa không đổi gì.")
            return redirect(url_for("approve.queue"), 303)
        return _refused(revision_id, error)
    flash(f"Đã trả lại “{title}” cho người soạn.")
    return redirect(url_for("approve.queue"), 303)


def _refused(revision_id: int, error: BroadcasterError) -> ResponseReturnValue:
    """The sentence, with what stands now: on a conflict that is the newer revision."""
    with reading() as session:
        revision = revision_by_id(session, revision_id)
        if isinstance(error, Conflict):
            revision = revision.bulletin.revisions[-1]
        return _page(session, revision, error), status_of(error)


def _done_by_me(revision_id: int, verdict: str) -> bool:
    """True when this person's own decision of that kind stands: a second tap asks for what is done."""
    hashes = {name: request.form.get(name, "") for name in ("text_sha256", "reading_sha256", "take_sha256")}
    with reading() as session:
        decisions = revision_by_id(session, revision_id).decisions
        last = decisions[-1] if decisions else None
        if last is None or last.verdict != verdict or last.approver_id != signed_in().user_id:
            return False
        return verdict != "approved" or all(getattr(last, name) == seen for name, seen in hashes.items())


def _page(session: Session, revision: Revision, error: BroadcasterError | None = None) -> str:
    result = frozen_reading(revision)
    before = _compared_with(revision)
    take = revision.take
    values: dict[str, Any] = {
        "revision": revision,
        "bulletin": revision.bulletin,
        "reading": result,
        "rows": marking.rows(result),
        "changes": marking.changes(result),
        "before": before,
        "changed": changed_sentences(frozen_reading(before), result) if before else [],
        "otherwise": _otherwise(before, revision) if before else [],
        "returned": _returned_before(revision),
        "spare": take is not None and is_spare(take.voice),
        "on_trial": take is not None and "thử nghiệm" in take.voice_label,
        "places": places_of(
            session, revision.bulletin, own_ms=_length_ms(revision, result), first=today(), now=now(),
            close_min=deps().settings.integer("schedule.content_close_min"),
        ).here,
        "decided": revision.decisions[-1] if revision.decisions else None,
        "newer": revision.bulletin.revisions[-1].id != revision.id,
        "withdrawn_by_author": revision.bulletin.state is BulletinState.DRAFT and not revision.decisions,
        "mine": signed_in().user_id
        in {revision.bulletin.author_id, revision.submitted_by_id, *revision.writers},
        "job": _take_job(session, revision),
        "reasons": REASONS,
        "hearing_job": hearing_job(session, revision.id), "hearing": hearing_of(session, revision.id),
        "today": today(),
    }  # fmt: skip
    return render_template("approve.html", error=error, **values)


def _compared_with(revision: Revision) -> Revision | None:
    """The last approved revision before this one, else the last one that was sent."""
    earlier = [each for each in revision.bulletin.revisions if each.number < revision.number]
    approved = [each for each in earlier if any(one.verdict == "approved" for one in each.decisions)]
    return next(iter([*reversed(approved), *reversed(earlier)]), None)


def _returned_before(revision: Revision) -> Decision | None:
    """Why the revision just before this one was sent back, when it was."""
    earlier = [each for each in revision.bulletin.revisions if each.number == revision.number - 1]
    decisions = earlier[0].decisions if earlier else []
    return decisions[-1] if decisions and decisions[-1].verdict == "returned" else None


def _otherwise(before: Revision, after: Revision) -> list[tuple[str, str, str]]:
    """What differs besides the text: word, before, after."""
    yes = {True: "có", False: "không"}
    pairs = [
        ("Tên bản tin", before.title, after.title),
        ("Mức", PRIORITIES[before.priority], PRIORITIES[after.priority]),
        ("Đọc hai lần", yes[before.read_twice], yes[after.read_twice]),
    ]
    if before.take is not None and after.take is not None:
        pairs.append(
            (
                "Giọng",
                before.take.voice_label or before.take.voice,
                after.take.voice_label or after.take.voice,
            )
        )
        pairs.append(("Tốc độ", number_text(before.take.speed, 2), number_text(after.take.speed, 2)))
    return [pair for pair in pairs if pair[1] != pair[2]]


def _length_ms(revision: Revision, result: Reading) -> int:
    if revision.take is None:
        return expected_ms(result, speed=revision.speed or 1.0, twice=revision.read_twice)
    return revision.take.duration_ms * (2 if revision.read_twice else 1)


def _last(session: Session) -> Decision | None:
    """The last approval at this station: it tells an approver who finds nothing that all is well."""
    return session.scalar(
        select(Decision)
        .join(Revision, Revision.id == Decision.revision_id)
        .join(Bulletin, Bulletin.id == Revision.bulletin_id)
        .where(Decision.verdict == "approved")
        .options(contains_eager(Decision.revision))
        .order_by(Decision.id.desc())
        .limit(1)
    )


def _take_job(session: Session, revision: Revision) -> RenderJob | None:
    return session.scalar(
        select(RenderJob).where(RenderJob.kind == "take", RenderJob.key == str(revision.id)).limit(1)
    )
