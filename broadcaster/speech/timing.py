"""How long each sound of a Vietnamese syllable lasts.  Pure.

The model was never taught Vietnamese: left alone it hurries open syllables (which are the long ones here,
and must have room for their tone) and draws out final stops (which are the short ones).  These rules say how
long the parts of a syllable last; the model's own durations keep a say, so that the rhythm stays its own.
All lengths are steps of 25 ms at speed 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broadcaster.speech.phonology import Place, Tone

STEP_MS = 25


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Lengths in steps.  `ours` is the share of these rules against the model's own durations (0..1)."""

    ours: float = 0.7
    open_vowel: float = 8.0
    vowel_before_nasal: float = 5.0
    vowel_before_glide: float = 5.0
    vowel_before_stop: float = 4.5
    short_vowel: float = 3.5  # ă and â, before any coda
    long_a: float = (
        1.35  # a before a glide or nasal, against other vowels: length parts ai from ay, ang from ăng
    )
    nasal: float = 3.5
    off_glide: float = 3.5
    stop: float = 2.5
    gap: float = 1.5  # between syllables
    gap_after_stop: float = 2.0
    gap_after_heavy: float = 1.5  # the closed glottis of nặng
    onset_least: float = 2.0
    final: float = 1.3  # the last syllable before a pause is longer
    heavy: float = 0.85  # nặng without a stop is cut short by the glottis


NORTHERN = Rhythm()
_SHORT = frozenset({"ă", "â"})
_NASALS = frozenset({"m", "n", "ng", "nh"})


def durations(
    own: Sequence[float],
    places: Sequence[Place],
    breaks: Sequence[int],
    *,
    speed: float = 1.0,
    rhythm: Rhythm = NORTHERN,
) -> list[int]:
    """Steps for every token of the string that `places` refer to.

    `own` are the model's steps for those tokens; `breaks` the positions of pause marks in it.  No token gets
    less than one step.
    """
    steps = [float(step) for step in own]
    stops = sorted(breaks)
    for index, place in enumerate(places):
        following = places[index + 1].start if index + 1 < len(places) else len(steps)
        last = any(place.end <= mark < following for mark in stops)
        vowel, coda = _rhyme(place, rhythm)
        if last:
            vowel, coda = vowel * rhythm.final, coda * (1.0 if place.syllable.stopped else rhythm.final)
        _set(steps, place.rhyme, place.coda, vowel / speed, rhythm.ours)
        _set(steps, place.coda, place.end, coda / speed, rhythm.ours)
        for token in range(place.start, place.rhyme):
            steps[token] = max(steps[token], rhythm.onset_least / (place.rhyme - place.start) / speed)
        if not last and place.end < following:
            gap = rhythm.gap
            if place.syllable.stopped:
                gap = rhythm.gap_after_stop
            elif place.syllable.tone is Tone.NANG:
                gap = rhythm.gap_after_heavy
            _set(steps, place.end, following, gap / speed, rhythm.ours)
    return _whole(steps)


def _rhyme(place: Place, rhythm: Rhythm) -> tuple[float, float]:
    """Steps of the vowel (with its glide) and of the coda."""
    said = place.syllable
    if not said.coda:
        vowel, coda = rhythm.open_vowel, 0.0
    elif said.stopped:
        vowel, coda = rhythm.vowel_before_stop, rhythm.stop
    elif said.coda in _NASALS:
        vowel, coda = rhythm.vowel_before_nasal, rhythm.nasal
    else:
        vowel, coda = rhythm.vowel_before_glide, rhythm.off_glide
    if said.nucleus in _SHORT and said.coda:
        vowel, coda = rhythm.short_vowel, coda + (0.0 if said.stopped else 1.0)
    elif said.nucleus == "a" and said.coda and not said.stopped:
        vowel *= rhythm.long_a
    if said.tone is Tone.NANG and not said.stopped:
        vowel, coda = vowel * rhythm.heavy, coda * rhythm.heavy
    return vowel, coda


def _set(steps: list[float], start: int, end: int, length: float, share: float) -> None:
    """Brings steps[start:end] towards `length` in all, keeping their proportions."""
    own = sum(steps[start:end])
    if end <= start or own <= 0:
        return
    factor = (share * length + (1 - share) * own) / own
    for token in range(start, end):
        steps[token] *= factor


def _whole(steps: Sequence[float]) -> list[int]:
    """Whole steps; what rounding takes from one token the next gets."""
    whole, debt = [], 0.0
    for step in steps:
        rounded = max(1, round(step + debt))
        debt = min(max(debt + step - rounded, -0.5), 0.5)
        whole.append(rounded)
    return whole
