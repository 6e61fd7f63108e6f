"""Which takes a machine is asked to listen back to, and what officers are shown of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.newsroom import bulletins as room
from broadcaster.newsroom.hearing import KIND, ask_hearings, hearing_job, hearing_of
from broadcaster.speech.hearing import Hearing, Place, hearing_to_json
from broadcaster.store.db import Database
from broadcaster.store.tables import RenderJob
from tests.newsroom.conftest import NOW, House, a_bulletin, approve, submitted
from tests.support.databases import KINDS, upgraded

FOUND = Hearing(11, 1, (Place(0, "tiêm", "tìm", 100, 900),))


@pytest.fixture(params=KINDS)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with upgraded(request.param, tmp_path) as database:
        yield database


def asked(session: Session) -> list[str]:
    return sorted(session.scalars(select(RenderJob.key).where(RenderJob.kind == KIND)))


def test_every_take_that_waits_for_an_approver_is_asked_for_once(session: Session, house: House) -> None:
    one, two = (submitted(session, house, a_bulletin(session, house)) for _ in range(2))
    submitted(session, house, a_bulletin(session, house), take=None)
    assert ask_hearings(session, now=NOW) == 2
    assert asked(session) == sorted([str(one.id), str(two.id)])
    assert ask_hearings(session, now=NOW) == 0
    job = hearing_job(session, one.id)
    assert job is not None
    assert (job.payload, job.station_id) == ({"revision_id": one.id}, house.station.id)
    assert job.due_at > NOW + timedelta(minutes=30)  # programmes that air sooner come first


def test_what_is_decided_already_is_not_listened_to(session: Session, house: House) -> None:
    approve(session, submitted(session, house, a_bulletin(session, house)), house.approver)
    back = submitted(session, house, a_bulletin(session, house))
    room.return_bulletin(session, back.id, actor=house.approver, reason="Sai ngày.", now=NOW)
    assert ask_hearings(session, now=NOW) == 0


def test_what_was_heard_is_shown_once_it_is_there_and_nothing_before(session: Session, house: House) -> None:
    revision = submitted(session, house, a_bulletin(session, house))
    assert hearing_of(session, revision.id) is None
    ask_hearings(session, now=NOW)
    assert hearing_of(session, revision.id) is None
    job = hearing_job(session, revision.id)
    assert job is not None
    job.state, job.result = "done", hearing_to_json(FOUND)
    session.flush()
    assert hearing_of(session, revision.id) == FOUND
