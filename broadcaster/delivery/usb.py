"""A folder for a USB stick: numbered MP3s in the order of their times, a list to print, and a file of hashes.

For villages without a network: any amplifier with a USB socket plays the files in the order of their names.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from broadcaster.errors import StoreError
from broadcaster.model import PlannedAiring, RenditionKind
from broadcaster.naming import plain_name
from broadcaster.store.blobs import Blobs
from broadcaster.whole import whole

HASHES: Final = "SHA256SUMS.txt"  # `sha256sum -c SHA256SUMS.txt` and 7-Zip both read it
LIST: Final = "danh-sach.html"
_STYLE = (
    "body{font:14pt/1.4 Arial,sans-serif;margin:2cm}table{border-collapse:collapse;width:100%}"
    "td,th{border:1px solid #555;padding:6px 8px;text-align:left;vertical-align:top}h1{font-size:18pt}"
)


@dataclass(frozen=True, slots=True)
class PackedFile:
    """One file of the stick: its number, its name there, the airing it is."""

    number: int
    name: str
    airing: PlannedAiring
    sha256: str
    size_bytes: int


def packed(airings: Iterable[PlannedAiring], *, kind: RenditionKind = RenditionKind.AIR) -> list[PackedFile]:
    """What goes on the stick, numbered in the order of time; airings without a programme have no number."""
    ready = sorted(
        (line for line in airings if kind in line.files), key=lambda line: (line.planned_at, line.airing_id)
    )
    width = max(2, len(str(len(ready))))
    return [
        PackedFile(
            number,
            f"{number:0{width}d}-{line.local_date:%Y%m%d}-{line.start_local:%H%M}-{plain_name(line.slot_name)[:40]}.mp3",
            line, line.files[kind].sha256, line.files[kind].size_bytes,
        )
        for number, line in enumerate(ready, start=1)
    ]  # fmt: skip


def write_folder(
    folder: Path, airings: Sequence[PlannedAiring], *, blobs: Blobs, title: str
) -> list[PackedFile]:
    """Fill a folder (a stick's root, say).  Each file is copied beside its name and read back before it counts.

    StoreError when the stick is full, cannot be written, or gives back other bytes than were written.
    """
    files = packed(airings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            with (
                blobs.path(file.sha256, suffix="mp3").open("rb") as source,
                whole(folder / file.name) as target,
            ):
                shutil.copyfileobj(source, target, 1024 * 1024)
                target.flush()
                os.fsync(target.fileno())
                target.seek(0)
                if hashlib.file_digest(target, "sha256").hexdigest() != file.sha256:
                    raise StoreError(
                        f"USB ghi sai tệp {file.name} (đọc lại không khớp). Hãy thay USB khác rồi làm lại."
                    )
        (folder / LIST).write_text(sheet(files, airings, title=title), encoding="utf-8")
        (folder / HASHES).write_text(hashes(files), encoding="utf-8", newline="\n")
    except OSError as error:
        raise StoreError(
            f"Không ghi được vào {folder}: {error.strerror or error}. Hãy kiểm tra USB còn chỗ và không khóa ghi."
        ) from error
    return files


def write_zip(target: Path, airings: Sequence[PlannedAiring], *, blobs: Blobs, title: str) -> Path:
    """The same folder as one stored ZIP at `target`, replaced in one step."""
    files = packed(airings)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole(target) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as pack:
            for file in files:
                pack.write(blobs.path(file.sha256, suffix="mp3"), file.name)
            pack.writestr(LIST, sheet(files, airings, title=title))
            pack.writestr(HASHES, hashes(files))
    except OSError as error:
        raise StoreError("Chưa đóng được gói USB vì không ghi được ra đĩa. Hãy báo kỹ thuật.") from error
    return target


def content_key(airings: Sequence[PlannedAiring], title: str) -> str:
    """Changes whenever something of the pack would."""
    parts = [title, *(f"{line.airing_id} {line.state} {line.reason}" for line in airings)]
    parts += [f"{file.name} {file.sha256}" for file in packed(airings)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def hashes(files: Sequence[PackedFile]) -> str:
    """One line a file, as sha256sum writes it."""
    return "".join(f"{file.sha256}  {file.name}\n" for file in files)


def sheet(files: Sequence[PackedFile], airings: Iterable[PlannedAiring], *, title: str) -> str:
    """A list to print: number, day, time, what is in it, a box to tick; airings without sound are named below."""
    rows = "".join(
        f"<tr><td>{file.number}</td><td>{file.airing.local_date:%d/%m/%Y}</td><td>{file.airing.start_local:%H:%M}</td>"
        f"<td>{escape(file.airing.slot_name)}<ul>{_items(file.airing)}</ul></td><td>{_length(file.airing)}</td><td></td></tr>"
        for file in files
    )
    here = {file.airing.airing_id for file in files}
    missing = "".join(
        f"<li>{line.local_date:%d/%m/%Y} {line.start_local:%H:%M} {escape(line.slot_name)}: "
        f"{escape(line.reason or 'chưa có chương trình')}</li>"
        for line in airings
        if line.airing_id not in here
    )
    return (
        f'<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        "<p>Cắm USB vào tăng âm, phát đúng số thứ tự vào đúng giờ, đánh dấu khi phát xong.</p>"
        "<table><thead><tr><th>Số</th><th>Ngày</th><th>Giờ</th><th>Nội dung</th><th>Dài</th><th>Đã phát</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        + (f"<h2>Không có trong USB</h2><ul>{missing}</ul>" if missing else "")
        + "</body></html>\n"
    )


def _items(line: PlannedAiring) -> str:
    return "".join(f"<li>{escape(item.title)}</li>" for item in line.items if item.approved)


def _length(line: PlannedAiring) -> str:
    seconds = round((line.duration_ms or 0) / 1000)
    return f"{seconds // 60}:{seconds % 60:02d}" if seconds else "–"
