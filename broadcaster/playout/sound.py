"""Files to samples: decoded before their time, kept in memory while they may be needed."""

from __future__ import annotations

import importlib.util
import io
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from broadcaster.errors import PlayerError
from broadcaster.playout.outputs.deck import RATE_HZ, Samples
from broadcaster.playout.plan import AudioFile


def decode(path: Path) -> Samples:
    """A whole file as float32 mono at 44.1 kHz.  PlayerError when it is not sound."""
    try:
        data = path.read_bytes()
        samples = _miniaudio(data) if importlib.util.find_spec("miniaudio") is not None else _soundfile(data)
    except (OSError, ValueError, RuntimeError) as error:
        raise PlayerError(f"Không giải mã được tệp {path.name}: {error}.") from error
    if not len(samples):
        raise PlayerError(f"Tệp {path.name} không có âm thanh.")
    return samples


def _miniaudio(data: bytes) -> Samples:
    import miniaudio

    try:
        sound = miniaudio.decode(
            data, output_format=miniaudio.SampleFormat.FLOAT32, nchannels=1, sample_rate=RATE_HZ
        )
    except miniaudio.MiniaudioError as error:
        raise ValueError(str(error)) from error
    return np.array(sound.samples, dtype=np.float32)


def _soundfile(data: bytes) -> Samples:
    import soundfile

    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    mono = samples.mean(axis=1, dtype=np.float32)
    if rate != RATE_HZ:
        count = round(len(mono) * RATE_HZ / rate)
        mono = np.interp(np.arange(count) * rate / RATE_HZ, np.arange(len(mono)), mono)
    return np.ascontiguousarray(mono, dtype=np.float32)


class Shelf:
    """Decoded files.  `want` says which are needed; a thread decodes them and `changed` is called.

    Without a thread (a given clock) `want` decodes before it returns.
    """

    def __init__(
        self, locate: Callable[[AudioFile], Path | None], *, threaded: bool, changed: Callable[[], None]
    ) -> None:
        self._locate, self._changed = locate, changed
        self._lock = threading.Lock()
        self._decoded: dict[str, Samples] = {}
        self._wanted: tuple[AudioFile, ...] = ()
        self._bad: dict[str, str] = {}
        self._work, self._closing = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        if threaded:
            self._thread = threading.Thread(target=self._run, name="decode", daemon=True)
            self._thread.start()

    def want(self, files: Iterable[AudioFile]) -> None:
        """Keep these, the most urgent first, and let go of all others."""
        with self._lock:
            self._wanted = tuple(dict.fromkeys(files))
            keep = {file.sha256 for file in self._wanted}
            for sha256 in [one for one in self._decoded if one not in keep]:
                del self._decoded[sha256]
            for sha256 in [one for one in self._bad if one not in keep]:
                del self._bad[sha256]
        if self._thread is not None:
            self._work.set()
        else:
            while self._one():
                pass

    def get(self, sha256: str) -> Samples | None:
        """The samples, or None while they are not decoded."""
        with self._lock:
            return self._decoded.get(sha256)

    def ready(self) -> frozenset[str]:
        """Hashes of what is decoded."""
        with self._lock:
            return frozenset(self._decoded)

    def bad(self) -> str:
        """A sentence about the first wanted file that is not sound."""
        with self._lock:
            return next(iter(self._bad.values()), "")

    def close(self) -> None:
        """Stop the thread."""
        self._closing.set()
        self._work.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._work.wait()
            self._work.clear()
            while not self._closing.is_set() and self._one():
                self._changed()

    def _one(self) -> bool:
        """Decode the most urgent file that is here and not decoded; False when there is none."""
        with self._lock:
            todo = [f for f in self._wanted if f.sha256 not in self._decoded and f.sha256 not in self._bad]
        for file in todo:
            path = self._locate(file)
            if path is None:
                continue
            try:
                samples = decode(path)
            except PlayerError as error:
                with self._lock:
                    self._bad[file.sha256] = error.message
                return True
            with self._lock:
                if file in self._wanted:
                    self._decoded[file.sha256] = samples
            return True
        return False
