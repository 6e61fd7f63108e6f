"""Approve, phone first: exactly this text, this reading and this sound; or back to the author with a reason."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, Conflict, InputError
from broadcaster.model import Reading
from broadcaster.newsroom.bulletins import (
    approve,
    frozen_reading,
    return_bulletin,
    revision_by_id,
    waiting,
)
from broadcaster.newsroom.hearing import hearing_job, hearing_of
from broadcaster.store.tables import Airing, RenderJob, Revision, Variant, VariantItem
from web import marking
from web.deps import deps, now, reading, today, writing
from web.errors import status_of
from web.security import actor, needs, signed_in

bp = Blueprint("approve", __name__, url_prefix="/duyet")
REASONS = ("Sai số liệu", "Sai tên người hoặc đơn vị", "Dài quá", "Đọc chưa rõ")


@dataclass(frozen=True, slots=True)
class Changed:
    """One sentence that is not as it was: `kind` is added, removed or changed."""

    kind: str
    before: str
    after: str


@bp.get("")
@needs("approve")
def queue() -> ResponseReturnValue:
    """What waits, oldest first."""
    with reading() as session:
        return render_template("approve_queue.html", rows=waiting(session), me=signed_in().user_id)


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
                now=now(),
            )
    except BroadcasterError as error:
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
        return _refused(revision_id, error)
    flash(f"Đã trả lại “{title}” cho người soạn.")
    return redirect(url_for("approve.queue"), 303)


def changed_sentences(before: Reading, after: Reading) -> list[Changed]:
    """What differs between two readings, sentence by sentence, as written."""
    old = [sentence.written for sentence in before.sentences]
    new = [sentence.written for sentence in after.sentences]
    found: list[Changed] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        found += _pair(old[a:b], new[c:d])
    return found


def _pair(old: Sequence[str], new: Sequence[str]) -> list[Changed]:
    both = min(len(old), len(new))
    pairs = [Changed("changed", o, n) for o, n in zip(old, new, strict=False)]
    pairs += [Changed("removed", o, "") for o in old[both:]]
    pairs += [Changed("added", "", n) for n in new[both:]]
    return pairs


def _refused(revision_id: int, error: BroadcasterError) -> ResponseReturnValue:
    """The sentence, with what stands now: on a conflict that is the newer revision."""
    with reading() as session:
        revision = revision_by_id(session, revision_id)
        if isinstance(error, Conflict):
            revision = revision.bulletin.revisions[-1]
        return _page(session, revision, error), status_of(error)


def _page(session: Session, revision: Revision, error: BroadcasterError | None = None) -> str:
    result = frozen_reading(revision)
    earlier = [each for each in revision.bulletin.revisions if each.number < revision.number]
    values: dict[str, Any] = {
        "revision": revision,
        "bulletin": revision.bulletin,
        "reading": result,
        "rows": marking.rows(result),
        "changes": marking.changes(result),
        "before": earlier[-1] if earlier else None,
        "changed": changed_sentences(frozen_reading(earlier[-1]), result) if earlier else [],
        "airings": _airings(session, revision.bulletin_id),
        "decided": revision.decisions[-1] if revision.decisions else None,
        "newer": revision.bulletin.revisions[-1].id != revision.id,
        "mine": signed_in().user_id
        in {revision.bulletin.author_id, revision.submitted_by_id, *revision.writers},
        "job": _take_job(session, revision),
        "hearing_job": hearing_job(session, revision.id),
        "hearing": hearing_of(session, revision.id),
        "reasons": REASONS,
    }
    return render_template("approve.html", error=error, **values)


def _take_job(session: Session, revision: Revision) -> RenderJob | None:
    return session.scalar(
        select(RenderJob).where(RenderJob.kind == "take", RenderJob.key == str(revision.id)).limit(1)
    )


def _airings(session: Session, bulletin_id: int) -> list[Airing]:
    return list(
        session.scalars(
            select(Airing)
            .join(Variant, Variant.airing_id == Airing.id)
            .join(VariantItem, VariantItem.variant_id == Variant.id)
            .where(VariantItem.bulletin_id == bulletin_id, Airing.local_date >= today())
            .order_by(Airing.planned_at)
            .distinct()
            .limit(5)
        )
    )
