"""The room where voices stand open: one opener, one sentence cache and one set of pauses for a process.

Used by the commands and by the worker; closing it ends every engine's process.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np
import soundfile

from broadcaster.config import Settings
from broadcaster.errors import StoreError
from broadcaster.model import HOUSE_RATE_HZ, JingleKind, Pcm, Profile, Programme, Reading, RenditionKind, Take
from broadcaster.production.encoding import whole, write_wav
from broadcaster.production.jingles import jingle_paths
from broadcaster.production.produce import ProgrammeItem, Stage, produce, stage_name
from broadcaster.production.template import Template
from broadcaster.reading import Lexicon, read
from broadcaster.speech.cache import SentenceCache
from broadcaster.speech.chain import speak_all
from broadcaster.speech.engines import Voice, open_voice
from broadcaster.speech.takes import Pauses, make_take, to_speak, words_speaker
from broadcaster.store.blobs import Blobs

SPEAKING: Final = "đọc"


def _unseen(_stage: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def pauses_of(settings: Settings) -> Pauses:
    """The rests that the settings ask for."""
    return Pauses(
        comma_ms=settings.integer("voice.pause_comma_ms"),
        sentence_ms=settings.integer("voice.pause_sentence_ms"),
        item_ms=settings.integer("voice.pause_item_ms"),
        paragraph_ms=settings.integer("voice.pause_paragraph_ms"),
    )


class Studio:
    """Voices opened once and kept; `chain` and `speed` override the settings."""

    def __init__(
        self, settings: Settings, *, chain: Sequence[str] | None = None, speed: float | None = None
    ) -> None:
        self.settings = settings
        self.chain = tuple(chain or settings.texts("voice.chain"))
        self.speed = settings.number("voice.speed") if speed is None else speed
        self.pauses = pauses_of(settings)
        self.cache = SentenceCache(settings.audio / "cache", limit_mb=settings.number("voice.cache_mb"))
        self._open: dict[str, Voice] = {}

    def opener(self, spec: str) -> Voice:
        """The voice of that spec, opened at its first use."""
        if spec not in self._open:
            self._open[spec] = open_voice(spec, home=self.settings.home, voices_dir=self.settings.voices)
        return self._open[spec]

    def take(
        self,
        reading: Reading,
        *,
        blobs: Blobs,
        chain: Sequence[str] | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Take:
        """Speak a reading and freeze it."""
        return make_take(
            reading, chain=chain or self.chain, opener=self.opener, blobs=blobs, cache=self.cache,
            pauses=self.pauses, speed=self.speed, progress=progress,
        )  # fmt: skip

    def words(
        self, *, chain: Sequence[str] | None = None, lexicon: Lexicon | None = None
    ) -> Callable[[str], Pcm]:
        """A function from a template's written words to sound."""

        def reader(text: str) -> Reading:
            return read(text, lexicon=lexicon) if lexicon is not None else read(text)

        return words_speaker(
            reader, chain=chain or self.chain, opener=self.opener, cache=self.cache, pauses=self.pauses,
            speed=self.speed,
        )  # fmt: skip

    def speak_to_wav(self, reading: Reading, output: Path, *, progress: Stage = _unseen) -> str:
        """Write the voice alone into a WAV of the house rate, whole or not at all; returns what spoke, and why."""
        spoken = speak_all(
            to_speak(reading), chain=self.chain, opener=self.opener, cache=self.cache, speed=self.speed,
            progress=lambda done, total: progress(SPEAKING, done, total),
        )  # fmt: skip
        try:
            with (
                whole(output) as part,
                soundfile.SoundFile(part, "w", HOUSE_RATE_HZ, 1, "PCM_16", format="WAV") as file,
            ):
                for segment, sentence in zip(spoken.segments, reading.sentences, strict=True):
                    rest = self.pauses.of(sentence.pause) * HOUSE_RATE_HZ // 1000
                    file.write(segment.samples)
                    file.write(np.zeros(rest, dtype=np.float32))
        except soundfile.LibsndfileError as error:  # it says no more than "System error"
            raise StoreError(
                f"Không ghi được tệp {output.name}; hãy kiểm tra chỗ trống và quyền ghi ở {output.parent} rồi làm lại."
            ) from error
        return f"{spoken.label}. {spoken.why}".strip()

    def produce_one(
        self,
        reading: Reading,
        *,
        title: str,
        blobs_folder: Path,
        now: datetime,
        profile: Profile,
        output: Path,
        progress: Stage = _unseen,
    ) -> Programme:
        """A whole programme from one reading, without a database; `now` is local and goes into its words.

        An `output` that ends in .wav gets the finished file decoded, sample for sample.
        """
        blobs = Blobs(str(blobs_folder))
        take = self.take(reading, blobs=blobs, progress=lambda done, total: progress(SPEAKING, done, total))
        programme = produce(
            items=[ProgrammeItem(title, take)],
            template=Template(),
            station_name="Đài truyền thanh cơ sở",
            call_sign="Đây là Đài truyền thanh cơ sở",
            local_date=now.date(),
            start_local=now.time().replace(second=0, microsecond=0),
            jingles=self.jingles(),
            speak_words=self.words(),
            blobs=blobs,
            profile=profile,
            kinds=(RenditionKind.AIR if profile is Profile.HORN else RenditionKind.ARCHIVE,),
            progress=lambda stage, done, total: progress(stage_name(stage), done, total),
        )
        made = blobs.path(programme.renditions[0].sha256, suffix="mp3")
        if output.suffix.lower() == ".wav":
            write_wav(made, output)
        else:
            with whole(output) as part:
                shutil.copyfile(made, part)
        return programme

    def jingles(self) -> dict[JingleKind, Path]:
        """The jingles that come with the project."""
        return jingle_paths(self.settings.jingles / "default")

    def close(self) -> None:
        """End every engine."""
        for voice in self._open.values():
            voice.close()
        self._open.clear()

    def __enter__(self) -> Studio:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
