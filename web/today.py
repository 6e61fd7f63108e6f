"""Today: what sounds now, what is next, what is missing, who has confirmed.  Everything comes from `plan`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.model import AiringState, BulletinState, PlannedAiring
from broadcaster.report.counting import airing_report
from broadcaster.schedule.plan import next_airing, plan_days
from broadcaster.schedule.preflight import alarms
from broadcaster.store.tables import Bulletin, Receiver, RenderJob
from web.deps import deps, now, reading, station, today
from web.heard import by_airing
from web.security import needs
from web.words import ago_text, clock_text

bp = Blueprint("today", __name__)
SILENT_AFTER = timedelta(minutes=5)
OPEN = (AiringState.PLANNED, AiringState.CLOSED)


@dataclass(frozen=True, slots=True)
class Todo:
    """One thing that waits for a person; `urgent` ones threaten the next airing."""

    text: str
    url: str
    urgent: bool = False


@bp.get("/")
@needs("see")
def board() -> ResponseReturnValue:
    """The board; its moving part is fetched again every 20 seconds where JavaScript runs."""
    return _render("today.html")


@bp.get("/hom-nay/bang")
@needs("see")
def part() -> ResponseReturnValue:
    """The moving part alone."""
    return _render("_today_board.html")


def _render(template: str) -> str:
    with reading() as session:
        soon = plan_days(session, today(), 3)  # asked once: the day, what is next and what is missing
        lines = [line for line in soon if line.local_date == today()]
        coming = [line for line in soon if line.state in OPEN and line.planned_at > now()]
        on_air = next((line for line in lines if _sounds(line, now())), None)
        return render_template(
            template,
            day=today(),
            lines=lines,
            on_air=on_air,
            following=coming[0] if coming else next_airing(session, now()),
            heard=by_airing(airing_report(session, today(), today(), now=now())),
            todos=todos(session, soon, now()),
        )


def _sounds(line: PlannedAiring, at: datetime) -> bool:
    if line.state not in (AiringState.STARTED, AiringState.CLOSED) or line.duration_ms is None:
        return False
    return line.planned_at <= at < line.planned_at + timedelta(milliseconds=line.duration_ms)


def todos(session: Session, soon: Sequence[PlannedAiring], at: datetime) -> list[Todo]:
    """What needs a person now: approvals, empty airings, unrendered programmes, silent receivers, failed work."""
    return [
        *_preflight(session, at),
        *_approvals(session),
        *_airings([line for line in soon if line.local_date <= today() + timedelta(days=1)], at),
        *_receivers(session, at),
        *_failed_work(session),
    ]


def _preflight(session: Session, at: datetime) -> list[Todo]:
    """What the airings of the next hour lack: shown before they would be silent, not after."""
    found = []
    for alarm in alarms(
        session, station(), now=at, has_file=lambda sha256: deps().blobs.has(sha256, suffix="mp3")
    ):
        url = url_for("airing.panel", airing_id=alarm.airing.airing_id)
        called = f"Buổi {clock_text(alarm.airing.start_local)} sắp tới"
        found += [Todo(f"{called}: {missing}", url, urgent=True) for missing in alarm.missing]
    return found


def _approvals(session: Session) -> list[Todo]:
    counted = session.execute(select(Bulletin.state, func.count(Bulletin.id)).group_by(Bulletin.state))
    states = {state: number for state, number in counted}
    found = []
    if states.get(BulletinState.SUBMITTED):
        found.append(
            Todo(
                f"{states[BulletinState.SUBMITTED]} bản tin chờ duyệt",
                url_for("bulletins.listing", trang_thai="submitted"),
            )
        )
    if states.get(BulletinState.RETURNED):
        found.append(
            Todo(
                f"{states[BulletinState.RETURNED]} bản tin bị trả lại, cần sửa",
                url_for("bulletins.listing", trang_thai="returned"),
            )
        )
    return found


def _airings(lines: Sequence[PlannedAiring], at: datetime) -> list[Todo]:
    found = []
    for line in lines:
        if line.state not in OPEN or line.planned_at <= at:
            continue
        called = f"Buổi {clock_text(line.start_local)} ngày {line.local_date:%d/%m}"
        url = url_for("airing.panel", airing_id=line.airing_id)
        if not line.items:
            found.append(Todo(f"{called} chưa có bản tin nào", url, urgent=True))
        elif not any(item.approved for item in line.items):
            found.append(Todo(f"{called}: chưa bản tin nào được duyệt", url, urgent=True))
        elif not line.files and line.planned_at - at < timedelta(hours=12):
            found.append(Todo(f"{called}: chương trình chưa dựng xong", url, urgent=True))
    return found


def _receivers(session: Session, at: datetime) -> list[Todo]:
    rows = session.scalars(select(Receiver).where(Receiver.revoked_at.is_(None), Receiver.token_hash != ""))
    return [
        Todo(
            f"{row.name} không báo về"
            + (f" (lần cuối {ago_text(row.last_seen_at, at)})" if row.last_seen_at else " lần nào"),
            url_for("receivers.listing"),
            urgent=True,
        )
        for row in rows
        if row.last_seen_at is None or at - row.last_seen_at > SILENT_AFTER
    ]


def _failed_work(session: Session) -> list[Todo]:
    rows = session.scalars(
        select(RenderJob)
        .where(RenderJob.state == "failed", RenderJob.kind.not_in(("preview", "listen")))
        .limit(5)
    )
    return [
        Todo(f"Dựng tiếng không xong: {row.error}", url_for("sound.job", job_id=row.id), urgent=True)
        for row in rows
    ]
