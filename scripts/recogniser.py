"""How sure the recogniser is of every syllable that was said: softer, and far less noisy, than counting errors.

The recogniser of `viet-asr` is a CTC network over whole syllables; the wheel exports it and its vocabulary, so that it
can be asked here for the probabilities behind its words.  For every syllable of a known sentence:

    chance = P(the sentence) / P(the sentence with anything, or nothing, in that syllable's place)

summed over all alignments.  1 - chance, averaged, is a soft syllable error.  Only for tuning a voice; the measure that
is reported counts the words that the whole recogniser writes down (`bench_voice.py`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

RATE_HZ = 16_000
WINDOW, STEP, FFT, BANDS = 400, 160, 512, 80  # samples of a frame, of a step; bins; mel bands
CHUNK, OVERLAP = 40, 3  # frames heard at a time, and of the next ones
BLANK = 0
NOTHING = -1e30
LENIENCE = 0.02


def fbank(samples: NDArray[np.int16]) -> F32:
    """[frames, 80] logarithms of mel energies, as Kaldi computes them (25 ms, 10 ms, Povey window, no dither)."""
    sound = samples.astype(np.float64)
    count = max(1 + (len(sound) - WINDOW) // STEP, 0)
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::STEP][:count].copy()
    frames -= frames.mean(axis=1, keepdims=True)
    frames[:, 1:] -= 0.97 * frames[:, :-1]
    frames[:, 0] *= 1 - 0.97
    frames *= (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))) ** 0.85
    power = np.abs(np.fft.rfft(frames, FFT)) ** 2
    return np.log(np.maximum(power @ bands().T, np.finfo(np.float32).eps)).astype(np.float32)


def bands() -> F64:
    """[80, 257] the weight of each bin in each mel band."""

    def mel(hz: F64) -> F64:
        return np.asarray(1127.0 * np.log1p(hz / 700.0))

    edges = np.linspace(mel(np.array(20.0)), mel(np.array(RATE_HZ / 2)), BANDS + 2)
    bins = mel(np.arange(FFT // 2 + 1) * RATE_HZ / FFT)
    up = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.asarray(np.maximum(np.minimum(up, down), 0.0))


def network() -> bytes:
    """The ONNX file of the network, as the wheel holds it."""
    return _exported("vietasr_asr_model_onnx")


def _exported(name: str) -> bytes:
    from vietasr.ffi import native

    library = ctypes.CDLL(native.resolve_library_path())
    size = ctypes.c_size_t.in_dll(library, name + "_size").value
    return bytes((ctypes.c_char * size).in_dll(library, name))


class Recogniser:
    """The network and its words; loaded once (about 300 MB), one thread."""

    def __init__(self) -> None:
        import onnxruntime as ort

        lines = _exported("vietasr_asr_vocab").decode().splitlines()
        self.pieces = {piece: int(number) for piece, _, number in (line.rpartition(" ") for line in lines)}
        self.written = {number: piece for piece, number in self.pieces.items()}
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._network = ort.InferenceSession(network(), options)

    def listen(self, sounds: Sequence[NDArray[np.int16]]) -> list[F64]:
        """Log-probabilities [steps of 40 ms, pieces] for each sound, all heard side by side."""
        features = [fbank(sound) for sound in sounds]
        rounds = [max(-(-(len(f) - OVERLAP) // CHUNK), 1) for f in features]
        size = len(sounds)
        padded = np.stack([_padded(f, max(rounds) * CHUNK + OVERLAP) for f in features])
        memory = np.zeros((size, 12, 4, 40, 224), np.float32)
        context = np.zeros((size, 12, 448, 30), np.float32)
        heard = []
        for turn in range(max(rounds)):
            chunk = padded[:, turn * CHUNK : turn * CHUNK + CHUNK + OVERLAP]
            output, memory, context = self._network.run(
                None,
                {
                    "chunk": chunk,
                    "offset": np.full((size, 1), turn * CHUNK // 4, np.int64),
                    "att_cache": memory,
                    "cnn_cache": context,
                },
            )
            heard.append(output)
        whole = np.concatenate(heard, axis=1).astype(np.float64)
        return [_log_softmax(row[: count * CHUNK // 4]) for row, count in zip(whole, rounds, strict=True)]


def _padded(features: F32, length: int) -> F32:
    filling = np.repeat(features[-1:], max(length - len(features), 0), axis=0)
    return np.concatenate([features, filling])[:length]


def _log_softmax(values: F64) -> F64:
    values = values - values.max(axis=1, keepdims=True)
    return np.asarray(values - np.log(np.exp(values).sum(axis=1, keepdims=True)))


def spelled(words: Sequence[str], pieces: dict[str, int]) -> list[list[int]]:
    """The numbers of every word: one piece where the vocabulary has it whole, else the fewest that spell it."""
    return [_spelled("▁" + word, pieces) for word in words]


def _spelled(word: str, pieces: dict[str, int]) -> list[int]:
    best: list[list[int] | None] = [[]]
    for end in range(1, len(word) + 1):
        found: list[int] | None = None
        for start in range(end):
            before, piece = best[start], pieces.get(word[start:end])
            if before is not None and piece is not None and (found is None or len(before) + 1 < len(found)):
                found = [*before, piece]
        best.append(found)
    return best[-1] or []


def chances(log_p: F64, words: Sequence[Sequence[int]], *, lenience: float = LENIENCE) -> F64:
    """[words] the chance of each (see above); `log_p` as `Recogniser.listen` gives it.

    The other words may be anything too, at the price `lenience`: a wrong neighbour must not cost a right word.
    """
    labels = [piece for word in words for piece in word]
    if not labels:
        return np.zeros(len(words))
    owner = np.repeat(np.arange(len(words)), [len(word) for word in words])
    states = 2 * len(labels) + 1  # a blank before, between and after the pieces
    said = np.array([BLANK if i % 2 == 0 else labels[i // 2] for i in range(states)])
    piece = np.arange(states) % 2 == 1
    own = np.zeros((len(words), states), bool)  # row n asks for word n
    own[:, 1::2] = owner == np.arange(len(words))[:, None]
    skip = np.zeros(states, bool)  # may come straight from two states before
    skip[3::2] = said[3::2] != said[1:-2:2]
    around = np.zeros_like(own)  # the same beside an open word, and past it, as if nothing had been there
    around[:, 2:] = own[:, 2:] | own[:, :-2] | own[:, 1:-1]

    given = log_p[:, said]
    anything = np.logaddexp.reduce(np.delete(log_p, BLANK, axis=1), axis=1)[:, None]
    with np.errstate(divide="ignore"):
        lenient = np.where(piece, np.logaddexp(given, anything + np.log(lenience)), given)
    strict = np.where(own, given[:, None], lenient[:, None])
    opened = np.where(own, anything[:, None], lenient[:, None])
    return np.asarray(
        np.exp(
            np.minimum(_total(strict, np.broadcast_to(skip, own.shape)) - _total(opened, skip | around), 0.0)
        )
    )


def _total(emitted: F64, skip: NDArray[np.bool_]) -> F64:
    """[rows] log-probability over all ways through the states; `emitted` is [steps, rows, states]."""
    alpha = np.full(emitted.shape[1:], NOTHING)
    alpha[:, :2] = emitted[0, :, :2]
    for step in emitted[1:]:
        come = alpha.copy()
        come[:, 1:] = np.logaddexp(come[:, 1:], alpha[:, :-1])
        come[:, 2:] = np.logaddexp(come[:, 2:], np.where(skip[:, 2:], alpha[:, :-2], NOTHING))
        alpha = come + step
    return np.asarray(np.logaddexp(alpha[:, -1], alpha[:, -2]))
