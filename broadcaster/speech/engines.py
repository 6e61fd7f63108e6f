"""The contract of a voice, and the table of engines."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

from broadcaster.errors import InputError
from broadcaster.model import Pcm


class Voice(Protocol):
    """What the chain needs of an engine.

    `name` is `ENGINE[:NAME]` and `version` changes when the sound of the same words would: both are part
    of the cache key.  `label` is what people read.  `speak` is called with one spoken sentence at a time
    and may be called from several threads; it returns mono sound at any rate, or raises VoiceError.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def version(self) -> str: ...

    def speak(self, sentence: str, *, speed: float = 1.0) -> Pcm:
        """One sentence; `speed` 1.0 is the engine's own pace, 1.2 a fifth faster."""
        ...

    def available(self) -> str | None:
        """None when it can speak here and now, else the reason in Vietnamese.  Cheap; never raises."""
        ...

    def close(self) -> None:
        """Let go of processes, models and connections."""
        ...


class UnavailableVoice:
    """Stands for an engine that is known but cannot be loaded here."""

    version = "0"

    def __init__(self, name: str, *, label: str, reason: str) -> None:
        self.name = name
        self.label = label
        self._reason = reason

    def speak(self, sentence: str, *, speed: float = 1.0) -> Pcm:
        """Always VoiceError."""
        from broadcaster.errors import VoiceError

        raise VoiceError(f"Không dùng được {self.label}: {self._reason}.")

    def available(self) -> str | None:
        """The reason."""
        return self._reason

    def close(self) -> None:
        """Nothing was opened."""


Opener = Callable[[str, Path, Path], Voice]


def open_voice(spec: str, *, home: Path, voices_dir: Path) -> Voice:
    """The voice that `spec` (`ENGINE[:NAME]`) names; nothing slow happens before its first sentence.

    `home` is where data lives (installed voices, models); `voices_dir` holds the voices that come with the
    project.  An unknown engine or name is an InputError that lists the choices.
    """
    engine, _, name = spec.strip().partition(":")
    if engine not in ENGINES or (name and engine in ("gtts", "silent")):  # these two have one voice each
        raise InputError(f"Không có giọng “{spec}”; hãy chọn một trong: {', '.join(CHOICES)}.")
    return ENGINES[engine](name, home, voices_dir)


class Voices:
    """Opens voices and keeps them open, so that a model is loaded once.  A context manager.

    with Voices(home=settings.home, voices_dir=settings.voices) as voices:
        speak_all(..., opener=voices)
    """

    def __init__(self, *, home: Path, voices_dir: Path) -> None:
        self._home = home
        self._voices_dir = voices_dir
        self._open: dict[str, Voice] = {}
        self._turn = threading.Lock()

    def __call__(self, spec: str) -> Voice:
        """The voice of that spec, opened at the first call."""
        with self._turn:
            if spec not in self._open:
                self._open[spec] = open_voice(spec, home=self._home, voices_dir=self._voices_dir)
            return self._open[spec]

    def __enter__(self) -> Voices:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every voice."""
        with self._turn:
            while self._open:
                self._open.popitem()[1].close()


def _espeak(name: str, home: Path, voices_dir: Path) -> Voice:
    from broadcaster.speech.espeak import EspeakVoice

    return EspeakVoice(name or "vi+f5")


def _gtts(name: str, home: Path, voices_dir: Path) -> Voice:
    from broadcaster.speech.gtts import GttsVoice

    return GttsVoice()


def _edge(name: str, home: Path, voices_dir: Path) -> Voice:
    from broadcaster.speech.edge import EdgeVoice

    return EdgeVoice(name or "nu")


def _piper(name: str, home: Path, voices_dir: Path) -> Voice:
    from broadcaster.speech.piper import PiperVoice

    return PiperVoice(name, home=home)


def _silent(name: str, home: Path, voices_dir: Path) -> Voice:
    from broadcaster.speech.silent import SilentVoice

    return SilentVoice()


def _kokoro(name: str, home: Path, voices_dir: Path) -> Voice:
    wanted = name or "nu-1"
    try:
        open_kokoro = importlib.import_module("broadcaster.speech.kokoro").open_kokoro
    except ImportError as error:
        reason = f"chưa cài đủ gói cho giọng nhúng ({error.name or error})"
        return UnavailableVoice(f"kokoro:{wanted}", label="giọng nhúng của đài", reason=reason)
    if not (voices_dir / f"{wanted}.json").is_file():
        names = ", ".join(f"kokoro:{file.stem}" for file in sorted(voices_dir.glob("*.json"))) or "(không có)"
        raise InputError(f"Không có giọng nhúng “{wanted}”; hãy chọn một trong: {names}.")
    return cast(Voice, open_kokoro(wanted, home=home / "var" / "voices", voices_dir=voices_dir))


ENGINES: dict[str, Opener] = {
    "kokoro": _kokoro,
    "gtts": _gtts,
    "edge": _edge,
    "piper": _piper,
    "espeak": _espeak,
    "silent": _silent,
}
CHOICES = (
    "kokoro:nu-1",
    "kokoro:nam-1",
    "gtts",
    "edge:nu",
    "edge:nam",
    "piper:TÊN",
    "espeak:vi+f5",
    "silent",
)
