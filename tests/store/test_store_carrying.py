"""A station goes out as a folder and comes in elsewhere with everything it wrote, under its own roof."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from broadcaster.errors import StoreError
from broadcaster.report.figures import figures
from broadcaster.report.gathering import gather
from broadcaster.report.period import parse_period
from broadcaster.schedule.plan import plan_days
from broadcaster.store.blobs import Blobs
from broadcaster.store.carrying import check, export_station, import_station
from broadcaster.store.db import Database
from broadcaster.store.tables import Bulletin, Decision, Jingle, Revision, Station, User, Village
from tests.support.commune import at, bulletin, found, furnish
from tests.support.databases import upgraded
from tests.support.years import fill_years

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
FIRST = date(2026, 10, 1)
PERIOD = parse_period("2026-10")


@pytest.fixture
def carried(database: Database, tmp_path: Path) -> tuple[Database, Path, Blobs]:
    """A station with a month behind it, exported."""
    blobs = Blobs(tmp_path / "nguồn")
    sound = blobs.put(b"nhac hieu" * 100, suffix="flac")
    blobs.put(b"cua dai khac", suffix="mp3")
    with database.writing() as session:
        found(session, slug="xa-ben")
        commune = found(session, villages=4)
        furnish(session, commune)
        fill_years(session, commune, FIRST, 31)
        commune.villages[0].successor_id = commune.villages[1].id
        row = bulletin(session, commune, "Của hai người")
        row.draft_writers = [commune.author.id]
        for jingle in session.scalars(select(Jingle)):
            jingle.sha256 = sound
        station_id = commune.station.id
    folder = tmp_path / "xuất" / "nhu-thanh"
    done = export_station(database, blobs, station_id, folder, now=NOW)
    assert (done.station, done.files) == ("nhu-thanh", 1)
    return database, folder, blobs


@pytest.fixture
def elsewhere(database: Database, tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "máy khác").mkdir()
    with upgraded("sqlite" if database.is_sqlite else "postgresql", tmp_path / "máy khác") as other:
        with other.writing() as session:
            found(session, slug="dai-da-co")
        yield other


def figures_of(db: Database, slug: str) -> object:
    with db.reading() as session:
        station = session.scalars(select(Station).where(Station.slug == slug)).one()
        station_id = station.id
    with db.reading(station_id=station_id) as session:
        station = session.get_one(Station, station_id)
        shown = figures(gather(session, station, PERIOD, now=NOW))
        lines = plan_days(session, FIRST, 31)
    plans = [
        (line.airing_id, line.planned_at, line.villages, tuple(item.title for item in line.items))
        for line in lines
    ]
    hashes = [part.sha256 for part in shown.ledger.parts]
    return shown.total, [(line.label, line.tally) for line in shown.by_village], shown.misses, plans, hashes


def test_plan_log_figures_and_hashes_are_the_same_on_the_other_side(
    carried: tuple[Database, Path, Blobs], elsewhere: Database, tmp_path: Path
) -> None:
    source, folder, _ = carried
    there = Blobs(tmp_path / "đích")
    done = import_station(elsewhere, there, folder, now=NOW)
    assert done.files == 1
    assert figures_of(elsewhere, "nhu-thanh") == figures_of(source, "nhu-thanh")
    with elsewhere.reading() as session:
        here = {row.slug: row for row in session.scalars(select(Station))}
        assert set(here) == {"dai-da-co", "nhu-thanh"}
        station = here["nhu-thanh"]
        assert station.epoch >= int(NOW.timestamp()) // 60, "players see a new line"
        people = {
            row.username: row for row in session.scalars(select(User).where(User.station_id == station.id))
        }
        assert set(people) == {"soan-nhu-thanh", "duyet-nhu-thanh"}
        shared = session.scalars(select(Bulletin).where(Bulletin.title == "Của hai người")).one()
        assert shared.draft_writers == [people["soan-nhu-thanh"].id], "ids inside data are the new ones"
        assert shared.author_id == people["soan-nhu-thanh"].id
        villages = session.scalars(
            select(Village).where(Village.station_id == station.id).order_by(Village.position)
        ).all()
        assert villages[0].successor_id == villages[1].id
        revision = session.scalars(select(Revision).where(Revision.bulletin_id == shared.id)).one()
        decision = session.scalars(select(Decision).where(Decision.revision_id == revision.id)).one()
        assert decision.approver_id == people["duyet-nhu-thanh"].id
    assert [name[0] for name in there.names()] == [
        json.loads(line)["sha256"] for line in (folder / "tables" / "jingle.jsonl").read_text().splitlines()
    ][:1]
    with elsewhere.writing(station_id=station.id) as session:
        session.add(Village(station_id=station.id, slug="moi", name="Thôn mới"))  # its id is free


def test_the_other_station_of_the_installation_is_not_in_the_folder(
    carried: tuple[Database, Path, Blobs],
) -> None:
    _, folder, _ = carried
    assert "xa-ben" not in (folder / "tables" / "user_account.jsonl").read_text()
    assert not list(folder.glob("keys*"))
    assert check(folder)["station"] == "nhu-thanh"


def test_a_name_to_sign_in_with_that_is_taken_gets_the_station_behind_it(
    carried: tuple[Database, Path, Blobs], elsewhere: Database, tmp_path: Path
) -> None:
    _, folder, _ = carried
    with elsewhere.writing() as session:
        session.scalars(
            select(User).where(User.username == "soan-dai-da-co")
        ).one().username = "soan-nhu-thanh"
    import_station(elsewhere, Blobs(tmp_path / "đích"), folder, now=NOW)
    with elsewhere.reading() as session:
        assert "soan-nhu-thanh.nhu-thanh" in set(session.scalars(select(User.username)))


def test_the_same_station_twice_is_refused_and_so_is_a_folder_that_is_there(
    carried: tuple[Database, Path, Blobs], tmp_path: Path
) -> None:
    source, folder, blobs = carried
    with pytest.raises(StoreError, match="đã có đài"):
        import_station(source, blobs, folder, now=NOW)
    with pytest.raises(StoreError, match="chưa có"):
        export_station(source, blobs, 1, folder, now=NOW)


def change(**values: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return edit


def cut(name: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = next(folder.glob(name))
        path.write_bytes(path.read_bytes()[:-3])

    return edit


def climb(folder: Path) -> None:
    path = folder / "manifest.json"
    data = json.loads(path.read_text())
    data["files"]["tables/../../x.jsonl"] = "0" * 64
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    "spoil",
    [
        change(format=99), change(schema="9999"), change(files=[]), cut("manifest.json"), cut("blobs/*/*"),
        cut("tables/airing.jsonl"), climb, lambda folder: next(folder.glob("blobs/*/*")).unlink(),
        lambda folder: (folder / "manifest.json").unlink(),
    ],
)  # fmt: skip
def test_a_folder_that_is_newer_cut_off_or_tampered_with_changes_nothing(
    carried: tuple[Database, Path, Blobs], elsewhere: Database, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    _, folder, _ = carried
    spoil(folder)
    there = Blobs(tmp_path / "đích")
    with pytest.raises(StoreError):
        import_station(elsewhere, there, folder, now=NOW)
    assert list(there.names()) == []
    with elsewhere.reading() as session:
        assert [row.slug for row in session.scalars(select(Station))] == ["dai-da-co"]


def test_a_trouble_half_way_leaves_no_row_of_it(
    carried: tuple[Database, Path, Blobs], elsewhere: Database, tmp_path: Path
) -> None:
    _, folder, _ = carried
    with elsewhere.writing() as session:
        other = session.scalars(select(Station)).one()
        taken = json.loads((folder / "tables" / "airing.jsonl").read_text().splitlines()[-1])["id"]
        from broadcaster.store.tables import Airing

        session.add(
            Airing(
                id=taken, station_id=other.id, origin="extra", name="x", local_date=FIRST, start_local=at("05:30").time(),
                planned_at=at("05:30"), max_minutes=5, start_mode="at_once", wait_s=0, late_policy="skip", grace_s=1,
                priority="routine", volume_percent=100, template_name="thuong",
            )
        )  # fmt: skip
    with pytest.raises(StoreError, match="trùng"):
        import_station(elsewhere, Blobs(tmp_path / "đích"), folder, now=NOW)
    with elsewhere.reading() as session:
        assert [row.slug for row in session.scalars(select(Station))] == ["dai-da-co"]
