"""Today's board: what moves is fetched alone, what is missing is said in time, who has not confirmed is named."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from broadcaster.model import AsRunEvent
from broadcaster.newsroom.bulletins import create_bulletin
from broadcaster.schedule.running import place
from broadcaster.store.tables import AsRun, Receiver, RenderJob, User
from tests.support.web_station import NOW, SHORT, at, sent_with_take


def marks(page: str) -> dict[str, str]:
    """name -> mark of the parts that a page shows."""
    return dict(re.findall(r'name="co" value="([^":]+):([0-9a-f]+)"', page))


def asked(browser: Any, shown: dict[str, str]) -> Any:
    return browser.get(
        "/hom-nay/bang", query_string={"co": [f"{name}:{mark}" for name, mark in shown.items()]},
        headers={"HX-Request": "true"},
    )  # fmt: skip


def test_a_board_that_stays_open_gets_only_the_parts_that_changed(world: Any) -> None:
    browser = world.browser("canbo")
    page = browser.get("/").text
    shown = marks(page)
    (waiting,) = re.findall(r"Máy đang dựng tiếng: (\d+) việc", page)
    assert {"chinh", "can-lam", "nhac-thon"} < set(shown)
    assert asked(browser, shown).status_code == 204
    with world.db.writing(station_id=world.made.station) as session:
        session.add(
            RenderJob(
                station_id=world.made.station, kind="take", key="77", payload={"title": "Tin"}, state="queued",
                due_at=NOW, created_at=NOW, attempt=0,
            )
        )  # fmt: skip
    answer = asked(browser, shown)
    assert answer.status_code == 200
    assert set(marks(answer.text)) == {"can-lam"}
    assert 'id="can-lam" hx-swap-oob="true"' in answer.text
    assert f"Máy đang dựng tiếng: {int(waiting) + 1} việc" in answer.text
    assert "<html" not in answer.text


def test_a_board_with_other_rows_is_sent_whole(world: Any) -> None:
    browser = world.browser("canbo")
    shown = marks(browser.get("/").text)
    world.clock.now = NOW + timedelta(days=1)
    browser = world.browser("canbo")
    answer = asked(browser, shown)
    assert '<div id="bang" hx-swap-oob="true">' in answer.text
    assert set(marks(answer.text)) != set(shown)


def test_while_a_player_sounds_its_position_and_volume_are_shown_from_its_own_word(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        row = session.scalars(select(Receiver)).one()
        row.last_seen_at, row.heartbeat = at("05:31"), {"volume_percent": 70, "sounding": world.made.morning}
    world.clock.now = at("05:32")
    # The fixture's player has finished already by its events; take the end as not reported yet.
    with world.db.reading() as session:
        finished = session.scalars(select(AsRun).where(AsRun.event == AsRunEvent.FINISHED)).one()
    assert finished.at > world.clock.now
    page = world.browser("canbo").get("/").text
    assert "đã phát<b>2:00 / 5:12</b>" in page
    assert '<progress value="120000" max="312000"' in page


def test_a_player_that_started_late_is_shown_where_it_is(world: Any) -> None:
    evening = world.made.evening
    with world.db.writing(station_id=world.made.station) as session:
        row = session.scalars(select(Receiver)).one()
        row.last_seen_at, row.heartbeat = at("17:01"), {"volume_percent": 70}
        session.add(
            AsRun(
                receiver_id=row.id, sequence=9, airing_id=evening, event=AsRunEvent.STARTED, at=at("17:00"),
                received_at=at("17:00"),
            )
        )  # fmt: skip
    world.clock.now = at("17:01")
    page = world.browser("lanhdao").get("/").text
    assert "Loa trụ sở xã: đang phát, âm lượng" in page
    assert 'value="70"' in page
    assert "đã phát<b>1:00" in page


def test_tomorrow_s_empty_airing_is_pressing_from_four_in_the_afternoon(world: Any) -> None:
    link = f'href="/ban-tin/moi?buoi={world.made.tomorrow}"'
    todo = world.browser("canbo").get("/").text.split('id="can-lam"')[1]
    assert "urgent" not in todo.split(link)[0].rsplit("<li", 1)[1]
    world.clock.now = at("16:00")
    page = world.browser("canbo").get("/").text
    assert "urgent" in page.split('id="can-lam"')[1].split(link)[0].rsplit("<li", 1)[1]
    assert "Sáng mai 05:30 chưa có bản tin" in page


def test_villages_that_have_not_confirmed_are_named_with_a_text_to_send(world: Any) -> None:
    page = world.browser("canbo").get("/").text
    text = re.search(r"readonly>([^<]+)</textarea>", page)
    assert text is not None
    assert "buổi phát thanh 05:30 ngày 24/11/2026 chưa có xác nhận của: Tổ dân phố 1, Bến Sung." in text[1]
    assert "Đồng Lớn" not in text[1].split("của:", 1)[1]  # it has confirmed
    assert "Xuân Phong" not in text[1]  # it has said why it could not
    world.clock.now = at("05:40")
    assert "Lời nhắc để gửi" not in world.browser("canbo").get("/").text  # they still have time


@pytest.mark.parametrize(("seconds", "named"), [(60, False), (89, False), (95, True)])
def test_a_player_is_silent_after_ninety_seconds(world: Any, seconds: int, named: bool) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        session.scalars(select(Receiver)).one().last_seen_at = NOW - timedelta(seconds=seconds)
    page = world.browser("kythuat").get("/").text
    assert ("Loa trụ sở xã không trả lời từ" in page) is named


def test_a_day_without_airings_says_so_and_shows_a_way_on(world: Any) -> None:
    page = world.browser("quantri2").get("/").text
    assert "Hôm nay chưa có buổi phát nào" in page
    assert "Chưa có buổi phát nào sắp tới" in page
    assert 'accesskey="n"' in page


def test_work_that_somebody_left_can_be_come_back_to(world: Any) -> None:
    author = world.browser("canbo")
    author.get(f"/ban-tin/{world.made.approved}")
    sent = author.post(f"/ban-tin/{world.made.approved}/nghe")
    page = author.get("/viec").text
    assert f'href="{sent.location}"' in page
    assert "Nghe cả bài" in page
    assert f'href="{sent.location}"' not in world.browser("canbo2").get("/viec").text


def test_the_questions_to_the_database_do_not_grow_with_what_is_there(world: Any) -> None:
    """Today, the list, a bulletin, the page before sending and an approval: as many queries with 60 bulletins more."""
    author, approver = world.browser("canbo"), world.browser("lanhdao")
    pages = (
        (author, "/"), (author, "/ban-tin"), (author, f"/ban-tin/{world.made.approved}"),
        (author, f"/ban-tin/{world.made.approved}/xem-lai"), (author, "/ban-tin/moi"), (author, "/viec"),
        (approver, f"/duyet/{world.made.waiting_revision}"), (approver, "/duyet"),
    )  # fmt: skip
    before = [asked_of_database(world, browser, url) for browser, url in pages]
    with world.db.writing(station_id=world.made.station) as session:
        person = session.get_one(User, world.made.users["canbo"])
        for number in range(60):
            row = create_bulletin(
                session,
                station_id=world.made.station,
                author=person,
                title=f"Tin {number}",
                text=SHORT,
                now=NOW,
            )
            if number % 2:
                sent_with_take(session, world.made, row, person, NOW)
            if number < 6:
                place(session, world.made.tomorrow, row.id, actor=person, now=NOW)
    after = [asked_of_database(world, browser, url) for browser, url in pages]
    assert max(after) <= 55, [(url, many) for (_, url), many in zip(pages, after, strict=True)]
    grown = {url: (b, a) for (_, url), b, a in zip(pages, before, after, strict=True) if a > b + 3}
    assert grown == {}


def asked_of_database(world: Any, browser: Any, url: str) -> int:
    """How many statements one page asks."""
    statements: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(world.db.engine, "before_cursor_execute", note)
    try:
        assert browser.get(url).status_code == 200
    finally:
        event.remove(world.db.engine, "before_cursor_execute", note)
    return len(statements)
