"""The week's table, one airing's running order, slots, today's board."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from lxml import html
from sqlalchemy import select

from broadcaster.model import AiringState
from broadcaster.schedule.plan import airing_of
from broadcaster.schedule.running import place
from broadcaster.store.tables import Airing, Slot, User
from tests.support.web_station import NOW, at


def titles(world: Any, airing_id: str) -> list[str]:
    with world.db.reading(station_id=world.made.station) as session:
        return [item.title for item in airing_of(session, airing_id).items]


def test_the_week_is_a_real_table_of_days_and_times(world: Any) -> None:
    page = world.browser("canbo").get("/lich?tuan=2026-11-26").text
    assert "Tuần 48: 23/11/2026 đến 29/11/2026" in page
    assert page.count('scope="col"') == 8
    for word in ("Thứ Hai", "Chủ nhật", "05:30", "17:00", "hôm nay"):
        assert word in page


@pytest.mark.parametrize("wanted", ["khong-phai-ngay", "2026-13-45", ""])
def test_a_week_that_is_no_date_is_this_week(world: Any, wanted: str) -> None:
    assert "Tuần 48" in world.browser("canbo").get(f"/lich?tuan={wanted}").text


def test_times_are_the_stations_whatever_the_machine_thinks(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    for zone in ("UTC", "America/New_York"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        page = world.browser("canbo").get("/").text
        assert "08:00 <small>giờ đài" in page
        assert "Thứ Ba, 24/11/2026" in page
    monkeypatch.undo()
    time.tzset()


def test_a_bulletin_is_placed_moved_and_taken_out(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/lich/buoi/{world.made.tomorrow}"
    author.get(url)
    for bulletin_id in (world.made.approved, world.made.waiting):
        assert author.post(url + "/xep", {"bulletin": str(bulletin_id)}).status_code == 303
    assert titles(world, world.made.tomorrow) == ["Bình dân học vụ số", "Phòng cháy rừng mùa hanh khô"]
    assert author.post(f"{url}/doi-cho/{world.made.waiting}", {"position": "1"}).status_code == 303
    assert titles(world, world.made.tomorrow)[0] == "Phòng cháy rừng mùa hanh khô"
    page = author.get(url).text
    assert "Chưa duyệt" in page
    assert author.post(f"{url}/bo/{world.made.waiting}").status_code == 303
    assert titles(world, world.made.tomorrow) == ["Bình dân học vụ số"]


def test_moving_into_another_airing_happens_wholly_or_not_at_all(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/lich/buoi/{world.made.evening}"
    author.get(url)
    moved = author.post(f"{url}/chuyen/{world.made.waiting}", {"target": world.made.tomorrow})
    assert moved.status_code == 303
    assert titles(world, world.made.tomorrow) == ["Phòng cháy rừng mùa hanh khô"]
    assert titles(world, world.made.evening) == ["Bình dân học vụ số"]
    refused = author.post(f"{url}/chuyen/{world.made.approved}", {"target": world.made.morning})
    assert refused.status_code == 422  # the morning is over
    assert titles(world, world.made.evening) == ["Bình dân học vụ số"]


def test_what_has_started_offers_no_change_and_takes_none(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/lich/buoi/{world.made.morning}"
    assert "/xep" not in author.get(url).text
    author.get(f"/lich/buoi/{world.made.evening}")
    refused = author.post(url + "/xep", {"bulletin": str(world.made.waiting)})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert titles(world, world.made.morning) == ["Bình dân học vụ số"]


def test_an_airing_is_left_out_with_its_reason(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/lich/buoi/{world.made.evening}"
    author.get(url)
    assert author.post(url + "/khong-phat", {"reason": ""}).status_code == 422
    assert author.post(url + "/khong-phat", {"reason": "Quốc tang"}).status_code == 303
    with world.db.reading() as session:
        row = session.get_one(Airing, world.made.evening)
        assert (row.state, row.reason) == (AiringState.SKIPPED, "Quốc tang")
    assert "Quốc tang" in author.get("/lich").text
    assert "Quốc tang" in author.get("/").text


def test_a_clash_is_refused_with_its_ways_out_and_the_form_stays_filled(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/lich")
    form = {"day": "2026-11-25", "start": "09:00", "minutes": "10", "bulletin": str(world.made.approved)}
    answer = author.post("/lich/them", form | {"start": "05:35"})
    assert answer.status_code == 422
    assert "Có thể làm một trong các cách sau" in answer.text
    assert 'value="05:35"' in answer.text
    assert '<option value="2026-11-25" selected>Thứ Tư, 25/11/2026' in answer.text
    made = author.post("/lich/them", form)
    assert made.status_code == 303
    assert "09:00" in author.get("/lich").text


@pytest.mark.parametrize(
    "form", [{"day": ""}, {"start": "25:00"}, {"minutes": "-3"}, {"bulletin": ""}]
)  # fmt: skip
def test_a_half_filled_extra_airing_gets_a_sentence(world: Any, form: dict[str, str]) -> None:
    author = world.browser("canbo")
    author.get("/lich")
    whole = {"day": "2026-11-25", "start": "09:00", "minutes": "10", "bulletin": str(world.made.approved)}
    answer = author.post("/lich/them", whole | form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_slot_is_added_and_dropped_and_a_clashing_one_is_refused(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/lich/khung-gio")
    form = {
        "name": "Buổi trưa",
        "weekdays": ["mon", "wed"],
        "start": "11:00",
        "minutes": "10",
        "from": "2026-11-24",
    }
    assert author.post("/lich/khung-gio", form).status_code == 303
    assert "Buổi trưa" in author.get("/lich/khung-gio").text
    assert author.post("/lich/khung-gio", form | {"weekdays": []}).status_code == 422
    clash = author.post("/lich/khung-gio", form | {"start": "05:40", "name": "Trùng"})
    assert clash.status_code == 422
    assert 'value="Trùng"' in clash.text
    with world.db.reading(station_id=world.made.station) as session:
        slot_id = session.scalars(select(Slot.id).where(Slot.name == "Buổi trưa")).one()
    assert author.post(f"/lich/khung-gio/{slot_id}/bo").status_code == 303
    assert "Buổi trưa" not in author.get("/lich/khung-gio").text


def test_the_board_says_what_is_next_what_was_heard_and_what_is_missing(world: Any) -> None:
    page = world.browser("canbo").get("/").text
    assert "Buổi tiếp theo" in page
    assert "9 giờ 00 phút" in page
    assert "Loa trụ sở xã" in page
    assert "Thôn xác nhận đã phát 2/5" in page
    assert "Sáng mai 05:30 chưa có bản tin" in page


def test_while_something_sounds_the_board_says_so(world: Any) -> None:
    world.clock.now = at("05:32")
    page = world.browser("canbo").get("/").text
    assert "Đang phát" in page
    assert "<b>2:00 / 5:12</b>" in page


def test_a_receiver_that_fell_silent_is_named(world: Any) -> None:
    world.clock.now = NOW + timedelta(hours=1)
    assert (
        "Loa trụ sở xã không trả lời từ 07:59. Kiểm tra điện, mạng." in world.browser("canbo").get("/").text
    )


def ways(page: str) -> dict[str, list[tuple[str, str]]]:
    """What each button of the clash's dialog would send."""
    forms = html.fromstring(page).xpath("//section[@aria-label='Giải quyết trùng giờ']//form")
    return {
        form.xpath(".//button")[0].text_content(): [
            (field.get("name"), field.get("value")) for field in form.xpath(".//input")
        ]
        for form in forms
    }


def press(browser: Any, url: str, fields: list[tuple[str, str]]) -> Any:
    data: dict[str, list[str]] = {}
    for name, value in fields:
        data.setdefault(name, []).append(value)
    return browser.client.post(url, data=data, buffered=True)


def slot_rows(world: Any) -> dict[str, tuple[str, str]]:
    with world.db.reading(station_id=world.made.station) as session:
        rows = session.scalars(select(Slot).where(Slot.active)).all()
        return {row.name: (f"{row.start_local:%H:%M}", str(row.valid_to)) for row in rows}


@pytest.mark.parametrize(
    ("words", "made", "old"),
    [
        ("Phát nối tiếp sau, lúc 05:45", "05:45", "None"),
        ("Đổi giờ: 05:50 còn trống", "05:50", "None"),
        ("Thay “Buổi sáng”: khung đó thôi phát từ 26/11/2026", "05:40", "2026-11-25"),
    ],
)
def test_a_new_slot_that_clashes_is_settled_by_one_press(world: Any, words: str, made: str, old: str) -> None:
    author = world.browser("canbo")
    author.get("/lich/khung-gio")
    form = {
        "name": "Bản tin sớm",
        "weekdays": ["mon", "wed", "fri"],
        "start": "05:40",
        "minutes": "10",
        "from": "26/11/2026",
    }
    clash = author.post("/lich/khung-gio", form)
    assert clash.status_code == 422
    offered = ways(clash.text)
    assert len(offered) == 3
    assert press(author, "/lich/khung-gio", offered[words]).status_code == 303
    assert slot_rows(world)["Bản tin sớm"] == (made, "None")
    assert slot_rows(world)["Buổi sáng"] == ("05:30", old)


@pytest.mark.parametrize("deed", ["doi", "sua"])
@pytest.mark.parametrize("scope", ["this", "following", "all"])
def test_a_series_moved_onto_another_is_settled_by_one_press_and_taken_back_by_another(
    world: Any, deed: str, scope: str
) -> None:
    if (deed, scope) == ("sua", "this"):
        return  # that dialog has no such reach
    author = world.browser("canbo")
    before = slot_rows(world)
    url = f"/lich/buoi/{world.made.tomorrow}/doi"
    page = html.fromstring(author.get(f"{url}?viec={deed}").text)
    (form,) = [one for one in page.forms if one.action == url]
    fields = [(name, value) for name, value in form.form_values() if name not in ("start", "scope")]
    clash = press(author, url, [*fields, ("start", "17:05"), ("scope", scope)])
    assert clash.status_code == 422
    offered = ways(clash.text)
    assert [words.split(" ")[0] for words in offered] == ["Phát", "Đổi", "Thay"]
    instead = next(one for words, one in offered.items() if words.startswith("Thay"))
    assert press(author, url, instead).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        rows = session.scalars(
            select(Airing).where(Airing.local_date == at("12:00").date() + timedelta(days=1))
        )
        told = sorted((f"{row.start_local:%H:%M}", row.name, row.state.value) for row in rows)
    assert ("17:05", "Buổi sáng", "planned") in told
    assert not [one for one in told if one[1] == "Buổi chiều" and one[2] == "planned"]
    (back,) = html.fromstring(author.get("/lich").text).xpath(
        "//form[contains(@action,'/hoan-tac/')]/@action"
    )
    assert author.post(back).status_code == 303
    assert slot_rows(world) == before
    with world.db.reading(station_id=world.made.station) as session:
        rows = session.scalars(
            select(Airing).where(
                Airing.local_date == at("12:00").date() + timedelta(days=1),
                Airing.state == AiringState.PLANNED,
            )
        )
        assert sorted(f"{row.start_local:%H:%M}" for row in rows) == ["05:30", "17:00"]


def test_an_airing_that_gives_way_to_an_extra_one_rests_on_that_day_only(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/lich")
    form = {"day": "2026-11-25", "start": "05:35", "minutes": "10", "bulletin": str(world.made.approved)}
    offered = ways(author.post("/lich/them", form).text)
    assert press(author, "/lich/them", offered["Thay “Buổi sáng” (chỉ hôm đó)"]).status_code == 303
    with world.db.reading() as session:
        assert session.get_one(Airing, world.made.tomorrow).state is AiringState.SKIPPED
    assert slot_rows(world)["Buổi sáng"] == ("05:30", "None")


@pytest.mark.parametrize("key", ["slot-x", "slot-999999", "khong-co"])
def test_what_is_to_give_way_and_does_not_exist_is_a_sentence(world: Any, key: str) -> None:
    author = world.browser("canbo")
    author.get("/lich/khung-gio")
    form = {
        "name": "Sớm",
        "weekdays": ["mon"],
        "start": "05:40",
        "minutes": "10",
        "from": "26/11/2026",
        "replace": key,
    }
    assert author.post("/lich/khung-gio", form).status_code in (404, 422)
    assert "Sớm" not in slot_rows(world)


def test_a_day_without_airings_takes_over_yesterdays_by_one_press(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        evening = session.scalars(
            select(Airing).where(Airing.local_date == date(2026, 11, 28), Airing.start_local == time(17))
        ).one()
        author = session.get_one(User, world.made.users["canbo"])
        place(session, evening.id, world.made.approved, actor=author, now=NOW)
    world.clock.now = NOW.replace(day=29)  # the Sunday, on which nothing airs
    office = world.browser("canbo")
    assert "Sao chép hôm qua" in office.get("/").text
    done = office.post("/lich/sao-chep-hom-qua")
    assert done.status_code == 303, done.text
    page = office.get("/").text
    assert "Hôm nay chưa có buổi phát nào" not in page
    assert "của hôm qua" in page
    again = office.post("/lich/sao-chep-hom-qua")
    assert again.status_code == 422
    assert "đã có buổi phát" in again.text
