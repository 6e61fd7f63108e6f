"""A day's programmes in one file, for a phone that sees the network once a day or a USB stick."""

from __future__ import annotations

import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterable
from typing import IO, Final

from broadcaster.model import PlannedAiring, RenditionKind
from broadcaster.store.blobs import Blobs

_SPOOL_BYTES: Final = 8 * 1024 * 1024


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


def plain_name(title: str) -> str:
    """'Buổi sáng' -> 'buoi-sang': what every phone, radio and file system can show."""
    flat = unicodedata.normalize("NFD", title.lower().replace("đ", "d"))
    letters = "".join(letter for letter in flat if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:60] or "chuong-trinh"


def _free(name: str, used: set[str]) -> str:
    candidate, number = name, 2
    while candidate in used:
        candidate, number = f"{name}-{number}", number + 1
    used.add(candidate)
    return candidate
