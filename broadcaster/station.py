"""The station's clockwork (`clock`): make airings, close content, ask for programmes, mark starts, look ahead.

APScheduler is an alarm clock only: one interval job in memory.  The truth is the database, every step may
be repeated, and each tick looks at the wall clock anew, so a stepped clock or a slept-through hour costs
one tick.  A lease row keeps the clock to one process; correctness does not hang on it.
"""

from __future__ import annotations

import logging
import os
import platform
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from broadcaster.config import Settings, load
from broadcaster.delivery.bell import run_bell
from broadcaster.delivery.mail import run_post
from broadcaster.delivery.webhook import run_webhook
from broadcaster.schedule.airings import close_content, mark_started, materialise
from broadcaster.schedule.closing import due_for_closing
from broadcaster.schedule.emergency.accepting import end_withdrawn
from broadcaster.schedule.emergency.message import prepare_messages
from broadcaster.schedule.preflight import Alarm, check_due
from broadcaster.schedule.rendering import enqueue_programmes
from broadcaster.schedule.slots import local_day
from broadcaster.schedule.timekeeping import believe, fallen_back, note
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.queue import Doorbell, reconcile
from broadcaster.store.tables import Lease, Station
from broadcaster.upkeep import Night

log = logging.getLogger(__name__)

LEASE = "clock"
LEASE_FOR = timedelta(seconds=60)
TICK_S = 5.0
MATERIALISE_EVERY = timedelta(minutes=1)
RETRY_FAILED_EVERY = timedelta(minutes=10)
DOUBT_EVERY = timedelta(minutes=1)
MOST_FAILURES = 12  # in a row: a minute of nothing but errors, then the supervisor may try a fresh process


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did; `ours` is False while another process holds the clock."""

    ours: bool
    made: int = 0
    closed: int = 0
    asked: int = 0
    started: int = 0
    returned: int = 0
    alarms: tuple[Alarm, ...] = field(default=())


class Clockwork:
    """One process's hand on the clock.  `tick(now)` is all it does; it reads no clock of its own."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        *,
        blobs: Blobs,
        doorbell: Doorbell | None = None,
        night: Night | None = None,
        synchronised: Callable[[], bool] = lambda: False,
    ) -> None:
        """`synchronised` says whether the network sets this machine's clock; asked only when the clock fell back."""
        self._db, self._settings, self._blobs, self._doorbell = db, settings, blobs, doorbell
        self._owner = f"{platform.node()[:30]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._materialised_at: datetime | None = None
        self._retried_at: datetime | None = None
        self._night, self._synchronised = night, synchronised
        self._doubted_at: datetime | None = None

    def tick(self, now: datetime) -> Tick:
        """Bring every station up to `now`.  Each step is a short transaction of its own."""
        with self._db.writing() as session:
            if not take_lease(session, owner=self._owner, now=now):
                return Tick(ours=False)
            if not self._believed(session, now):
                return Tick(ours=True)
        returned = reconcile(self._db, now=now)
        with self._db.reading() as session:
            stations = list(session.scalars(select(Station.id).order_by(Station.id)))
        full = _is_due(self._materialised_at, MATERIALISE_EVERY, now)
        retry = _is_due(self._retried_at, RETRY_FAILED_EVERY, now)
        done = [self._station(station_id, now, full=full, retry=retry) for station_id in stations]
        if full:
            self._materialised_at = now
            if self._night is not None:
                with self._db.reading() as session:
                    self._night.look(session, now=now)
        if retry:
            self._retried_at = now
        total = Tick(
            ours=True,
            made=sum(one.made for one in done),
            closed=sum(one.closed for one in done),
            asked=sum(one.asked for one in done),
            started=sum(one.started for one in done),
            returned=returned,
            alarms=tuple(alarm for one in done for alarm in one.alarms),
        )
        if self._doorbell is not None and (total.asked or total.returned):
            self._doorbell.ring()
        return total

    def _believed(self, session: Session, now: datetime) -> bool:
        """False while the clock is years or days before what this station has seen: then nothing is planned."""
        if (newest := fallen_back(session, now)) is not None:
            if not _is_due(self._doubted_at, DOUBT_EVERY, now):
                return False
            self._doubted_at = now
            if not self._synchronised():
                log.error(
                    "Giờ của máy (%s) sớm hơn lần chạy trước (%s): đài tạm ngừng lập lịch.", now, newest
                )
                return False
            believe(session, now)
        note(session, now)
        return True

    def stop(self) -> None:
        """Let go of the clock, so that a successor need not wait for the lease to run out."""
        with self._db.writing() as session:
            release_lease(session, owner=self._owner)

    def _station(self, station_id: int, now: datetime, *, full: bool, retry: bool) -> Tick:
        horizon = self._settings.integer("schedule.horizon_days")
        made = 0
        if full:
            with self._db.writing(station_id=station_id) as session:
                station = session.get_one(Station, station_id)
                today = local_day(station.zone, now)
                made = materialise(session, station, today=today, now=now, days=horizon)
        with self._db.writing(station_id=station_id) as session:
            station = session.get_one(Station, station_id)
            end_withdrawn(session, station, now=now)
            asked = prepare_messages(session, station, now=now)
        closed = self._close(station_id, now)
        with self._db.writing(station_id=station_id) as session:
            station = session.get_one(Station, station_id)
            asked += enqueue_programmes(session, station, now=now, days=horizon, retry_failed=retry)
        with self._db.writing(station_id=station_id) as session:
            started = mark_started(session, session.get_one(Station, station_id), now=now)
        return Tick(True, made, closed, asked, started, 0, tuple(self._preflight(station_id, now)))

    def _close(self, station_id: int, now: datetime) -> int:
        minutes = self._settings.integer("schedule.content_close_min")
        with self._db.writing(station_id=station_id) as session:
            due = due_for_closing(session, session.get_one(Station, station_id), now=now, minutes=minutes)
            for airing in due:
                close_content(session, airing, now=now)
            return len(due)

    def _preflight(self, station_id: int, now: datetime) -> list[Alarm]:
        with self._db.writing(station_id=station_id) as session:
            station = session.get_one(Station, station_id)
            found = check_due(
                session, station, now=now, has_file=lambda sha256: self._blobs.has(sha256, suffix="mp3")
            )
        for alarm in found:
            log.warning(
                "%s %s: %s", alarm.airing.slot_name, alarm.airing.start_local, " ".join(alarm.missing)
            )
        return found


def run_clock(
    settings: Settings,
    *,
    stop: threading.Event,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    tick_s: float = TICK_S,
    synchronised: Callable[[], bool] = lambda: False,
) -> None:
    """Tick until `stop` is set.  Raises the last error after a minute in which every tick failed."""
    db = Database(settings.database_url)
    doorbell = Doorbell(settings.queue_url)
    night = Night(settings)
    clockwork = Clockwork(
        db, settings, blobs=Blobs(settings.blobs_url), doorbell=doorbell, night=Night(settings),
        synchronised=synchronised,
    )  # fmt: skip
    failures: list[Exception] = []
    broken = threading.Event()

    def ring() -> None:
        try:
            clockwork.tick(now())
        except Exception as error:
            # Logged, counted, and tried again at the next tick; a minute of it ends the process.
            log.exception("Một nhịp của đồng hồ đài không xong.")
            failures.append(error)
            if len(failures) >= MOST_FAILURES:
                broken.set()
        else:
            failures.clear()

    alarm_clock = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)})
    job = alarm_clock.add_job(
        ring, "interval", seconds=tick_s, next_run_time=datetime.now(UTC), max_instances=1, coalesce=True,
        misfire_grace_time=None,
    )  # fmt: skip
    alarm_clock.start()
    # A mail server may take its time; the clock must not wait for it.
    post = threading.Thread(
        target=run_post, name="post", args=(db, lambda: load(home=settings.home)), kwargs={"stop": stop, "now": now}
    )  # fmt: skip
    post.start()
    webhook = threading.Thread(
        target=run_webhook, name="webhook", args=(db, lambda: load(home=settings.home)),
        kwargs={"stop": stop, "now": now},
    )  # fmt: skip
    webhook.start()
    bell = threading.Thread(
        target=run_bell, name="bell", args=(db, settings.text("mqtt.url")), kwargs={"stop": stop}
    )
    bell.start()
    try:
        while not stop.wait(0.5) and not broken.is_set():
            # APScheduler sleeps on a monotonic clock: after a suspend or a clock set forward it must be woken,
            # and after a clock set back its next ring lies hours ahead.
            if too_far(job.next_run_time, datetime.now(UTC), tick_s=tick_s):
                job.modify(next_run_time=datetime.now(UTC))
            alarm_clock.wakeup()
    finally:
        alarm_clock.shutdown(wait=True)
        stop.set()
        post.join()
        webhook.join()
        bell.join()
        try:
            if not broken.is_set():
                clockwork.stop()
        finally:
            night.close()
            doorbell.close()
            db.dispose()
    if broken.is_set():
        raise failures[-1]


def too_far(next_ring: datetime | None, now: datetime, *, tick_s: float) -> bool:
    """True when the next ring lies further ahead than a tick ever may: the machine's clock was set back."""
    return next_ring is None or next_ring - now > timedelta(seconds=2 * tick_s)


def take_lease(session: Session, *, owner: str, now: datetime) -> bool:
    """Take or renew the clock for a minute; False while another process holds it.

    A lease that ends later than any honest one (the machine's clock was set back) counts as run out.
    """
    until = now + LEASE_FOR
    renewed = session.execute(
        update(Lease)
        .where(
            Lease.name == LEASE,
            or_(Lease.owner == owner, Lease.until < now, Lease.until > now + 2 * LEASE_FOR),
        )
        .values(owner=owner, until=until)
        .execution_options(synchronize_session=False)
    )
    if isinstance(renewed, CursorResult) and renewed.rowcount == 1:
        return True
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    made = session.execute(
        insert(Lease)
        .values(name=LEASE, owner=owner, until=until)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(Lease.owner)
    ).scalar_one_or_none()
    return made == owner


def release_lease(session: Session, *, owner: str) -> None:
    """Give the clock back, if it is ours."""
    session.execute(
        update(Lease)
        .where(Lease.name == LEASE, Lease.owner == owner)
        .values(owner="", until=datetime.fromtimestamp(0, UTC))
        .execution_options(synchronize_session=False)
    )


def _is_due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    return last is None or not timedelta(0) <= now - last < every
