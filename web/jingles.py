"""The station's own sounds: listen, add one with its source and the right to use it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from broadcaster.errors import BroadcasterError, InputError, NotFound
from broadcaster.model import JingleKind
from broadcaster.newsroom.people import record
from broadcaster.store.tables import Jingle
from web.deps import deps, now, reading, station, writing
from web.errors import status_of
from web.security import actor, needs

bp = Blueprint("jingles", __name__, url_prefix="/nhac-hieu")


@bp.get("")
@needs("see")
def listing() -> ResponseReturnValue:
    """All of them, by kind."""
    with reading() as session:
        return _page(session)


@bp.get("/<int:jingle_id>/nghe")
@needs("see")
def listen(jingle_id: int) -> ResponseReturnValue:
    """The sound itself."""
    with reading() as session:
        sha256 = session.scalar(select(Jingle.sha256).where(Jingle.id == jingle_id))
    if sha256 is None:
        raise NotFound("Không có nhạc hiệu này ở đài.")
    path = deps().blobs.path(sha256, suffix="flac")
    return send_file(path, mimetype="audio/flac", conditional=True, etag=sha256)


@bp.post("")
@needs("jingles")
def add() -> ResponseReturnValue:
    """Bring a sound into the house format; what is not sound is refused with a sentence."""
    form = request.form
    try:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise InputError("Hãy chọn một tệp âm thanh (.mp3, .wav, .flac hoặc .ogg).")
        title, source, licence = (form.get(name, "").strip() for name in ("title", "source", "licence"))
        if not (title and source and licence):
            raise InputError("Hãy ghi tên, nguồn và quyền sử dụng của nhạc hiệu trước khi thêm.")
        kind = JingleKind(form.get("kind", "")) if form.get("kind") in set(JingleKind) else None
        if kind is None:
            raise InputError("Hãy chọn loại nhạc hiệu.")
        sha256, duration_ms = _take_in(file, kind)
        with writing() as session:
            session.add(
                Jingle(
                    station_id=station().id,
                    kind=kind.value,
                    title=title[:200],
                    sha256=sha256,
                    duration_ms=duration_ms,
                    source=source[:300],
                    licence=licence[:200],
                    created_at=now(),
                )  # fmt: skip
            )
            record(
                session, station_id=station().id, actor=actor(session), action="thêm nhạc hiệu",
                subject=title[:120], detail={"sha256": sha256, "source": source, "licence": licence}, now=now(),
            )  # fmt: skip
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, error), status_of(error)
    flash(f"Đã thêm nhạc hiệu “{title}”.")
    return redirect(url_for("jingles.listing"), 303)


def _take_in(file: FileStorage, kind: JingleKind) -> tuple[str, int]:
    """The upload as a house-format file in the store, and its length in ms."""
    # The sound room brings numpy and scipy: only who adds a jingle pays for them.
    import soundfile

    from broadcaster.production.jingles import take_in

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("upload" + Path(file.filename or "").suffix[:8])
        file.save(path)
        sha256 = take_in(path, kind=kind, blobs=deps().blobs)
    info = soundfile.info(str(deps().blobs.path(sha256, suffix="flac")))
    return sha256, round(info.frames * 1000 / info.samplerate)


def _page(session: Session, error: BroadcasterError | None = None) -> str:
    rows = session.scalars(select(Jingle).order_by(Jingle.kind, Jingle.title)).all()
    return render_template("jingles.html", rows=rows, kinds=JingleKind, typed=request.form, error=error)
