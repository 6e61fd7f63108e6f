"""Which words of a spoken sentence are shown as changed, and from what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.reading import read
from web.marking import spoken_pieces

TEXTS = [
    json.loads(line)["text"]
    for line in (Path(__file__).parents[1] / "reading" / "accepted.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (
            "1. Thời gian: từ 7h30 đến 11h00.",
            [("Một", "1."), ("bảy giờ ba mươi phút", "7h30"), ("mười một giờ", "11h00")],
        ),
        ("Hai thôn có 2 hộ mới.", [("hai", "2")]),
        ("2. Hai thôn có 2 hộ mới.", [("Hai", "2."), ("hai", "2")]),
        ("Bà con nộp 21 bộ, mỗi bộ 1 ảnh.", [("hai mươi mốt", "21"), ("một", "1")]),
    ],
)
def test_the_words_shown_as_changed_are_those_of_the_change(
    text: str, changed: list[tuple[str, str]]
) -> None:
    (sentence,) = read(text).sentences
    found = spoken_pieces(sentence)
    assert [(p.text, p.title.removeprefix("viết là: ")) for p in found if p.kind == "change"] == changed
    assert found[0].text == changed[0][0] or not text[0].isdigit()


@given(st.sampled_from(TEXTS))
def test_the_pieces_together_are_the_sentence_and_every_change_is_found_in_it(text: str) -> None:
    for sentence in read(text).sentences:
        found = spoken_pieces(sentence)
        assert "".join(piece.text for piece in found) == sentence.spoken
        shown = [piece for piece in found if piece.kind == "change"]
        assert len(shown) == sum(1 for mark in sentence.marks if mark.spoken.strip(" ,.;:!?"))
