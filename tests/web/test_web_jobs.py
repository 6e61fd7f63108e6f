"""Work on sound, seen over the web: stopped and asked for again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from broadcaster.store.queue import claim, enqueue, finish, report_progress
from broadcaster.store.tables import RenderJob
from tests.support.web_station import NOW


def asked(world: Any, kind: str = "listen") -> int:
    with world.db.writing() as session:
        payload = {"sentences": [["Chào.", "sentence"]], "bulletin_id": world.made.draft}
        return enqueue(
            session, station_id=world.made.station, kind=kind, key=f"k-{kind}", payload=payload,
            due_at=NOW - timedelta(days=1), now=NOW,
        ).id  # fmt: skip


def state(world: Any, number: int) -> str:
    with world.db.reading() as session:
        return session.get_one(RenderJob, number).state


def test_a_running_job_is_stopped_and_its_worker_finishes_nothing(world: Any) -> None:
    number = asked(world)
    author = world.browser("canbo")
    job = claim(world.db, owner="w1", kinds=["listen"], now=NOW)
    assert job is not None
    assert "Dừng việc này" in author.get(f"/viec/{number}").text
    assert author.post(f"/viec/{number}/dung").status_code == 303
    assert not report_progress(world.db, job, stage="đọc", done=1, total=2, now=NOW)
    with world.db.writing() as session:
        assert not finish(session, job, result={})
    assert state(world, number) == "dropped"
    page = author.get(f"/viec/{number}").text
    assert "Đã dừng theo yêu cầu" in page
    assert author.post(f"/viec/{number}/lam-lai").status_code == 303
    assert state(world, number) == "queued"


def test_a_running_job_says_about_how_long_it_still_takes(world: Any) -> None:
    number = asked(world)
    author = world.browser("canbo")
    job = claim(world.db, owner="w1", kinds=["listen"], now=NOW - timedelta(seconds=14))
    assert job is not None
    assert "còn khoảng" not in author.get(f"/viec/{number}").text
    report_progress(world.db, job, stage="đọc", done=7, total=27, now=NOW)
    assert "7/27, còn khoảng 40 giây" in author.get(f"/viec/{number}").text
    report_progress(world.db, job, stage="đọc", done=1, total=27, now=NOW)
    assert "1/27, còn khoảng 6 phút" in author.get(f"/viec/{number}").text
    report_progress(world.db, job, stage="đọc", done=27, total=27, now=NOW)
    assert "còn khoảng" not in author.get(f"/viec/{number}").text


@pytest.mark.parametrize("what", ["dung", "lam-lai"])
def test_who_may_not_write_may_not_stop(world: Any, what: str) -> None:
    number = asked(world)
    approver = world.browser("lanhdao")
    assert approver.post(f"/viec/{number}/{what}").status_code == 403
    assert state(world, number) == "queued"


def test_what_an_airing_waits_for_is_not_stopped_by_hand(world: Any) -> None:
    number = asked(world, "programme")
    author = world.browser("canbo")
    author.get(f"/viec/{number}")
    assert author.post(f"/viec/{number}/dung").status_code == 422
    assert state(world, number) == "queued"
