"""The list of bulletins, and the two ways a new one begins: typed or pasted, or from a file."""

from __future__ import annotations

import re

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError
from broadcaster.model import BulletinState, Priority
from broadcaster.newsroom.bulletins import bulletins, create_bulletin
from broadcaster.newsroom.importing import import_document
from broadcaster.store.tables import Topic
from web.deps import now, reading, station, writing
from web.errors import status_of
from web.security import actor, needs
from web.words import found

GREETINGS = ("kính thưa", "thưa bà con", "kính gửi", "thông báo")

bp = Blueprint("bulletins", __name__, url_prefix="/ban-tin")


@bp.get("")
@needs("see")
def listing() -> ResponseReturnValue:
    """All bulletins, by state, searched without tone marks."""
    wanted = request.args.get("trang_thai", "")
    state = BulletinState(wanted) if wanted in set(BulletinState) else None
    search = request.args.get("tim", "").strip()
    with reading() as session:
        rows = [
            row
            for row in bulletins(session, state=state)
            if found(search, row.title, row.topic.title if row.topic else "")
        ]
        return render_template("bulletins.html", rows=rows, state=state, search=search, states=BulletinState)


@bp.get("/moi")
@needs("write")
def new() -> ResponseReturnValue:
    """An empty form: paste a text, or choose a file."""
    with reading() as session:
        return _form(session, {})


@bp.post("")
@needs("write")
def create() -> ResponseReturnValue:
    """A new draft from what was typed or from a file; the typed text comes back when it is refused."""
    typed = request.form.to_dict()
    try:
        with writing() as session:
            person = actor(session)
            title, text, source, notes = _content(typed)
            bulletin = create_bulletin(
                session,
                station_id=station().id,
                author=person,
                title=title,
                text=text,
                topic_id=int(typed["topic"]) if typed.get("topic", "").isdigit() else None,
                priority=Priority(typed.get("priority") or Priority.ROUTINE),
                read_twice="twice" in typed,
                source_name=source,
                notes=notes,
                now=now(),
            )
            bulletin_id = bulletin.id
    except BroadcasterError as error:
        with reading() as session:
            return _form(session, typed, error), status_of(error)
    flash("Đã tạo bản nháp. Hãy xem cách đọc bên dưới.")
    return redirect(url_for("compose.page", bulletin_id=bulletin_id), 303)


def _content(typed: dict[str, str]) -> tuple[str, str, str, tuple[str, ...]]:
    """Title, text, source and notes: of the file when one came, else of the form."""
    file = request.files.get("file")
    title, text = typed.get("title", "").strip(), typed.get("text", "")
    if file is not None and file.filename:
        document = import_document(file.read(), file.filename)
        return title or document.title or file.filename, document.text, file.filename, document.notes
    if not text.strip():
        raise InputError("Chưa có nội dung. Hãy dán văn bản vào ô, hoặc chọn một tệp .docx hay .txt.")
    return title or first_words(text), text, "", ()


def first_words(text: str) -> str:
    """A title for a text without one: its first sentence that is no greeting, at most 80 letters, whole words."""
    sentences = [part.strip() for part in re.split(r"[.!?\n]+(?=\s|$)", text) if part.strip()]
    named = [one for one in sentences if not one.casefold().startswith(GREETINGS)]
    words = (named or sentences)[0].split()
    title = words[0][:80]
    for word in words[1:]:
        if len(title) + len(word) > 79:
            return f"{title}…"
        title = f"{title} {word}"
    return title


def _form(session: Session, typed: dict[str, str], error: BroadcasterError | None = None) -> str:
    topics = session.scalars(select(Topic).order_by(Topic.position, Topic.id)).all()
    return render_template("bulletin_new.html", typed=typed, topics=topics, error=error)
