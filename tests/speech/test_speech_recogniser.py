"""The soft measure by which a voice is tuned, and the knobs that are turned."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from broadcaster.speech.kokoro.engine import PROFILES, Speaker
from scripts import tune_voice
from scripts.recogniser import BANDS, chances, fbank, spelled

STEPS, PIECES = 5, 4
START = tune_voice.Candidate(Speaker("x", "x", (0.1,) * 256, 150.0), PROFILES["bắc"])


def collapsed(path: Sequence[int]) -> list[int]:
    return [piece for piece, _ in itertools.groupby(path) if piece != 0]


def most(log_p: np.ndarray, words: list[int]) -> list[float]:
    """What the chances can be at most: every path of the network one by one, an open place having one piece or none."""
    paths = list(itertools.product(range(PIECES), repeat=STEPS))
    weights = np.exp([sum(log_p[step, piece] for step, piece in enumerate(path)) for path in paths])
    heard = [collapsed(path) for path in paths]
    said = sum(w for text, w in zip(heard, weights, strict=True) if text == words)
    fits = [
        sum(
            w
            for text, w in zip(heard, weights, strict=True)
            if len(words) - 1 <= len(text) <= len(words)
            and text[:at] == words[:at]
            and text[len(text) - len(words) + at + 1 :] == words[at + 1 :]
        )
        for at in range(len(words))
    ]
    return [float(said / fit) for fit in fits]


@pytest.mark.parametrize("words", [[1], [1, 2], [2, 1, 3]])
def test_the_chance_of_a_word_counts_all_alignments_and_whatever_else_might_be_there(
    words: list[int],
) -> None:
    values = np.random.default_rng(len(words)).normal(0, 2, (STEPS, PIECES))
    log_p = values - np.log(np.exp(values).sum(axis=1, keepdims=True))
    ours = chances(log_p, [[word] for word in words], lenience=0.0)
    assert np.all(ours > 0)
    assert np.all(ours <= np.array(most(log_p, words)) * 1.000001)


def test_a_word_that_is_plainly_heard_is_sure_and_one_that_is_not_is_doubted_alone() -> None:
    log_p = np.full((9, PIECES), np.log(0.001))
    for step, piece in enumerate([0, 1, 0, 2, 2, 0, 3, 0, 0]):
        log_p[step, piece] = np.log(0.997)
    assert np.all(chances(log_p, [[1], [2], [3]]) > 0.95)
    wrong = chances(log_p, [[1], [3], [3]])
    assert wrong[1] < 0.05
    assert wrong[0] > 0.8
    assert wrong[2] > 0.8


def test_a_word_is_one_piece_where_the_vocabulary_has_it_and_else_the_fewest() -> None:
    pieces = {"▁": 1, "▁xã": 2, "▁k": 3, "rông": 4, "r": 5, "ông": 6}
    assert spelled(["xã", "krông", "q"], pieces) == [[2], [3, 4], []]


def test_a_tone_stands_out_in_its_band_and_silence_in_none() -> None:
    time = np.arange(16_000) / 16_000
    sound = (8000 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16)
    features = fbank(sound)
    assert features.shape == (98, BANDS)
    assert 25 <= int(features.mean(axis=0).argmax()) <= 31  # 1000 Hz is 999 of 31..2840 mel: the 28th band
    assert np.ptp(fbank(np.zeros(16_000, np.int16))) == 0


def test_no_knob_at_zero_changes_the_voice_and_each_one_does_when_turned() -> None:
    for knob in tune_voice.knobs(("pitch", "tones", "timing"), START.speaker, None):
        assert knob.turn(START, 0.0) == START, knob.name
        assert knob.turn(START, 0.5) != START, knob.name


def test_lines_for_tuning_are_never_those_of_the_benchmark() -> None:
    rows = [line.split("\t") for line in tune_voice.SENTENCES.read_text(encoding="utf-8").splitlines()]
    beginnings = {
        " ".join(line.split()[:8]).lower().replace(",", "")
        for kind, *text in rows
        if kind == "held"
        for line in text
    }
    lines = [line for seed in range(5) for line in tune_voice.lines_of(seed, 12)]
    assert lines == [line for seed in range(5) for line in tune_voice.lines_of(seed, 12)]
    assert not {" ".join(line.split()[:8]) for line in lines} & beginnings


def test_another_spelling_of_a_sound_reaches_the_letters_that_the_model_reads() -> None:
    assert tune_voice.respelled(START, "đ", "d").onsets["đ"] == "d"
    assert tune_voice.respelled(START, "_ơ", "ɤ").nuclei["ơ"] == "ɤ"
    assert tune_voice.respelled(START, "o+j", "ɔːɪ").rhymes["o", "j"] == "ɔːɪ"
    with pytest.raises(SystemExit):
        tune_voice.respelled(START, "zz", "z")
