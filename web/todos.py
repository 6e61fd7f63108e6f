"""What waits for a person: approvals, airings that lack something, silent receivers, work that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.model import AiringState, BulletinState, PlannedAiring
from broadcaster.schedule import timekeeping
from broadcaster.schedule.preflight import alarms
from broadcaster.store.tables import Receiver, RenderJob
from broadcaster.upkeep import trouble
from web.deps import deps, station, today
from web.frame import bulletins_by_state
from web.words import clock_text, mark_text, span_text

OPEN = (AiringState.PLANNED, AiringState.CLOSED)
EVENING = time(16, 0)  # from now on it is late for tomorrow's airings
PREVIEWS = ("preview", "listen")


@dataclass(frozen=True, slots=True)
class Todo:
    """One thing that waits for a person; `urgent` ones threaten the next airing."""

    text: str
    url: str
    urgent: bool = False
    name: str = ""  # of its link on the page, the same while it is about the same thing


def todos(
    session: Session,
    soon: Sequence[PlannedAiring],
    receivers: Sequence[Receiver],
    at: datetime,
    *,
    silent: timedelta,
) -> list[Todo]:
    """What needs a person now, what threatens the next airing first."""
    near = [line for line in soon if line.local_date <= today() + timedelta(days=1)]
    found = [
        *_clock(session, at),
        *_preflight(session, soon, at),
        *_airings(near, at),
        *_receivers(receivers, at, silent),
        *_failed_work(session),
        *_backups(session, at),
        *_approvals(session),
        *_running_work(session),
    ]
    return named(sorted(found, key=lambda todo: not todo.urgent))


def named(found: Sequence[Todo]) -> list[Todo]:
    """With names that do not change when a number in the text does, so that the keyboard stays on its link."""
    seen: Counter[str] = Counter()
    done = []
    for todo in found:
        seen[todo.url] += 1
        done.append(replace(todo, name=f"viec-{mark_text(todo.url)}-{seen[todo.url]}"))
    return done


def _clock(session: Session, at: datetime) -> list[Todo]:
    """A machine that woke up years ago."""
    said = timekeeping.doubt(session, at, station().zone)
    return [Todo(said, url_for("settings_pages.machine_page"), urgent=True)] if said else []


def _preflight(session: Session, soon: Sequence[PlannedAiring], at: datetime) -> list[Todo]:
    """What the airings of the next hour lack: shown before they would be silent, not after."""
    found = []
    for alarm in alarms(
        session, station(), now=at, has_file=lambda sha256: deps().blobs.has(sha256, suffix="mp3"), soon=soon
    ):
        url = url_for("airing.panel", airing_id=alarm.airing.airing_id)
        called = f"Buổi {clock_text(alarm.airing.start_local)} sắp tới"
        found += [Todo(f"{called}: {missing}", url, urgent=True) for missing in alarm.missing]
    return found


def _backups(session: Session, at: datetime) -> list[Todo]:
    """Nights without a good backup, before the disk dies and not after."""
    said = trouble(session, deps().settings, now=at)
    return [Todo(said, url_for("archive.page"))] if said else []


def _approvals(session: Session) -> list[Todo]:
    states = bulletins_by_state(session)
    words = (
        (BulletinState.SUBMITTED, "bản tin chờ duyệt"),
        (BulletinState.RETURNED, "bản tin bị trả lại, cần sửa"),
    )
    return [
        Todo(f"{states[state]} {word}", url_for("bulletins.listing", trang_thai=state.value))
        for state, word in words
        if states.get(state)
    ]


def _airings(lines: Sequence[PlannedAiring], at: datetime) -> list[Todo]:
    """Airings of today and tomorrow that would be silent; tomorrow's are pressing from the afternoon on."""
    late = at.astimezone(ZoneInfo(station().zone)).time() >= EVENING
    found = []
    for line in lines:
        if line.state not in OPEN or line.planned_at <= at:
            continue
        tomorrow = line.local_date > today()
        called = f"{'Sáng mai' if tomorrow and line.start_local.hour < 11 else 'Ngày mai' if tomorrow else 'Hôm nay'}"
        called = f"{called} {clock_text(line.start_local)}"
        url = url_for("airing.panel", airing_id=line.airing_id)
        urgent = late or not tomorrow
        if not line.items:
            write = url_for("bulletins.new", buoi=line.airing_id)
            found.append(Todo(f"{called} chưa có bản tin", write, urgent=urgent))
        elif not any(item.approved for item in line.items):
            found.append(Todo(f"{called}: chưa bản tin nào được duyệt", url, urgent=urgent))
        elif not line.files and line.planned_at - at < timedelta(hours=12):
            found.append(Todo(f"{called}: chương trình chưa dựng xong", url, urgent=True))
    return found


def _receivers(rows: Sequence[Receiver], at: datetime, silent: timedelta) -> list[Todo]:
    """Players that do not answer, with since when."""
    found = []
    for row in rows:
        if not row.token_hash or (row.last_seen_at is not None and at - row.last_seen_at <= silent):
            continue
        if row.last_seen_at is None:
            since = "chưa báo về lần nào"
        else:
            passed = at - row.last_seen_at
            clock = clock_text(row.last_seen_at, station().zone)
            when = f"từ {clock}" if passed < timedelta(hours=20) else f"đã {span_text(passed)}"
            since = f"không trả lời {when}"
        found.append(
            Todo(f"{row.name} {since}. Kiểm tra điện, mạng.", url_for("receivers.listing"), urgent=True)
        )
    return found


def _running_work(session: Session) -> list[Todo]:
    number = session.scalar(
        select(func.count(RenderJob.id)).where(
            RenderJob.state.in_(("queued", "running")), RenderJob.kind.not_in(PREVIEWS)
        )
    )
    return [Todo(f"Máy đang dựng tiếng: {number} việc", url_for("sound.jobs"))] if number else []


def _failed_work(session: Session) -> list[Todo]:
    rows = session.scalars(
        select(RenderJob).where(RenderJob.state == "failed", RenderJob.kind.not_in(PREVIEWS)).limit(5)
    )
    return [
        Todo(f"Dựng tiếng không xong: {row.error}", url_for("sound.job", job_id=row.id), urgent=True)
        for row in rows
    ]
