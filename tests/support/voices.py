"""Voices that do what a test asks of them."""

from __future__ import annotations

import numpy as np

from broadcaster.errors import VoiceError
from broadcaster.model import Pcm


def tone(seconds: float, *, level: float = 0.2, rate_hz: int = 22_050, hz: float = 300) -> Pcm:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return Pcm((level * np.sin(2 * np.pi * hz * t)).astype(np.float32), rate_hz)


class ScriptedVoice:
    """Speaks a tone of the right length; `faults[n]` replaces the nth call's sound or raises."""

    version = "1"

    def __init__(
        self, name: str, *, faults: dict[int, Pcm | VoiceError] | None = None, reason: str | None = None
    ) -> None:
        self.name = name
        self.label = f"giọng {name}"
        self.calls: list[str] = []
        self._faults = faults or {}
        self._reason = reason

    def speak(self, sentence: str, *, speed: float = 1.0) -> Pcm:
        self.calls.append(sentence)
        fault = self._faults.get(len(self.calls) - 1)
        if isinstance(fault, VoiceError):
            raise fault
        return fault or tone(0.25 * len(sentence.split()) / speed, hz=200 + 7 * len(sentence))

    def available(self) -> str | None:
        return self._reason

    def close(self) -> None:
        pass
