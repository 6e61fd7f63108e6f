"""Approval is bound to exactly what was shown, and nobody approves what his own hand wrote."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from broadcaster.model import BulletinState, Take
from broadcaster.newsroom.bulletins import create_bulletin, freeze_take, return_bulletin, save_draft, submit
from broadcaster.newsroom.delegation import delegate
from broadcaster.store.tables import Audit, Bulletin, Revision, User
from tests.support.web_station import NOW, SHORT, TODAY, sent_with_take

HASHES = ("text_sha256", "reading_sha256", "take_sha256")


def shown(page: str) -> dict[str, str]:
    """The three hashes of the page."""
    return {name: page.split(f'name="{name}" value="', 1)[1].split('"', 1)[0] for name in HASHES}


def state(world: Any, bulletin_id: int) -> BulletinState:
    with world.db.reading() as session:
        return session.get_one(Bulletin, bulletin_id).state


def test_the_page_has_the_sound_the_text_the_differences_and_where_it_will_play(world: Any) -> None:
    page = world.browser("lanhdao").get(f"/duyet/{world.made.waiting_revision}").text
    assert "/ban-thu/" in page
    assert "đề nghị bà con không đốt nương" in page
    assert "17:00 hôm nay" in page
    assert page.count('class="main"') == 1


def test_the_author_may_not_approve_even_as_administrator(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        admin = session.get_one(User, world.made.users["quantri"])
        row = session.get_one(Bulletin, world.made.draft)
        save_draft(
            session, row.id, version=row.version, actor=admin, title=row.title, text=SHORT, topic_id=None,
            priority=row.priority, read_twice=False, now=NOW,
        )  # fmt: skip
        revision = sent_with_take(session, world.made, row, admin, NOW)
        revision_id = revision.id
        hashes = dict(
            zip(HASHES, (revision.text_sha256, revision.reading_sha256, world.made.sound), strict=True)
        )
    admin_browser = world.browser("quantri")
    page = admin_browser.get(f"/duyet/{revision_id}").text
    assert "người khác phải duyệt" in page
    assert f"/duyet/{revision_id}/duyet" not in page
    refused = admin_browser.post(f"/duyet/{revision_id}/duyet", hashes)
    assert refused.status_code == 422
    assert state(world, world.made.draft) is BulletinState.SUBMITTED


@pytest.mark.parametrize("name", HASHES)
def test_a_hash_that_moved_is_a_conflict_and_nothing_is_approved(world: Any, name: str) -> None:
    approver = world.browser("lanhdao")
    hashes = shown(approver.get(f"/duyet/{world.made.waiting_revision}").text)
    answer = approver.post(f"/duyet/{world.made.waiting_revision}/duyet", hashes | {name: "0" * 64})
    assert answer.status_code == 409
    assert state(world, world.made.waiting) is BulletinState.SUBMITTED


def test_a_newer_revision_is_shown_in_place_of_the_one_that_was_opened(world: Any) -> None:
    approver = world.browser("lanhdao")
    hashes = shown(approver.get(f"/duyet/{world.made.waiting_revision}").text)
    with world.db.writing(station_id=world.made.station) as session:
        author = session.get_one(User, world.made.users["canbo"])
        row = session.get_one(Bulletin, world.made.waiting)
        save_draft(
            session, row.id, version=row.version, actor=author, title=row.title, text=SHORT + " Gọi số 114 khi thấy khói.",
            topic_id=None, priority=row.priority, read_twice=False, now=NOW,
        )  # fmt: skip
        submit(session, row.id, version=row.version, actor=author, now=NOW)
    answer = approver.post(f"/duyet/{world.made.waiting_revision}/duyet", hashes)
    assert answer.status_code == 409
    assert "phiên bản 2" in answer.text
    assert "<ins>Gọi số 114 khi thấy khói.</ins>" in answer.text
    assert state(world, world.made.waiting) is BulletinState.SUBMITTED


def test_returning_needs_a_reason_and_the_author_reads_it(world: Any) -> None:
    approver = world.browser("lanhdao")
    url = f"/duyet/{world.made.waiting_revision}"
    approver.get(url)
    assert approver.post(url + "/tra-lai", {"reason": "  "}).status_code == 422
    sent = approver.post(url + "/tra-lai", {"common": ["Dài quá", "<b>lạ</b>"], "reason": "Bỏ câu cuối"})
    assert sent.status_code == 303
    page = world.browser("canbo").get(f"/ban-tin/{world.made.waiting}").text
    assert "Dài quá. Bỏ câu cuối" in page
    assert "lạ&lt;" not in page


def test_a_delegate_of_today_may_approve_and_tomorrow_may_not(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        delegate(
            session, from_user=session.get_one(User, world.made.users["lanhdao"]),
            to_user=session.get_one(User, world.made.users["kythuat"]), first_day=TODAY, last_day=TODAY, now=NOW,
        )  # fmt: skip
    helper = world.browser("kythuat")
    hashes = shown(helper.get(f"/duyet/{world.made.waiting_revision}").text)
    world.clock.now = NOW.replace(day=25)
    helper = world.browser("kythuat")
    assert helper.get("/duyet").status_code == 403
    world.clock.now = NOW
    helper = world.browser("kythuat")
    assert helper.post(f"/duyet/{world.made.waiting_revision}/duyet", hashes).status_code == 303
    assert state(world, world.made.waiting) is BulletinState.APPROVED


def test_a_decided_revision_offers_no_second_decision(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        return_bulletin(
            session, world.made.waiting_revision, actor=session.get_one(User, world.made.users["lanhdao"]),
            reason="Sai tên", now=NOW,
        )  # fmt: skip
    page = world.browser("quantri").get(f"/duyet/{world.made.waiting_revision}").text
    assert "đã trả lại" in page
    assert "/tra-lai" not in page


def test_a_second_tap_is_answered_and_writes_nothing(world: Any) -> None:
    approver = world.browser("lanhdao")
    url = f"/duyet/{world.made.waiting_revision}"
    hashes = shown(approver.get(url).text)
    first = approver.post(url + "/duyet", hashes | {"heard": "1"})
    second = approver.post(url + "/duyet", hashes | {"heard": "1"})
    assert (first.status_code, second.status_code) == (303, 303)
    assert "Bạn đã duyệt bản này rồi" in approver.get(second.location).text
    with world.db.reading() as session:
        (decision,) = session.get_one(Revision, world.made.waiting_revision).decisions
        line = session.scalars(select(Audit).where(Audit.action == "duyệt").order_by(Audit.id.desc())).first()
    assert decision.verdict == "approved"
    assert line is not None
    assert line.detail["heard"] is True
    # Somebody else's late tap is a conflict, and they are told who decided.
    other = world.browser("quantri")
    other.get(url)
    late = other.post(url + "/duyet", hashes)
    assert late.status_code == 409
    assert "Nguyễn Văn Minh đã duyệt" in late.text


def test_a_second_tap_on_returning_is_answered_too(world: Any) -> None:
    approver = world.browser("lanhdao")
    url = f"/duyet/{world.made.waiting_revision}"
    approver.get(url)
    assert approver.post(url + "/tra-lai", {"reason": "Sai tên"}).status_code == 303
    assert approver.post(url + "/tra-lai", {"reason": "Sai tên"}).status_code == 303
    assert approver.post(url + "/duyet", {"text_sha256": "0" * 64}).status_code == 409


def test_the_page_says_where_it_airs_and_what_differs_from_what_was_approved(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        author = session.get_one(User, world.made.users["canbo"])
        row = session.get_one(Bulletin, world.made.approved)
        save_draft(
            session, row.id, version=row.version, actor=author, title="Lớp học số", topic_id=None,
            text=row.draft_text.replace("8 giờ", "9 giờ"), priority=row.priority, read_twice=True, now=NOW,
        )  # fmt: skip
        revision = sent_with_take(session, world.made, row, author, NOW).id
    page = world.browser("lanhdao").get(f"/duyet/{revision}").text
    assert "Khác phiên bản 1 (bản đã duyệt): 3 chỗ" in page
    assert "<del>8</del> <ins>9</ins>" in page
    assert "Tên bản tin: <del>Bình dân học vụ số</del> <ins>Lớp học số</ins>" in page
    assert "Đọc hai lần: <del>không</del> <ins>có</ins>" in page
    assert "17:00 hôm nay</b> · Buổi chiều, 5 thôn" in page
    assert "Duyệt trước 16:30 thì kịp phát" in page


@pytest.mark.parametrize(
    ("voice", "label", "said"),
    [
        ("espeak:vi+f5", "giọng máy dự phòng", "<b>Giọng máy dự phòng.</b>"),
        ("kokoro:nu-1", "giọng máy nữ (thử nghiệm)", "còn <b>thử nghiệm</b>"),
        ("recorded", "người đọc", ""),
    ],
)
def test_the_approver_is_told_which_voice_spoke(world: Any, voice: str, label: str, said: str) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        author = session.get_one(User, world.made.users["canbo"])
        row = create_bulletin(
            session, station_id=world.made.station, author=author, title="Tin mới", text=SHORT, now=NOW
        )
        revision = submit(session, row.id, version=row.version, actor=author, now=NOW)
        freeze_take(
            session, revision.id, Take(world.made.sound, voice, 1.0, 9000, ()), voice_label=label, now=NOW
        )
        revision_id = revision.id
    page = world.browser("lanhdao").get(f"/duyet/{revision_id}").text
    assert label in page
    if said:
        assert said in page
    else:
        assert "dự phòng" not in page
        assert "thử nghiệm" not in page


def test_what_the_author_took_back_cannot_be_decided(world: Any) -> None:
    approver = world.browser("lanhdao")
    url = f"/duyet/{world.made.waiting_revision}"
    hashes = shown(approver.get(url).text)
    author = world.browser("canbo")
    author.get(f"/ban-tin/{world.made.waiting}")
    assert author.post(f"/ban-tin/{world.made.waiting}/rut-lai").status_code == 303
    answer = approver.post(url + "/duyet", hashes)
    assert answer.status_code == 409
    assert "Người soạn đã rút lại bản này" in answer.text
    assert state(world, world.made.waiting) is BulletinState.DRAFT


def test_an_empty_queue_says_when_something_was_last_approved(world: Any) -> None:
    approver = world.browser("lanhdao")
    url = f"/duyet/{world.made.waiting_revision}"
    approver.post(url + "/duyet", shown(approver.get(url).text))
    page = approver.get("/duyet").text
    assert "Lần duyệt cuối 08:00 ngày 24/11/2026: “Phòng cháy rừng mùa hanh khô”" in page
    assert "Tin của xã khác" not in page
