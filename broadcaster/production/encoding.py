"""Mixed sound -> MP3 files, through ffmpeg and a pipe, and what the decoded file really sounds like."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mutagen.id3
import numpy as np

from broadcaster.errors import SoundError, StoreError
from broadcaster.model import HOUSE_RATE_HZ, RenditionKind
from broadcaster.production.loudness import CONTROL, Meter, Samples, TruePeak
from broadcaster.speech.ffmpeg import disk_was_full, last_line, run_ffmpeg, start_ffmpeg
from broadcaster.system import stop_group

BLOCK_BYTES: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Format:
    """How a rendition is encoded.

    `makeup_db` is what the codec takes away, `ceiling_db` the true peak before it (it puts peaks back, the
    more the fewer its bits), `cutoff_hz` where its low pass lies: horns end at 7 kHz, and bits spent above
    are missed below.  All three are measured in docs/benchmarks/production.md.
    """

    kbit: int
    rate_hz: int
    makeup_db: float
    ceiling_db: float
    cutoff_hz: int


FORMATS: Final = {
    RenditionKind.AIR: Format(kbit=64, rate_hz=44_100, makeup_db=0.45, ceiling_db=-3.3, cutoff_hz=10_000),
    RenditionKind.LIGHT: Format(kbit=32, rate_hz=22_050, makeup_db=0.30, ceiling_db=-4.0, cutoff_hz=8_000),
    RenditionKind.ARCHIVE: Format(
        kbit=128, rate_hz=44_100, makeup_db=0.45, ceiling_db=-2.3, cutoff_hz=16_000
    ),
}
HIGHEST_DBTP: Final = -1.0  # in the decoded file


@dataclass(frozen=True, slots=True)
class Tags:
    """What a phone shows about the file."""

    title: str
    station: str
    date: str = ""  # YYYY-MM-DD
    topic: str = ""
    key: str = ""  # the programme's input hash


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A decoded file: loudness, true peak, length, and peaks of 100 ms for the waveform."""

    loudness_lufs: float
    true_peak_dbtp: float
    duration_ms: int
    outline: tuple[float, ...]
    too_high: tuple[int, ...]  # control blocks whose true peak passes HIGHEST_DBTP


def encoder_arguments(form: Format, target: Path) -> list[str]:
    """ffmpeg arguments: raw float32 mono at the house rate on stdin, CBR MP3 to `target`."""
    arguments = ["-f", "f32le", "-ar", str(HOUSE_RATE_HZ), "-ac", "1", "-i", "pipe:0", "-map_metadata", "-1"]
    if form.rate_hz != HOUSE_RATE_HZ:
        arguments += ["-ar", str(form.rate_hz)]
    arguments += ["-c:a", "libmp3lame", "-b:a", f"{form.kbit}k", "-cutoff", str(form.cutoff_hz)]
    arguments += ["-id3v2_version", "0", "-f", "mp3"]
    return [*arguments, "-y", f"file:{target}"]


class Encoder:
    """One ffmpeg that takes blocks.  Use `with`; leaving it normally finishes the file.

    SoundError when ffmpeg fails or is still busy after `timeout_s`; StoreError when the disk is full.  The
    process group is gone afterwards, whatever happened.
    """

    def __init__(self, form: Format, target: Path, *, timeout_s: float) -> None:
        self._process = start_ffmpeg(
            encoder_arguments(form, target), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        self._makeup = np.float32(10 ** (form.makeup_db / 20))
        self._timeout_s = timeout_s
        self._late = threading.Event()
        self._watchdog = threading.Timer(timeout_s, self._give_up)
        self._watchdog.daemon = True
        self._watchdog.start()

    def write(self, block: Samples) -> None:
        """The next samples."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write((block * self._makeup).astype("<f4", copy=False).data)
        except OSError as error:
            raise self._failure() from error

    def __enter__(self) -> Encoder:
        return self

    def __exit__(self, kind: object, *_error: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._watchdog.cancel()
            stop_group(self._process, grace_s=1.0)
            for pipe in (self._process.stdin, self._process.stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def _finish(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError as error:
            raise self._failure() from error
        if self._process.wait() != 0:  # the watchdog ends it
            raise self._failure()

    def _give_up(self) -> None:
        self._late.set()
        stop_group(self._process, grace_s=1.0)

    def _failure(self) -> SoundError | StoreError:
        self._process.wait()
        if self._late.is_set():
            return SoundError(f"ffmpeg không nén xong trong {self._timeout_s:.0f} giây nên đã bị dừng.")
        assert self._process.stderr is not None
        said = self._process.stderr.read()
        if disk_was_full(said):
            return StoreError("Đĩa đã đầy khi nén chương trình; hãy xóa bớt tệp rồi làm lại.")
        return SoundError(f"ffmpeg báo lỗi khi nén chương trình: {last_line(said)}.")


class Listener:
    """Decodes an MP3 with ffmpeg while it is still being written, and meters what is heard.

    Use `with`; call `result()` when the file is finished.  The frames it hears are those of the finished
    file: only the header, which holds no sound, is completed at the end.
    """

    def __init__(self, path: Path, *, rate_hz: int, timeout_s: float) -> None:
        self._path, self._rate_hz, self._timeout_s = path, rate_hz, timeout_s
        self._meter = Meter(rate_hz=rate_hz, fine=False)
        self._peak = TruePeak(note_above=10 ** (HIGHEST_DBTP / 20))
        self._whole = threading.Event()  # nothing more will be written
        self._left = threading.Event()
        arguments = ["-f", "mp3", "-i", "pipe:0", "-f", "f32le", "-ac", "1", "-ar", str(rate_hz), "-"]
        self._process = start_ffmpeg(arguments, stdin=subprocess.PIPE)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._feed, self._hear)]
        for thread in self._threads:
            thread.start()

    def result(self) -> Measured:
        """What was heard.  SoundError when it cannot be decoded, or not in time."""
        self._whole.set()
        for thread in self._threads:
            thread.join(self._timeout_s)
        if any(thread.is_alive() for thread in self._threads):
            raise SoundError(f"ffmpeg không giải mã xong trong {self._timeout_s:.0f} giây nên đã bị dừng.")
        if self._process.wait() != 0 or not self._meter.length:
            assert self._process.stderr is not None
            said = last_line(self._process.stderr.read())
            raise SoundError(f"Tệp chương trình vừa nén không giải mã được: {said}.")
        self._meter.finish()
        self._peak.finish()
        return _summed_up(self._meter, self._peak, rate_hz=self._rate_hz)

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_error: object) -> None:
        self._left.set()
        stop_group(self._process, grace_s=1.0)
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _feed(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError), self._process.stdin as decoder:  # a dead decoder shows in `result`
            while not self._path.exists():
                if self._left.is_set() or self._whole.is_set():
                    return
                self._left.wait(0.02)
            with self._path.open("rb") as written:
                while not self._left.is_set():
                    whole = self._whole.is_set()  # asked before reading: what came until now is read
                    data = written.read(BLOCK_BYTES)
                    decoder.write(data)
                    if whole and not data:
                        return
                    if not data:
                        self._left.wait(0.02)

    def _hear(self) -> None:
        assert self._process.stdout is not None
        while data := self._process.stdout.read(BLOCK_BYTES):
            block = np.frombuffer(data[: len(data) // 4 * 4], dtype="<f4")
            self._meter.add(block)
            self._peak.add(block)


def _summed_up(meter: Meter, peak: TruePeak, *, rate_hz: int) -> Measured:
    width = CONTROL * rate_hz // HOUSE_RATE_HZ
    return Measured(
        loudness_lufs=round(meter.lufs(), 2),
        true_peak_dbtp=round(peak.dbtp, 2),
        duration_ms=round(meter.length * 1000 / rate_hz),
        outline=tuple(meter.peaks().tolist()),
        too_high=tuple(sorted({start // width for start in peak.noted})),
    )


def measured(path: Path, *, rate_hz: int, timeout_s: float = 120.0) -> Measured:
    """Decode a finished file and meter it.  SoundError when it cannot be decoded."""
    with Listener(path, rate_hz=rate_hz, timeout_s=timeout_s) as listener:
        return listener.result()


def decoded(path: Path, *, rate_hz: int, timeout_s: float) -> Iterator[Samples]:
    """The sound of a file as mono float32 blocks at `rate_hz`, as ffmpeg hears it (gapless)."""
    arguments = ["-i", f"file:{path}", "-f", "f32le", "-ac", "1", "-ar", str(rate_hz), "-"]
    process = start_ffmpeg(arguments)
    watchdog = threading.Timer(timeout_s, stop_group, [process], {"grace_s": 1.0})
    watchdog.daemon = True
    watchdog.start()
    try:
        assert process.stdout is not None
        while data := process.stdout.read(BLOCK_BYTES):
            yield np.frombuffer(data[: len(data) // 4 * 4], dtype="<f4")
        if process.wait() != 0:
            assert process.stderr is not None
            raise SoundError(f"Tệp {path.name} không giải mã được: {last_line(process.stderr.read())}.")
    finally:
        watchdog.cancel()
        stop_group(process, grace_s=1.0)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@contextlib.contextmanager
def whole(output: Path) -> Iterator[Path]:
    """A place to write to that becomes `output` at the end, or goes: nobody ever sees half a file."""
    part = output.with_name(f".{output.name}.part")
    try:
        yield part
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def write_wav(source: Path, target: Path, *, timeout_s: float = 600.0) -> None:
    """Decode a programme into a 16-bit WAV at the house rate, whole or not at all.

    SoundError when it cannot be decoded or written, StoreError when the disk is full.
    """
    arguments = ["-i", f"file:{source}", "-ac", "1", "-ar", str(HOUSE_RATE_HZ), "-c:a", "pcm_s16le"]
    with whole(target) as part:
        run_ffmpeg([*arguments, "-f", "wav", "-y", f"file:{part}"], timeout_s=timeout_s)


def write_tags(path: Path, tags: Tags) -> None:
    """ID3v2.4, UTF-8.  The same tags give the same bytes."""
    id3: Any = mutagen.id3
    texts = {
        id3.TIT2: tags.title,
        id3.TPE1: tags.station,
        id3.TALB: f"Chương trình phát thanh – {tags.station}",
        id3.TCON: tags.topic or "Phát thanh",
        id3.TLAN: "vie",
        id3.TDRC: tags.date,
    }
    frames = id3.ID3()
    for frame, text in texts.items():
        if text:
            frames.add(frame(encoding=3, text=text))
    if tags.key:
        frames.add(id3.TXXX(encoding=3, desc="programme", text=tags.key))
    try:
        frames.save(path, v2_version=4, padding=lambda _info: 0)
    except OSError as error:
        raise StoreError(
            f"Không ghi được thông tin vào tệp chương trình ({error.strerror or error}); đĩa có thể đã đầy."
        ) from error


def waveform_svg(outline: tuple[float, ...], *, bars: int = 240) -> str:
    """A picture of the sound: one path in `currentColor`, 4 units a bar, 100 high, no text."""
    if not outline:
        outline = (0.0,)
    tops = [max(part) if len(part) else 0.0 for part in _parts(outline, bars)]
    path = "".join(
        f"M{n * 4 + 2} {50 - height:.1f}V{50 + height:.1f}"
        for n, height in ((n, max(1.0, 48 * min(1.0, top))) for n, top in enumerate(tops))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(tops) * 4} 100" preserveAspectRatio="none"'
        ' role="img" aria-label="Hình sóng âm">'
        f'<path d="{path}" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" fill="none"/></svg>'
    )


def _parts(outline: tuple[float, ...], bars: int) -> Iterator[tuple[float, ...]]:
    count = min(bars, len(outline))
    edges = [n * len(outline) // count for n in range(count + 1)]
    for start, end in zip(edges, edges[1:], strict=False):
        yield outline[start:end]
