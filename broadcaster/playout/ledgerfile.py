"""The ledger's file: opened, checked, and put aside when it is damaged.

A box that nobody watches must not stay silent because its memory card lost a page: a damaged ledger is kept for
whoever wants to look, and a new one begins, which looks back to nothing that the old one may have played.
"""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path
from typing import Final

from broadcaster.errors import PlayerError

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BESIDE: Final = ("", "-wal", "-shm")


def open_ledger(path: Path, schema: str) -> tuple[sqlite3.Connection, str]:
    """The open file, and a sentence when a damaged one was put aside for it.

    PlayerError when there is no opening it: no right to, a full disk, somebody else's lock.
    """
    said = ""
    while True:
        try:
            return _opened(path, schema), said
        except sqlite3.Error as error:
            if said or not is_damage(error):
                raise PlayerError(
                    f"Không mở được sổ của máy phát ({path}): {error}. Hãy kiểm tra ổ đĩa và quyền ghi."
                ) from error
        kept = unused(path.with_name(f"{path.stem}-hong.db"))
        for end in _BESIDE:
            old = path.with_name(path.name + end)
            if old.exists():
                old.rename(kept.with_name(kept.name + end))
        said = f"Sổ của máy phát bị hỏng nên đã mở sổ mới; bản hỏng giữ ở {kept.name}. Hãy kiểm tra thẻ nhớ hoặc ổ đĩa."


def is_damage(error: sqlite3.Error) -> bool:
    """True when the file itself is at fault, and no other try will help."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def unused(path: Path) -> Path:
    """The path, or the first of path-2, path-3… that is not taken."""
    others = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in itertools.count(2))
    return next(one for one in itertools.chain([path], others) if not one.exists())


def _opened(path: Path, schema: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            db.execute(f"PRAGMA {pragma}")
        db.executescript(schema)
        (state,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            error = sqlite3.DatabaseError(str(state))
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error
    except sqlite3.Error:
        db.close()
        raise
    return db
