"""The process that holds the recogniser, and the only place of the station that loads it.

It is native code of young age and some 320 MB: so it lives here, alone, behind `pipe.serve`, and its memory
comes back when it ends.  Asked for {"file", "start", "length", "padding_s"} (samples of the file's own rate);
answers with the words heard, as UTF-8.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import soundfile

from broadcaster.model import Pcm
from broadcaster.speech.listenback import Listener
from broadcaster.speech.pipe import claim_stdout, serve
from broadcaster.system import die_with_parent, lower_priority


class Ears:
    """Reads a stretch of a sound file and writes down what it hears."""

    def __init__(self) -> None:
        self._listener = Listener()

    def speak(self, asked: Mapping[str, Any]) -> tuple[bytes, int]:
        """See pipe.Speaker: here the bytes are words."""
        samples, rate_hz = soundfile.read(
            asked["file"], start=asked["start"], frames=asked["length"], dtype="float32"
        )
        text = self._listener.hear(Pcm(samples, rate_hz), padding_s=asked["padding_s"])
        return text.encode(), 0


if __name__ == "__main__":
    lower_priority()
    die_with_parent()
    serve(Ears(), questions=sys.stdin.buffer, answers=claim_stdout())
