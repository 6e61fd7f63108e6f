"""A whole station for end-to-end tests: installed from the sample's folder, with people who know their passwords."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from broadcaster.config import Settings, load
from broadcaster.install import SAMPLE, install, village_links
from broadcaster.model import Role
from broadcaster.newsroom.people import add_user
from broadcaster.newsroom.templates import add_template, approve_template
from broadcaster.schedule.stationfile import TEMPLATE
from broadcaster.station import Clockwork
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import load_keys
from broadcaster.store.tables import RenderJob, Station, User
from broadcaster.worker import Worker

PASSWORD = "hai mươi bảy con vịt"
VOICE = "espeak:vi+f5"


@dataclass
class Clock:
    """The clock that everything of the test reads."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Live:
    """An installed station and the means to move it along."""

    settings: Settings
    db: Database
    clock: Clock

    def tick(self) -> None:
        """What the clock process does every few seconds."""
        clockwork = Clockwork(self.db, self.settings, blobs=Blobs(self.settings.blobs_url))
        clockwork.tick(self.clock.now)
        clockwork.stop()

    def work(self) -> None:
        """What the worker does until nothing is left to do; a job that could not be done fails the test."""
        with Worker(self.settings, self.db, now=self.clock) as worker:
            worker.work_off()
        with self.db.reading() as session:
            jobs = session.scalars(select(RenderJob).where(RenderJob.state.in_(("queued", "failed")))).all()
        assert not jobs, [(job.kind, job.state, job.error) for job in jobs]

    def village_link(self, number: int) -> str:
        """The secret path of a village's page."""
        return village_links(self.db, load_keys(self.settings.keys), "")[number][1]


@contextmanager
def live_station(
    home: Path, now: datetime, *, template: Mapping[str, Any] | None = None, **flags: Any
) -> Iterator[Live]:
    """Install without the sample's bulletins; accounts `hoa` (author) and `minh` (approver)."""
    home.mkdir(parents=True, exist_ok=True)
    settings = load(environ={}, home=home, flags={"voice.chain": VOICE, **flags})
    install(settings, now=now, sample=False)
    db = Database(settings.database_url)
    try:
        with db.writing() as session:
            station = session.scalars(select(Station)).one()
            people: dict[str, User] = {
                name: add_user(
                    session, station_id=station.id, username=name, display_name=shown, role=role,
                    password=PASSWORD, now=now,
                )
                for name, shown, role in (
                    ("hoa", "Lê Thị Hoa", Role.AUTHOR), ("minh", "Nguyễn Văn Minh", Role.APPROVER),
                )
            }  # fmt: skip
            body = tomllib.loads((SAMPLE / "station.toml").read_text(encoding="utf-8"))["template"]
            added = add_template(
                session, station_id=station.id, name=TEMPLATE, body=dict(template or body), author=people["hoa"],
                now=now,
            )  # fmt: skip
            approve_template(session, added.id, actor=people["minh"], sha256=added.sha256, now=now)
        live = Live(settings, db, Clock(now))
        live.tick()
        yield live
    finally:
        db.dispose()


def utc(text: str) -> datetime:
    """'2026-11-24 05:30' at the station, as a UTC instant."""
    return datetime.fromisoformat(text + "+07:00").astimezone(UTC)


Now = Callable[[], datetime]
