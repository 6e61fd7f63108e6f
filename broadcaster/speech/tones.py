"""The melody of a Vietnamese sentence: a pitch contour for every tone, laid over the sentence's own line.  Pure.

All pitches are semitones around the speaker's middle (a fixed number of hertz per voice), so the same
contours serve a woman and a man.  Time is in pitch frames of the model (80 a second at speed 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broadcaster.speech.phonology import Tone

FRAMES_PER_SECOND = 80
LOWEST_HZ = 72.0  # of a creak; slower beats are no voice any more, neither to ears nor to the model

Contour = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Where one syllable sounds, in frames: [start, end), the rhyme (which bears the tone) from `rhyme`,
    its coda from `coda` (= `end` when there is none)."""

    start: int
    rhyme: int
    end: int
    tone: Tone
    stopped: bool = False  # ends in p, t, c, ch
    coda: int | None = None


@dataclass(frozen=True, slots=True)
class Melody:
    """A dialect's tones: contours over the rhyme as (share of the rhyme 0..1, semitones).

    `stopped` holds the two tones of syllables ending in a stop, which are short and have no room to bend.
    """

    tones: Mapping[Tone, Contour]
    stopped: Mapping[Tone, Contour]
    declination: float = 1.0  # semitones from the first to the last syllable of a sentence
    final_fall: float = -0.3  # added to the last syllable of a statement
    question_rise: float = 1.5  # added to the last syllable of a question


# In the north nặng ends in a creak: the glottis all but closes and beats about an octave below the voice.  Ngã dips and
# rises again; the break in its middle is the voice's own (its colours have learned it), not written into its pitch.
NORTHERN = Melody(
    tones={
        Tone.NGANG: ((0, 1.5), (1, 1.5)),
        Tone.HUYEN: ((0, -2), (0.3, -3), (1, -5)),
        Tone.SAC: ((0, -1), (0.5, 0), (1, 7)),
        Tone.HOI: ((0, -1), (0.45, -8), (0.6, -8), (1, -1)),
        Tone.NGA: ((0, -0.5), (0.3, -4), (0.45, -4), (1, 6)),
        Tone.NANG: ((0, -1), (0.25, -3), (0.35, -13), (1, -15)),
    },
    stopped={
        Tone.SAC: ((0, 1), (0.3, 1.5), (1, 5.5)),
        Tone.NANG: ((0, -2), (1, -6)),
    },
)


def at(contour: Contour, share: float) -> float:
    """Semitones of a contour at a share of the rhyme; flat before its first and after its last point."""
    previous_x, previous_y = contour[0]
    if share <= previous_x:
        return previous_y
    for x, y in contour[1:]:
        if share <= x:
            return previous_y + (y - previous_y) * (share - previous_x) / (x - previous_x)
        previous_x, previous_y = x, y
    return previous_y


def contour_of(tone: Tone, stopped: bool, melody: Melody = NORTHERN) -> Contour:
    """The contour a syllable gets; stopped syllables have their own sắc and nặng."""
    if stopped and tone in melody.stopped:
        return melody.stopped[tone]
    return melody.tones[tone]


def line(
    notes: Sequence[Note],
    frames: int,
    *,
    melody: Melody = NORTHERN,
    end_mark: str = ".",
    sung: tuple[int, int] | None = None,
) -> list[float]:
    """Semitones for each of `frames` frames.

    `end_mark` "?" lifts the last syllable, "," leaves it level (the sentence goes on), anything else lowers
    it.  `sung` = (syllables of the whole sentence, index of the first one here) keeps the declination of a
    sentence whole when it is spoken in several pieces.  Between syllables the curve runs straight from one
    to the next; then it is smoothed lightly, as a larynx cannot jump.
    """
    total, first = sung if sung is not None else (len(notes), 0)
    points: list[tuple[int, float]] = []
    for index, note in enumerate(notes):
        if note.end <= note.start:
            continue
        rhyme = min(max(note.rhyme, note.start), note.end - 1)
        contour = contour_of(note.tone, note.stopped, melody)
        offset = melody.declination * (0.5 - (first + index) / max(total - 1, 1))
        if index == len(notes) - 1:
            offset += {"?": melody.question_rise, ",": 0.0}.get(end_mark, melody.final_fall)
        span = max(note.end - rhyme - 1, 1)
        for frame in range(note.start, min(note.end, frames)):
            share = min(max((frame - rhyme) / span, 0.0), 1.0)
            points.append((frame, at(contour, share) + offset))
    return _smoothed(_filled(points, frames))


def _filled(points: Sequence[tuple[int, float]], frames: int) -> list[float]:
    if not points:
        return [0.0] * frames
    curve, before = [points[0][1]] * frames, points[0]
    for after in points:
        gap = after[0] - before[0]
        for frame in range(before[0], after[0]):
            curve[frame] = before[1] + (after[1] - before[1]) * (frame - before[0]) / gap
        before = after
    for frame in range(before[0], frames):
        curve[frame] = before[1]
    return curve


_WINDOW = (0.25, 0.5, 0.25)  # a three-point Hann window


def _smoothed(curve: Sequence[float]) -> list[float]:
    padded = [curve[0], *curve, curve[-1]] if curve else []
    return [sum(w * padded[i + k] for k, w in enumerate(_WINDOW)) for i in range(len(curve))]


def pitch(
    own: Sequence[float],
    semitones: Sequence[float],
    *,
    base_hz: float,
    voiced_above_hz: float = 30.0,
    lowest_hz: float = LOWEST_HZ,
) -> list[float]:
    """The pitch curve for the model in hertz: `semitones` around `base_hz` wherever the model's `own` curve
    is voiced, and its own where it is not; never below `lowest_hz`."""
    return [
        max(base_hz * 2.0 ** (level / 12.0), lowest_hz) if model > voiced_above_hz else model
        for model, level in zip(own, semitones, strict=True)
    ]
