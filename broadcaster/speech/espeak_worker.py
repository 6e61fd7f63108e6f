"""The process that speaks with espeak-ng, and the only place that loads it.

espeak-ng keeps global state, is not thread-safe, can crash in C, and is GPL: so it lives here, alone,
behind `pipe.serve`.  Asked for {"text", "voice", "rate_wpm"}.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from typing import Any, Final

from broadcaster.speech.pipe import claim_stdout, serve

_AUDIO_OUTPUT_SYNCHRONOUS: Final = 2
_DONT_EXIT: Final = 0x8000
_CHARS_UTF8: Final = 1
_RATE, _VOLUME, _PITCH, _WORDGAP = 1, 2, 3, 7
_VOLUME_PERCENT: Final = 70  # at 100 it touches full scale


class Engine:
    """espeak-ng through ctypes, loaded at the first question."""

    def __init__(self) -> None:
        self._library: Any = None
        self._rate_hz = 0
        self._voice = ""
        self._sound = bytearray()

    def speak(self, asked: Mapping[str, Any]) -> tuple[bytes, int]:
        """See pipe.Speaker."""
        if self._library is None:
            self._load()
        if asked["voice"] != self._voice:
            if self._library.espeak_SetVoiceByName(asked["voice"].encode()) != 0:
                raise ValueError(f"unknown voice {asked['voice']}")
            self._voice = asked["voice"]
        settings = ((_RATE, asked["rate_wpm"]), (_VOLUME, _VOLUME_PERCENT), (_PITCH, 50), (_WORDGAP, 0))
        for parameter, value in settings:
            self._library.espeak_SetParameter(parameter, value, 0)
        self._sound.clear()
        data = asked["text"].encode() + b"\0"
        if self._library.espeak_Synth(data, len(data), 0, 1, 0, _CHARS_UTF8, None, None) != 0:
            raise RuntimeError("espeak_Synth failed")
        return bytes(self._sound), self._rate_hz

    def _load(self) -> None:
        import espeakng_loader

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = os.fsencode(os.path.dirname(espeakng_loader.get_data_path()))
        self._rate_hz = int(library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 500, data, _DONT_EXIT))
        if self._rate_hz <= 0:
            raise RuntimeError("espeak_Initialize failed")
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = kind(self._received)  # espeak keeps a bare pointer to it
        library.espeak_SetSynthCallback(self._callback)
        self._library = library

    def _received(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._sound += ctypes.string_at(samples, count * 2)
        return 0


if __name__ == "__main__":
    serve(Engine(), questions=sys.stdin.buffer, answers=claim_stdout())
