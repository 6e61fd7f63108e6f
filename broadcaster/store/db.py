"""The database's door: one engine, two kinds of session, one station filter.

`reading()` opens a DEFERRED transaction and never writes; `writing()` opens an IMMEDIATE one, so that
read-then-write never loses an update on SQLite, and commits when its block ends without an error.
Functions of the rooms take a `session` and never commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from broadcaster.errors import StoreError
from broadcaster.store.tables import StationScoped


class Database:
    """One engine.  Close it with `dispose()`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            file = url.removeprefix("sqlite:///")
            if file and file != ":memory:":
                Path(file).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(url, connect_args={"timeout": 30.0})
            _tune_sqlite(self.engine)
        else:
            self.engine = create_engine(url, pool_pre_ping=True)

    @contextmanager
    def reading(self, *, station_id: int | None = None) -> Iterator[Session]:
        """A session for questions.  Its rows stay readable after the block; nothing is ever written.

        Closing ends the transaction; a `rollback()` here would expire every row it gave away.
        """
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            _scope(session, station_id)
            with _translated():
                yield session

    @contextmanager
    def writing(self, *, station_id: int | None = None) -> Iterator[Session]:
        """A session for changes; commits when the block ends well, rolls back otherwise."""
        with Session(self.engine, expire_on_commit=False) as session:
            _scope(session, station_id)
            with _translated():
                if self.is_sqlite:
                    session.connection(execution_options={"broadcaster_immediate": True})
                yield session
                session.commit()

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, so that IMMEDIATE is possible
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
                connection.execute(f"PRAGMA {pragma}")
        except Exception:
            connection.close()  # the pool forgets a connection that never became one
            raise

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        immediate = connection.get_execution_options().get("broadcaster_immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN DEFERRED")


def _scope(session: Session, station_id: int | None) -> None:
    session.info["station_id"] = station_id


@event.listens_for(Session, "do_orm_execute")
def _only_this_station(state: ORMExecuteState) -> None:
    """Apply the one filter: rows of other stations do not exist for a scoped session."""
    station_id = state.session.info.get("station_id")
    if station_id is None or state.is_column_load or state.is_relationship_load:
        return
    state.statement = state.statement.options(
        with_loader_criteria(StationScoped, lambda cls: cls.station_id == station_id, include_aliases=True)
    )


@contextmanager
def _translated() -> Iterator[None]:
    """Turn operational trouble into a sentence; our own bugs stay loud."""
    try:
        yield
    except OperationalError as error:
        text = str(error.orig)
        if "disk is full" in text or "No space left" in text:
            raise StoreError(
                "Ổ đĩa đã đầy nên chưa lưu được. Hãy xóa bớt tệp rồi thử lại; nội dung đã gõ vẫn còn."
            ) from error
        if "locked" in text:
            raise StoreError("Cơ sở dữ liệu đang bận, chưa lưu được. Hãy thử lại sau vài giây.") from error
        raise StoreError(f"Cơ sở dữ liệu không trả lời: {text}. Hãy báo người phụ trách kỹ thuật.") from error
    except DBAPIError as error:
        if type(error) is DatabaseError:  # damaged file; its subclasses are other things
            raise StoreError(
                f"Tệp cơ sở dữ liệu bị hỏng: {error.orig}. Hãy khôi phục từ bản sao lưu gần nhất."
            ) from error
        if error.connection_invalidated:
            raise StoreError("Mất kết nối tới cơ sở dữ liệu. Hãy thử lại sau vài giây.") from error
        raise
