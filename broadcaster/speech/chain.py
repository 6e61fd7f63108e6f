"""One bulletin, one synthetic voice: the first engine of the chain that speaks all of it well."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from broadcaster.errors import SoundError, VoiceError
from broadcaster.model import Pause, Pcm
from broadcaster.speech.cache import SentenceCache, sentence_key
from broadcaster.speech.check import fault
from broadcaster.speech.engines import Voice
from broadcaster.speech.sound import resampled, trimmed

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SentenceToSpeak:
    """Spoken words, and the rest after them."""

    text: str
    pause: Pause = Pause.SENTENCE


@dataclass(frozen=True, slots=True)
class Spoken:
    """All sentences by one voice.  `segments[n]` is sentence n: house rate, its own silence trimmed.

    `why` is a Vietnamese sentence saying why no earlier engine of the chain spoke; empty for the first.
    """

    segments: Sequence[Pcm]
    voice: str
    label: str
    why: str


def speak_all(
    sentences: Sequence[SentenceToSpeak],
    *,
    chain: Sequence[str],
    opener: Callable[[str], Voice],
    cache: SentenceCache | None = None,
    speed: float = 1.0,
    progress: Progress = lambda done, total: None,
) -> Spoken:
    """Speak every sentence with one engine of `chain` (specs for `opener`), trying them in order.

    A sentence whose sound cannot be right is spoken once more; then the whole bulletin moves to the next
    engine.  With a cache the segments are read from disk when asked for.  VoiceError names what was wrong
    with every engine when none is left.  `progress(done, total)` may raise to cancel.
    """
    reasons: list[str] = []
    for spec in chain:
        voice = opener(spec)
        keys = [_key(voice, sentence, speed) for sentence in sentences]
        known = cache is not None and all([cache.has(key) for key in keys])
        reason = None if known else voice.available()  # what is all on disk needs no engine
        if reason is None:
            try:
                segments = _speak_with(voice, sentences, keys, cache=cache, speed=speed, progress=progress)
            except (VoiceError, SoundError) as error:
                reason = error.message.rstrip(".")
            else:
                return Spoken(segments, voice.name, voice.label, _why(voice, reasons))
        reasons.append(f"{voice.name} ({reason})")
    if not reasons:
        raise VoiceError("Chưa chọn giọng nào; hãy thêm ít nhất một giọng vào cài đặt voice.chain.")
    raise VoiceError(f"Không giọng nào đọc được: {'; '.join(reasons)}.")


def _key(voice: Voice, sentence: SentenceToSpeak, speed: float) -> str:
    return sentence_key(voice=voice.name, version=voice.version, speed=speed, sentence=sentence.text)


def _why(voice: Voice, reasons: Sequence[str]) -> str:
    return f"Đọc bằng {voice.label} vì không dùng được {'; '.join(reasons)}." if reasons else ""


def _speak_with(
    voice: Voice,
    sentences: Sequence[SentenceToSpeak],
    keys: Sequence[str],
    *,
    cache: SentenceCache | None,
    speed: float,
    progress: Progress,
) -> Sequence[Pcm]:
    made: dict[int, Pcm] = {}
    missing = [n for n, key in enumerate(keys) if cache is None or not cache.has(key)]
    done = len(sentences) - len(missing)
    progress(done, len(sentences))
    with contextlib.closing(_first_tries(voice, [sentences[n].text for n in missing], speed)) as tries:
        for number in missing:
            pcm = _good(voice, sentences[number].text, next(tries), speed=speed)
            if cache is None:
                made[number] = pcm
            else:
                cache.put(keys[number], pcm)
            done += 1
            progress(done, len(sentences))
    if cache is None:
        return [made[n] for n in range(len(sentences))]

    def again(number: int) -> Pcm:
        text = sentences[number].text
        return cache.put(keys[number], _good(voice, text, voice.speak(text, speed=speed), speed=speed))

    return _OnDisk(cache, keys, again)


def _first_tries(voice: Voice, texts: Sequence[str], speed: float) -> Generator[Pcm]:
    """Sound of each text in order; by a voice that has several workers, some ahead of what is asked for."""
    many: Callable[..., Iterator[Pcm]] | None = getattr(voice, "speak_many", None)
    if many is not None and len(texts) > 1:
        yield from many(texts, speed=speed)
    else:
        for text in texts:
            yield voice.speak(text, speed=speed)


def _good(voice: Voice, sentence: str, first: Pcm, *, speed: float) -> Pcm:
    """The first try, or a second one when that cannot be right; VoiceError when neither can."""
    silent = voice.name == "silent"
    pcm = first
    wrong = fault(pcm, sentence, speed=speed, may_be_silent=silent)
    if wrong is not None:
        pcm = voice.speak(sentence, speed=speed)
        wrong = fault(pcm, sentence, speed=speed, may_be_silent=silent)
    if wrong is not None:
        raise VoiceError(f"{voice.label} đọc hỏng câu “{_shortened(sentence)}”: {wrong}.")
    return trimmed(resampled(pcm), keep_ms=20)


def _shortened(sentence: str, limit: int = 60) -> str:
    return sentence if len(sentence) <= limit else sentence[: limit - 1].rstrip() + "…"


class _OnDisk(Sequence[Pcm]):
    """Segments that are read when asked for, so that an hour of speech is never in memory at once."""

    def __init__(self, cache: SentenceCache, keys: Sequence[str], again: Callable[[int], Pcm]) -> None:
        self._cache = cache
        self._keys = keys
        self._again = again

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Pcm: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Pcm]: ...
    def __getitem__(self, index: int | slice) -> Pcm | Sequence[Pcm]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        return self._cache.get(self._keys[number]) or self._again(number)
