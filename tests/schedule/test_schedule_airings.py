"""Rules become airings once; what has not started follows its rule, what has started stays."""

from __future__ import annotations

import threading
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError, NotFound, Refused
from broadcaster.model import AiringOrigin, AiringState, BulletinState, Priority
from broadcaster.schedule.airings import (
    add_extra,
    close_content,
    mark_started,
    materialise,
    move_item,
    place,
    remove_item,
    skip_airing,
)
from broadcaster.schedule.plan import plan, plan_days
from broadcaster.schedule.rules import (
    SlotForm,
    clear_exception,
    edit_slot,
    remove_slot,
    set_exception,
    set_rotation,
)
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, AiringVillage, Audit, Slot, Station, Village
from tests.support.commune import (
    MONDAY,
    WEEK,
    Commune,
    at,
    bulletin,
    decide,
    found,
    revise,
    slot,
)

TUESDAY = date(2026, 11, 24)
SUNDAY = date(2026, 11, 29)


def make(session: Session, commune: Commune, *, now: datetime | None = None, days: int = 14) -> int:
    return materialise(session, commune.station, today=MONDAY, now=now or at("00:30"), days=days)


def live(session: Session) -> list[Airing]:
    return list(
        session.scalars(
            select(Airing).where(Airing.state != AiringState.CANCELLED).order_by(Airing.planned_at)
        )
    )


def on(session: Session, day: date) -> Airing:
    (airing,) = [one for one in live(session) if one.local_date == day]
    return airing


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
        assert make(session, commune) == 24
        version = commune.station.plan_version
        assert make(session, commune) == 0
        assert commune.station.plan_version == version, "nothing changed, nobody is told"
        assert commune.station.materialised_through == MONDAY + timedelta(days=13)
        first = live(session)[0]
        assert (first.start_local, first.planned_at) == (time(5, 30), at("05:30"))
        assert session.scalar(select(func.count()).select_from(AiringVillage)) == 24 * 3
        assert [len(one.villages) for one in first.variants] == [3]


def test_instants_that_have_passed_are_not_made_up_afterwards(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        make(session, commune, now=at("05:30"), days=2)
        assert [one.local_date for one in live(session)] == [TUESDAY]


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
        assert sum(made) == 24 == len(live(session))
        assert session.scalar(select(func.count()).select_from(AiringVillage)) == 24 * 3


def test_a_rotation_deals_bulletins_in_turn_and_by_date(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        morning = slot(session, commune, valid_from=MONDAY)
        ids = [bulletin(session, commune, f"Bản {number}").id for number in range(5)]
        set_rotation(session, morning.id, ids, per_airing=2, actor=commune.author, now=at("00:10"))
        make(session, commune)
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
            make(session, commune, days=days)
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
        make(session, commune)
        item = bulletin(session, commune, "Tiêm phòng")
        tuesday = on(session, TUESDAY)
        place(session, tuesday.id, item.id, actor=commune.author, now=at("01:00"))
        monday = on(session, MONDAY)
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
        assert [one.local_date.isoweekday() for one in live(session)] == [1, 2, 1, 2]
        gone = session.scalars(select(Airing).where(Airing.state == AiringState.CANCELLED)).all()
        assert len(gone) == 8
        assert all("không còn phát" in one.reason for one in gone)


def test_a_day_that_comes_back_carries_what_people_had_put_into_it(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        morning = slot(session, commune)
        make(session, commune)
        item = bulletin(session, commune, "Tiêm phòng")
        tuesday = on(session, TUESDAY)
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
        make(session, commune)
        set_exception(
            session, morning.id, TUESDAY, "replace", start_local=time(7, 0), actor=commune.author, now=at("01:00")
        )  # fmt: skip
        set_exception(session, morning.id, SUNDAY, "extra", actor=commune.author, now=at("01:00"))
        assert on(session, TUESDAY).planned_at == at("07:00", TUESDAY)
        assert on(session, SUNDAY).planned_at == at("05:30", SUNDAY)
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
        make(session, commune, now=at("00:30"))
        edit_slot(
            session, evening.id, form_of(evening, start_local=time(6, 0)), version=evening.version,
            actor=commune.author, now=at("12:00"),
        )  # fmt: skip
        assert [one.local_date for one in live(session)][0] == TUESDAY


def test_villages_are_written_down_and_follow_slot_and_validity(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        one, two, three = commune.villages
        three.valid_to = TUESDAY
        session.flush()
        morning = slot(session, commune)
        make(session, commune)
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
        make(session, commune)
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
        make(session, commune, now=at("06:00"))
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
        make(session, commune)
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
        make(session, commune)
        remove_slot(session, morning.id, actor=commune.author, now=at("05:35"))
        assert [one.local_date for one in live(session)] == [MONDAY]
        with pytest.raises(NotFound):
            remove_slot(session, morning.id, actor=commune.author, now=at("05:36"))


def test_the_running_order_is_changed_item_by_item_and_written_down(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        make(session, commune)
        one, two, three = (bulletin(session, commune, title) for title in ("Một", "Hai", "Ba"))
        airing = on(session, TUESDAY)
        for row in (one, two):
            place(session, airing.id, row.id, actor=commune.author, now=at("01:00"))
        place(session, airing.id, three.id, position=1, actor=commune.author, now=at("01:00"))

        def titles() -> list[str]:
            session.expire_all()
            return [item.title for item in plan(session, TUESDAY)[0].items]

        assert titles() == ["Ba", "Một", "Hai"]
        move_item(session, airing.id, three.id, position=3, actor=commune.author, now=at("01:00"))
        assert titles() == ["Một", "Hai", "Ba"]
        move_item(session, airing.id, two.id, position=1, actor=commune.author, now=at("01:00"))
        assert titles() == ["Hai", "Một", "Ba"]
        remove_item(session, airing.id, one.id, actor=commune.author, now=at("01:00"))
        assert titles() == ["Hai", "Ba"]
        with pytest.raises(Refused, match="đã có trong buổi"):
            place(session, airing.id, two.id, actor=commune.author, now=at("01:00"))
        with pytest.raises(NotFound):
            remove_item(session, airing.id, one.id, actor=commune.author, now=at("01:00"))
        with pytest.raises(InputError):
            place(session, airing.id, one.id, position=0, actor=commune.author, now=at("01:00"))
        actions = session.scalars(select(Audit.action).where(Audit.subject == airing.id)).all()
        assert actions.count("xếp bản tin") == 3
        assert actions.count("đổi thứ tự") == 2


def test_more_minutes_than_the_slot_has_are_refused(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune, minutes=5)
        make(session, commune)
        airing = on(session, TUESDAY)
        long = bulletin(session, commune, "Dài", seconds=240)
        place(session, airing.id, long.id, actor=commune.author, now=at("01:00"))
        twice = bulletin(session, commune, "Nhắc hai lần", seconds=8, read_twice=True)
        with pytest.raises(Refused, match="quá 5 phút") as refused:
            place(session, airing.id, twice.id, actor=commune.author, now=at("01:00"))
        assert refused.value.remedies
        once = bulletin(session, commune, "Nhắc một lần", seconds=8)
        unread = bulletin(
            session, commune, "Chưa thu", state=BulletinState.DRAFT, text="một hai ba bốn " * 12
        )
        with pytest.raises(Refused, match="quá 5 phút"):
            place(session, airing.id, unread.id, actor=commune.author, now=at("01:00"))
        place(session, airing.id, once.id, actor=commune.author, now=at("01:00"))


def test_at_content_close_the_approved_revision_is_fixed_and_the_rest_drops_out_with_its_reason(
    db: Database,
) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        make(session, commune)
        airing = on(session, TUESDAY)
        good = bulletin(session, commune, "Đã duyệt")
        first = good.revisions[0]
        rows = [
            good,
            bulletin(session, commune, "Chờ", state=BulletinState.SUBMITTED),
            bulletin(session, commune, "Nháp", state=BulletinState.DRAFT),
        ]
        for row in rows:
            place(session, airing.id, row.id, actor=commune.author, now=at("01:00"))
        revise(session, commune, good, approved=False)
        version = commune.station.plan_version
        close_content(session, airing, now=at("05:00", TUESDAY))
        session.expire_all()
        assert airing.state is AiringState.CLOSED
        items = airing.variants[0].items
        assert [one.revision_id for one in items] == [first.id, None, None]
        assert [one.dropped_reason for one in items] == [
            "",
            "Bản tin chưa được duyệt khi chốt nội dung.",
            "Bản tin còn đang soạn khi chốt nội dung.",
        ]
        assert commune.station.plan_version > version
        (line,) = plan(session, TUESDAY)
        assert [(one.approved, bool(one.note)) for one in line.items] == [
            (True, False),
            (False, True),
            (False, True),
        ]
        revise(session, commune, good, approved=True)
        close_content(session, airing, now=at("05:01", TUESDAY))
        assert items[0].revision_id == first.id, "closed once, for good"


def test_an_airing_with_nothing_approved_is_left_out_with_its_reason(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        make(session, commune)
        empty, full = on(session, MONDAY), on(session, TUESDAY)
        withdrawn = bulletin(session, commune, "Đã duyệt rồi rút")
        place(session, full.id, withdrawn.id, actor=commune.author, now=at("01:00"))
        decide(session, commune, withdrawn.revisions[0], "withdrawn")
        withdrawn.state = BulletinState.WITHDRAWN
        session.flush()
        for airing in (empty, full):
            close_content(session, airing, now=at("05:00"))
        assert (empty.state, empty.reason) == (AiringState.SKIPPED, "Chưa xếp bản tin nào vào buổi này.")
        assert full.state is AiringState.SKIPPED
        assert "được duyệt" in full.reason
        assert full.variants[0].items[0].dropped_reason == "Bản tin đã rút."


def test_after_the_close_only_an_approved_priority_bulletin_gets_in(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        make(session, commune)
        airing = on(session, TUESDAY)
        place(
            session,
            airing.id,
            bulletin(session, commune, "Một").id,
            actor=commune.author,
            now=at("01:00"),
        )
        close_content(session, airing, now=at("05:00", TUESDAY))
        routine = bulletin(session, commune, "Thường")
        unread = bulletin(
            session, commune, "Gấp, chưa duyệt", state=BulletinState.SUBMITTED, priority=Priority.PRIORITY
        )
        urgent = bulletin(session, commune, "Gấp", priority=Priority.PRIORITY)
        for row in (routine, unread):
            with pytest.raises(Refused, match="đã chốt nội dung"):
                place(session, airing.id, row.id, actor=commune.author, now=at("05:10", TUESDAY))
        place(session, airing.id, urgent.id, position=1, actor=commune.author, now=at("05:10", TUESDAY))
        assert airing.variants[0].items[0].revision_id == urgent.revisions[0].id
        with pytest.raises(Refused, match="đã tới giờ phát"):
            place(session, airing.id, routine.id, actor=commune.author, now=at("05:30", TUESDAY))


def test_an_airing_without_sound_is_left_out_once_its_grace_is_over(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        make(session, commune)
        airing = on(session, MONDAY)
        place(
            session,
            airing.id,
            bulletin(session, commune, "Một").id,
            actor=commune.author,
            now=at("01:00"),
        )
        close_content(session, airing, now=at("05:00"))
        assert mark_started(session, commune.station, now=at("05:29")) == 0
        assert mark_started(session, commune.station, now=at("05:34")) == 0
        assert mark_started(session, commune.station, now=at("05:36")) == 1
        assert airing.state is AiringState.SKIPPED
        assert "chưa dựng xong" in airing.reason


def test_leaving_out_an_airing_needs_a_reason_and_it_is_not_made_again(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        make(session, commune)
        airing = on(session, TUESDAY)
        with pytest.raises(InputError, match="lý do"):
            skip_airing(session, airing.id, reason=" ", actor=commune.author, now=at("01:00"))
        skip_airing(session, airing.id, reason="Mất điện cả xã", actor=commune.author, now=at("01:00"))
        make(session, commune)
        (line,) = plan(session, TUESDAY)
        assert (line.state, line.reason) == (AiringState.SKIPPED, "Mất điện cả xã")
        with pytest.raises(Refused):
            skip_airing(session, on(session, MONDAY).id, reason="x", actor=commune.author, now=at("05:30"))


def test_an_extra_airing_reaches_the_chosen_villages_and_keeps_the_policy(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        make(session, commune)
        item = bulletin(session, commune, "Cắt điện")

        def add(start: str, **more: object) -> Airing:
            values: dict[str, object] = {
                "local_date": TUESDAY, "start_local": time.fromisoformat(start), "bulletin_ids": [item.id],
                "max_minutes": 15, "actor": commune.author, "now": at("01:00"), **more,
            }  # fmt: skip
            return add_extra(session, commune.station, **values)  # type: ignore[arg-type]

        extra = add("10:00", village_ids=[commune.villages[1].id])
        assert (extra.origin, extra.priority) == (AiringOrigin.EXTRA, Priority.PRIORITY)
        assert [line.slot_name for line in plan(session, TUESDAY, "thon-2")] == ["Buổi sáng", "Phát bổ sung"]
        assert [line.slot_name for line in plan(session, TUESDAY, "thon-1")] == ["Buổi sáng"]
        with pytest.raises(Refused, match="trùng giờ"):
            add("05:40")
        with pytest.raises(Refused, match="không phát trước"):
            add("04:00")
        with pytest.raises(Refused, match="đã qua"):
            add("05:30", local_date=MONDAY, now=at("06:00"))
        with pytest.raises(Refused, match="quá 1 phút"):
            add("11:00", max_minutes=1)
        with pytest.raises(InputError):
            add("11:00", bulletin_ids=[])
        with pytest.raises(InputError):
            add("11:00", village_ids=[12345])
        night = add("03:00", origin=AiringOrigin.EMERGENCY)
        assert night.priority is Priority.EMERGENCY


def test_the_week_is_written_by_name(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        assert slot(session, commune, weekdays="sat,mon").weekdays == "mon,sat"
        assert WEEK == "mon,tue,wed,thu,fri,sat"
