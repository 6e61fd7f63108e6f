from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError, NotFound, Refused
from broadcaster.model import VERBATIM
from broadcaster.newsroom import bulletins as room
from broadcaster.newsroom import lexicon, templates
from broadcaster.store.db import Database
from broadcaster.store.tables import Bulletin
from tests.newsroom.conftest import NOW, House, a_take

TEXT = "Đội KTXYZ sẽ đến từng thôn. Bà con gặp đội KTXYZ để được giúp."


def a_bulletin(session: Session, house: House, text: str = TEXT) -> Bulletin:
    return room.create_bulletin(
        session, station_id=house.station.id, author=house.author, title="Đội giúp dân", text=text, now=NOW
    )


def answer(session: Session, house: House, bulletin: Bulletin, spoken: str, scope: str) -> None:
    room.set_answer(
        session, bulletin.id, key="KTXYZ", written="KTXYZ", spoken=spoken, scope=scope,  # type: ignore[arg-type]
        actor=house.author, now=NOW,
    )  # fmt: skip


def test_nearest_wins_place_then_bulletin_then_station(session: Session, house: House) -> None:
    bulletin, neighbour = a_bulletin(session, house), a_bulletin(session, house)
    assert room.reading_of(session, bulletin).blocking
    answer(session, house, bulletin, "kỹ thuật xã", "station")
    assert "kỹ thuật xã" in room.reading_of(session, bulletin).spoken
    assert "kỹ thuật xã" in room.reading_of(session, neighbour).spoken
    answer(session, house, bulletin, "kỹ thuật cụm", "bulletin")
    assert "kỹ thuật cụm" in room.reading_of(session, bulletin).spoken
    assert "kỹ thuật xã" in room.reading_of(session, neighbour).spoken
    answer(session, house, bulletin, "khuyến nông", "place")
    said = room.reading_of(session, bulletin)
    assert "khuyến nông" in said.spoken
    assert not said.blocking
    answer(session, house, bulletin, "", "place")  # taken back
    assert "kỹ thuật cụm" in room.reading_of(session, bulletin).spoken


def test_a_word_for_the_whole_bulletin_is_not_hidden_by_an_earlier_answer_at_the_place(
    session: Session, house: House
) -> None:
    bulletin = a_bulletin(session, house)
    answer(session, house, bulletin, "khuyến nông", "place")
    answer(session, house, bulletin, "kỹ thuật cụm", "bulletin")
    assert "kỹ thuật cụm" in room.reading_of(session, bulletin).spoken


def test_read_as_written_is_never_a_rule_of_the_station(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house)
    with pytest.raises(InputError, match="Đọc nguyên"):
        answer(session, house, bulletin, VERBATIM, "station")
    answer(session, house, bulletin, VERBATIM, "bulletin")
    assert not room.reading_of(session, bulletin).blocking


def test_a_changed_entry_names_the_approved_bulletins_it_would_alter_and_leaves_them(
    session: Session, house: House
) -> None:
    def change(spoken: str, written: str = "KTXYZ") -> tuple[Bulletin, ...]:
        return lexicon.set_entry(
            session, station_id=house.station.id, written=written, spoken=spoken, actor=house.author, now=NOW
        ).altered

    bulletin, draft = a_bulletin(session, house), a_bulletin(session, house)
    assert change("kỹ thuật xã") == ()
    revision = room.submit(session, bulletin.id, version=bulletin.version, actor=house.author, now=NOW)
    room.freeze_take(session, revision.id, a_take(), voice_label="thử", now=NOW)
    session.refresh(revision)
    room.approve(
        session, revision.id, actor=house.approver, text_sha256=revision.text_sha256,
        reading_sha256=revision.reading_sha256, take_sha256="a" * 64, now=NOW,
    )  # fmt: skip
    frozen = revision.reading_sha256

    assert change("kỹ thuật xã") == ()  # the same words alter nothing
    assert change("ủy ban", "UBNDX") == ()  # not in it
    assert change("kỹ thuật liên xã") == (bulletin,)
    assert draft.id != bulletin.id
    assert room.approved_revision(session, bulletin.id) is revision
    assert revision.reading_sha256 == frozen

    renewed = room.submit(session, bulletin.id, version=bulletin.version, actor=house.author, now=NOW)
    assert (renewed.number, renewed.text_sha256) == (2, revision.text_sha256)
    assert room.approved_revision(session, bulletin.id) is revision  # until the new one is approved


def test_an_entry_can_be_forgotten(session: Session, house: House) -> None:
    bulletin = a_bulletin(session, house)
    answer(session, house, bulletin, "kỹ thuật xã", "station")
    (row,) = lexicon.entries(session)
    lexicon.remove_entry(session, row.id, actor=house.author, now=NOW)
    assert lexicon.entries(session) == []
    assert room.reading_of(session, bulletin).blocking
    with pytest.raises(NotFound):
        lexicon.remove_entry(session, row.id, actor=house.author, now=NOW)


@pytest.mark.parametrize(
    ("written", "spoken"), [("", "gì đó"), ("x" * 201, "gì"), ("ABC", ""), ("ABC", "12 34")]
)
def test_an_entry_needs_both_sides_in_words(
    session: Session, house: House, written: str, spoken: str
) -> None:
    with pytest.raises(InputError):
        lexicon.set_entry(
            session, station_id=house.station.id, written=written, spoken=spoken, actor=house.author, now=NOW
        )


def test_only_writers_change_the_dictionary_and_only_their_own_station_s(
    db: Database, house: House, session: Session
) -> None:
    with pytest.raises(Refused, match="không được sửa từ điển"):
        lexicon.set_entry(
            session, station_id=house.station.id, written="A", spoken="a", actor=house.approver, now=NOW
        )
    lexicon.set_entry(
        session, station_id=house.station.id, written="KTXYZ", spoken="a", actor=house.author, now=NOW
    )
    session.commit()
    with db.reading(station_id=house.other.id) as theirs:
        assert lexicon.entries(theirs) == []
        assert lexicon.lexicon_of(theirs, station_id=house.other.id).entries == {}


# ------------------------------------------------------------------------------------------ templates


def test_a_template_is_a_revision_that_somebody_else_approves(session: Session, house: House) -> None:
    def add(words: str) -> int:
        return templates.add_template(
            session, station_id=house.station.id, name="thuong", body={"greeting": words},
            author=house.author, now=NOW,
        ).id  # fmt: skip

    def approved() -> int | None:
        row = templates.approved_template(session, house.station.id, "thuong")
        return row.number if row else None

    first = add("Kính chào bà con.")
    assert approved() is None
    with pytest.raises(Refused, match="không được duyệt"):
        templates.approve_template(session, first, actor=house.colleague, now=NOW)
    house.author.role = house.admin.role
    with pytest.raises(Refused, match="không được tự duyệt"):
        templates.approve_template(session, first, actor=house.author, now=NOW)
    templates.approve_template(session, first, actor=house.approver, now=NOW)
    assert approved() == 1
    second = add("Xin chào.")
    assert approved() == 1  # until the new one is approved
    with pytest.raises(Conflict, match="không còn như bạn đã xem"):
        templates.approve_template(session, second, actor=house.approver, sha256="0" * 64, now=NOW)
    third = add("Chào buổi sáng.")
    with pytest.raises(Conflict, match="đã có bản 3"):
        templates.approve_template(session, second, actor=house.approver, now=NOW)
    templates.approve_template(session, third, actor=house.approver, now=NOW)
    assert approved() == 3
