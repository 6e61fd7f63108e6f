"""The station filter, the two kinds of session, and a database that cannot be opened."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from broadcaster.errors import StoreError
from broadcaster.model import Role
from broadcaster.store.db import Database
from broadcaster.store.tables import Base, Bulletin, Revision, Station, StationScoped, Topic, User, Village
from broadcaster.store.upgrade import upgrade
from tests.support.databases import upgraded

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def two(database: Database) -> tuple[Database, int, int]:
    """Two stations that have the same things, under the same names where that is possible."""
    ids = []
    with database.writing() as session:
        for slug in ("a", "b"):
            station = Station(slug=slug, name=f"Xã {slug}", call_sign=slug, created_at=NOW)
            session.add(station)
            session.flush()
            user = User(
                station_id=station.id, username=slug, display_name=slug, password_hash="-", role=Role.AUTHOR,
                created_at=NOW,
            )  # fmt: skip
            topic = Topic(station_id=station.id, slug="chung", title="Chung")
            session.add_all([user, topic, Village(station_id=station.id, slug="thon-1", name="Thôn 1")])
            session.flush()
            bulletin = Bulletin(
                station_id=station.id, title=slug, author_id=user.id, topic_id=topic.id, created_at=NOW,
                updated_at=NOW,
            )  # fmt: skip
            session.add(bulletin)
            session.flush()
            session.add(
                Revision(
                    bulletin_id=bulletin.id, number=1, title=slug, text=slug, text_sha256="t", reading={},
                    reading_sha256="r", submitted_by_id=user.id, submitted_at=NOW,
                )
            )  # fmt: skip
            ids.append(station.id)
    return database, ids[0], ids[1]


def test_every_table_with_a_station_is_under_the_filter() -> None:
    scoped = {
        mapper.class_.__tablename__
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, StationScoped)
    }
    holding = {name for name, table in Base.metadata.tables.items() if "station_id" in table.columns}
    assert holding == scoped
    assert {"bulletin", "airing", "user_account", "village", "receiver", "audit", "programme"} <= scoped


def test_whichever_way_one_asks_the_other_station_is_not_there(two: tuple[Database, int, int]) -> None:
    db, ours, theirs = two
    with db.reading() as session:
        foreign = {model: session.scalars(select(model).where(model.station_id == theirs)).one().id
                   for model in (User, Topic, Village, Bulletin)}  # fmt: skip
    for opened in (db.reading, db.writing):
        with opened(station_id=ours) as session:
            for model, identity in foreign.items():
                assert session.get(model, identity) is None
                assert session.scalar(select(model).where(model.id == identity)) is None
                assert [row.station_id for row in session.scalars(select(model))] == [ours]
                assert session.scalar(select(func.count()).select_from(model)) == 1
                assert session.scalars(select(model.id)).all() != [identity]
                other = aliased(model)
                assert session.scalars(select(other).where(other.id == identity)).all() == []
            # from the side: a join or a subquery that passes through a root row
            assert session.scalars(select(Revision.text).join(Bulletin)).all() == ["a"]
            assert session.scalars(
                select(Revision.text).where(Revision.bulletin_id.in_(select(Bulletin.id)))
            ).all() == ["a"]
            assert session.scalars(select(Bulletin.title).join(Topic).where(Topic.slug == "chung")).all() == [
                "a"
            ]


def test_a_change_in_bulk_does_not_reach_the_other_station(two: tuple[Database, int, int]) -> None:
    from sqlalchemy import delete, update

    db, ours, _ = two
    with db.writing(station_id=ours) as session:
        session.execute(update(Village).values(name="Đổi tên"))
        session.execute(delete(Topic).where(Topic.slug == "khong-co"))
    with db.reading() as session:
        assert session.scalars(select(Village.name).order_by(Village.station_id)).all() == [
            "Đổi tên",
            "Thôn 1",
        ]


def test_the_filter_ends_with_its_session(two: tuple[Database, int, int]) -> None:
    db, ours, theirs = two
    with db.reading(station_id=ours) as session:
        assert len(session.scalars(select(Village)).all()) == 1
    with db.reading() as session:
        assert {row.station_id for row in session.scalars(select(Village))} == {ours, theirs}


def test_what_is_read_is_never_written(two: tuple[Database, int, int]) -> None:
    db, ours, _ = two
    with db.reading() as session:
        session.get_one(Station, ours).name = "Khác"
        session.flush()
    with db.reading() as session:
        assert session.get_one(Station, ours).name == "Xã a"


def test_a_writing_session_that_breaks_off_writes_nothing(two: tuple[Database, int, int]) -> None:
    db, ours, _ = two

    def broken() -> None:
        with db.writing() as session:
            session.get_one(Station, ours).name = "Khác"
            session.flush()
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        broken()
    with db.reading() as session:
        assert session.get_one(Station, ours).name == "Xã a"


def test_sessions_that_read_then_write_lose_no_update(two: tuple[Database, int, int]) -> None:
    db, ours, _ = two

    def raise_it() -> None:
        for _ in range(5):
            with db.writing() as session:
                station = session.scalars(select(Station).where(Station.id == ours).with_for_update()).one()
                station.plan_version += 1

    threads = [threading.Thread(target=raise_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.reading() as session:
        assert session.get_one(Station, ours).plan_version == 21


def test_instants_come_back_in_utc_and_aware(two: tuple[Database, int, int]) -> None:
    db, ours, _ = two
    with db.reading() as session:
        assert session.get_one(Station, ours).created_at == NOW
        assert session.get_one(Station, ours).created_at.tzinfo is UTC


def test_foreign_keys_are_kept(two: tuple[Database, int, int]) -> None:
    db, ours, _ = two
    with pytest.raises(IntegrityError), db.writing() as session:
        session.add(Village(station_id=ours + 1_000, slug="x", name="X"))


def test_trouble_with_the_database_is_a_sentence(two: tuple[Database, int, int], tmp_path: Path) -> None:
    db, _, _ = two
    if db.is_sqlite:
        assert inspect(db.engine).has_table("station")
        with pytest.raises(StoreError, match="không trả lời"), db.reading() as session:
            session.execute(text("SELECT * FROM no_such_table"))
        away = Database(f"sqlite:///{tmp_path}/hong.db")
        (tmp_path / "hong.db").write_bytes(b"no database at all " * 100)
        says = "bị hỏng"
    else:
        away = Database("postgresql+psycopg://postgres@127.0.0.1:1/none?connect_timeout=2")
        says = "không trả lời"
    try:
        with pytest.raises(StoreError, match=says), away.reading() as session:
            session.execute(text("SELECT 1"))
    finally:
        away.dispose()


def test_a_full_disk_is_a_sentence_and_loses_nothing(tmp_path: Path) -> None:
    """SQLite's own limit on pages stands for the disk: it answers with the same error."""
    with upgraded("sqlite", tmp_path) as db:
        with db.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        from sqlalchemy import event

        @event.listens_for(db.engine, "connect")
        def _limit(connection: object, _record: object) -> None:
            connection.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[attr-defined]

        db.engine.dispose()
        with pytest.raises(StoreError, match="đã đầy"), db.writing() as session:
            session.add(
                Station(slug="x", name="X", call_sign="x" * 300, policy={"x": "y" * 100_000}, created_at=NOW)
            )
        with db.reading() as session:
            assert session.scalars(select(Station)).all() == []


def test_a_database_for_tests_is_handed_on_empty_counting_from_one_and_only_when_its_shape_is_whole(
    tmp_path: Path,
) -> None:
    for change in ("", "DROP TABLE jingle CASCADE", "ALTER TABLE jingle DISABLE TRIGGER ALL"):
        for _round in range(2):
            with upgraded("postgresql", tmp_path) as db:
                with db.writing() as session:
                    session.add(
                        Station(
                            slug="nha",
                            name="Xã",
                            call_sign="Đài.",
                            created_at=datetime(2026, 1, 1, tzinfo=UTC),
                        )
                    )
                    session.flush()
                    assert [one.id for one in session.scalars(select(Station))] == [1]
                    session.execute(text("SELECT count(*) FROM jingle"))
                if change and _round == 0:
                    with db.engine.begin() as connection:
                        connection.execute(text(change))


def test_on_a_full_disk_the_sentence_names_the_disk_whatever_sqlite_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'đài.db'}"
    upgrade(url)
    (tmp_path / "đài.db").write_bytes(
        b"not a database at all" * 100
    )  # it cannot be opened, for whatever reason
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=0))
    with pytest.raises(StoreError, match="đã đầy"):
        upgrade(url)
    monkeypatch.undo()
    with pytest.raises(StoreError, match="Không mở được cơ sở dữ liệu"):
        upgrade(url)
