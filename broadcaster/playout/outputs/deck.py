"""One voice at a time, placed to the sample: what every output renders its blocks from, and how it is asked for it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 44_100
FADE: Final = 220  # samples, 5 ms: a cut does not click
_NEVER: Final = 1 << 62

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ended:
    """A clip that sounds no more: how many of its samples did, and the loudest of them (after volume)."""

    key: str
    start_frame: int
    sounded: int
    whole: bool
    peak: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment on the tape, for the timeline: `event` is start, end or cut."""

    event: str
    key: str
    frame: int


@dataclass(slots=True)
class _Clip:
    key: str
    samples: Samples
    start: int
    gain: float
    stop: int = _NEVER
    begun: bool = False
    peak: float = 0.0

    @property
    def end(self) -> int:
        return min(self.start + len(self.samples), self.stop)


class Deck:
    """An endless tape of silence on which clips are laid; `render` takes the next block off it.

    Thread-safe: the device's callback renders while the player cues.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clips: list[_Clip] = []
        self._ended: list[Ended] = []
        self._marks: deque[Mark] = deque(maxlen=1024)  # a sound card's are taken by nobody
        self.position = 0  # the frame that the next block begins with

    def cue(self, key: str, samples: Samples, frame: int, *, gain: float = 1.0) -> int:
        """Lay a clip so that its first sample is `frame`, or the next one when that is past.

        Whatever sounds then ends there.  Returns the frame.
        """
        with self._lock:
            start = max(frame, self.position)
            for clip in self._clips:
                clip.stop = min(clip.stop, start)
            self._clips.append(_Clip(key, samples, start, gain))
            return start

    def cut(self, frame: int) -> dict[str, int]:
        """End everything at `frame` (5 ms from now at the earliest).

        Returns how many samples of each clip will have sounded.
        """
        with self._lock:
            stop = max(frame, self.position + FADE)
            for clip in self._clips:
                clip.stop = min(clip.stop, stop)
            return {clip.key: max(0, clip.end - clip.start) for clip in self._clips}

    def sounded(self, key: str) -> int:
        """How many samples of a clip have been rendered so far."""
        with self._lock:
            for clip in self._clips:
                if clip.key == key:
                    return max(0, min(self.position, clip.end) - clip.start)
        return 0

    def render(self, count: int) -> Samples:
        """The next `count` samples."""
        with self._lock:
            block: Samples = np.zeros(count, dtype=np.float32)
            first, last = self.position, self.position + count
            for clip in self._clips:
                begin, end = max(first, clip.start), min(last, clip.end)
                if begin < end:
                    self._lay(clip, block, first, begin, end)
            self.position = last
            for clip in [one for one in self._clips if one.end <= last]:
                self._clips.remove(clip)
                sounded = max(0, clip.end - clip.start)
                whole = sounded == len(clip.samples)
                self._ended.append(Ended(clip.key, clip.start, sounded, whole, clip.peak))
                self._marks.append(Mark("end" if whole else "cut", clip.key, clip.start + sounded))
            return block

    def clear(self) -> None:
        """Forget everything that sounds or is cued: the device it was meant for is gone."""
        with self._lock:
            for clip in self._clips:
                sounded = max(0, min(self.position, clip.end) - clip.start)
                self._ended.append(Ended(clip.key, clip.start, sounded, False, clip.peak))
            self._clips.clear()

    def take_ended(self) -> list[Ended]:
        """Clips that ended since the last call."""
        with self._lock:
            ended, self._ended = self._ended, []
            return ended

    def take_marks(self) -> list[Mark]:
        """Moments since the last call, for a timeline."""
        with self._lock:
            marks = list(self._marks)
            self._marks.clear()
            return marks

    def _lay(self, clip: _Clip, block: Samples, first: int, begin: int, end: int) -> None:
        part = clip.samples[begin - clip.start : end - clip.start] * np.float32(clip.gain)
        if clip.stop < clip.start + len(clip.samples):
            # cut short: the last FADE samples before the cut go down to nothing
            left = clip.stop - np.arange(begin, end, dtype=np.int64)
            part = part * np.clip(left / FADE, 0.0, 1.0).astype(np.float32)
        block[begin - first : end - first] = part
        clip.peak = max(clip.peak, float(np.max(np.abs(part))))
        if not clip.begun:
            clip.begun = True
            self._marks.append(Mark("start", clip.key, clip.start))


class DeckOutput(ABC):
    """The half of an output (see the contract) that is the same wherever the deck's blocks go."""

    _deck: Deck

    def play_at(self, key: str, samples: Samples, start: datetime, *, gain: float = 1.0) -> datetime:
        """Lay a clip; see the contract."""
        return self._instant_of(self._deck.cue(key, samples, self._frame_of(start), gain=gain))

    def stop_at(self, instant: datetime) -> dict[str, int]:
        """End what sounds; ms heard of each."""
        cut = self._deck.cut(self._frame_of(instant))
        return {key: frames * 1000 // RATE_HZ for key, frames in cut.items()}

    def heard_ms(self, key: str) -> int:
        """How much of a clip has sounded."""
        return self._deck.sounded(key) * 1000 // RATE_HZ

    def ended(self) -> list[tuple[Ended, datetime]]:
        """Clips that ended, with the instant of their end."""
        return [(one, self._instant_of(one.start_frame + one.sounded)) for one in self._deck.take_ended()]

    @abstractmethod
    def _frame_of(self, instant: datetime) -> int:
        """The deck's frame that sounds at an instant."""

    @abstractmethod
    def _instant_of(self, frame: int) -> datetime:
        """When a frame sounds."""
