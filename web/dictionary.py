"""The station's dictionary: how written things are read, and which approved bulletins a change would alter."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError
from broadcaster.newsroom.lexicon import LexiconChange, entries, remove_entry, set_entry
from broadcaster.store.tables import Bulletin
from web.deps import now, reading, station, writing
from web.errors import status_of
from web.security import actor, needs
from web.words import found, sort_key

bp = Blueprint("dictionary", __name__, url_prefix="/cai-dat/tu-dien")
PAGE = 200


@bp.get("")
@needs("lexicon")
def listing() -> ResponseReturnValue:
    """Every entry of the station, searched without tone marks."""
    with reading() as session:
        return _page(session)


@bp.post("")
@needs("lexicon")
def save() -> ResponseReturnValue:
    """A new entry, or a new reading for one."""
    try:
        with writing() as session:
            change = set_entry(
                session, station_id=station().id, written=request.form.get("written", ""),
                spoken=request.form.get("spoken", ""), actor=actor(session), now=now(),
            )  # fmt: skip
            _say(change, f"Đã lưu: “{change.written}” đọc là “{change.spoken}”.")
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, error), status_of(error)
    return redirect(url_for("dictionary.listing"), 303)


@bp.post("/<int:entry_id>/bo")
@needs("lexicon")
def remove(entry_id: int) -> ResponseReturnValue:
    """Forget an entry: the words are read by rule again."""
    with writing() as session:
        change = remove_entry(session, entry_id, actor=actor(session), now=now())
        _say(change, f"Đã bỏ “{change.written}” khỏi từ điển.")
    return redirect(url_for("dictionary.listing"), 303)


def _say(change: LexiconChange, words: str) -> None:
    flash(f"{words} {still_as_approved(change.altered)}".strip())


def still_as_approved(altered: Sequence[Bulletin]) -> str:
    """Which approved bulletins a new reading does not touch; '' when it would change none."""
    if not altered:
        return ""
    titles = "; ".join(f"“{bulletin.title}”" for bulletin in altered[:5])
    return (
        f"{len(altered)} bản tin đã duyệt vẫn phát như đã duyệt: {titles}. "
        "Muốn đọc theo cách mới, hãy mở bản tin và gửi duyệt lại."
    )


def _page(session: Session, error: BroadcasterError | None = None) -> str:
    search = request.args.get("tim", "").strip()
    rows = [row for row in entries(session) if found(search, row.written, row.spoken)]
    rows.sort(key=lambda row: sort_key(row.written))
    return render_template(
        "dictionary.html", rows=rows[:PAGE], total=len(rows), search=search, typed=request.form, error=error
    )
