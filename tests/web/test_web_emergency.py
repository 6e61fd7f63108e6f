"""Emergencies in the pages: asked for by one, heard and put on the air by another, stopped by anybody."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from broadcaster.config import load
from broadcaster.model import AiringState, PlacedItem, Priority, Programme, RenditionFile, RenditionKind, Take
from broadcaster.newsroom.bulletins import freeze_take
from broadcaster.schedule.emergency.message import KIND, prepare_messages
from broadcaster.schedule.rendering import store_programme
from broadcaster.store.queue import claim, finish
from broadcaster.store.tables import Airing, Emergency, EmergencyPin, Receiver, Revision, Station
from tests.support.web_station import PASSWORD

WISH = {
    "message": "moi", "title": "Nước lũ đang lên", "text": "Kính thưa bà con. Nước sông đang lên nhanh. Bà con lên nơi cao.",
    "reason": "Lũ trên sông Mực", "hours": "2", "repeat": "30", "where": "all",
}  # fmt: skip


def spoken_and_mixed(world: Any) -> None:
    """What worker and clock do with the newest wish."""
    moment = world.clock.now
    with world.db.writing(station_id=world.made.station) as session:
        for revision in session.scalars(
            select(Revision).join(Revision.bulletin).where(Revision.take_id.is_(None))
        ):
            freeze_take(
                session, revision.id, Take(world.made.sound, "silent", 1.0, 20_000, ()), voice_label="giọng nữ",
                now=moment,
            )  # fmt: skip
        prepare_messages(session, session.get_one(Station, world.made.station), now=moment)
    while (job := claim(world.db, owner="thợ", kinds=[KIND], now=moment)) is not None:
        file = RenditionFile(RenditionKind.AIR, job.key, 1000)
        with world.db.writing() as session:
            assert finish(session, job, result={})
            store_programme(
                session,
                job,
                Programme((file,), 21_000, -16.0, -2.5, (PlacedItem("x", 0, 1),), ""),
                now=moment,
            )


def asked(world: Any, **change: str) -> str:
    """The page of a fresh wish of the officer's."""
    officer = world.browser("canbo")
    officer.get("/khan-cap")
    answer = officer.post("/khan-cap", {**WISH, **change})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def heard(page: str) -> str:
    found = re.search(r'name="heard" value="([0-9a-f]{64})"', page)
    assert found is not None, page
    return found.group(1)


def newest(world: Any) -> list[Airing]:
    with world.db.reading(station_id=world.made.station) as session:
        return list(
            session.scalars(
                select(Airing).where(Airing.emergency_id.is_not(None)).order_by(Airing.planned_at)
            )
        )


def test_one_asks_another_hears_and_puts_it_on_the_air_and_anybody_stops_it(world: Any) -> None:
    url = asked(world)
    officer, leader = world.browser("canbo"), world.browser("lanhdao")
    assert "Đang thu tiếng" in leader.get(url).text
    assert "Yêu cầu phát khẩn cấp chờ bạn" in leader.get("/").text
    assert "chờ bạn" not in officer.get("/").text
    spoken_and_mixed(world)
    assert "Phát ngay ra mọi loa" not in officer.get(url).text
    page = leader.get(url).text
    answer = leader.post(url + "/phat", {"heard": heard(page)})
    assert answer.status_code == 303, answer.text
    made = newest(world)
    assert len(made) == 4
    assert made[0].planned_at == world.clock.now
    assert "Đang phát khẩn cấp" in officer.get("/lich").text
    world.clock.now += timedelta(minutes=1)
    technician = world.browser("kythuat")
    technician.get(url)
    assert technician.post(url + "/dung", {"reason": "Nước đã rút"}).status_code == 303
    states = [(one.state, one.stopped_at is not None) for one in newest(world)]
    assert states == [(AiringState.CLOSED, True), *[(AiringState.CANCELLED, False)] * 3]
    assert "Đang phát khẩn cấp" not in officer.get("/").text
    assert "Báo hủy: Nước lũ đang lên" in officer.get("/khan-cap?huy=" + url.rsplit("/", 1)[1]).text


def test_the_officer_who_asked_cannot_put_it_on_the_air(world: Any) -> None:
    url = asked(world)
    spoken_and_mixed(world)
    sound = heard(world.browser("lanhdao").get(url).text)
    officer = world.browser("canbo")
    officer.get(url)
    assert officer.post(url + "/phat", {"heard": sound}).status_code == 422
    assert newest(world) == []


def test_two_taps_put_it_on_the_air_once(world: Any) -> None:
    url = asked(world, repeat="0")
    spoken_and_mixed(world)
    leader = world.browser("lanhdao")
    sound = heard(leader.get(url).text)
    assert leader.post(url + "/phat", {"heard": sound}).status_code == 303
    assert leader.post(url + "/phat", {"heard": sound}).status_code == 409
    assert len(newest(world)) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hours": ""}, "hạn phát"),
        ({"reason": " "}, "lý do"),
        ({"where": "some"}, "Chưa chọn thôn nào"),
        ({"message": ""}, "Hãy chọn một lời khẩn cấp"),
        ({"title": ""}, "tiêu đề"),
        ({"repeat": "x"}, "Khoảng phát lại"),
    ],
)
def test_what_is_missing_is_said_and_nothing_typed_is_lost(
    world: Any, change: dict[str, str], said: str
) -> None:
    officer = world.browser("canbo")
    officer.get("/khan-cap")
    answer = officer.post("/khan-cap", {**WISH, **change})
    assert answer.status_code == 422
    assert said in answer.text
    assert WISH["text"] in answer.text
    with world.db.reading(station_id=world.made.station) as session:
        assert len(session.scalars(select(Emergency)).all()) == 1  # the one that was there


def test_a_word_that_nobody_can_read_is_asked_for_in_the_same_form(world: Any) -> None:
    officer = world.browser("canbo")
    officer.get("/khan-cap")
    odd = {**WISH, "text": "Kính thưa bà con. Đội XQZW đến nhà văn hóa ngay."}
    answer = officer.post("/khan-cap", odd)
    assert answer.status_code == 422
    name = re.search(r'name="(answer:[^"]+)"', answer.text)
    assert name is not None
    assert officer.post("/khan-cap", {**odd, name.group(1): "xung kích"}).status_code == 303


def test_everything_is_stopped_in_two_steps_by_one_person_with_a_reason(world: Any) -> None:
    world.clock.now += timedelta(hours=9, minutes=1)  # 17:01, the evening sounds
    officer = world.browser("canbo")
    assert "Buổi chiều" in officer.get("/khan-cap/dung-tat-ca").text
    assert officer.post("/khan-cap/dung-tat-ca", {"reason": ""}).status_code == 422
    assert officer.post("/khan-cap/dung-tat-ca", {"reason": "Có tang lễ"}).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        row = session.get_one(Airing, world.made.evening)
        assert (row.stopped_at, row.stop_reason) == (world.clock.now, "Có tang lễ")
    assert "Có tang lễ" in officer.get(f"/lich/buoi/{world.made.evening}").text


def test_after_a_stop_order_the_pages_say_which_players_may_still_play_it(world: Any) -> None:
    world.clock.now += timedelta(hours=9, minutes=1)
    officer = world.browser("canbo")
    page = f"/lich/buoi/{world.made.evening}"
    assert "Lệnh dừng đã tới đâu" not in officer.get(page).text
    officer.post("/khan-cap/dung-tat-ca", {"reason": "Có tang lễ"})
    text = officer.get(page).text
    assert "0 trên 1 máy thu" in text
    assert "Loa trụ sở xã" in text[text.index("Có thể còn phát") :]
    with world.db.writing(station_id=world.made.station) as session:
        station = session.get_one(Station, world.made.station)
        receiver = session.get_one(Receiver, world.made.receiver)
        receiver.heartbeat = {"epoch": station.epoch, "version": station.plan_version}
    text = officer.get(page).text
    assert "1 trên 1 máy thu" in text
    assert "Có thể còn phát" not in text


def one_person(world: Any) -> None:
    """The station lets one person decide, and one message has been approved in advance."""
    world.app.extensions["broadcaster"].settings.values["newsroom.emergency_persons"] = 1
    url = asked(world, repeat="0")
    spoken_and_mixed(world)
    with world.db.writing(station_id=world.made.station) as session:
        row = session.get_one(Emergency, int(url.rsplit("/", 1)[1]))
        revision = row.revision
        assert revision.priority is Priority.EMERGENCY
        from broadcaster.store.tables import User
        from tests.support.web_station import approve

        approve(
            session, revision.id, actor=session.get_one(User, world.made.users["lanhdao"]),
            text_sha256=revision.text_sha256, reading_sha256=revision.reading_sha256, take_sha256=world.made.sound,
            now=world.clock.now,
        )  # fmt: skip


def test_one_person_plays_a_recorded_message_with_a_pin_and_is_reviewed(world: Any) -> None:
    one_person(world)
    officer = world.browser("canbo")
    page = officer.get("/khan-cap").text
    message = re.search(r'name="message" value="(\d+)"', page)
    assert message is not None, "the approved message is offered"
    assert officer.post("/khan-cap/ma-pin", {"pin": "729416", "password": "sai"}).status_code == 422
    assert officer.post("/khan-cap/ma-pin", {"pin": "729416", "password": PASSWORD}).status_code == 303
    url = officer.post("/khan-cap", {**WISH, "message": message.group(1), "repeat": "0"}).location
    sound = heard(officer.get(url).text)
    wrong = officer.post(url + "/phat", {"heard": sound, "pin": "000000"})
    assert wrong.status_code == 422
    assert "Mã PIN không đúng" in wrong.text
    with world.db.reading() as session:
        assert session.get_one(EmergencyPin, world.made.users["canbo"]).wrong == 1
    assert officer.post(url + "/phat", {"heard": sound, "pin": "729416"}).status_code == 303
    assert len(newest(world)) == 1
    leader = world.browser("lanhdao")
    assert "Một người đã tự phát khẩn cấp" in leader.get("/").text
    assert leader.post(url + "/xem-xet", {"note": "Đúng quy định"}).status_code == 303
    assert "tự phát khẩn cấp" not in leader.get("/").text


def test_settings_name_two_persons_unless_told_otherwise() -> None:
    assert load(environ={}).integer("newsroom.emergency_persons") == 2
