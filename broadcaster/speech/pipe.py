"""A speaking program in a process of its own, behind a pipe: questions in JSON lines, answers in sound.

What may crash in C, is not thread-safe or has another licence lives there.  One question at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from broadcaster.errors import VoiceError
from broadcaster.model import Pcm
from broadcaster.speech.sound import from_int16
from broadcaster.system import widen_pipe

_PACKAGE_ROOT: Final = Path(__file__).resolve().parent.parent.parent


class Speaker(Protocol):
    """The worker's side: what `serve` calls for each question."""

    def speak(self, asked: Mapping[str, Any]) -> tuple[bytes, int]:
        """Signed 16-bit little-endian mono bytes, and their rate in Hz."""
        ...


class WorkerPipe:
    """The station's side: starts `python -m MODULE ARGUMENTS`, and starts it again when it dies."""

    def __init__(self, module: str, *arguments: str, label: str, timeout_s: float) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._label = label
        self._timeout_s = timeout_s
        self._turn = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The worker's process, if there is one now."""
        return self._worker.pid if self._worker else None

    def ask(self, question: Mapping[str, Any]) -> Pcm:
        """Sound for a question.  VoiceError: it said why not, or it died or hung twice in a row."""
        sound, rate_hz = self.ask_bytes(question)
        return from_int16(sound, rate_hz=rate_hz)

    def ask_bytes(self, question: Mapping[str, Any]) -> tuple[bytes, int]:
        """The same for a worker whose answers are not sound: its bytes and its number, as they came."""
        line = json.dumps(question).encode() + b"\n"
        with self._turn:
            for attempt in (1, 2):
                try:
                    return self._ask(line)
                except (OSError, EOFError, ValueError) as error:
                    self._stop()
                    if attempt == 2:
                        raise VoiceError(f"{self._label} dừng đột ngột: {error}.") from error
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End the worker; the next question starts another."""
        with self._turn:
            self._stop()

    def _ask(self, line: bytes) -> tuple[bytes, int]:
        worker = self._worker or self._start()
        assert worker.stdin is not None
        assert worker.stdout is not None
        watchdog = threading.Timer(self._timeout_s, worker.kill)  # a frozen worker ends as an EOF below
        watchdog.daemon = True
        watchdog.start()
        try:
            worker.stdin.write(line)
            worker.stdin.flush()
            answer = worker.stdout.readline()
            if not answer:
                raise EOFError("tiến trình đọc không trả lời")
            head = json.loads(answer)
            if "error" in head:
                raise VoiceError(f"{self._label} không đọc được câu này: {head['error']}.")
            sound = worker.stdout.read(head["bytes"])
            if len(sound) != head["bytes"]:
                raise EOFError("tiến trình đọc trả lời dở dang")
        finally:
            watchdog.cancel()
        return sound, int(head["rate_hz"])

    def _start(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, (str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH", ""))))
        self._worker = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
        widen_pipe(self._worker.stdout)  # a sentence is some 300 kB
        return self._worker

    def _stop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # the worker is gone: nothing was left to say to it
                    pipe.close()
        try:
            worker.wait(timeout=2)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def serve(speaker: Speaker, *, questions: Iterable[bytes], answers: BinaryIO) -> None:
    """In the worker: answer questions until there are no more.  Every failure is told, none ends it."""
    for line in questions:
        sound = b""
        try:
            sound, rate_hz = speaker.speak(json.loads(line))
            head: dict[str, object] = {"rate_hz": rate_hz, "bytes": len(sound)}
        except Exception as error:  # the pipe carries it to the parent, which says it in words
            head = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(head).encode() + b"\n" + sound)
        answers.flush()


def claim_stdout() -> BinaryIO:
    """In the worker: the pipe to the parent, with stdout turned away so that no library writes into it."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers
