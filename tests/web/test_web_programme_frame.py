"""The frame of a programme is proposed by one person and approved by another, like a bulletin."""

from typing import Any

import pytest
from sqlalchemy import select

from broadcaster.newsroom.templates import approved_template
from broadcaster.store.tables import TemplateRevision


def test_a_station_without_a_frame_gets_one_by_two_people_through_forms(world: Any) -> None:
    author, approver = world.browser("canbo"), world.browser("lanhdao")
    assert "Chưa có khung nào được duyệt" in author.get("/khung-chuong-trinh").text
    sent = author.post(
        "/khung-chuong-trinh",
        {"call_sign": "{call_sign}.", "greeting": "Kính chào bà con, hôm nay là {weekday}.", "cuts": "on"},
    )
    assert sent.status_code == 303
    with world.db.reading() as session:
        row = session.scalars(
            select(TemplateRevision).where(TemplateRevision.station_id == world.made.station)
        ).one()
        assert approved_template(session, world.made.station, "thuong") is None
    assert row.body["cuts"] is True
    assert row.body["chime"] is False
    own = author.post(f"/khung-chuong-trinh/{row.id}/duyet", {"sha256": row.sha256})
    assert own.status_code == 403
    assert "Kính chào bà con" in approver.get("/khung-chuong-trinh").text
    assert approver.post(f"/khung-chuong-trinh/{row.id}/duyet", {"sha256": "0" * 64}).status_code == 409
    assert approver.post(f"/khung-chuong-trinh/{row.id}/duyet", {"sha256": row.sha256}).status_code == 303
    with world.db.reading() as session:
        found = approved_template(session, world.made.station, "thuong")
    assert found is not None
    assert found.id == row.id


def test_order_rests_levels_and_jingles_are_part_of_what_is_approved(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/khung-chuong-trinh")
    form = {
        "call_sign": "{call_sign}.", "order-opening": "2", "order-greeting": "1", "order-items": "3",
        "order-chime": "", "around_ms": "0,6", "cut_db": "−6", "jingle-opening": world.made.sound,
    }  # fmt: skip
    assert author.post("/khung-chuong-trinh", form).status_code == 303
    with world.db.reading() as session:
        row = session.scalars(
            select(TemplateRevision).where(TemplateRevision.station_id == world.made.station)
        ).one()
    assert row.body["order"] == "greeting opening items"
    assert (row.body["around_ms"], row.body["cut_db"]) == (600, -6.0)
    assert row.body["jingles"] == {"opening": world.made.sound}
    assert row.body["lead_in_ms"] == 1_000  # what the form did not carry
    page = author.get("/khung-chuong-trinh").text
    assert "Lời chào, Nhạc mở đầu và lời xướng, Các bản tin" in page
    assert "Nhạc mở đầu xã" in page
    assert 'name="around_ms" value="0,6"' in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"around_ms": "nửa giây"}, "phải là số giây"),
        ({"around_ms": "90"}, "từ 0 đến 60000"),
        ({"bed_db": "40"}, "từ -60 đến 6 dB"),
        ({"order-items": "", "order-greeting": "1"}, "phải có phần các bản tin"),
        ({"order-items": "1", "order-greeting": "1"}, "cùng một số thứ tự"),
        ({"order-items": "đầu"}, "phải là một số"),
        ({"jingle-opening": "x"}, "chọn lại từ danh sách"),
    ],
)
def test_a_frame_that_cannot_be_is_refused_and_stays_typed(world: Any, changed: Any, said: str) -> None:
    author = world.browser("canbo")
    author.get("/khung-chuong-trinh")
    answer = author.post("/khung-chuong-trinh", {"call_sign": "Đây là {call_sign}.", **changed})
    assert answer.status_code == 422
    assert said in answer.text
    assert "Đây là {call_sign}." in answer.text


def test_an_unknown_variable_is_refused_and_what_was_typed_stays(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/khung-chuong-trinh")
    answer = author.post(
        "/khung-chuong-trinh", {"call_sign": "{call_sign}", "greeting": "Chào {ten_xa} thân mến"}
    )
    assert answer.status_code == 422
    assert "ten_xa" in answer.text
    assert "thân mến" in answer.text
