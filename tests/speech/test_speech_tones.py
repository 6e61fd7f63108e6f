import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.speech.phonology import Tone
from broadcaster.speech.tones import LOWEST_HZ, NORTHERN, Note, at, contour_of, line, pitch


def notes_of(tones: list[Tone], length: int = 16) -> list[Note]:
    return [
        Note(i * length, i * length + 4, (i + 1) * length - 2, tone, False) for i, tone in enumerate(tones)
    ]


def heard(tone: Tone) -> list[float]:
    """The curve of one syllable in the middle of level neighbours."""
    notes = notes_of([Tone.NGANG, tone, Tone.NGANG], 40)
    return line(notes, 120)[notes[1].rhyme + 1 : notes[1].end - 1]


def test_level_tone_is_level_and_falling_tone_falls() -> None:
    ngang, huyen = heard(Tone.NGANG), heard(Tone.HUYEN)
    assert max(ngang) - min(ngang) < 0.2
    assert huyen[0] - huyen[-1] > 2
    assert max(huyen) < min(ngang)


def test_sac_rises_nang_falls_deepest_and_hoi_dips() -> None:
    sac, nang, hoi = heard(Tone.SAC), heard(Tone.NANG), heard(Tone.HOI)
    assert sac[-1] - sac[0] > 3
    assert nang[0] - nang[-1] > 3
    lowest = hoi.index(min(hoi))
    assert 0 < lowest < len(hoi) - 1
    assert hoi[-1] > min(hoi) + 4  # or it is heard as huyền
    assert min(hoi) < min(heard(Tone.HUYEN)) - 1


def test_nga_dips_and_ends_high_without_a_leap_that_no_voice_carries() -> None:
    nga = heard(Tone.NGA)
    lowest = nga.index(min(nga))
    assert 0.2 < lowest / len(nga) < 0.6
    assert min(nga) < nga[0] - 2
    assert nga[-1] > nga[0] + 4
    assert max(abs(b - a) for a, b in pairwise(nga)) < 2


def test_nang_ends_in_a_creak_an_octave_below_where_it_began() -> None:
    nang = heard(Tone.NANG)
    assert nang[len(nang) // 5] > nang[0] - 3
    assert max(nang[-len(nang) // 3 :]) < nang[0] - 11


@given(st.lists(st.sampled_from(list(Tone)), min_size=1, max_size=20), st.sampled_from([".", "?", ",", "!"]))
def test_the_line_is_finite_within_reach_of_a_voice_and_without_jumps(tones: list[Tone], mark: str) -> None:
    notes = notes_of(tones)
    curve = line(notes, 16 * len(tones) + 10, end_mark=mark)
    assert len(curve) == 16 * len(tones) + 10
    assert all(math.isfinite(s) and -20 < s < 14 for s in curve)
    assert (
        max((abs(a - b) for a, b in zip(curve, curve[1:], strict=False)), default=0) < 9
    )  # into a creak in three frames


def test_a_question_ends_higher_than_a_statement_and_a_comma_between() -> None:
    notes = notes_of([Tone.NGANG] * 5)
    ends = [line(notes, 80, end_mark=mark)[70] for mark in (".", ",", "?")]
    assert ends == sorted(ends)
    assert ends[0] < ends[1] < ends[2]


def test_a_sentence_in_two_pieces_keeps_its_declination() -> None:
    tones = [Tone.NGANG] * 8
    whole = line(notes_of(tones), 128, end_mark=",")
    second = line(notes_of(tones[4:]), 64, end_mark=",", sung=(8, 4))
    assert second[20] == pytest.approx(whole[64 + 20], abs=0.1)
    assert second[20] < whole[20]


def test_unvoiced_frames_stay_unvoiced_and_voiced_ones_get_our_pitch() -> None:
    own = [0.0] * 4 + [233.0] * 16
    curve = pitch(own, [0.0] * 20, base_hz=180)
    assert curve[:4] == [0.0] * 4
    assert curve[4:] == [180.0] * 16


def test_the_creak_of_a_low_voice_stays_a_voice() -> None:
    assert pitch([100.0, 0.0], [-16.0, -16.0], base_hz=126) == [LOWEST_HZ, 0.0]


def test_stopped_syllables_have_contours_of_their_own() -> None:
    assert contour_of(Tone.SAC, True) != contour_of(Tone.SAC, False)
    assert contour_of(Tone.NGANG, True) == contour_of(Tone.NGANG, False)
    assert set(NORTHERN.tones) == set(Tone)


def test_contours_are_read_between_and_beyond_their_points() -> None:
    contour = ((0.0, 0.0), (0.5, 2.0), (1.0, -2.0))
    assert [at(contour, x) for x in (-1, 0.25, 0.5, 0.75, 2)] == [0, 1, 2, 0, -2]


def test_nothing_to_sing_gives_a_flat_line() -> None:
    assert line([], 5) == [0.0] * 5
    assert line([], 0) == []
