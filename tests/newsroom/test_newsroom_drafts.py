from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError, ReadingBlocked, Refused
from broadcaster.model import VERBATIM
from broadcaster.newsroom import bulletins as room
from broadcaster.newsroom.lexicon import set_entry
from broadcaster.store.db import Database
from broadcaster.store.tables import RenderJob, Revision, TakeRow
from tests.newsroom.conftest import NOW, TEXT, House, a_bulletin, a_take, approve, edit, submitted

# ----------------------------------------------------------------------------------- refusals of the draft


def test_an_empty_text_is_not_submitted(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house, "  \n ")
    with pytest.raises(InputError, match="chưa có nội dung"):
        room.submit(session, bulletin.id, version=bulletin.version, actor=house.author, now=NOW)


def test_a_title_is_needed(session: Session, house: House) -> None:
    with pytest.raises(InputError, match="chưa có tiêu đề"):
        a_bulletin(session, house, title=" ")


def test_a_text_of_more_than_fifty_thousand_letters_is_refused_and_nothing_is_lost(
    session: Session, house: House
) -> None:
    bulletin = a_bulletin(session, house)
    with pytest.raises(InputError, match=r"50\.001 ký tự, quá 50\.000"):
        edit(session, bulletin, house.author, text="à" * 50_001)
    assert bulletin.draft_text == TEXT
    edit(session, bulletin, house.author, text="à" * 50_000)


def test_a_blank_that_was_not_filled_in_blocks_until_it_is_answered(session: Session, house: House) -> None:
    bulletin = a_bulletin(
        session, house, "Theo Kế hoạch số:      /KH-UBND về tiêm phòng, mời bà con đến trạm."
    )
    with pytest.raises(ReadingBlocked, match="chưa rõ cách đọc"):
        room.submit(session, bulletin.id, version=bulletin.version, actor=house.author, now=NOW)
    for warning in room.reading_of(session, bulletin).warnings:
        room.set_answer(
            session, bulletin.id, key=warning.key, written=warning.written, spoken=VERBATIM, scope="place",
            actor=house.author, now=NOW,
        )  # fmt: skip
    assert submitted(session, house, bulletin).number == 1


def test_a_title_that_nobody_can_read_blocks_too_since_it_is_among_the_headlines(
    session: Session, house: House
) -> None:
    bulletin = a_bulletin(session, house, title="Hội nghị XYZQK tại xã")
    with pytest.raises(ReadingBlocked, match="Tiêu đề .* “XYZQK”"):
        submitted(session, house, bulletin)
    set_entry(
        session,
        station_id=house.station.id,
        written="XYZQK",
        spoken="khuyến nông",
        actor=house.author,
        now=NOW,
    )
    assert submitted(session, house, bulletin).number == 1


def test_a_take_that_failed_for_good_can_be_asked_for_again(session: Session, house: House) -> None:
    revision = submitted(session, house, a_bulletin(session, house), take=None)
    job = session.scalars(select(RenderJob)).one()
    job.state, job.attempt, job.error = "failed", 3, "Không giọng nào đọc được."
    assert room.ask_take(session, revision, now=NOW) is job
    assert (job.state, job.attempt, job.error) == ("queued", 0, "")


def test_control_characters_are_taken_out_with_a_note(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house, "Mời bà con\x00 họp\x07 tối nay.")
    assert bulletin.draft_text == "Mời bà con họp tối nay."
    assert bulletin.import_notes == ["Đã bỏ 2 ký tự điều khiển trong văn bản."]


def test_a_form_of_an_older_version_overwrites_nothing(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house)
    seen = bulletin.version
    edit(session, bulletin, house.colleague, text=TEXT + " Xin cảm ơn.")
    with pytest.raises(Conflict, match="vừa được người khác sửa"):
        edit(session, bulletin, house.author, version=seen, text="đè lên")
    with pytest.raises(Conflict, match="vừa được người khác sửa"):
        room.submit(session, bulletin.id, version=seen, actor=house.author, now=NOW)
    assert bulletin.draft_text == TEXT + " Xin cảm ơn."


def test_submitting_twice_or_with_nothing_new_is_refused(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house)
    revision = submitted(session, house, bulletin)
    with pytest.raises(Refused, match="đang chờ duyệt"):
        submitted(session, house, bulletin)
    approve(session, revision, house.approver)
    with pytest.raises(Refused, match="không có gì mới"):
        submitted(session, house, bulletin)


@pytest.mark.parametrize("who", ["approver", "technician"])
def test_only_writers_write(session: Session, house: House, who: str) -> None:
    bulletin = a_bulletin(session, house)
    with pytest.raises(Refused, match="không được soạn"):
        edit(session, bulletin, getattr(house, who), text="chữ khác")
    with pytest.raises(Refused, match="không được gửi duyệt"):
        room.submit(session, bulletin.id, version=bulletin.version, actor=getattr(house, who), now=NOW)


def test_freezing_a_take_twice_keeps_the_first(session: Session, house: House) -> None:
    revision = submitted(session, house, a_bulletin(session, house))
    room.freeze_take(session, revision.id, a_take("b"), voice_label="khác", now=NOW)
    session.refresh(revision)
    assert revision.take is not None
    assert revision.take.sha256 == "a" * 64
    assert len(session.scalars(select(TakeRow)).all()) == 1


def test_a_revision_cannot_be_rewritten_even_by_our_own_code(db: Database, house: House) -> None:
    with db.writing(station_id=house.station.id) as session:
        revision = submitted(session, house, a_bulletin(session, house))
    with pytest.raises(IntegrityError), db.writing() as session:
        session.get_one(Revision, revision.id).text = "Lời khác."
