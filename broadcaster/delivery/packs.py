"""A day's programmes in one file, for a phone that sees the network once a day or a USB stick."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Final

from broadcaster.errors import StoreError
from broadcaster.model import PlannedAiring, RenditionKind
from broadcaster.naming import plain_name
from broadcaster.store.blobs import Blobs
from broadcaster.whole import whole

_SPOOL_BYTES: Final = 8 * 1024 * 1024
KEEP_PACKS: Final = 60


def day_file(airings: Sequence[PlannedAiring], *, blobs: Blobs, folder: Path) -> Path:
    """The same pack as a real file, named by what is in it, so that a download can be resumed.

    Packs that nobody has asked for lately are removed when a new one is made.
    """
    parts = [
        f"{a.airing_id} {a.state} {a.reason} {a.files[RenditionKind.AIR].sha256 if RenditionKind.AIR in a.files else '-'}"
        for a in airings
    ]
    path = folder / f"{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:32]}.zip"
    if path.is_file():
        os.utime(path)
        return path
    folder.mkdir(parents=True, exist_ok=True)
    kept = sorted(folder.glob("*.zip"), key=lambda each: each.stat().st_mtime)
    for old in kept[: max(0, len(kept) - KEEP_PACKS)]:
        old.unlink(missing_ok=True)
    try:
        with day_zip(airings, blobs=blobs) as pack, whole(path) as file:
            shutil.copyfileobj(pack, file)
    except OSError as error:
        raise StoreError("Chưa đóng được gói của cả ngày vì không ghi được ra đĩa. Hãy báo xã.") from error
    return path


def day_zip(
    airings: Iterable[PlannedAiring], *, blobs: Blobs, kind: RenditionKind = RenditionKind.AIR
) -> IO[bytes]:
    """An open file at position 0: a ZIP, stored and not packed (MP3 does not shrink), with ASCII names.

    Airings without a programme are named in `lich-phat.txt`, which says what each file is.  Close it.
    """
    target = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 - the caller closes it
    lines = []
    used: set[str] = set()
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as pack:
            for airing in airings:
                when = f"{airing.local_date:%d/%m/%Y} {airing.start_local:%H:%M}"
                file = airing.files.get(kind)
                if file is None:
                    lines.append(f"{when}  {airing.slot_name}: {airing.reason or 'chưa có chương trình'}")
                    continue
                name = _free(
                    f"{airing.local_date:%Y%m%d}-{airing.start_local:%H%M}-{plain_name(airing.slot_name)}",
                    used,
                )
                pack.write(blobs.path(file.sha256, suffix="mp3"), f"{name}.mp3")
                lines.append(f"{when}  {airing.slot_name}: {name}.mp3")
                lines.extend(f"    - {item.title}" for item in airing.items if item.approved)
            # A byte order mark, so that Notepad of an old Windows shows the Vietnamese letters.
            pack.writestr("lich-phat.txt", "\ufeff" + "\r\n".join(lines) + "\r\n")
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


def _free(name: str, used: set[str]) -> str:
    candidate, number = name, 2
    while candidate in used:
        candidate, number = f"{name}-{number}", number + 1
    used.add(candidate)
    return candidate
