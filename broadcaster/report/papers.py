"""A period's report as people see it: its figures, its saved words or a draft of them, its frame.  Reads and saves."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError
from broadcaster.newsroom.activities import activities_of
from broadcaster.newsroom.people import record
from broadcaster.report.figures import EVERYTHING, Choice, Figures, figures
from broadcaster.report.gathering import gather
from broadcaster.report.ledger import Post
from broadcaster.report.logbook import logbook_paper
from broadcaster.report.narrative import draft
from broadcaster.report.paper import Frame, Paper, frame_from, report_paper
from broadcaster.report.period import Period, year_of
from broadcaster.report.progress import standings
from broadcaster.store.tables import Bulletin, Decision, ReportFrame, ReportText, SocialPost, Station, User

_LONGEST = 60_000


def report_of(
    session: Session,
    station: Station,
    period: Period,
    *,
    now: datetime,
    choice: Choice = EVERYTHING,
    beside: bool = True,
) -> Figures:
    """The figures of a period; with `beside` also activities, posts, and topics against their targets."""
    ledger = gather(session, station, period, now=now)
    if beside:
        found = standings(session, station, now=now, period=period, known=ledger)
        ledger = replace(
            ledger,
            activities=tuple(activities_of(session, station, period)),
            posts=posts_of(session, station, period),
            targets=tuple(standing for _goal, standing in found),
        )
    return figures(ledger, choice)


def posts_of(session: Session, station: Station, period: Period) -> tuple[Post, ...]:
    """Bulletins put on the commune's pages on these days of the station, in order of time."""
    zone = ZoneInfo(station.zone)
    first = datetime.combine(period.first, time(), zone)
    end = datetime.combine(period.last + timedelta(days=1), time(), zone)
    rows = session.execute(
        select(
            SocialPost.network, SocialPost.at, SocialPost.bulletin_id, Bulletin.title, Bulletin.topic_id,
            SocialPost.by_hand, SocialPost.url,
        )
        .join(Bulletin, Bulletin.id == SocialPost.bulletin_id)
        .where(
            SocialPost.station_id == station.id, SocialPost.state == "posted", SocialPost.at >= first,
            SocialPost.at < end,
        )
        .order_by(SocialPost.at, SocialPost.id)
    )  # fmt: skip
    return tuple(
        Post(network, at.astimezone(zone).date(), bulletin, title, topic or 0, by_hand, url)
        for network, at, bulletin, title, topic, by_hand, url in rows
    )


def paper_of(session: Session, station: Station, shown: Figures) -> Paper:
    """The period's paper: the saved words, or the draft while nobody has written any."""
    saved = saved_text(session, shown.ledger.period)
    whole = saved.body if saved is not None and shown.choice == EVERYTHING else draft(shown)
    return report_paper(shown, whole, frame_of(session, station))


def logbook_of(session: Session, station: Station, period: Period, *, now: datetime) -> Paper:
    """The period's sheet of the station's book."""
    shown = report_of(session, station, period, now=now, beside=False)
    wanted = {item.revision_id for part in shown.ledger.parts for item in part.sounding if item.revision_id}
    return logbook_paper(shown, frame_of(session, station), approvers_of(session, wanted))


def approvers_of(session: Session, revision_ids: set[int]) -> dict[int, str]:
    """Who approved each revision (the last word of each)."""
    rows = session.execute(
        select(Decision.revision_id, User.display_name)
        .join(User, User.id == Decision.approver_id)
        .where(Decision.revision_id.in_(revision_ids), Decision.verdict == "approved")
        .order_by(Decision.id)
    )
    return {revision_id: name for revision_id, name in rows}


def yearly(session: Session, station: Station, day: date, *, now: datetime) -> Figures:
    """The year so far: what the counter of pieces a theme shows."""
    return report_of(session, station, year_of(day), now=now)


def saved_text(session: Session, period: Period) -> ReportText | None:
    """The words somebody saved for this period."""
    return session.scalar(select(ReportText).where(ReportText.period == period.text))


def save_text(
    session: Session, station: Station, period: Period, body: str, *, version: int, actor: User, now: datetime
) -> ReportText:
    """Save the words.  `version` is 0 while there are none; Conflict when somebody else saved meanwhile."""
    text = "\n".join(line.rstrip() for line in body.replace("\r\n", "\n").split("\n")).strip()
    if not text:
        raise InputError("Lời văn đang trống. Hãy viết lại, hoặc bấm “Soạn lại từ số liệu”.")
    if len(text) > _LONGEST:
        raise InputError(f"Lời văn quá dài. Hãy viết không quá {_LONGEST} ký tự.")
    row = saved_text(session, period)
    if (row.version if row is not None else 0) != version:
        raise Conflict(
            "Người khác vừa lưu lời văn của kỳ này. Bản của anh chị còn ở dưới; hãy xem rồi lưu lại."
        )
    if row is None:
        row = ReportText(
            station_id=station.id, period=period.text, body=text, author_id=actor.id, updated_at=now
        )
        session.add(row)
    else:
        row.body, row.author_id, row.updated_at = text, actor.id, now
    session.flush()
    record(
        session, station_id=station.id, actor=actor, action="sửa lời văn báo cáo", subject=period.text,
        detail={"body": text}, now=now,
    )  # fmt: skip
    return row


def frame_of(session: Session, station: Station) -> Frame:
    """The station's letterhead and signature, or the usual ones."""
    row = session.scalar(select(ReportFrame).where(ReportFrame.station_id == station.id))
    return frame_from(row.body if row is not None else {}, station.name)


def save_frame(session: Session, station: Station, frame: Frame, *, actor: User, now: datetime) -> None:
    """Keep letterhead and signature for every report to come."""
    row = session.scalar(select(ReportFrame).where(ReportFrame.station_id == station.id))
    if row is None:
        session.add(ReportFrame(station_id=station.id, body=asdict(frame), updated_at=now))
    else:
        row.body, row.updated_at = asdict(frame), now
    session.flush()
    record(
        session, station_id=station.id, actor=actor, action="sửa thể thức báo cáo", subject=station.slug,
        detail=asdict(frame), now=now,
    )  # fmt: skip
