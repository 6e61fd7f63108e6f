"""Worker processes for the embedded voice: as many as cores, low priority, restarted when they die.

A thread of this process stands behind each worker and hands it one sentence at a time.  A crash in native
code therefore costs one sentence's time, never the station.  Workers go away after some idle minutes and
with this process, whatever ends it.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from broadcaster.errors import VoiceError
from broadcaster.speech.kokoro.engine import F32, Speaker

URGENT, ORDINARY = 0, 1
IDLE_S = 300.0
SENTENCE_LIMIT_S = (
    300.0  # includes making the model on the first one; a long sentence has a little more a letter
)
LETTER_LIMIT_S = 0.5
WORKER_MB = 450  # what a worker may come to hold, with a margin
MOST_MB = 600  # a worker that has held more than this is ended after its sentence, and another one starts
TRIES = 2

_ROOT = Path(__file__).resolve().parents[3]


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(order=True)
class _Job:
    urgency: int
    number: int
    sentence: str = field(compare=False, default="")
    speaker: Speaker | None = field(compare=False, default=None)
    speed: float = field(compare=False, default=1.0)
    done: Future[F32] = field(compare=False, default_factory=Future)


class Pool:
    """Sentences in, samples out, several at a time."""

    def __init__(self, home: Path, *, size: int | None = None, command: Sequence[str] | None = None) -> None:
        """`size` workers at most (default: the cores); `command` starts a worker (tests give another one)."""
        self.size = size if size is not None else cores()
        self.peak_mb = 0.0  # the most any worker has held
        self.restarts = 0
        self._command = (
            list(command)
            if command is not None
            else [sys.executable, "-m", "broadcaster.speech.kokoro.worker", str(home)]
        )
        self._jobs: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._open = 0  # sentences queued or being spoken
        self._closed = False
        self._pid = os.getpid()

    def submit(
        self, sentence: str, speaker: Speaker, *, speed: float = 1.0, urgent: bool = False
    ) -> Future[F32]:
        """Queues one sentence; the future gives its samples or raises VoiceError."""
        job = _Job(URGENT if urgent else ORDINARY, next(self._numbers), sentence, speaker, speed)
        with self._lock:
            if self._closed:
                raise VoiceError("Giọng nhúng đã đóng; hãy mở lại.")
            self._open += 1
            self._jobs.put(job)  # under the lock: an idle thread that is about to leave sees it
            if len(self._threads) < min(self.size, self._open):
                thread = threading.Thread(target=self._stand_behind, name="kokoro", daemon=True)
                self._threads.add(thread)
                thread.start()
        return job.done

    def ordered(self, sentences: Sequence[str], speaker: Speaker, *, speed: float = 1.0) -> Iterator[F32]:
        """Samples of the sentences in their order; a few are spoken ahead, the rest is cancelled when the
        caller stops asking."""
        ahead: list[Future[F32]] = []
        todo = iter(sentences)
        try:
            for sentence in itertools.islice(todo, 2 * self.size + 1):
                ahead.append(self.submit(sentence, speaker, speed=speed))
            while ahead:
                result = ahead[0].result()
                ahead.pop(0)
                for sentence in itertools.islice(todo, 1):
                    ahead.append(self.submit(sentence, speaker, speed=speed))
                yield result
        finally:
            for future in ahead:
                future.cancel()

    def close(self) -> None:
        """Ends the workers; sentences not yet begun fail with VoiceError."""
        with self._lock:
            self._closed = True
            threads = list(self._threads)
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job.number >= 0 and job.done.set_running_or_notify_cancel():
                job.done.set_exception(VoiceError("Giọng nhúng đã đóng; hãy mở lại."))
        for _ in threads:
            self._jobs.put(_Job(-1, -1))
        for thread in threads:
            thread.join(timeout=30)

    @property
    def forked(self) -> bool:
        """True in a process forked from the one that opened the pool: the threads did not come along."""
        return self._pid != os.getpid()

    # ------------------------------------------------------------------ the thread behind one worker

    def _stand_behind(self) -> None:
        worker: _Worker | None = None
        try:
            while True:
                try:
                    job = self._jobs.get(timeout=IDLE_S)
                except queue.Empty:
                    with self._lock:
                        if self._jobs.empty():
                            self._threads.discard(threading.current_thread())
                            return
                    continue
                if job.number < 0:
                    return
                if job.done.set_running_or_notify_cancel():
                    worker = self._do(job, worker)
                with self._lock:
                    self._open -= 1
        finally:
            if worker is not None:
                worker.stop()
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _do(self, job: _Job, worker: _Worker | None) -> _Worker | None:
        assert job.speaker is not None
        failure = VoiceError("Giọng nhúng dừng giữa chừng khi đọc câu này; hãy thử lại hoặc dùng giọng khác.")
        for _ in range(TRIES):
            try:
                if worker is None:
                    worker = _Worker(self._command)
                samples, peak_mb = worker.speak(job.sentence, job.speaker, job.speed)
            except _WorkerDied:
                if worker is not None:
                    worker.stop()
                    worker = None
                self.restarts += 1
            except VoiceError as error:
                failure = error
                if worker is not None and worker.ended():
                    worker.stop()
                    worker = None
                break
            else:
                self.peak_mb = max(self.peak_mb, peak_mb)
                if peak_mb > MOST_MB:
                    worker.stop()
                    worker = None
                job.done.set_result(samples)
                return worker
        job.done.set_exception(failure)
        return worker


class _WorkerDied(Exception):
    pass


class _Worker:
    """One child process and the talk with it."""

    def __init__(self, command: Sequence[str]) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(
            [str(_ROOT), *filter(None, [environment.get("PYTHONPATH", "")])]
        )
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )
        except OSError as error:
            raise VoiceError(f"Không khởi động được tiến trình giọng nhúng ({error}).") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests: BinaryIO = self._process.stdin  # type: ignore[assignment]
        self._answers: BinaryIO = self._process.stdout  # type: ignore[assignment]
        self._ready = False

    def speak(self, sentence: str, speaker: Speaker, speed: float) -> tuple[F32, float]:
        """(samples, peak memory in MB); _WorkerDied on a crash or after the time limit."""
        watchdog = threading.Timer(SENTENCE_LIMIT_S + LETTER_LIMIT_S * len(sentence), self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            return self._speak(sentence, speaker, speed)
        finally:
            watchdog.cancel()

    def _speak(self, sentence: str, speaker: Speaker, speed: float) -> tuple[F32, float]:
        if not self._ready:
            self._read()
            self._ready = True
        request = {"sentence": sentence, "speaker": asdict(speaker), "speed": speed}
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        except OSError as error:
            raise _WorkerDied from error
        head, body = self._read()
        return np.frombuffer(body, "<f4").astype(np.float32), float(head["peak_mb"])

    def _read(self) -> tuple[dict[str, Any], bytes]:
        line = self._answers.readline()
        if not line.endswith(b"\n"):
            raise _WorkerDied
        try:
            head = json.loads(line)
            body = self._answers.read(head["bytes"])
        except (ValueError, KeyError, TypeError) as error:  # not our worker's words: it is out of its mind
            raise _WorkerDied from error
        if len(body) != head["bytes"]:
            raise _WorkerDied
        if "error" in head:
            raise VoiceError(head["error"])
        return head, body

    def ended(self) -> bool:
        """True when the process is gone, or never became ready and is about to go."""
        return not self._ready or self._process.poll() is not None

    def stop(self) -> None:
        for stream in (self._requests, self._answers):
            try:
                stream.close()
            except OSError:
                pass
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
