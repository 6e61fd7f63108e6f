"""Alembic's entry: runs revisions on the connection that `store.upgrade` holds open."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy.types import TypeDecorator, TypeEngine

from broadcaster.store.tables import Base


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write plain SQLAlchemy types into revisions: a revision must not change when our types do."""
    if kind == "type" and isinstance(item, TypeDecorator):
        plain: TypeEngine[Any] = item.impl_instance
        return f"sa.{plain!r}"
    return False


def include_object(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Only some tables, when `make_migration.py --only` says so."""
    table = name if kind == "table" else getattr(getattr(item, "table", None), "name", None)
    return only is None or table in only


only: set[str] | None = context.config.attributes.get("only")
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    # SQLite cannot alter a table in place: batch mode makes it anew.  New tables need no batch.
    render_as_batch=connection.dialect.name == "sqlite" and only is None,
    render_item=render_item,
    include_object=include_object,
)
with context.begin_transaction():
    context.run_migrations()
