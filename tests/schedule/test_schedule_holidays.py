"""Holidays by solar and lunar dates, off or on per slot; fillers, carry-over, and how often one text airs."""

from __future__ import annotations

from datetime import date, timedelta

import holidays as countries
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lunar_vn import solar_to_lunar
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import ConfigError, Refused
from broadcaster.model import AiringState, BulletinState
from broadcaster.schedule.airings import close_content, materialise, place
from broadcaster.schedule.fallback import set_fillers
from broadcaster.schedule.holidays import Holiday, days_off, holiday_data, holiday_from, read_holidays
from broadcaster.schedule.live import load_airing
from broadcaster.schedule.policy import Policy, check_repeats
from broadcaster.schedule.rules import set_exception
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, Slot, Station
from tests.support.commune import MONDAY, Commune, at, bulletin, decide, found, slot

TET = {"name": "Tết Nguyên đán", "lunar": "1/1", "days": 5, "from": -1}


@pytest.mark.parametrize(
    ("year", "first"),
    [
        (1985, date(1985, 1, 21)),  # a month before the Chinese new year
        (2007, date(2007, 2, 17)),
        (2026, date(2026, 2, 17)),
        (2027, date(2027, 2, 6)),
        (2030, date(2030, 2, 2)),  # a day before the Chinese one
        (2053, date(2053, 2, 18)),
    ],
)
def test_tet_falls_on_the_vietnamese_date(year: int, first: date) -> None:
    found_days = days_off(
        [holiday_from({"name": "Tết", "lunar": "1/1"})], date(year, 1, 1), date(year, 12, 31)
    )
    assert list(found_days) == [first]


def test_two_independent_calendars_agree_on_a_century_of_tet() -> None:
    for year in range(1990, 2100):
        (ours,) = days_off([Holiday("Tết", lunar=(1, 1))], date(year, 1, 1), date(year, 4, 1))
        theirs = countries.country_holidays("VN", years=year, language="vi")
        assert "Tết Nguyên Đán" in theirs.get(ours, ""), year


def test_tet_begins_on_its_eve_and_lasts_five_days_over_the_year_s_end() -> None:
    off = days_off([holiday_from(TET)], date(2026, 12, 1), date(2027, 2, 28))
    assert list(off) == [date(2027, 2, 5) + timedelta(days=n) for n in range(5)]


def test_the_thirtieth_of_a_short_lunar_month_is_its_last_day() -> None:
    off = days_off([Holiday("Tất niên", lunar=(30, 12))], date(2026, 1, 1), date(2026, 12, 31))
    assert list(off) == [date(2026, 2, 16)]  # the 29th: the month has no 30th


def test_public_holidays_of_the_country_come_by_name() -> None:
    off = days_off([Holiday("Lễ", public=True)], date(2026, 4, 20), date(2026, 5, 5))
    assert off[date(2026, 4, 26)] == "Ngày Giỗ Tổ Hùng Vương"
    assert off[date(2026, 4, 30)].startswith("Ngày Chiến thắng")
    assert date(2026, 5, 1) in off


@given(day=st.integers(1, 30), month=st.integers(1, 12), year=st.integers(1950, 2090))
def test_a_lunar_date_is_found_again_by_the_way_back(day: int, month: int, year: int) -> None:
    found_days = days_off([Holiday("x", lunar=(day, month))], date(year, 1, 1), date(year, 12, 31))
    for solar in found_days:
        lunar = solar_to_lunar(solar)
        assert (lunar.day, lunar.month) in ((day, month), (29, month))
        assert lunar.day == day or day == 30


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"lunar": "1/1"}, "chưa có tên"),
        ({"name": "x"}, "đúng một"),
        ({"name": "x", "lunar": "1/1", "date": "2/9"}, "đúng một"),
        ({"name": "x", "date": "31/2"}, "ngày/tháng"),
        ({"name": "x", "lunar": "31/1"}, "ngày/tháng"),
        ({"name": "x", "date": "2/9", "days": 0}, "days"),
        ({"name": "x", "on": "24-12"}, "mục on"),
        ({"name": "x", "ngay": "2/9"}, "mục lạ"),
    ],
)
def test_a_line_that_cannot_be_a_holiday_is_refused(data: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        holiday_from(data)


@given(
    st.builds(
        Holiday,
        name=st.just("Lễ"),
        lunar=st.tuples(st.integers(1, 30), st.integers(1, 12)),
        days=st.integers(1, 31),
        shift=st.integers(-31, 31),
    )
)
def test_a_holiday_survives_being_stored(row: Holiday) -> None:
    assert read_holidays([holiday_data(row)]) == (row,)


def dates(session: Session, slot_id: int) -> dict[date, AiringState]:
    rows = session.scalars(select(Airing).where(Airing.slot_id == slot_id))
    return {row.local_date: row.state for row in rows}


def test_a_slot_that_rests_on_holidays_is_silent_and_another_is_not(db: Database) -> None:
    tuesday = MONDAY + timedelta(days=1)
    with db.writing() as session:
        commune = found(session)
        rests, sounds = slot(session, commune), slot(session, commune, "Buổi chiều", "17:00")
        session.get_one(Slot, rests.id).on_holidays = False
        materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=3)
        commune.station.holidays = [{"name": "Ngày hội của xã", "on": tuesday.isoformat()}]
        materialise(session, commune.station, today=MONDAY, now=at("00:40"), days=3)
        assert dates(session, rests.id)[tuesday] is AiringState.CANCELLED
        assert dates(session, sounds.id)[tuesday] is AiringState.PLANNED
        row = session.scalars(
            select(Airing).where(Airing.slot_id == rests.id, Airing.local_date == tuesday)
        ).one()
        assert row.reason == "Nghỉ lễ: Ngày hội của xã."
        # Somebody says of that very date that it shall sound: that weighs more.
        set_exception(session, rests.id, tuesday, "extra", actor=commune.author, now=at("00:50"))
        live = session.scalars(
            select(Airing).where(
                Airing.slot_id == rests.id, Airing.local_date == tuesday, Airing.state == AiringState.PLANNED
            )
        ).all()
        assert len(live) == 1


def morning(session: Session, commune: Commune, *, carry: bool = False) -> list[str]:
    """Two mornings of one slot; their airings' ids."""
    row = slot(session, commune)
    session.get_one(Slot, row.id).carry_over = carry
    materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=2)
    return list(
        session.scalars(select(Airing.id).where(Airing.slot_id == row.id).order_by(Airing.local_date))
    )


def test_an_empty_airing_gets_the_filler_that_was_heard_longest_ago(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        first, second = morning(session, commune)
        fillers = [bulletin(session, commune, f"Dự phòng {n}").id for n in (1, 2)]
        set_fillers(session, commune.station, fillers, actor=commune.author, now=at("00:30"))
        close_content(session, load_airing(session, first), now=at("05:00"))
        close_content(session, load_airing(session, second), now=at("05:00", MONDAY + timedelta(days=1)))
        chosen = [
            [(item.bulletin_id, item.dropped_reason) for item in load_airing(session, one).variants[0].items]
            for one in (first, second)
        ]
        assert chosen == [[(fillers[0], "")], [(fillers[1], "")]]
        assert load_airing(session, first).state is AiringState.CLOSED


def test_a_filler_that_was_withdrawn_or_is_too_long_is_not_taken(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        first, _ = morning(session, commune)
        gone, long = bulletin(session, commune, "Rút"), bulletin(session, commune, "Dài", seconds=20 * 60)
        set_fillers(session, commune.station, [gone.id, long.id], actor=commune.author, now=at("00:30"))
        decide(session, commune, gone.revisions[-1], "withdrawn")
        close_content(session, load_airing(session, first), now=at("05:00"))
        assert load_airing(session, first).state is AiringState.SKIPPED


def test_a_filler_must_be_approved(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        row = bulletin(session, commune, "Chưa", state=BulletinState.SUBMITTED)
        with pytest.raises(Refused, match="chưa được duyệt"):
            set_fillers(session, commune.station, [row.id], actor=commune.author, now=at("00:30"))


@pytest.mark.parametrize("carry", [True, False])
def test_what_came_too_late_goes_into_the_next_airing_where_the_slot_says_so(
    db: Database, carry: bool
) -> None:
    with db.writing() as session:
        commune = found(session)
        first, second = morning(session, commune, carry=carry)
        late = bulletin(session, commune, "Muộn", state=BulletinState.SUBMITTED)
        other = bulletin(session, commune, "Hôm sau")
        place(session, first, late.id, actor=commune.author, now=at("00:30"))
        place(session, second, other.id, actor=commune.author, now=at("00:30"))
        close_content(session, load_airing(session, first), now=at("05:00"))
        order = [item.bulletin_id for item in load_airing(session, second).variants[0].items]
        assert order == ([late.id, other.id] if carry else [other.id])
        assert load_airing(session, first).variants[0].items[0].dropped_reason


def test_what_was_withdrawn_is_not_carried_over(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        first, second = morning(session, commune, carry=True)
        row = bulletin(session, commune, "Rút")
        place(session, first, row.id, actor=commune.author, now=at("00:30"))
        decide(session, commune, row.revisions[-1], "withdrawn")
        row.state = BulletinState.WITHDRAWN
        close_content(session, load_airing(session, first), now=at("05:00"))
        assert load_airing(session, second).variants[0].items == []


def test_one_text_airs_no_more_often_than_the_regulation_allows(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        first, second = morning(session, commune)
        session.get_one(Station, commune.station.id).policy = {"repeats_in_30_days": 1}
        row = bulletin(session, commune, "Một lần")
        place(session, first, row.id, actor=commune.author, now=at("00:30"))
        with pytest.raises(Refused, match="không quá 1 lần trong 30 ngày"):
            place(session, second, row.id, actor=commune.author, now=at("00:30"))


@given(st.lists(st.integers(-60, 60), max_size=30), st.integers(1, 10))
def test_repeats_are_counted_in_every_thirty_days_around_the_date(steps: list[int], most: int) -> None:
    placed = [MONDAY + timedelta(days=step) for step in steps]
    everything = [*placed, MONDAY]
    heaviest = max(
        sum(1 for one in everything if 0 <= (one - MONDAY).days - start < 30) for start in range(-29, 1)
    )
    refused = bool(check_repeats(Policy(repeats_in_30_days=most), "x", MONDAY, placed))
    assert refused == (heaviest > most)
