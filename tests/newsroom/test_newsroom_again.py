"""Undo for drafts: what a saving took away is there, a submission can be taken back, an old bulletin is a new one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError, NotFound, Refused
from broadcaster.model import BulletinState
from broadcaster.newsroom import bulletins as room
from broadcaster.newsroom.bulletins.copies import worth_keeping
from broadcaster.newsroom.lexicon import entries
from broadcaster.store.tables import Audit, Bulletin
from tests.newsroom.conftest import NOW, TEXT, House, a_bulletin, approve, edit, submitted

LATER = NOW + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("old", "new", "last", "wanted"),
    [
        ("", "Một câu mới.", None, False),
        ("Một câu.", "Một câu khác.", None, True),
        ("Một câu.", "Một câu khác.", NOW, False),
        ("Một câu.", "Một câu khác.", NOW - timedelta(minutes=8), True),
        ("Một câu dài có nhiều chữ.", "", NOW, True),
        ("x" * 100, "x" * 81, NOW, False),
        ("x" * 100, "x" * 79, NOW, True),
    ],
)
def test_a_copy_is_made_when_much_goes_or_some_minutes_have_passed(
    old: str, new: str, last: object, wanted: bool
) -> None:
    assert worth_keeping(old, new, last=last, now=LATER) is wanted  # type: ignore[arg-type]


def test_a_text_that_a_slip_of_the_hand_emptied_comes_back_with_its_answers(
    session: Session, house: House
) -> None:
    bulletin = a_bulletin(session, house)
    edit(session, bulletin, house.author, text=TEXT + " Xin cảm ơn.")
    room.set_answer(
        session, bulletin.id, key="chỗ#1", written="chỗ", spoken="nơi", scope="place", actor=house.author, now=NOW
    )  # fmt: skip
    edit(session, bulletin, house.author, text="a")
    kept = room.copies(session, bulletin.id)
    assert [copy.text for copy in kept] == [TEXT + " Xin cảm ơn.", TEXT]
    assert kept[0].replaced_by.id == house.author.id
    room.restore_copy(
        session, bulletin.id, kept[0].id, version=bulletin.version, actor=house.colleague, now=NOW
    )
    assert bulletin.draft_text == TEXT + " Xin cảm ơn."
    assert bulletin.draft_answers == {"chỗ#1": "nơi"}
    # The one letter is a copy now: taking back can be taken back, and the second hand is known.
    assert room.copies(session, bulletin.id)[0].text == "a"
    assert house.colleague.id in bulletin.draft_writers
    assert "lấy lại bản nháp cũ" in session.scalars(select(Audit.action)).all()


def test_a_copy_of_another_bulletin_is_not_found(session: Session, house: House) -> None:
    one, other = a_bulletin(session, house), a_bulletin(session, house, title="Khác")
    edit(session, one, house.author, text="Khác hẳn.")
    with pytest.raises(NotFound):
        room.copy_by_id(session, other.id, room.copies(session, one.id)[0].id)


def test_what_was_just_submitted_can_be_taken_back_until_somebody_has_decided(
    session: Session, house: House
) -> None:
    bulletin = a_bulletin(session, house)
    revision = submitted(session, house, bulletin)
    with pytest.raises(Refused):
        room.recall(session, bulletin.id, actor=house.approver, now=NOW)
    room.recall(session, bulletin.id, actor=house.author, now=NOW)
    assert bulletin.state is BulletinState.DRAFT
    assert room.waiting(session) == []
    with pytest.raises(Conflict):
        approve(session, revision, house.approver)
    again = submitted(session, house, bulletin)
    assert again.number == 2
    approve(session, again, house.approver)
    with pytest.raises(Conflict):
        room.recall(session, bulletin.id, actor=house.author, now=NOW)


def test_an_old_bulletin_begins_a_new_one_with_its_answers_words_and_voice(
    session: Session, house: House
) -> None:
    old = a_bulletin(session, house, "Tổ CNSCD họp lúc 8h.")
    room.set_answer(
        session, old.id, key="", written="CNSCD", spoken="công nghệ số cộng đồng", scope="bulletin",
        actor=house.author, now=NOW,
    )  # fmt: skip
    edit(session, old, house.author, voice="espeak:vi+f5", speed=0.9)
    approve(session, submitted(session, house, old), house.approver)
    new = room.copy_as_new(session, old.id, actor=house.colleague, now=NOW)
    assert (new.state, new.author_id, new.voice, new.speed) == (
        BulletinState.DRAFT, house.colleague.id, "espeak:vi+f5", 0.9,
    )  # fmt: skip
    assert [entry.spoken for entry in entries(session, bulletin_id=new.id)] == ["công nghệ số cộng đồng"]
    assert "công nghệ số cộng đồng" in room.reading_of(session, new).spoken.lower()
    assert old.state is BulletinState.APPROVED


# ------------------------------------------------------------------------------------- voice and pace


def test_another_voice_is_a_change_that_needs_an_approval(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house)
    approve(session, submitted(session, house, bulletin), house.approver)
    edit(session, bulletin, house.author)
    assert bulletin.state is BulletinState.APPROVED
    edit(session, bulletin, house.author, voice="kokoro:nam-1", speed=1.1)
    assert bulletin.state is BulletinState.DRAFT
    revision = submitted(session, house, bulletin)
    assert (revision.voice, revision.speed) == ("kokoro:nam-1", 1.1)


def test_a_pace_that_nobody_can_follow_is_refused(session: Session, house: House) -> None:
    with pytest.raises(InputError, match="0,8 đến 1,2"):
        edit(session, a_bulletin(session, house), house.author, voice="", speed=2.0)


def test_the_voice_of_a_revision_is_frozen_in_the_database_too(session: Session, house: House) -> None:
    revision = submitted(session, house, a_bulletin(session, house))
    with pytest.raises((IntegrityError, OperationalError), match="never changes"):
        session.execute(text("UPDATE revision SET voice = 'silent' WHERE id = :id"), {"id": revision.id})


# ------------------------------------------------------------------------------------- finding


def test_the_list_comes_by_pages_and_knows_how_many_there_are(session: Session, house: House) -> None:
    for number in range(7):
        a_bulletin(session, house, title=f"Tin số {number}", topic_id=None)
    page = room.find(session, search="tin so", first=5, limit=3)
    assert ([row.title for row in page.rows], page.total) == (["Tin số 1", "Tin số 0"], 7)
    assert room.find(session, author_id=house.colleague.id).total == 0
    assert room.find(session, states=[BulletinState.DRAFT]).total == 7
    assert room.find(session, search="100%").total == 0
    assert session.scalars(select(Bulletin.folded).limit(1)).one().startswith("tin so 0\nsang mai")
