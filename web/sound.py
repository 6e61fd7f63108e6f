"""Listening: a preview is asked of the worker, waited for on a page that refreshes itself, and then played."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound, Refused
from broadcaster.model import Reading, RenditionKind
from broadcaster.newsroom.bulletins import bulletin_by_id, reading_of
from broadcaster.store.queue import ask_once_more, cancel, enqueue
from broadcaster.store.tables import Bulletin, ProgrammeRow, RenderJob, TakeRow
from web.deps import deps, now, reading, writing
from web.security import needs

bp = Blueprint("sound", __name__)
STOPPABLE = ("preview", "listen", "take")
MIMES = {"mp3": "audio/mpeg", "flac": "audio/flac", "wav": "audio/wav", "ogg": "audio/ogg"}


@bp.post("/ban-tin/<int:bulletin_id>/nghe")
@needs("see")
def preview(bulletin_id: int) -> ResponseReturnValue:
    """Ask for one sentence (`cau` = its number from 1, `loi` = its mark) or the whole reading, as it stands now."""
    form = request.form
    with writing() as session:
        job_id = ask_preview(
            session, bulletin_by_id(session, bulletin_id), form.get("cau", ""), form.get("loi", "")
        )
    deps().doorbell.ring()
    if "HX-Request" in request.headers:
        return _fragment(job_id)
    return redirect(url_for("sound.job", job_id=job_id), 303)


@bp.app_template_filter("dau_loi")
def mark_of(spoken: str) -> str:
    """A short mark of a sentence's spoken words."""
    return hashlib.sha256(spoken.encode()).hexdigest()[:12]


def ask_preview(session: Session, bulletin: Bulletin, number: str, mark: str = "") -> int:
    """Put a preview in the worker's queue and return its job; the same words twice are one job.

    `mark`: of the words that stand on the page.  While hands are in the reading a page keeps it as it was, though the
    text has been saved with a sentence more: the number alone would play another sentence than the one beside it.
    """
    result = reading_of(session, bulletin)
    spoken = [[sentence.spoken, sentence.pause.value] for sentence in result.sentences]
    kind = "listen"  # a whole bulletin is spoken in the render lane, so that single sentences need not wait for it
    if (
        number.isdigit()
        and mark
        and mark not in {mark_of(text) for text, _ in spoken[int(number) - 1 : int(number)]}
    ):
        number = next((str(n) for n, (text, _) in enumerate(spoken, 1) if mark_of(text) == mark), number)
    if number.isdigit() and 1 <= int(number) <= len(spoken):
        kind, spoken = "preview", spoken[int(number) - 1 : int(number)]
    return _ask(session, bulletin, kind, spoken)


def ask_sentence(session: Session, bulletin: Bulletin, result: Reading, key: str, written: str) -> int:
    """The same for the sentence of `result` that holds a place (its `key`), or else the word `written`."""
    for sentence in result.sentences:
        if any(mark.key == key for mark in sentence.marks if key):
            return _ask(session, bulletin, "preview", [[sentence.spoken, sentence.pause.value]])
    for sentence in result.sentences:
        if written.casefold() in sentence.written.casefold():
            return _ask(session, bulletin, "preview", [[sentence.spoken, sentence.pause.value]])
    raise InputError(
        f"Không thấy “{written}” trong văn bản nên chưa nghe thử được. Hãy kiểm tra lại chữ viết."
    )


def _ask(session: Session, bulletin: Bulletin, kind: str, spoken: list[list[str]]) -> int:
    if not spoken:
        raise InputError("Bản tin chưa có câu nào để đọc. Hãy gõ nội dung rồi lưu.")
    payload: dict[str, Any] = {"sentences": spoken, "bulletin_id": bulletin.id}
    if bulletin.voice:
        payload["first"] = bulletin.voice
    if bulletin.speed:
        payload["speed"] = bulletin.speed
    key = hashlib.sha256(json.dumps(payload, ensure_ascii=False).encode()).hexdigest()
    row = enqueue(
        session,
        station_id=bulletin.station_id,
        kind=kind,
        key=key,
        payload=payload,
        due_at=now(),
        now=now(),
    )
    return row.id


@bp.get("/viec")
@needs("see")
def jobs() -> ResponseReturnValue:
    """Work that waits, runs or was given up: what somebody left can be come back to."""
    order = case((RenderJob.state == "running", 0), (RenderJob.state == "queued", 1), else_=2)
    with reading() as session:
        rows = session.scalars(
            select(RenderJob)
            .where(RenderJob.state.in_(("running", "queued", "failed")))
            .order_by(order, RenderJob.due_at, RenderJob.id)
            .limit(60)
        ).all()
        return render_template("jobs.html", rows=rows)


@bp.get("/viec/<int:job_id>")
@needs("see")
def job(job_id: int) -> ResponseReturnValue:
    """A render job: how far it is, or its sound.  Without JavaScript the page refreshes itself."""
    if "HX-Request" in request.headers:
        return _fragment(job_id)
    with reading() as session:
        return render_template(
            "job.html", job=_load(session.scalar(select(RenderJob).where(RenderJob.id == job_id)))
        )


@bp.post("/viec/<int:job_id>/dung")
@needs("write")
def stop(job_id: int) -> ResponseReturnValue:
    """Stop a preview or the speaking of a bulletin.  What airings wait for is not stopped by hand."""
    with writing() as session:
        row = _load(session.scalar(select(RenderJob).where(RenderJob.id == job_id)))
        if row.kind not in STOPPABLE:
            raise Refused("Chương trình của buổi phát không dừng bằng tay được; hãy bỏ buổi hoặc bỏ bản tin.")
        cancel(session, job_id)
    return _back(job_id)


@bp.post("/viec/<int:job_id>/lam-lai")
@needs("write")
def again(job_id: int) -> ResponseReturnValue:
    """Do a job again that failed or was stopped."""
    with writing() as session:
        _load(ask_once_more(session, job_id, now=now()))
    deps().doorbell.ring()
    return _back(job_id)


def _back(job_id: int) -> ResponseReturnValue:
    if "HX-Request" in request.headers:
        return _fragment(job_id)
    return redirect(url_for("sound.job", job_id=job_id), 303)


@bp.get("/viec/<int:job_id>/am-thanh")
@needs("see")
def job_sound(job_id: int) -> ResponseReturnValue:
    """The sound that a preview made."""
    with reading() as session:
        result = dict(_load(session.scalar(select(RenderJob).where(RenderJob.id == job_id))).result)
    if "sha256" not in result:
        raise NotFound("Đoạn nghe thử này chưa dựng xong. Hãy chờ một lát rồi mở lại.")
    return send_sound(str(result["sha256"]), str(result.get("suffix", "flac")))


@bp.get("/ban-thu/<int:take_id>")
@needs("see")
def take(take_id: int) -> ResponseReturnValue:
    """A frozen take, exactly as it will be broadcast before mixing."""
    with reading() as session:
        row = session.scalar(select(TakeRow).where(TakeRow.id == take_id))
        if row is None:
            raise NotFound("Không có bản thu này.")
        sha256 = row.sha256
    return send_sound(sha256, "flac")


@bp.get("/chuong-trinh/<int:programme_id>/wav")
@needs("see")
def wav(programme_id: int) -> ResponseReturnValue:
    """A programme's air file as WAV, for a mixing desk or an editor: made when somebody asks, kept nowhere."""
    from broadcaster.production.encoding import write_wav  # numpy and soundfile: only who asks pays

    with reading() as session:
        row = session.scalar(select(ProgrammeRow).where(ProgrammeRow.id == programme_id))
        file = (
            next((one for one in row.renditions if one.kind is not RenditionKind.LIGHT), None)
            if row
            else None
        )
        if row is None or file is None:
            raise NotFound("Không có chương trình này. Có thể nó đã được dựng lại; hãy mở lại buổi phát.")
        title, sha256 = row.title, file.sha256
    folder = tempfile.TemporaryDirectory(prefix="broadcaster-wav-")
    try:
        target = Path(folder.name) / "programme.wav"
        write_wav(deps().blobs.path(sha256, suffix="mp3"), target)
        name = re.sub(r"[^\w., -]+", "-", title) + ".wav"
        response = send_file(target, mimetype="audio/wav", as_attachment=True, download_name=name)
    except BaseException:
        folder.cleanup()
        raise
    response.direct_passthrough = False  # a file passed straight through tells nobody when it is sent
    response.call_on_close(folder.cleanup)
    return response


def _fragment(job_id: int) -> str:
    with reading() as session:
        return render_template(
            "_job.html", job=_load(session.scalar(select(RenderJob).where(RenderJob.id == job_id)))
        )


def _load(row: RenderJob | None) -> RenderJob:
    if row is None:
        raise NotFound("Không có việc này. Có thể nó đã được dọn đi; hãy bấm nghe lại.")
    return row


def send_sound(sha256: str, suffix: str) -> ResponseReturnValue:
    """A file of the store by its hash: it never changes, so browsers may keep it."""
    suffix = suffix.lstrip(".")
    path = deps().blobs.path(sha256, suffix=suffix)
    response = send_file(
        path, mimetype=MIMES.get(suffix, "application/octet-stream"), conditional=True, etag=sha256
    )
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
