from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError, NotFound, Refused
from broadcaster.model import BulletinState, Priority, Role
from broadcaster.newsroom import bulletins as room
from broadcaster.newsroom.delegation import delegate
from broadcaster.newsroom.hashes import reading_sha256, text_sha256
from broadcaster.store.db import Database
from broadcaster.store.tables import Audit, Decision, RenderJob
from tests.newsroom.conftest import NOW, TEXT, House, a_bulletin, approve, edit, submitted


def test_a_bulletin_goes_from_draft_to_approved_and_the_decision_names_the_three_hashes(
    session: Session, house: House
) -> None:
    bulletin = a_bulletin(session, house)
    assert bulletin.state is BulletinState.DRAFT
    reading = room.reading_of(session, bulletin)
    revision = submitted(session, house, bulletin)
    assert bulletin.state is BulletinState.SUBMITTED
    assert room.waiting(session) == [revision]
    decision = approve(session, revision, house.approver)
    assert bulletin.state is BulletinState.APPROVED
    assert (decision.text_sha256, decision.reading_sha256, decision.take_sha256) == (
        text_sha256(TEXT), reading_sha256(reading), "a" * 64,
    )  # fmt: skip
    assert (decision.approver_id, decision.author_id, decision.at) == (
        house.approver.id,
        house.author.id,
        NOW,
    )
    assert room.approved_revision(session, bulletin.id) is revision
    assert room.waiting(session) == []
    actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
    assert actions == ["tạo bản tin", "gửi duyệt", "duyệt"]


def test_submitting_asks_the_worker_once_and_sooner_for_what_is_urgent(
    session: Session, house: House
) -> None:
    calm = submitted(session, house, a_bulletin(session, house), take=None)
    urgent = submitted(session, house, a_bulletin(session, house, priority=Priority.PRIORITY), take=None)
    jobs = {job.key: job for job in session.scalars(select(RenderJob))}
    assert set(jobs) == {str(calm.id), str(urgent.id)}
    assert jobs[str(calm.id)].kind == "take"
    assert jobs[str(calm.id)].payload == {"revision_id": calm.id, "title": "Lịch tiêm phòng"}
    assert jobs[str(urgent.id)].due_at == NOW < jobs[str(calm.id)].due_at
    assert room.waiting(session) == [urgent, calm]


def test_the_frozen_reading_is_the_one_that_was_submitted(session: Session, house: House) -> None:
    bulletin = a_bulletin(
        session, house, "Họp lúc 7h30 ngày 5/3/2026 tại nhà văn hóa.\n- Mang theo giấy mời."
    )
    reading = room.reading_of(session, bulletin)
    again = room.frozen_reading(submitted(session, house, bulletin))
    assert again.sentences == reading.sentences
    assert again.left_out == reading.left_out
    assert reading_sha256(again) == reading_sha256(reading)


# ------------------------------------------------------------------------------------- who may approve


def test_the_author_cannot_approve(session: Session, house: House) -> None:
    house.author.role = Role.ADMINISTRATOR  # even with every right
    revision = submitted(session, house, a_bulletin(session, house))
    with pytest.raises(Refused, match="không được tự duyệt"):
        approve(session, revision, house.author)


def test_whoever_changed_a_word_cannot_approve_it(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house)
    edit(session, bulletin, house.admin, text=TEXT + " Xin cảm ơn.")
    revision = submitted(session, house, bulletin)
    with pytest.raises(Refused, match="không được tự duyệt"):
        approve(session, revision, house.admin)
    approve(session, revision, house.approver)


def test_whoever_said_how_it_is_read_cannot_approve_it(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house, "Liên hệ XYZQ để biết thêm thông tin.")
    room.set_answer(
        session, bulletin.id, key="XYZQ", written="XYZQ", spoken="ích y dét quy", scope="place",
        actor=house.admin, now=NOW,
    )  # fmt: skip
    revision = submitted(session, house, bulletin)
    with pytest.raises(Refused, match="không được tự duyệt"):
        approve(session, revision, house.admin)


@pytest.mark.parametrize("who", ["colleague", "technician"])
def test_without_the_role_nobody_approves_or_returns(session: Session, house: House, who: str) -> None:
    revision = submitted(session, house, a_bulletin(session, house))
    with pytest.raises(Refused, match="không được duyệt"):
        approve(session, revision, getattr(house, who))
    with pytest.raises(Refused, match="không được trả lại"):
        room.return_bulletin(session, revision.id, actor=getattr(house, who), reason="sai", now=NOW)


def test_a_closed_account_approves_nothing(session: Session, house: House) -> None:
    revision = submitted(session, house, a_bulletin(session, house))
    house.approver.active = False
    with pytest.raises(Refused):
        approve(session, revision, house.approver)


def test_a_delegate_approves_on_his_days_but_never_his_own_words(session: Session, house: House) -> None:
    today = (NOW + timedelta(hours=7)).date()
    delegate(
        session, from_user=house.approver, to_user=house.colleague, first_day=today, last_day=today, now=NOW
    )
    delegate(
        session, from_user=house.approver, to_user=house.author, first_day=today, last_day=today, now=NOW
    )
    revision = submitted(session, house, a_bulletin(session, house))
    with pytest.raises(Refused, match="không được tự duyệt"):
        approve(session, revision, house.author)
    approve(session, revision, house.colleague)


def test_without_a_take_there_is_nothing_to_approve(session: Session, house: House) -> None:
    revision = submitted(session, house, a_bulletin(session, house), take=None)
    with pytest.raises(Refused, match="chưa có bản thu"):
        approve(session, revision, house.approver)


@pytest.mark.parametrize("name", ["text_sha256", "reading_sha256", "take_sha256"])
def test_approving_something_else_than_was_seen_is_a_conflict(
    session: Session, house: House, name: str
) -> None:
    revision = submitted(session, house, a_bulletin(session, house))
    with pytest.raises(Conflict, match="không còn như bạn đã xem"):
        approve(session, revision, house.approver, **{name: "f" * 64})
    assert session.scalars(select(Decision)).all() == []


def test_an_approver_who_looks_at_an_old_version_is_told_of_the_new_one(
    session: Session, house: House
) -> None:
    bulletin = a_bulletin(session, house)
    old = submitted(session, house, bulletin)
    edit(session, bulletin, house.author, text=TEXT + " Xin cảm ơn.")
    with pytest.raises(Conflict, match="đang được sửa lại"):
        approve(session, old, house.approver)
    new = submitted(session, house, bulletin, "b")
    assert new.number == 2
    with pytest.raises(Conflict, match="đã có phiên bản 2, bạn đang xem phiên bản 1"):
        approve(session, old, house.approver)
    approve(session, new, house.approver)
    with pytest.raises(Conflict, match="đã được duyệt"):
        approve(session, new, house.admin)


# --------------------------------------------------------------------------- what airs while it is edited


def test_editing_an_approved_bulletin_keeps_the_approved_revision_on_the_air(
    session: Session, house: House
) -> None:
    bulletin = a_bulletin(session, house)
    first = submitted(session, house, bulletin)
    approve(session, first, house.approver)
    edit(session, bulletin, house.author, text=TEXT + " Xin cảm ơn.")
    assert bulletin.state is BulletinState.DRAFT
    assert room.approved_revision(session, bulletin.id) is first
    second = submitted(session, house, bulletin, "b")
    assert room.approved_revision(session, bulletin.id) is first
    room.return_bulletin(session, second.id, actor=house.approver, reason="Thiếu địa điểm", now=NOW)
    assert (bulletin.state, bulletin.state_reason) == (BulletinState.RETURNED, "Thiếu địa điểm")
    assert room.approved_revision(session, bulletin.id) is first
    third = submitted(session, house, bulletin, "c")
    approve(session, third, house.approver)
    assert room.approved_revision(session, bulletin.id) is third


def test_only_the_topic_may_change_without_a_new_approval(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house)
    approve(session, submitted(session, house, bulletin), house.approver)
    edit(session, bulletin, house.author)
    assert bulletin.state is BulletinState.APPROVED
    for change in ({"title": "Tên khác"}, {"priority": Priority.EMERGENCY}, {"read_twice": True}):
        edit(session, bulletin, house.author, **change)
        assert bulletin.state is BulletinState.DRAFT
        approve(session, submitted(session, house, bulletin), house.approver)


def test_a_revision_keeps_level_and_repetition_as_they_were_approved(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house, read_twice=True, priority=Priority.PRIORITY)
    approve(session, submitted(session, house, bulletin), house.approver)
    edit(session, bulletin, house.author, read_twice=False, priority=Priority.ROUTINE)
    airing = room.approved_revision(session, bulletin.id)
    assert airing is not None
    assert (airing.read_twice, airing.priority) == (True, Priority.PRIORITY)


def test_withdrawing_silences_every_revision_until_something_is_approved_again(
    session: Session, house: House
) -> None:
    bulletin = a_bulletin(session, house)
    approve(session, submitted(session, house, bulletin), house.approver)
    edit(session, bulletin, house.author, text=TEXT + " Xin cảm ơn.")
    approve(session, submitted(session, house, bulletin, "b"), house.approver)
    decision = room.withdraw(session, bulletin.id, actor=house.approver, reason="Hoãn lịch tiêm", now=NOW)
    assert (decision.verdict, decision.take_sha256) == ("withdrawn", "b" * 64)
    assert bulletin.state is BulletinState.WITHDRAWN
    assert room.approved_revision(session, bulletin.id) is None
    edit(session, bulletin, house.author, text=TEXT + " Lịch mới.")
    assert room.approved_revision(session, bulletin.id) is None  # not the older one either
    third = submitted(session, house, bulletin, "c")
    approve(session, third, house.approver)
    assert room.approved_revision(session, bulletin.id) is third


def test_there_is_nothing_to_withdraw_before_an_approval(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house)
    with pytest.raises(Refused, match="chưa được duyệt"):
        room.withdraw(session, bulletin.id, actor=house.approver, reason="thôi", now=NOW)


def test_a_return_and_a_withdrawal_need_a_reason(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house)
    revision = submitted(session, house, bulletin)
    with pytest.raises(InputError, match="lý do trả lại"):
        room.return_bulletin(session, revision.id, actor=house.approver, reason="  ", now=NOW)
    approve(session, revision, house.approver)
    with pytest.raises(InputError, match="lý do thu hồi"):
        room.withdraw(session, bulletin.id, actor=house.approver, reason="", now=NOW)


# --------------------------------------------------------------------------------- finding, other stations


def test_search_finds_with_and_without_marks(session: Session, house: House) -> None:
    vaccination = a_bulletin(session, house)
    power = a_bulletin(session, house, "Điện lực tạm ngừng cấp điện.", title="Cắt điện")
    assert room.bulletins(session, search="tiem phong") == [vaccination]
    assert room.bulletins(session, search="Tiêm Phòng") == [vaccination]
    assert room.bulletins(session, search="cat dien") == [power]
    assert room.bulletins(session, search="không có") == []
    assert set(room.bulletins(session)) == {vaccination, power}
    assert room.bulletins(session, state=BulletinState.APPROVED) == []


def test_bulletins_of_another_station_do_not_exist_here(db: Database, house: House) -> None:
    with db.writing(station_id=house.station.id) as session:
        bulletin = a_bulletin(session, house)
        revision = submitted(session, house, bulletin)
    with db.writing(station_id=house.other.id) as session:
        assert room.bulletins(session) == []
        assert room.waiting(session) == []
        for call in (
            lambda: room.revision_by_id(session, revision.id),
            lambda: room.approve(
                session,
                revision.id,
                actor=house.stranger,
                text_sha256="",
                reading_sha256="",
                take_sha256="",
                now=NOW,
            ),  # fmt: skip
            lambda: room.withdraw(session, bulletin.id, actor=house.stranger, reason="x", now=NOW),
            lambda: edit(session, bulletin, house.stranger),
        ):
            with pytest.raises(NotFound):
                call()
        assert room.approved_revision(session, bulletin.id) is None
