"""Two officers at the same moment: one is told, nothing of either is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, Conflict
from broadcaster.schedule.airings import materialise, place
from broadcaster.schedule.ending import form_of
from broadcaster.schedule.live import load_airing
from broadcaster.schedule.rules import edit_slot
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, Slot, User
from tests.support.commune import MONDAY, at, bulletin, found, slot

NOW = at("00:30")


def together(db: Database, *deeds: Callable[[Session], object]) -> list[BroadcasterError | None]:
    """Each deed in a thread and a transaction of its own, begun at the same moment; what each was told."""
    gate = threading.Barrier(len(deeds))
    told: list[BroadcasterError | None] = [None] * len(deeds)

    def run(number: int) -> None:
        gate.wait(timeout=60)
        try:
            with db.writing() as session:
                deeds[number](session)
        except BroadcasterError as error:
            told[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=100)
    return told


def test_of_two_who_edit_one_slot_the_second_is_told_and_nothing_is_overwritten(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        row = slot(session, commune, now=NOW)
        materialise(session, commune.station, today=MONDAY, now=NOW, days=7)
        form, version = form_of(session.get_one(Slot, row.id)), row.version

    def rename(name: str) -> Callable[[Session], object]:
        return lambda session: edit_slot(
            session, row.id, replace(form, name=name), version=version,
            actor=session.get_one(User, commune.author.id), now=NOW,
        )  # fmt: skip

    told = together(db, rename("Sáng của Hoa"), rename("Sáng của Minh"))
    assert sorted(type(one) for one in told if one is not None) == [Conflict]
    with db.reading() as session:
        winner = ("Sáng của Hoa", "Sáng của Minh")[told.index(None)]
        assert session.get_one(Slot, row.id).name == winner
        assert {one.name for one in session.scalars(select(Airing))} == {winner}


def test_two_who_place_into_one_airing_find_both_there_in_an_order(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune, now=NOW)
        materialise(session, commune.station, today=MONDAY, now=NOW, days=1)
        airing_id = session.scalars(select(Airing.id)).one()
        ids = [bulletin(session, commune, name).id for name in ("A", "B")]

    def put(bulletin_id: int) -> Callable[[Session], object]:
        return lambda session: place(
            session, airing_id, bulletin_id, actor=session.get_one(User, commune.author.id), now=NOW
        )

    assert together(db, *(put(one) for one in ids)) == [None, None]
    with db.reading() as session:
        items = load_airing(session, airing_id).variants[0].items
        assert {item.bulletin_id for item in items} == set(ids)
        assert [item.position for item in items] == [1, 2]
