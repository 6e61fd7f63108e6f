"""Notices: the approver learns that something waits, the author what became of it, each once and nobody else."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy.orm import Session

from broadcaster.model import NoticeKind
from broadcaster.newsroom import bulletins as room
from broadcaster.newsroom import notices
from broadcaster.newsroom.delegation import delegate
from broadcaster.store.tables import User
from tests.newsroom.conftest import NOW, House, a_bulletin, approve, edit, submitted


def told(session: Session, person: User) -> list[tuple[NoticeKind, bool]]:
    return [(each.kind, each.read_at is None) for each in notices.inbox(session, person.id)]


def test_submitting_tells_the_approver_and_neither_the_author_nor_the_administrator(
    session: Session, house: House
) -> None:
    revision = submitted(session, house, a_bulletin(session, house))
    assert told(session, house.approver) == [(NoticeKind.WAITING, True)]
    assert told(session, house.author) == told(session, house.admin) == []
    notice = notices.inbox(session, house.approver.id)[0]
    assert "Soan gửi duyệt “Lịch tiêm phòng”" in notice.text
    assert notices.path_of(notice) == f"/duyet/{revision.id}"


def test_without_an_approver_the_administrator_is_asked(session: Session, house: House) -> None:
    house.approver = session.get_one(User, house.approver.id)
    house.approver.active = False
    submitted(session, house, a_bulletin(session, house))
    assert told(session, house.admin) == [(NoticeKind.WAITING, True)]


def test_a_delegate_is_told_of_the_delegation_and_of_what_waits_on_his_days(
    session: Session, house: House
) -> None:
    day = date(2026, 3, 2)
    delegate(
        session, from_user=house.approver, to_user=house.technician, first_day=day, last_day=day, now=NOW
    )
    submitted(session, house, a_bulletin(session, house))
    assert told(session, house.technician) == [(NoticeKind.WAITING, True), (NoticeKind.DELEGATED, True)]


def test_a_decision_tells_the_author_and_takes_the_question_from_everybody(
    session: Session, house: House
) -> None:
    revision = submitted(session, house, a_bulletin(session, house))
    approve(session, revision, house.approver)
    assert told(session, house.author) == [(NoticeKind.APPROVED, True)]
    assert told(session, house.approver) == [(NoticeKind.WAITING, False)]
    assert notices.unread(session, house.author.id) == 1


def test_a_return_carries_its_reason_to_the_author_and_to_whoever_sent_it(
    session: Session, house: House
) -> None:
    bulletin = a_bulletin(session, house)
    revision = room.submit(session, bulletin.id, version=bulletin.version, actor=house.colleague, now=NOW)
    room.return_bulletin(session, revision.id, actor=house.approver, reason="Sai ngày tiêm.", now=NOW)
    for person in (house.author, house.colleague):
        assert told(session, person) == [(NoticeKind.RETURNED, True)]
        assert "Lý do: Sai ngày tiêm." in notices.inbox(session, person.id)[0].text


def test_a_newer_revision_takes_the_place_of_the_question_before(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house)
    first = submitted(session, house, bulletin)
    room.return_bulletin(session, first.id, actor=house.approver, reason="Dài quá.", now=NOW)
    edit(session, bulletin, house.author, text="Sáng mai trạm y tế xã tiêm phòng cho trẻ em.")
    submitted(session, house, bulletin, take="b")
    assert told(session, house.approver) == [(NoticeKind.WAITING, True), (NoticeKind.WAITING, False)]


def test_reading_one_leaves_the_others_and_reading_all_leaves_none(session: Session, house: House) -> None:
    for number in range(3):
        submitted(session, house, a_bulletin(session, house, title=f"Tin thứ {number}"), take=None)
    first = notices.inbox(session, house.approver.id)[-1]
    notices.mark_read(session, house.approver.id, notice_id=first.id, now=NOW)
    assert notices.unread(session, house.approver.id) == 2
    notices.mark_read(session, house.author.id, now=NOW)  # somebody else's hand changes nothing
    assert notices.unread(session, house.approver.id) == 2
    notices.mark_read(session, house.approver.id, now=NOW)
    assert notices.unread(session, house.approver.id) == 0


def test_the_ready_text_names_station_and_page_and_no_address_that_phones_cannot_open(
    session: Session, house: House
) -> None:
    revision = submitted(session, house, a_bulletin(session, house))
    notice = notices.sent(session, house.author.id)[0]
    text = notices.message(notice, station_name="Xã nhà", address="https://loa.example.vn")
    assert text.startswith("[Xã nhà] Có bản tin chờ duyệt. Soan gửi duyệt")
    assert text.endswith(f"https://loa.example.vn/duyet/{revision.id}")
    assert "http" not in notices.message(notice, station_name="Xã nhà", address="")


def test_a_letter_is_due_only_where_an_address_is_known_and_is_claimed_by_one(
    session: Session, house: House
) -> None:
    session.get_one(User, house.approver.id).email = "duyet@example.vn"
    submitted(session, house, a_bulletin(session, house))
    (letter,) = notices.due_letters(session, now=NOW)
    assert letter.user_id == house.approver.id
    assert notices.claim_letter(session, letter, now=NOW)
    assert not notices.claim_letter(
        session, letter, now=NOW
    )  # a second post office with the same row in hand
    session.expire_all()
    assert notices.due_letters(session, now=NOW) == []
    assert notices.due_letters(session, now=NOW + timedelta(minutes=2)) == [letter]


def test_a_letter_that_always_fails_is_given_up_and_named(session: Session, house: House) -> None:
    session.get_one(User, house.approver.id).email = "duyet@example.vn"
    submitted(session, house, a_bulletin(session, house))
    now, tries = NOW, 0
    while due := notices.due_letters(session, now=now):
        assert notices.claim_letter(session, due[0], now=now)
        tries += 1
        notices.letter_failed(session, due[0].id, attempts=tries, error="Không nối được.")
        session.expire_all()
        now += timedelta(days=1)
    assert tries == len(notices.MAIL_WAITS) + 1
    assert [each.mail_error for each in notices.letters_in_trouble(session)] == ["Không nối được."]


def test_no_letter_leaves_about_what_is_decided_already(session: Session, house: House) -> None:
    session.get_one(User, house.approver.id).email = "duyet@example.vn"
    revision = submitted(session, house, a_bulletin(session, house))
    room.return_bulletin(session, revision.id, actor=house.admin, reason="Dài quá.", now=NOW)
    assert notices.due_letters(session, now=NOW) == []
