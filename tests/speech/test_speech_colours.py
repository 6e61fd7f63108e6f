"""What Vietnamese sounds add to the letters of the model: where, how much, and that it is heard."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from broadcaster.errors import VoiceError
from broadcaster.speech.edition import edition_of_file
from broadcaster.speech.kokoro import colours
from broadcaster.speech.kokoro.colours import SIZE, USUAL, Colours, dump, load, named, sounds_at
from broadcaster.speech.kokoro.engine import Engine, Speaker, load_speaker
from broadcaster.speech.phonology import legal_syllables, parse, sounds

VOICES = Path(__file__).parents[2] / "audio" / "voices"

TABLES = sorted({load_speaker(file).colours for file in VOICES.glob("*.json")} | {USUAL})


def names(word: str) -> list[tuple[int, tuple[str, ...]]]:
    _, (place,) = sounds(parse(word))
    return sounds_at(place)


def test_each_letter_of_a_syllable_knows_which_sounds_it_belongs_to() -> None:
    assert names("đường") == [
        (0, ("onset đ",)),
        (1, ("onset đ",)),
        (2, ("nucleus ươ 0", "tone HUYEN")),
        (3, ("nucleus ươ 1", "tone HUYEN")),
        (4, ("coda ng", "coda tone HUYEN")),
    ]
    assert names("học")[-1] == (len(names("học")) - 1, ("coda c", "coda tone NANG stop"))


def test_every_sound_of_every_legal_syllable_has_a_colour() -> None:
    wanted = {name for word in legal_syllables() for _, each in names(word) for name in each}
    for table in TABLES:
        assert wanted - set(named(table).vectors) == set()


def test_colours_are_small_beside_the_letters_they_are_added_to() -> None:
    """The letters' own numbers spread by 1.0: a colour shades a letter, it does not replace it."""
    spread = [
        float(np.sqrt(np.mean(vector**2))) for table in TABLES for vector in named(table).vectors.values()
    ]
    assert max(spread) < 0.5


def test_colours_stand_at_their_letters_and_nowhere_else() -> None:
    text, places = sounds(parse("đi. đi"))
    one = np.ones(SIZE, np.float32)
    over = Colours({"onset đ": one, "tone NGANG": 2 * one}).over(places, len(text) + 2)
    assert over.shape == (1, len(text) + 2, SIZE)
    assert over[0, :, 0].tolist() == [
        0,
        *({"n": 1, "d": 1, "i": 2, "ː": 2}.get(letter, 0) for letter in text),
        0,
    ]


def test_colours_are_kept_to_half_precision_and_the_same_ones_give_the_same_bytes() -> None:
    made = Colours({"b": np.full(SIZE, 0.1, np.float32), "a": np.zeros(SIZE, np.float32)})
    again = load(dump(made))
    assert list(again.vectors) == ["a", "b"]
    assert again.vectors["b"] == pytest.approx(made.vectors["b"], abs=1e-4)
    assert dump(again) == dump(made)


def test_a_file_of_other_vectors_is_refused() -> None:
    target = io.BytesIO()
    np.save(target, np.zeros((2, 3)))
    with pytest.raises(ValueError, match="512"):
        load(target.getvalue())


def test_other_colours_are_another_edition(monkeypatch: pytest.MonkeyPatch) -> None:
    before = edition_of_file(VOICES / "nu-1.json")
    monkeypatch.setattr(colours, "hash_of", lambda name: f"another {name}")
    assert edition_of_file(VOICES / "nu-1.json") != before


def test_colours_are_heard(home: Path) -> None:
    class Colourless(Engine):
        def colours_of(self, speaker: Speaker) -> Colours:
            return Colours({})

    speaker = load_speaker(VOICES / "nu-1.json")
    with_them = Engine(home).speak("đi đâu", speaker)
    without = Colourless(home).speak("đi đâu", speaker)
    assert len(with_them) > 0
    assert not np.array_equal(with_them, without)


def test_a_voice_names_its_table_and_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    raw = json.loads((VOICES / "nu-1.json").read_text(encoding="utf-8"))
    for wrong in ("không có", "../northern", "southern"):
        file = tmp_path / "x.json"
        file.write_text(json.dumps(raw | {"colours": wrong}), encoding="utf-8")
        with pytest.raises(VoiceError, match="bị hỏng"):
            load_speaker(file)
    assert load_speaker(VOICES / "nu-1.json").colours == USUAL
