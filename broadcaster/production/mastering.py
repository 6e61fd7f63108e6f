"""Mixed blocks -> mastered files: measured once, gained and limited once, encoded, and metered decoded.

The mix goes to a scratch file while it is metered, so its loudness is known before the encoder starts and
nothing is mixed twice; memory does not grow with the length.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from broadcaster.errors import SoundError, StoreError
from broadcaster.model import HOUSE_RATE_HZ, Profile, RenditionKind
from broadcaster.production.encoding import (
    FORMATS,
    HIGHEST_DBTP,
    Encoder,
    Listener,
    Measured,
    Tags,
    write_tags,
)
from broadcaster.production.limiter import Gains, gains_for, room_for
from broadcaster.production.loudness import (
    BLOCK,
    CONTROL,
    MARGIN,
    Meter,
    Samples,
    integrated_lufs,
    true_peaks,
)
from broadcaster.speech.ahead import ahead

TARGET_LUFS: Final = {Profile.HORN: -16.0, Profile.ARCHIVE: -19.0}
BASE_TIMEOUT_S: Final = 60.0  # for ffmpeg, and TIMEOUT_SHARE a second of programme
TIMEOUT_SHARE: Final = 0.5
# Attempts with single places mended, then with a lower ceiling (as loud as asked, limited harder), then with
# everything a little quieter: a morning must not be silent for half a decibel.
_MENDED: Final = 3
_LOWER: Final = 3
_QUIETER: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Mastered:
    """One finished file, tagged, and what the meters said of it decoded."""

    kind: RenditionKind
    path: Path
    measured: Measured


def master(
    blocks: Iterable[Samples],
    *,
    length: int,
    profile: Profile,
    kinds: Sequence[RenditionKind],
    tags: Tags,
    folder: Path,
    stage: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> list[Mastered]:
    """Bring a mix of `length` samples to the profile's loudness and encode it into `folder`, a file a kind.

    Raises SoundError (ffmpeg, a peak that cannot be tamed) or StoreError (disk full).
    """
    scratch = _scratch(folder)
    try:
        meter = _written(blocks, scratch, length=length, stage=stage)
        energies = meter.energies()
        peaks = _true_peaks(
            scratch,
            meter.peaks(),
            most_gain_db=TARGET_LUFS[profile]
            - integrated_lufs(energies)
            + 2.0,  # the limiter takes some back
            ceiling_db=min(FORMATS[kind].ceiling_db for kind in kinds),
        )
        del meter
        return [
            _rendition(
                scratch,
                energies,
                peaks,
                length=length,
                profile=profile,
                kind=kind,
                tags=tags,
                folder=folder,
                stage=stage,
            )
            for kind in kinds
        ]
    finally:
        scratch.close()


def _scratch(folder: Path) -> BinaryIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=folder, buffering=0)
    except OSError as error:
        raise _full(error) from error


def _written(
    blocks: Iterable[Samples], scratch: BinaryIO, *, length: int, stage: Callable[[str, int, int], None]
) -> Meter:
    meter, done = Meter(expected=length + BLOCK), 0
    for block in ahead(blocks):
        stage("mix", min(done, length), length)
        done += len(block)
        meter.add(block)
        try:
            view = memoryview(block.tobytes())
            while view:
                view = view[scratch.write(view) :]
        except OSError as error:
            raise _full(error) from error
    stage("mix", length, length)
    return meter


def _rendition(
    scratch: BinaryIO,
    energies: Samples,
    peaks: Samples,
    *,
    length: int,
    profile: Profile,
    kind: RenditionKind,
    tags: Tags,
    folder: Path,
    stage: Callable[[str, int, int], None],
) -> Mastered:
    form, target, wanted = FORMATS[kind], folder / f"{kind}.mp3", TARGET_LUFS[profile]
    timeout_s = BASE_TIMEOUT_S + length / HOUSE_RATE_HZ * TIMEOUT_SHARE

    room = room_for(len(peaks))

    def heard(lower_db: float, quieter_db: float) -> Measured:
        """One attempt; its gains lie where those of the one before lay."""
        ceiling_db = form.ceiling_db - lower_db - quieter_db
        target.unlink(missing_ok=True)
        with Listener(target, rate_hz=form.rate_hz, timeout_s=timeout_s) as listener:
            with Encoder(form, target, timeout_s=timeout_s) as encoder:  # ffmpeg starts while gains are found
                gains = gains_for(
                    energies, peaks, target_lufs=wanted - quieter_db, ceiling_db=ceiling_db, room=room
                )
                _encode(scratch, gains, encoder, kind=kind, length=length, stage=stage)
            stage(f"check:{kind}", 0, 1)
            found = listener.result()
            stage(f"check:{kind}", 1, 1)
        return found

    lower_db = quieter_db = 0.0
    raised: dict[int, np.float32] = {}  # control blocks that were mended: the peaks they really have
    try:
        for attempt in range(1, _MENDED + _LOWER + _QUIETER + 1):
            found = heard(lower_db, quieter_db)
            if not found.too_high:
                write_tags(target, tags)
                return Mastered(kind, target, found)
            over_db = found.true_peak_dbtp - HIGHEST_DBTP + 0.2
            if attempt >= _MENDED + _LOWER:
                quieter_db += over_db
            elif attempt >= _MENDED:
                lower_db += over_db
            else:
                _raise(peaks, found.too_high, by_db=over_db + 0.3, before=raised)
    finally:
        for block, peak in raised.items():  # the next rendition begins with what is true
            peaks[block] = peak
    raise SoundError(f"Không hạ được đỉnh âm của chương trình xuống {HIGHEST_DBTP:g} dBTP.")


def _raise(peaks: Samples, places: Sequence[int], *, by_db: float, before: dict[int, np.float32]) -> None:
    """Tell the limiter that a few strokes are higher than they are: the codec made them so."""
    factor = np.float32(10 ** (by_db / 20))
    for place in places:
        for block in range(max(0, place - 2), min(len(peaks), place + 3)):
            before.setdefault(block, peaks[block])
            peaks[block] *= factor


def _true_peaks(scratch: BinaryIO, peaks: Samples, *, most_gain_db: float, ceiling_db: float) -> Samples:
    """The peaks of each control block, made true ones where the limiter may have to act."""
    matters = 10 ** ((ceiling_db - most_gain_db - 2.0) / 20)
    per_chunk = BLOCK // CONTROL
    for chunk, padded in enumerate(_padded(scratch)):
        first = chunk * per_chunk
        near = np.flatnonzero(peaks[first : first + per_chunk] > matters)
        for part in np.array_split(near, max(1, len(near) // 256)):
            if len(part):
                peaks[first + part] = true_peaks(padded, part)
    return peaks


def _padded(scratch: BinaryIO) -> Iterator[Samples]:
    """The mix in blocks with `MARGIN` samples of its neighbours on either side."""
    before = np.zeros(MARGIN, dtype=np.float32)
    current: Samples | None = None
    for block in _blocks(scratch):
        if current is not None:
            yield np.concatenate([before, current, block[:MARGIN]])
            before = current[-MARGIN:]
        current = block
    if current is not None:
        yield np.concatenate([before, current, np.zeros(MARGIN, dtype=np.float32)])


def _blocks(scratch: BinaryIO) -> Iterator[Samples]:
    scratch.seek(0)
    while data := scratch.read(BLOCK * 4):
        yield np.frombuffer(data, dtype=np.float32)


def _encode(
    scratch: BinaryIO,
    gains: Gains,
    encoder: Encoder,
    *,
    kind: RenditionKind,
    length: int,
    stage: Callable[[str, int, int], None],
) -> None:
    done = 0
    for block in _blocks(scratch):
        stage(f"encode:{kind}", min(done, length), length)
        out = gains.apply(block, first_block=done // CONTROL)
        encoder.write(out[: length - done])
        done += len(block)
    stage(f"encode:{kind}", length, length)


def _full(error: OSError) -> StoreError:
    return StoreError(
        f"Không ghi được tệp nháp khi dựng chương trình ({error.strerror or error}); hãy xóa bớt tệp rồi làm lại."
    )
