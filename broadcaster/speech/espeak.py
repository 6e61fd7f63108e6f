"""espeak-ng: always there, understood by few; the last of the chain, and good for tests and previews."""

from __future__ import annotations

import importlib.util
from typing import Final

from broadcaster.errors import InputError
from broadcaster.model import Pcm
from broadcaster.speech.online import installed_version
from broadcaster.speech.pipe import WorkerPipe

VARIANTS: Final = (
    "vi+f5",
    "vi",
    "vi-vn-x-central",
    "vi-vn-x-central+f5",
    "vi-vn-x-south",
    "vi-vn-x-south+f5",
)
_WORDS_PER_MINUTE: Final = 130


class EspeakVoice:
    """One voice of espeak-ng, spoken by a worker process that is started again when it dies.

    Safe to call from several threads: they take turns.
    """

    label = "giọng máy dự phòng"

    def __init__(self, variant: str = "vi+f5", *, timeout_s: float = 20.0) -> None:
        if variant not in VARIANTS:
            raise InputError(f"espeak không có giọng “{variant}”; hãy chọn một trong: {', '.join(VARIANTS)}.")
        self.name = f"espeak:{variant}"
        self.version = f"{installed_version('espeakng-loader')}/{_WORDS_PER_MINUTE}"
        self._variant = variant
        self._pipe = WorkerPipe(
            "broadcaster.speech.espeak_worker", label="Giọng máy dự phòng (espeak)", timeout_s=timeout_s
        )

    def available(self) -> str | None:
        """None, or why it cannot speak here."""
        if importlib.util.find_spec("espeakng_loader") is None:
            return "chưa cài gói espeakng-loader"
        return None

    def speak(self, sentence: str, *, speed: float = 1.0) -> Pcm:
        """One spoken sentence.  Raises VoiceError after a second failure in a row."""
        rate_wpm = round(_WORDS_PER_MINUTE * speed)
        return self._pipe.ask({"text": sentence, "voice": self._variant, "rate_wpm": rate_wpm})

    def close(self) -> None:
        """End the worker.  The voice may be used again: it starts another."""
        self._pipe.close()

    @property
    def worker_pid(self) -> int | None:
        """Process that speaks now, if one does."""
        return self._pipe.pid
