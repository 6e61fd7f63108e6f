"""The MQTT doorbell at the station: says epoch and plan version of every station as soon as they change.

A thread of the clock process looks at the database, so that whoever changed the plan (web, clock, worker) needs
to know nothing of it.  Players that hear nothing ask over HTTP as before.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from sqlalchemy import select

from broadcaster.errors import ConfigError
from broadcaster.mqtt import Line, message_of, topic_of
from broadcaster.store.db import Database
from broadcaster.store.tables import Station

log = logging.getLogger(__name__)

EVERY_S: Final = 0.2


def run_bell(db: Database, url: str, *, stop: threading.Event, every_s: float = EVERY_S) -> None:
    """Ring until `stop` is set; without an address nothing happens."""
    if not url:
        return
    again = threading.Event()  # a broker that was away, or lost its memory, is told everything again
    try:
        line = Line(url, connected=lambda _line: again.set(), name="station")
    except ConfigError as error:
        log.error("%s", error.message)
        return
    said: dict[str, tuple[int, int]] = {}
    try:
        while not stop.wait(every_s):
            if again.is_set():
                again.clear()
                said.clear()
            if line.problem:
                continue
            try:
                now = _plans(db)
            except Exception:
                # Logged and tried again: a doorbell must never bring the clock down.
                log.exception("Chưa đọc được phiên bản lịch để báo qua MQTT.")
                continue
            for slug, plan in now.items():
                if said.get(slug) != plan and line.say(topic_of(slug), message_of(*plan)):
                    said[slug] = plan
    finally:
        line.close()


def _plans(db: Database) -> dict[str, tuple[int, int]]:
    with db.reading() as session:
        rows = session.execute(select(Station.slug, Station.epoch, Station.plan_version)).all()
    return {slug: (epoch, version) for slug, epoch, version in rows}
