"""Plans: import one, choose what of it becomes topics and drafts, see how far each topic has come."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError, NotFound
from broadcaster.newsroom import campaigns
from broadcaster.newsroom.campaigns import Choice
from broadcaster.report.progress import standings
from broadcaster.report.targets import Standing
from broadcaster.store.tables import Campaign, PlanDocument, Topic
from web.deps import now, reading, station, today, writing
from web.errors import status_of
from web.security import actor, needs
from web.words import parse_day

bp = Blueprint("campaigns", __name__, url_prefix="/ke-hoach")


@bp.get("")
@needs("see")
def listing() -> ResponseReturnValue:
    """Every campaign with its topics against their targets."""
    return _page()


@bp.post("")
@needs("write")
def take_in() -> ResponseReturnValue:
    """Import a plan; the next page proposes what to make of it."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise InputError("Hãy chọn tệp kế hoạch (.docx hoặc .txt).")
        with writing() as session:
            row = campaigns.import_plan(
                session, file.read(), file.filename, station_id=station().id, actor=actor(session), now=now(),
                today=today(),
            )  # fmt: skip
            document_id = row.id
    except BroadcasterError as error:
        return _page(error), status_of(error)
    return redirect(url_for("campaigns.proposal", document_id=document_id), 303)


@bp.get("/tep/<int:document_id>")
@needs("see")
def proposal(document_id: int) -> ResponseReturnValue:
    """What was found in a plan: headings, and a proposal for each section."""
    with reading() as session:
        return _proposal(session, document_id)


@bp.post("/tep/<int:document_id>")
@needs("write")
def choose(document_id: int) -> ResponseReturnValue:
    """Make the chosen topics and drafts; what is there already stays."""
    typed = request.form
    try:
        picked = [_choice(typed, number) for number in typed.getlist("section") if number.isdigit()]
        with writing() as session:
            made = campaigns.choose(
                session, document_id, [one for one in picked if one.topic or one.bulletin], actor=actor(session),
                now=now(),
            )  # fmt: skip
    except NotFound:
        raise
    except BroadcasterError as error:
        with reading() as session:
            return _proposal(session, document_id, error), status_of(error)
    flash(f"Đã lập {made.topics} chủ đề và {made.bulletins} bản nháp.")
    return redirect(url_for("campaigns.proposal", document_id=document_id), 303)


@bp.post("/<int:campaign_id>")
@needs("write")
def edit(campaign_id: int) -> ResponseReturnValue:
    """Correct title, motto and days."""
    typed = request.form
    first, last = parse_day(typed.get("first", "")), parse_day(typed.get("last", ""))
    try:
        with writing() as session:
            campaigns.campaign_by_id(session, campaign_id)
            if first is None or last is None:
                raise InputError("Ngày chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 24/11/2026.")
            campaigns.edit_campaign(
                session, campaign_id, title=typed.get("title", ""), motto=typed.get("motto", ""), first_day=first,
                last_day=last, actor=actor(session), now=now(),
            )  # fmt: skip
    except NotFound:
        raise
    except BroadcasterError as error:
        return _page(error, opened=campaign_id), status_of(error)
    flash("Đã lưu kế hoạch.")
    return redirect(url_for("campaigns.listing", _anchor=f"k-{campaign_id}"), 303)


@bp.post("/<int:campaign_id>/khau-hieu")
@needs("jingles")
def motto(campaign_id: int) -> ResponseReturnValue:
    """Propose a programme frame that says the motto; somebody else approves it."""
    try:
        with writing() as session:
            row = campaigns.campaign_by_id(session, campaign_id)
            campaigns.motto_to_call_sign(session, row, actor=actor(session), now=now())
    except NotFound:
        raise
    except BroadcasterError as error:
        return _page(error), status_of(error)
    flash("Đã gửi khung chương trình có khẩu hiệu. Khi người khác duyệt, khẩu hiệu được đọc sau lời xướng.")
    return redirect(url_for("programme_frame.page"), 303)


@bp.post("/chu-de/<int:topic_id>/chi-tieu")
@needs("write")
def target(topic_id: int) -> ResponseReturnValue:
    """Set what a topic should reach between two days."""
    typed = request.form
    try:
        with writing() as session:
            topic = session.scalar(select(Topic).where(Topic.id == topic_id))
            if topic is None:
                raise NotFound("Không có chủ đề này ở đài. Hãy mở lại trang Kế hoạch.")
            first, last = parse_day(typed.get("first", "")), parse_day(typed.get("last", ""))
            if first is None or last is None:
                raise InputError("Ngày chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 24/11/2026.")
            campaigns.set_target(
                session, topic, first, last, broadcasts=_number(typed.get("broadcasts", "")),
                minutes=_number(typed.get("minutes", "")), bulletins=_number(typed.get("bulletins", "")),
            )  # fmt: skip
            anchor = f"k-{topic.campaign_id or 0}"
    except NotFound:
        raise
    except BroadcasterError as error:
        return _page(error), status_of(error)
    flash(f"Đã lưu chỉ tiêu của chủ đề “{topic.title}”.")
    return redirect(url_for("campaigns.listing", _anchor=anchor), 303)


@bp.app_template_global("plan_source")
def plan_source(bulletin_id: int) -> dict[str, Any] | None:
    """Where in a plan a bulletin comes from, for the pages of bulletins."""
    with reading() as session:
        source = campaigns.source_of(session, bulletin_id)
        if source is None:
            return None
        return {
            "document_id": source.document_id,
            "name": source.document.name,
            "heading": source.heading,
            "first": source.first_paragraph,
            "last": source.last_paragraph,
            "paragraphs": campaigns.paragraphs_of(source),
        }


def _page(error: BroadcasterError | None = None, *, opened: int = 0) -> str:
    with reading() as session:
        rows = session.scalars(select(Campaign).order_by(Campaign.first_day.desc(), Campaign.id.desc())).all()
        documents: dict[int, list[PlanDocument]] = {}
        for document in session.scalars(select(PlanDocument).order_by(PlanDocument.id)):
            documents.setdefault(document.campaign_id, []).append(document)
        found: dict[int | None, list[Standing]] = {}
        for goal, standing in standings(session, station(), now=now()):
            found.setdefault(goal.campaign_id, []).append(standing)
        table: list[tuple[Campaign | None, list[Standing]]] = [(row, found.get(row.id, [])) for row in rows]
        if loose := found.get(None):
            table.append((None, loose))
        return render_template(
            "campaigns.html", table=table, documents=documents, error=error, opened=opened, today=today(),
            typed=request.form,
        )  # fmt: skip


def _proposal(session: Session, document_id: int, error: BroadcasterError | None = None) -> str:
    row = campaigns.document_by_id(session, document_id)
    found = campaigns.outline_of(row)
    return render_template(
        "plan_proposal.html", row=row, found=found, notes=campaigns.notes_of(row), error=error,
        drafts=campaigns.drafts_of(session, row), typed=request.form, levels={n: level for n, level, _ in found.headings},
        topics={topic.title.casefold() for topic in session.scalars(select(Topic))},
    )  # fmt: skip


def _choice(typed: Any, number: str) -> Choice:
    return Choice(
        first=int(number),
        title=typed.get(f"title-{number}", ""),
        topic=f"topic-{number}" in typed,
        bulletin=f"bulletin-{number}" in typed,
        broadcasts=_number(typed.get(f"broadcasts-{number}", "")),
        minutes=_number(typed.get(f"minutes-{number}", "")),
        bulletins=_number(typed.get(f"bulletins-{number}", "")),
    )


def _number(text: str) -> int:
    plain = text.strip().replace(".", "")
    if not plain:
        return 0
    if not plain.isascii() or not plain.isdigit() or len(plain) > 9:
        raise InputError(f"“{text.strip()[:20]}” không phải là số. Hãy gõ số, ví dụ 12.")
    return int(plain)
