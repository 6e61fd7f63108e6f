"""Upgraded databases by the dozen: one is upgraded for real, the others are copies of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from broadcaster.store.db import Database
from broadcaster.store.upgrade import upgrade
from tests.support.databases import POSTGRESQL, empty_url


class Originals:
    """An upgraded, empty database of each kind that was asked for; close it at the end of the session."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._urls, self._count = folder, dict[str, str](), 0
        self._stack = ExitStack()

    def close(self) -> None:
        """Drop what was made."""
        self._stack.close()

    @contextmanager
    def copy(self, kind: str, folder: Path) -> Iterator[Database]:
        """A fresh database of that kind, for one test."""
        if kind not in self._urls:
            self._urls[kind] = self._stack.enter_context(empty_url(kind, self._folder))
            upgrade(self._urls[kind])
        original = self._urls[kind]
        if kind == "sqlite":
            target = folder / "đài.db"
            shutil.copyfile(original.removeprefix("sqlite:///"), target)
            yield from _opened(f"sqlite:///{target}")
            return
        self._count += 1
        name = f"{original.rsplit('/', 1)[1]}_{self._count}"
        admin = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
        try:
            with admin.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {original.rsplit('/', 1)[1]}"))
            try:
                yield from _opened(f"{POSTGRESQL.rsplit('/', 1)[0]}/{name}")
            finally:
                with admin.connect() as connection:
                    connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        finally:
            admin.dispose()


def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()
