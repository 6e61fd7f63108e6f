"""ffmpeg: the one on PATH, else the one that imageio-ffmpeg brings; always with a timeout.

A run that takes too long is ended with everything it started.  Every failure is a SoundError, but for a full
disk, which is a StoreError: it says nothing about the sound.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Sequence

from broadcaster.errors import SoundError, StoreError
from broadcaster.system import group_options, stop_group

_FULL = ("no space left on device", "disk quota exceeded", "file too large")
QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error")


@functools.cache
def find_ffmpeg() -> str:
    """Path of the program.  SoundError when there is none."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError, OSError) as error:
        raise SoundError(
            "Không tìm thấy ffmpeg; hãy cài gói imageio-ffmpeg (pip install imageio-ffmpeg)."
        ) from error


def run_ffmpeg(arguments: Sequence[str], *, timeout_s: float, data: bytes | None = None) -> bytes:
    """Run it to its end and return what it wrote to stdout.

    `data` goes to its stdin.  SoundError carries ffmpeg's own last line, StoreError means a full disk; the group
    is killed on timeout.
    """
    process = start_ffmpeg(arguments, stdin=subprocess.PIPE if data is not None else subprocess.DEVNULL)
    try:
        out, err = process.communicate(data, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        stop_group(process, grace_s=1.0)
        process.communicate()
        raise SoundError(f"ffmpeg không xong trong {timeout_s:.0f} giây nên đã bị dừng.") from error
    except BaseException:
        stop_group(process, grace_s=1.0)
        process.communicate()
        raise
    if process.returncode != 0:
        if disk_was_full(err):
            raise StoreError("Đĩa đã đầy khi xử lý âm thanh; hãy xóa bớt tệp rồi làm lại. Chưa có gì bị mất.")
        raise SoundError(f"ffmpeg báo lỗi: {last_line(err)}.")
    return bytes(out)


def start_ffmpeg(
    arguments: Sequence[str], *, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Start it in a process group of its own; the caller ends it with `system.stop_group`."""
    try:
        return subprocess.Popen(
            [find_ffmpeg(), *QUIET, *arguments],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            **group_options(),
        )
    except OSError as error:
        raise SoundError(f"Không chạy được ffmpeg: {error.strerror or error}.") from error


def disk_was_full(stderr: bytes | None) -> bool:
    """True when ffmpeg failed because there was no room left."""
    said = (stderr or b"").decode("utf-8", "replace").lower()
    return any(phrase in said for phrase in _FULL)


def last_line(stderr: bytes | None) -> str:
    """What ffmpeg said last, in one line."""
    lines = [line for line in (stderr or b"").decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip().rstrip(".") if lines else "không nói lý do"
