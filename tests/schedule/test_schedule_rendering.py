"""Each airing gets the programme it should have: from approved sound only, nearest first, made once."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.model import AiringState, BulletinState, PlacedItem, Programme, RenditionFile, RenditionKind
from broadcaster.newsroom.templates import add_template, approve_template
from broadcaster.schedule.airings import close_content, mark_started, materialise, place, remove_item
from broadcaster.schedule.plan import plan, plan_days
from broadcaster.schedule.rendering import ask_again, enqueue_programmes, store_programme, wanted
from broadcaster.schedule.rules import set_rotation
from broadcaster.store.db import Database
from broadcaster.store.queue import Job, claim, fail
from broadcaster.store.tables import (
    Airing,
    Bulletin,
    Jingle,
    ProgrammeRow,
    RenderJob,
    Rendition,
    TemplateRevision,
    Variant,
)
from tests.support.commune import MONDAY, Commune, at, bulletin, decide, found, furnish, revise, sha, slot

TUESDAY = date(2026, 11, 24)


def station_with(
    session: Session, titles: tuple[str, ...], *, per_airing: int = 2, days: int = 14
) -> tuple[Commune, list[Bulletin]]:
    commune = found(session)
    furnish(session, commune)
    morning = slot(session, commune, valid_from=MONDAY)
    rows = [bulletin(session, commune, title) for title in titles]
    set_rotation(
        session, morning.id, [row.id for row in rows], per_airing=per_airing, actor=commune.author,
        now=at("00:10"),
    )  # fmt: skip
    materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=days)
    return commune, rows


def enqueue(session: Session, commune: Commune, now: str = "01:00", **more: bool) -> int:
    session.flush()
    return enqueue_programmes(session, commune.station, now=at(now), days=14, **more)


def rendered(key: str) -> Programme:
    return Programme(
        renditions=(
            RenditionFile(RenditionKind.AIR, sha("air" + key), 700_000),
            RenditionFile(RenditionKind.LIGHT, sha("light" + key), 350_000),
        ),
        duration_ms=130_000,
        loudness_lufs=-16.1,
        true_peak_dbtp=-2.4,
        items=(PlacedItem("Một", 40_000, 60_000),),
        waveform_svg="<svg/>",
    )


def as_job(row: RenderJob) -> Job:
    return Job(row.id, row.station_id, row.kind, row.key, dict(row.payload), row.attempt, row.owner)


def render_all(session: Session) -> None:
    for row in session.scalars(select(RenderJob).where(RenderJob.state == "queued")).all():
        store_programme(session, as_job(row), rendered(row.key), now=at("02:00"))
        row.state = "done"
    session.flush()


def withdraw(session: Session, commune: Commune, row: Bulletin) -> None:
    for revision in row.revisions:
        decide(session, commune, revision, "withdrawn")
    row.state = BulletinState.WITHDRAWN
    session.flush()


def queued(session: Session) -> list[RenderJob]:
    return list(
        session.scalars(
            select(RenderJob).where(RenderJob.state == "queued").order_by(RenderJob.due_at, RenderJob.id)
        )
    )


def test_every_airing_of_two_weeks_is_asked_for_once_and_the_nearest_comes_first(db: Database) -> None:
    with db.writing() as session:
        commune, _ = station_with(session, ("Một", "Hai", "Ba"))
        assert enqueue(session, commune) == 12
        assert enqueue(session, commune) == 0
        dues = [row.due_at for row in queued(session)]
        assert dues == sorted(dues)
        assert dues[0] == at("05:30")
    job = claim(db, owner="thử", kinds=["programme"], now=at("01:01"))
    assert job is not None
    assert job.payload["local_date"] == "2026-11-23"


def test_the_payload_says_everything_in_plain_json(db: Database) -> None:
    with db.writing() as session:
        commune, rows = station_with(session, ("Một", "Hai"), days=1)
        enqueue(session, commune)
        (job,) = queued(session)
        payload = job.payload
        assert [item["title"] for item in payload["items"]] == ["Một", "Hai"]
        take = rows[0].revisions[0].take
        assert take is not None
        assert payload["items"][0]["take"] == {
            "sha256": take.sha256,
            "voice": "silent",
            "speed": 1.0,
            "duration_ms": 60_000,
            "sentences": [["Một", 0, 60 * 24000]],
        }
        assert payload["items"][0]["topic"] == "Chuyển đổi số"
        assert payload["template"] == {"name": "thuong"}
        assert set(payload["jingles"]) == {"opening", "closing", "cut", "chime", "bed"}
        assert (payload["start_local"], payload["station_name"]) == ("05:30", "Xã Thử")
        assert payload["title"] == "Buổi sáng, 05:30 ngày 23/11/2026"


def test_a_finished_programme_reaches_the_airing_and_tells_receivers(db: Database) -> None:
    with db.writing() as session:
        commune, _ = station_with(session, ("Một", "Hai"), days=2)
        enqueue(session, commune)
        version = commune.station.plan_version
        render_all(session)
        assert commune.station.plan_version > version
        (line,) = plan(session, MONDAY)
        assert line.files[RenditionKind.LIGHT].size_bytes == 350_000
        assert line.duration_ms == 130_000
        version = commune.station.plan_version
        assert enqueue(session, commune) == 0
        assert queued(session) == []
        assert commune.station.plan_version == version, "nothing new, nobody is told"


def test_storing_the_same_programme_twice_is_one_programme(db: Database) -> None:
    with db.writing() as session:
        commune, _ = station_with(session, ("Một",), days=1)
        enqueue(session, commune)
        job = as_job(queued(session)[0])
        first = store_programme(session, job, rendered("a"), now=at("02:00"))
        again = store_programme(session, job, rendered("b"), now=at("02:05"))
        assert first.id == again.id
        assert session.scalar(select(func.count()).select_from(ProgrammeRow)) == 1
        files = set(session.scalars(select(Rendition.sha256)))
        assert files == {sha("airb"), sha("lightb")}


def test_nothing_unapproved_and_nothing_without_a_template_is_made(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=1)
        airing = session.scalars(select(Airing)).one()
        waiting = bulletin(session, commune, "Chờ", state=BulletinState.SUBMITTED)
        ready = bulletin(session, commune, "Được")
        for row in (waiting, ready):
            place(session, airing.id, row.id, actor=commune.author, now=at("00:40"))
        assert enqueue(session, commune) == 0, "no approved template yet"
        furnish(session, commune)
        template = session.scalars(select(TemplateRevision)).one()
        assert template.approved_by_id is not None
        assert enqueue(session, commune) == 1
        assert [item["title"] for item in queued(session)[0].payload["items"]] == ["Được"]


def test_a_newly_approved_revision_makes_the_programme_anew_and_the_old_one_plays_until_then(
    db: Database,
) -> None:
    with db.writing() as session:
        commune, rows = station_with(session, ("Một", "Hai"), days=1)
        enqueue(session, commune)
        render_all(session)
        before = plan(session, MONDAY)[0].files
        revise(session, commune, rows[0], approved=True, seconds=30)
        assert enqueue(session, commune) == 1
        assert plan(session, MONDAY)[0].files == before
        render_all(session)
        assert plan(session, MONDAY)[0].files != before


def test_a_withdrawn_bulletin_takes_its_programme_off_at_once_and_the_rest_is_made_anew(
    db: Database,
) -> None:
    with db.writing() as session:
        commune, rows = station_with(session, ("Một", "Hai"), days=1)
        enqueue(session, commune)
        render_all(session)
        version = commune.station.plan_version
        withdraw(session, commune, rows[0])
        assert enqueue(session, commune) == 1
        assert dict(plan(session, MONDAY)[0].files) == {}
        assert commune.station.plan_version > version
        assert [item["title"] for item in queued(session)[0].payload["items"]] == ["Hai"]
        render_all(session)
        assert plan(session, MONDAY)[0].files


def test_a_withdrawal_after_the_close_drops_the_item_and_an_emptied_airing_is_left_out(
    db: Database,
) -> None:
    with db.writing() as session:
        commune, rows = station_with(session, ("Một", "Hai"), days=1)
        enqueue(session, commune)
        render_all(session)
        airing = session.scalars(select(Airing)).one()
        close_content(session, airing, now=at("05:00"))
        withdraw(session, commune, rows[0])
        enqueue(session, commune, "05:05")
        line = plan(session, MONDAY)[0]
        assert [item.note for item in line.items] == ["Bản tin đã rút sau khi chốt nội dung.", ""]
        withdraw(session, commune, rows[1])
        enqueue(session, commune, "05:06")
        line = plan(session, MONDAY)[0]
        assert (line.state, line.reason) == (AiringState.SKIPPED, "Mọi bản tin của buổi này đã rút.")
        assert dict(line.files) == {}


def test_a_withdrawal_takes_off_what_sounds_now_and_what_was_heard_today(db: Database) -> None:
    with db.writing() as session:
        commune, rows = station_with(session, ("Một", "Hai"), days=1)
        enqueue(session, commune)
        render_all(session)
        airing = session.scalars(select(Airing)).one()
        close_content(session, airing, now=at("05:00"))
        mark_started(session, commune.station, now=at("05:30"))
        version = commune.station.plan_version
        withdraw(session, commune, rows[1])
        enqueue(session, commune, "05:31")
        line = plan(session, MONDAY)[0]
        assert (line.state, dict(line.files), line.duration_ms) == (AiringState.STARTED, {}, 130_000)
        assert commune.station.plan_version > version
        assert queued(session) == [], "what has started is not made anew"


def test_what_a_person_took_out_is_never_played_from_the_old_programme(db: Database) -> None:
    with db.writing() as session:
        commune, rows = station_with(session, ("Một", "Hai"), days=1)
        enqueue(session, commune)
        render_all(session)
        airing = session.scalars(select(Airing)).one()
        remove_item(session, airing.id, rows[0].id, actor=commune.author, now=at("02:10"))
        enqueue(session, commune)
        assert dict(plan(session, MONDAY)[0].files) == {}
        place(session, airing.id, rows[0].id, position=1, actor=commune.author, now=at("02:20"))
        assert enqueue(session, commune) == 0, "the programme of before is what is wanted again"
        assert plan(session, MONDAY)[0].files


def test_an_approval_after_the_close_changes_nothing_for_that_airing(db: Database) -> None:
    with db.writing() as session:
        commune, rows = station_with(session, ("Một",), days=1)
        airing = session.scalars(select(Airing)).one()
        close_content(session, airing, now=at("05:00"))
        revise(session, commune, rows[0], approved=True, seconds=30)
        enqueue(session, commune, "05:01")
        (job,) = queued(session)
        assert job.payload["items"][0]["revision_id"] == rows[0].revisions[0].id


def test_a_new_jingle_changes_no_approved_programme_and_an_approved_frame_with_it_makes_them_anew(
    db: Database,
) -> None:
    with db.writing() as session:
        commune, _ = station_with(session, ("Một",), days=3)
        assert enqueue(session, commune) == 3
        before = {row.key for row in queued(session)}
        session.add(
            Jingle(
                station_id=commune.station.id, kind="opening", title="mới", sha256=sha("mới"), duration_ms=1,
                source="thử", licence="CC0-1.0", created_at=at("01:00"),
            )
        )  # fmt: skip
        assert enqueue(session, commune) == 0
        assert {row.key for row in queued(session)} == before
        for old in session.scalars(select(Jingle).where(Jingle.kind == "closing")):
            old.in_use = False
        frame = add_template(
            session, station_id=commune.station.id, name="thuong", body={"cuts": True, "jingles": {"cut": sha("cut")}},
            author=commune.author, now=at("01:01"),
        )  # fmt: skip
        assert enqueue(session, commune) == 0  # nobody has approved it
        session.add(
            Jingle(
                station_id=commune.station.id, kind="opening", title="sau khi gửi", sha256=sha("sau"),
                duration_ms=1, source="thử", licence="CC0-1.0", created_at=at("01:02"),
            )
        )  # fmt: skip
        approve_template(session, frame.id, actor=commune.approver, sha256=frame.sha256, now=at("01:03"))
        assert enqueue(session, commune) == 3
        assert {row.payload["jingles"]["opening"] for row in queued(session)} == {sha("mới")}
        assert set(queued(session)[0].payload["jingles"]) == {"opening", "cut", "chime", "bed"}
        assert not before & {row.key for row in queued(session)}


def test_a_job_that_failed_for_good_waits_until_it_is_asked_for_again(db: Database) -> None:
    with db.writing() as session:
        commune, _ = station_with(session, ("Một",), days=1)
        enqueue(session, commune)
        station_id = commune.station.id
    for attempt in range(3):
        job = claim(db, owner="thử", kinds=["programme"], now=at("01:00"))
        assert job is not None
        assert job.attempt == attempt + 1
        fail(db, job, error="Đĩa đầy.")
    with db.writing() as session:
        station = session.get_one(type(commune.station), station_id)
        assert enqueue_programmes(session, station, now=at("01:10"), days=14) == 0
        assert queued(session) == []
        enqueue_programmes(session, station, now=at("01:20"), days=14, retry_failed=True)
        assert [row.attempt for row in queued(session)] == [0]
        queued(session)[0].state = "failed"
        session.flush()
        airing = session.scalars(select(Airing)).one()
        assert ask_again(session, airing.id, now=at("01:30")) == 1
        assert len(queued(session)) == 1


def test_a_programme_that_vanished_from_the_database_is_made_again(db: Database) -> None:
    with db.writing() as session:
        commune, _ = station_with(session, ("Một",), days=1)
        enqueue(session, commune)
        render_all(session)
        session.scalars(select(Variant)).one().programme = None
        for rendition in session.scalars(select(Rendition)).all():
            session.delete(rendition)
        session.flush()
        session.delete(session.scalars(select(ProgrammeRow)).one())
        session.flush()
        enqueue(session, commune)
        assert len(queued(session)) == 1


def test_an_airing_with_sound_starts_at_its_instant_and_is_frozen(db: Database) -> None:
    with db.writing() as session:
        commune, _ = station_with(session, ("Một",), days=2)
        enqueue(session, commune)
        render_all(session)
        airing = session.scalars(select(Airing).order_by(Airing.planned_at)).first()
        assert airing is not None
        close_content(session, airing, now=at("05:00"))
        assert mark_started(session, commune.station, now=at("05:30")) == 1
        assert airing.state is AiringState.STARTED
        files = plan(session, MONDAY)[0].files
        frame = add_template(
            session, station_id=commune.station.id, name="thuong", body={"cuts": True},
            author=commune.author, now=at("05:31"),
        )  # fmt: skip
        approve_template(session, frame.id, actor=commune.approver, sha256=frame.sha256, now=at("05:31"))
        assert enqueue(session, commune, "05:32") == 1, "only the day after is made anew"
        assert plan(session, MONDAY)[0].files == files


def test_a_clock_that_slept_over_the_start_writes_down_what_receivers_held(db: Database) -> None:
    with db.writing() as session:
        commune, rows = station_with(session, ("Một", "Hai"), days=1)
        enqueue(session, commune)
        render_all(session)
        held = rows[0].revisions[0].id
        revise(session, commune, rows[0], approved=True, seconds=30)
        airing = session.scalars(select(Airing)).one()
        close_content(session, airing, now=at("05:40"))
        assert airing.variants[0].items[0].revision_id == held
        assert mark_started(session, commune.station, now=at("05:40")) == 1


def test_the_same_input_is_the_same_key_whoever_asks(db: Database) -> None:
    with db.writing() as session:
        commune, _ = station_with(session, ("Một", "Hai", "Ba"), per_airing=3, days=8)
        airings = session.scalars(select(Airing).order_by(Airing.planned_at)).all()
        keys = [want.key for airing in airings for want in wanted(session, airing).values()]
        assert len(set(keys)) == len(airings) == 7
        enqueue(session, commune)
        stored = session.scalars(
            select(Variant.wanted_key)
            .join(Airing, Airing.id == Variant.airing_id)
            .order_by(Airing.planned_at)
        ).all()
        assert list(stored) == keys
        assert len(plan_days(session, MONDAY, 8)) == 7
        assert TUESDAY - MONDAY == timedelta(days=1)
