"""A person reads: an uploaded or browser-made recording becomes the voice of a bulletin or of a sentence.

A sentence goes through pydub like all small sounds.  A whole bulletin is worked on in blocks on the disk: half
an hour of it would otherwise be half a gigabyte in whoever received it.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from broadcaster.errors import InputError, StoreError
from broadcaster.model import HOUSE_RATE_HZ, Pcm
from broadcaster.speech.brought import brought_sound, decode_to_flac
from broadcaster.speech.check import fault
from broadcaster.speech.sound import Samples, clipped_fraction, faded, peak_db, rms_db, to_flac
from broadcaster.speech.takes import TAKE_SUFFIX, note_level
from broadcaster.store.blobs import Blobs

Curve = NDArray[np.float64]

MAX_MINUTES: Final = 30.0
SENTENCE_MINUTES: Final = 3.0
_SPEECH_DB: Final = -20.0  # mean level of a take; mastering measures again
_PEAK_DB: Final = -1.0
_CLIPPED: Final = 0.005
_TOO_CLIPPED: Final = "bị vỡ tiếng; hãy để micrô xa hơn một chút rồi thu lại."
_SILENT: Final = "chỉ có im lặng; hãy kiểm tra micrô rồi thu lại."
_WINDOW: Final = HOUSE_RATE_HZ // 50  # 20 ms
_BLOCK: Final = _WINDOW * 500
_BEFORE, _AFTER = 3, 6  # windows of what little is kept around the speech: 60 and 120 ms


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording in the store (mono FLAC at the house rate), and what was done to it, in Vietnamese."""

    sha256: str
    duration_ms: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """What a first listening finds: offset, windows' mean squares, peak, share of flat tops."""

    offset: float
    powers: Curve
    peak: float
    clipped: float
    length: int


def recording(source: Path, *, max_minutes: float = SENTENCE_MINUTES, sentence: str = "") -> Pcm:
    """Decode, trim, level and check a recording; mono float32 at the house rate.

    Given the `sentence` it replaces, its length is checked against it.  InputError says what is wrong:
    not sound, silent, too long, distorted, not that sentence.
    """
    pcm = brought_sound(source, max_minutes=max_minutes)
    if clipped_fraction(pcm.samples) > _CLIPPED:
        raise InputError(f"Bản thu {source.name} {_TOO_CLIPPED}")
    gain_db = min(_SPEECH_DB - rms_db(pcm.samples), _PEAK_DB - peak_db(pcm.samples))
    levelled = Pcm(pcm.samples * np.float32(10 ** (gain_db / 20)), pcm.sample_rate_hz)
    if sentence and (wrong := fault(levelled, sentence)) is not None:
        raise InputError(f"Bản thu {source.name} không hợp với câu này: {wrong}; hãy nghe lại rồi thu lại.")
    return levelled


def keep_sentence(source: Path, *, sentence: str, blobs: Blobs) -> Kept:
    """A person's voice for one sentence, in the store.  InputError as `recording`; StoreError: disk."""
    pcm = recording(source, sentence=sentence)
    return Kept(blobs.put(to_flac(pcm), suffix=TAKE_SUFFIX), pcm.duration_ms, ())


def keep_bulletin(source: Path, *, blobs: Blobs, max_minutes: float = MAX_MINUTES) -> Kept:
    """A person's voice for a whole bulletin, in the store: it can be a take as it is.

    Without DC offset, trimmed at both ends, its speech at the level of all takes.  InputError: not sound,
    silent, clipped, longer than `max_minutes`; StoreError: disk.
    """
    with tempfile.TemporaryDirectory(prefix="broadcaster-recording-") as name:
        raw, clean = Path(name) / "raw.flac", Path(name) / "clean.flac"
        decode_to_flac(source, raw, max_minutes=max_minutes)
        heard = _listen(raw)
        if heard.peak < 10 ** (-55 / 20) or not heard.powers.any():
            raise InputError(f"Bản thu {source.name} {_SILENT}")
        if heard.clipped > _CLIPPED:
            raise InputError(f"Bản thu {source.name} {_TOO_CLIPPED}")
        level_db = _speech_level_db(heard.powers)
        gain_db = min(_SPEECH_DB - level_db, _PEAK_DB - 20 * math.log10(heard.peak))
        first, last = _speech_between(heard)
        try:
            _rewrite(raw, clean, heard, first=first, last=last, gain=10 ** (gain_db / 20))
            note_level(clean, level_db + gain_db)
        except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
            raise StoreError(
                f"Không ghi được bản thu ({error}); hãy kiểm tra chỗ trống trên đĩa rồi làm lại."
            ) from error
        sha256 = blobs.put(clean, suffix=TAKE_SUFFIX)
    return Kept(sha256, round((last - first) * 1000 / HOUSE_RATE_HZ), _notes(heard, first, last, gain_db))


def _listen(path: Path) -> _Heard:
    total, length, highest, lowest, flat = 0.0, 0, 0.0, 0.0, 0.0
    squares: list[Curve] = []
    means: list[Curve] = []
    for block in _blocks(path):
        total += float(block.sum(dtype=np.float64))
        length += len(block)
        highest, lowest = max(highest, float(block.max())), min(lowest, float(block.min()))
        flat += clipped_fraction(block) * len(block)
        rows = block[: len(block) // _WINDOW * _WINDOW].reshape(-1, _WINDOW).astype(np.float64)
        squares.append(np.einsum("ij,ij->i", rows, rows) / _WINDOW)
        means.append(rows.mean(axis=1))
    if not length:
        return _Heard(0.0, np.zeros(0), 0.0, 0.0, 0)
    offset = total / length
    # around the offset, which is known only now: E(x - o)^2
    powers = np.concatenate(squares) - 2 * offset * np.concatenate(means) + offset**2
    return _Heard(
        offset, np.maximum(powers, 0.0), max(highest - offset, offset - lowest), flat / length, length
    )


def _speech_level_db(powers: Curve) -> float:
    """Mean level of the windows in which somebody speaks: those within 30 dB of the loudest."""
    loud = powers[powers > float(powers.max()) * 1e-3]
    return 10 * math.log10(float(loud.mean(dtype=np.float64)))


def _speech_between(heard: _Heard) -> tuple[int, int]:
    """First and one past the last sample kept: from the first window within 40 dB of the loudest to the last."""
    loud = np.flatnonzero(heard.powers > float(heard.powers.max()) * 1e-4)
    first, last = max(0, int(loud[0]) - _BEFORE), int(loud[-1]) + 1 + _AFTER
    return first * _WINDOW, min(heard.length, last * _WINDOW)


def _rewrite(raw: Path, clean: Path, heard: _Heard, *, first: int, last: int, gain: float) -> None:
    with (
        soundfile.SoundFile(raw) as source,
        soundfile.SoundFile(clean, "w", HOUSE_RATE_HZ, 1, "PCM_16", format="FLAC") as out,
    ):
        source.seek(first)
        left, start = last - first, True
        while left > 0:
            block = (source.read(min(_BLOCK, left), dtype="float32") - np.float32(heard.offset)) * np.float32(
                gain
            )
            left -= len(block)
            block = faded(block, rate_hz=HOUSE_RATE_HZ, in_ms=5 * start, out_ms=0 if left else 5)
            out.write(np.clip(np.rint(block * 32767), -32768, 32767).astype(np.int16))
            start = False


def _blocks(path: Path) -> Iterator[Samples]:
    try:
        with soundfile.SoundFile(path) as source:
            yield from source.blocks(_BLOCK, dtype="float32")
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise InputError("Bản thu không đọc được; hãy gửi lại tệp khác.") from error


def _notes(heard: _Heard, first: int, last: int, gain_db: float) -> tuple[str, ...]:
    notes = []
    cut_s = (heard.length - (last - first)) / HOUSE_RATE_HZ
    if cut_s >= 0.5:
        notes.append(f"Đã cắt {cut_s:.1f} giây im lặng ở hai đầu.".replace(".", ",", 1))
    if abs(heard.offset) > 0.005:
        notes.append("Đã khử lệch điện áp của micrô.")
    if gain_db > 15:
        notes.append("Tiếng thu rất nhỏ, đã tăng lên; hãy nghe kỹ xem có ồn nền không.")
    return tuple(notes)
