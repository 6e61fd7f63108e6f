from hypothesis import given
from hypothesis import strategies as st

from broadcaster.speech.phonology import MARKS, legal_syllables, parse, sounds
from broadcaster.speech.timing import Rhythm, durations

LEGAL = list(legal_syllables())
OURS = Rhythm(ours=1.0)


def rhyme_steps(
    word: str, rhythm: Rhythm = OURS, *, last: bool = False, speed: float = 1.0
) -> tuple[int, int]:
    """Steps of the vowel and of the coda of `word`, in the middle of a sentence or at its end."""
    text, places = sounds(parse(f"a {word}." if last else f"a {word} a."))
    marks = [i for i, letter in enumerate(text) if letter in MARKS]
    steps = durations([3.0] * len(text), places, marks, rhythm=rhythm, speed=speed)
    place = places[1]
    return sum(steps[place.rhyme : place.coda]), sum(steps[place.coda : place.end])


def test_open_syllables_are_longer_than_closed_and_stopped_ones_the_shortest() -> None:
    for opened, nasal, stopped in (("ta", "tan", "tát"), ("to", "tong", "tóc"), ("mê", "mên", "mết")):
        lengths = [sum(rhyme_steps(word)) for word in (opened, nasal, stopped)]
        assert lengths[2] < lengths[0]
        assert lengths[2] < lengths[1]
        assert rhyme_steps(opened)[0] > rhyme_steps(nasal)[0] >= rhyme_steps(stopped)[0]


def test_short_vowels_are_short_and_their_coda_long() -> None:
    assert rhyme_steps("tăn")[0] < rhyme_steps("tan")[0]
    assert rhyme_steps("tăn")[1] >= rhyme_steps("tan")[1]


def test_the_last_syllable_before_a_pause_is_longer_and_nang_is_shorter() -> None:
    assert rhyme_steps("ta", last=True)[0] > rhyme_steps("ta")[0]
    assert rhyme_steps("tạ")[0] < rhyme_steps("ta")[0]


def test_speed_shortens_what_the_rules_say() -> None:
    assert rhyme_steps("ta", speed=1.2)[0] < rhyme_steps("ta", speed=0.8)[0]


def test_without_a_say_of_ours_the_models_durations_stay_but_for_too_short_onsets() -> None:
    text, places = sounds(parse("bà con."))
    assert durations([2.0] * len(text), places, [len(text) - 1], rhythm=Rhythm(ours=0.0)) == [2] * len(text)


@given(
    st.lists(st.sampled_from([*LEGAL, ","]), min_size=1, max_size=20),
    st.floats(0.8, 1.2),
    st.lists(st.floats(1, 20), min_size=1, max_size=8),
)
def test_every_token_sounds_at_least_a_step_and_nothing_runs_away(
    words: list[str], speed: float, own: list[float]
) -> None:
    text, places = sounds(parse(" ".join(words) + "."))
    marks = [i for i, letter in enumerate(text) if letter in MARKS]
    model = [own[i % len(own)] for i in range(len(text))]
    steps = durations(model, places, marks, speed=speed)
    assert len(steps) == len(text)
    assert all(step >= 1 for step in steps)
    for place in places:
        assert sum(steps[place.rhyme : place.end]) <= 60


def test_length_keeps_a_apart_from_short_a_before_glides_and_nasals() -> None:
    for long, short in (("tai", "tay"), ("tao", "tau"), ("tang", "tăng")):
        assert rhyme_steps(long)[0] >= 1.7 * rhyme_steps(short)[0]
