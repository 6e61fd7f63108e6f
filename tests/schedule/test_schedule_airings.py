"""Rules become airings once; what has not started follows its rule, what has started stays."""

from __future__ import annotations

import threading
from datetime import date, time, timedelta

import pytest
from sqlalchemy import func, select

from broadcaster.errors import Conflict, InputError, NotFound, Refused
from broadcaster.model import AiringState, Priority
from broadcaster.schedule.airings import (
    add_extra,
    materialise,
    place,
)
from broadcaster.schedule.checking import SlotForm
from broadcaster.schedule.plan import plan, plan_days
from broadcaster.schedule.rules import clear_exception, edit_slot, remove_slot, set_exception, set_rotation
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, AiringVillage, Slot, Station, Village
from tests.support.commune import (
    MONDAY,
    WEEK,
    airing_on,
    at,
    bulletin,
    found,
    live_airings,
    plan_ahead,
    slot,
)

TUESDAY = date(2026, 11, 24)
SUNDAY = date(2026, 11, 29)


def form_of(row: Slot, **changes: object) -> SlotForm:
    values: dict[str, object] = {
        name: getattr(row, name)
        for name in (
            "name", "weekdays", "start_local", "valid_from", "valid_to", "max_minutes", "start_mode",
            "wait_s", "late_policy", "grace_s", "priority", "volume_percent", "template_name",
        )
    }  # fmt: skip
    return SlotForm(**{**values, "village_ids": tuple(one.id for one in row.villages), **changes})  # type: ignore[arg-type]


def test_two_slots_make_two_weeks_of_airings_once(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        slot(session, commune, "Buổi chiều", "17:00")
        assert plan_ahead(session, commune) == 24
        version = commune.station.plan_version
        assert plan_ahead(session, commune) == 0
        assert commune.station.plan_version == version, "nothing changed, nobody is told"
        assert commune.station.materialised_through == MONDAY + timedelta(days=13)
        first = live_airings(session)[0]
        assert (first.start_local, first.planned_at) == (time(5, 30), at("05:30"))
        assert session.scalar(select(func.count()).select_from(AiringVillage)) == 24 * 3
        assert [len(one.villages) for one in first.variants] == [3]


def test_instants_that_have_passed_are_not_made_up_afterwards(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        plan_ahead(session, commune, now=at("05:30"), days=2)
        assert [one.local_date for one in live_airings(session)] == [TUESDAY]


def test_racing_processes_make_each_airing_once(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        slot(session, commune, "Buổi chiều", "17:00")
        station_id = commune.station.id
    made: list[int] = []

    def run() -> None:
        with db.writing() as session:
            station = session.get_one(Station, station_id)
            made.append(materialise(session, station, today=MONDAY, now=at("00:30"), days=14))

    racers = [threading.Thread(target=run) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    with db.reading() as session:
        assert sum(made) == 24 == len(live_airings(session))
        assert session.scalar(select(func.count()).select_from(AiringVillage)) == 24 * 3


def test_a_rotation_deals_bulletins_in_turn_and_by_date(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        morning = slot(session, commune, valid_from=MONDAY)
        ids = [bulletin(session, commune, f"Bản {number}").id for number in range(5)]
        set_rotation(session, morning.id, ids, per_airing=2, actor=commune.author, now=at("00:10"))
        plan_ahead(session, commune)
        lines = plan_days(session, MONDAY, 14)
        orders = [[item.bulletin_id for item in line.items] for line in lines]
        assert orders[:4] == [ids[0:2], ids[2:4], [ids[4], ids[0]], ids[1:3]]
        assert len(orders) == 12
        assert orders[4:] == [[ids[turn * 2 % 5], ids[(turn * 2 + 1) % 5]] for turn in range(4, 12)]


def test_an_airing_carries_the_same_hand_however_late_it_was_made(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        morning = slot(session, commune, valid_from=MONDAY)
        ids = [bulletin(session, commune, f"Bản {number}").id for number in range(5)]
        set_rotation(session, morning.id, ids, per_airing=2, actor=commune.author, now=at("00:10"))
        set_exception(session, morning.id, TUESDAY, "skip", actor=commune.author, now=at("00:10"))
        for days in (1, 3, 9, 14):
            plan_ahead(session, commune, days=days)
        hands = {
            line.local_date: [item.bulletin_id for item in line.items]
            for line in plan_days(session, MONDAY, 14)
        }
        assert TUESDAY not in hands
        assert hands[date(2026, 11, 25)] == [ids[4], ids[0]], "the skipped day keeps its own turn"


def test_an_edit_moves_what_has_not_started_in_place_and_cancels_what_is_no_longer_named(
    db: Database,
) -> None:
    with db.writing() as session:
        commune = found(session)
        morning = slot(session, commune)
        plan_ahead(session, commune)
        item = bulletin(session, commune, "Tiêm phòng")
        tuesday = airing_on(session, TUESDAY)
        place(session, tuesday.id, item.id, actor=commune.author, now=at("01:00"))
        monday = airing_on(session, MONDAY)
        version = commune.station.plan_version
        edit_slot(
            session, morning.id, form_of(morning, start_local=time(6, 0), weekdays="mon,tue"),
            version=morning.version, actor=commune.author, now=at("05:31"),
        )  # fmt: skip
        session.expire_all()
        assert commune.station.plan_version > version
        assert monday.planned_at == at("05:30"), "it had started: frozen"
        assert tuesday.planned_at == at("06:00", TUESDAY)
        assert [one.bulletin_id for one in tuesday.variants[0].items] == [item.id]
        assert [one.local_date.isoweekday() for one in live_airings(session)] == [1, 2, 1, 2]
        gone = session.scalars(select(Airing).where(Airing.state == AiringState.CANCELLED)).all()
        assert len(gone) == 8
        assert all("không còn phát" in one.reason for one in gone)


def test_a_day_that_comes_back_carries_what_people_had_put_into_it(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        morning = slot(session, commune)
        plan_ahead(session, commune)
        item = bulletin(session, commune, "Tiêm phòng")
        tuesday = airing_on(session, TUESDAY)
        place(session, tuesday.id, item.id, actor=commune.author, now=at("01:00"))
        set_exception(
            session, morning.id, TUESDAY, "skip", note="Nghỉ lễ", actor=commune.author, now=at("01:00")
        )
        assert (tuesday.state, tuesday.reason) == (AiringState.CANCELLED, "Nghỉ lễ")
        assert plan(session, TUESDAY) == []
        clear_exception(session, morning.id, TUESDAY, actor=commune.author, now=at("01:05"))
        (line,) = plan(session, TUESDAY)
        assert [item.title for item in line.items] == ["Tiêm phòng"]
        assert line.airing_id != tuesday.id, "what was cancelled stays cancelled"
        other = bulletin(session, commune, "Họp thôn")
        place(session, line.airing_id, other.id, actor=commune.author, now=at("01:06"))
        set_exception(session, morning.id, TUESDAY, "skip", actor=commune.author, now=at("01:07"))
        clear_exception(session, morning.id, TUESDAY, actor=commune.author, now=at("01:08"))
        assert [item.title for item in plan(session, TUESDAY)[0].items] == ["Tiêm phòng", "Họp thôn"]


def test_a_dated_exception_moves_or_adds_one_day(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        morning = slot(session, commune)
        plan_ahead(session, commune)
        set_exception(
            session, morning.id, TUESDAY, "replace", start_local=time(7, 0), actor=commune.author, now=at("01:00")
        )  # fmt: skip
        set_exception(session, morning.id, SUNDAY, "extra", actor=commune.author, now=at("01:00"))
        assert airing_on(session, TUESDAY).planned_at == at("07:00", TUESDAY)
        assert airing_on(session, SUNDAY).planned_at == at("05:30", SUNDAY)
        with pytest.raises(InputError):
            set_exception(session, morning.id, SUNDAY, "replace", actor=commune.author, now=at("01:00"))
        with pytest.raises(InputError):
            set_exception(session, morning.id, SUNDAY, "nghỉ", actor=commune.author, now=at("01:00"))
        with pytest.raises(Refused):
            set_exception(
                session, morning.id, date(2026, 11, 22), "skip", actor=commune.author, now=at("01:00")
            )
        with pytest.raises(Refused):
            set_exception(
                session, morning.id, SUNDAY, "extra", start_local=time(4, 0), actor=commune.author, now=at("01:00")
            )  # fmt: skip


def test_an_edit_to_an_hour_that_has_passed_does_not_play_today(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        evening = slot(session, commune, "Buổi chiều", "17:00")
        plan_ahead(session, commune, now=at("00:30"))
        edit_slot(
            session, evening.id, form_of(evening, start_local=time(6, 0)), version=evening.version,
            actor=commune.author, now=at("12:00"),
        )  # fmt: skip
        assert [one.local_date for one in live_airings(session)][0] == TUESDAY


def test_villages_are_written_down_and_follow_slot_and_validity(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        one, two, three = commune.villages
        three.valid_to = TUESDAY
        session.flush()
        morning = slot(session, commune)
        plan_ahead(session, commune)
        assert len(plan(session, TUESDAY)[0].villages) == 3
        assert plan(session, date(2026, 11, 25))[0].villages == ("thon-1", "thon-2")
        edit_slot(
            session, morning.id, form_of(morning, village_ids=(two.id,)), version=morning.version,
            actor=commune.author, now=at("05:40"),
        )  # fmt: skip
        assert plan(session, MONDAY)[0].villages == ("thon-1", "thon-2", "thon-3"), "started: as it was"
        assert plan(session, TUESDAY)[0].villages == ("thon-2",)
        assert plan(session, TUESDAY, "thon-1") == []
        assert [line.slot_name for line in plan(session, TUESDAY, "thon-2")] == ["Buổi sáng"]
        assert one.id != two.id


def test_a_village_merged_away_leaves_the_airings_ahead_and_not_the_past(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        plan_ahead(session, commune)
        commune.villages[2].valid_to = MONDAY
        session.add(
            Village(
                station_id=commune.station.id,
                slug="thon-moi",
                name="Thôn mới",
                position=9,
                valid_from=TUESDAY,
            )
        )
        session.flush()
        plan_ahead(session, commune, now=at("06:00"))
        assert plan(session, MONDAY)[0].villages == ("thon-1", "thon-2", "thon-3")
        assert plan(session, TUESDAY)[0].villages == ("thon-1", "thon-2", "thon-moi")


def test_slots_that_clash_are_refused_with_three_remedies_and_nothing_is_written(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        with pytest.raises(Refused) as refused:
            slot(session, commune, "Phụ nữ", "05:40", weekdays="sat")
        assert "trùng giờ với “Buổi sáng”" in refused.value.message
        assert len(refused.value.remedies) == 3
        assert session.scalar(select(func.count()).select_from(Slot)) == 1
        slot(session, commune, "Chủ nhật", "05:40", weekdays="sun")


def test_a_new_slot_is_compared_with_extra_airings_that_are_dated(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        plan_ahead(session, commune)
        item = bulletin(session, commune, "Bão")
        add_extra(
            session, commune.station, local_date=TUESDAY, start_local=time(10, 0), bulletin_ids=[item.id],
            max_minutes=15, actor=commune.author, now=at("01:00"),
        )  # fmt: skip
        with pytest.raises(Refused, match="trùng giờ với “Phát bổ sung”"):
            slot(session, commune, "Trưa", "10:10", weekdays="tue")


def test_a_slot_changed_by_somebody_else_meanwhile_is_a_conflict(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        morning = slot(session, commune)
        opened = morning.version
        edit_slot(
            session, morning.id, form_of(morning, name="Sáng"), version=opened, actor=commune.author, now=at("01:00")
        )  # fmt: skip
        with pytest.raises(Conflict, match="tải lại"):
            edit_slot(
                session, morning.id, form_of(morning), version=opened, actor=commune.author, now=at("01:00")
            )


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"weekdays": "mon-fri"},
        {"valid_to": date(2025, 1, 1)},
        {"volume_percent": 101},
        {"grace_s": -1},
        {"priority": Priority.EMERGENCY},
        {"village_ids": (999,)},
    ],
)
def test_a_slot_that_makes_no_sense_is_met_with_a_sentence(db: Database, changes: dict[str, object]) -> None:
    with db.writing() as session:
        commune = found(session)
        morning = slot(session, commune)
        with pytest.raises(InputError):
            edit_slot(
                session, morning.id, form_of(morning, **changes), version=morning.version,
                actor=commune.author, now=at("01:00"),
            )  # fmt: skip


def test_a_removed_slot_cancels_what_is_ahead_and_keeps_what_was(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        morning = slot(session, commune)
        plan_ahead(session, commune)
        remove_slot(session, morning.id, actor=commune.author, now=at("05:35"))
        assert [one.local_date for one in live_airings(session)] == [MONDAY]
        with pytest.raises(NotFound):
            remove_slot(session, morning.id, actor=commune.author, now=at("05:36"))


def test_the_week_is_written_by_name(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        assert slot(session, commune, weekdays="sat,mon").weekdays == "mon,sat"
        assert WEEK == "mon,tue,wed,thu,fri,sat"
