"""Alarms to a machine of somebody else: what a coming airing lacks, posted to one address as JSON.

The book is the queue: a thread of the clock process reads the answers of the pre-flight from it and posts each
until the address takes it or the airing's hour has passed.  A crash repeats a message (its `id` is the same),
and never loses one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from sqlalchemy import select

from broadcaster.config import Settings
from broadcaster.errors import ConfigError
from broadcaster.schedule.preflight import ACTION
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, Audit, Station

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 10.0
EVERY_S: Final = 5.0
LOOK_BACK: Final = timedelta(minutes=65)  # from the first mark to the airing
WAITS_S: Final = (5.0, 15.0, 60.0, 300.0)


@dataclass
class Outbox:
    """What this process has sent and what it will try again: book line -> (tries, when next)."""

    sent: set[int] = field(default_factory=set)
    waiting: dict[int, tuple[int, datetime]] = field(default_factory=dict)


def check_url(url: str) -> None:
    """ConfigError unless it is an address that can be posted to."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"alarms.webhook_url phải bắt đầu bằng http:// hoặc https://, đang là “{url}”.")


def due_alarms(db: Database, *, now: datetime) -> list[dict[str, Any]]:
    """Alarms of airings whose hour has not passed, oldest first, as they are posted."""
    with db.reading() as session:
        rows = session.execute(
            select(Audit, Airing, Station)
            .join(Airing, Airing.id == Audit.subject)
            .join(Station, Station.id == Audit.station_id)
            .where(Audit.action == ACTION, Audit.at > now - LOOK_BACK, Airing.planned_at > now)
            .order_by(Audit.id)
        ).all()
        return [
            {
                "id": audit.id,
                "kind": "preflight",
                "station": station.slug,
                "station_name": station.name,
                "airing": airing.id,
                "name": airing.name,
                "planned_at": airing.planned_at.isoformat(),
                "minutes_before": audit.detail["minutes"],
                "missing": list(audit.detail["missing"]),
            }
            for audit, airing, station in rows
            if audit.detail.get("missing")
        ]


def post_due(db: Database, url: str, outbox: Outbox, *, now: datetime) -> tuple[int, int]:
    """Post what is due once; (taken, not taken)."""
    check_url(url)
    taken = failed = 0
    for alarm in due_alarms(db, now=now):
        number = int(alarm["id"])
        tries, when = outbox.waiting.get(number, (0, now))
        if number in outbox.sent or when > now:
            continue
        try:
            answer = requests.post(url, json=alarm, timeout=TIMEOUT_S, allow_redirects=False)
            answer.raise_for_status()
            if answer.is_redirect:
                raise requests.HTTPError(f"{answer.status_code} chuyển hướng")
        except requests.RequestException as error:
            wait = WAITS_S[min(tries, len(WAITS_S) - 1)]
            outbox.waiting[number] = (tries + 1, now + timedelta(seconds=wait))
            log.warning("Cảnh báo %s chưa gửi được tới %s: %s", number, urlsplit(url).hostname, error)
            failed += 1
        else:
            outbox.sent.add(number)
            outbox.waiting.pop(number, None)
            taken += 1
    return taken, failed


def run_webhook(
    db: Database,
    settings: Callable[[], Settings],
    *,
    stop: threading.Event,
    now: Callable[[], datetime],
    every_s: float = EVERY_S,
) -> None:
    """Post until `stop` is set; without an address nothing happens."""
    outbox = Outbox()
    while not stop.wait(every_s):
        try:
            url = settings().text("alarms.webhook_url").strip()
            if url:
                post_due(db, url, outbox, now=now())
        except Exception:
            # Logged and tried again: an alarm's address must never bring the clock down.
            log.exception("Chưa gửi được cảnh báo ở lượt này.")
