"""Figures are counted from cells, and every way of counting them comes to the same."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError
from broadcaster.model import AsRunEvent, Outcome, ReceiptKind
from broadcaster.report.counting import airing_report
from broadcaster.report.figures import Choice, chosen_cells, figures
from broadcaster.report.gathering import gather, heard_parts
from broadcaster.report.ledger import Ledger, Player, Said
from broadcaster.report.period import after, before, days_between, parse_period
from broadcaster.report.progress import heard_in
from broadcaster.schedule.airings import close_content, materialise, place, skip_airing
from broadcaster.schedule.plan import plan
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, Topic, Variant, Village
from tests.report.test_report_counting import receiver, said, two_days, wrote
from tests.support.commune import MONDAY, Commune, at, bulletin, found, furnish, slot
from tests.support.years import fill_years

E = AsRunEvent
TUESDAY = MONDAY + timedelta(days=1)
NOVEMBER = parse_period("2026-11")


def ledger(session: Session, commune: Commune, clock: str = "12:00", day: date = TUESDAY) -> Ledger:
    session.flush()
    return gather(session, commune.station, NOVEMBER, now=at(clock, day))


def test_the_fast_counting_and_the_row_by_row_one_agree_on_a_troubled_month(db: Database) -> None:
    first = date(2026, 10, 1)
    with db.writing() as session:
        commune = found(session, villages=5)
        furnish(session, commune)
        fill_years(session, commune, first, 40, seed=3)
        box = receiver(session, commune, "Máy của đài", since=at("00:00", date(2026, 10, 20)))
        box.revoked_at = at("00:00", date(2026, 10, 25))
    period = parse_period("2026-10")
    now = at("18:00", date(2026, 10, 29))
    with db.reading(station_id=commune.station.id) as session:
        counted = figures(gather(session, commune.station, period, now=now)).total
        rows = [
            row
            for row in airing_report(session, period.first, period.last, now=now)
            if row.planned_at <= now and row.planned
        ]
    assert counted.villages == len(rows) > 250
    assert counted.airings == len({row.airing_id for row in rows})
    assert counted.villages_confirmed == sum(
        row.confirmed is not None and row.confirmed.kind is ReceiptKind.PLAYED for row in rows
    )
    assert counted.villages_failed == sum(
        row.confirmed is not None and row.confirmed.kind is ReceiptKind.FAILED for row in rows
    )
    assert counted.receivers == sum(len(row.players) for row in rows)
    enough = [
        any(
            one.told.outcome is Outcome.PLAYED or one.told.heard_ms >= 0.95 * (row.duration_ms or 1e9)
            for one in row.players
        )
        for row in rows
    ]
    assert counted.villages_played == sum(enough) < len(rows)
    best = [
        row.played.told.outcome for row, done in zip(rows, enough, strict=True) if row.played and not done
    ]
    assert counted.villages_unreported == best.count(Outcome.UNREPORTED) > 0
    assert counted.villages_silent == best.count(Outcome.MISSED) + best.count(Outcome.SKIPPED) > 0
    assert counted.villages_partly == best.count(Outcome.INTERRUPTED) + best.count(Outcome.PREEMPTED)


def test_one_receiver_at_ninety_five_percent_is_enough_for_its_village_and_both_numbers_are_kept(
    db: Database,
) -> None:
    with db.writing() as session:
        commune = two_days(session)
        one, two, three = commune.villages
        monday = plan(session, MONDAY)[0].airing_id
        length = _programme(session, monday, seconds=200)
        boxes = [receiver(session, commune, f"Cụm {n}", one) for n in (1, 2)]
        wrote(session, boxes[0], monday, (E.STARTED, "05:30", 0), (E.INTERRUPTED, "05:33", 190))
        wrote(session, boxes[1], monday, (E.MISSED, "05:40", 0))
        wrote(session, receiver(session, commune, "Cụm 3", two), monday, (E.STARTED, "05:30", 0),
              (E.INTERRUPTED, "05:33", 189))  # fmt: skip
        kept = ledger(session, commune, day=MONDAY)
    by_village = {cell.village: cell for cell in kept.cells}
    assert length == 200_000
    assert (by_village[one.id].player, by_village[one.id].receivers, by_village[one.id].receivers_played) == (
        Player.PLAYED, 2, 1,
    )  # fmt: skip
    assert by_village[two.id].player is Player.PARTLY, "94.5 % is not 95"
    assert by_village[three.id].player is Player.NO_RECEIVER
    total = figures(kept).total
    assert (total.villages_played, total.receivers_played, total.receivers) == (1, 1, 3)


@pytest.mark.parametrize(
    ("events", "heard"),
    [
        ((), False),
        (((E.STARTED, "05:30", 0), (E.FINISHED, "05:34", 200)), True),
        (((E.STARTED, "05:30", 0), (E.INTERRUPTED, "05:33", 190)), True),
        (((E.STARTED, "05:30", 0), (E.INTERRUPTED, "05:33", 189)), False),
        (((E.MISSED, "05:40", 0),), False),
    ],
)
@pytest.mark.parametrize("whose", ["a village's", "another's", "the whole station's"])
def test_what_a_page_counts_without_the_ledger_is_what_the_ledger_says(
    db: Database, events: tuple[tuple[AsRunEvent, str, int], ...], heard: bool, whose: str
) -> None:
    with db.writing() as session:
        commune = two_days(session)
        monday = plan(session, MONDAY)[0].airing_id
        _programme(session, monday, seconds=200)
        (variant,) = session.scalars(select(Variant).where(Variant.airing_id == monday))
        variant.villages[:] = commune.villages[:2]
        own = {"a village's": [commune.villages[1]], "another's": [commune.villages[2]]}.get(whose, [])
        wrote(session, receiver(session, commune, "Máy", *own), monday, *events)
        kept = ledger(session, commune)
        without = heard_parts(session, commune.station, NOVEMBER, now=at("12:00", TUESDAY))
    assert without == heard_in(kept)
    assert bool(without) is (heard and whose != "another's")


def _programme(session: Session, airing_id: str, *, seconds: int) -> int:
    from broadcaster.store.tables import ProgrammeRow, Variant

    airing = session.get_one(Airing, airing_id)
    row = ProgrammeRow(
        station_id=airing.station_id, input_key=airing_id, title="x", duration_ms=seconds * 1000,
        loudness_lufs=-16, true_peak_dbtp=-2, items=[], made_at=at("04:00"),
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.scalars(select(Variant).where(Variant.airing_id == airing_id)).one().programme_id = row.id
    session.flush()
    return row.duration_ms


def test_a_bulletin_counts_once_for_each_airing_that_aired_and_bulletins_are_counted_beside(
    db: Database,
) -> None:
    with db.writing() as session:
        commune = found(session)
        furnish(session, commune)
        slot(session, commune)
        materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=2)
        again = bulletin(session, commune, "Hai lần")
        only = bulletin(session, commune, "Một lần")
        other = Topic(station_id=commune.station.id, slug="khac", title="Khác", position=5)
        session.add(other)
        session.flush()
        only.topic_id = other.id
        waiting = bulletin(session, commune, "Không kịp", state=again.state.SUBMITTED)
        for day in (MONDAY, TUESDAY):
            line = plan(session, day)[0]
            place(session, line.airing_id, again.id, actor=commune.author, now=at("01:00"))
        monday, tuesday = (plan(session, day)[0].airing_id for day in (MONDAY, TUESDAY))
        place(session, monday, only.id, actor=commune.author, now=at("01:00"))
        place(session, monday, waiting.id, actor=commune.author, now=at("01:00"))
        for airing_id in (monday, tuesday):
            close_content(session, session.get_one(Airing, airing_id), now=at("05:00"))
        box = receiver(session, commune, "Máy của đài")
        wrote(session, box, monday, (E.STARTED, "05:30", 0), (E.FINISHED, "05:33", 180))
        said(session, commune.villages[0], tuesday, ReceiptKind.PLAYED, "06:00")
        kept = ledger(session, commune)
    shown = figures(kept)
    total = shown.total
    assert (total.pieces, total.pieces_played, total.pieces_confirmed) == (3, 2, 1)
    assert (total.bulletins, total.bulletins_played, total.bulletins_confirmed) == (2, 2, 1)
    assert [(line.label, line.tally.pieces) for line in shown.by_topic] == [("Chuyển đổi số", 2), ("Khác", 1)]
    assert {miss.reason for miss in shown.misses if miss.what == "Tin bài bị rút khỏi buổi phát"} != set()
    narrowed = figures(kept, Choice(topic=other.id)).total
    assert (narrowed.airings, narrowed.pieces, narrowed.villages) == (1, 1, 3)


def test_what_the_station_let_go_is_not_planned_and_stands_among_the_misses_with_its_reason(
    db: Database,
) -> None:
    with db.writing() as session:
        commune = two_days(session)
        tuesday = plan(session, TUESDAY)[0].airing_id
        skip_airing(session, tuesday, actor=commune.author, reason="Nghỉ lễ", now=at("12:00"))
        shown = figures(ledger(session, commune))
    assert (shown.total.airings, shown.skipped) == (1, 1)
    assert any(miss.side == "planned" and "Nghỉ lễ" in miss.reason for miss in shown.misses)


def test_airings_still_ahead_are_not_counted_yet_and_a_period_without_any_is_all_zeroes(db: Database) -> None:
    with db.writing() as session:
        commune = two_days(session)
        early = ledger(session, commune, "12:00", MONDAY)
        empty = gather(session, commune.station, parse_period("2025-02"), now=at("12:00"))
    assert len(early.parts) == 1
    assert early.to_come >= 1
    shown = figures(empty)
    assert shown.total.airings == shown.total.villages == shown.total.pieces == 0
    assert shown.misses == ()
    assert shown.by_topic == ()


def test_a_village_merged_in_the_middle_of_a_period_keeps_its_own_line_under_its_old_name(
    db: Database,
) -> None:
    with db.writing() as session:
        commune = found(session)
        furnish(session, commune)
        slot(session, commune)
        old, heir = commune.villages[0], commune.villages[1]
        old.valid_to, old.successor_id = MONDAY, heir.id
        new = Village(
            station_id=commune.station.id, slug="thon-moi", name="Thôn Mới", position=9, valid_from=TUESDAY
        )
        session.add(new)
        session.flush()
        materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=2)
        kept = ledger(session, commune)
    lines = {line.label: line.tally.villages for line in figures(kept).by_village}
    assert lines == {
        "Thôn 1 (đến ngày 23/11/2026, nay thuộc Thôn 2)": 1,
        "Thôn 2": 2,
        "Thôn 3": 2,
        "Thôn Mới (từ ngày 24/11/2026)": 1,
    }


def test_the_last_word_of_a_village_counts_and_a_withdrawn_one_does_not(db: Database) -> None:
    with db.writing() as session:
        commune = two_days(session)
        one, two, three = commune.villages
        monday = plan(session, MONDAY)[0].airing_id
        said(session, one, monday, ReceiptKind.FAILED, "06:00", "Mất điện")
        said(session, one, monday, ReceiptKind.PLAYED, "06:10")
        said(session, two, monday, ReceiptKind.PLAYED, "06:00")
        said(session, two, monday, ReceiptKind.FAILED, "06:10", "Hỏng loa")
        said(session, three, monday, ReceiptKind.DOWNLOADED, "06:00")
        said(session, three, monday, ReceiptKind.PLAYED, "06:01").withdrawn_at = at("06:02")
        words = {
            cell.village: (cell.said, cell.said_reason) for cell in ledger(session, commune, day=MONDAY).cells
        }
    assert words == {
        one.id: (Said.PLAYED, ""),
        two.id: (Said.FAILED, "Hỏng loa"),
        three.id: (Said.DOWNLOADED, ""),
    }


def test_every_line_s_rows_are_the_rows_it_counts(db: Database) -> None:
    with db.writing() as session:
        commune = found(session, villages=4)
        furnish(session, commune)
        fill_years(session, commune, date(2026, 10, 1), 31, seed=11)
        kept = gather(session, commune.station, parse_period("2026-10"), now=at("12:00"))
    shown = figures(kept)
    choices = (
        *((line, Choice(village=int(line.key))) for line in shown.by_village),
        *((line, Choice(topic=int(line.key))) for line in shown.by_topic),
        *((line, Choice(author=int(line.key))) for line in shown.by_author),
        *((line, Choice(slot=line.key)) for line in shown.by_slot),
        *((line, Choice(month=line.key)) for line in shown.by_month),
    )
    assert len(choices) > 10
    for line, choice in choices:
        rows = [cell for cell in chosen_cells(kept, choice) if kept.parts[cell.part].planned]
        assert len(rows) == line.tally.villages, line.label
        assert sum(cell.player is Player.PLAYED for cell in rows) == line.tally.villages_played
        assert sum(cell.said is Said.PLAYED for cell in rows) == line.tally.villages_confirmed
        assert figures(kept, choice).total == line.tally, line.label


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    from broadcaster.store.upgrade import upgrade

    url = f"sqlite:///{tmp_path_factory.mktemp('tháng mười')}/x.db"
    upgrade(url)
    db = Database(url)
    try:
        with db.writing() as session:
            commune = found(session, villages=4)
            furnish(session, commune)
            fill_years(session, commune, date(2026, 10, 1), 31, seed=5)
            return gather(session, commune.station, parse_period("2026-10"), now=at("12:00"))
    finally:
        db.dispose()


@settings(deadline=None, max_examples=40)
@given(
    day=st.integers(0, 30), length=st.integers(0, 12), village=st.integers(-1, 3), topic=st.integers(-1, 5)
)
def test_lines_add_up_to_the_total_whatever_is_chosen(
    october: Ledger, day: int, length: int, village: int, topic: int
) -> None:
    from dataclasses import replace

    first = date(2026, 10, 1) + timedelta(days=day)
    keep = {
        number
        for number, part in enumerate(october.parts)
        if first <= part.local_date <= first + timedelta(days=length)
    }
    part = replace(october, cells=tuple(cell for cell in october.cells if cell.part in keep))
    topics = sorted(october.topics)
    choice = Choice(
        village=None if village < 0 else october.villages[village].id,
        topic=None if topic < 0 else topics[topic],
    )
    shown = figures(part, choice)
    total = shown.total
    assert total.villages == (
        total.villages_played + total.villages_partly + total.villages_silent + total.villages_unreported
        + total.villages_without_receiver
    ) == total.villages_confirmed + total.villages_failed + total.villages_unsaid  # fmt: skip
    for lines in (shown.by_village, shown.by_slot, shown.by_month):
        for name in (
            "villages",
            "villages_played",
            "villages_confirmed",
            "villages_failed",
            "receivers_played",
        ):
            assert sum(getattr(line.tally, name) for line in lines) == getattr(total, name), name
    for lines in (shown.by_topic, shown.by_author, shown.by_slot, shown.by_month):
        for name in ("pieces", "pieces_played", "pieces_confirmed"):
            assert sum(getattr(line.tally, name) for line in lines) == getattr(total, name), name
    players = [miss.count for miss in shown.misses if miss.side == "player"]
    assert sum(players) == total.villages - total.villages_played


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("2026-11", "tháng 11 năm 2026"),
        ("2026-Q4", "quý IV năm 2026"),
        ("2026", "năm 2026"),
        ("2026-W48", "tuần 48 (từ ngày 23/11/2026 đến ngày 29/11/2026)"),
        ("2026-11-03..2026-11-09", "từ ngày 03/11/2026 đến ngày 09/11/2026"),
    ],
)
def test_a_period_is_read_back_as_it_is_written_and_its_neighbours_touch_it(text: str, label: str) -> None:
    period = parse_period(text)
    assert (period.text, period.label) == (text, label)
    assert before(period).last == period.first - timedelta(days=1)
    assert after(period).first == period.last + timedelta(days=1)
    assert after(before(period)) == period


def test_two_dates_that_make_a_whole_month_are_that_month() -> None:
    assert days_between(date(2026, 2, 1), date(2026, 2, 28)).text == "2026-02"


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-Q5", "11/2026", "2026-11-09..2026-11-03", "2024..2026", "2026-W60"]
)
def test_what_is_no_period_is_refused_with_the_ways_of_writing_one(text: str) -> None:
    with pytest.raises(InputError):
        parse_period(text)
