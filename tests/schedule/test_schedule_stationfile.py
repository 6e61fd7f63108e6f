"""The sample station comes out of its folder whole; a folder that is wrong is met with a sentence."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.config import CHECKOUT, Settings, load
from broadcaster.errors import BroadcasterError, ConfigError, InputError
from broadcaster.model import Priority, Role, SpokenSentence, Take
from broadcaster.newsroom.bulletins import create_bulletin, freeze_take, submit, withdraw
from broadcaster.newsroom.notices import unread
from broadcaster.newsroom.people import add_user
from broadcaster.production.template import template_from
from broadcaster.schedule.plan import plan_days
from broadcaster.schedule.rendering import enqueue_programmes
from broadcaster.schedule.stationfile import approve_sample, load_content, load_station
from broadcaster.schedule.stationfolder import parse_bulletin, read_folder
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.tables import (
    Bulletin,
    Decision,
    Jingle,
    RenderJob,
    Revision,
    Slot,
    Station,
    TemplateRevision,
    Topic,
    User,
    Village,
)
from tests.support.commune import MONDAY, at, sha
from tests.support.databases import upgraded

SAMPLE = CHECKOUT / "schedules" / "nhu-thanh"
PASSWORD = "mot-cau-ngan-7"


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    with upgraded("sqlite", tmp_path) as database:
        yield database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(environ={}, home=tmp_path)


def loaded(
    session: Session, settings: Settings, *, now: datetime | None = None
) -> tuple[Station, User, User, list[Revision]]:
    moment = now or at("15:00")
    station = load_station(session, SAMPLE, blobs=Blobs(settings.blobs_url), settings=settings, now=moment)
    author, approver = (
        add_user(
            session, station_id=station.id, username=name, display_name=name, role=role,
            password=PASSWORD, now=moment,
        )
        for name, role in (("canbo", Role.AUTHOR), ("lanhdao", Role.APPROVER))
    )  # fmt: skip
    revisions = load_content(
        session, station, SAMPLE, settings=settings, author=author, approver=approver, now=moment
    )
    return station, author, approver, revisions


def freeze(session: Session, revision: Revision) -> None:
    take = Take(sha(f"take {revision.id}"), "silent", 1.0, 90_000, (SpokenSentence("một", 0, 100),))
    freeze_take(session, revision.id, take, voice_label="Giọng thử", now=at("15:30"))
    session.expire(revision, ["take"])  # the worker froze it in a session of its own


def test_the_sample_station_comes_whole(db: Database, settings: Settings) -> None:
    with db.writing() as session:
        station, author, approver, revisions = loaded(session, settings)
        assert station.name == "Đài truyền thanh xã Như Thanh"
        assert session.scalar(select(func.count()).select_from(Village)) == 37
        assert session.scalar(select(func.count()).select_from(Topic)) == 6
        assert [
            (row.name, f"{row.start_local:%H:%M}")
            for row in session.scalars(select(Slot).order_by(Slot.start_local))
        ] == [
            ("Buổi sáng", "05:30"),
            ("Buổi chiều", "17:00"),
        ]
        kinds = {row.kind: row for row in session.scalars(select(Jingle))}
        assert set(kinds) == {"opening", "closing", "cut", "chime", "bed", "alert"}
        blobs = Blobs(settings.blobs_url)
        assert all(blobs.has(row.sha256, suffix="flac") and row.duration_ms > 300 for row in kinds.values())
        template = session.scalars(select(TemplateRevision)).one()
        assert (template.author_id, template.approved_by_id) == (author.id, approver.id)
        assert "Kính chào" in template_from(template.body).greeting
        assert len(revisions) == len(list((SAMPLE / "bulletins").glob("*.txt"))) >= 12
        lines = plan_days(session, MONDAY, 15)
        assert len(lines) == 24 - 1, "the morning of today had passed"
        assert all(len(line.items) == 2 and len(line.villages) == 37 for line in lines)
        assert not any(item.approved for line in lines for item in line.items), "nothing has a take yet"


def test_the_takes_of_the_nearest_airing_are_asked_for_first(sqlite: Database, settings: Settings) -> None:
    with sqlite.writing() as session:
        _, _, _, revisions = loaded(session, settings)
        first = plan_days(session, MONDAY, 15)[0]
        jobs = session.scalars(
            select(RenderJob).where(RenderJob.kind == "take").order_by(RenderJob.due_at)
        ).all()
        assert len(jobs) == len(revisions)
        by_key = {str(row.id): row.bulletin_id for row in revisions}
        assert [by_key[job.key] for job in jobs[:2]] == [item.bulletin_id for item in first.items]


def test_sample_bulletins_are_approved_by_the_other_person_once_their_take_is_frozen(
    sqlite: Database, settings: Settings
) -> None:
    with sqlite.writing() as session:
        station, author, approver, revisions = loaded(session, settings)
        typed = create_bulletin(
            session, station_id=station.id, author=author, title="Tin mới", text="Bà con chú ý.", now=at("15:10")
        )  # fmt: skip
        own = submit(session, typed.id, version=typed.version, actor=author, now=at("15:10"))
        for revision in [*revisions[:5], own]:
            freeze(session, revision)
        done = approve_sample(session, station_id=station.id, approver=approver, now=at("15:31"))
        assert (done.approved, done.without_take) == (5, len(revisions) - 5)
        assert (
            approve_sample(session, station_id=station.id, approver=approver, now=at("15:32")).approved == 0
        )
        for revision in revisions[5:]:
            freeze(session, revision)
        done = approve_sample(session, station_id=station.id, approver=approver, now=at("15:40"))
        assert (done.approved, done.without_take) == (len(revisions) - 5, 0)
        decisions = session.scalars(select(Decision)).all()
        assert {row.revision_id for row in decisions} == {row.id for row in revisions}
        assert {row.approver_id for row in decisions} == {approver.id}
        assert all(row.take_sha256 == sha(f"take {row.revision_id}") for row in decisions)
        assert enqueue_programmes(session, station, now=at("15:41"), days=14) == 23
        assert unread(session, author.id) == 0, "the first sight is not a list of twenty notices"


def test_what_the_newsroom_withdraws_leaves_the_air_by_the_next_tick(
    sqlite: Database, settings: Settings
) -> None:
    with sqlite.writing() as session:
        station, author, approver, revisions = loaded(session, settings)
        for revision in revisions:
            freeze(session, revision)
        approve_sample(session, station_id=station.id, approver=approver, now=at("15:40"))
        enqueue_programmes(session, station, now=at("15:41"), days=14)
        line = plan_days(session, MONDAY, 2)[0]
        held = session.scalars(
            select(RenderJob).where(RenderJob.kind == "programme", RenderJob.due_at == line.planned_at)
        ).one()
        assert [item["title"] for item in held.payload["items"]] == [item.title for item in line.items]
        withdraw(session, line.items[0].bulletin_id, actor=approver, reason="Sai giờ", now=at("15:45"))
        enqueue_programmes(session, station, now=at("15:46"), days=14)
        after = plan_days(session, MONDAY, 2)[0]
        assert [(item.approved, item.note) for item in after.items] == [
            (False, "Bản tin đã rút, sẽ không phát."),
            (True, ""),
        ]
        jobs = session.scalars(
            select(RenderJob).where(
                RenderJob.kind == "programme",
                RenderJob.due_at == line.planned_at,
                RenderJob.state == "queued",
            )
        ).all()
        assert [[item["title"] for item in job.payload["items"]] for job in jobs] == [[line.items[1].title]]


def test_the_same_station_is_not_loaded_twice(sqlite: Database, settings: Settings) -> None:
    with sqlite.writing() as session:
        loaded(session, settings)
        with pytest.raises(InputError, match="đã có trên máy này"):
            load_station(session, SAMPLE, blobs=Blobs(settings.blobs_url), settings=settings, now=at("16:00"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "xã thử"))


def spoil(path: Path, pattern: str, replacement: str) -> None:
    text = path.read_text(encoding="utf-8")
    changed = re.sub(pattern, replacement, text, count=1, flags=re.MULTILINE)
    assert changed != text, pattern
    path.write_text(changed, encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "pattern", "replacement", "says"),
    [
        ("station.toml", "^call_sign", "calsign", r"station.toml có mục lạ “calsign”.* “call_sign”"),
        ("station.toml", "^earliest_start", "earliest_star", "“earliest_start”"),
        ("station.toml", "^name = .*", "", "thiếu mục “name”"),
        ("station.toml", "^name = .*", 'name = " "', "để trống"),
        ("station.toml", "^zone = .*", 'zone = "Asia/Thanh_Hoa"', "múi giờ"),
        ("station.toml", "^slug = .*", 'slug = "Như Thanh"', "chữ thường không dấu"),
        ("station.toml", r"^\[policy\]", "[policy", "sai cú pháp"),
        ("week.toml", "^start = .*", 'start = "5h30"', "phải là giờ"),
        ("week.toml", "^valid_from = .*", 'valid_from = "đầu năm"', "phải là ngày"),
        ("week.toml", '"mon"', '"monday"', "“mon”"),
        ("week.toml", "^max_minutes = .*", "max_minutes = 0", "phải từ 1 đến 180"),
        ("week.toml", "^max_minutes = .*", "max_minutes = true", "không hợp lệ"),
        ("week.toml", "^start_mode = .*", 'start_mode = "ngay"', "at_once"),
        ("week.toml", "^late_policy", "late_polcy", "“late_policy”"),
        ("week.toml", '^slot = "sang"', 'slot = "sangs"', "“sang”"),
        ("week.toml", "lich-tiem-chung.txt", "lich-tiem.txt", "lich-tiem-chung.txt"),
        ("villages.csv", "^slug,name", "slug,ten", "cột lạ “ten”"),
        ("villages.csv", "^dong-chua", "dong-lon", "đã có ở dòng trên"),
        ("villages.csv", "^dong-chua", "Đồng Chùa", "dòng 3"),
        ("topics.toml", "^title", "titel", "“title”"),
        ("bulletins/ung-pho-bao.txt", "^# mức: .*", "# mức: gấp", "mức “gấp”"),
        ("bulletins/ung-pho-bao.txt", "^# mức", "# mứt", "dòng 4.*“mức”"),
        ("bulletins/ung-pho-bao.txt", "^# chủ đề:.*", "# chủ đề: an-toan", "“an-toan-thong-tin”"),
        ("bulletins/ung-pho-bao.txt", "^# tiêu đề.*\n", "", "chưa có dòng “# tiêu đề"),
    ],
)
def test_a_folder_that_is_wrong_is_met_with_the_file_and_a_suggestion(
    folder: Path, file: str, pattern: str, replacement: str, says: str
) -> None:
    spoil(folder / file, pattern, replacement)
    with pytest.raises(BroadcasterError, match=says):
        read_folder(folder)


def test_a_missing_file_and_a_file_in_another_code_are_sentences(folder: Path) -> None:
    (folder / "villages.csv").write_bytes("slug,name\ndong-lon,Thôn Đồng Lớn\n".encode("utf-16"))
    with pytest.raises(InputError, match="UTF-8"):
        read_folder(folder)
    (folder / "villages.csv").unlink()
    with pytest.raises(InputError, match=r"thiếu tệp villages\.csv"):
        read_folder(folder)


def test_slots_that_break_the_station_s_own_policy_are_refused(
    sqlite: Database, settings: Settings, folder: Path
) -> None:
    spoil(folder / "week.toml", '^start = "05:30"', 'start = "04:45"')
    with sqlite.writing() as session, pytest.raises(BroadcasterError, match="không phát trước 05:30"):
        load_station(session, folder, blobs=Blobs(settings.blobs_url), settings=settings, now=at("15:00"))


def test_a_bulletin_file_is_header_lines_and_a_text() -> None:
    row = parse_bulletin(
        "a.txt", "\ufeff# tiêu đề: Họp\n# mức: ưu tiên\n# đọc hai lần: có\n\nMời bà con.\n\n# 1\n"
    )
    assert (row.title, row.priority, row.read_twice, row.text) == (
        "Họp", Priority.PRIORITY, True, "Mời bà con.\n\n# 1",
    )  # fmt: skip
    with pytest.raises(InputError, match="chưa có lời"):
        parse_bulletin("a.txt", "# tiêu đề: Họp\n\n \n")
    with pytest.raises(ConfigError, match="đọc hai lần"):
        parse_bulletin("a.txt", "# tiêu đề: Họp\n# đọc hai lần: yes\n\nMời.\n")


def test_every_rotation_of_the_sample_fits_its_slots_by_the_estimate(
    sqlite: Database, settings: Settings
) -> None:
    from broadcaster.schedule.running import length_ms

    with sqlite.writing() as session:
        loaded(session, settings)
        for line in plan_days(session, MONDAY, 15):
            rows = [session.get_one(Bulletin, item.bulletin_id) for item in line.items]
            assert line.max_ms is not None
            assert length_ms(session, rows) < line.max_ms
        assert MONDAY + timedelta(days=1) == date(2026, 11, 24)
