import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import VoiceError
from broadcaster.model import Pcm
from broadcaster.speech.listenback import Listener, Missed, alignment, edits, missed, score, words

SOME = st.lists(st.sampled_from(["xã", "xa", "nhân", "dân", "bão"]), max_size=8)


def test_words_are_compared_by_letters_and_tone_not_by_the_place_of_the_mark() -> None:
    assert words("Hoà, THUỶ!") == words("hòa thủy")
    assert words("xã") != words("xa")


@given(SOME, SOME)
def test_the_alignment_has_as_many_errors_as_the_edit_distance(said: list[str], heard: list[str]) -> None:
    pairs = alignment(said, heard)
    assert [i for i, _ in pairs if i is not None] == list(range(len(said)))
    assert [j for _, j in pairs if j is not None] == list(range(len(heard)))
    wrong = sum(i is None or j is None or said[i] != heard[j] for i, j in pairs)
    assert wrong == edits(said, heard)
    assert edits(said, heard) == edits(heard, said)


def test_what_was_not_recovered_is_shown_with_its_place() -> None:
    said = "Bà con nông dân chú ý phun thuốc trừ sâu."
    assert missed(said, "bà con nông dân chú ý phun thuốc trừ sâu") == []
    assert missed(said, "bà cân nông dân chú phun thuốc trời sâu") == [
        Missed(1, 2, "con", "cân"),
        Missed(5, 6, "ý", ""),
        Missed(8, 9, "trừ", "trời"),
    ]
    assert missed(said, "")[0] == Missed(0, 10, "Bà con nông dân chú ý phun thuốc trừ sâu", "")


def test_words_heard_that_nobody_said_are_no_place_to_listen_to_again() -> None:
    assert missed("mưa to", "à mưa rất to") == []


def test_the_score_pools_and_gives_an_interval() -> None:
    result = score([[("một hai ba bốn", "một hai ba bốn")], [("năm sáu", "năm sau")]] * 20)
    assert result.syllables == 120
    assert result.error == pytest.approx(1 / 6)
    assert result.low < result.error < result.high
    assert result.error_without_tones == 0
    with pytest.raises(ValueError, match="nothing"):
        score([])


def test_without_the_recogniser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "viet-asr" in (Listener.available() or "")
    with pytest.raises(VoiceError, match="viet-asr"):
        Listener().hear(Pcm(np.zeros(100, np.float32), 24_000))


@pytest.mark.skipif(Listener.available() is not None, reason="the optional recogniser is not installed")
def test_the_recogniser_hears_nothing_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    assert words(Listener().hear(Pcm(np.zeros(24_000, np.float32), 24_000))) == []
    os.write(2, b"still there")
    assert capfd.readouterr().err == "still there"
