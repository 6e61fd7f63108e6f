"""Two people in the same moment: one wins, the other is told, nothing is lost.  On both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from broadcaster.errors import Conflict
from broadcaster.model import Priority
from broadcaster.newsroom.bulletins import approve, bulletin_by_id, freeze_take, save_draft, submit
from broadcaster.store.db import Database
from broadcaster.store.tables import Decision, RenderJob, Revision, TakeRow, User
from tests.newsroom.conftest import NOW, a_take
from tests.support.commune import Commune, found
from tests.support.databases import KINDS, upgraded
from tests.support.newsroom import submitted


@pytest.fixture(params=KINDS)
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with upgraded(request.param, tmp_path) as db:
        yield db


def at_once(*calls: Callable[[], object]) -> list[BaseException | None]:
    """Run all in the same moment; what each raised."""
    gate, raised = threading.Barrier(len(calls)), dict[int, BaseException | None]()

    def run(number: int, call: Callable[[], object]) -> None:
        gate.wait()
        try:
            call()
            raised[number] = None
        except BaseException as error:
            raised[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [raised[number] for number in range(len(calls))]


def prepared(db: Database, *, take: bool) -> tuple[Commune, User, Revision]:
    with db.writing() as session:
        commune = found(session)
        second = User(
            station_id=commune.station.id, username="duyet-2", display_name="Người thứ hai", password_hash="-",
            role=commune.approver.role, created_at=NOW,
        )  # fmt: skip
        session.add(second)
        revision = submitted(session, commune, now=NOW)
        if take:
            freeze_take(session, revision.id, a_take(), voice_label="thử", now=NOW)
        return commune, second, revision


def test_two_approvers_in_the_same_moment_make_one_decision(both: Database) -> None:
    commune, second, revision = prepared(both, take=True)

    def by(actor: User) -> Callable[[], object]:
        def call() -> None:
            with both.writing(station_id=commune.station.id) as session:
                approve(
                    session, revision.id, actor=actor, text_sha256=revision.text_sha256,
                    reading_sha256=revision.reading_sha256, take_sha256="a" * 64, now=NOW,
                )  # fmt: skip

        return call

    raised = at_once(by(commune.approver), by(second))
    assert sorted(type(error).__name__ for error in raised) == ["Conflict", "NoneType"]
    with both.reading() as session:
        assert len(session.scalars(select(Decision)).all()) == 1


def test_two_who_save_in_the_same_moment_do_not_overwrite_each_other(both: Database) -> None:
    commune, _, revision = prepared(both, take=False)
    with both.reading() as session:
        version = bulletin_by_id(session, revision.bulletin_id).version

    def saying(text: str) -> Callable[[], object]:
        def call() -> None:
            with both.writing(station_id=commune.station.id) as session:
                save_draft(
                    session, revision.bulletin_id, version=version, actor=commune.author, title="Tin",
                    text=text, topic_id=None, priority=Priority.ROUTINE, read_twice=False, now=NOW,
                )  # fmt: skip

        return call

    raised = at_once(saying("Lời thứ nhất."), saying("Lời thứ hai."), saying("Lời thứ ba."))
    assert sum(isinstance(error, Conflict) for error in raised) == 2
    winner = ["Lời thứ nhất.", "Lời thứ hai.", "Lời thứ ba."][raised.index(None)]
    with both.reading() as session:
        assert bulletin_by_id(session, revision.bulletin_id).draft_text == winner


def test_submitting_twice_in_the_same_moment_is_one_revision(both: Database) -> None:
    commune, _, revision = prepared(both, take=False)
    with both.writing() as session:
        bulletin = bulletin_by_id(session, revision.bulletin_id)
        save_draft(
            session, bulletin.id, version=bulletin.version, actor=commune.author, title="Tin",
            text="Lời mới.", topic_id=None, priority=Priority.ROUTINE, read_twice=False, now=NOW,
        )  # fmt: skip
    version = bulletin.version

    def call() -> None:
        with both.writing(station_id=commune.station.id) as session:
            submit(session, revision.bulletin_id, version=version, actor=commune.author, now=NOW)

    raised = at_once(call, call)
    assert sorted(type(error).__name__ for error in raised) == ["Conflict", "NoneType"]
    with both.reading() as session:
        assert [row.number for row in session.scalars(select(Revision).order_by(Revision.id))] == [1, 2]
        assert len(session.scalars(select(RenderJob)).all()) == 2


def test_two_workers_that_freeze_the_same_take_make_one(both: Database) -> None:
    _, _, revision = prepared(both, take=False)

    def freezing(letter: str) -> Callable[[], object]:
        def call() -> None:
            with both.writing() as session:
                freeze_take(session, revision.id, a_take(letter), voice_label="thử", now=NOW)

        return call

    assert at_once(freezing("a"), freezing("b")) == [None, None]
    with both.reading() as session:
        assert len(session.scalars(select(TakeRow)).all()) == 1
