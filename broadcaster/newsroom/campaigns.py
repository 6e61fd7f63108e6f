"""Campaigns: a plan is imported whole, an officer chooses what of it becomes topics and drafts, targets are kept.

Importing keeps every paragraph; nothing is made of it until somebody has chosen, and choosing again adds
only what is not there yet.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from docx import Document
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound, Refused
from broadcaster.naming import plain_name
from broadcaster.newsroom.bulletins import create_bulletin
from broadcaster.newsroom.importing import ImportedDocument, import_document
from broadcaster.newsroom.outline import Outline, outline
from broadcaster.newsroom.people import record, require
from broadcaster.newsroom.templates import add_template, approved_template
from broadcaster.store.tables import (
    Bulletin,
    Campaign,
    PlanDocument,
    PlanSource,
    Station,
    TemplateRevision,
    Topic,
    TopicTarget,
    User,
)

NOT_A_WRITER = "Tài khoản này không được lập kế hoạch tuyên truyền. Hãy nhờ cán bộ soạn bản tin."
MOST_OF_A_TARGET = 100_000
TEMPLATE = "thuong"


@dataclass(frozen=True, slots=True)
class Choice:
    """What an officer wants of one section, named by its first paragraph."""

    first: int
    title: str
    topic: bool
    bulletin: bool
    broadcasts: int = 0
    minutes: int = 0
    bulletins: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """What choosing has made: how many new topics and drafts."""

    topics: int
    bulletins: int


def import_plan(
    session: Session, data: bytes, filename: str, *, station_id: int, actor: User, now: datetime, today: date
) -> PlanDocument:
    """Keep a plan with all its paragraphs, as a campaign of its own.

    InputError for a file that is no readable .docx or .txt; Refused when the same file was imported before.
    """
    require(session, actor, "write", now=now, message=NOT_A_WRITER)
    document = import_document(data, filename)
    sha256 = hashlib.sha256(data).hexdigest()
    before = session.scalar(select(PlanDocument).where(PlanDocument.sha256 == sha256))
    if before is not None:
        raise Refused(
            f"Tệp này đã nhập rồi, trong kế hoạch “{before.campaign.title}”.",
            remedies=("Mở kế hoạch đó để chọn thêm chủ đề, bản tin.",),
        )
    lines = document.text.split("\n")
    found = outline(document.title, lines, styled=styled_paragraphs(data, lines))
    campaign = Campaign(
        station_id=station_id, title=document.title, motto=found.motto,
        first_day=found.first_day or date(today.year, 1, 1), last_day=found.last_day or date(today.year, 12, 31),
    )  # fmt: skip
    session.add(campaign)
    session.flush()
    row = PlanDocument(
        station_id=station_id, campaign_id=campaign.id, name=filename[:300], sha256=sha256,
        paragraphs=_kept(lines, document, styled_paragraphs(data, lines)), imported_at=now, imported_by_id=actor.id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(
        session, station_id=station_id, actor=actor, action="nhập kế hoạch", subject=campaign.title,
        detail={"file": filename[:300], "sha256": sha256, "headings": len(found.headings)}, now=now,
    )  # fmt: skip
    return row


def styled_paragraphs(data: bytes, lines: Sequence[str]) -> dict[int, int]:
    """Line number -> level, for the paragraphs that Word's own heading styles mark (a .docx judged before)."""
    if not data.startswith(b"PK"):
        return {}
    found: dict[int, int] = {}
    at = 0
    for paragraph in Document(io.BytesIO(data)).paragraphs:
        style = paragraph.style.name if paragraph.style is not None else ""
        words = " ".join(paragraph.text.split())
        if not (style or "").startswith("Heading ") or not words:
            continue
        line = next((n for n in range(at, len(lines)) if words in " ".join(lines[n].split())), None)
        if line is not None:
            found[line], at = int((style or "").rsplit(" ", 1)[1]), line + 1
    return found


def outline_of(row: PlanDocument) -> Outline:
    """The outline of an imported plan, the same each time."""
    lines = [str(line["text"]) for line in row.paragraphs]
    styled = {number: int(line["level"]) for number, line in enumerate(row.paragraphs) if line.get("level")}
    return outline(row.campaign.title, lines, styled=styled)


def notes_of(row: PlanDocument) -> list[str]:
    """What importing said about the file."""
    return [str(note) for note in (row.paragraphs[0].get("notes", ()) if row.paragraphs else ())]


def document_by_id(session: Session, document_id: int) -> PlanDocument:
    """The imported plan; NotFound when it is not of this session's station."""
    row = session.scalar(select(PlanDocument).where(PlanDocument.id == document_id))
    if row is None:
        raise NotFound("Không có kế hoạch này ở đài. Hãy mở lại trang Kế hoạch.")
    return row


def drafts_of(session: Session, row: PlanDocument) -> dict[int, PlanSource]:
    """First paragraph -> the draft that was made from there."""
    rows = session.scalars(select(PlanSource).where(PlanSource.document_id == row.id))
    return {source.first_paragraph: source for source in rows}


def source_of(session: Session, bulletin_id: int) -> PlanSource | None:
    """Where in a plan a bulletin comes from, or None."""
    return session.scalar(
        select(PlanSource)
        .join(PlanDocument, PlanDocument.id == PlanSource.document_id)
        .where(PlanSource.bulletin_id == bulletin_id)
    )


def paragraphs_of(source: PlanSource) -> list[str]:
    """The plan's own words that a bulletin was made from."""
    lines = source.document.paragraphs[source.first_paragraph : source.last_paragraph + 1]
    return [str(line["text"]) for line in lines if str(line["text"]).strip()]


def choose(
    session: Session, document_id: int, choices: Sequence[Choice], *, actor: User, now: datetime
) -> Made:
    """Make topics, targets and drafts of the chosen sections.  Twice is once: what is there stays as it is."""
    require(session, actor, "write", now=now, message=NOT_A_WRITER)
    row = document_by_id(session, document_id)
    sections = {section.first: section for section in outline_of(row).sections}
    drafts = drafts_of(session, row)
    made_topics = made_bulletins = 0
    for choice in choices:
        section = sections.get(choice.first)
        if section is None:
            raise InputError("Có mục không thuộc kế hoạch này. Hãy mở lại trang rồi chọn lại.")
        title = " ".join(choice.title.split()) or section.title
        topic = None
        if choice.topic:
            topic, new = _topic(session, row.campaign, title)
            made_topics += new
            set_target(
                session, topic, row.campaign.first_day, row.campaign.last_day, broadcasts=choice.broadcasts,
                minutes=choice.minutes, bulletins=choice.bulletins,
            )  # fmt: skip
        if choice.bulletin and section.first not in drafts:
            draft = create_bulletin(
                session, station_id=row.station_id, author=actor, title=title, text=section.text,
                topic_id=topic.id if topic is not None else _topic_of(session, row.campaign, title),
                source_name=row.name, notes=notes_of(row), now=now,
            )  # fmt: skip
            session.add(
                PlanSource(
                    bulletin_id=draft.id, document_id=row.id, heading=section.heading or title,
                    first_paragraph=section.first, last_paragraph=section.last,
                )
            )  # fmt: skip
            made_bulletins += 1
    session.flush()
    if made_topics or made_bulletins:
        record(
            session, station_id=row.station_id, actor=actor, action="lập chủ đề và bản nháp",
            subject=row.campaign.title, detail={"topics": made_topics, "bulletins": made_bulletins}, now=now,
        )  # fmt: skip
    return Made(made_topics, made_bulletins)


def edit_campaign(
    session: Session, campaign_id: int, *, title: str, motto: str, first_day: date, last_day: date, actor: User,
    now: datetime,
) -> Campaign:  # fmt: skip
    """Correct what importing guessed."""
    require(session, actor, "write", now=now, message=NOT_A_WRITER)
    row = campaign_by_id(session, campaign_id)
    plain = " ".join(title.split())
    if not plain or len(plain) > 300:
        raise InputError("Kế hoạch cần có tên, không quá 300 ký tự.")
    if last_day < first_day:
        raise InputError("Ngày cuối của kế hoạch trước ngày đầu. Hãy chọn lại hai ngày.")
    for target in session.scalars(
        select(TopicTarget).join(Topic).where(
            Topic.campaign_id == row.id, TopicTarget.first_day == row.first_day,
            TopicTarget.last_day == row.last_day,
        )
    ):  # fmt: skip
        target.first_day, target.last_day = first_day, last_day
    row.title, row.motto, row.first_day, row.last_day = (
        plain,
        " ".join(motto.split())[:300],
        first_day,
        last_day,
    )
    session.flush()
    return row


def campaign_by_id(session: Session, campaign_id: int) -> Campaign:
    """The campaign; NotFound when it is not of this session's station."""
    row = session.scalar(select(Campaign).where(Campaign.id == campaign_id))
    if row is None:
        raise NotFound("Không có kế hoạch này ở đài. Hãy mở lại trang Kế hoạch.")
    return row


def set_target(
    session: Session,
    topic: Topic,
    first_day: date,
    last_day: date,
    *,
    broadcasts: int,
    minutes: int,
    bulletins: int,
) -> TopicTarget | None:
    """Set (or change) what a topic should reach between two days; all zero takes the target away."""
    wanted = (broadcasts, minutes, bulletins)
    if any(not 0 <= number <= MOST_OF_A_TARGET for number in wanted):
        raise InputError("Chỉ tiêu phải là số từ 0 đến 100.000. Hãy gõ lại.")
    if last_day < first_day:
        raise InputError("Ngày cuối của chỉ tiêu trước ngày đầu. Hãy chọn lại hai ngày.")
    row = session.scalar(
        select(TopicTarget).where(
            TopicTarget.topic_id == topic.id,
            TopicTarget.first_day == first_day,
            TopicTarget.last_day == last_day,
        )
    )
    if not any(wanted):
        if row is not None:
            session.delete(row)
            session.flush()
        return None
    if row is None:
        row = TopicTarget(
            station_id=topic.station_id, topic_id=topic.id, first_day=first_day, last_day=last_day
        )
        session.add(row)
    row.broadcasts, row.minutes, row.bulletins = wanted
    session.flush()
    return row


def motto_to_call_sign(
    session: Session, campaign: Campaign, *, actor: User, now: datetime
) -> TemplateRevision:
    """A new revision of the programme frame that says the motto after the call sign; it waits for approval."""
    motto = campaign.motto.strip().rstrip(".!")
    if not motto or "{" in motto or "}" in motto:
        raise InputError("Kế hoạch chưa có khẩu hiệu đọc được. Hãy ghi khẩu hiệu rồi làm lại.")
    station = session.get_one(Station, campaign.station_id)
    current = approved_template(session, station.id, TEMPLATE)
    if current is None:
        raise Refused("Đài chưa có khung chương trình được duyệt. Hãy lập khung chương trình trước.")
    body = dict(current.body)
    before = str(body.get("call_sign", "{call_sign}")).strip()
    if motto in before:
        raise Refused("Khẩu hiệu đã có trong lời xướng của khung đang dùng.")
    body["call_sign"] = f"{before}{'' if before.endswith(('.', '}')) else '.'} {motto}."
    return add_template(session, station_id=station.id, name=TEMPLATE, body=body, author=actor, now=now)


def _kept(
    lines: Sequence[str], document: ImportedDocument, styled: dict[int, int]
) -> list[dict[str, object]]:
    kept: list[dict[str, object]] = [
        {"text": line} | ({"level": styled[number]} if number in styled else {})
        for number, line in enumerate(lines)
    ]
    if kept and document.notes:
        kept[0]["notes"] = list(document.notes)
    return kept


def _topic(session: Session, campaign: Campaign, title: str) -> tuple[Topic, int]:
    known = session.get(Topic, _topic_of(session, campaign, title) or 0)
    if known is not None:
        return known, 0
    slugs = set(session.scalars(select(Topic.slug).where(Topic.station_id == campaign.station_id)))
    wanted = base = plain_name(title, "chu-de")[:50]
    number = 2
    while wanted in slugs:
        wanted, number = f"{base}-{number}", number + 1
    position = session.scalar(select(func.max(Topic.position))) or 0
    row = Topic(
        station_id=campaign.station_id,
        campaign_id=campaign.id,
        slug=wanted,
        title=title[:200],
        position=position + 1,
    )
    session.add(row)
    session.flush()
    return row, 1


def _topic_of(session: Session, campaign: Campaign, title: str) -> int | None:
    """The station's topic of that name: a theme that comes back next year stays one topic."""
    wanted = title[:200].casefold()
    for topic_id, known in session.execute(
        select(Topic.id, Topic.title).where(Topic.station_id == campaign.station_id)
    ):
        if known.casefold() == wanted:
            return int(topic_id)
    return None


def bulletins_of(session: Session, document_id: int) -> list[Bulletin]:
    """The drafts and bulletins that came from a plan, in its order."""
    return list(
        session.scalars(
            select(Bulletin)
            .join(PlanSource, PlanSource.bulletin_id == Bulletin.id)
            .where(PlanSource.document_id == document_id)
            .order_by(PlanSource.first_paragraph)
        )
    )
