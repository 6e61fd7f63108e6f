"""A few megabytes set aside beside the ledger: a disk that somebody else filled must not silence the morning.

What must be committed before a sound is small, but on a full disk even that fails.  The reserve is given up
then, and set aside again when there is room.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

RESERVE_BYTES: Final = 4_000_000  # some hundred commits in the write-ahead log
ROOM_BYTES: Final = 64_000_000  # downloads leave this much of the disk alone


class Reserve:
    """One file of zeros."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tend(self) -> None:
        """Set it aside while there is plenty of room; give it up before there is none."""
        try:
            free = shutil.disk_usage(self._path.parent).free
            if free < RESERVE_BYTES // 4:
                self.release()
            elif free > ROOM_BYTES // 2 and not self._path.exists():
                self._fill()
        except OSError:
            self.release()

    def release(self) -> bool:
        """Give it up; False when there was nothing left to give."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def _fill(self) -> None:
        with self._path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
            else:
                file.write(bytes(RESERVE_BYTES))
