"""init, plan, users, serve, report, backup, restore, doctor: on a station made by the command itself."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from broadcaster.config import load
from broadcaster.install import install
from broadcaster.model import Role
from broadcaster.playout.pairing import read_pairing
from broadcaster.store.db import Database
from broadcaster.store.tables import Slot, Station, User
from tests.commands.conftest import Run
from tests.support.commune import WEEK, at, found, slot

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A station without the sample, installed once for all tests."""
    folder = tmp_path_factory.mktemp("đài")
    install(load(environ={}, home=folder), now=NOW, sample=False)
    return folder


@pytest.fixture
def station(home: Path, made: Path) -> Iterator[Database]:
    """The database of a copy of that station, in this test's own home."""
    shutil.copytree(made, home, dirs_exist_ok=True)
    db = Database(load(environ={}, home=home).database_url)
    yield db
    db.dispose()


# ---------------------------------------------------------------------------------------------- init


@pytest.mark.parametrize(
    "words",
    [
        ("plan",),
        ("users", "add", "canbo"),
        ("report", "--from", "2026-11-01", "--to", "2026-11-02", "-o", "a.xlsx"),
    ],
    ids=" ".join,
)
def test_without_a_station_the_next_step_is_named(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert ran.code == 1
    assert "python -m broadcaster init" in ran.err
    assert not Path("a.xlsx").exists()


@pytest.mark.parametrize("command", ["plan", "serve", "work", "clock", "doctor"])
def test_asking_before_there_is_a_station_makes_no_database(run: Run, home: Path, command: str) -> None:
    """An empty database would stand in the way of a restore."""
    ran = run(command)
    assert ran.code == 1
    assert not (home / "var" / "broadcaster.db").exists()


def test_init_again_keeps_everything_and_shows_no_password_twice(run: Run, station: Database) -> None:
    with station.writing() as session:
        session.scalars(select(Station)).one().name = "Xã đã đổi tên"
    ran = run("init", "--no-sample")
    assert ran.code == 0
    with station.reading() as session:
        assert [row.name for row in session.scalars(select(Station))] == ["Xã đã đổi tên"]
        assert session.scalars(select(User)).all() == []


def test_init_refuses_a_folder_that_holds_no_station(run: Run, home: Path, tmp_path: Path) -> None:
    (tmp_path / "rỗng").mkdir()
    ran = run("init", "--station", tmp_path / "rỗng")
    assert ran.code == 1
    assert "station.toml" in ran.err
    again = run("plan")
    assert again.code == 1
    assert "Chưa có đài" in again.err  # nothing half-made stays behind


# ---------------------------------------------------------------------------------------------- plan


@pytest.fixture
def airings(station: Database) -> Database:
    """One week's airings of the sample week, materialised, without bulletins."""
    from broadcaster.schedule.materialising import materialise
    from broadcaster.schedule.slots import local_day

    with station.writing() as session:
        row = session.scalars(select(Station)).one()
        assert session.scalars(select(Slot)).first() is not None
        materialise(session, row, today=local_day(row.zone, NOW), now=NOW, days=7)
    return station


def test_plan_json_has_the_shape_that_others_rely_on(run: Run, airings: Database) -> None:
    ran = run("plan", "--date", "2026-11-24", "--days", "2", "--json")
    assert ran.code == 0
    found_airings = json.loads(ran.out)
    assert [(row["date"], row["start"]) for row in found_airings] == [
        ("2026-11-24", "05:30"), ("2026-11-24", "17:00"), ("2026-11-25", "05:30"), ("2026-11-25", "17:00"),
    ]  # fmt: skip
    for row in found_airings:
        assert set(row) == {
            "airing", "variant", "origin", "state", "reason", "priority", "date", "start", "planned_at", "slot",
            "villages", "duration_ms", "items", "files",
        }  # fmt: skip
        assert len(row["villages"]) == 37
        assert datetime.fromisoformat(row["planned_at"]).utcoffset() is not None
    assert found_airings[0]["planned_at"] == "2026-11-23T22:30:00+00:00"


def test_plan_for_one_village_and_plan_for_all_agree(run: Run, airings: Database) -> None:
    every = json.loads(run("plan", "--date", "2026-11-24", "--json").out)
    one = json.loads(run("plan", "--date", "2026-11-24", "--json", "--village", every[0]["villages"][0]).out)
    assert [row["airing"] for row in one] == [row["airing"] for row in every]


def test_plan_in_words_names_the_time_and_the_slot(run: Run, airings: Database) -> None:
    ran = run("plan", "--date", "2026-11-24")
    assert ran.code == 0
    assert "24/11/2026 05:30" in ran.out
    assert "37 thôn" in ran.out


def test_an_unknown_village_is_refused_with_near_ones(run: Run, airings: Database) -> None:
    with airings.reading() as session:
        from broadcaster.store.tables import Village

        slug = session.scalars(select(Village.slug)).first()
    ran = run("plan", "--village", f"{slug}x")
    assert ran.code == 1
    assert f"Không có thôn “{slug}x”" in ran.err
    assert str(slug) in ran.err


def test_an_unknown_station_lists_those_there_are(run: Run, station: Database) -> None:
    ran = run("plan", "--station", "khong-co")
    assert ran.code == 1
    assert "Không có đài “khong-co”. Các đài: nhu-thanh" in ran.err


def test_two_stations_ask_which(run: Run, station: Database) -> None:
    with station.writing() as session:
        commune = found(session, slug="xa-khac")
        slot(session, commune, weekdays=WEEK, now=at("00:10"))
    ran = run("plan")
    assert ran.code == 1
    assert "--station" in ran.err
    assert "nhu-thanh, xa-khac" in ran.err
    assert run("plan", "--station", "xa-khac").code == 0


# --------------------------------------------------------------------------------------------- users


def test_an_account_is_added_reset_and_disabled(run: Run, station: Database) -> None:
    from broadcaster.newsroom.people import authenticate

    added = run("users", "add", "canbo", "--name", "Lê Thị B", "--role", "author")
    assert added.code == 0
    name, password = added.out.split()
    assert name == "canbo"
    assert len(password) >= 10
    reset = run("users", "reset", "canbo").out.split()[1]
    assert reset != password
    with station.writing() as session:
        assert authenticate(session, "canbo", password) is None
        user = authenticate(session, "canbo", reset)
        assert user is not None
        assert (user.display_name, user.role) == ("Lê Thị B", Role.AUTHOR)
    assert run("users", "disable", "canbo").code == 0
    with station.writing() as session:
        assert authenticate(session, "canbo", reset) is None


def test_a_taken_or_unknown_name_is_a_sentence(run: Run, station: Database) -> None:
    assert run("users", "add", "canbo").code == 0
    again = run("users", "add", "canbo")
    assert again.code == 1
    assert "đã có người dùng" in again.err
    for command in ("reset", "disable"):
        ran = run("users", command, "khong-co")
        assert (ran.code, ran.out) == (1, "")
        assert "Không có tài khoản “khong-co”" in ran.err


# ------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    "words", [("read",), ("plan",), ("voices", "list"), ("doctor",), ("serve",), ("play",)]
)
def test_an_unknown_setting_suggests_the_one_that_was_meant(
    run: Run, home: Path, words: tuple[str, ...]
) -> None:
    (home / "broadcaster.toml").write_text("[web]\nprot = 8000\n", encoding="utf-8")
    ran = run(*words, stdin="Kính thưa bà con.")
    assert (ran.code, ran.out) == (1, "")
    assert "Cài đặt “web.prot” trong broadcaster.toml không tồn tại. Có phải ý bạn là “web.port”?" in ran.err


def test_a_home_that_cannot_be_made_is_a_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tệp").write_text("không phải thư mục")
    monkeypatch.setenv("BROADCASTER_HOME", str(tmp_path / "tệp" / "nhà"))
    ran = run("init", "--no-sample")
    assert ran.code == 1
    assert str(tmp_path / "tệp") in ran.err


# --------------------------------------------------------------------------------------------- serve


def test_a_taken_port_is_refused_naming_the_option(run: Run, station: Database) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ran = run("serve", "--port", str(port))
    assert (ran.code, ran.out) == (1, "")
    assert f"Cổng {port} đang có chương trình khác dùng" in ran.err
    assert "--port" in ran.err


def test_run_py_refuses_a_taken_port_before_it_makes_anything(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from broadcaster.commands.run import main

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code = main(["--port", str(port)])
    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    assert f"Cổng {port} đang có chương trình khác dùng" in err
    assert "--port" in err
    assert list(home.iterdir()) == []


def test_an_address_that_is_not_this_machine_s_is_told_apart_from_a_taken_port(
    run: Run, station: Database
) -> None:
    ran = run("serve", "--host", "192.0.2.1")
    assert ran.code == 1
    assert "không có địa chỉ 192.0.2.1" in ran.err


# ------------------------------------------------------------------------------------------ database


@pytest.mark.parametrize(
    "words",
    [
        ("plan",), ("users", "add", "canbo"), ("init",), ("serve",), ("work",), ("clock",),
        ("report", "--from", "2026-11-01", "--to", "2026-11-02", "-o", "a.xlsx"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_database_from_a_newer_version_is_left_alone(
    run: Run, station: Database, home: Path, words: tuple[str, ...]
) -> None:
    station.dispose()
    path = home / "var" / "broadcaster.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    ran = run(*words)
    assert (ran.code, ran.out) == (1, "")
    assert "phiên bản mới hơn" in ran.err
    assert path.read_bytes() == before


def test_a_damaged_database_is_a_sentence(run: Run, home: Path) -> None:
    (home / "var").mkdir()
    (home / "var" / "broadcaster.db").write_bytes(b"SQLite format 3\0" + b"hong" * 2000)
    ran = run("plan")
    assert ran.code == 1
    assert "cơ sở dữ liệu" in ran.err


# ------------------------------------------------------------------------------------- report, backup


def test_a_report_is_written_as_a_workbook(run: Run, airings: Database, tmp_path: Path) -> None:
    from openpyxl import load_workbook

    output = tmp_path / "báo cáo.xlsx"
    ran = run("report", "--from", "2026-11-23", "--to", "2026-11-24", "-o", output)
    assert ran.code == 0
    book = load_workbook(output)
    assert book.sheetnames
    book.close()


def test_a_report_whose_days_are_the_wrong_way_round_is_refused(run: Run, station: Database) -> None:
    ran = run("report", "--from", "2026-11-24", "--to", "2026-11-01", "-o", "a.xlsx")
    assert ran.code == 1
    assert "đứng trước" in ran.err


def test_backup_then_restore_in_another_home_gives_the_station_back(
    run: Run, airings: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = run("plan", "--date", "2026-11-24", "--json").out
    ran = run("backup", tmp_path / "usb")
    assert ran.code == 0
    folder = Path(ran.out.splitlines()[0])
    assert folder.parent == tmp_path / "usb"

    monkeypatch.setenv("BROADCASTER_HOME", str(tmp_path / "máy mới"))
    restored = run("restore", folder)
    assert (restored.code, restored.err) == (0, "")
    # No backup holds the old machine's token: this machine's player has one of its own, and can play.
    assert read_pairing(tmp_path / "máy mới" / "var" / "player") is not None
    assert run("plan", "--date", "2026-11-24", "--json").out == here
    again = run("restore", folder)
    assert again.code == 1
    assert "Đã có dữ liệu" in again.err


def test_backup_keeps_as_many_as_asked(run: Run, station: Database, tmp_path: Path) -> None:
    folder = tmp_path / "usb"
    for day in ("20260101", "20260102", "20260103"):
        (folder / f"sao-luu-{day}-000000").mkdir(parents=True)
    ran = run("backup", folder, "--keep", "2")
    assert ran.code == 0
    kept = sorted(path.name for path in folder.iterdir())
    assert len(kept) == 2
    assert kept[0] == "sao-luu-20260103-000000"
    assert "đã xóa bản cũ sao-luu-20260101-000000" in ran.out


def test_backup_without_a_station_and_restore_of_a_stranger_are_sentences(run: Run, tmp_path: Path) -> None:
    assert "Chưa có cơ sở dữ liệu" in run("backup", tmp_path / "usb").err
    (tmp_path / "ảnh").mkdir()
    ran = run("restore", tmp_path / "ảnh")
    assert ran.code == 1
    assert "không phải bản sao lưu" in ran.err


# -------------------------------------------------------------------------------------------- doctor


def test_the_doctor_says_what_would_silence_the_morning(run: Run, home: Path) -> None:
    ran = run("doctor")
    assert ran.code == 1
    assert "✗ Cơ sở dữ liệu: chưa có; hãy chạy python3 scripts/run.py" in ran.out
    assert "Còn chỗ phải sửa" in ran.err


def test_the_doctor_names_a_database_of_another_version(run: Run, station: Database, home: Path) -> None:
    with closing(sqlite3.connect(home / "var" / "broadcaster.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    ran = run("doctor")
    assert ran.code == 1
    assert "phiên bản mới hơn" in ran.out


def test_the_doctor_finds_a_healthy_database_and_a_voice(run: Run, station: Database) -> None:
    ran = run("doctor")
    assert "✓ Cơ sở dữ liệu: mở được, có 1 đài" in ran.out
    assert any(line.startswith("✓ Giọng ") for line in ran.out.splitlines())


# ---------------------------------------------------------------------------------------------- play


def test_a_player_that_is_not_paired_says_how_to_pair(run: Run, home: Path) -> None:
    ran = run("play", "--output", "silent", "--now", "2026-11-24T05:29:55+07:00")
    assert ran.code == 1
    assert "--pair" in ran.err


def test_a_given_clock_needs_a_zone(run: Run) -> None:
    ran = run("play", "--now", "2026-11-24T05:29:55")
    assert ran.code == 1
    assert "múi giờ" in ran.err
