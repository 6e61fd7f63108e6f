"""What an approver is shown as changed."""

from __future__ import annotations

from broadcaster.reading import Lexicon, read
from web.differing import Changed, changed_sentences, words_of


def kinds(found: list[Changed]) -> list[tuple[str, str, str]]:
    return [(one.kind, one.before, one.after) for one in found]


def test_a_changed_sentence_is_shown_with_its_changed_words() -> None:
    before = read("Mời bà con họp lúc 7 giờ tối nay. Xin cảm ơn.")
    after = read("Mời bà con họp lúc 8 giờ tối nay. Xin cảm ơn.")
    (found,) = changed_sentences(before, after)
    assert found.kind == "changed"
    assert [(word.kind, word.text) for word in found.words] == [
        ("same", "Mời bà con họp lúc"), ("del", "7"), ("ins", "8"), ("same", "giờ tối nay."),
    ]  # fmt: skip


def test_a_sentence_that_came_or_went_is_not_paired_with_a_stranger() -> None:
    before = read("Trạm y tế tiêm phòng sáng mai. Hợp tác xã bán phân đạm. Xin cảm ơn bà con.")
    after = read("Trạm y tế tiêm phòng chiều mai. Xin cảm ơn bà con. Điện sẽ cắt tối nay.")
    found = changed_sentences(before, after)
    assert kinds(found) == [
        ("changed", "Trạm y tế tiêm phòng sáng mai.", "Trạm y tế tiêm phòng chiều mai."),
        ("removed", "Hợp tác xã bán phân đạm.", ""),
        ("added", "", "Điện sẽ cắt tối nay."),
    ]


def test_the_same_words_spoken_otherwise_are_a_change() -> None:
    text = "Tổ CNSCD họp."
    (found,) = changed_sentences(
        read(text), read(text, lexicon=Lexicon(entries={"CNSCD": "tổ công nghệ số"}))
    )
    assert found.kind == "said"
    assert any(word.kind == "ins" for word in found.words)
    assert changed_sentences(read(text), read(text)) == []


def test_every_word_of_both_sentences_is_there() -> None:
    before, after = "một hai ba bốn", "hai năm ba"
    words = words_of(before, after)
    assert " ".join(word.text for word in words if word.kind != "ins") == before
    assert " ".join(word.text for word in words if word.kind != "del") == after
