"""What people said of the voices, kept: an embedded voice is "thử nghiệm" until ears have judged it.

The result files lie in `var/voices/auditions/` under their own hash (the same file twice counts once), and
beside them a summary by voice and edition, which is all that screens read.  When a voice's sound changes,
its edition does too, and it is on trial again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from broadcaster.errors import StoreError
from broadcaster.speech.edition import edition_of_file

if TYPE_CHECKING:
    from broadcaster.speech.audition import Judged

FOLDER: Final = "auditions"
SUMMARY: Final = "summary.json"
ON_TRIAL: Final = "thử nghiệm"


def keep(results: Sequence[bytes], *, folder: Path) -> list[Judged]:
    """Adds result files to the book under `folder` (`var/voices`) and sums up everything in it.

    InputError when one of them is no result (nothing is kept then); StoreError when the disk refuses.
    """
    from broadcaster.speech.audition import table  # brings numpy: only where somebody brings results

    table(results)
    book = folder / FOLDER
    try:
        book.mkdir(parents=True, exist_ok=True)
        for result in results:
            _write(book / f"{hashlib.sha256(result).hexdigest()}.json", result)
        rows = table(file.read_bytes() for file in sorted(book.glob("*.json")) if file.name != SUMMARY)
        summary = [
            {"voice": row.voice, "edition": row.edition, "listeners": row.listeners, "mark": row.mark,
             "error": row.error, "answers": row.answers}
            for row in rows
        ]  # fmt: skip
        _write(book / SUMMARY, json.dumps(summary, ensure_ascii=False, indent=1).encode())
    except OSError as error:
        raise StoreError(
            f"Không ghi được kết quả nghe thử vào {book} ({error.strerror}); hãy xem lại quyền ghi và chỗ trống."
        ) from error
    return rows


def label(name: str, plain: str, *, folder: Path, edition: str) -> str:
    """What people read: "giọng máy nữ (thử nghiệm)", or "giọng máy nữ (nghe thử 4,1/5)" once it was judged."""
    for row in _summary(folder):
        if row.get("voice") == name and row.get("edition") == edition and row.get("mark") is not None:
            mark = f"{float(row['mark']):.1f}".replace(".", ",")
            return f"{plain} (nghe thử {mark}/5)"
    return f"{plain} ({ON_TRIAL})"


def label_from_file(name: str, plain: str, *, home: Path, file: Path) -> str:
    """The same for a voice's file, without opening an engine; `home` is where data lives."""
    folder = home / "var" / "voices"
    if not _summary(folder):
        return f"{plain} ({ON_TRIAL})"
    return label(name, plain, folder=folder, edition=edition_of_file(file))


def _summary(folder: Path) -> list[dict[str, Any]]:
    try:
        return list(json.loads((folder / FOLDER / SUMMARY).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # none yet, or a damaged one: the next result writes it anew
        return []


def _write(file: Path, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        os.replace(temporary, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
