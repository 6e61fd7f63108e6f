"""Bring a database to the newest version: all of the way in one transaction, or not at all.

An existing SQLite file is copied first (`backups/` beside it): the way back from an upgrade is that
copy, never a downgrade script.  Two processes that start together wait for each other.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DatabaseError

from broadcaster.config import Settings
from broadcaster.errors import StoreError
from broadcaster.store.db import Database

_MIGRATIONS = Path(__file__).parent / "migrations"
_POSTGRESQL_LOCK = 0x62726F6164  # "broad": one upgrade at a time


_LEAST_FREE = 1_000_000  # bytes; below it a database that does not open has no room for its journal


def upgrade(settings_or_url: Settings | str) -> Path | None:
    """Upgrade to the newest version.  Returns the copy made of an existing SQLite file, if one was made.

    Raises StoreError when the database was written by a newer program, or cannot be opened.
    """
    url = settings_or_url if isinstance(settings_or_url, str) else settings_or_url.database_url
    script = ScriptDirectory.from_config(alembic_config())
    head = script.get_current_head()
    assert head is not None, "there is at least one revision"
    with _translated(url), _alone(url) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        _refuse_foreign(connection, current, script)
        if current == head:
            return None
        copy = _copy_sqlite(connection, name=f"truoc-{head}.db") if current else None
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        _check_foreign_keys(connection)
        return copy


def check_version(url: str) -> None:
    """Raise StoreError unless the database is exactly of this program's version."""
    script = ScriptDirectory.from_config(alembic_config())
    db = Database(url)
    try:
        with _translated(url), db.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            _refuse_foreign(connection, current, script)
    finally:
        db.dispose()
    if current != script.get_current_head():
        raise StoreError(
            "Cơ sở dữ liệu chưa có hoặc thuộc phiên bản cũ. Hãy chạy: python -m broadcaster init"
        )


def is_known_revision(revision: str) -> bool:
    """True when this program can bring a database of that revision to its own."""
    script = ScriptDirectory.from_config(alembic_config())
    return revision in {known.revision for known in script.walk_revisions()}


def head_revision() -> str:
    """The newest version of the tables that this program knows."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert head is not None, "there is a first migration"
    return head


def alembic_config() -> Config:
    """Alembic without an .ini file: only where the revisions are."""
    config = Config()
    # ConfigParser reads "%" as interpolation: a folder may be called "100%".
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError, OSError) as error:
        said = str(getattr(error, "orig", error))
        folder = Path(url.removeprefix("sqlite:///")).parent
        # on a full disk SQLite may say no more than "disk I/O error": it cannot even open its journal
        if url.startswith("sqlite") and folder.is_dir() and shutil.disk_usage(folder).free < _LEAST_FREE:
            raise StoreError(
                f"Ổ đĩa chứa {folder} đã đầy nên không mở được cơ sở dữ liệu. "
                "Dữ liệu cũ vẫn nguyên; hãy xóa bớt tệp rồi chạy lại."
            ) from error
        raise StoreError(
            f"Không mở được cơ sở dữ liệu hoặc không nâng cấp được: {said}. "
            "Dữ liệu cũ vẫn nguyên; hãy kiểm tra rồi chạy lại."
        ) from error


@contextmanager
def _alone(url: str) -> Iterator[Connection]:
    """One connection in one writing transaction that no other upgrade can enter."""
    db = Database(url)
    try:
        with db.engine.connect().execution_options(broadcaster_immediate=True) as connection:
            if db.is_sqlite:
                # Batch mode rebuilds tables; with foreign keys on, dropping the old one would delete rows.
                # The pragma does nothing inside a transaction, so it is said to the driver itself.
                _driver(connection).execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                if not db.is_sqlite:
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRESQL_LOCK})")
                yield connection
    finally:
        db.dispose()


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _refuse_foreign(connection: Connection, current: str | None, script: ScriptDirectory) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"Cơ sở dữ liệu thuộc phiên bản mới hơn chương trình này ({current}). "
            "Hãy cài đúng phiên bản mới, hoặc khôi phục bản sao lưu cũ; chưa có gì bị thay đổi."
        )
    if current is None and set(inspect(connection).get_table_names()) & {"station", "bulletin", "airing"}:
        raise StoreError(
            "Cơ sở dữ liệu có bảng nhưng không ghi phiên bản nên không nâng cấp được. "
            "Hãy chọn cơ sở dữ liệu khác hoặc khôi phục từ bản sao lưu."
        )


def _copy_sqlite(connection: Connection, *, name: str) -> Path | None:
    """Copy the file as it is now.  We hold the write lock, so nobody changes it meanwhile."""
    if connection.dialect.name != "sqlite":
        return None
    database = connection.engine.url.database
    if not database or database == ":memory:":
        return None
    folder = Path(database).parent / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    part, target = folder / f".{name}.part", folder / name
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
    return target


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise StoreError(
                f"Nâng cấp cơ sở dữ liệu không thành: {len(broken)} dòng mất liên kết. "
                "Dữ liệu cũ vẫn nguyên; hãy báo người phụ trách kỹ thuật."
            )
