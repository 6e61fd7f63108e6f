"""Plan, players and villages stay three columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from broadcaster.model import AsRunEvent, Outcome, ReceiptKind
from broadcaster.report.counting import ReportRow, airing_report
from broadcaster.schedule.airings import close_content, materialise, place
from broadcaster.schedule.plan import plan, plan_days
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, AsRun, Receipt, Receiver, Village
from tests.support.commune import MONDAY, Commune, at, bulletin, found, furnish, slot

TUESDAY = date(2026, 11, 24)
E = AsRunEvent


def receiver(
    session: Session, commune: Commune, name: str, *villages: Village, since: datetime | None = None
) -> Receiver:
    row = Receiver(
        station_id=commune.station.id, name=name, token_hash=name, created_at=since or at("00:00"),
        last_seen_at=at("05:00"), heartbeat={}, pairing_hash="", villages=list(villages),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def wrote(session: Session, row: Receiver, airing_id: str, *events: tuple[AsRunEvent, str, int]) -> None:
    count = len(session.scalars(select(AsRun).where(AsRun.receiver_id == row.id)).all())
    for number, (kind, clock, offset_s) in enumerate(events, start=count + 1):
        session.add(
            AsRun(
                receiver_id=row.id, sequence=number, airing_id=airing_id, event=kind, at=at(clock),
                offset_ms=offset_s * 1000, sha256="", reason="", received_at=at("12:00"),
            )
        )  # fmt: skip
    session.flush()


def said(
    session: Session, village: Village, airing_id: str, kind: ReceiptKind, clock: str, reason: str = ""
) -> Receipt:
    row = Receipt(
        village_id=village.id, airing_id=airing_id, kind=kind, reason=reason, phone_at=None,
        server_at=at(clock), withdrawn_at=None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def two_days(session: Session) -> Commune:
    commune = found(session)
    furnish(session, commune)
    slot(session, commune)
    materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=2)
    for line in plan_days(session, MONDAY, 2):
        place(
            session,
            line.airing_id,
            bulletin(session, commune, "=Tiêm phòng").id,
            actor=commune.author,
            now=at("01:00"),
        )
        close_content(session, session.get_one(Airing, line.airing_id), now=at("05:00"))
    return commune


def by_village(rows: list[ReportRow], day: date = MONDAY) -> dict[str, ReportRow]:
    return {row.village_slug: row for row in rows if row.local_date == day}


def test_three_columns_stand_side_by_side_and_contradict_freely(db: Database) -> None:
    with db.writing() as session:
        commune = two_days(session)
        one, two, three = commune.villages
        monday = plan(session, MONDAY)[0].airing_id
        everywhere = receiver(session, commune, "Máy của đài", one, two)
        wrote(session, everywhere, monday, (E.STARTED, "05:30:00", 0), (E.FINISHED, "05:33", 180))
        said(session, two, monday, ReceiptKind.FAILED, "06:00", "Loa mất tiếng")
        said(session, three, monday, ReceiptKind.PLAYED, "06:05")
        rows = by_village(airing_report(session, MONDAY, TUESDAY, now=at("12:00")))
        assert all(row.planned for row in rows.values())
        assert rows["thon-1"].played is not None
        assert rows["thon-1"].played.told.outcome is Outcome.PLAYED
        assert rows["thon-1"].confirmed is None
        assert rows["thon-2"].played is not None
        assert rows["thon-2"].played.told.outcome is Outcome.PLAYED, "what the village says changes no log"
        assert rows["thon-2"].confirmed is not None
        assert (rows["thon-2"].confirmed.kind, rows["thon-2"].confirmed.reason) == (
            ReceiptKind.FAILED,
            "Loa mất tiếng",
        )
        assert rows["thon-3"].played is None, "a receipt makes no player"
        assert rows["thon-3"].why == "Thôn này chưa có máy thu."
        assert rows["thon-3"].confirmed is not None
        assert rows["thon-1"].titles == ("=Tiêm phòng",)


def test_of_several_receivers_the_best_is_the_village_s_and_unreported_ones_are_named(db: Database) -> None:
    with db.writing() as session:
        commune = two_days(session)
        monday = plan(session, MONDAY)[0].airing_id
        receiver(session, commune, "Máy im lặng")
        box = receiver(session, commune, "Loa thôn 2", commune.villages[1])
        wrote(session, box, monday, (E.STARTED, "05:30", 0), (E.FINISHED, "05:33", 180))
        rows = by_village(airing_report(session, MONDAY, MONDAY, now=at("12:00")))
        assert rows["thon-1"].why == (
            "Chưa có báo cáo từ Máy im lặng: đài mất liên lạc với máy này từ 05:00 ngày 23/11, "
            "có thể do mất điện hoặc mất mạng."
        )
        assert [line.receiver for line in rows["thon-2"].players] == ["Máy im lặng", "Loa thôn 2"]
        assert rows["thon-2"].played is not None
        assert rows["thon-2"].played.receiver == "Loa thôn 2"


def test_a_receiver_counts_from_its_making_to_its_revocation_unless_it_reports(db: Database) -> None:
    with db.writing() as session:
        commune = two_days(session)
        receiver(session, commune, "Mới", since=at("06:00"))
        revoked = receiver(session, commune, "Đã thu hồi")
        revoked.revoked_at = at("05:00")
        session.flush()
        monday = plan(session, MONDAY)[0].airing_id
        row = by_village(airing_report(session, MONDAY, MONDAY, now=at("12:00")))["thon-1"]
        assert row.players == ()
        wrote(session, revoked, monday, (E.STARTED, "05:30", 0))
        row = by_village(airing_report(session, MONDAY, MONDAY, now=at("05:31")))["thon-1"]
        assert [line.receiver for line in row.players] == ["Đã thu hồi"]


def test_a_receipt_that_was_taken_back_is_not_counted_and_a_download_is_no_broadcast(db: Database) -> None:
    with db.writing() as session:
        commune = two_days(session)
        one, two, _ = commune.villages
        monday = plan(session, MONDAY)[0].airing_id
        said(session, one, monday, ReceiptKind.PLAYED, "06:00").withdrawn_at = at("06:01")
        said(session, two, monday, ReceiptKind.DOWNLOADED, "06:00")
        session.flush()
        rows = by_village(airing_report(session, MONDAY, MONDAY, now=at("12:00")))
        assert rows["thon-1"].confirmed is None
        assert rows["thon-2"].confirmed is not None
        assert rows["thon-2"].confirmed.kind is ReceiptKind.DOWNLOADED
        said(session, two, monday, ReceiptKind.PLAYED, "05:59")
        rows = by_village(airing_report(session, MONDAY, MONDAY, now=at("12:00")))
        assert rows["thon-2"].confirmed is not None
        assert rows["thon-2"].confirmed.kind is ReceiptKind.PLAYED


@contextmanager
def counted(db: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_a_longer_period_asks_no_more_questions(db: Database) -> None:
    with db.writing() as session:
        commune = two_days(session)
        receiver(session, commune, "Máy của đài", commune.villages[0])
        receiver(session, commune, "Loa", commune.villages[1])
    counts = []
    for days in (0, 1):
        with db.reading() as session, counted(db) as statements:
            rows = airing_report(session, MONDAY, MONDAY + timedelta(days=days), now=at("12:00"))
            assert len(rows) == 3 * (days + 1)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_another_station_s_rows_stay_out(db: Database) -> None:
    with db.writing() as session:
        two_days(session)
        other = found(session, slug="xa-ben")
        slot(session, other)
        materialise(session, other.station, today=MONDAY, now=at("00:30"), days=1)
        other_id = other.station.id
    with db.reading(station_id=other_id) as session:
        rows = airing_report(session, MONDAY, TUESDAY, now=at("12:00"))
        assert len(rows) == 3
        assert {row.titles for row in rows} == {()}
