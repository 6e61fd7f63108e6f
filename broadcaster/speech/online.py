"""What voices over the network share: their manners towards a service, and what they do with its answer.

One question at a time, with a pause between two; whoever refuses or does not answer is left alone for a
while; what comes back must decode as sound.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from broadcaster.errors import SoundError, VoiceError
from broadcaster.model import Pcm
from broadcaster.speech.ffmpeg import run_ffmpeg

LARGEST_BYTES: Final = 4_000_000  # of an answer
RATE_HZ: Final = 24_000  # what both services send


@dataclass
class Manners:
    """How one service is asked.  Seconds throughout; `clock` only ever goes forward."""

    label: str
    pause_s: float
    rest_s: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _last: float = -1e9
    _resting_until: float = -1e9
    _why: str = ""

    def resting(self) -> str | None:
        """Why the service is left alone now, and for how long; None when it may be asked."""
        left_s = self._resting_until - self.clock()
        return f"{self._why}; thử lại sau {max(1, round(left_s / 60))} phút" if left_s > 0 else None

    @contextmanager
    def turn(self, available: Callable[[], str | None]) -> Iterator[None]:
        """Nobody else asks meanwhile.  VoiceError when `available` gives a reason by the time it is our turn."""
        with self._turn:
            if (reason := available()) is not None:
                raise self.refused(reason)
            yield

    def pause(self) -> None:
        """Wait until the service may be asked again, and count from now."""
        wait_s = self._last + self.pause_s - self.clock()
        if wait_s > 0:
            self.sleep(wait_s)
        self._last = self.clock()

    def leave_alone(self, why: str, *, shortly: bool = False) -> VoiceError:
        """Ask no more for `rest_s`, or (`shortly`) a tenth of it; the error to raise."""
        self._resting_until = self.clock() + (self.rest_s / 10 if shortly else self.rest_s)
        self._why = why
        return self.refused(why)

    def refused(self, why: str) -> VoiceError:
        """The error that says why this voice cannot be used."""
        return VoiceError(f"Không dùng được {self.label}: {why}.")


def nothing_to_say(sentence: str) -> VoiceError | None:
    """The error for a sentence without a letter or digit: it is not sent."""
    said = any(letter.isalnum() for letter in sentence)
    return None if said else VoiceError("Câu này không có chữ nào để đọc.")


def installed(module: str) -> bool:
    """True when that module could be imported here."""
    return importlib.util.find_spec(module) is not None


def installed_version(package: str) -> str:
    """Version of a package, "?" where it is not installed: a part of a voice's version."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "?"


def sound_of_mp3(mp3: bytes, *, speed: float, label: str) -> Pcm:
    """What an online voice sent, decoded and stretched.  VoiceError when it is empty or no sound."""
    if not mp3:
        raise VoiceError(f"Máy chủ của {label} gửi âm thanh trống.")
    stretch = ["-af", f"atempo={speed:.3f}"] if abs(speed - 1) > 0.001 else []
    arguments = ["-f", "mp3", "-i", "pipe:0", *stretch, "-f", "f32le", "-ac", "1", "-ar", str(RATE_HZ), "-"]
    try:
        raw = run_ffmpeg(arguments, timeout_s=30, data=mp3)
    except SoundError as error:
        raise VoiceError(f"Âm thanh của {label} không giải mã được: {error.message}") from error
    if len(raw) < 4:
        raise VoiceError(f"Âm thanh của {label} trống.")
    return Pcm(np.frombuffer(raw, dtype="<f4").astype(np.float32), RATE_HZ)
