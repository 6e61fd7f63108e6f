"""What the station does for itself at night: a backup, then clearing sound whose keeping time has run out.

The clock starts it as a process of its own at low priority, so that a tick never waits for a gigabyte to be
copied.  How it ended is a row; a night without a good backup is told to the people who look after the station.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.config import Settings
from broadcaster.errors import BroadcasterError
from broadcaster.model import NoticeKind, Role
from broadcaster.newsroom.notices import tell
from broadcaster.store.backup import backup
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.retention import plan_sweep, sweep
from broadcaster.store.shelf import clear_unfinished, prune
from broadcaster.store.tables import Notice, Station, UpkeepRun, User

log = logging.getLogger(__name__)

BACKUP, SWEEP = "backup", "sweep"
RETRY_AFTER: Final = timedelta(hours=1)
MOST_TRIES: Final = 4  # a night
OVERDUE: Final = timedelta(hours=36)
LOST_AFTER: Final = timedelta(hours=6)  # a run that has said nothing for so long was cut off
BEGAN: Final = select(Station.created_at).order_by(Station.id).limit(1)  # when the first station did


def is_due(session: Session, settings: Settings, *, now: datetime) -> bool:
    """True when the night's backup should begin: past its hour, none good since, and the last try long enough ago."""
    if not settings.boolean("backup.nightly"):
        return False
    began = _tonight(session, settings, now)
    born = session.scalar(BEGAN)
    if began is None or born is None or born > began:
        return False  # a station of today has its first night ahead
    runs = session.scalars(
        select(UpkeepRun).where(UpkeepRun.kind == BACKUP, UpkeepRun.started_at >= began)
    ).all()
    if any(run.ok for run in runs) or len(runs) >= MOST_TRIES:
        return False
    last = max((run.started_at for run in runs), default=None)
    return last is None or now - last >= RETRY_AFTER


def trouble(session: Session, settings: Settings, *, now: datetime) -> str:
    """One sentence when the backups need somebody; '' while all is well."""
    if not settings.boolean("backup.nightly"):
        return ""
    runs = session.scalars(
        select(UpkeepRun).where(UpkeepRun.kind == BACKUP).order_by(UpkeepRun.id.desc()).limit(MOST_TRIES)
    ).all()
    if runs and not runs[0].ok:
        if runs[0].ended_at is not None:
            return f"Sao lưu đêm qua không xong: {runs[0].said}"
        if now - runs[0].started_at > LOST_AFTER:
            return "Sao lưu đêm qua bị dừng giữa chừng. Hãy kiểm tra máy có bị tắt không, rồi sao lưu lại."
    since = _last_good(session, runs)
    if since is not None and now - since > OVERDUE:
        return f"Đã {(now - since).days} ngày chưa có bản sao lưu nào tốt. Hãy xem trang Lưu trữ."
    return ""


def _last_good(session: Session, latest: Sequence[UpkeepRun]) -> datetime | None:
    """When the last good backup ended; the station's beginning while there is none."""
    if (ended := next((run.ended_at for run in latest if run.ok), None)) is not None:
        return ended
    good = (
        select(UpkeepRun.ended_at)
        .where(UpkeepRun.kind == BACKUP, UpkeepRun.ok)
        .order_by(UpkeepRun.id.desc())
        .limit(1)
    )
    return session.scalar(select(func.coalesce(good.scalar_subquery(), BEGAN.scalar_subquery())))


def nightly(settings: Settings, db: Database, *, now: Callable[[], datetime]) -> bool:
    """Back up, prune, sweep; each leaves a row.  Returns True when the backup is good."""
    good = _run(db, BACKUP, now, lambda: _backed_up(settings, now()))
    if not good:
        _tell(settings, db, now())
    elif settings.boolean("archive.sweep"):
        _run(db, SWEEP, now, lambda: _swept(settings, db, now()))
    return good


class Night:
    """The clock's hand on the nightly process: starts it when it is due, never twice, never waits for it."""

    def __init__(self, settings: Settings, *, start: Callable[[Settings], Any] | None = None) -> None:
        self._settings, self._start = settings, start or start_process
        clear_unfinished(settings.backups)  # of a night that was cut short by the power
        self._process: Any = None

    def look(self, session: Session, *, now: datetime) -> bool:
        """Start the night's work if it is time; True when it was started now."""
        if self._process is not None and self._process.poll() is None:
            return False
        self._process = None
        if not is_due(session, self._settings, now=now):
            return False
        self._process = self._start(self._settings)
        return True

    def close(self) -> None:
        """End the night's work with the clock; what was half done is begun again the next time."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=30)


def start_process(settings: Settings) -> subprocess.Popen[bytes]:
    """`python -m broadcaster upkeep`, apart from this process and with the same home."""
    process = subprocess.Popen(
        [sys.executable, "-m", "broadcaster", "upkeep"],
        env={**os.environ, "BROADCASTER_HOME": str(settings.home)},
        stdin=subprocess.DEVNULL,
    )
    # Whatever becomes of the clock, somebody waits for it, so that it never stays behind as a dead entry.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def _tonight(session: Session, settings: Settings, now: datetime) -> datetime | None:
    """The instant of the last backup hour that has come, at the first station's clock."""
    zone = session.scalar(select(Station.zone).order_by(Station.id).limit(1))
    if zone is None:
        return None
    local = now.astimezone(ZoneInfo(zone))
    began = datetime.combine(local.date(), time(settings.integer("backup.hour")), tzinfo=ZoneInfo(zone))
    return began if began <= local else began - timedelta(days=1)


def _run(
    db: Database, kind: str, now: Callable[[], datetime], work: Callable[[], tuple[str, dict[str, Any]]]
) -> bool:
    with db.writing() as session:
        row = UpkeepRun(kind=kind, started_at=now(), ok=False)
        session.add(row)
        session.flush()
        run_id = row.id
    try:
        said, detail = work()
        good = True
    except BroadcasterError as error:
        log.error("%s: %s", kind, error.message)
        said, detail, good = error.message, {}, False
    with db.writing() as session:
        row = session.get_one(UpkeepRun, run_id)
        row.ended_at, row.ok, row.said, row.detail = now(), good, said, detail
    return good


def _tell(settings: Settings, db: Database, now: datetime) -> None:
    """Those who look after each station's machine, once a day."""
    with db.writing() as session:
        said = trouble(session, settings, now=now)
        for station_id in session.scalars(select(Station.id).order_by(Station.id)).all():
            today = session.scalar(
                select(Notice.id)
                .where(
                    Notice.station_id == station_id,
                    Notice.kind == NoticeKind.UPKEEP,
                    Notice.at > now - timedelta(hours=20),
                )
                .limit(1)
            )
            people = session.scalars(
                select(User).where(
                    User.station_id == station_id, User.role.in_([Role.TECHNICIAN, Role.ADMINISTRATOR])
                )
            ).all()
            if today is None and said:
                tell(session, people, kind=NoticeKind.UPKEEP, text=said, about="archive:", now=now)


def _backed_up(settings: Settings, now: datetime) -> tuple[str, dict[str, Any]]:
    made = backup(settings, settings.backups, now=now)
    gone = prune(settings.backups, keep=settings.integer("backup.keep"))
    return f"Đã sao lưu vào {made}.", {"folder": str(made), "pruned": len(gone)}


def _swept(settings: Settings, db: Database, now: datetime) -> tuple[str, dict[str, Any]]:
    blobs = Blobs(settings.blobs_url)
    with db.reading() as session:
        plan = plan_sweep(session, blobs, now=now, months=settings.integer("archive.audio_months"))
    gone = sweep(db, blobs, plan, now=now)
    return f"Đã xóa {gone} tệp âm thanh quá hạn giữ.", {"files": gone, "bytes": plan.doomed_bytes}
