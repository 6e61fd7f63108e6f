from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from broadcaster.errors import StoreError
from broadcaster.model import (
    AiringOrigin,
    AiringState,
    AsRunEvent,
    BulletinState,
    LatePolicy,
    Priority,
    Role,
    StartMode,
)
from broadcaster.store.db import Database
from broadcaster.store.tables import (
    Airing,
    AsRun,
    Audit,
    Base,
    Bulletin,
    Decision,
    Receiver,
    Revision,
    Station,
    TakeRow,
    TemplateRevision,
    User,
)
from broadcaster.store.upgrade import alembic_config, check_version, upgrade

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def station_with_people(db: Database) -> tuple[int, int, int]:
    """Ids of a station, its author and its approver."""
    with db.writing() as session:
        station = Station(slug="a", name="Xã A", call_sign="Đài xã A", created_at=NOW)
        session.add(station)
        session.flush()
        people = [
            User(
                station_id=station.id, username=name, display_name=name, password_hash="-", role=role,
                created_at=NOW,
            )
            for name, role in (("soan", Role.AUTHOR), ("duyet", Role.APPROVER))
        ]  # fmt: skip
        session.add_all(people)
        session.flush()
        return station.id, people[0].id, people[1].id


def test_the_versions_end_in_exactly_the_tables_of_the_code(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    db = Database(empty_database_url)
    try:
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, Base.metadata) == []
    finally:
        db.dispose()


def test_upgrading_twice_changes_nothing(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    assert upgrade(empty_database_url) is None
    check_version(empty_database_url)


def test_processes_that_start_together_upgrade_once(empty_database_url: str) -> None:
    trouble: list[BaseException] = []

    def run() -> None:
        try:
            upgrade(empty_database_url)
        except BaseException as error:
            trouble.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []
    check_version(empty_database_url)


def test_a_database_of_a_newer_program_is_refused_and_left_alone(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    db = Database(empty_database_url)
    try:
        with db.writing() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        for ask in (upgrade, check_version):
            with pytest.raises(StoreError, match="phiên bản mới hơn"):
                ask(empty_database_url)
        with db.reading() as session:
            assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    finally:
        db.dispose()


def test_tables_without_a_version_are_refused(empty_database_url: str) -> None:
    db = Database(empty_database_url)
    try:
        Base.metadata.create_all(db.engine)
        with pytest.raises(StoreError, match="không ghi phiên bản"):
            upgrade(empty_database_url)
    finally:
        db.dispose()


def test_a_database_that_was_never_made_is_told_how_to_be_made(empty_database_url: str) -> None:
    with pytest.raises(StoreError, match="broadcaster init"):
        check_version(empty_database_url)


@pytest.mark.parametrize("ask", [upgrade, check_version])
def test_a_file_that_is_no_database_gets_a_sentence(tmp_path: Path, ask: object) -> None:
    (tmp_path / "hong.db").write_bytes(b"this is not a database, however long it goes on. " * 100)
    assert callable(ask)
    with pytest.raises(StoreError, match="Không mở được cơ sở dữ liệu"):
        ask(f"sqlite:///{tmp_path}/hong.db")


def _to(url: str, version: str) -> None:
    db = Database(url)
    try:
        with db.engine.connect() as connection, connection.begin():
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, version)
    finally:
        db.dispose()


def people_of_version_3(db: Database) -> None:
    """A station with two people as version 3 wrote them: today's tables have columns that it lacks."""
    with db.writing() as session:
        session.execute(
            text(
                "INSERT INTO station (id, slug, name, call_sign, zone, phone, policy, voice_chain, epoch, plan_version,"
                " created_at) VALUES (1, 'a', 'Xã A', 'Đài xã A', 'Asia/Ho_Chi_Minh', '', '{}', '[]', 1, 1, :now)"
            ),
            {"now": NOW},
        )
        for number, (name, role) in enumerate((("soan", "author"), ("duyet", "approver")), start=1):
            session.execute(
                text(
                    "INSERT INTO user_account (id, station_id, username, display_name, password_hash, role, active,"
                    " email, session_epoch, created_at) VALUES (:id, 1, :name, :name, '-', :role, :yes, '', 1, :now)"
                ),
                {"id": number, "name": name, "role": role, "yes": True, "now": NOW},
            )


def frame_of_version_3(db: Database) -> None:
    """An approved frame that names its cut, and sounds of which the newest in use was played."""
    with db.writing() as session:
        for number, (kind, used) in enumerate(
            (("opening", True), ("opening", True), ("opening", False), ("cut", True), ("alert", True)),
            start=1,
        ):
            session.execute(
                text(
                    "INSERT INTO jingle (id, station_id, kind, title, sha256, duration_ms, source, licence, in_use,"
                    " created_at) VALUES (:id, 1, :kind, '-', :sha256, 1, '-', '-', :used, :now)"
                ),
                {"id": number, "kind": kind, "sha256": str(number) * 64, "used": used, "now": NOW},
            )
        session.execute(
            text(
                "INSERT INTO template_revision (id, station_id, name, number, body, sha256, author_id,"
                " approved_by_id, approved_at, created_at) VALUES (1, 1, 'thuong', 1, :body, 'e', 1, 2, :now, :now)"
            ),
            {"body": json.dumps({"a": 1, "jingles": {"cut": "9" * 64}}), "now": NOW},
        )


def test_a_seeded_database_of_an_older_version_keeps_its_rows_and_is_copied_first(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/var 100% Như Thanh/broadcaster.db"
    (tmp_path / "var 100% Như Thanh").mkdir()
    _to(url, "0003")
    db = Database(url)
    people_of_version_3(db)
    db.dispose()

    copy = upgrade(url)

    assert copy is not None
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("SELECT version_num FROM alembic_version").fetchone() == ("0003",)
        assert old.execute("SELECT count(*) FROM user_account").fetchone() == (2,)
    check_version(url)
    db = Database(url)
    try:
        with db.reading() as session:
            assert session.scalar(text("SELECT count(*) FROM user_account")) == 2
    finally:
        db.dispose()


def test_a_seeded_database_upgrades_on_both_kinds(empty_database_url: str) -> None:
    _to(empty_database_url, "0003")
    db = Database(empty_database_url)
    try:
        people_of_version_3(db)
        frame_of_version_3(db)
        upgrade(empty_database_url)
        with db.reading() as session:
            assert session.scalar(text("SELECT count(*) FROM user_account")) == 2
            frame = session.scalars(select(TemplateRevision)).one()
            assert frame.jingles == {"opening": "2" * 64, "cut": "9" * 64}  # what sounded until today
            assert frame.body == {"a": 1, "jingles": {"cut": "9" * 64}}
    finally:
        db.dispose()


def test_an_upgrade_that_breaks_off_leaves_the_old_version_whole(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last version fails half-way: nothing of any version may be left."""
    from broadcaster.store import upgrade as module

    broken = tmp_path / "migrations"
    shutil.copytree(module._MIGRATIONS, broken)
    guards = broken / "versions" / "0004_guards.py"
    guards.write_text(
        guards.read_text(encoding="utf-8").replace(
            '("audit_no_update", "audit"', '("audit_no_update", "no_such_table"'
        ),
        encoding="utf-8",
    )
    monkeypatch.setattr(module, "_MIGRATIONS", broken)
    with pytest.raises(Exception, match="no_such_table"):
        upgrade(empty_database_url)
    monkeypatch.undo()
    db = Database(empty_database_url)
    try:
        with db.engine.connect() as connection:
            assert MigrationContext.configure(connection).get_current_revision() is None
    finally:
        db.dispose()
    upgrade(empty_database_url)
    check_version(empty_database_url)


# ------------------------------------------------------------------------------------------- guards


def _refused(db: Database, statement: str) -> None:
    with pytest.raises(IntegrityError), db.writing() as session:
        session.execute(text(statement))


def test_as_run_and_audit_only_grow(database: Database) -> None:
    station_id, _, _ = station_with_people(database)
    with database.writing() as session:
        receiver = Receiver(station_id=station_id, name="Loa", created_at=NOW)
        session.add(receiver)
        session.flush()
        session.add(
            AsRun(
                receiver_id=receiver.id, sequence=1, airing_id="x", event=AsRunEvent.STARTED, at=NOW,
                received_at=NOW,
            )
        )  # fmt: skip
        session.add(Audit(station_id=station_id, at=NOW, actor="soan", action="sửa"))
    for table in ("as_run", "audit"):
        _refused(database, f"UPDATE {table} SET id = id + 1")
        _refused(database, f"DELETE FROM {table}")
        if not database.is_sqlite:
            _refused(database, f"TRUNCATE {table} CASCADE")
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM as_run")) == 1
        assert session.scalar(text("SELECT count(*) FROM audit")) == 1


def test_a_revision_its_take_and_its_decision_never_change(database: Database) -> None:
    station_id, author, approver = station_with_people(database)
    with database.writing() as session:
        bulletin = Bulletin(
            station_id=station_id, title="Tin", author_id=author, state=BulletinState.APPROVED, created_at=NOW,
            updated_at=NOW,
        )  # fmt: skip
        take = TakeRow(
            station_id=station_id,
            sha256="c" * 64,
            voice="silent",
            speed=1.0,
            duration_ms=1000,
            created_at=NOW,
        )
        session.add_all([bulletin, take])
        session.flush()
        revision = Revision(
            bulletin_id=bulletin.id, number=1, title="Tin", text="Chữ", text_sha256="a" * 64, reading={"s": []},
            reading_sha256="b" * 64, submitted_by_id=author, submitted_at=NOW,
        )  # fmt: skip
        session.add(revision)
        session.flush()
        revision.take_id = take.id  # filled in once
        session.add(
            Decision(
                revision_id=revision.id, author_id=author, approver_id=approver, verdict="approved",
                text_sha256="a" * 64, reading_sha256="b" * 64, take_sha256="c" * 64, at=NOW,
            )
        )  # fmt: skip
    for statement in (
        "UPDATE revision SET text = 'khác'",
        "UPDATE revision SET reading = '{}'",
        "UPDATE revision SET title = 'khác'",
        "UPDATE revision SET take_id = NULL",
        "UPDATE revision SET writers = '[9]'",
        "DELETE FROM revision",
        "UPDATE take SET sha256 = 'd'",
        "UPDATE decision SET verdict = 'returned'",
        "DELETE FROM decision",
    ):
        _refused(database, statement)


def test_the_author_cannot_be_the_approver_even_by_hand(database: Database) -> None:
    station_id, author, _ = station_with_people(database)
    with database.writing() as session:
        bulletin = Bulletin(
            station_id=station_id, title="Tin", author_id=author, created_at=NOW, updated_at=NOW
        )
        session.add(bulletin)
        session.flush()
        revision = Revision(
            bulletin_id=bulletin.id, number=1, title="Tin", text="Chữ", text_sha256="a", reading={},
            reading_sha256="b", submitted_by_id=author, submitted_at=NOW,
        )  # fmt: skip
        session.add(revision)
    own = Decision(
        revision_id=revision.id, author_id=author, approver_id=author, verdict="approved",
        text_sha256="a", reading_sha256="b", take_sha256="c", at=NOW,
    )  # fmt: skip
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(own)


def test_a_template_is_approved_once_and_its_words_stay(database: Database) -> None:
    station_id, author, approver = station_with_people(database)
    with database.writing() as session:
        row = TemplateRevision(
            station_id=station_id, name="thuong", number=1, body={"a": 1}, sha256="e" * 64, author_id=author,
            created_at=NOW,
        )  # fmt: skip
        session.add(row)
        session.flush()
        row.approved_by_id, row.approved_at = approver, NOW
    _refused(database, "UPDATE template_revision SET body = '{}'")
    _refused(database, """UPDATE template_revision SET jingles = '{"opening": "x"}'""")
    _refused(database, "UPDATE template_revision SET approved_by_id = NULL")


def _airing(station_id: int, state: AiringState) -> Airing:
    return Airing(
        id=state.value, station_id=station_id, origin=AiringOrigin.SLOT, name="Sáng", state=state,
        local_date=date(2026, 3, 3), start_local=time(5, 30), planned_at=NOW, max_minutes=15,
        start_mode=StartMode.AT_ONCE, wait_s=0, late_policy=LatePolicy.SKIP, grace_s=300,
        priority=Priority.ROUTINE, volume_percent=100, template_name="thuong",
    )  # fmt: skip


def test_a_started_airing_is_frozen_and_a_planned_one_is_not(database: Database) -> None:
    station_id, _, _ = station_with_people(database)
    with database.writing() as session:
        session.add_all(_airing(station_id, state) for state in AiringState)
    for statement in (
        "UPDATE airing SET state = 'planned' WHERE id = 'started'",
        "UPDATE airing SET start_local = '06:00:00.000000' WHERE id = 'started'",
        "DELETE FROM airing WHERE id = 'started'",
    ):
        _refused(database, statement)
    with database.writing() as session:
        session.execute(text("UPDATE airing SET reason = 'ghi chú' WHERE id = 'started'"))
        session.execute(text("UPDATE airing SET state = 'started' WHERE id = 'closed'"))
        session.execute(text("UPDATE airing SET state = 'planned' WHERE id IN ('skipped', 'cancelled')"))
        session.execute(text("DELETE FROM airing WHERE id = 'planned'"))
