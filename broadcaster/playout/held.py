"""What a player holds on disk: the last good manifest, and audio by hash within a budget."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from broadcaster.errors import PlayerError
from broadcaster.playout.plan import LARGEST_BYTES, AudioFile, Manifest, read_manifest
from broadcaster.playout.reserve import ROOM_BYTES
from broadcaster.signing import verify

_FILE: Final = "manifest.json"


class HeldManifest:
    """The manifest in force.  A new one must be signed by the pinned key and not be older than this one.

    `receiver` (`nhu-thanh/3`) is whose it must be; '' = whoever the first one is for.
    """

    def __init__(self, folder: Path, public_key: str, receiver: str = "") -> None:
        self._path, self._key, self._receiver = folder / _FILE, public_key, receiver
        self._lock = threading.Lock()
        self._manifest: Manifest | None = None
        self.tag = ""
        self.damaged = ""  # why the one on disk was not taken
        folder.mkdir(parents=True, exist_ok=True)
        self._load()

    @property
    def manifest(self) -> Manifest | None:
        """The one in force."""
        return self._manifest

    def accept(self, body: bytes, signature_hex: str, *, tag: str = "") -> Manifest:
        """Check, keep on disk, take into force.  PlayerError, and the old one stays, when it will not do."""
        manifest = self._checked(body, signature_hex)
        with self._lock:
            held = self._manifest
            if _name(manifest) != (self._receiver or _name(held or manifest)):
                raise PlayerError("Lịch nhận được là của máy thu khác nên không nhận.")
            if held is not None and manifest.order < held.order:
                raise PlayerError("Lịch nhận được cũ hơn lịch đang giữ nên không nhận.")
            self._keep(body, signature_hex, tag)
            self._manifest, self.tag, self.damaged = manifest, tag, ""
        return manifest

    def _checked(self, body: bytes, signature_hex: str) -> Manifest:
        if len(body) > LARGEST_BYTES:
            raise PlayerError("Lịch từ đài lớn bất thường nên không nhận. Hãy báo cán bộ phụ trách đài.")
        if not verify(self._key, body, signature_hex):
            raise PlayerError("Chữ ký của lịch không đúng nên không nhận. Hãy báo cán bộ phụ trách đài.")
        return read_manifest(body)

    def _keep(self, body: bytes, signature_hex: str, tag: str) -> None:
        text = json.dumps({"body": body.decode("utf-8"), "signature": signature_hex, "tag": tag})
        try:
            replace_whole(self._path, text.encode("utf-8"))
        except OSError as error:
            raise PlayerError(f"Không lưu được lịch vào đĩa: {error.strerror or error}.") from error

    def _load(self) -> None:
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            found = self._checked(str(data["body"]).encode("utf-8"), str(data["signature"]))
            if self._receiver in ("", _name(found)):  # else this box was another receiver before
                self._manifest, self.tag = found, str(data["tag"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, PlayerError) as error:
            self.damaged = f"Lịch giữ trên đĩa không dùng được ({error}); đang chờ lịch mới từ đài."


def _name(manifest: Manifest) -> str:
    return f"{manifest.station}/{manifest.receiver}"


def free_bytes(folder: Path) -> int:
    """Room left on the disk."""
    return shutil.disk_usage(folder).free


class HeldAudio:
    """Audio files by hash.  What is here was checked; a part of a file is called `.part`."""

    def __init__(
        self, folder: Path, *, budget_bytes: int, free_bytes: Callable[[Path], int] = free_bytes
    ) -> None:
        self.folder, self._budget, self._free_bytes = folder, budget_bytes, free_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, file: AudioFile) -> Path | None:
        """Where it is, or None."""
        path = self.folder / file.name
        return path if path.is_file() else None

    def hashes(self) -> frozenset[str]:
        """What is here."""
        return frozenset(path.stem for path in self.folder.iterdir() if path.suffix != ".part")

    def part(self, file: AudioFile) -> Path:
        """Where its download is written."""
        return self.folder / (file.name + ".part")

    def settle(self, file: AudioFile) -> Path:
        """Check a finished download and give it its name; PlayerError and gone when it is not the file."""
        part = self.part(file)
        with part.open("rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if size != file.size_bytes or found != file.sha256:
            part.unlink(missing_ok=True)
            raise PlayerError(f"Tệp {file.name[:12]}… tải về không đúng mã băm nên đã bỏ.")
        with part.open("rb+") as opened:
            os.fsync(opened.fileno())
        target = self.folder / file.name
        os.replace(part, target)
        return target

    def make_room(self, file: AudioFile, needed: frozenset[str]) -> None:
        """Delete what no manifest names, the oldest first, until `file` fits the budget and the disk.

        PlayerError when it cannot fit.  `needed` are names of files and is never deleted.
        """
        entries = [(path, path.stat()) for path in self.folder.iterdir() if path != self.part(file)]
        used = sum(stat.st_size for _path, stat in entries)
        free = self._free_bytes(self.folder)
        spare = sorted(
            (stat.st_mtime, stat.st_size, path)
            for path, stat in entries
            if path.name.removesuffix(".part") not in needed
        )
        size = file.size_bytes
        while used + size > self._budget or free < size + ROOM_BYTES:
            if not spare:
                raise PlayerError(
                    "Hết chỗ dành cho âm thanh trên máy phát. Hãy tăng cài đặt player.disk_mb hoặc thay ổ đĩa."
                    if used + size > self._budget
                    else "Ổ đĩa của máy phát đã đầy nên không tải thêm được. Hãy xóa bớt tệp trên máy phát."
                )
            _time, gained, path = spare.pop(0)
            path.unlink(missing_ok=True)
            used, free = used - gained, free + gained


def replace_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is the old one or the new one, never half."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
