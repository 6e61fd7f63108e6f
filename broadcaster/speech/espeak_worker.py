"""The process that speaks with espeak-ng, and the only place that loads it.

espeak-ng keeps global state, is not thread-safe, can crash in C, and is GPL: so it lives here, alone,
behind a pipe.  One JSON line in, `{"text", "voice", "rate_wpm"}`; one JSON line out, `{"rate_hz",
"bytes"}` or `{"error"}`, then that many bytes of signed 16-bit little-endian mono sound.  It ends when
its input ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from typing import Any, BinaryIO, Final

_AUDIO_OUTPUT_SYNCHRONOUS: Final = 2
_DONT_EXIT: Final = 0x8000
_CHARS_UTF8: Final = 1
_RATE, _VOLUME, _PITCH, _WORDGAP = 1, 2, 3, 7
_VOLUME_PERCENT: Final = 70  # at 100 it touches full scale


class Engine:
    """espeak-ng through ctypes."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = os.fsencode(os.path.dirname(espeakng_loader.get_data_path()))
        self.rate_hz = int(self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 500, data, _DONT_EXIT))
        if self.rate_hz <= 0:
            raise RuntimeError("espeak_Initialize failed")
        self._sound = bytearray()
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = kind(self._received)  # espeak keeps a bare pointer to it
        self._library.espeak_SetSynthCallback(self._callback)
        self._voice = ""

    def speak(self, text: str, *, voice: str, rate_wpm: int) -> bytes:
        """Signed 16-bit mono bytes at `rate_hz`."""
        if voice != self._voice:
            if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise ValueError(f"unknown voice {voice}")
            self._voice = voice
        for parameter, value in ((_RATE, rate_wpm), (_VOLUME, _VOLUME_PERCENT), (_PITCH, 50), (_WORDGAP, 0)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._sound.clear()
        data = text.encode() + b"\0"
        if self._library.espeak_Synth(data, len(data), 0, 1, 0, _CHARS_UTF8, None, None) != 0:
            raise RuntimeError("espeak_Synth failed")
        return bytes(self._sound)

    def _received(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._sound += ctypes.string_at(samples, count * 2)
        return 0


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the input ends."""
    engine: Engine | None = None
    for line in requests:
        sound = b""
        try:
            if engine is None:
                engine = Engine()
            asked = json.loads(line)
            sound = engine.speak(asked["text"], voice=asked["voice"], rate_wpm=asked["rate_wpm"])
            head: dict[str, object] = {"rate_hz": engine.rate_hz, "bytes": len(sound)}
        except Exception as error:  # the pipe carries every failure to the parent, which says it in words
            head = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(head).encode() + b"\n" + sound)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
