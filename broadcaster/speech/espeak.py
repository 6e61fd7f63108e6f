"""espeak-ng: always there, understood by few; the last of the chain, and good for tests and previews."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from broadcaster.errors import InputError, VoiceError
from broadcaster.model import Pcm
from broadcaster.speech.sound import from_int16

VARIANTS: Final = (
    "vi+f5",
    "vi",
    "vi-vn-x-central",
    "vi-vn-x-central+f5",
    "vi-vn-x-south",
    "vi-vn-x-south+f5",
)
_WORDS_PER_MINUTE: Final = 130
_PACKAGE_ROOT: Final = Path(__file__).resolve().parent.parent.parent


class EspeakVoice:
    """One voice of espeak-ng, spoken by a worker process that is started again when it dies.

    Safe to call from several threads: they take turns.
    """

    label = "giọng máy dự phòng"

    def __init__(self, variant: str = "vi+f5", *, timeout_s: float = 20.0) -> None:
        if variant not in VARIANTS:
            raise InputError(f"espeak không có giọng “{variant}”; hãy chọn một trong: {', '.join(VARIANTS)}.")
        self.name = f"espeak:{variant}"
        self.version = f"{_installed_version() or '?'}/{_WORDS_PER_MINUTE}"
        self._variant = variant
        self._timeout_s = timeout_s
        self._turn = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None

    def available(self) -> str | None:
        """None, or why it cannot speak here."""
        if importlib.util.find_spec("espeakng_loader") is None:
            return "chưa cài gói espeakng-loader"
        return None

    def speak(self, sentence: str, *, speed: float = 1.0) -> Pcm:
        """One spoken sentence.  Raises VoiceError after a second failure in a row."""
        asked = {"text": sentence, "voice": self._variant, "rate_wpm": round(_WORDS_PER_MINUTE * speed)}
        request = json.dumps(asked).encode() + b"\n"
        with self._turn:
            for attempt in (1, 2):
                try:
                    return self._ask(request)
                except (OSError, EOFError, ValueError) as error:
                    self._stop()
                    if attempt == 2:
                        raise VoiceError(f"Giọng máy dự phòng (espeak) dừng đột ngột: {error}.") from error
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End the worker.  The voice may be used again: it starts another."""
        with self._turn:
            self._stop()

    @property
    def worker_pid(self) -> int | None:
        """Process that speaks now, if one does."""
        return self._worker.pid if self._worker else None

    def _ask(self, request: bytes) -> Pcm:
        worker = self._worker or self._start()
        assert worker.stdin is not None
        assert worker.stdout is not None
        watchdog = threading.Timer(self._timeout_s, worker.kill)  # a frozen worker ends as an EOF below
        watchdog.start()
        try:
            worker.stdin.write(request)
            worker.stdin.flush()
            line = worker.stdout.readline()
            if not line:
                raise EOFError("tiến trình đọc không trả lời")
            head = json.loads(line)
            if "error" in head:
                raise VoiceError(f"Giọng máy dự phòng (espeak) không đọc được câu này: {head['error']}.")
            sound = worker.stdout.read(head["bytes"])
            if len(sound) != head["bytes"]:
                raise EOFError("tiến trình đọc trả lời dở dang")
        finally:
            watchdog.cancel()
        return from_int16(sound, rate_hz=head["rate_hz"])

    def _start(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, (str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH", ""))))
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "broadcaster.speech.espeak_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
        return self._worker

    def _stop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        for pipe in (worker.stdin, worker.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                pass  # the worker is gone: nothing was left to say to it
        try:
            worker.wait(timeout=2)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _installed_version() -> str | None:
    try:
        return importlib.metadata.version("espeakng-loader")
    except importlib.metadata.PackageNotFoundError:
        return None
