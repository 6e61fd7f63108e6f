"""Rows outlive the session that read them; a question never writes."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from broadcaster.store.db import Database
from broadcaster.store.tables import Base, Station


def test_rows_stay_readable_after_a_reading_block_and_changes_to_them_are_not_kept(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'một.db'}")
    Base.metadata.create_all(db.engine)
    with db.writing() as session:
        session.add(Station(slug="a", name="Đài A", call_sign="A", created_at=datetime.now(UTC)))
    with db.reading() as session:
        station = session.scalars(select(Station)).one()
        station.name = "đổi trong lúc đọc"
    with db.reading() as session:
        again = session.scalars(select(Station)).one()
    assert again.name == "Đài A"
    assert station.slug == "a"
    db.dispose()
