"""Outputs without a device: a WAV file with its timeline, and nothing at all.

With the machine's clock a thread writes as time passes; with a given clock the samples are written when
the clock is moved.  Either way the sample of an instant is (instant − start) × rate.
"""

from __future__ import annotations

import errno
import json
import os
import struct
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from broadcaster.errors import PlayerError
from broadcaster.playout.clock import Clock, GivenClock
from broadcaster.playout.outputs.deck import RATE_HZ, Deck, DeckOutput, Mark, Samples

_BLOCK: Final = RATE_HZ // 2
_TICK_S: Final = 0.01
_STEP_S: Final = 0.5  # a wall clock that moves this much against the monotonic one was set
_LONGEST_BYTES: Final = 0xFFFF_FFFF - 64


class SilentOutput(DeckOutput):
    """Time passes as in the others and nothing is heard: for tests and for machines without loudspeakers."""

    def __init__(self, clock: Clock) -> None:
        self.name = "silent"
        self._clock = clock
        self._deck = Deck()
        self._lock = threading.Lock()
        self._fault = ""
        self.start = clock.now()  # instant of sample 0
        self._origin = self.start  # moves when the wall clock is set
        self._wall_less_monotonic = clock.now().timestamp() - clock.monotonic()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        if isinstance(clock, GivenClock):
            clock.attach(self._write_until)
        else:
            self._thread = threading.Thread(target=self._pace, name="output", daemon=True)
            self._thread.start()

    @property
    def fault(self) -> str:
        """Why nothing is written."""
        return self._fault

    def tend(self) -> None:
        """Nothing to look after."""

    def close(self) -> None:
        """Stop writing."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _frame_of(self, instant: datetime) -> int:
        return round((instant - self._origin) / timedelta(seconds=1) * RATE_HZ)

    def _instant_of(self, frame: int) -> datetime:
        return self._origin + timedelta(seconds=frame / RATE_HZ)

    def _pace(self) -> None:
        while not self._closing.wait(_TICK_S):
            now = self._clock.now()
            stepped = now.timestamp() - self._clock.monotonic() - self._wall_less_monotonic
            if abs(stepped) > _STEP_S:
                self._wall_less_monotonic += stepped
                self._origin += timedelta(seconds=stepped)
                self._note([Mark(f"clock {stepped:+.3f} s", "", self._deck.position)])
            self._write_until(now)

    def _write_until(self, until: datetime) -> None:
        with self._lock:
            missing = self._frame_of(until) - self._deck.position
            while missing > 0 and not self._fault:
                block = self._deck.render(min(missing, _BLOCK))
                missing -= len(block)
                self._keep(block)
            self._note(self._deck.take_marks())

    def _keep(self, block: Samples) -> None:
        """What becomes of the sound: nothing."""

    def _note(self, marks: list[Mark]) -> None:
        """What becomes of the timeline: nothing."""


class WavOutput(SilentOutput):
    """Mono 16-bit WAV whose sample 0 is `start`, and `<path>.json`: the start and every onset and end.

    The header is right at any moment, so that a killed player leaves a file that can be read.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._timeline = path.with_name(path.name + ".json")
        self._events: list[dict[str, object]] = []
        self._data_bytes = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb", buffering=0)  # what was heard is in the file, whatever kills us
            self._header()
        except OSError as error:
            raise PlayerError(
                f"Không ghi được tệp {path}: {error.strerror or error}. Hãy chọn chỗ khác cho wav:."
            ) from error
        super().__init__(clock)
        self.name = f"wav:{path}"
        self._write_timeline()

    def close(self) -> None:
        """Stop writing and finish the file."""
        super().close()
        if not self._file.closed:
            self._header()
            self._file.close()
            self._write_timeline()

    def _keep(self, block: Samples) -> None:
        data = np.rint(np.clip(block, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
        if self._data_bytes + len(data) > _LONGEST_BYTES:
            self._fault = f"Tệp {self._path.name} đã dài tới giới hạn của định dạng WAV."
            return
        try:
            if self._file.write(data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            before, self._data_bytes = self._data_bytes, self._data_bytes + len(data)
            if before // (2 * RATE_HZ) != self._data_bytes // (2 * RATE_HZ):
                self._header()
        except OSError as error:
            self._fault = f"Không ghi được tệp {self._path.name}: {error.strerror or error}."

    def _header(self) -> None:
        """44 bytes with the length so far; the write position stays at the end."""
        size = self._data_bytes
        header = struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16, b"data", size,
        )  # fmt: skip
        self._file.seek(0)
        self._file.write(header)
        self._file.seek(44 + size)
        self._file.flush()

    def _note(self, marks: list[Mark]) -> None:
        if not marks:
            return
        for mark in marks:
            self._events.append(
                {
                    "event": mark.event,
                    "airing": mark.key,
                    "sample": mark.frame,
                    "at": self._instant_of(mark.frame).isoformat(),
                }
            )
        self._write_timeline()

    def _write_timeline(self) -> None:
        data = {
            "start": self.start.isoformat(),
            "sample_rate_hz": RATE_HZ,
            "samples": self._data_bytes // 2,
            "events": self._events,
        }
        part = self._timeline.with_name(self._timeline.name + ".part")
        try:
            part.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")
            os.replace(part, self._timeline)
        except OSError as error:
            self._fault = f"Không ghi được tệp {self._timeline.name}: {error.strerror or error}."
