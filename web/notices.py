"""Notices: what I was told, what others were told because of me, and a ready text to send by hand."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from broadcaster.errors import NotFound
from broadcaster.newsroom.notices import inbox, mark_read, message, path_of, sent
from broadcaster.store.tables import Notice
from web.deps import deps, now, reading, station, writing
from web.security import needs, signed_in
from web.villages import why_unreachable

bp = Blueprint("notices", __name__, url_prefix="/thong-bao")


@bp.get("")
@needs("own")
def inbox_page() -> ResponseReturnValue:
    """Both lists."""
    person = signed_in()
    with reading() as session:
        return render_template(
            "notices.html", rows=inbox(session, person.user_id), sent=_one_a_thing(sent(session, person.user_id)),
            path_of=path_of, ready=_ready,
        )  # fmt: skip


@bp.post("")
@needs("own")
def read_all() -> ResponseReturnValue:
    """I have seen them."""
    with writing() as session:
        mark_read(session, signed_in().user_id, now=now())
    return redirect(url_for("notices.inbox_page"), 303)


@bp.post("/<int:notice_id>")
@needs("own")
def open_one(notice_id: int) -> ResponseReturnValue:
    """Seen, and on to what it is about."""
    person = signed_in()
    with writing() as session:
        row = session.scalar(select(Notice).where(Notice.id == notice_id))
        if row is None or row.user_id != person.user_id:
            raise NotFound("Không có thông báo này. Hãy mở lại trang Thông báo.")
        mark_read(session, person.user_id, notice_id=notice_id, now=now())
        target = path_of(row)
    return redirect(target or url_for("notices.inbox_page"), 303)


def _ready(notice: Notice) -> str:
    address = "" if why_unreachable() else deps().settings.base_url
    return message(notice, station_name=station().name, address=address)


def _one_a_thing(rows: list[Notice]) -> list[tuple[Notice, list[str]]]:
    """Several people were told the same: one row with their names."""
    found: dict[tuple[str, str, str], tuple[Notice, list[str]]] = {}
    for row in rows:
        found.setdefault((row.kind, row.about, row.text), (row, []))[1].append(row.user.display_name)
    return list(found.values())
