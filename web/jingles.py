"""The station's own sounds: listen, add one with its source and the right to use it, cut it, choose among sets.

Nothing here changes a programme: the approved frame holds its sounds.  Only the alert is changed here.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError, NotFound
from broadcaster.model import JingleKind
from broadcaster.newsroom.people import record
from broadcaster.store.tables import Jingle
from web.deps import deps, now, reading, station, writing
from web.errors import status_of
from web.security import actor, needs
from web.uploads import takes_sound, uploaded

if TYPE_CHECKING:
    from broadcaster.production.jingles import Cut, Taken

bp = Blueprint("jingles", __name__, url_prefix="/nhac-hieu")
SETS = {"default": "Chuông đồng", "tre": "Tre và sáo"}
JINGLE_SUFFIX = "flac"
NO_FILE = "Hãy chọn một tệp âm thanh (.mp3, .wav, .flac hoặc .ogg)."


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
        sha256 = _jingle(session, jingle_id).sha256
    path = deps().blobs.path(sha256, suffix=JINGLE_SUFFIX)
    return send_file(path, mimetype="audio/flac", conditional=True, etag=sha256)


@bp.post("")
@needs("jingles")
@takes_sound
def add() -> ResponseReturnValue:
    """Bring a sound into the house format; what is not sound is refused with a sentence."""
    form = request.form
    try:
        title, source, licence = (form.get(name, "").strip() for name in ("title", "source", "licence"))
        with uploaded(missing=NO_FILE) as (path, name):
            if not (title and source and licence):
                raise InputError("Hãy ghi tên, nguồn và quyền sử dụng của nhạc hiệu trước khi thêm.")
            kind = JingleKind(form.get("kind", "")) if form.get("kind") in set(JingleKind) else None
            if kind is None:
                raise InputError("Hãy chọn loại nhạc hiệu.")
            cut = _cut(form)
            taken = _taken(path, kind, cut)
            suffix = Path(name).suffix.lower().lstrip(".")[:8]
            suffix = suffix if suffix.isascii() and suffix.isalnum() else "bin"
            original = deps().blobs.put(path, suffix=suffix)
        with writing() as session:
            _added(
                session, kind=kind.value, title=title, source=source, licence=licence, sha256=taken.sha256,
                duration_ms=taken.duration_ms, original_sha256=original, original_suffix=suffix, cut=asdict(cut),
            )  # fmt: skip
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, error), status_of(error)
    after = "" if kind is JingleKind.ALERT else " Muốn phát thì chọn nó ở Khung chương trình rồi nhờ duyệt."
    flash(f"Đã thêm nhạc hiệu “{title}”.{after}")
    return redirect(url_for("jingles.listing"), 303)


@bp.get("/<int:jingle_id>")
@needs("jingles")
def edit(jingle_id: int) -> ResponseReturnValue:
    """Where it is cut, how it fades, how loud it is."""
    with reading() as session:
        return _edit_page(_jingle(session, jingle_id))


@bp.post("/<int:jingle_id>")
@needs("jingles")
def recut(jingle_id: int) -> ResponseReturnValue:
    """Cut it anew from what was brought: a new sound; the one before stays for frames that name it."""
    with reading() as session:
        row = _jingle(session, jingle_id)
        place = (row.original_sha256 or row.sha256, row.original_suffix or JINGLE_SUFFIX)
        kind = JingleKind(row.kind)
        try:
            cut = _cut(request.form)
            taken = _taken(deps().blobs.path(place[0], suffix=place[1]), kind, cut)
        except BroadcasterError as error:
            return _edit_page(row, error), status_of(error)
    with writing() as session:
        old = _jingle(session, jingle_id)
        if taken.sha256 != old.sha256:
            _added(
                session, kind=old.kind, title=old.title, source=old.source, licence=old.licence,
                sha256=taken.sha256, duration_ms=taken.duration_ms, original_sha256=place[0],
                original_suffix=place[1], cut=asdict(cut), in_use=old.in_use,
            )  # fmt: skip
            old.in_use = False
        title = old.title
    flash(f"Đã cắt lại “{title}”. Chương trình vẫn phát bản cũ cho tới khi khung chọn bản mới và được duyệt.")
    return redirect(url_for("jingles.listing"), 303)


@bp.post("/<int:jingle_id>/dung")
@needs("jingles")
def use(jingle_id: int) -> ResponseReturnValue:
    """Use it, or stop using it."""
    with writing() as session:
        row = _jingle(session, jingle_id)
        row.in_use = not row.in_use
        said = "dùng" if row.in_use else "thôi dùng"
        record(
            session, station_id=row.station_id, actor=actor(session), action=f"{said} nhạc hiệu",
            subject=row.title[:120], detail={"sha256": row.sha256}, now=now(),
        )  # fmt: skip
        flash(f"Đã {said} “{row.title}”.")
    return redirect(url_for("jingles.listing"), 303)


@bp.post("/bo")
@needs("jingles")
def bring_set() -> ResponseReturnValue:
    """Add one of the sets that come with the project; its sounds wait to be chosen in the frame."""
    from broadcaster.production.jingles import jingle_set, jingle_sound

    name = request.form.get("set", "")
    try:
        if name not in SETS:
            raise InputError("Hãy chọn một bộ nhạc hiệu trong danh sách.")
        found = [
            (
                row,
                deps().blobs.put(row.path, suffix=JINGLE_SUFFIX),
                len(jingle_sound(row.path)[0]) * 10 // 441,
            )
            for row in jingle_set(deps().settings.jingles / name).values()
        ]
        with writing() as session:
            known = set(session.scalars(select(Jingle.sha256)))
            fresh = [each for each in found if each[1] not in known]
            for row, sha256, duration_ms in fresh:
                _added(
                    session, kind=row.kind.value, title=row.title, source=row.source, licence=row.licence,
                    sha256=sha256, duration_ms=duration_ms, in_use=False,
                )  # fmt: skip
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, error), status_of(error)
    flash(f"Đã thêm {len(fresh)} nhạc hiệu của bộ {SETS[name]}. Chọn chúng ở Khung chương trình.")
    return redirect(url_for("jingles.listing"), 303)


def _taken(path: Path, kind: JingleKind, cut: Cut) -> Taken:
    # The sound room brings numpy and scipy: only who brings or cuts a jingle pays for them.
    from broadcaster.production.jingles import take_in

    return take_in(path, kind=kind, blobs=deps().blobs, cut=cut)


def _added(session: Session, **values: Any) -> None:
    values = {"in_use": True, **values}
    values |= {
        "title": values["title"][:200],
        "source": values["source"][:300],
        "licence": values["licence"][:200],
    }
    session.add(Jingle(station_id=station().id, created_at=now(), **values))
    record(
        session, station_id=station().id, actor=actor(session), action="thêm nhạc hiệu",
        subject=values["title"][:120],
        detail={name: values[name] for name in ("sha256", "source", "licence")}, now=now(),
    )  # fmt: skip


def _cut(form: Any) -> Cut:
    """Seconds and dB as people write them; an empty field is the usual value."""
    from broadcaster.production.jingles import Cut

    usual = Cut()
    end, fade_out = _ms(form, "end"), _ms(form, "fade_out")
    return Cut(
        start_ms=_ms(form, "start") or 0,
        end_ms=end,
        fade_in_ms=usual.fade_in_ms if (fade_in := _ms(form, "fade_in")) is None else fade_in,
        fade_out_ms=fade_out,
        level_db=_decimal(form, "level") or 0.0,
    )


def _ms(form: Any, name: str) -> int | None:
    value = _decimal(form, name)
    if value is not None and not 0 <= value <= 3_600:
        raise InputError("Các ô giây phải từ 0 đến 3600.")
    return None if value is None else round(value * 1000)


def _decimal(form: Any, name: str) -> float | None:
    text = str(form.get(name, "")).strip().replace("−", "-").replace(",", ".")
    if not text:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"“{text}” không phải là số; hãy ghi như 1,5.") from error


def _jingle(session: Session, jingle_id: int) -> Jingle:
    row = session.scalar(select(Jingle).where(Jingle.id == jingle_id))
    if row is None:
        raise NotFound("Không có nhạc hiệu này ở đài.")
    return row


def _page(session: Session, error: BroadcasterError | None = None) -> str:
    rows = session.scalars(select(Jingle).order_by(Jingle.kind, Jingle.in_use.desc(), Jingle.title)).all()
    return render_template(
        "jingles.html", rows=rows, kinds=JingleKind, typed=request.form, sets=SETS, error=error
    )


def _edit_page(row: Jingle, error: BroadcasterError | None = None) -> str:
    from broadcaster.production.jingles import Cut

    known = {**asdict(Cut()), **row.cut}
    values = {
        "start": _seconds(known["start_ms"]),
        "end": _seconds(known["end_ms"]),
        "fade_in": _seconds(known["fade_in_ms"]),
        "fade_out": _seconds(known["fade_out_ms"]),
        "level": f"{known['level_db']:g}".replace(".", ","),
    }
    if error is not None:
        values |= {name: request.form.get(name, "") for name in values}
    return render_template("jingle_cut.html", row=row, typed=values, error=error)


def _seconds(ms: int | None) -> str:
    return "" if ms is None else f"{ms / 1000:g}".replace(".", ",")
