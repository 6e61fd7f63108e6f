"""Accounts of other units: drafts go in, what became of them comes back, and nothing else of the station opens."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from broadcaster.newsroom.contributions import send_in, unit_of
from broadcaster.store.tables import Contribution, Contributor, User
from tests.support.web_station import NOW


def test_a_contributor_s_account_sends_drafts_and_sees_its_own_and_what_became_of_them(world: Any) -> None:
    unit, officer = world.browser("tramyte"), world.browser("canbo")
    landed = unit.get("/")
    assert (landed.status_code, landed.location) == (303, "/gui-bai")
    page = unit.get("/gui-bai").text
    assert "Bài gửi đứng tên Trạm Y tế Bến Sung" in page
    assert "Lịch phát" not in page, "the menu names only what opens"
    refused = unit.post("/gui-bai", {"title": "Lịch tiêm chủng", "text": ""})
    assert refused.status_code == 422
    assert 'value="Lịch tiêm chủng"' in refused.text
    sent = {"title": "Lịch tiêm chủng", "text": "Sáng thứ Sáu trạm y tế tiêm chủng cho trẻ em."}
    assert unit.post("/gui-bai", sent).status_code == 303
    assert unit.post("/gui-bai", sent | {"title": "Bài thứ hai"}).status_code == 303
    with world.db.writing(station_id=world.made.station) as session:
        by_link = send_in(
            session, session.get_one(Contributor, world.made.unit), title="Bài qua đường dẫn", text="Nội dung.",
            max_chars=1000, now=NOW,
        )  # fmt: skip
        assert by_link.user_id is None
        rows = {row.title: row.id for row in session.scalars(select(Contribution))}
        row = session.get_one(Contribution, rows["Lịch tiêm chủng"])
        assert (row.user_id, row.sender) == (world.made.users["tramyte"], "Vũ Thị Lan")
    own = unit.get("/gui-bai").text
    assert own.count("Chờ xã nhận") == 2
    assert "Bài qua đường dẫn" not in own
    officer.get("/don-vi")
    accepted = officer.post(f"/don-vi/bai/{rows['Lịch tiêm chủng']}/nhan", {"topic": ""})
    assert accepted.status_code == 303
    officer.post(f"/don-vi/bai/{rows['Bài thứ hai']}/khong-nhan", {"reason": "Trùng bài trước"})
    own = unit.get("/gui-bai").text
    assert "đang soạn" in own
    assert "Xã không nhận: Trùng bài trước" in own
    assert unit.get(accepted.location).status_code == 403, "the newsroom stays shut"
    with world.db.writing(station_id=world.made.station) as session:
        # as if it were the bulletin that was on the air this morning
        session.get_one(Contribution, rows["Lịch tiêm chủng"]).bulletin_id = world.made.approved
    assert "đã phát 05:30 ngày 24/11/2026" in unit.get("/gui-bai").text
    with world.db.writing(station_id=world.made.station) as session:
        session.get_one(Contributor, world.made.unit).active = False
    stopped = unit.post("/gui-bai", sent)
    assert stopped.status_code == 422
    assert "ngừng nhận bài" in stopped.text


def test_an_administrator_gives_a_contributor_a_unit_and_without_one_refuses(world: Any) -> None:
    boss = world.browser("quantri")
    boss.get("/tai-khoan/moi")
    typed = {"display_name": "Cô Hạnh", "username": "truonghoc", "role": "contributor"}
    refused = boss.post("/tai-khoan", typed)
    assert refused.status_code == 422
    assert "Hãy chọn đơn vị của cộng tác viên" in refused.text
    assert boss.post("/tai-khoan", typed | {"unit": "999999"}).status_code == 404
    made = boss.post("/tai-khoan", typed | {"unit": str(world.made.unit)})
    assert made.status_code == 200
    with world.db.reading(station_id=world.made.station) as session:
        user = session.scalars(select(User).where(User.username == "truonghoc")).one()
        unit = unit_of(session, user.id)
        assert unit is not None
        assert unit.id == world.made.unit
    assert "Cô Hạnh" in world.browser("canbo").get("/don-vi").text
    promoted = typed | {"role": "author", "unit": str(world.made.unit)}
    assert boss.post(f"/tai-khoan/{user.id}", promoted).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        assert unit_of(session, user.id) is None, "an author sends for no unit"
