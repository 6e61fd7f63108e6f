"""The process that speaks with Piper, and the only place that loads it (it is GPL).

Started as `python -m broadcaster.speech.piper_worker MODEL.onnx`; asked for {"text", "speed"}.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from broadcaster.speech.pipe import claim_stdout, serve


class Engine:
    """One Piper model, loaded at the first question.  Without noise: the same words, the same samples."""

    def __init__(self, model: Path) -> None:
        self._model = model
        self._voice: Any = None

    def speak(self, asked: Mapping[str, Any]) -> tuple[bytes, int]:
        """See pipe.Speaker."""
        from piper import PiperVoice, SynthesisConfig

        if self._voice is None:
            self._voice = PiperVoice.load(self._model)
        own_pace = float(self._voice.config.length_scale or 1.0)
        settings = SynthesisConfig(
            length_scale=own_pace / float(asked["speed"]),
            noise_scale=0.0,
            noise_w_scale=0.0,
            normalize_audio=False,  # it would bring every sentence to full scale, short ones too
        )
        parts = [chunk.audio_int16_bytes for chunk in self._voice.synthesize(asked["text"], settings)]
        return b"".join(parts), int(self._voice.config.sample_rate)


if __name__ == "__main__":
    serve(Engine(Path(sys.argv[1])), questions=sys.stdin.buffer, answers=claim_stdout())
