"""The commune's regulation refuses what it must, and says the ways out."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import ConfigError
from broadcaster.model import Priority
from broadcaster.schedule.policy import Policy, Session, check_session, clashes

POLICY = Policy(sessions_a_day=2, minutes_a_session=30, minutes_a_day=50)


def session(name: str, start: str, minutes: int = 15, **more: object) -> Session:
    return Session(key=name, name=name, start=time.fromisoformat(start), minutes=minutes, **more)  # type: ignore[arg-type]


def messages(one: Session, *others: Session, weekday: int = 1, policy: Policy = POLICY) -> list[str]:
    return [refusal.message for refusal in check_session(policy, one, weekday=weekday, others=others)]


def test_an_ordinary_morning_is_allowed() -> None:
    assert messages(session("sáng", "05:30"), session("chiều", "17:00")) == []


@pytest.mark.parametrize(
    ("start", "minutes", "says"),
    [
        ("04:45", 15, "không phát trước 05:30"),
        ("20:50", 15, "phải kết thúc trước 21:00"),
        ("06:00", 31, "mỗi buổi không quá 30 phút"),
        ("23:50", 15, "qua nửa đêm"),
        ("06:00", 0, "ít nhất một phút"),
    ],
)
def test_each_limit_of_a_session_is_named(start: str, minutes: int, says: str) -> None:
    assert any(says in message for message in messages(session("buổi", start, minutes)))


def test_a_session_may_end_exactly_when_the_day_ends() -> None:
    assert messages(session("tối", "20:45", 15)) == []


def test_quiet_hours_of_noon_are_kept() -> None:
    noon = Policy(quiet_from=time(11, 30), quiet_to=time(13, 30))
    assert any("giờ yên tĩnh 11:30–13:30" in one for one in messages(session("trưa", "11:20"), policy=noon))
    assert messages(session("trưa", "11:15"), policy=noon) == []
    assert messages(session("chiều", "13:30"), policy=noon) == []


def test_days_without_broadcasts_are_refused() -> None:
    weekdays = Policy(weekdays=frozenset({1, 2, 3, 4, 5, 6}))
    assert any(
        "Chủ nhật không phát" in one for one in messages(session("x", "07:00"), weekday=7, policy=weekdays)
    )


def test_the_third_session_of_a_day_and_the_minute_too_many_are_refused() -> None:
    day = (session("sáng", "05:30", 20), session("chiều", "17:00", 20))
    found = messages(session("tối", "19:00", 15), *day)
    assert any("không quá 2 buổi" in one for one in found)
    assert any("không quá 50 phút" in one for one in found)


def test_sessions_for_different_villages_are_counted_by_village() -> None:
    day = (
        session("sáng", "05:30", villages=frozenset({1})),
        session("trưa", "10:00", villages=frozenset({1})),
    )
    assert messages(session("tối", "19:00", villages=frozenset({2})), *day) == []
    assert any("3 buổi" in one for one in messages(session("tối", "19:00"), *day))


def test_an_emergency_asks_no_policy() -> None:
    night = session("bão", "23:50", 30, priority=Priority.EMERGENCY)
    assert messages(night, session("khác", "23:55", 5)) == []


def test_a_clash_names_both_and_offers_three_ways_out() -> None:
    other = session("Buổi sáng", "05:30", 15)
    (found,) = clashes(session("Phụ nữ", "05:40", 20), [other])
    assert found.message == "“Phụ nữ” (05:40–06:00) trùng giờ với “Buổi sáng” (05:30–05:45)."
    assert found.remedies == (
        "Đặt ngay sau “Buổi sáng”, lúc 05:45.",
        "Chọn giờ khác còn trống, ví dụ 05:45.",
        "Thay buổi hôm đó: cho “Buổi sáng” nghỉ ngày này rồi đặt vào chỗ của nó.",
    )


def test_sessions_that_touch_do_not_clash_and_other_villages_do_not_hear() -> None:
    assert clashes(session("b", "05:45"), [session("a", "05:30", 15)]) == []
    assert (
        clashes(
            session("b", "05:30", villages=frozenset({2})), [session("a", "05:30", villages=frozenset({1}))]
        )
        == []
    )
    assert len(clashes(session("b", "05:30", villages=frozenset({2})), [session("a", "05:30")])) == 1


starts = st.integers(0, 287).map(lambda step: time(step * 5 // 60, step * 5 % 60))


@given(starts, st.integers(1, 60), starts, st.integers(1, 60))
def test_a_clash_is_mutual_and_is_what_minute_by_minute_comparison_says(
    first: time, long: int, second: time, short: int
) -> None:
    one = Session("1", "một", first, long)
    two = Session("2", "hai", second, short)
    same_minute = set(range(one.first_minute, one.last_minute)) & set(
        range(two.first_minute, two.last_minute)
    )
    assert bool(clashes(one, [two])) == bool(clashes(two, [one])) == bool(same_minute)


@given(starts, st.integers(5, 30), st.lists(st.tuples(starts, st.integers(5, 30)), max_size=5))
def test_the_free_time_that_a_remedy_names_is_free(
    start: time, minutes: int, day: list[tuple[time, int]]
) -> None:
    others = [Session(str(number), f"buổi {number}", *row) for number, row in enumerate(day)]
    wanted = Session("mới", "mới", start, minutes)
    for refusal in clashes(wanted, others):
        for way in refusal.remedies:
            if "ví dụ " in way:
                free = time.fromisoformat(way.split("ví dụ ")[1].rstrip("."))
                assert check_session(
                    Policy(sessions_a_day=99, minutes_a_day=9999), Session("mới", "mới", free, minutes),
                    weekday=1, others=others,
                ) == []  # fmt: skip


def test_policy_survives_being_stored() -> None:
    policy = Policy(earliest_start=time(5, 0), weekdays=frozenset({1, 6}), sessions_a_day=4)
    assert Policy.from_data(policy.to_data()) == policy
    assert Policy.from_data({}) == Policy()


def test_an_unknown_rule_is_met_with_the_nearest_known_one() -> None:
    with pytest.raises(ConfigError, match="“earliest_start”"):
        Policy.from_data({"earliest_star": "05:00"})


@pytest.mark.parametrize(
    "data", [{"earliest_start": "5h30"}, {"sessions_a_day": 0}, {"minutes_a_day": True}, {"quiet_to": 5}]
)
def test_an_impossible_rule_is_a_sentence(data: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="không hợp lệ"):
        Policy.from_data(data)
