"""Many placements at once: by a pattern, from last week, by the automatic plan; previewed, applied, taken back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, NotFound, Refused
from broadcaster.model import AiringState
from broadcaster.schedule.airings import materialise, place
from broadcaster.schedule.autoplanning import apply_auto, preview_auto
from broadcaster.schedule.changes import latest_change, orders_of, undo
from broadcaster.schedule.placing import (
    Pattern,
    chosen,
    copy_week,
    copy_yesterday,
    preview_copy,
    preview_spread,
    spread,
)
from broadcaster.schedule.rules import set_rotation
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, Campaign, Slot, Station, Topic
from tests.support.commune import MONDAY, Commune, at, bulletin, decide, found, slot

NOW = at("00:30")
WEEK = [(f"a{n}", MONDAY + timedelta(days=n), 1) for n in range(7)]


def of(kind: str, **more: object) -> Pattern:
    return Pattern(kind=kind, first=MONDAY, last=MONDAY + timedelta(days=6), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        (of("each"), "0123456"),
        (of("alternate"), "0246"),
        (of("weekdays", weekdays=frozenset({1, 5})), "04"),
        (of("dates", dates=frozenset({MONDAY + timedelta(days=3), MONDAY + timedelta(days=30)})), "3"),
        (of("times", times=3), "135"),
        (of("times", times=1), "3"),
        (of("times", times=20), "0123456"),
        (of("each", slot_ids=(2,)), ""),
        (Pattern(kind="each", first=MONDAY + timedelta(days=5), last=MONDAY + timedelta(days=9)), "56"),
    ],
)
def test_a_pattern_names_its_airings(pattern: Pattern, named: str) -> None:
    assert chosen(WEEK, pattern) == [f"a{n}" for n in named]


def fortnight(session: Session) -> Commune:
    commune = found(session)
    slot(session, commune, weekdays="mon,tue,wed,thu,fri,sat,sun", now=NOW)
    materialise(session, commune.station, today=MONDAY, now=NOW, days=14)
    return commune


def carried(session: Session) -> dict[date, list[int]]:
    rows = session.scalars(select(Airing).where(Airing.state != AiringState.CANCELLED)).all()
    orders = orders_of(session, [row.id for row in rows])
    return {row.local_date: orders[row.id] for row in rows}


def test_what_the_preview_shows_is_what_is_placed_and_can_be_taken_back(db: Database) -> None:
    with db.writing() as session:
        commune = fortnight(session)
        one = bulletin(session, commune, "Bản A")
        long = bulletin(session, commune, "Dài", seconds=14 * 60)
        tuesday = MONDAY + timedelta(days=1)
        airing = session.scalars(select(Airing).where(Airing.local_date == tuesday)).one()
        place(session, airing.id, long.id, actor=commune.author, now=NOW)
        before = carried(session)
        version = session.get_one(Station, commune.station.id).plan_version
        shown = preview_spread(session, commune.station, one.id, of("each"), actor=commune.author, now=NOW)
        assert carried(session) == before
        assert session.get_one(Station, commune.station.id).plan_version == version
        done = spread(session, commune.station, one.id, of("each"), actor=commune.author, now=NOW)
        assert [(line.day, line.why_not) for line in shown] == [(line.day, line.why_not) for line in done]
        assert [line.day for line in done if line.why_not] == [tuesday]  # no room there, and it says so
        assert "15 phút" in next(line.why_not for line in done if line.why_not)
        assert sum(one.id in order for order in carried(session).values()) == 6
        change = latest_change(session, commune.author.id, now=NOW)
        assert change is not None
        undo(session, change.id, actor=commune.author, now=NOW + timedelta(seconds=5))
        assert carried(session) == before


def test_a_pattern_that_meets_no_airing_says_so(db: Database) -> None:
    with db.writing() as session:
        commune = fortnight(session)
        one = bulletin(session, commune, "A")
        with pytest.raises(NotFound, match="Không có buổi phát nào khớp"):
            spread(
                session,
                commune.station,
                one.id,
                of("dates", dates=frozenset({date(2027, 5, 1)})),
                actor=commune.author,
                now=NOW,
            )
        spread(session, commune.station, one.id, of("each"), actor=commune.author, now=NOW)
        with pytest.raises(Refused, match="Không có buổi nào nhận được"):
            spread(session, commune.station, one.id, of("each"), actor=commune.author, now=NOW)


def test_last_week_fills_what_is_empty_and_leaves_what_is_not(db: Database) -> None:
    next_monday = MONDAY + timedelta(days=7)
    with db.writing() as session:
        commune = fortnight(session)
        a, b, gone = (bulletin(session, commune, name) for name in ("A", "B", "Rút"))
        by_day = {row.local_date: row.id for row in session.scalars(select(Airing))}
        for day, what in ((0, a), (0, gone), (1, b), (7, b)):
            place(session, by_day[MONDAY + timedelta(days=day)], what.id, actor=commune.author, now=NOW)
        decide(session, commune, gone.revisions[-1], "withdrawn")
        shown = preview_copy(session, commune.station, next_monday, now=NOW)
        assert [(line.day, line.bulletins) for line in shown] == [(next_monday + timedelta(days=1), (b.id,))]
        copy_week(session, commune.station, next_monday, actor=commune.author, now=NOW)
        after = carried(session)
        assert (after[next_monday], after[next_monday + timedelta(days=1)]) == ([b.id], [b.id])
        with pytest.raises(Refused, match="Không có gì để sao chép"):
            copy_week(session, commune.station, next_monday, actor=commune.author, now=NOW)


def test_a_day_without_airings_takes_over_yesterdays_that_are_still_to_come_and_approved(
    db: Database,
) -> None:
    tuesday, noon = MONDAY + timedelta(days=1), at("12:00", MONDAY + timedelta(days=1))
    with db.writing() as session:
        commune = found(session)
        for name, start in (("Sáng", "05:30"), ("Chiều", "17:00"), ("Tối", "18:30")):
            slot(session, commune, name, start, weekdays="mon", now=NOW)
        materialise(session, commune.station, today=MONDAY, now=NOW, days=2)
        a, gone = (bulletin(session, commune, name) for name in ("A", "Rút"))
        rows = {row.name: row for row in session.scalars(select(Airing))}
        for name, what in (("Sáng", a), ("Chiều", a), ("Chiều", gone), ("Tối", gone)):
            place(session, rows[name].id, what.id, actor=commune.author, now=NOW)
        some = commune.villages[:2]
        rows["Chiều"].villages[:] = some
        decide(session, commune, gone.revisions[-1], "withdrawn")
        lines = copy_yesterday(session, commune.station, tuesday, actor=commune.author, now=noon)
        assert [(line.name, bool(line.why_not)) for line in lines] == [
            ("Sáng", True), ("Chiều", False), ("Tối", True),
        ]  # fmt: skip
        assert "đã qua" in lines[0].why_not
        (made,) = session.scalars(select(Airing).where(Airing.local_date == tuesday))
        assert (made.id, made.start_local, made.max_minutes) == (
            lines[1].airing_id, rows["Chiều"].start_local, rows["Chiều"].max_minutes,
        )  # fmt: skip
        assert orders_of(session, [made.id])[made.id] == [a.id]
        assert {one.id for one in made.villages} == {one.id for one in some}
        with pytest.raises(Refused, match="đã có buổi phát"):
            copy_yesterday(session, commune.station, tuesday, actor=commune.author, now=noon)
        with pytest.raises(Refused, match="Không sao chép được buổi nào"):
            copy_yesterday(
                session, commune.station, MONDAY + timedelta(days=3), actor=commune.author, now=noon
            )


def test_the_automatic_plan_is_previewed_applied_as_seen_and_taken_back(db: Database) -> None:
    last = MONDAY + timedelta(days=27)  # beyond what is materialised
    with db.writing() as session:
        commune = fortnight(session)
        topic = session.get_one(Topic, commune.topic.id)
        campaign = Campaign(
            station_id=commune.station.id, title="Năm", first_day=MONDAY, last_day=MONDAY + timedelta(days=55)
        )
        session.add(campaign)
        session.flush()
        topic.campaign_id, topic.target_broadcasts = campaign.id, 20
        ids = [bulletin(session, commune, f"Bản {n}").id for n in range(4)]
        before = carried(session)
        asked = {"first": MONDAY, "last": last, "rest_days": 3, "per_airing": 2, "now": NOW}
        seen = preview_auto(session, commune.station, **asked)  # type: ignore[arg-type]
        assert carried(session) == before
        assert seen.limits.targets == {topic.id: 10}  # half of the campaign's days
        assert (seen.proposal.met, seen.proposal.bound) == (10, 10)
        with pytest.raises(Conflict, match="không còn như bạn đã xem"):
            apply_auto(session, commune.station, **asked, digest="0" * 64, actor=commune.author)  # type: ignore[arg-type]
        change = apply_auto(
            session, commune.station, **asked, digest=seen.proposal.digest, actor=commune.author
        )  # type: ignore[arg-type]
        after = carried(session)
        assert sum(len(order) for order in after.values()) == 10
        assert {one for order in after.values() for one in order} == set(ids)
        assert max(after) == last
        again = preview_auto(session, commune.station, **asked)  # type: ignore[arg-type]
        assert again.proposal.choices == ()  # what is there counts
        undo(session, change.id, actor=commune.author, now=NOW + timedelta(seconds=5))
        assert not any(carried(session).values())


def test_what_a_rotation_will_deal_to_airings_not_yet_made_takes_their_room_and_is_shown(
    db: Database,
) -> None:
    last = MONDAY + timedelta(days=27)  # two weeks beyond what is materialised
    with db.writing() as session:
        commune = fortnight(session)
        (slot,) = session.scalars(select(Slot)).all()
        turning = [bulletin(session, commune, f"Luân phiên {n}").id for n in range(2)]
        set_rotation(session, slot.id, turning, per_airing=1, actor=commune.author, now=NOW)
        bulletin(session, commune, "Bản khác")
        asked = {"first": MONDAY, "last": last, "rest_days": 0, "per_airing": 1, "now": NOW}
        seen = preview_auto(session, commune.station, **asked)  # type: ignore[arg-type]
        unmade = {day for _, day in seen.carried}
        assert min(unmade) > max(row for row in session.scalars(select(Airing.local_date)))
        assert {names for key, names in seen.carried.items()} == {("Luân phiên 0",), ("Luân phiên 1",)}
        assert not unmade & {one.day for one in seen.proposal.choices}
        apply_auto(session, commune.station, **asked, digest=seen.proposal.digest, actor=commune.author)  # type: ignore[arg-type]
        assert all(len(order) <= 1 for order in carried(session).values())
