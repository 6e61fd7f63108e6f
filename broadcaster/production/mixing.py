"""A timeline and its sounds -> blocks of mixed sound, float32 at sample positions.

One block at a time, however long the programme: memory holds a block and the jingles, never an hour.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from broadcaster.errors import SoundError, StoreError
from broadcaster.model import HOUSE_RATE_HZ, Profile
from broadcaster.production.loudness import BLOCK, Samples
from broadcaster.production.rundown import Bus, Cue, Timeline
from broadcaster.production.voicing import Compressor, Filter, high_pass, low_pass, presence
from broadcaster.speech.ahead import ahead


class Source(Protocol):
    """Mono sound at the house rate that can be read from any position."""

    @property
    def length(self) -> int: ...

    def read(self, start: int, count: int) -> Samples:
        """`count` samples from `start`; zeros past the end."""
        ...

    def close(self) -> None: ...


class ArraySource:
    """Sound in memory, times a gain."""

    def __init__(self, samples: Samples, *, gain: float = 1.0) -> None:
        self._samples = samples
        self._gain = np.float32(gain)

    @property
    def length(self) -> int:
        """Samples."""
        return len(self._samples)

    def read(self, start: int, count: int) -> Samples:
        """See Source."""
        part = self._samples[start : start + count] * self._gain
        return part if len(part) == count else np.pad(part, (0, count - len(part)))

    def close(self) -> None:
        """Nothing to let go of."""


class FileSource:
    """A mono FLAC or WAV at the house rate, read as it is needed, times a gain."""

    def __init__(self, path: Path, *, gain: float = 1.0) -> None:
        try:
            self._file = soundfile.SoundFile(path)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise StoreError(f"Tệp âm thanh {path.name} không đọc được; hãy dựng lại nó.") from error
        if self._file.samplerate != HOUSE_RATE_HZ or self._file.channels != 1:
            self._file.close()
            raise SoundError(f"Tệp âm thanh {path.name} không đúng khuôn dạng của đài (đơn kênh, 44,1 kHz).")
        self._gain = np.float32(gain)
        self._name = path.name

    @property
    def length(self) -> int:
        """Samples."""
        return int(self._file.frames)

    def read(self, start: int, count: int) -> Samples:
        """See Source."""
        try:
            if self._file.tell() != start:
                self._file.seek(min(start, self._file.frames))
            part: Samples = self._file.read(count, dtype="float32")
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise StoreError(f"Tệp âm thanh {self._name} đã bị hỏng; hãy dựng lại nó.") from error
        part *= self._gain
        return part if len(part) == count else np.pad(part, (0, count - len(part)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def mixed(
    timeline: Timeline, sources: Mapping[str, Source], *, profile: Profile, block: int = BLOCK
) -> Iterator[Samples]:
    """The programme in blocks of `block` samples (a multiple of CONTROL; the last is padded with silence).

    Raises KeyError when a cue's source is not in `sources`.
    """
    horn = profile is Profile.HORN
    voiced = Filter(high_pass(), presence(), low_pass()) if horn else None
    pressed = Compressor() if horn else None
    thinned = Filter(high_pass()) if horn else None
    for cue in timeline.cues:
        sources[cue.source]

    def buses() -> Iterator[tuple[Samples, Samples]]:
        for start in range(0, timeline.length, block):
            music = _bus(timeline, Bus.MUSIC, sources, start, block)
            yield (
                _bus(timeline, Bus.SPEECH, sources, start, block),
                music if thinned is None else thinned(music),
            )

    # files are decoded and music is filtered while the speech before is voiced: neither core waits
    with contextlib.closing(ahead(buses())) as both:
        for speech, music in both:
            if voiced is not None and pressed is not None:
                speech = pressed(voiced(speech))
            yield speech + music


def _bus(timeline: Timeline, bus: Bus, sources: Mapping[str, Source], start: int, block: int) -> Samples:
    out = np.zeros(block, dtype=np.float32)
    for cue in timeline.cues:
        if cue.bus is not bus or cue.end <= start:
            continue
        if cue.start >= start + block:
            break  # cues are in order of their start
        first = max(cue.start, start)
        count = min(cue.end, start + block) - first
        out[first - start : first - start + count] += _part(
            cue, sources[cue.source], first - cue.start, count
        )
    return out


def _part(cue: Cue, source: Source, offset: int, count: int) -> Samples:
    sound = _looped(source, offset, count) if cue.loop else source.read(offset, count)
    if len(cue.gain) == 1:
        level = cue.gain[0][1]
        return sound if level == 0.0 else sound * np.float32(10 ** (level / 20))
    at, level_db = zip(*cue.gain, strict=True)
    curve = np.interp(np.arange(offset, offset + count), at, level_db)
    result: Samples = sound * np.power(10.0, curve / 20).astype(np.float32)
    return result


def _looped(source: Source, offset: int, count: int) -> Samples:
    parts: list[Samples] = []
    while count > 0:
        begin = offset % source.length
        part = source.read(begin, min(count, source.length - begin))
        parts.append(part)
        offset, count = offset + len(part), count - len(part)
    return np.concatenate(parts)
