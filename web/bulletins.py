"""The list of bulletins, and the two ways a new one begins: typed or pasted, or from a file."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError
from broadcaster.model import AiringState, BulletinState, PlannedAiring, Priority
from broadcaster.newsroom.bulletins import create_bulletin, find
from broadcaster.newsroom.importing import import_document
from broadcaster.newsroom.titles import proposed_title
from broadcaster.schedule.live import called
from broadcaster.schedule.plan import plan_days
from broadcaster.schedule.running import place
from broadcaster.store.tables import Airing, Bulletin, Topic, Variant, VariantItem
from web.deps import now, reading, station, today, writing
from web.errors import status_of
from web.security import actor, needs, signed_in

PAGE = 40

bp = Blueprint("bulletins", __name__, url_prefix="/ban-tin")


@bp.get("")
@needs("see")
def listing() -> ResponseReturnValue:
    """All bulletins, last changed first: by state, topic and author, searched without tone marks, by pages."""
    asked = request.args
    wanted = asked.get("trang_thai", "")
    state = BulletinState(wanted) if wanted in set(BulletinState) else None
    number = max(_number(asked.get("trang")) or 1, 1)
    mine = signed_in().user_id if asked.get("cua") == "toi" else None
    with reading() as session:
        page = find(
            session, states=[state] if state else (), topic_id=_number(asked.get("chu_de")),
            author_id=mine, search=asked.get("tim", "").strip(), first=(number - 1) * PAGE, limit=PAGE,
        )  # fmt: skip
        return render_template(
            "bulletins.html", rows=page.rows, total=page.total, number=number,
            pages=max(-(-page.total // PAGE), 1), state=state, search=asked.get("tim", "").strip(),
            topic_id=_number(asked.get("chu_de")), mine=mine is not None, states=BulletinState,
            topics=_topics(session), counts=counts(session), airs=next_airs(session, page.rows),
            asked={name: value for name, value in asked.items() if value and name != "trang"}, today=today(),
        )  # fmt: skip


@bp.get("/moi")
@needs("write")
def new() -> ResponseReturnValue:
    """An empty form: paste a text, or choose a file.  `buoi` = the airing it is meant for."""
    with reading() as session:
        return _form(session, {"airing": request.args.get("buoi", "")})


@bp.post("")
@needs("write")
def create() -> ResponseReturnValue:
    """A new draft from what was typed or from a file; the typed text comes back when it is refused."""
    typed = request.form.to_dict()
    told = "Đã tạo bản nháp. Hãy xem cách đọc bên dưới."
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
                topic_id=_number(typed.get("topic")),
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
    if typed.get("airing") and signed_in().may("schedule"):
        told = _put(bulletin_id, typed["airing"])
    flash(told)
    return redirect(url_for("compose.page", bulletin_id=bulletin_id), 303)


def _put(bulletin_id: int, airing_id: str) -> str:
    """Place the new draft where it was meant to go; a full airing costs the place, never the text."""
    try:
        with writing() as session:
            airing = place(session, airing_id, bulletin_id, actor=actor(session), now=now())
            return f"Đã tạo bản nháp và giữ chỗ trong buổi {called(airing)}."
    except BroadcasterError as error:
        return f"Đã tạo bản nháp, nhưng chưa xếp được vào buổi đã chọn: {error.message}"


def counts(session: Session) -> dict[BulletinState, int]:
    """state -> how many bulletins stand there."""
    rows = session.execute(select(Bulletin.state, func.count(Bulletin.id)).group_by(Bulletin.state))
    return {state: number for state, number in rows}


def next_airs(session: Session, rows: Sequence[Bulletin]) -> dict[int, Airing]:
    """bulletin -> the next airing it is in.  One query for a page of them."""
    found: dict[int, Airing] = {}
    pairs = session.execute(
        select(VariantItem.bulletin_id, Airing)
        .join(Variant, Variant.id == VariantItem.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .where(
            VariantItem.bulletin_id.in_([row.id for row in rows]), Airing.planned_at > now(),
            Airing.state.in_([AiringState.PLANNED, AiringState.CLOSED]),
        )
        .order_by(Airing.planned_at)
    )  # fmt: skip
    for bulletin_id, airing in pairs:
        found.setdefault(bulletin_id, airing)
    return found


def _content(typed: dict[str, str]) -> tuple[str, str, str, tuple[str, ...]]:
    """Title, text, source and notes: of the file when one came, with what was typed after it."""
    file = request.files.get("file")
    title, text = typed.get("title", "").strip(), typed.get("text", "")
    if file is not None and file.filename:
        document = import_document(file.read(), file.filename)
        notes = document.notes
        whole = document.text
        if text.strip():
            whole = f"{document.text.rstrip()}\n\n{text.strip()}"
            notes = (*notes, "Đoạn đã gõ trong ô văn bản được giữ ở cuối, sau nội dung của tệp.")
        return title or document.title, whole, file.filename, notes
    if not text.strip():
        raise InputError("Chưa có nội dung. Hãy dán văn bản vào ô, hoặc chọn một tệp .docx hay .txt.")
    return title or proposed_title(text), text, "", ()


def _form(session: Session, typed: dict[str, str], error: BroadcasterError | None = None) -> str:
    return render_template(
        "bulletin_new.html", typed=typed, topics=_topics(session), error=error, today=today(),
        airings=_open_airings(session) if signed_in().may("schedule") else [],
    )  # fmt: skip


def _open_airings(session: Session) -> list[PlannedAiring]:
    """Airings of the coming days that still take bulletins."""
    return [
        line
        for line in plan_days(session, today(), 4)
        if line.state is AiringState.PLANNED and line.planned_at > now() and line.variant == 1
    ][:12]


def _topics(session: Session) -> Sequence[Topic]:
    return session.scalars(select(Topic).order_by(Topic.position, Topic.id)).all()


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
