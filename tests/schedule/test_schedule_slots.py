"""Weekly rules become the right days and instants, wherever the machine stands."""

from __future__ import annotations

import os
import time as clock
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import InputError
from broadcaster.model import SlotExceptionRule, SlotRule
from broadcaster.schedule.slots import (
    Occurrence,
    crosses_midnight,
    format_weekdays,
    in_turn,
    instant,
    local_day,
    occurrences,
    ordinal,
    parse_weekdays,
)

MORNING = SlotRule(1, frozenset({1, 2, 3, 4, 5, 6}), time(5, 30), date(2026, 1, 1))

days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
weekday_sets = st.frozensets(st.integers(1, 7), min_size=1)
times = st.times().map(lambda value: value.replace(second=0, microsecond=0))


@st.composite
def rules(draw: st.DrawFn) -> SlotRule:
    start = draw(days)
    end = draw(st.none() | st.integers(0, 400).map(lambda span: start + timedelta(days=span)))
    return SlotRule(1, draw(weekday_sets), draw(times), start, end)


@st.composite
def exceptions(draw: st.DrawFn) -> list[SlotExceptionRule]:
    dates = draw(st.lists(days, unique=True, max_size=20))
    return [
        SlotExceptionRule(
            1, day, draw(st.sampled_from(["skip", "replace", "extra"])), draw(st.none() | times)
        )
        for day in dates
    ]


def test_a_week_from_monday_to_saturday_leaves_sunday_out() -> None:
    found = occurrences(MORNING, [], date(2026, 11, 23), date(2026, 11, 30))
    assert [one.local_date.day for one in found] == [23, 24, 25, 26, 27, 28, 30]
    assert {one.start_local for one in found} == {time(5, 30)}


def test_exceptions_skip_move_and_add_days_of_their_own_slot_only() -> None:
    changed = [
        SlotExceptionRule(1, date(2026, 11, 24), "skip"),
        SlotExceptionRule(1, date(2026, 11, 25), "replace", time(6, 15)),
        SlotExceptionRule(1, date(2026, 11, 29), "extra", time(7, 0)),
        SlotExceptionRule(2, date(2026, 11, 26), "skip"),
    ]
    assert occurrences(MORNING, changed, date(2026, 11, 24), date(2026, 11, 29)) == [
        Occurrence(date(2026, 11, 25), time(6, 15), "replace"),
        Occurrence(date(2026, 11, 26), time(5, 30)),
        Occurrence(date(2026, 11, 27), time(5, 30)),
        Occurrence(date(2026, 11, 28), time(5, 30)),
        Occurrence(date(2026, 11, 29), time(7, 0), "extra"),
    ]


@given(rules(), exceptions(), days, st.integers(0, 60))
def test_occurrences_agree_with_asking_every_single_day(
    rule: SlotRule, changed: list[SlotExceptionRule], first: date, span: int
) -> None:
    last = first + timedelta(days=span)
    whole = occurrences(rule, changed, first, last)
    one_by_one = [
        found
        for step in range(span + 1)
        for found in occurrences(rule, changed, first + timedelta(days=step), first + timedelta(days=step))
    ]
    assert whole == one_by_one
    assert len({one.local_date for one in whole}) == len(whole)
    skipped = {row.local_date for row in changed if row.action == "skip"}
    for one in whole:
        assert rule.valid_from <= one.local_date
        assert rule.valid_to is None or one.local_date <= rule.valid_to
        assert one.local_date not in skipped
        assert one.local_date.isoweekday() in rule.weekdays or one.origin == "extra"


@given(rules(), days)
def test_the_ordinal_of_a_day_counts_the_rule_s_own_days_before_it(rule: SlotRule, day: date) -> None:
    endless = SlotRule(1, rule.weekdays, rule.start_local, rule.valid_from)
    before = occurrences(endless, [], rule.valid_from, day - timedelta(days=1))
    assert ordinal(rule, day) == len(before)


@given(st.lists(st.integers(), min_size=1, max_size=9, unique=True), st.integers(1, 12), st.integers(0, 500))
def test_hands_are_dealt_in_turn_without_repeats(things: list[int], per_airing: int, turn: int) -> None:
    hand = in_turn(things, per_airing=per_airing, turn=turn)
    following = in_turn(things, per_airing=per_airing, turn=turn + 1)
    assert len(hand) == min(per_airing, len(things)) == len(set(hand))
    position = things.index(hand[-1])
    assert following[0] == things[(position + 1) % len(things)]


def test_nothing_to_deal_gives_an_empty_hand() -> None:
    assert in_turn([], per_airing=3, turn=7) == []


@given(weekday_sets)
def test_weekdays_survive_being_written_and_read(weekdays: frozenset[int]) -> None:
    assert parse_weekdays(format_weekdays(weekdays)) == weekdays


@pytest.mark.parametrize("text", ["", " , ", "mon-sat", "1,2", "Mon", "thứ hai", "mon,mon", "mon,", "*"])
def test_weekdays_that_are_not_plain_names_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_weekdays(text)


def test_a_misspelt_weekday_is_met_with_a_suggestion() -> None:
    with pytest.raises(InputError, match="“tue”"):
        parse_weekdays("mon,tues")


def test_a_session_may_end_at_midnight_and_not_a_minute_later() -> None:
    assert not crosses_midnight(time(23, 45), 15)
    assert crosses_midnight(time(23, 45), 16)


@pytest.fixture(params=["UTC", "Asia/Ho_Chi_Minh", "America/New_York"])
def _machine_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    clock.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    clock.tzset()


@pytest.mark.usefixtures("_machine_zone")
def test_half_past_five_at_the_station_is_the_same_instant_on_every_machine() -> None:
    assert instant("Asia/Ho_Chi_Minh", date(2026, 11, 24), time(5, 30)) == datetime(
        2026, 11, 23, 22, 30, tzinfo=UTC
    )
    assert local_day("Asia/Ho_Chi_Minh", datetime(2026, 11, 23, 17, 0, tzinfo=UTC)) == date(2026, 11, 24)
    assert local_day("Asia/Ho_Chi_Minh", datetime(2026, 11, 23, 16, 59, tzinfo=UTC)) == date(2026, 11, 23)


def test_where_clocks_jump_a_missing_time_moves_and_a_double_one_is_its_first() -> None:
    missing = instant("America/New_York", date(2026, 3, 8), time(2, 30))
    double = instant("America/New_York", date(2026, 11, 1), time(1, 30))
    assert missing == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert double == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_a_zone_that_does_not_exist_is_a_sentence() -> None:
    with pytest.raises(InputError, match="múi giờ"):
        instant("Asia/Thanh_Hoa", date(2026, 1, 1), time(5, 30))
