"""Backup and restore: an online copy of the database, audio by hash, keys and settings, with a manifest.

A backup is a folder: `manifest.json` (format, schema, SHA-256 of every file), `database.sqlite` or
`database.dump` (pg_dump), `keys/`, `blobs/`, `broadcaster.toml`.  Restoring checks everything first and
writes only where there is no database yet; it raises the station's epoch so that players accept it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

from sqlalchemy import URL, create_engine, inspect, make_url, text

from broadcaster import __version__
from broadcaster.config import Settings, load
from broadcaster.errors import StoreError
from broadcaster.store.blobs import Blobs, sync_folder
from broadcaster.store.shelf import LOCK, UNFINISHED, clear_unfinished, newest, shared
from broadcaster.store.upgrade import is_known_revision, upgrade
from broadcaster.system import file_lock

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_DUMPS: Final = {True: "database.sqlite", False: "database.dump"}  # by "is it SQLite"
_TOML: Final = "broadcaster.toml"
_BLOB: Final = re.compile(r"blobs/([0-9a-f]{2})/(\1[0-9a-f]{62})\.([a-z0-9]{1,8})")
_KEY: Final = re.compile(r"keys/[A-Za-z0-9_-][A-Za-z0-9._-]*")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself: `files` maps a path in the folder to its SHA-256."""

    database: str
    schema: str
    files: Mapping[str, str]


# -------------------------------------------------------------------------------------------- backup


def backup(settings: Settings, target: Path, *, now: datetime) -> Path:
    """Write a backup of everything into a new folder under `target`; returns the folder.

    The station goes on meanwhile.  What a backup that was killed left in `target` goes first.  StoreError (full disk, no database, pg_dump) leaves no folder behind.
    A damaged audio file is left out and named in the log: it must not keep all others from being saved.
    """
    folder = target / f"sao-luu-{now:%Y%m%d-%H%M%S}"
    part = folder.with_name(folder.name + UNFINISHED)
    if folder.exists() or part.exists():
        raise StoreError(f"Đã có bản sao lưu {folder}. Hãy chờ một giây rồi chạy lại.")
    try:
        part.mkdir(mode=0o700, parents=True)  # the keys and the password hashes are in it
        with file_lock(part / LOCK, timeout_s=0):
            for left in clear_unfinished(target):
                _LOG.warning("Đã dọn bản sao lưu dở dang %s.", left.name)
            _fill(settings, part, now=now)
        (part / LOCK).unlink()
        part.rename(folder)
        sync_folder(target)
    except (OSError, sqlite3.Error) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise StoreError(f"Chưa sao lưu được vào {target}: {said}. Hãy kiểm tra ổ đĩa.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _fill(settings: Settings, part: Path, *, now: datetime) -> None:
    is_sqlite = settings.database_url.startswith("sqlite")
    source = _sqlite_path(settings.database_url) if is_sqlite else None
    if source is not None and not source.exists():
        raise StoreError("Chưa có cơ sở dữ liệu để sao lưu. Hãy chạy scripts/run.py trước.")
    files: dict[str, str] = {}
    # Before the database, so that what retention deletes meanwhile is here; after it, so that what was made
    # meanwhile is here too.
    before = newest(part.parent)
    _copy_blobs(settings.blobs_url, part, files, before)
    database = _DUMPS[is_sqlite]
    if source is not None:
        schema = _copy_sqlite(source, part / database)
    else:
        schema = _revision(settings.database_url)
        _postgresql(settings.database_url, "pg_dump", "--format=custom", f"--file={part / database}")
    files[database] = _sha256(part / database)
    _copy_blobs(settings.blobs_url, part, files, before)
    for path in sorted(settings.keys.glob("*.key")):
        files[f"keys/{path.name}"] = _copy(path, part / "keys" / path.name)
    if (settings.home / _TOML).is_file():
        files[_TOML] = _copy(settings.home / _TOML, part / _TOML)
    manifest = {
        "format": FORMAT, "made_at": now.isoformat(), "software": __version__, "database": database,
        "schema": schema, "files": dict(sorted(files.items())),
    }  # fmt: skip
    _write(part / MANIFEST, json.dumps(manifest, indent=1).encode())


def _copy_blobs(blobs_url: str, part: Path, files: dict[str, str], before: Path | None) -> None:
    """Copy what is not copied yet, and add it to `files`; a remote store's files come through its own cache.

    What the backup `before` holds whole is shared with it where the disk can: a file of sound never changes, so
    fourteen nights need little more room than one.
    """
    blobs = Blobs(blobs_url, cache=part / "blobs")
    for sha256, suffix, _bytes in sorted(blobs.names()):
        name = f"blobs/{sha256[:2]}/{sha256}.{suffix}"
        if name in files:
            continue
        if before is not None and shared(before / name, part / name, sha256):
            files[name] = sha256
            continue
        try:
            source = blobs.path(sha256, suffix=suffix)
            found = _sha256(source) if source == part / name else _copy(source, part / name)
        except (FileNotFoundError, StoreError):
            if blobs.has(sha256, suffix=suffix):
                raise
            continue  # retention was quicker
        if found == sha256:
            files[name] = found
            continue
        (part / name).unlink()
        _LOG.warning("Tệp âm thanh %s.%s trong kho đã hỏng nên không sao lưu. Hãy dựng lại.", sha256, suffix)


def _copy_sqlite(source: Path, target: Path) -> str:
    """One consistent copy while others write; returns its schema revision."""
    with closing(sqlite3.connect(source)) as database, closing(sqlite3.connect(target)) as copy:
        database.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # a single file, which opens on a read-only stick too
        verdict = copy.execute("PRAGMA quick_check").fetchone()[0]
        if verdict != "ok":
            raise StoreError(
                f"Bản sao cơ sở dữ liệu không lành: {verdict}. Hãy báo người phụ trách kỹ thuật."
            )
        row = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    with target.open("rb+") as file:
        os.fsync(file.fileno())
    return str(row[0]) if row else ""


# ------------------------------------------------------------------------------------------- restore


def check(folder: Path) -> Manifest:
    """Read a backup's manifest and compare every file with it; StoreError on the first difference."""
    path = folder / MANIFEST
    if not path.is_file():
        raise StoreError(f"{folder} không phải bản sao lưu: thiếu {MANIFEST}. Hãy chọn đúng thư mục.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version = int(data["format"])
        if version > FORMAT:
            raise StoreError("Bản sao lưu do phiên bản phần mềm mới hơn tạo ra. Hãy nâng cấp phần mềm trước.")
        files = {str(name): str(sha256) for name, sha256 in data["files"].items()}
        manifest = Manifest(str(data["database"]), str(data["schema"]), files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{MANIFEST} trong {folder} bị hỏng. Hãy dùng bản sao lưu khác.") from error
    if manifest.database not in files or manifest.database not in _DUMPS.values():
        raise StoreError(f"Bản sao lưu {folder} thiếu cơ sở dữ liệu. Hãy dùng bản sao lưu khác.")
    if not is_known_revision(manifest.schema):
        raise StoreError(
            f"Cơ sở dữ liệu trong bản sao lưu thuộc phiên bản mới hơn chương trình này ({manifest.schema}). "
            "Hãy nâng cấp phần mềm trước; chưa ghi gì."
        )
    for name, expected in files.items():
        if not _is_whole(folder, name, expected):
            raise StoreError(
                f"Bản sao lưu hỏng hoặc thiếu tệp {name}. Chưa ghi gì; hãy dùng bản sao lưu khác."
            )
    return manifest


def restore(settings: Settings, folder: Path, *, now: datetime) -> None:
    """Bring a backup back where there is no database yet; only what its manifest lists, and all of it.

    Nothing is written when the backup is not whole, when a database is there already, or when the backup's
    own broadcaster.toml points to another database than the one in use.  The database comes last: until it
    is there, the command can simply be run again.
    """
    manifest = check(folder)
    is_sqlite = settings.database_url.startswith("sqlite")
    if manifest.database != _DUMPS[is_sqlite]:
        made_on, here = ("PostgreSQL", "SQLite") if is_sqlite else ("SQLite", "PostgreSQL")
        raise StoreError(
            f"Bản sao lưu là {made_on} nhưng cài đặt đang dùng {here}. Hãy đổi store.database_url."
        )
    brings_toml = _TOML in manifest.files and not (settings.home / _TOML).exists()
    if brings_toml:
        _refuse_other_places(settings, folder)
    _refuse_existing(settings.database_url)
    try:
        _bring_blobs(settings.blobs_url, folder, manifest)
        for name in manifest.files:
            if name.startswith("keys/"):
                _bring(folder / name, settings.keys / PurePosixPath(name).name, mode=0o600)
        if brings_toml:
            _bring(folder / _TOML, settings.home / _TOML, mode=0o644)
        if is_sqlite:
            _bring_sqlite(folder / manifest.database, _sqlite_path(settings.database_url), now=now)
        else:
            _postgresql(
                settings.database_url, "pg_restore", "--no-owner", "--no-privileges", "--single-transaction",
                "--exit-on-error", str(folder / manifest.database),
            )  # fmt: skip
            upgrade(settings.database_url)
            _raise_epoch(settings.database_url, now=now)
    except OSError as error:
        raise StoreError(
            f"Chưa khôi phục xong: {error.strerror or error}. Hãy kiểm tra ổ đĩa rồi chạy lại lệnh này."
        ) from error


def _is_whole(folder: Path, name: str, expected: str) -> bool:
    """The file is one that a backup may hold, is inside the folder, and has the contents it should have."""
    blob = _BLOB.fullmatch(name)
    if not (blob or _KEY.fullmatch(name) or name in (*_DUMPS.values(), _TOML)):
        return False
    if blob and blob[2] != expected:
        return False
    path = folder / name
    inside = path.resolve().is_relative_to(folder.resolve())
    return inside and path.is_file() and _sha256(path) == expected


def _refuse_other_places(settings: Settings, folder: Path) -> None:
    """The settings that come along decide where the station looks next time: not elsewhere than we write now."""
    coming = load(environ={}, home=folder)
    for key in ("store.database_url", "store.blobs_url"):
        if coming.text(key) and coming.text(key) != settings.text(key):
            raise StoreError(
                f"broadcaster.toml trong bản sao lưu đặt {key} khác cài đặt đang dùng. Hãy chép tệp đó vào "
                f"{settings.home}, sửa {key} cho đúng máy này rồi chạy lại; chưa ghi gì."
            )


def _refuse_existing(url: str) -> None:
    if url.startswith("sqlite"):
        path = _sqlite_path(url)
        # A write-ahead log without its database would be played into the restored one.
        for there in (path, path.with_name(path.name + "-wal")):
            if there.exists():
                raise StoreError(
                    f"Đã có dữ liệu ở {there}. Chỉ khôi phục vào thư mục trống; hãy đặt BROADCASTER_HOME khác."
                )
        return
    engine = create_engine(url)
    try:
        tables = inspect(engine).get_table_names()
    finally:
        engine.dispose()
    if tables:
        raise StoreError(
            "Cơ sở dữ liệu PostgreSQL đang dùng đã có dữ liệu. Chỉ khôi phục vào cơ sở dữ liệu trống; "
            "hãy đổi store.database_url."
        )


def _bring_blobs(blobs_url: str, folder: Path, manifest: Manifest) -> None:
    blobs = Blobs(blobs_url, cache=folder / "blobs")  # a remote store takes them straight from the backup
    for name in manifest.files:
        if found := _BLOB.fullmatch(name):
            blobs.put(folder / name, suffix=found[3])


def _bring_sqlite(source: Path, target: Path, *, now: datetime) -> None:
    """Upgraded and with its new epoch before it gets its name: a half-restored station never starts."""
    part = target.with_name(f".{target.name}.part")
    leftovers = [part.with_name(part.name + end) for end in ("", "-wal", "-shm", "-journal")]
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    try:
        _bring(source, part, mode=0o644)
        upgrade(f"sqlite:///{part}")
        _raise_epoch(f"sqlite:///{part}", now=now)
        part.rename(target)
        sync_folder(target.parent)
    finally:
        for leftover in leftovers:
            leftover.unlink(missing_ok=True)


def _raise_epoch(url: str, *, now: datetime) -> None:
    """Higher than any epoch before: the minutes of the clock, so that restoring the same backup twice
    (each copy begins with the same number) gives two numbers."""
    minutes = int(now.timestamp()) // 60
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE station SET epoch = CASE WHEN epoch < :floor THEN :floor ELSE epoch + 1 END"),
                {"floor": minutes},
            )
    finally:
        engine.dispose()


# --------------------------------------------------------------------------------------------- tools


def _postgresql(url: str, tool: str, *arguments: str) -> None:
    """Run a tool of PostgreSQL; the password goes by the environment, where `ps` does not show it."""
    parsed = make_url(url)
    plain = URL.create(
        "postgresql", username=parsed.username, host=parsed.host, port=parsed.port,
        database=parsed.database, query=parsed.query,
    ).render_as_string()  # fmt: skip
    environment = {**os.environ, **({"PGPASSWORD": str(parsed.password)} if parsed.password else {})}
    try:
        done = subprocess.run(
            [tool, f"--dbname={plain}", *arguments],
            capture_output=True, text=True, errors="replace", timeout=3600, check=False, env=environment,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise StoreError(
            f"Không thấy lệnh {tool}. Hãy cài bộ công cụ của PostgreSQL trên máy này."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise StoreError(f"{tool} chạy quá một giờ nên đã dừng. Hãy kiểm tra máy chủ PostgreSQL.") from error
    if done.returncode != 0:
        raise StoreError(f"{tool} báo lỗi: {done.stderr.strip()[:300]}. Hãy kiểm tra máy chủ PostgreSQL.")


def _revision(url: str) -> str:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                raise StoreError("Chưa có cơ sở dữ liệu để sao lưu. Hãy chạy scripts/run.py trước.")
            return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")
    finally:
        engine.dispose()


def _sqlite_path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _bring(source: Path, target: Path, *, mode: int) -> None:
    """Copy to a temporary name, then rename: the target is whole or not there."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if mode == 0o600 else 0o777)
    half = target.with_name(target.name + ".dang-chep")
    try:
        _copy(source, half)
        half.chmod(mode)
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> str:
    """Copy the contents, on the disk when it returns; returns the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as reader, target.open("wb") as writer:
        while block := reader.read(1 << 20):
            digest.update(block)
            writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
