"""Reading a bulletin oneself: recorded in the browser or brought as a file, for one sentence or for all of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError
from broadcaster.model import Reading
from broadcaster.newsroom.bulletins import bulletin_by_id, reading_of
from broadcaster.newsroom.recordings import (
    Brought,
    add_recording,
    confirm_recording,
    recorded,
    recording_by_id,
    remove_recording,
)
from broadcaster.store.tables import Recording
from web.deps import deps, now, reading, writing
from web.errors import status_of
from web.security import POLICY, account, actor, needs, signed_in
from web.sound import send_sound
from web.uploads import takes_sound, uploaded

bp = Blueprint("recordings", __name__, url_prefix="/ban-tin")
LANGUAGES = ("", "Mường", "Thái", "Mông", "Dao", "Thổ")
# What was just recorded is heard from the browser's own memory before it is sent.
_POLICY = POLICY.replace("media-src 'self'", "media-src 'self' blob:")
NO_FILE = "Chưa có bản thu nào. Hãy bấm Bắt đầu thu, hoặc chọn một tệp âm thanh rồi gửi."


@bp.get("/<int:bulletin_id>/thu-am")
@needs("write")
def page(bulletin_id: int) -> ResponseReturnValue:
    """Record sentence `cau` (from 1), or the whole bulletin."""
    with reading() as session:
        return _page(session, bulletin_id, request.args.get("cau", ""))


@bp.post("/<int:bulletin_id>/thu-am")
@needs("write")
@takes_sound
def add(bulletin_id: int) -> ResponseReturnValue:
    """Take in a recording: checked, trimmed and levelled before anything is written down."""
    form = request.form
    number = form.get("cau", "")
    spoken = form.get("spoken", "")
    try:
        with reading() as session:
            _ensure_there(reading_of(session, bulletin_by_id(session, bulletin_id)), spoken)
        brought = _brought(spoken)
        with writing() as session:
            draft = reading_of(session, bulletin_by_id(session, bulletin_id))
            add_recording(
                session, bulletin_id, brought, reading=draft, spoken=spoken, actor=actor(session), now=now()
            )
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, bulletin_id, number, error)
    flash("Đã nhận bản thu. Hãy nghe lại; khi gửi duyệt, người duyệt sẽ nghe đúng bản thu này.")
    return redirect(url_for("recordings.page", bulletin_id=bulletin_id, cau=number or None), 303)


@bp.post("/<int:bulletin_id>/thu-am/<int:recording_id>/bo")
@needs("write")
def remove(bulletin_id: int, recording_id: int) -> ResponseReturnValue:
    """Let the machine speak again."""
    with writing() as session:
        row = remove_recording(session, recording_id, actor=actor(session), now=now())
        bulletin_id = row.bulletin_id
    flash("Đã bỏ bản thu. Phần này lại do máy đọc.")
    return redirect(url_for("compose.page", bulletin_id=bulletin_id, _anchor="cach-doc"), 303)


@bp.post("/<int:bulletin_id>/thu-am/<int:recording_id>/giu")
@needs("write")
def keep(bulletin_id: int, recording_id: int) -> ResponseReturnValue:
    """The text has changed, the whole recording still holds."""
    version = request.form.get("version", "")
    try:
        with writing() as session:
            row = recording_by_id(session, recording_id)
            bulletin = bulletin_by_id(session, row.bulletin_id)
            confirm_recording(
                session, recording_id, reading=reading_of(session, bulletin),
                version=int(version) if version.isdigit() else -1, actor=actor(session), now=now(),
            )  # fmt: skip
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, bulletin_id, "", error)
    flash("Đã ghi nhận: bản thu vẫn đúng với văn bản đã sửa.")
    return redirect(url_for("recordings.page", bulletin_id=bulletin_id), 303)


@bp.get("/<int:bulletin_id>/thu-am/<int:recording_id>/nghe")
@needs("see")
def listen(bulletin_id: int, recording_id: int) -> ResponseReturnValue:
    """The recording as it will be broadcast before mixing."""
    with reading() as session:
        sha256 = recording_by_id(session, recording_id).sha256
    return send_sound(sha256, "flac")


def _brought(spoken: str) -> Brought:
    # The sound room brings numpy and soundfile: only who sends a recording pays for them.
    from broadcaster.speech.recorded import keep_bulletin, keep_sentence

    reader = request.form.get("reader", "").strip()
    if not reader:
        raise InputError("Hãy ghi tên người đọc, để người duyệt biết ai đọc.")
    language = request.form.get("language", "").strip()
    with uploaded(missing=NO_FILE) as (path, name):
        if spoken:
            # in another language the words of the reading say nothing about the length
            kept = keep_sentence(path, sentence="" if language else spoken, blobs=deps().blobs)
        else:
            kept = keep_bulletin(path, blobs=deps().blobs)
    return Brought(kept.sha256, kept.duration_ms, reader, language, name, kept.notes)


def _ensure_there(draft: Reading, spoken: str) -> None:
    if spoken and spoken not in {sentence.spoken for sentence in draft.sentences}:
        raise InputError(
            "Câu này vừa được sửa nên bản thu không còn khớp. Hãy mở lại bản tin rồi thu câu mới."
        )


def _page(
    session: Session, bulletin_id: int, number: str, error: BroadcasterError | None = None
) -> ResponseReturnValue:
    bulletin = bulletin_by_id(session, bulletin_id)
    draft = reading_of(session, bulletin)
    known = recorded(session, bulletin, draft)
    at = int(number) if number.isdigit() and 1 <= int(number) <= len(draft.sentences) else 0
    sentence = draft.sentences[at - 1] if at else None
    standing: Recording | None = known.sentences.get(sentence.spoken) if sentence else known.whole
    person = account()
    values: dict[str, Any] = {
        "bulletin": bulletin,
        "sentences": draft.sentences,
        "at": at,
        "sentence": sentence,
        "standing": standing,
        "stale": known.stale and not at,
        "covered": at > 0 and known.whole is not None,
        "languages": LANGUAGES,
        "reader": request.form.get("reader") or (person.display_name if person else ""),
        "language": request.form.get("language", ""),
        "me": signed_in(),
    }
    response = make_response(render_template("recording.html", error=error, **values))
    response.status_code = status_of(error) if error is not None else 200
    response.headers["Content-Security-Policy"] = _POLICY
    return response
