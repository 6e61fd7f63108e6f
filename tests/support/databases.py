"""Databases for tests, of either kind: empty ones, and upgraded ones that are copies of one upgraded for real."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from broadcaster.store.db import Database
from broadcaster.store.upgrade import upgrade

KINDS = ("sqlite", "postgresql")
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")

# All that a test could have changed beside rows: what differs from the original is not used again.
_SHAPE = """
SELECT md5(coalesce(string_agg(line, ',' ORDER BY line), '')) FROM (
  SELECT relname || relkind::text AS line FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT tgname || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT proname || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT attrelid::regclass::text || attname || atttypid::text || attnotnull::text FROM pg_attribute
    WHERE attnum > 0 AND NOT attisdropped AND attrelid::regclass::oid IN
      (SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace)
) AS lines
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


@contextmanager
def empty_url(kind: str, folder: Path) -> Iterator[str]:
    """URL of a database with nothing in it.  No PostgreSQL here: skip on a laptop, fail where CI=true."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'broadcaster.db'}"
        return
    name = f"broadcaster_test_{secrets.token_hex(6)}"
    _create(name)
    try:
        yield _url(name)
    finally:
        _drop(name)


@contextmanager
def upgraded(kind: str, folder: Path) -> Iterator[Database]:
    """A database of the newest version with no rows in it, for one test."""
    with ORIGINALS.copy_url(kind, folder) as url:
        db = Database(url)
        try:
            yield db
        finally:
            db.dispose()


class Originals:
    """One upgraded database of each kind that was asked for, and its copies."""

    def __init__(self) -> None:
        self._stack, self._urls = ExitStack(), dict[str, str]()
        self._free: list[str] = []  # copies on PostgreSQL that are empty again
        self._shape = ""

    def close(self) -> None:
        """Drop what was made."""
        self._stack.close()
        self._urls.clear()
        self._free.clear()

    def copy_sqlite(self, target: Path) -> None:
        """Lay a copy of the upgraded file there; its folder is made."""
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._original("sqlite").removeprefix("sqlite:///"), target)

    @contextmanager
    def copy_url(self, kind: str, folder: Path) -> Iterator[str]:
        """URL of an upgraded database without rows."""
        if kind == "sqlite":
            self.copy_sqlite(folder / "broadcaster.db")
            yield f"sqlite:///{folder / 'broadcaster.db'}"
            return
        original = self._original(kind).rsplit("/", 1)[1]
        name = self._free.pop() if self._free else self._another(original)
        try:
            yield _url(name)
        finally:
            if self._emptied(name):
                self._free.append(name)

    def _original(self, kind: str) -> str:
        if kind not in self._urls:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
            self._urls[kind] = self._stack.enter_context(empty_url(kind, folder))
            upgrade(self._urls[kind])
            if kind == "postgresql":
                with _connected(self._urls[kind]) as connection:
                    self._shape = connection.scalar(text(_SHAPE))
        return self._urls[kind]

    def _another(self, original: str) -> str:
        name = f"{original}_{secrets.token_hex(4)}"
        _create(name, template=original)
        self._stack.callback(_drop, name)
        return name

    def _emptied(self, name: str) -> bool:
        """Take all rows out; False when the test has changed more than rows.

        Creating a database copies some hundred files; emptying one takes a few milliseconds.
        """
        with _connected(_url(name)) as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
            if connection.scalar(text(_SHAPE)) != self._shape:
                return False
            tables = connection.scalars(text(_TABLES)).all()
            asked = " UNION ALL ".join(
                f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in tables
            )
            filled = connection.scalars(text(asked)).all()
            # As a replica no guard looks at what goes.
            wipe = "".join(f'DELETE FROM "{table}";' for table in filled)
            connection.execute(text(f"BEGIN; SET LOCAL session_replication_role = replica; {wipe} COMMIT"))
            # Vacuumed, the tables have no pages again: rows without an order come back in the order in which they
            # were written.  Truncated they would be new files, each of them waited for until it is on the disk.
            if filled:
                connection.execute(text("VACUUM " + ", ".join(f'"{table}"' for table in filled)))
            connection.execute(
                text(
                    "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"
                    " AND relnamespace = 'public'::regnamespace"
                )
            )
        return True


ORIGINALS = Originals()  # one a process; the session's end closes it (tests/conftest.py)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _url(name: str) -> str:
    return f"{POSTGRESQL.rsplit('/', 1)[0]}/{name}"


def _create(name: str, template: str = "template1") -> None:
    try:
        with _connected(POSTGRESQL) as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
            # a test needs no commit to survive the machine
            connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    except OperationalError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"PostgreSQL is part of this suite and does not answer: {error.orig}")
        pytest.skip("no PostgreSQL at " + POSTGRESQL)


def _drop(name: str) -> None:
    with _connected(POSTGRESQL) as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
