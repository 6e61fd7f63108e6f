"""The frame of a programme is proposed by one person and approved by another, like a bulletin."""

from typing import Any

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


def test_an_unknown_variable_is_refused_and_what_was_typed_stays(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/khung-chuong-trinh")
    answer = author.post(
        "/khung-chuong-trinh", {"call_sign": "{call_sign}", "greeting": "Chào {ten_xa} thân mến"}
    )
    assert answer.status_code == 422
    assert "ten_xa" in answer.text
    assert "thân mến" in answer.text
