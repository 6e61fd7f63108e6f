"""The door for sound that people bring: recordings and jingles, in whatever format a phone made them.

ffmpeg decodes (pydub's own way needs ffprobe, which nobody installs by accident), pydub trims, fades and
joins on its millisecond grid, and what leaves is mono float32 at the house rate.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

from broadcaster.errors import InputError, SoundError
from broadcaster.model import HOUSE_RATE_HZ, Pcm
from broadcaster.speech.ffmpeg import find_ffmpeg, run_ffmpeg
from broadcaster.speech.sound import peak_db, rms_db

FORMATS: Final = ("wav", "mp3", "m4a", "aac", "ogg", "opus", "flac", "amr", "3gp", "webm", "wma", "mp4")
_DECODE_TIMEOUT_S: Final = 120.0


def segment_from_file(source: Path, *, max_minutes: float) -> Any:
    """A pydub AudioSegment: mono, 16 bits, house rate.  InputError when it is not sound or too long."""
    limit_s = max_minutes * 60
    data = _decoded(source, ["-f", "s16le", "-"], limit_s=limit_s)
    if len(data) < 2:
        raise InputError(_nothing_in(source))
    if len(data) > limit_s * HOUSE_RATE_HZ * 2:
        raise InputError(_too_long(source, max_minutes))
    return audio_segment_class()(data=data, sample_width=2, frame_rate=HOUSE_RATE_HZ, channels=1)


def decode_to_flac(source: Path, target: Path, *, max_minutes: float) -> None:
    """The same into a FLAC file, however long: nothing of it is held in memory."""
    limit_s = max_minutes * 60
    _decoded(source, ["-c:a", "flac", "-compression_level", "0", "-y", f"file:{target}"], limit_s=limit_s)
    length = soundfile.info(str(target)).frames
    if length == 0:
        raise InputError(_nothing_in(source))
    if length > limit_s * HOUSE_RATE_HZ:
        raise InputError(_too_long(source, max_minutes))


def _decoded(source: Path, target: list[str], *, limit_s: float) -> bytes:
    """ffmpeg's mono 16-bit sound at the house rate of at most a second more than `limit_s`."""
    if not source.is_file():
        raise InputError(f"Không thấy tệp âm thanh {source.name}.")
    if source.stat().st_size == 0:
        raise InputError(f"Tệp {source.name} trống; hãy thu hoặc chép lại.")
    arguments = ["-t", f"{limit_s + 1:.3f}", "-i", f"file:{source}", "-map", "0:a:0", "-vn", "-sn", "-dn"]
    arguments += ["-ac", "1", "-ar", str(HOUSE_RATE_HZ), "-sample_fmt", "s16", *target]
    find_ffmpeg()
    try:
        return run_ffmpeg(arguments, timeout_s=_DECODE_TIMEOUT_S)
    except SoundError as error:
        listed = ", ".join(FORMATS[:8])
        raise InputError(
            f"Tệp {source.name} không phải âm thanh đọc được ({error.message.rstrip('.')}); hãy dùng {listed}."
        ) from error


def _nothing_in(source: Path) -> str:
    return f"Tệp {source.name} không có âm thanh nào; hãy thu hoặc chép lại."


def _too_long(source: Path, max_minutes: float) -> str:
    return f"Tệp {source.name} dài hơn {max_minutes:g} phút; hãy cắt ngắn rồi gửi lại."


def brought_sound(
    source: Path,
    *,
    max_minutes: float,
    trim: bool = True,
    fade_in_ms: int = 5,
    fade_out_ms: int = 5,
    start_ms: int = 0,
    end_ms: int | None = None,
) -> Pcm:
    """Decode, cut to `start_ms`…`end_ms`, trim silence, fade, and take away any DC offset.

    InputError (one Vietnamese sentence) when it is not sound, empty, silent or too long.
    """
    from pydub.silence import detect_leading_silence

    segment = segment_from_file(source, max_minutes=max_minutes)[start_ms:end_ms]
    whole = _samples(segment)
    whole = whole - np.float32(whole.mean() if len(whole) else 0.0)
    if not len(whole) or peak_db(whole) < -55 or rms_db(whole) < -65:
        raise InputError(f"Tệp {source.name} chỉ có im lặng; hãy kiểm tra micrô rồi thu lại.")
    segment = audio_segment_class()(
        data=np.clip(np.rint(whole * 32768), -32768, 32767).astype("<i2").tobytes(),
        sample_width=2,
        frame_rate=HOUSE_RATE_HZ,
        channels=1,
    )
    if trim:
        quiet_db = max(-50.0, peak_db(whole) - 40)
        lead = max(0, detect_leading_silence(segment, silence_threshold=quiet_db) - 60)
        tail = max(0, detect_leading_silence(segment.reverse(), silence_threshold=quiet_db) - 120)
        segment = segment[lead : len(segment) - tail]
    if fade_in_ms:
        segment = segment.fade_in(min(fade_in_ms, len(segment)))
    if fade_out_ms:
        segment = segment.fade_out(min(fade_out_ms, len(segment)))
    return Pcm(np.ascontiguousarray(_samples(segment)), HOUSE_RATE_HZ)


def audio_segment_class() -> Any:
    """pydub's AudioSegment with its converter set.  Importing it warns twice for nothing: silenced here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'audioop' is deprecated", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message="Couldn't find ff", category=RuntimeWarning)
        from pydub import AudioSegment
    AudioSegment.converter = find_ffmpeg()
    return AudioSegment


def _samples(segment: Any) -> Any:
    return np.frombuffer(segment.raw_data, dtype="<i2").astype(np.float32) / np.float32(32768)
