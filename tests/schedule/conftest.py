"""A database of each kind for the schedule's tests."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from broadcaster.store.db import Database
from broadcaster.store.tables import Base


@pytest.fixture(scope="session")
def _postgresql() -> Iterator[str | None]:
    server = "postgresql+psycopg://postgres@127.0.0.1:5432"
    name = f"schedule_{uuid.uuid4().hex[:12]}"
    admin = create_engine(
        f"{server}/postgres", isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3}
    )
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError:
        admin.dispose()
        yield None
        return
    yield f"{server}/{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with every table: SQLite in a file, PostgreSQL where it answers."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'đài.db'}"
    else:
        url = request.getfixturevalue("_postgresql")
        if url is None:
            if os.environ.get("CI") == "true":
                pytest.fail("PostgreSQL không trả lời ở 127.0.0.1:5432")
            pytest.skip("PostgreSQL không trả lời ở 127.0.0.1:5432")
    database = Database(url)
    Base.metadata.create_all(database.engine)
    yield database
    Base.metadata.drop_all(database.engine)
    database.dispose()
