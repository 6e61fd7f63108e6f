"""The folder that backups stand in: which is the newest, what two of them may share, which are old enough to go."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from broadcaster.system import file_lock

UNFINISHED: Final = ".dang-ghi"
LOCK: Final = ".khoa"  # in an unfinished backup, held by whoever writes it


def prune(target: Path, *, keep: int) -> list[Path]:
    """Delete the oldest backups beyond `keep` (at least one stays); returns what was deleted."""
    found = sorted(backups_in(target))
    old = found[: -max(keep, 1)]
    for folder in old:
        shutil.rmtree(folder)
    return old


def clear_unfinished(target: Path) -> list[Path]:
    """Delete what backups that were killed left behind; one that is still being written is left alone."""
    gone = []
    for folder in sorted(target.glob(f"sao-luu-*{UNFINISHED}")):
        try:
            with file_lock(folder / LOCK, timeout_s=0):
                pass
        except (TimeoutError, OSError):
            continue
        shutil.rmtree(folder, ignore_errors=True)
        gone.append(folder)
    return gone


def newest(target: Path) -> Path | None:
    """The last finished backup, or None."""
    return max(backups_in(target), default=None)


def backups_in(target: Path) -> list[Path]:
    """Every finished backup of the folder."""
    return [path for path in target.glob("sao-luu-*") if path.is_dir() and not path.name.endswith(UNFINISHED)]


def shared(old: Path, new: Path, sha256: str) -> bool:
    """A second name for the older backup's file, if it is whole; False where the disk knows no second names."""
    if not old.is_file():
        return False
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(old, new)
    except OSError:
        return False
    with new.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
            return True
    new.unlink()
    return False
