"""How a programme's own words are said: read with the station's dictionary, one voice throughout."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from broadcaster.model import HOUSE_RATE_HZ, Pause, Pcm
from broadcaster.reading import Lexicon, read, spoken
from broadcaster.speech.cache import SentenceCache
from broadcaster.speech.chain import SentenceToSpeak, speak_all
from broadcaster.speech.engines import Voice
from broadcaster.speech.takes import Pauses
from broadcaster.speech.turns import PARTNERS


class Announcer:
    """Written words -> sound at the house rate.  Whoever of the chain speaks first speaks the rest."""

    def __init__(
        self,
        lexicon: Lexicon,
        *,
        chain: Sequence[str],
        opener: Callable[[str], Voice],
        cache: SentenceCache,
        pauses: Pauses,
        speed: float,
    ) -> None:
        self._lexicon = lexicon
        self._chain = list(chain)
        self._opener = opener
        self._cache = cache
        self._pauses = pauses
        self._speed = speed

    def __call__(self, text: str) -> Pcm:
        """A line or more.  VoiceError when no engine of the chain can."""
        sentences = [
            one for line in text.split("\n") if line.strip() for one in _fragment(line, self._lexicon)
        ]
        said = speak_all(
            sentences, chain=self._chain, opener=self._opener, cache=self._cache, speed=self._speed
        )
        for spec in self._chain:
            if self._opener(spec).name == said.voice:
                self._chain.remove(spec)
                self._chain.insert(0, spec)
                break
        return joined(said.segments, [self._pauses.of(one.pause) for one in sentences])

    def other(self) -> Announcer | None:
        """The partner of the voice that has spoken (male for female); None where there is none."""
        spec = PARTNERS.get(self._chain[0])
        if spec is None or self._opener(spec).available() is not None:
            return None
        return Announcer(
            self._lexicon, chain=[spec], opener=self._opener, cache=self._cache, pauses=self._pauses,
            speed=self._speed,
        )  # fmt: skip


def joined(segments: Sequence[Pcm], rests_ms: Sequence[int]) -> Pcm:
    """Segments (house rate) in a row, each followed by its rest; none after the last."""
    parts = []
    for number, (segment, rest_ms) in enumerate(zip(segments, rests_ms, strict=True)):
        parts.append(segment.samples)
        if number + 1 < len(rests_ms):
            parts.append(np.zeros(rest_ms * HOUSE_RATE_HZ // 1000, dtype=np.float32))
    return Pcm(np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32), HOUSE_RATE_HZ)


def _fragment(line: str, lexicon: Lexicon) -> list[SentenceToSpeak]:
    """Sentences of a line; every word of it, even where a document's reading would leave something out."""
    reading = read(line, lexicon=lexicon)
    if reading.sentences and not reading.left_out:
        return [SentenceToSpeak(sentence.spoken, sentence.pause) for sentence in reading.sentences]
    words = spoken(line)
    return [SentenceToSpeak(f"{words[0].upper()}{words[1:]}.", Pause.PARAGRAPH)] if words else []
