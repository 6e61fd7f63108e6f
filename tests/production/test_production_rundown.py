"""The running order: pure arithmetic on samples."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.errors import InputError
from broadcaster.model import JingleKind
from broadcaster.production.rundown import Bus, Item, build_timeline, samples
from broadcaster.production.template import (
    Template,
    opening_words,
    programme_words,
    template_data,
    template_from,
)

S = 44_100
WORDS = {"call_sign": 3 * S, "greeting": 5 * S, "headlines": 3 * S, "repeat": S, "closing": 4 * S}
JINGLES = {
    JingleKind.OPENING: 14 * S,
    JingleKind.CLOSING: 9 * S,
    JingleKind.CUT: 2 * S,
    JingleKind.CHIME: 3 * S,
    JingleKind.BED: 24 * S,
}
ITEMS = [Item("Một", 30 * S), Item("Hai", 20 * S, read_twice=True), Item("Ba", 10 * S)]


def names(timeline, bus=None):  # type: ignore[no-untyped-def]
    return [cue.source for cue in timeline.cues if bus is None or cue.bus is bus]


def test_everything_comes_in_the_order_of_a_programme() -> None:
    timeline = build_timeline(Template(), items=ITEMS, words=WORDS, jingles=JINGLES)
    assert names(timeline) == [
        "jingle:opening", "words:call_sign", "words:greeting", "words:headlines", "jingle:chime", "item:0", "jingle:cut", "item:1",
        "words:repeat", "item:1", "jingle:cut", "item:2", "words:closing", "jingle:closing",
    ]  # fmt: skip
    assert timeline.cues[0].start == samples(1_000)
    assert [span.kind for span in timeline.spans] == [
        "opening", "words", "words", "item", "item", "repeat", "item", "closing",
    ]  # fmt: skip


def test_the_opening_sinks_under_the_call_sign_and_is_gone_soon_after() -> None:
    timeline = build_timeline(Template(), items=ITEMS, words=WORDS, jingles=JINGLES)
    opening, sign = timeline.cues[0], timeline.cues[1]
    assert opening.start < sign.start < opening.end
    at_sign = sign.start - opening.start
    level = dict(opening.gain)
    assert level[at_sign] == pytest.approx(-15.0)
    assert level[opening.length] <= -60
    assert opening.end - sign.end <= samples(1_500)


def test_the_call_sign_is_said_by_two_voices_in_turn_over_the_opening() -> None:
    timeline = build_timeline(Template(), items=ITEMS, words=WORDS | {"call_sign_2": 2 * S}, jingles=JINGLES)
    opening, first, second = timeline.cues[:3]
    assert [first.source, second.source] == ["words:call_sign", "words:call_sign_2"]
    assert second.start == first.end + samples(350)
    assert opening.start < first.start
    assert second.end < opening.end
    low = dict(opening.gain)[first.start - opening.start]
    assert [level for at, level in opening.gain if first.start <= opening.start + at <= second.start] == [low]
    bare = build_timeline(
        Template(call_sign_under_jingle=False),
        items=ITEMS,
        words=WORDS | {"call_sign_2": 2 * S},
        jingles=JINGLES,
    )
    assert names(bare)[:3] == ["jingle:opening", "words:call_sign", "words:call_sign_2"]


def test_the_order_of_a_template_is_the_order_of_the_programme() -> None:
    template = Template(order="greeting opening chime items closing headlines")
    assert [name for name in names(build_timeline(template, items=ITEMS[:1], words=WORDS, jingles=JINGLES))] == [
        "words:greeting", "jingle:opening", "words:call_sign", "jingle:chime", "item:0", "words:closing",
        "jingle:closing", "words:headlines",
    ]  # fmt: skip
    only = build_timeline(Template(order="items"), items=ITEMS[:1], words=WORDS, jingles=JINGLES)
    assert names(only) == ["item:0"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"order": "opening closing"}, "phải có phần các bản tin"),
        ({"order": "items items"}, "chỉ đứng ở một chỗ"),
        ({"order": "items weather"}, "không có phần “weather”"),
        ({"jingles": {"opening": "../../etc/passwd"}}, "chọn lại"),
        ({"jingles": {"drum": "a" * 64}}, "chọn lại"),
        ({"jingles": ["a"]}, "chọn lại"),
    ],
)
def test_an_order_or_jingle_that_cannot_be_is_refused_in_words(data: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        template_from(data)


def test_without_jingles_or_words_only_items_and_rests_remain() -> None:
    timeline = build_timeline(Template(), items=ITEMS[:1], words={}, jingles={})
    assert names(timeline) == ["item:0"]
    rests = 1_000 + 1_300 + 1_000
    assert timeline.length == 30 * S + samples(rests)


def test_the_bed_lies_from_the_greeting_to_the_last_word_and_rises_in_long_gaps() -> None:
    template = Template(bed=True, between_items_ms=4_000, cuts=False)
    timeline = build_timeline(template, items=ITEMS, words=WORDS, jingles=JINGLES)
    (bed,) = [cue for cue in timeline.cues if cue.source == "jingle:bed"]
    closing = next(cue for cue in timeline.cues if cue.source == "words:closing")
    assert bed.loop
    assert bed.end == closing.end
    assert max(db for _, db in bed.gain) == template.bed_gap_db
    assert bed.gain[0][1] == bed.gain[-1][1] == -60.0


lengths = st.integers(1, 100 * S)


@given(
    items=st.lists(st.builds(Item, title=st.just("x"), length=lengths, read_twice=st.booleans()), min_size=1, max_size=6),
    words=st.dictionaries(st.sampled_from(["call_sign", "opening", "item_intro", "repeat", "closing"]), lengths),
    jingles=st.dictionaries(st.sampled_from([kind for kind in JingleKind if kind is not JingleKind.ALERT]), lengths),
    flags=st.fixed_dictionaries({name: st.booleans() for name in ("bed", "chime", "cuts", "opening_jingle", "call_sign_under_jingle")}),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_speech_never_overlaps_speech_and_nothing_is_lost(items, words, jingles, flags) -> None:  # type: ignore[no-untyped-def]
    timeline = build_timeline(Template(**flags), items=items, words=words, jingles=jingles)
    speech = [cue for cue in timeline.cues if cue.bus is Bus.SPEECH]
    for before, after in zip(speech, speech[1:], strict=False):
        assert before.end <= after.start
    assert all(0 <= cue.start and cue.end <= timeline.length and cue.length > 0 for cue in timeline.cues)
    assert list(timeline.cues) == sorted(timeline.cues, key=lambda cue: (cue.start, cue.source))
    for cue in timeline.cues:
        offsets = [at for at, _ in cue.gain]
        assert offsets == sorted(offsets)
    for number, item in enumerate(items):
        sounded = [cue.length for cue in speech if cue.source == f"item:{number}"]
        assert sounded == [item.length] * (2 if item.read_twice else 1)


# ------------------------------------------------------------------------------------------ the words


def filled(template: Template, titles: list[str]):  # type: ignore[no-untyped-def]
    return programme_words(
        template,
        station_name="Đài xã Tân Bình",
        call_sign="Đây là Đài xã Tân Bình.",
        local_date=date(2026, 11, 24),
        start_local=time(5, 30),
        titles=titles,
    )


def test_the_words_of_the_day_are_filled_in() -> None:
    words = filled(Template(), ["Lịch tiêm chủng;", " Tạm ngừng cấp điện "])
    assert words.call_sign == "Đây là Đài xã Tân Bình."
    assert "Hôm nay là Thứ Ba, ngày 24/11/2026" in words.greeting
    assert "5 giờ 30 phút" in words.greeting
    assert words.headlines.split("\n")[-2:] == ["Lịch tiêm chủng.", "Tạm ngừng cấp điện."]


def test_a_full_hour_has_no_minutes() -> None:
    words = programme_words(
        Template(),
        station_name="x",
        call_sign="x",
        local_date=date(2026, 1, 4),
        start_local=time(17),
        titles=[],
    )
    assert "lúc 17 giờ." in words.greeting
    assert "Chủ nhật" in words.greeting


def test_opening_words_lists_what_is_said_before_the_first_item() -> None:
    said = opening_words(
        Template(greeting="Chào.", headlines="Có:"), station_name="Đài", call_sign="Đây là Đài",
        date=date(2026, 11, 24), start=time(5, 30), titles=["A"],
    )  # fmt: skip
    assert said == ["Đây là Đài.", "Chào.", "Có:", "A."]


def test_an_unknown_variable_or_field_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="biến lạ “{ten}”"):
        template_from({"greeting": "Chào {ten}"})
    with pytest.raises(InputError, match="ngoặc nhọn"):
        template_from({"greeting": "Chào {"})
    with pytest.raises(InputError, match="không có mục “greting”"):
        template_from({"greting": "Chào"})
    with pytest.raises(InputError, match="không hợp lệ"):
        template_from({"bed": "yes"})
    with pytest.raises(InputError, match="từ 0 đến 60000"):
        template_from({"tail_ms": -1})


def test_a_template_survives_storing_and_its_hash_follows_its_content() -> None:
    template = Template(greeting="Chào {weekday}.", bed=True, bed_db=-30.0)
    again = template_from(template_data(template))
    assert again == template
    assert again.sha256 == template.sha256
    assert Template().sha256 != template.sha256
