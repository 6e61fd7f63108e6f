"""How much goes over the wire, and how many questions a page asks of the database."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
from sqlalchemy import event

from tests.support.web_station import SHORT
from tests.web.test_web_village import link

GZIP = {"Accept-Encoding": "gzip"}
OFFICER = ("/", "/ban-tin", "/ban-tin/moi", "/lich", "/thon", "/may-thu", "/nhac-hieu", "/nhat-ky", "/thong-bao",
           "/cai-dat", "/cai-dat/dai", "/tai-khoan", "/nhat-ky/thay-doi")  # fmt: skip


def sent(answer: Any) -> int:
    assert answer.status_code == 200
    return len(answer.data) + 400  # headers, roughly


@pytest.mark.parametrize("path", OFFICER)
def test_an_officers_page_is_100_kilobytes_the_first_time_and_15_the_next(world: Any, path: str) -> None:
    browser = world.browser("quantri")
    page = browser.client.get(path, headers=GZIP, buffered=True)
    assert page.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in page.headers["Vary"]
    text = gzip.decompress(page.data).decode()
    parts = re.findall(r'(?:href|src)="(/(?:static|vendor)/[^"]+)"', text)
    assert len(parts) >= 4
    first = sent(page) + sum(
        sent(browser.client.get(part, headers=GZIP, buffered=True)) for part in set(parts)
    )
    assert first <= 100_000
    assert sent(page) <= 15_000
    for part in parts:  # what is kept for long is not asked for again
        assert "max-age=" in browser.client.get(part, buffered=True).headers["Cache-Control"]


def test_what_cannot_be_read_compressed_is_sent_as_it_is(world: Any) -> None:
    browser = world.browser("canbo")
    plain = browser.client.get("/", headers={"Accept-Encoding": "identity"}, buffered=True)
    assert "Content-Encoding" not in plain.headers
    assert "<html" in plain.text


def test_the_stylesheet_stays_within_twelve_kilobytes(world: Any) -> None:
    assert len(world.app.test_client().get("/static/app.css", headers=GZIP, buffered=True).data) <= 12 * 1024


def test_the_number_of_questions_does_not_grow_with_the_data(world: Any) -> None:
    """Each page asks the database as often with forty more bulletins, villages' answers and changes as before."""
    from broadcaster.newsroom.bulletins import create_bulletin, submit
    from broadcaster.store.tables import User, Village
    from tests.support.web_station import NOW

    browser = world.browser("quantri")
    paths = [*OFFICER, "/duyet", "/uy-quyen", "/cai-dat/tu-dien", link(world)]
    before = {path: questions(world, browser, path) for path in paths}
    with world.db.writing(station_id=world.made.station) as session:
        author = session.get_one(User, world.made.users["canbo"])
        for number in range(20):
            row = create_bulletin(
                session, station_id=world.made.station, author=author, title=f"Tin thêm {number}", text=SHORT, now=NOW
            )  # fmt: skip
            submit(session, row.id, version=row.version, actor=author, now=NOW)
            session.add(
                Village(
                    station_id=world.made.station,
                    slug=f"them-{number}",
                    name=f"Thôn {number}",
                    position=50 + number,
                )
            )
    after = {path: questions(world, browser, path) for path in paths}
    assert after == before


def test_the_first_page_asks_the_database_a_handful_of_questions(world: Any) -> None:
    """The board is asked for again every fifteen seconds, by everybody who has it open."""
    browser = world.browser("quantri")
    assert questions(world, browser, "/") <= 24
    assert questions(world, browser, "/hom-nay/bang") <= 24
    assert questions(world, browser, "/lich") <= 15


def questions(world: Any, browser: Any, path: str) -> int:
    asked: list[str] = []
    engine = world.db.engine

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    browser.get(path)  # the first visit fills what is looked up once a process
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert browser.get(path).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(asked)
