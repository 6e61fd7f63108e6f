"""Databases for tests: an upgraded one of either kind, made for one test and dropped after it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from broadcaster.store.db import Database
from broadcaster.store.upgrade import upgrade

KINDS = ("sqlite", "postgresql")
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


@contextmanager
def empty_url(kind: str, folder: Path) -> Iterator[str]:
    """URL of a database with nothing in it.  No PostgreSQL here: skip on a laptop, fail where CI=true."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'broadcaster.db'}"
        return
    name = f"broadcaster_test_{secrets.token_hex(6)}"
    engine = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        try:
            with engine.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name}"))
        except OperationalError as error:
            if os.environ.get("CI") == "true":
                pytest.fail(f"PostgreSQL is part of this suite and does not answer: {error.orig}")
            pytest.skip("no PostgreSQL at " + POSTGRESQL)
        try:
            yield POSTGRESQL.rsplit("/", 1)[0] + "/" + name
        finally:
            with engine.connect() as connection:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        engine.dispose()


@contextmanager
def upgraded(kind: str, folder: Path) -> Iterator[Database]:
    """A database of the newest version."""
    with empty_url(kind, folder) as url:
        upgrade(url)
        db = Database(url)
        try:
            yield db
        finally:
            db.dispose()
