"""People's voices: what they stand for, when they rest, and what a revision freezes of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound, ReadingBlocked, Refused
from broadcaster.model import BulletinState, Priority, Take
from broadcaster.newsroom.bulletins import (
    approve,
    create_bulletin,
    freeze_take,
    reading_of,
    save_draft,
    submit,
)
from broadcaster.newsroom.recordings import (
    WHOLE,
    Brought,
    add_recording,
    confirm_recording,
    recorded,
    recording_by_id,
    remove_recording,
)
from broadcaster.store.db import Database
from broadcaster.store.tables import Bulletin, Recording, Revision, User
from tests.support.commune import Commune, at, found, sha
from tests.support.databases import KINDS, upgraded
from tests.support.newsroom import TEXT

NOW = at("08:00")
HOA = Brought(sha("hoa"), 4_000, "Lê Thị Hoa")
MUONG = Brought(sha("mường"), 65_000, "Bùi Văn Nhất", "Mường")


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with upgraded(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def commune(database: Database) -> Commune:
    with database.writing() as session:
        return found(session)


def draft(session: Session, commune: Commune, text: str = TEXT) -> Bulletin:
    return create_bulletin(
        session, station_id=commune.station.id, author=commune.author, title="Lịch tiêm phòng", text=text,
        now=NOW,
    )  # fmt: skip


def write(session: Session, row: Bulletin, text: str, actor: User) -> None:
    save_draft(
        session, row.id, version=row.version, actor=actor, title=row.title, text=text, topic_id=None,
        priority=Priority.ROUTINE, read_twice=False, now=NOW,
    )  # fmt: skip


def bring(
    session: Session, row: Bulletin, brought: Brought, actor: User, spoken: str = "", now: datetime = NOW
) -> Recording:
    return add_recording(
        session, row.id, brought, reading=reading_of(session, row), spoken=spoken, actor=actor, now=now
    )


def send(session: Session, row: Bulletin, actor: User) -> Revision:
    return submit(session, row.id, version=row.version, actor=actor, now=NOW)


def test_a_sentences_recording_follows_its_words(database: Database, commune: Commune) -> None:
    with database.writing(station_id=commune.station.id) as session:
        row = draft(session, commune)
        second = reading_of(session, row).sentences[1].spoken
        made = bring(session, row, HOA, commune.author, spoken=second)
        write(session, row, "Một câu mới ở đầu. " + TEXT, commune.author)
        known = recorded(session, row, reading_of(session, row))
        assert known.sentences == {second: made}
        write(session, row, "Câu khác hẳn.", commune.author)
        known = recorded(session, row, reading_of(session, row))
        assert (known.sentences, known.resting) == ({}, (made,))
        write(session, row, TEXT, commune.author)
        revision = send(session, row, commune.author)
        assert revision.recordings == [
            {"at": 1, "sha256": HOA.sha256, "duration_ms": 4_000, "reader": "Lê Thị Hoa", "language": ""}
        ]


def test_words_that_no_sentence_says_and_readers_without_a_name_are_refused(
    database: Database, commune: Commune
) -> None:
    with database.writing(station_id=commune.station.id) as session:
        row = draft(session, commune)
        with pytest.raises(InputError, match="không còn khớp"):
            bring(session, row, HOA, commune.author, spoken="Câu của hôm qua.")
        with pytest.raises(InputError, match="tên người đọc"):
            bring(session, row, Brought(HOA.sha256, 4_000, " "), commune.author)
        with pytest.raises(Refused, match="không được soạn"):
            bring(session, row, HOA, commune.approver)


def test_a_whole_recording_answers_for_words_the_machine_could_not_read(
    database: Database, commune: Commune
) -> None:
    with database.writing(station_id=commune.station.id) as session:
        row = draft(session, commune, "Công văn số:   /KH-UBND gửi các thôn.")
        with pytest.raises(ReadingBlocked):
            send(session, row, commune.author)
        bring(session, row, MUONG, commune.author)
        revision = send(session, row, commune.author)
        assert [one["at"] for one in revision.recordings] == [WHOLE]
        assert revision.recordings[0]["language"] == "Mường"


def test_after_a_change_somebody_says_whether_the_whole_recording_holds(
    database: Database, commune: Commune
) -> None:
    with database.writing(station_id=commune.station.id) as session:
        row = draft(session, commune)
        made = bring(session, row, MUONG, commune.author)
        write(session, row, TEXT + " Nhớ mang sổ.", commune.author)
        with pytest.raises(Refused, match="sửa sau khi thu âm cả bài"):
            send(session, row, commune.author)
        confirm_recording(
            session, made.id, reading=reading_of(session, row), version=row.version, actor=commune.author, now=NOW
        )  # fmt: skip
        assert send(session, row, commune.author).recordings[0]["sha256"] == MUONG.sha256


def test_replacing_and_removing_keep_what_was_recorded(database: Database, commune: Commune) -> None:
    with database.writing(station_id=commune.station.id) as session:
        row = draft(session, commune)
        first = bring(session, row, HOA, commune.author)
        second = bring(session, row, MUONG, commune.author, now=at("09:00"))
        assert recorded(session, row, reading_of(session, row)).whole is second
        remove_recording(session, second.id, actor=commune.author, now=at("10:00"))
        assert recorded(session, row, reading_of(session, row)).whole is None
        assert [one.replaced_at for one in (first, second)] == [at("09:00"), at("10:00")]
        assert send(session, row, commune.author).recordings == []


def test_another_voice_needs_another_approval_and_its_maker_cannot_give_it(
    database: Database, commune: Commune
) -> None:
    with database.writing(station_id=commune.station.id) as session:
        row = draft(session, commune)
        revision = send(session, row, commune.author)
        take_of(session, revision)
        approve(
            session, revision.id, actor=commune.approver, text_sha256=revision.text_sha256,
            reading_sha256=revision.reading_sha256, take_sha256=sha("take"), now=NOW,
        )  # fmt: skip
        bring(session, row, HOA, commune.author, spoken=reading_of(session, row).sentences[0].spoken)
        assert row.state is BulletinState.DRAFT
        again = send(session, row, commune.author)
        assert again.number == 2
        assert commune.author.id in again.writers


def take_of(session: Session, revision: Revision) -> None:
    freeze_take(session, revision.id, Take(sha("take"), "silent", 1.0, 9_000, ()), voice_label="x", now=NOW)
    session.refresh(revision)


def test_another_station_sees_no_recording(database: Database, commune: Commune) -> None:
    with database.writing() as session:
        other = found(session, slug="xa-khac")
    with database.writing(station_id=commune.station.id) as session:
        made = bring(session, draft(session, commune), HOA, commune.author).id
    with database.reading(station_id=other.station.id) as session, pytest.raises(NotFound):
        recording_by_id(session, made)


def test_what_a_revision_was_voiced_with_never_changes(database: Database, commune: Commune) -> None:
    with database.writing(station_id=commune.station.id) as session:
        row = draft(session, commune)
        bring(session, row, MUONG, commune.author)
        number = send(session, row, commune.author).id
    with pytest.raises(IntegrityError), database.writing() as session:
        session.get_one(Revision, number).recordings = []
