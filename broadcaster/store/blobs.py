"""Finished files, named by the SHA-256 of what is in them: programmes, takes, jingles, recordings.

A file is written to a temporary name, synced, and renamed: a name that exists holds the whole file.
It is never rewritten, so whoever has the name may cache the bytes for ever.  Folder by default; any
other URL (`s3://bucket/prefix`, `memory:///`) goes through obstore, with a local folder in front.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import obstore
from obstore.store import LocalStore, from_url

from broadcaster.errors import StoreError

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SUFFIX: Final = re.compile(r"[a-z0-9]{1,8}")
_BLOCK: Final = 1 << 20


class Blobs:
    """Files by hash under `place`: a folder, or a URL that obstore understands.

    `cache` is the local folder that a remote store's files pass through when a path is asked for;
    without it a temporary one is made.  All errors are StoreError.
    """

    def __init__(self, place: str | Path, *, cache: Path | None = None) -> None:
        text = str(place)
        self._remote = "://" in text and not text.startswith("file://")
        if self._remote:
            self._folder = cache or Path(tempfile.mkdtemp(prefix="broadcaster-blobs-"))
            self._store: Any = _opened(text)
        else:
            self._folder = Path(text.removeprefix("file://"))
            try:
                self._store = LocalStore(self._folder, mkdir=True)
            except Exception as error:
                raise StoreError(_cannot_write(self._folder, error)) from error

    def put(self, data: bytes | Path, *, suffix: str) -> str:
        """Keep `data` (bytes, or a file that is copied) and return its SHA-256.

        Putting the same bytes twice is one file.  Full or read-only disk: StoreError, no half file.
        """
        sha256 = _hash_of(data)
        key = _key(sha256, suffix)
        target = self._folder / key
        if not self._whole(target, data):
            self._write(target, data)
        if self._remote:
            try:
                obstore.put(self._store, key, target)
            except Exception as error:
                raise StoreError(f"Không gửi được tệp lên kho âm thanh: {_short(error)}.") from error
        return sha256

    def path(self, sha256: str, *, suffix: str) -> Path:
        """Local path of the file.  StoreError when it is not there."""
        key = _key(sha256, suffix)
        target = self._folder / key
        if target.is_file():
            return target
        if self._remote:
            self._write(target, self._fetched(key))
            return target
        raise StoreError(_missing(key))

    def get(self, sha256: str, *, suffix: str) -> bytes:
        """The bytes, checked against their name.  StoreError when missing or damaged."""
        path = self.path(sha256, suffix=suffix)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(f"Không đọc được tệp {path.name}: {_short(error)}.") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(
                f"Tệp âm thanh {path.name} đã bị hỏng; hãy khôi phục từ bản sao lưu hoặc dựng lại."
            )
        return data

    def has(self, sha256: str, *, suffix: str) -> bool:
        """True when the file is here."""
        key = _key(sha256, suffix)
        if (self._folder / key).is_file():
            return True
        if not self._remote:
            return False
        try:
            obstore.head(self._store, key)
        except FileNotFoundError:
            return False
        except Exception as error:
            raise StoreError(f"Không hỏi được kho âm thanh: {_short(error)}.") from error
        return True

    def size(self, sha256: str, *, suffix: str) -> int:
        """Bytes in the file.  StoreError when it is not there."""
        key = _key(sha256, suffix)
        try:
            return int(obstore.head(self._store, key)["size"])
        except FileNotFoundError as error:
            raise StoreError(_missing(key)) from error
        except Exception as error:
            raise StoreError(f"Không hỏi được kho âm thanh: {_short(error)}.") from error

    def delete(self, sha256: str, *, suffix: str) -> None:
        """Take the file away; gone already is fine."""
        key = _key(sha256, suffix)
        (self._folder / key).unlink(missing_ok=True)
        if self._remote:
            try:
                obstore.delete(self._store, key)
            except FileNotFoundError:
                pass
            except Exception as error:
                raise StoreError(f"Không xóa được tệp trong kho âm thanh: {_short(error)}.") from error

    def names(self) -> Iterator[tuple[str, str, int]]:
        """(sha256, suffix, bytes) of every file, in no order; half-written ones are not listed."""
        for batch in obstore.list(self._store):
            for row in batch:
                name = Path(str(row["path"])).name
                sha256, _, suffix = name.partition(".")
                if _SHA256.fullmatch(sha256) and _SUFFIX.fullmatch(suffix):
                    yield sha256, suffix, int(row["size"])

    def written(self) -> Iterator[tuple[str, str, int, datetime]]:
        """`names` with the instant (UTC) each file was last written."""
        for batch in obstore.list(self._store):
            for row in batch:
                sha256, _, suffix = Path(str(row["path"])).name.partition(".")
                if _SHA256.fullmatch(sha256) and _SUFFIX.fullmatch(suffix):
                    yield sha256, suffix, int(row["size"]), row["last_modified"]

    def sweep(self) -> int:
        """Remove temporary files that a killed process left behind; returns how many.

        Call it when no one is writing (at start-up).
        """
        leftovers = list(self._folder.glob("*/.*.part"))
        for leftover in leftovers:
            leftover.unlink(missing_ok=True)
        return len(leftovers)

    def _fetched(self, key: str) -> bytes:
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError as error:
            raise StoreError(_missing(key)) from error
        except Exception as error:
            raise StoreError(f"Không tải được tệp từ kho âm thanh: {_short(error)}.") from error

    def _whole(self, target: Path, data: bytes | Path) -> bool:
        """An existing file of the right length is the file; anything else is written again."""
        try:
            size = target.stat().st_size
        except OSError:
            return False
        return size == (data.stat().st_size if isinstance(data, Path) else len(data))

    def _write(self, target: Path, data: bytes | Path) -> None:
        part: Path | None = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
            part = Path(name)
            with os.fdopen(handle, "wb") as out:
                for block in _blocks(data):
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            part.chmod(0o644)
            part.replace(target)
            part = None
            sync_folder(target.parent)
        except OSError as error:
            raise StoreError(_cannot_write(target.parent, error)) from error
        finally:
            if part is not None:
                part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the system can (not on Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _opened(url: str) -> Any:
    try:
        return from_url(url)
    except Exception as error:
        raise StoreError(f"Địa chỉ kho âm thanh “{url}” không dùng được: {_short(error)}.") from error


def _hash_of(data: bytes | Path) -> str:
    digest = hashlib.sha256()
    try:
        for block in _blocks(data):
            digest.update(block)
    except OSError as error:
        raise StoreError(f"Không đọc được tệp nguồn: {_short(error)}.") from error
    return digest.hexdigest()


def _blocks(data: bytes | Path) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield data
        return
    with data.open("rb") as source:
        while block := source.read(_BLOCK):
            yield block


def _key(sha256: str, suffix: str) -> str:
    if not _SHA256.fullmatch(sha256) or not _SUFFIX.fullmatch(suffix):
        raise StoreError(f"Tên tệp “{sha256}.{suffix}” không hợp lệ.")
    return f"{sha256[:2]}/{sha256}.{suffix}"


def _missing(key: str) -> str:
    return f"Không thấy tệp âm thanh {key.rsplit('/', 1)[1]} trong kho; hãy dựng lại hoặc khôi phục từ bản sao lưu."


def _cannot_write(folder: Path, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"Đĩa đã đầy, không ghi được vào {folder}; hãy xóa bớt tệp rồi làm lại. Chưa có gì bị mất."
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"Không có quyền ghi vào {folder}; hãy kiểm tra quyền của thư mục rồi làm lại."
    return f"Không ghi được vào {folder}: {_short(error)}."


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
