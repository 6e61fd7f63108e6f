"""A player's log becomes one outcome and one sentence, whatever order trouble came in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.model import AiringState, AsRunEvent, Outcome
from broadcaster.playout import decide
from broadcaster.report.summary import TABLE, Contact, Event, Planned, Stage, outcome
from tests.support.commune import at

PLANNED = Planned(planned_at=at("05:30"), receiver="Máy của đài", duration_ms=600_000)
NOON = at("12:00")
E = AsRunEvent


def line(event: AsRunEvent, clock: str, offset_s: int = 0, reason: str = "") -> Event:
    return Event(event, at(clock), offset_s * 1000, reason)


STARTED = line(E.STARTED, "05:30:00")


@pytest.mark.parametrize(
    ("events", "expected", "why"),
    [
        (
            [STARTED, line(E.FINISHED, "05:40", 600)],
            Outcome.PLAYED,
            "Đã phát đủ, lúc 05:30:00.",
        ),
        (
            [line(E.STARTED, "05:31:15"), line(E.FINISHED, "05:41", 600)],
            Outcome.PLAYED,
            "Đã phát đủ, muộn 1 phút 15 giây, lúc 05:31:15.",
        ),
        (
            [
                STARTED,
                line(E.PREEMPTED, "05:33", 180, "Nhường cho buổi khẩn hơn: Bão."),
                line(E.RESUMED, "05:36", 180),
                line(E.FINISHED, "05:43", 600),
            ],
            Outcome.PLAYED,
            "Đã phát đủ, lúc 05:30:00, có lúc bị ngắt rồi phát tiếp.",
        ),
        (
            [STARTED, line(E.INTERRUPTED, "05:33", 200, "Máy phát bị tắt giữa buổi")],
            Outcome.INTERRUPTED,
            "Đang phát thì dừng sau 3 phút 20 giây: Máy phát bị tắt giữa buổi.",
        ),
        (
            [STARTED, line(E.PREEMPTED, "05:30:45", 45, "Nhường cho buổi khẩn hơn: Bão.")],
            Outcome.PREEMPTED,
            "Bị buổi khác cắt ngang sau 45 giây: Nhường cho buổi khẩn hơn: Bão.",
        ),
        (
            [line(E.MISSED, "06:10", reason="Máy phát không chạy từ 05:00 đến 06:10.")],
            Outcome.MISSED,
            "Không phát: Máy phát không chạy từ 05:00 đến 06:10.",
        ),
        (
            [line(E.SKIPPED, "05:35", reason="Không có thẻ âm thanh")],
            Outcome.SKIPPED,
            "Không phát: Không có thẻ âm thanh.",
        ),
        ([line(E.SKIPPED, "05:35")], Outcome.SKIPPED, "Không phát: không rõ lý do."),
        (
            [line(E.SKIPPED, "05:31", reason="Chưa có thẻ."), line(E.STARTED, "05:32"), line(E.FINISHED, "05:42", 600)],
            Outcome.PLAYED,
            "Đã phát đủ, muộn 2 phút, lúc 05:32:00.",
        ),
    ],
)  # fmt: skip
def test_each_story_has_its_outcome_and_its_sentence(
    events: list[Event], expected: Outcome, why: str
) -> None:
    told = outcome(events, PLANNED, NOON)
    assert (told.outcome, told.why) == (expected, why)


def test_until_its_report_comes_the_receiver_is_named() -> None:
    assert outcome([], PLANNED, at("05:00")).why == "Chưa tới giờ phát."
    told = outcome([], PLANNED, at("05:31"))
    assert (told.outcome, told.why) == (Outcome.UNREPORTED, "Chưa có báo cáo từ Máy của đài.")
    late = outcome([], PLANNED, at("05:30") + timedelta(days=7, seconds=1))
    assert late.why == "Không có báo cáo từ Máy của đài trong 7 ngày."


def test_what_the_station_left_out_says_so_and_a_player_that_sounded_it_all_the_same_is_believed() -> None:
    skipped = replace(PLANNED, state=AiringState.SKIPPED, reason="Mất điện cả xã")
    told = outcome([], skipped, NOON)
    assert (told.outcome, told.why) == (Outcome.SKIPPED, "Đài không phát buổi này: Mất điện cả xã.")
    heard = outcome([STARTED, line(E.FINISHED, "05:40", 600)], skipped, NOON)
    assert heard.outcome is Outcome.PLAYED


def test_an_airing_that_sounds_now_is_not_called_unfinished_before_its_length_is_over() -> None:
    now = outcome([STARTED], PLANNED, at("05:41"))
    assert (now.outcome, now.why, now.sounding) == (Outcome.UNREPORTED, "Đang phát.", True)
    later = outcome([STARTED], PLANNED, at("05:43"))
    assert later.why == "Đã bắt đầu lúc 05:30:00, chưa có báo cáo kết thúc từ Máy của đài."
    assert not later.sounding


def test_what_was_heard_is_measured() -> None:
    cut = outcome([STARTED, line(E.INTERRUPTED, "05:33", 200)], PLANNED, NOON)
    assert (cut.heard_ms, cut.started_at) == (200_000, at("05:30"))
    assert outcome([STARTED, line(E.FINISHED, "05:40")], PLANNED, NOON).heard_ms == 600_000


def test_the_table_answers_for_every_stage_and_every_event() -> None:
    assert set(TABLE) == set(Stage)
    assert all(set(row) == set(AsRunEvent) for row in TABLE.values())


events = st.lists(
    st.builds(
        Event,
        st.sampled_from(AsRunEvent),
        st.integers(0, 7200).map(lambda seconds: at("05:30") + timedelta(seconds=seconds)),
        st.integers(0, 900_000),
        st.sampled_from(["", "Mất điện", "Nhường."]),
    ),
    max_size=8,
)


@given(events)
def test_any_log_ends_in_one_outcome_with_one_sentence_and_what_was_heard_cannot_be_missed(
    log: list[Event],
) -> None:
    told = outcome(log, PLANNED, NOON)
    assert told.why.endswith(".")
    kinds = {one.event for one in log}
    if E.FINISHED in kinds:
        assert told.outcome is Outcome.PLAYED
    if kinds & {E.STARTED, E.RESUMED, E.FINISHED}:
        assert told.outcome not in (Outcome.MISSED, Outcome.SKIPPED)
    if not kinds:
        assert told.outcome is Outcome.UNREPORTED


@given(events)
def test_a_log_that_is_uploaded_again_after_the_end_changes_nothing(log: list[Event]) -> None:
    finished = [*log, STARTED, line(E.FINISHED, "05:40", 600)]
    assert outcome([*finished, *log], PLANNED, NOON) == outcome(finished, PLANNED, NOON)


@pytest.mark.parametrize(("contact", "rest"), [
    (Contact(), ": máy này chưa nối với đài lần nào."),
    (Contact(at("04:12")), ": đài mất liên lạc với máy này từ 04:12 ngày 23/11, có thể do mất điện hoặc mất mạng."),
    (Contact(at("05:44"), "Không có card âm thanh"), ", máy vẫn nối với đài và báo: Không có card âm thanh."),
    (Contact(at("05:44")), ", máy vẫn nối với đài."),
])  # fmt: skip
def test_a_receiver_without_a_report_is_told_of_by_what_is_known_of_it(contact: Contact, rest: str) -> None:
    told = outcome([], replace(PLANNED, contact=contact), at("05:45"))
    assert told.why == "Chưa có báo cáo từ Máy của đài" + rest


REASONS = {name: value for name, value in vars(decide).items() if name.isupper() and isinstance(value, str)}


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS.keys())
@pytest.mark.parametrize("event", [E.INTERRUPTED, E.PREEMPTED, E.MISSED, E.SKIPPED])
def test_every_reason_a_player_can_give_makes_one_sentence_for_every_end(
    event: AsRunEvent, reason: str
) -> None:
    started = [STARTED] if event in (E.INTERRUPTED, E.PREEMPTED) else []
    told = outcome([*started, line(event, "05:33", 180, reason)], PLANNED, NOON)
    assert told.outcome is Outcome(event.value)
    assert told.why.endswith(reason)
    assert told.why[0].isupper()
    assert "không rõ" not in told.why


def test_every_outcome_there_is_has_a_sentence() -> None:
    stories = {
        Outcome.PLAYED: [STARTED, line(E.FINISHED, "05:40", 600)],
        Outcome.INTERRUPTED: [STARTED, line(E.INTERRUPTED, "05:33", 200, "Mất điện")],
        Outcome.PREEMPTED: [STARTED, line(E.PREEMPTED, "05:33", 200, "Bão")],
        Outcome.MISSED: [line(E.MISSED, "05:40", reason="Mất điện")],
        Outcome.SKIPPED: [line(E.SKIPPED, "05:40", reason="Mất điện")],
        Outcome.UNREPORTED: [],
    }
    assert set(stories) == set(Outcome)
    for expected, events in stories.items():
        told = outcome(events, PLANNED, NOON)
        assert (told.outcome, told.why[-1]) == (expected, ".")
