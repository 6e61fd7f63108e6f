"""One dialog for a change of a series: this one, this and the following, all to come; and taking it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError, Refused
from broadcaster.model import AiringState
from broadcaster.schedule.airings import close_content, mark_started, materialise, place
from broadcaster.schedule.changes import latest_change, orders_of, undo
from broadcaster.schedule.ending import form_of
from broadcaster.schedule.live import load_airing
from broadcaster.schedule.rules import set_rotation
from broadcaster.schedule.series import Scope, edit_series, move, take_away
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, Slot, Station
from tests.support.commune import (
    MONDAY,
    Commune,
    airing_on,
    at,
    bulletin,
    found,
    slot,
)

NOW = at("00:30")
TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
State = dict[date, tuple[str, time, str]]


def week(session: Session) -> tuple[Commune, Slot]:
    """A slot of five weekday mornings with six days of airings; Wednesday's carries a bulletin."""
    commune = found(session)
    row = slot(session, commune, weekdays="mon,tue,wed,thu,fri", now=NOW)
    materialise(session, commune.station, today=MONDAY, now=NOW, days=6)
    place(
        session,
        airing_on(session, WEDNESDAY).id,
        bulletin(session, commune, "Bản A").id,
        actor=commune.author,
        now=NOW,
    )
    return commune, row


def state(session: Session) -> State:
    """What plays: date -> (id, start, which bulletins)."""
    rows = session.scalars(select(Airing).where(Airing.state != AiringState.CANCELLED)).all()
    orders = orders_of(session, [row.id for row in rows])
    return {row.local_date: (row.id, row.start_local, str(orders[row.id])) for row in rows}


def without_ids(found_state: State) -> dict[date, tuple[time, str]]:
    return {day: line[1:] for day, line in found_state.items()}


@pytest.mark.parametrize(
    ("scope", "moved"),
    [(Scope.THIS, {2}), (Scope.FOLLOWING, {2, 3, 4}), (Scope.ALL, {0, 1, 2, 3, 4})],
)
def test_another_start_reaches_as_far_as_was_said_and_keeps_every_airing(
    db: Database, scope: Scope, moved: set[int]
) -> None:
    with db.writing() as session:
        commune, _ = week(session)
        before = state(session)
        airing = airing_on(session, WEDNESDAY)
        move(
            session,
            airing.id,
            scope=scope,
            start_local=time(6, 15),
            version=airing.version,
            actor=commune.author,
            now=NOW,
        )
        after = state(session)
        for number in range(5):
            day = MONDAY + timedelta(days=number)
            start = time(6, 15) if number in moved else time(5, 30)
            assert after[day] == (before[day][0], start, before[day][2])


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("deed", ["move", "take away"])
def test_every_change_of_a_series_can_be_taken_back(db: Database, scope: Scope, deed: str) -> None:
    with db.writing() as session:
        commune, _ = week(session)
        before = state(session)
        airing = airing_on(session, WEDNESDAY)
        if deed == "move":
            move(
                session, airing.id, scope=scope, start_local=time(6, 15), version=airing.version,
                actor=commune.author, now=NOW,
            )  # fmt: skip
        else:
            take_away(
                session,
                airing.id,
                scope=scope,
                reason="Tang lễ",
                version=airing.version,
                actor=commune.author,
                now=NOW,
            )
        assert without_ids(state(session)) != without_ids(before)
        change = latest_change(session, commune.author.id, now=NOW)
        assert change is not None
        undo(session, change.id, actor=commune.author, now=NOW + timedelta(seconds=8))
        assert without_ids(state(session)) == without_ids(before)
        # And what comes later follows the old rule again.
        materialise(session, commune.station, today=MONDAY, now=NOW, days=12)
        later = {day: line[1] for day, line in state(session).items() if day > MONDAY + timedelta(days=6)}
        assert set(later.values()) == {time(5, 30)}
        assert len(later) == 5
        with pytest.raises(Refused, match="không hoàn tác được"):
            undo(session, change.id, actor=commune.author, now=NOW + timedelta(seconds=9))


@pytest.mark.parametrize(
    ("scope", "left"), [(Scope.THIS, [0, 1, 3, 4]), (Scope.FOLLOWING, [0, 1]), (Scope.ALL, [])]
)
def test_taking_away_reaches_as_far_as_was_said(db: Database, scope: Scope, left: list[int]) -> None:
    with db.writing() as session:
        commune, _ = week(session)
        airing = airing_on(session, WEDNESDAY)
        take_away(
            session,
            airing.id,
            scope=scope,
            reason="Tang lễ",
            version=airing.version,
            actor=commune.author,
            now=NOW,
        )
        materialise(session, commune.station, today=MONDAY, now=NOW, days=6)
        assert sorted(state(session)) == [MONDAY + timedelta(days=n) for n in left]
        reasons = {
            row.reason for row in session.scalars(select(Airing).where(Airing.state == AiringState.CANCELLED))
        }
        assert ("Tang lễ" in reasons) == (scope is Scope.THIS)


def test_one_airing_goes_to_another_day_with_what_it_carries(db: Database) -> None:
    saturday = MONDAY + timedelta(days=5)
    with db.writing() as session:
        commune, _ = week(session)
        carried = state(session)[WEDNESDAY][2]
        airing = airing_on(session, WEDNESDAY)
        move(
            session, airing.id, scope=Scope.THIS, day=saturday, start_local=time(7), version=airing.version,
            actor=commune.author, now=NOW,
        )  # fmt: skip
        after = state(session)
        assert WEDNESDAY not in after
        assert after[saturday][1:] == (time(7), carried)


def test_a_day_that_has_an_airing_of_the_slot_is_no_place_to_go(db: Database) -> None:
    with db.writing() as session:
        commune, _ = week(session)
        airing = airing_on(session, WEDNESDAY)
        with pytest.raises(Refused, match="đã có một buổi"):
            move(
                session, airing.id, scope=Scope.THIS, day=TUESDAY, start_local=time(7), version=airing.version,
                actor=commune.author, now=NOW,
            )  # fmt: skip
        with pytest.raises(InputError, match="cả chuỗi"):
            move(
                session, airing.id, scope=Scope.ALL, day=TUESDAY, start_local=time(7), version=airing.version,
                actor=commune.author, now=NOW,
            )  # fmt: skip


def test_a_clash_is_refused_with_ways_out_and_changes_nothing(db: Database) -> None:
    with db.writing() as session:
        commune, _ = week(session)
        slot(session, commune, "Buổi chiều", "17:00", now=NOW)
    with db.reading() as session:
        airing = session.scalars(
            select(Airing).where(Airing.local_date == WEDNESDAY, Airing.start_local == time(5, 30))
        ).one()
    with db.writing() as session, pytest.raises(Refused) as caught:
        move(
            session, airing.id, scope=Scope.FOLLOWING, start_local=time(17, 5), version=airing.version,
            actor=commune.author, now=NOW,
        )  # fmt: skip
    assert len(caught.value.remedies) == 3
    with db.reading() as session:
        assert len(session.scalars(select(Slot)).all()) == 2


def test_what_somebody_else_changed_meanwhile_is_a_conflict(db: Database) -> None:
    with db.writing() as session:
        commune, _ = week(session)
        airing = airing_on(session, WEDNESDAY)
        seen = airing.version
        move(
            session,
            airing.id,
            scope=Scope.THIS,
            start_local=time(6),
            version=seen,
            actor=commune.author,
            now=NOW,
        )
        with pytest.raises(Conflict, match="vừa được người khác sửa"):
            move(
                session,
                airing.id,
                scope=Scope.THIS,
                start_local=time(7),
                version=seen,
                actor=commune.author,
                now=NOW,
            )


def test_taking_back_is_refused_when_the_slot_moved_on(db: Database) -> None:
    with db.writing() as session:
        commune, row = week(session)
        for start in (time(6), time(7)):
            airing = airing_on(session, WEDNESDAY)
            move(
                session, airing.id, scope=Scope.ALL, start_local=start, version=airing.version, actor=commune.author,
                now=NOW,
            )  # fmt: skip
        newest = latest_change(session, commune.author.id, now=NOW)
        assert newest is not None
        with pytest.raises(Conflict, match="sửa thêm"):
            undo(session, newest.id - 1, actor=commune.author, now=NOW)
        with pytest.raises(Refused):
            undo(session, newest.id, actor=commune.approver, now=NOW)
        with pytest.raises(Refused):
            undo(session, newest.id, actor=commune.author, now=NOW + timedelta(minutes=10))


def test_what_has_started_is_never_changed(db: Database) -> None:
    with db.writing() as session:
        commune, row = week(session)
        monday = airing_on(session, MONDAY)
        place(session, monday.id, bulletin(session, commune, "B").id, actor=commune.author, now=NOW)
        close_content(session, load_airing(session, monday.id), now=at("05:00"))
        mark_started(session, commune.station, now=at("05:50"))
        kept = (monday.state, monday.start_local, monday.slot_id, monday.version)
        tuesday = airing_on(session, TUESDAY)
        move(
            session, tuesday.id, scope=Scope.ALL, start_local=time(6, 45), version=tuesday.version,
            actor=commune.author, now=at("06:00"),
        )  # fmt: skip
        assert (monday.state, monday.start_local, monday.slot_id, monday.version) == kept
        with pytest.raises(Refused):
            take_away(
                session, monday.id, scope=Scope.THIS, reason="x", version=monday.version, actor=commune.author,
                now=at("06:00"),
            )  # fmt: skip


def test_a_split_series_goes_on_with_its_standing_order_where_it_stood(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        row = slot(session, commune, weekdays="mon,tue,wed,thu,fri", valid_from=MONDAY, now=NOW)
        order = [bulletin(session, commune, name).id for name in "ABCDE"]
        set_rotation(session, row.id, order, per_airing=1, actor=commune.author, now=NOW)
        materialise(session, commune.station, today=MONDAY, now=NOW, days=3)
        airing = airing_on(session, WEDNESDAY)
        edit_series(
            session, airing.id, replace(form_of(session.get_one(Slot, row.id)), max_minutes=20), scope=Scope.FOLLOWING,
            version=airing.version, actor=commune.author, now=NOW,
        )  # fmt: skip
        materialise(session, commune.station, today=MONDAY, now=NOW, days=5)
        carried = [state(session)[MONDAY + timedelta(days=n)][2] for n in range(5)]
        assert carried == [f"[{one}]" for one in order]
        assert airing_on(session, WEDNESDAY).max_minutes == 20
        assert airing_on(session, TUESDAY).max_minutes == 15


def test_twenty_three_fifty_five_and_longer_than_the_day_is_refused(db: Database) -> None:
    with db.writing() as session:
        commune, _ = week(session)
        session.get_one(Station, commune.station.id).policy = {
            "latest_end": "00:00",
            "quiet_from": "00:00",
            "quiet_to": "00:00",
        }
        airing = airing_on(session, WEDNESDAY)
        with pytest.raises(Refused, match="qua nửa đêm"):
            move(
                session, airing.id, scope=Scope.ALL, start_local=time(23, 55), version=airing.version,
                actor=commune.author, now=NOW,
            )  # fmt: skip
