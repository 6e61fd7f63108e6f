"""Alarms before the air: told to people, posted to an address, tried again, never twice under another number."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from broadcaster.delivery.webhook import Outbox, check_url, post_due
from broadcaster.errors import ConfigError
from broadcaster.model import NoticeKind
from broadcaster.schedule.airings import materialise
from broadcaster.schedule.preflight import check_due
from broadcaster.store.db import Database
from broadcaster.store.tables import Notice, Station
from tests.support.commune import MONDAY, at, found, slot
from tests.support.databases import upgraded


class Address:
    """A local server that takes alarms, or answers with `status` instead."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.status = 204
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.status == 204:
                    outer.taken.append(json.loads(body))
                self.send_response(outer.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/canh-bao"


@pytest.fixture
def address() -> Iterator[Address]:
    made = Address()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with upgraded("sqlite", tmp_path) as database:
        yield database


def check(db: Database, when: str) -> int:
    """What the clock asks at that time; how many airings lack something."""
    with db.writing() as session:
        station = session.scalars(select(Station)).one()
        return len(check_due(session, station, now=at(when), has_file=lambda _sha: True))


def empty_morning(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=1)


def test_an_alarm_is_posted_once_and_told_to_whoever_can_mend_it(db: Database, address: Address) -> None:
    empty_morning(db)
    assert check(db, "04:31") == 1
    outbox = Outbox()
    assert post_due(db, address.url, outbox, now=at("04:31")) == (1, 0)
    assert post_due(db, address.url, outbox, now=at("04:31")) == (0, 0)
    (alarm,) = address.taken
    assert (alarm["station"], alarm["name"], alarm["minutes_before"]) == ("nhu-thanh", "Buổi sáng", 60)
    assert "Chưa xếp bản tin nào" in alarm["missing"][0]
    with db.reading() as session:
        (notice,) = session.scalars(select(Notice)).all()
        assert notice.kind is NoticeKind.ALARM
        assert "05:30 ngày 23/11/2026, còn 59 phút" in notice.text
        assert notice.about == f"airing:{alarm['airing']}"


def test_the_same_lack_is_not_told_again_at_the_next_mark_but_is_posted(
    db: Database, address: Address
) -> None:
    empty_morning(db)
    check(db, "04:31")
    check(db, "05:20")
    post_due(db, address.url, Outbox(), now=at("05:20"))
    assert [one["minutes_before"] for one in address.taken] == [60, 10]
    with db.reading() as session:
        assert len(session.scalars(select(Notice)).all()) == 1


def test_once_nothing_is_lacking_the_notice_is_closed_and_no_letter_leaves(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_morning(db)
    check(db, "04:31")
    with db.reading() as session:
        assert session.scalars(select(Notice)).one().read_at is None
    monkeypatch.setattr("broadcaster.schedule.preflight.preflight", lambda *_: [])
    assert check(db, "05:20") == 0
    with db.reading() as session:
        notice = session.scalars(select(Notice)).one()
        assert notice.read_at == at("05:20")
        assert notice.mail_due_at is None


@pytest.mark.parametrize("status", [500, 302])
def test_what_the_address_does_not_take_is_tried_again_later(
    db: Database, address: Address, status: int
) -> None:
    empty_morning(db)
    check(db, "04:31")
    outbox, address.status = Outbox(), status
    assert post_due(db, address.url, outbox, now=at("04:31")) == (0, 1)
    address.status = 204
    assert post_due(db, address.url, outbox, now=at("04:31")) == (0, 0)  # it waits a little
    assert post_due(db, address.url, outbox, now=at("04:31") + timedelta(seconds=6)) == (1, 0)


def test_after_the_hour_has_passed_nobody_is_alarmed(db: Database, address: Address) -> None:
    empty_morning(db)
    check(db, "04:31")
    assert post_due(db, address.url, Outbox(), now=at("05:31")) == (0, 0)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="http"):
        check_url("file:///etc/passwd")
