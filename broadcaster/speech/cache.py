"""Sentences already spoken, on disk: mending one word speaks one sentence again.

The key is what the sound depends on: engine and voice, its version, the speed, the spoken words.  Sound is
kept at the house rate as FLAC.  Losing a file costs a second of work, so nothing is synced; a file still
appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
from pathlib import Path
from typing import Final

from broadcaster.errors import SoundError, StoreError
from broadcaster.model import HOUSE_RATE_HZ, Pcm
from broadcaster.speech.sound import from_file, to_flac

_LAYOUT: Final = 1  # raise it when resampling, trimming or the file format changes


def sentence_key(*, voice: str, version: str, speed: float, sentence: str) -> str:
    """64 hex digits that name this sentence's sound."""
    parts = [_LAYOUT, HOUSE_RATE_HZ, voice, version, round(speed, 3), " ".join(sentence.split())]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


class SentenceCache:
    """Files under `folder`, at most `limit_mb` of them; the longest unused goes first.

    What this object has put or got since `release()` is in use and stays.  Several processes may share the
    folder: a file that another one removed is simply spoken again.
    """

    def __init__(self, folder: Path, *, limit_mb: float = 500) -> None:
        self._folder = folder
        self._limit = int(limit_mb * 1_000_000)
        self._in_use: set[str] = set()
        self._turn = threading.Lock()
        self._bytes: int | None = None

    def has(self, key: str) -> bool:
        """True when a file of that key is here; it is in use from now on."""
        if not self._path(key).is_file():
            return False
        with self._turn:
            self._in_use.add(key)
        return True

    def get(self, key: str) -> Pcm | None:
        """The sound, or None when it is not here (a damaged file is removed and is not here either)."""
        path = self._path(key)
        try:
            os.utime(path)
        except OSError:
            return None
        try:
            pcm = from_file(path)
        except SoundError:
            path.unlink(missing_ok=True)
            return None
        with self._turn:
            self._in_use.add(key)
        return pcm

    def put(self, key: str, pcm: Pcm) -> Pcm:
        """Keep it, and return what a later `get` will: the same sound after 16-bit rounding."""
        data = to_flac(pcm)
        path = self._path(key)
        part: Path | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
            part = Path(name)
            with os.fdopen(handle, "wb") as out:
                out.write(data)
            part.replace(path)
            part = None
        except OSError as error:
            raise StoreError(
                f"Không ghi được bộ nhớ câu đã đọc ({error.strerror or error}); hãy xóa bớt tệp trên đĩa rồi làm lại."
            ) from error
        finally:
            if part is not None:
                part.unlink(missing_ok=True)
        with self._turn:
            self._in_use.add(key)
            if self._bytes is not None:
                self._bytes += len(data)
        self._evict()
        return from_file(data)

    def release(self) -> None:
        """Nothing is in use any more: eviction may choose among all files again."""
        with self._turn:
            self._in_use.clear()

    def size_bytes(self) -> int:
        """Bytes on disk now."""
        return sum(size for _, _, size in self._files())

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.flac"

    def _files(self) -> list[tuple[float, Path, int]]:
        found: list[tuple[float, Path, int]] = []
        for path in self._folder.glob("??/*.flac"):
            with contextlib.suppress(OSError):  # another process took it away meanwhile
                status = path.stat()
                found.append((status.st_mtime, path, status.st_size))
        return found

    def _evict(self) -> None:
        with self._turn:
            if self._bytes is None:
                self._bytes = self.size_bytes()
            if self._bytes <= self._limit:
                return
            files = sorted(self._files())
            self._bytes = sum(size for _, _, size in files)
            for _, path, size in files:
                if self._bytes <= self._limit * 0.9:
                    break
                if path.stem in self._in_use:
                    continue
                path.unlink(missing_ok=True)
                self._bytes -= size
