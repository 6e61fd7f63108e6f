"""What a player writes down: at most one start an airing, numbered on for the station, on the disk at once."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadcaster.errors import PlayerError
from broadcaster.model import AsRunEvent, Priority
from broadcaster.playout.journal import Ledger

T = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "sổ.db")
    yield opened
    opened.close()


def begin(ledger: Ledger, name: str = "a", priority: Priority = Priority.ROUTINE) -> bool:
    return ledger.start(name, at=T, sha256="a" * 64, priority=priority)


def test_a_routine_airing_starts_once_whatever_became_of_it(ledger: Ledger) -> None:
    assert begin(ledger)
    assert not begin(ledger)
    assert ledger.close_airing("a", AsRunEvent.INTERRUPTED, at=T)
    assert not begin(ledger)
    assert not ledger.close_airing("a", AsRunEvent.FINISHED, at=T)
    assert not ledger.close_airing("a", AsRunEvent.MISSED, at=T)
    assert [event.event for event in ledger.to_upload()] == [AsRunEvent.STARTED, AsRunEvent.INTERRUPTED]


def test_an_emergency_starts_again_only_after_it_was_interrupted(ledger: Ledger) -> None:
    assert begin(ledger, priority=Priority.EMERGENCY)
    assert not begin(ledger, priority=Priority.EMERGENCY)
    ledger.close_airing("a", AsRunEvent.INTERRUPTED, at=T)
    assert begin(ledger, priority=Priority.EMERGENCY)
    ledger.close_airing("a", AsRunEvent.FINISHED, at=T)
    assert not begin(ledger, priority=Priority.EMERGENCY)
    assert ledger.records(["a"])["a"].attempts == 2


def test_only_what_was_cut_is_resumed(ledger: Ledger) -> None:
    begin(ledger)
    assert not ledger.resume("a", at=T, offset_ms=0)
    ledger.close_airing("a", AsRunEvent.PREEMPTED, at=T, offset_ms=700)
    assert ledger.resume("a", at=T, offset_ms=700)
    assert not ledger.resume("a", at=T, offset_ms=700)


def test_a_new_ledger_numbers_on_after_what_the_station_has_and_tells_a_restored_station_again(
    ledger: Ledger,
) -> None:
    ledger.agree(41)
    begin(ledger)
    ledger.close_airing("a", AsRunEvent.FINISHED, at=T)
    assert [event.sequence for event in ledger.to_upload()] == [42, 43]
    ledger.confirm(43)
    assert ledger.to_upload() == []
    ledger.agree(41)
    assert [event.sequence for event in ledger.to_upload()] == [42, 43]


def test_a_ledger_keeps_its_birth_and_the_earliest_instant_that_can_be(tmp_path: Path) -> None:
    first = Ledger(tmp_path / "l.db")
    assert (first.born_at(), first.floor(), first.last_alive()) == (None, None, None)
    first.born(T)
    first.alive(T - timedelta(hours=1))
    begin(first)
    first.close()
    second = Ledger(tmp_path / "l.db")
    assert (second.born_at(), second.floor(), second.last_alive()) == (T, T, T - timedelta(hours=1))
    second.alive(T - timedelta(minutes=1))  # believed, so the clock that wrote T had run ahead
    assert second.floor() == T - timedelta(minutes=1)
    second.close()


def test_only_what_is_asked_for_and_what_sounds_is_read(ledger: Ledger) -> None:
    for name in ("a", "b", "c"):
        begin(ledger, name)
    for name in ("a", "b"):
        ledger.close_airing(name, AsRunEvent.FINISHED, at=T)
    assert set(ledger.records(["b", "không có"])) == {"b", "c"}


@pytest.mark.parametrize("how", ["no database", "a lost page"])
def test_a_damaged_ledger_is_put_aside_and_a_new_one_begins(tmp_path: Path, how: str) -> None:
    path = tmp_path / "l.db"
    old = Ledger(path)
    for number in range(300):
        begin(old, f"buổi {number}")
    old.close()
    whole = path.read_bytes()
    path.write_bytes(
        b"not a database" * 100 if how == "no database" else whole[:8192] + b"x" * 4096 + whole[12288:]
    )
    ledger = Ledger(path)
    assert "bản hỏng giữ ở l-hong.db" in ledger.damaged
    begin(ledger)
    ledger.close()
    assert (tmp_path / "l-hong.db").exists()
    again = Ledger(path)
    assert again.damaged == ""
    assert set(again.records(["a"])) == {"a"}
    again.close()


def test_a_page_that_is_lost_while_it_runs_is_known_for_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    ledger = Ledger(path)
    for number in range(300):
        begin(ledger, f"buổi {number}")
    ledger.close()
    ledger = Ledger(path)
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"x" * (path.stat().st_size - 8192))
    ledger._db.execute("PRAGMA shrink_memory")
    with pytest.raises(PlayerError, match="sổ của máy phát"):
        ledger.records([f"buổi {number}" for number in range(300)])
    assert ledger.broken
    ledger.close()
    again = Ledger(path)
    assert "đã mở sổ mới" in again.damaged
    again.close()


def test_a_ledger_that_cannot_be_opened_is_a_sentence_and_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "l.db").mkdir()
    with pytest.raises(PlayerError, match="Không mở được sổ"):
        Ledger(tmp_path / "l.db")


def test_what_was_written_before_the_station_could_be_asked_is_numbered_after_the_lost_ledger(
    ledger: Ledger,
) -> None:
    begin(ledger)
    ledger.close_airing("a", AsRunEvent.FINISHED, at=T)
    ledger.agree(7)
    begin(ledger, "b")
    assert [(event.sequence, event.airing_id) for event in ledger.to_upload()] == [
        (8, "a"),
        (9, "a"),
        (10, "b"),
    ]
    ledger.confirm(10)
    ledger.agree(10)
    assert ledger.to_upload() == []


def test_every_commit_reaches_the_disk(ledger: Ledger) -> None:
    assert ledger._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert ledger._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert isinstance(ledger._db, sqlite3.Connection)
