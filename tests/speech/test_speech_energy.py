from broadcaster.speech.energy import Breath, energy
from broadcaster.speech.phonology import Tone
from broadcaster.speech.tones import Note

HOI = Note(0, 4, 20, Tone.HOI)
NANG = Note(24, 28, 40, Tone.NANG)
STOPPED = Note(44, 48, 64, Tone.SAC, stopped=True, coda=56)
DYING = [8.0] * 12 + [0.0] * 60  # a model that lets every syllable die


def test_without_rules_the_models_energy_stays() -> None:
    assert energy(DYING, [HOI, NANG, STOPPED], Breath()) == DYING


def test_a_rhyme_keeps_its_strength_to_its_end_but_closures_and_pauses_stay_silent() -> None:
    own = [8.0] * 14 + [0.0] * 30 + [8.0] * 10 + [0.0] * 12
    breath = Breath(floor=((0, -1), (1, -1)), stopped_floor=((0, -1), (1, -1)))
    mended = energy(own, [HOI, STOPPED], breath)
    assert mended[14:20] == [7.0] * 6
    assert mended[20:44] == own[20:44]
    assert mended[54:56] == [7.0] * 2
    assert mended[56:] == own[56:]


def test_a_tone_of_its_own_floor_goes_before_the_common_one_and_a_ceiling_closes_the_voice() -> None:
    breath = Breath(
        floor=((0, 0), (1, 0)),
        floors={Tone.HOI: ((0, -3), (1, -3))},
        ceilings={Tone.NANG: ((0, 0), (0.5, 0), (1, -5))},
    )
    mended = energy([8.0] * 16 + [0.0] * 8 + [8.0] * 20, [HOI, NANG], breath)
    assert mended[16:20] == [5.0] * 4
    assert mended[28:33] == [8.0] * 5
    assert mended[39] == 3.0
    assert all(before >= after for before, after in zip(mended[28:39], mended[29:40], strict=True))


def test_a_syllable_without_a_frame_of_its_own_is_left_alone() -> None:
    assert energy([5.0] * 4, [Note(4, 4, 4, Tone.HOI)], Breath(floor=((0, 0), (1, 0)))) == [5.0] * 4
