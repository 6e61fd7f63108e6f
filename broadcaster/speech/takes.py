"""A bulletin's whole speech, frozen: what is approved is what will sound."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mutagen
import mutagen.flac
import numpy as np
import soundfile

from broadcaster.errors import InputError, StoreError
from broadcaster.model import HOUSE_RATE_HZ, Pause, Pcm, Reading, SpokenSentence, Take
from broadcaster.speech.ahead import ahead
from broadcaster.speech.cache import SentenceCache
from broadcaster.speech.chain import Progress, SentenceToSpeak, speak_all
from broadcaster.speech.engines import Voice
from broadcaster.speech.sound import Samples, resampled, rms_db
from broadcaster.store.blobs import Blobs

TAKE_SUFFIX: Final = "flac"
RECORDED: Final = "recorded"
_SILENT_DB: Final = -80.0
_FLAC: Any = mutagen.flac.FLAC


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long the voice rests, in ms (settings `voice.pause_*_ms`)."""

    comma_ms: int = 250
    sentence_ms: int = 650
    item_ms: int = 900
    paragraph_ms: int = 1100

    def of(self, pause: Pause) -> int:
        """Milliseconds of one kind."""
        return {
            Pause.COMMA: self.comma_ms,
            Pause.SENTENCE: self.sentence_ms,
            Pause.ITEM: self.item_ms,
            Pause.PARAGRAPH: self.paragraph_ms,
        }[pause]


def to_speak(reading: Reading) -> list[SentenceToSpeak]:
    """The sentences of a reading, as the chain takes them."""
    return [SentenceToSpeak(sentence.spoken, sentence.pause) for sentence in reading.sentences]


def make_take(
    reading: Reading,
    *,
    chain: Sequence[str],
    opener: Callable[[str], Voice],
    blobs: Blobs,
    cache: SentenceCache | None = None,
    pauses: Pauses | None = None,
    speed: float = 1.0,
    recorded: Mapping[int, Pcm] | None = None,
    progress: Progress = lambda done, total: None,
) -> Take:
    """Speak a reading and freeze it as a mono 16-bit FLAC blob at the house rate.

    `recorded` replaces sentences (by index) with a person's voice, brought to the level of the others.
    The same segments and pauses give the same file.  InputError when there is nothing to speak;
    VoiceError when no engine can; StoreError when it cannot be kept.
    """
    sentences = to_speak(reading)
    if not sentences:
        raise InputError("Bản tin không có câu nào để đọc; hãy nhập nội dung rồi làm lại.")
    human = recorded or {}
    machine = [n for n in range(len(sentences)) if n not in human]
    if machine:
        asked = [sentences[n] for n in machine]
        spoken = speak_all(asked, chain=chain, opener=opener, cache=cache, speed=speed, progress=progress)
        voice, why = spoken.voice + (f"+{RECORDED}" if human else ""), spoken.why
        level_db = rms_db(spoken.segments[0].samples)
        position = {n: at for at, n in enumerate(machine)}

        def segment(number: int) -> Samples:
            if number in human:
                return _levelled(resampled(human[number]).samples, level_db)
            return spoken.segments[position[number]].samples
    else:
        voice, why = RECORDED, ""

        def segment(number: int) -> Samples:
            return resampled(human[number]).samples

    rests = pauses or Pauses()
    return freeze(
        [sentence.text for sentence in sentences],
        segment,
        rests_ms=[rests.of(sentence.pause) for sentence in sentences],
        voice=voice,
        speed=speed,
        why=why,
        blobs=blobs,
    )


def words_speaker(
    read: Callable[[str], Reading],
    *,
    chain: Sequence[str],
    opener: Callable[[str], Voice],
    cache: SentenceCache | None = None,
    pauses: Pauses | None = None,
    speed: float = 1.0,
) -> Callable[[str], Pcm]:
    """A function from written words (a template's texts) to sound at the house rate, rests included.

    `read` is `broadcaster.reading.read`, or anything that gives a Reading.
    """
    rests = pauses or Pauses()

    def speak_words(written: str) -> Pcm:
        sentences = to_speak(read(written))
        if not sentences:
            raise InputError(f"Lời dẫn “{written[:60]}” không có gì để đọc; hãy sửa khung chương trình.")
        spoken = speak_all(sentences, chain=chain, opener=opener, cache=cache, speed=speed)
        parts: list[Samples] = []
        for segment, sentence in zip(spoken.segments, sentences, strict=True):
            rest = rests.of(sentence.pause) * HOUSE_RATE_HZ // 1000
            parts += [segment.samples, np.zeros(rest, dtype=np.float32)]
        return Pcm(np.concatenate(parts[:-1]), HOUSE_RATE_HZ)

    return speak_words


def take_of_recording(
    sha256: str, *, blobs: Blobs, duration_ms: int, text: str = "", why: str = "Cả bài do người đọc."
) -> Take:
    """A whole bulletin read by a person (see `recorded.keep_bulletin`): its file is the take as it is.

    StoreError when the file is not there.
    """
    path = blobs.path(sha256, suffix=TAKE_SUFFIX)
    try:
        length = soundfile.info(str(path)).frames
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise StoreError(f"Bản thu {path.name} đã bị hỏng; hãy thu lại bản tin này.") from error
    return Take(
        sha256=sha256,
        voice=RECORDED,
        speed=1.0,
        duration_ms=duration_ms,
        sentences=(SpokenSentence(text, 0, length),),
        why=why,
    )


def freeze(
    texts: Sequence[str],
    segment: Callable[[int], Samples],
    *,
    rests_ms: Sequence[int],
    voice: str,
    speed: float,
    why: str,
    blobs: Blobs,
) -> Take:
    """Join segments (house rate) with their rests into one FLAC blob; no rest after the last.

    Segments are asked for one at a time: the length of a bulletin does not matter to memory.
    """
    placed: list[SpokenSentence] = []
    with tempfile.TemporaryDirectory(prefix="broadcaster-take-") as folder:
        path = Path(folder) / "take.flac"
        try:
            with soundfile.SoundFile(
                path,
                "w",
                samplerate=HOUSE_RATE_HZ,
                channels=1,
                format="FLAC",
                subtype="PCM_16",
                compression_level=0.5,  # a third smaller than 0.1 in the same time
            ) as out:
                written, power, spoken = 0, 0.0, 0
                for number, (text, samples) in enumerate(
                    zip(texts, ahead(segment(n) for n in range(len(texts))), strict=True)
                ):
                    placed.append(SpokenSentence(text, written, len(samples)))
                    power += float(np.dot(samples, samples))
                    spoken += len(samples)
                    rest = rests_ms[number] * HOUSE_RATE_HZ // 1000 if number + 1 < len(texts) else 0
                    for block in (samples, np.zeros(rest, dtype=np.float32)):
                        out.write(np.clip(np.rint(block * 32767), -32768, 32767).astype(np.int16))
                        written += len(block)
            note_level(path, 10 * math.log10(power / spoken) if power > 0 else -120.0)
        except (soundfile.LibsndfileError, mutagen.MutagenError, RuntimeError, OSError) as error:
            raise StoreError(
                f"Không ghi được bản thu ({error}); hãy kiểm tra chỗ trống trên đĩa rồi làm lại."
            ) from error
        sha256 = blobs.put(path, suffix=TAKE_SUFFIX)
    return Take(
        sha256=sha256,
        voice=voice,
        speed=speed,
        duration_ms=round(written * 1000 / HOUSE_RATE_HZ),
        sentences=tuple(placed),
        why=why,
    )


def take_blocks(take: Take, *, blobs: Blobs, block: int = 65_536) -> Iterator[Samples]:
    """The take's samples, in blocks.  StoreError when its file is missing or damaged."""
    path = blobs.path(take.sha256, suffix=TAKE_SUFFIX)
    try:
        with soundfile.SoundFile(path) as source:
            yield from source.blocks(block, dtype="float32")
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise StoreError(f"Bản thu {path.name} đã bị hỏng; hãy thu lại bản tin này.") from error


def note_level(path: Path, level_db: float) -> None:
    """Write the speech's mean level into the FLAC's comments, so that nobody needs to decode it to know."""
    tags = _FLAC(path)
    tags["level_db"] = f"{level_db:.3f}"
    tags.save()


def take_level_db(take: Take, *, blobs: Blobs) -> float:
    """Mean level of its speech without the rests, dBFS; -120 for silence."""
    path = blobs.path(take.sha256, suffix=TAKE_SUFFIX)
    try:
        return float(_FLAC(path)["level_db"][0])
    except (mutagen.MutagenError, LookupError, ValueError):  # a FLAC from elsewhere: listen to it
        power = sum(float(np.dot(block, block)) for block in take_blocks(take, blobs=blobs))
        spoken = sum(sentence.length_samples for sentence in take.sentences)
        return 10 * math.log10(power / spoken) if power > 0 and spoken else -120.0


def _levelled(samples: Samples, level_db: float) -> Samples:
    """Brought to that mean level, but never past full scale; beside a silent voice it stays as it is."""
    if level_db < _SILENT_DB:
        return samples
    gain = 10 ** ((level_db - rms_db(samples)) / 20)
    peak = float(np.max(np.abs(samples), initial=1e-6))
    return samples * np.float32(min(gain, 0.98 / peak))
