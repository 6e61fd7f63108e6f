"""Jobs are claimed by one worker each and finished once, on both databases and under concurrency."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from broadcaster.store.db import Database
from broadcaster.store.queue import (
    LEASE,
    MAX_ATTEMPTS,
    RETRY_AFTER,
    Doorbell,
    Job,
    claim,
    enqueue,
    fail,
    finish,
    give_back,
    reconcile,
    renew,
    report_progress,
)
from broadcaster.store.tables import RenderJob, Station

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def station(database: Database) -> int:
    with database.writing() as session:
        row = Station(slug="a", name="Xã A", call_sign="a", created_at=NOW)
        session.add(row)
        session.flush()
        return row.id


def ask(db: Database, station: int, key: str, *, kind: str = "take", due: datetime = NOW) -> int:
    with db.writing() as session:
        return enqueue(
            session, station_id=station, kind=kind, key=key, payload={"k": key}, due_at=due, now=NOW
        ).id


def take(db: Database, owner: str = "w", *, now: datetime = NOW) -> Job:
    job = claim(db, owner=owner, kinds=["take"], now=now)
    assert job is not None
    return job


def close(db: Database, job: Job) -> bool:
    with db.writing() as session:
        return finish(session, job, result={"ok": True})


def row(db: Database, job_id: int) -> RenderJob:
    with db.reading() as session:
        return session.get_one(RenderJob, job_id)


def test_the_most_urgent_of_the_asked_kinds_comes_first(database: Database, station: int) -> None:
    ask(database, station, "late", due=NOW + timedelta(hours=2))
    ask(database, station, "soon", due=NOW + timedelta(hours=1))
    ask(database, station, "other", kind="preview", due=NOW)
    assert [take(database).key, take(database).key] == ["soon", "late"]
    assert claim(database, owner="w", kinds=["take"], now=NOW) is None


def test_asking_again_is_the_same_job_and_only_brings_it_forward(database: Database, station: int) -> None:
    first = ask(database, station, "x", due=NOW + timedelta(hours=2))
    assert ask(database, station, "x", due=NOW + timedelta(hours=1)) == first
    assert ask(database, station, "x", due=NOW + timedelta(hours=9)) == first
    assert row(database, first).due_at == NOW + timedelta(hours=1)


def test_many_who_ask_in_the_same_moment_make_one_job(database: Database, station: int) -> None:
    start, ids, trouble = threading.Barrier(4), [], []

    def run() -> None:
        start.wait()
        try:
            ids.append(ask(database, station, "same"))
        except Exception as error:
            trouble.append(error)

    _together([run] * 4)
    assert trouble == []
    assert len(set(ids)) == 1


def test_four_workers_share_forty_jobs_and_none_is_done_twice(database: Database, station: int) -> None:
    for number in range(40):
        ask(database, station, str(number))
    done: Counter[str] = Counter()
    trouble: list[Exception] = []
    turn = threading.Lock()

    def run(owner: str) -> None:
        try:
            misses = 0
            while misses < 20:
                job = claim(database, owner=owner, kinds=["take"], now=NOW)
                if job is None:
                    misses += 1
                    continue
                assert report_progress(database, job, stage="đọc", done=1, total=2, now=NOW)
                if close(database, job):
                    with turn:
                        done[job.key] += 1
        except Exception as error:
            trouble.append(error)

    _together([lambda n=n: run(f"w{n}") for n in range(4)])  # type: ignore[misc]
    assert trouble == []
    assert done == Counter({str(number): 1 for number in range(40)})
    with database.reading() as session:
        assert {job.state for job in session.scalars(select(RenderJob))} == {"done"}


def test_a_worker_that_lost_its_lease_can_neither_report_nor_finish(database: Database, station: int) -> None:
    ask(database, station, "x")
    slow = take(database, "slow")
    later = NOW + LEASE + timedelta(seconds=1)
    assert reconcile(database, now=later) == 1
    quick = take(database, "quick", now=later)
    assert quick.attempt == 2
    assert not report_progress(database, slow, stage="x", done=1, total=1, now=later)
    assert not renew(database, slow, now=later)
    assert not fail(database, slow, error="x", now=later)
    assert not give_back(database, slow)
    assert not close(database, slow)
    assert close(database, quick)
    assert not close(database, quick)
    assert row(database, quick.id).result == {"ok": True}


def test_a_lease_that_is_renewed_is_not_taken_away(database: Database, station: int) -> None:
    ask(database, station, "x")
    job = take(database)
    assert renew(database, job, now=NOW + LEASE)
    assert reconcile(database, now=NOW + LEASE + timedelta(seconds=1)) == 0
    assert close(database, job)


def test_a_failure_waits_longer_each_time_and_is_given_up_with_its_sentence(
    database: Database, station: int
) -> None:
    job_id = ask(database, station, "x")
    now = NOW
    for attempt in range(1, MAX_ATTEMPTS):
        job = take(database, now=now)
        assert job.attempt == attempt
        assert fail(database, job, error="Mạng hỏng.", now=now)
        now += RETRY_AFTER * 3 ** (attempt - 1)
        assert claim(database, owner="w", kinds=["take"], now=now - timedelta(seconds=1)) is None
    assert fail(database, take(database, now=now), error="Mạng hỏng.", now=now)
    assert (row(database, job_id).state, row(database, job_id).error) == ("failed", "Mạng hỏng.")
    assert claim(database, owner="w", kinds=["take"], now=now + timedelta(days=1)) is None
    ask(database, station, "x")  # asked for once more by a person
    assert take(database, now=now).attempt == 1


def test_what_cannot_be_mended_is_given_up_at_once(database: Database, station: int) -> None:
    job_id = ask(database, station, "x")
    fail(database, take(database), error="Không có giọng này.", now=NOW, for_good=True)
    assert row(database, job_id).state == "failed"


def test_a_job_that_killed_three_workers_is_given_up(database: Database, station: int) -> None:
    job_id = ask(database, station, "x")
    now = NOW
    for _ in range(MAX_ATTEMPTS):
        take(database, now=now)
        now += LEASE + timedelta(seconds=1)
        assert reconcile(database, now=now) == 1
    assert row(database, job_id).state == "failed"
    assert "dừng giữa chừng" in row(database, job_id).error


def test_a_job_given_back_counts_no_attempt(database: Database, station: int) -> None:
    ask(database, station, "x")
    assert give_back(database, take(database))
    assert take(database).attempt == 1


@pytest.fixture
def doorbell(tmp_path: Path) -> Iterator[Doorbell]:
    bell = Doorbell(str(tmp_path / "queue.db"))
    yield bell
    bell.close()


def test_a_ring_wakes_who_waits_and_many_rings_are_one(doorbell: Doorbell) -> None:
    stop = threading.Event()
    assert not doorbell.wait(stop, seconds=0.1)
    doorbell.ring()
    doorbell.ring()
    assert doorbell.wait(stop, seconds=30)
    assert not doorbell.wait(stop, seconds=0.1)


def test_who_is_asked_to_stop_does_not_wait(doorbell: Doorbell) -> None:
    stop = threading.Event()
    stop.set()
    started = time.monotonic()
    assert not doorbell.wait(stop, seconds=3_600)
    assert time.monotonic() - started < 60


def _together(functions: list) -> None:  # type: ignore[type-arg]
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
