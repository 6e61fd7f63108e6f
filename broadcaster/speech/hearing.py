"""A whole take listened back to: which words a machine did not get, and where they are in the sound.

It advises, it never blocks, and it is the same for every voice: what was said is known, what was heard is
compared with it.  A stretch counts only when it was missed with every padding of silence, because the
recogniser hears a little differently with each.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import soundfile

from broadcaster.errors import StoreError
from broadcaster.model import HOUSE_RATE_HZ, SpokenSentence
from broadcaster.speech.chain import Progress
from broadcaster.speech.listenback import Listener, alignment, words
from broadcaster.speech.pipe import WorkerPipe
from broadcaster.speech.sound import Samples

PADDINGS_S: Final = (0.4, 0.2)
LONGEST_S: Final = 15.0  # a longer stretch is parted where it is quietest
_AROUND_MS: Final = 500  # a place is heard with what stands around it

Hear = Callable[[int, int, float], str]  # (first sample, samples, padding in seconds) -> words


@dataclass(frozen=True, slots=True)
class Place:
    """Words that were not recovered: in which sentence, what was heard instead, and where to listen (ms)."""

    sentence: int
    said: str
    heard: str
    start_ms: int
    end_ms: int

    @property
    def weight(self) -> int:
        """How many syllables were lost here: the most first."""
        return len(words(self.said))


@dataclass(frozen=True, slots=True)
class Hearing:
    """What listening back to a take found; `syllables` were said, `missed` of them are inside `places`."""

    syllables: int
    missed: int
    places: tuple[Place, ...]


class Ears(Protocol):
    """Whoever listens."""

    def hear(self, file: Path, start: int, length: int, padding_s: float) -> str:
        """The words of samples [start, start+length) of a sound file."""
        ...


class Recogniser:
    """The optional recogniser, in a process of its own.  Close it: its memory is large."""

    def __init__(self, *, timeout_s: float = 180.0) -> None:
        self._pipe = WorkerPipe("broadcaster.speech.listen_worker", label="Máy nghe lại", timeout_s=timeout_s)

    @staticmethod
    def available() -> str | None:
        """None, or what to install."""
        return Listener.available()

    def hear(self, file: Path, start: int, length: int, padding_s: float) -> str:
        """See Ears.  VoiceError when the process failed twice."""
        question = {"file": str(file), "start": start, "length": length, "padding_s": padding_s}
        return self._pipe.ask_bytes(question)[0].decode()

    def close(self) -> None:
        """End the process."""
        self._pipe.close()


def listen_back(
    file: Path,
    sentences: Sequence[SpokenSentence],
    *,
    ears: Ears,
    spoken: Sequence[str] = (),
    progress: Progress = lambda done, total: None,
) -> Hearing:
    """Listen to a take (`file`, house rate) whose `sentences` say where each one sounds.

    A recording of a whole bulletin is one "sentence": then `spoken` (the reading, sentence by sentence) is
    what should have been said in it.  StoreError when the file cannot be read; VoiceError from the ears.
    """
    if not sentences:
        sentences = [SpokenSentence("", 0, _samples_in(file))]
    whole = len(sentences) == 1 and (len(spoken) > 1 or not words(sentences[0].text))
    said = [" ".join(spoken)] if whole else [sentence.text for sentence in sentences]
    places: list[Place] = []
    syllables = 0
    progress(0, len(said))
    ends = np.cumsum([len(_written(text)) for text in (spoken if whole else said)])
    for number, (text, sentence) in enumerate(zip(said, sentences, strict=True)):
        before = len(_written(" ".join(said[:number])))
        syllables += len(words(text))
        for first, last, heard in _missed_in(_written(text), sentence, _ear_on(file, ears), file):
            belongs = int(np.searchsorted(ends, before + first, side="right"))
            places.append(_place(belongs, sentence, _written(text), first, last, heard))
        progress(number + 1, len(said))
    missed = sum(len(words(place.said)) for place in places)
    return Hearing(syllables, missed, tuple(places))


def _ear_on(file: Path, ears: Ears) -> Hear:
    return lambda start, length, padding_s: ears.hear(file, start, length, padding_s)


def _written(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text))


def _missed_in(
    written: Sequence[str], sentence: SpokenSentence, hear: Hear, file: Path
) -> list[tuple[int, int, str]]:
    """Stretches that no padding recovered: first and last word, what was heard instead."""
    lost: set[int] | None = None
    instead: dict[int, str] = {}
    stretches = _stretches(file, sentence)
    for padding_s in PADDINGS_S:
        heard = " ".join(hear(start, length, padding_s) for start, length in stretches)
        wrong = _wrong(written, heard)
        lost = set(wrong) if lost is None else lost & set(wrong)
        instead = {**wrong, **instead}
        if not lost:
            return []
    return [
        (first, last, " ".join(filter(None, (instead[i] for i in range(first, last + 1)))))
        for first, last in _runs(sorted(lost or ()))
    ]


def _wrong(written: Sequence[str], heard: str) -> dict[int, str]:
    """Index of each word that was not recovered → what was heard in its place ("" for nothing)."""
    other = _written(heard)
    said, got = [words(word) for word in written], [words(word) for word in other]
    flat_said, flat_got = ["".join(w) for w in said], ["".join(w) for w in got]
    wrong: dict[int, str] = {}
    for i, j in alignment(flat_said, flat_got):
        if i is not None and (j is None or flat_said[i] != flat_got[j]):
            wrong[i] = other[j] if j is not None else ""
    return wrong


def _runs(indices: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring indices as (first, last)."""
    runs: list[tuple[int, int]] = []
    for index in indices:
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def _place(
    number: int,
    sentence: SpokenSentence,
    written: Sequence[str],
    first: int,
    last: int,
    heard: str,
) -> Place:
    """Where in the sound: syllables of a sentence last about equally long, so a share of it will do."""
    begin = sentence.start_sample * 1000 / HOUSE_RATE_HZ
    each = sentence.length_samples * 1000 / HOUSE_RATE_HZ / len(written)
    return Place(
        sentence=number,
        said=" ".join(written[first : last + 1]),
        heard=heard,
        start_ms=round(max(begin, begin + first * each - _AROUND_MS)),
        end_ms=round(min(begin + len(written) * each, begin + (last + 1) * each + _AROUND_MS)),
    )


def _stretches(file: Path, sentence: SpokenSentence) -> list[tuple[int, int]]:
    """(first sample, samples) of the sentence, parted where it is quietest when it is long."""
    longest = int(LONGEST_S * HOUSE_RATE_HZ)
    start, end = sentence.start_sample, sentence.start_sample + sentence.length_samples
    parts: list[tuple[int, int]] = []
    while end - start > longest:
        cut = _quietest(file, start + longest // 2, start + longest)
        parts.append((start, cut - start))
        start = cut
    parts.append((start, end - start))
    return parts


def _quietest(file: Path, start: int, end: int) -> int:
    """The middle of the quietest fifth of a second between two samples."""
    with _opened(file) as sound:
        sound.seek(start)
        samples: Samples = sound.read(end - start, dtype="float32")
    window = HOUSE_RATE_HZ // 5
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    quiet = energy[window:] - energy[:-window]
    return start + int(np.argmin(quiet)) + window // 2


def _samples_in(file: Path) -> int:
    with _opened(file) as sound:
        return int(sound.frames)


def _opened(file: Path) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(file)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise StoreError(f"Không đọc được bản thu {file.name} để nghe lại ({error}); hãy thu lại.") from error


def hearing_to_json(hearing: Hearing) -> dict[str, Any]:
    """For the job row that keeps it."""
    return {
        "syllables": hearing.syllables,
        "missed": hearing.missed,
        "places": [asdict(place) for place in hearing.places],
    }


def hearing_from_json(data: Mapping[str, Any]) -> Hearing:
    """The way back."""
    return Hearing(
        int(data["syllables"]), int(data["missed"]), tuple(Place(**place) for place in data["places"])
    )
