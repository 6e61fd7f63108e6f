"""Backup and restore: an online copy of the database, audio by hash, keys and settings, with a manifest.

A backup is a folder: `manifest.json` (format, schema, SHA-256 of every file), `database.sqlite` or
`database.dump` (pg_dump), `keys/`, `blobs/`, `broadcaster.toml`.  Restoring checks everything first and
writes only into a home without a database; it raises the station's epoch so that players accept it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from broadcaster.config import Settings
from broadcaster.errors import StoreError
from broadcaster.store.tables import Station

FORMAT = 1


def backup(settings: Settings, target: Path, *, now: datetime) -> Path:
    """Write a backup of everything into a new folder under `target`; returns the folder."""
    folder = target / f"sao-luu-{now:%Y%m%d-%H%M%S}"
    part = folder.with_name(folder.name + ".dang-ghi")
    if folder.exists():
        raise StoreError(f"Đã có bản sao lưu {folder}. Hãy chờ một giây rồi chạy lại.")
    try:
        part.mkdir(parents=True)
        database = _copy_database(settings.database_url, part)
        _copy_tree(settings.keys, part / "keys")
        _copy_tree(Path(settings.blobs_url), part / "blobs")
        if (settings.home / "broadcaster.toml").exists():
            shutil.copy2(settings.home / "broadcaster.toml", part / "broadcaster.toml")
        files = {
            str(p.relative_to(part).as_posix()): _sha256(p) for p in sorted(part.rglob("*")) if p.is_file()
        }
        manifest = {"format": FORMAT, "made_at": now.isoformat(), "database": database, "files": files}
        (part / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        part.rename(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise StoreError(
            f"Chưa sao lưu được vào {target}: {error.strerror or error}. Hãy kiểm tra ổ đĩa."
        ) from error
    return folder


def check(folder: Path) -> dict[str, Any]:
    """Read a backup's manifest and compare every file with it; StoreError on the first difference."""
    manifest_path = folder / "manifest.json"
    if not manifest_path.is_file():
        raise StoreError(f"{folder} không phải bản sao lưu: thiếu manifest.json. Hãy chọn đúng thư mục.")
    try:
        manifest: dict[str, Any] = json.loads(manifest_path.read_text(encoding="utf-8"))
        files: dict[str, str] = manifest["files"]
        version = int(manifest["format"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"manifest.json trong {folder} bị hỏng. Hãy dùng bản sao lưu khác.") from error
    if version > FORMAT:
        raise StoreError("Bản sao lưu do phiên bản phần mềm mới hơn tạo ra. Hãy nâng cấp phần mềm trước.")
    for name, expected in files.items():
        path = folder / name
        if ".." in Path(name).parts or not path.is_file() or _sha256(path) != expected:
            raise StoreError(
                f"Bản sao lưu hỏng hoặc thiếu tệp {name}. Chưa ghi gì; hãy dùng bản sao lưu khác."
            )
    return manifest


def restore(settings: Settings, folder: Path) -> None:
    """Bring a backup back into an empty home; nothing is written when the backup is not whole."""
    manifest = check(folder)
    if settings.database_url.startswith("sqlite"):
        target = Path(settings.database_url.removeprefix("sqlite:///"))
        if target.exists():
            raise StoreError(
                f"Đã có dữ liệu ở {target}. Chỉ khôi phục vào thư mục trống; hãy đặt BROADCASTER_HOME khác."
            )
    if manifest["database"] == "database.sqlite" and not settings.database_url.startswith("sqlite"):
        raise StoreError(
            "Bản sao lưu là SQLite nhưng cài đặt đang dùng PostgreSQL. Hãy đổi store.database_url."
        )
    _copy_tree(folder / "blobs", Path(settings.blobs_url))
    _copy_tree(folder / "keys", settings.keys)
    if (folder / "broadcaster.toml").exists() and not (settings.home / "broadcaster.toml").exists():
        shutil.copy2(folder / "broadcaster.toml", settings.home / "broadcaster.toml")
    if manifest["database"] == "database.sqlite":
        target = Path(settings.database_url.removeprefix("sqlite:///"))
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        shutil.copy2(folder / "database.sqlite", part)
        part.rename(target)
    else:
        _psql(
            settings.database_url,
            "pg_restore",
            "--no-owner",
            "--exit-on-error",
            str(folder / "database.dump"),
        )
    _raise_epoch(settings.database_url)


def prune(target: Path, *, keep: int) -> list[Path]:
    """Delete the oldest backups beyond `keep`; returns what was deleted."""
    found = sorted(p for p in target.glob("sao-luu-*") if p.is_dir() and not p.name.endswith(".dang-ghi"))
    old = found[:-keep] if keep else found
    for folder in old:
        shutil.rmtree(folder)
    return old


def _copy_database(url: str, folder: Path) -> str:
    if not url.startswith("sqlite"):
        _psql(url, "pg_dump", "--format=custom", f"--file={folder / 'database.dump'}")
        return "database.dump"
    source_path = Path(url.removeprefix("sqlite:///"))
    if not source_path.exists():
        raise StoreError("Chưa có cơ sở dữ liệu để sao lưu. Hãy chạy scripts/run.py trước.")
    source = sqlite3.connect(source_path)
    target = sqlite3.connect(folder / "database.sqlite")
    try:
        source.backup(target)  # online: a writer may go on meanwhile
        verdict = target.execute("PRAGMA quick_check").fetchone()[0]
    finally:
        source.close()
        target.close()
    if verdict != "ok":
        raise StoreError(f"Bản sao cơ sở dữ liệu không lành: {verdict}. Hãy báo người phụ trách kỹ thuật.")
    return "database.sqlite"


def _psql(url: str, tool: str, *arguments: str) -> None:
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    try:
        done = subprocess.run(
            [tool, f"--dbname={plain}", *arguments], capture_output=True, text=True, timeout=3600, check=False
        )
    except FileNotFoundError as error:
        raise StoreError(
            f"Không thấy lệnh {tool}. Hãy cài bộ công cụ của PostgreSQL trên máy này."
        ) from error
    if done.returncode != 0:
        raise StoreError(f"{tool} báo lỗi: {done.stderr.strip()[:300]}")


def _raise_epoch(url: str) -> None:
    engine = create_engine(url)
    try:
        with Session(engine) as session:
            if engine.dialect.name == "sqlite":
                session.execute(text("PRAGMA foreign_keys=ON"))
            for station in session.scalars(select(Station)):
                station.epoch += 1
            session.commit()
    finally:
        engine.dispose()


def _copy_tree(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
