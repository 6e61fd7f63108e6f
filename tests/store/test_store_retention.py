"""Sound goes when its keeping time has run out and nothing may need it; everything written stays."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.model import AiringState, BulletinState, RenditionKind
from broadcaster.schedule.airings import close_content, materialise, place
from broadcaster.schedule.plan import plan
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.retention import months_before, plan_sweep, sweep
from broadcaster.store.tables import (
    Airing,
    AsRun,
    Bulletin,
    Decision,
    Jingle,
    ProgrammeRow,
    Rendition,
    Revision,
    SweptAudio,
    TakeRow,
    Variant,
)
from tests.support.commune import MONDAY, Commune, at, bulletin, found, furnish, revise, slot

TODAY = datetime(2028, 12, 20, 18, 0, tzinfo=UTC)  # 24 months before: 20/12/2026


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "âm thanh")


def kept(
    blobs: Blobs, words: str, *, written: datetime = TODAY - timedelta(days=900), suffix: str = "mp3"
) -> str:
    sha256 = blobs.put(words.encode(), suffix=suffix)
    os.utime(blobs.path(sha256, suffix=suffix), (written.timestamp(),) * 2)
    return sha256


def programme(session: Session, airing_id: str, sha256: str, made: datetime) -> None:
    airing = session.get_one(Airing, airing_id)
    row = ProgrammeRow(
        station_id=airing.station_id, input_key=sha256, title="x", duration_ms=1000, loudness_lufs=-16,
        true_peak_dbtp=-2, items=[], made_at=made,
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add(Rendition(programme_id=row.id, kind=RenditionKind.AIR, sha256=sha256, size_bytes=5))
    session.scalars(select(Variant).where(Variant.airing_id == airing_id)).one().programme_id = row.id
    session.flush()


def stationed(session: Session) -> Commune:
    commune = found(session)
    furnish(session, commune)
    slot(session, commune)
    return commune


def test_a_programme_goes_when_its_last_airing_is_older_than_the_cut_and_its_rows_stay(
    database: Database, blobs: Blobs
) -> None:
    old, new = kept(blobs, "chương trình cũ"), kept(blobs, "chương trình mới")
    with database.writing() as session:
        commune = stationed(session)
        materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=2)
        programme(session, plan(session, MONDAY)[0].airing_id, old, at("04:00"))
        materialise(
            session, commune.station, today=date(2027, 3, 1), now=at("00:30", date(2027, 3, 1)), days=1
        )
        programme(session, plan(session, date(2027, 3, 1))[0].airing_id, new, at("04:00"))
    with database.reading() as session:
        marked = plan_sweep(session, blobs, now=TODAY, months=24)
    assert [one.sha256 for one in marked.doomed] == [old]
    assert "20/12/2026" in marked.doomed[0].why
    assert (marked.kept, blobs.has(old, suffix="mp3")) == (1, True), "marking changes nothing"
    assert sweep(database, blobs, marked, now=TODAY) == 1
    assert not blobs.has(old, suffix="mp3")
    assert blobs.has(new, suffix="mp3")
    with database.reading() as session:
        assert session.scalar(select(Rendition.sha256).where(Rendition.sha256 == old)) == old
        assert session.get_one(SweptAudio, old).why == marked.doomed[0].why


def test_a_take_stays_while_its_bulletin_may_air_and_goes_when_it_was_replaced_or_withdrawn(
    database: Database, blobs: Blobs
) -> None:
    names = {
        name: kept(blobs, name, suffix="flac")
        for name in ("hiện tại", "bị thay", "đã rút", "bị thay, còn phát")
    }
    with database.writing() as session:
        commune = stationed(session)
        twice = bulletin(session, commune, "Hai bản")
        revise(session, commune, twice, approved=True)
        withdrawn = bulletin(session, commune, "Rút", state=BulletinState.WITHDRAWN)
        aired = bulletin(session, commune, "Còn phát")
        materialise(
            session, commune.station, today=date(2027, 3, 1), now=at("00:30", date(2027, 3, 1)), days=1
        )
        line = plan(session, date(2027, 3, 1))[0]
        place(session, line.airing_id, aired.id, actor=commune.author, now=at("00:40", date(2027, 3, 1)))
        close_content(session, session.get_one(Airing, line.airing_id), now=at("05:00", date(2027, 3, 1)))
        revise(session, commune, aired, approved=True)
        for row, place_, name in (
            (twice, 0, "bị thay"), (twice, 1, "hiện tại"), (withdrawn, 0, "đã rút"), (aired, 0, "bị thay, còn phát"),
        ):  # fmt: skip
            revision = session.scalars(
                select(Revision).where(Revision.bulletin_id == row.id, Revision.number == place_ + 1)
            ).one()
            take = TakeRow(
                station_id=commune.station.id, sha256=names[name], voice="silent", speed=1.0, duration_ms=1000,
                sentences=[], created_at=at("00:00", date(2026, 1, 7)),
            )  # fmt: skip
            session.add(take)
            session.flush()
            _point(session, revision.id, take.id)
        # a superseded approval still holds until it is decided anew, as for the air
        first = twice.revisions[0]
        session.add(
            Decision(
                revision_id=first.id, author_id=commune.author.id, approver_id=commune.approver.id,
                verdict="withdrawn", text_sha256="", reading_sha256="", take_sha256="", at=at("02:00"),
            )
        )  # fmt: skip
    with database.reading() as session:
        marked = plan_sweep(session, blobs, now=TODAY, months=24)
    assert {one.sha256 for one in marked.doomed} == {names["bị thay"], names["đã rút"]}
    with database.reading() as session:
        assert session.scalars(select(Bulletin)).all()


def _point(session: Session, revision_id: int, take_id: int) -> None:
    from sqlalchemy import text

    on_sqlite = session.get_bind().dialect.name == "sqlite"
    session.execute(text("DROP TRIGGER IF EXISTS revision_frozen" + ("" if on_sqlite else " ON revision")))
    session.execute(
        text("UPDATE revision SET take_id = :take WHERE id = :id"), {"take": take_id, "id": revision_id}
    )
    session.expire_all()


def test_what_any_table_names_stays_and_what_none_names_goes_after_a_week(
    database: Database, blobs: Blobs
) -> None:
    jingle, inside = (
        kept(blobs, "nhạc hiệu", suffix="flac"),
        kept(blobs, "trong khung chương trình", suffix="flac"),
    )
    stray, fresh = kept(blobs, "không ai nhắc"), kept(blobs, "vừa ghi", written=TODAY - timedelta(days=6))
    played = kept(blobs, "chỉ có trong nhật ký")
    with database.writing() as session:
        commune = stationed(session)
        session.scalars(select(Jingle)).first().sha256 = jingle  # type: ignore[union-attr]
        commune.station.policy = {"nền": {"tệp": inside}}
        materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=1)
        airing = session.get_one(Airing, plan(session, MONDAY)[0].airing_id)
        airing.state = AiringState.STARTED
        from tests.report.test_report_counting import receiver

        box = receiver(session, commune, "Máy")
        session.add(
            AsRun(
                receiver_id=box.id, sequence=1, airing_id=airing.id, event="finished", at=at("05:35"), offset_ms=1,
                sha256=played, reason="", received_at=at("06:00"),
            )
        )  # fmt: skip
    with database.reading() as session:
        marked = plan_sweep(session, blobs, now=TODAY, months=24)
    assert {one.sha256 for one in marked.doomed} == {stray, played}, "the log tells, it does not hold"
    assert blobs.has(fresh, suffix="mp3")
    assert marked.kept == 3


def test_what_got_a_use_between_marking_and_sweeping_stays(database: Database, blobs: Blobs) -> None:
    stray = kept(blobs, "sắp được dùng", suffix="flac")
    with database.writing() as session:
        stationed(session)
    with database.reading() as session:
        marked = plan_sweep(session, blobs, now=TODAY, months=24)
    assert [one.sha256 for one in marked.doomed] == [stray]
    with database.writing() as session:
        session.scalars(select(Jingle)).first().sha256 = stray  # type: ignore[union-attr]
    assert sweep(database, blobs, marked, now=TODAY) == 0
    assert blobs.has(stray, suffix="flac")


def test_months_end_where_the_month_does() -> None:
    assert months_before(date(2028, 2, 29), 12) == date(2027, 2, 28)
    assert months_before(date(2026, 1, 31), 1) == date(2025, 12, 31)
    assert months_before(date(2026, 3, 31), 24) == date(2024, 3, 31)
