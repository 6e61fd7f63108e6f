"""Dates, figures and marks as Vietnamese readers expect them."""

from __future__ import annotations

import ast
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.model import Mark, Reading, ReadingWarning, Sentence
from broadcaster.reading import read
from tests.support.web_station import GOOD, NOW, OPEN_TEXT
from web import marking, words
from web.changes import FIELDS

ROOT = Path(__file__).resolve().parents[2]


def test_days_are_named_and_written_the_vietnamese_way() -> None:
    assert words.long_day(date(2026, 11, 24)) == "Thứ Ba, 24/11/2026"
    assert words.long_day(date(2026, 11, 29)) == "Chủ nhật, 29/11/2026"
    assert words.instant_text(NOW, "Asia/Ho_Chi_Minh") == "08:00 ngày 24/11/2026"


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [(3012, 0, "3.012"), (92.5, 1, "92,5"), (1234567.89, 2, "1.234.567,89")],
)
def test_figures_have_points_between_thousands_and_a_comma_before_decimals(
    value: float, decimals: int, expected: str
) -> None:
    assert words.number_text(value, decimals) == expected


def test_lengths_are_minutes_and_seconds() -> None:
    assert words.length_text(272_000) == "4:32"
    assert words.length_text(None) == "–"
    assert words.length_words(60_000) == "1 phút"
    assert words.length_words(62_000) == "1 phút 2 giây"
    assert words.span_text(timedelta(hours=9)) == "9 giờ 00 phút"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("24/11/2026", date(2026, 11, 24)), (" 1-2-2026 ", date(2026, 2, 1)), ("2026-11-24", date(2026, 11, 24)),
     ("31/02/2026", None), ("24/11", None), ("mai", None)],
)  # fmt: skip
def test_days_are_understood_as_people_type_them(text: str, expected: date | None) -> None:
    assert words.parse_day(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("05:30", time(5, 30)), ("5h30", time(5, 30)), ("17h", time(17)), ("17 giờ 05", time(17, 5)), ("05:30:00", time(5, 30)),
     ("24:00", None), ("5:75", None), ("sáng", None), ("", None)],
)  # fmt: skip
def test_times_are_understood_as_people_type_them(text: str, expected: time | None) -> None:
    assert words.parse_time(text) == expected


def test_searching_ignores_tone_marks_and_the_order_of_words() -> None:
    assert words.found("lon dong", "Thôn Đồng Lớn")
    assert words.found("", "Bất kỳ")
    assert not words.found("dong be", "Thôn Đồng Lớn")


@settings(deadline=None)
@given(st.text())
def test_plain_text_never_fails_and_is_its_own_plain_text(text: str) -> None:
    assert words.plain(words.plain(text)) == words.plain(text)


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))
def test_a_week_begins_on_monday_and_holds_its_day(moment: datetime) -> None:
    monday = words.monday_of(moment.date())
    assert monday.weekday() == 0
    assert 0 <= (moment.date() - monday).days < 7


@pytest.mark.parametrize("text", [GOOD, OPEN_TEXT])
def test_the_pieces_of_a_sentence_put_together_are_the_sentence(text: str) -> None:
    reading = read(text)
    for row in marking.rows(reading):
        assert "".join(piece.text for piece in row.written) == row.sentence.written
        assert "".join(piece.text for piece in row.spoken) == row.sentence.spoken
    assert any(piece.kind == "change" for row in marking.rows(reading) for piece in row.spoken)


@settings(deadline=None)
@given(st.text(alphabet="aăâ 0123456789.,/-%UBND\n", max_size=120))
def test_the_pieces_are_the_sentence_for_any_text(text: str) -> None:
    for row in marking.rows(read(text)):
        assert "".join(piece.text for piece in row.written) == row.sentence.written
        assert "".join(piece.text for piece in row.spoken) == row.sentence.spoken


def test_an_open_question_wins_over_a_change_at_its_place() -> None:
    sentence = Sentence(0, 8, "Số: /KH.", "số kế hoạch.", (Mark(0, 4, "Số: ", "số", "id"),))
    warning = ReadingWarning("k", "blank", 0, 4, "Số: ", "Còn trống.")
    pieces = marking.written_pieces(sentence, (warning,))
    assert [(piece.text, piece.kind) for piece in pieces] == [("Số: ", "ask"), ("/KH.", "plain")]


def test_a_question_outside_every_sentence_is_not_lost() -> None:
    warning = ReadingWarning("k", "blank", 3, 6, "...", "Còn trống.")
    assert marking.elsewhere(Reading("abc...", (), (), (warning,))) == [warning]


def test_whatever_goes_into_the_book_of_changes_has_a_vietnamese_name() -> None:
    keys, actions = set(), set()
    for file in (*ROOT.glob("broadcaster/**/*.py"), *ROOT.glob("web/**/*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "detail":
                keys |= {
                    key.value
                    for each in ast.walk(node.value)
                    if isinstance(each, ast.Dict)
                    for key in each.keys
                    if isinstance(key, ast.Constant)
                }
            if (
                isinstance(node, ast.keyword)
                and node.arg == "action"
                and isinstance(node.value, ast.Constant)
            ):
                actions.add(node.value.value)
    assert len(keys) > 60
    assert keys - {"before", "after"} <= set(FIELDS)
    assert len(actions) > 40
    assert [action for action in actions if isinstance(action, str) and action.isascii()] == []
