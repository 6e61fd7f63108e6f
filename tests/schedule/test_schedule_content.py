"""What an airing carries: the running order, the close, what is left out, extra airings."""

from __future__ import annotations

from datetime import date, time

import pytest
from sqlalchemy import select

from broadcaster.errors import InputError, NotFound, Refused
from broadcaster.model import AiringOrigin, AiringState, BulletinState, Priority
from broadcaster.schedule.airings import (
    add_extra,
    close_content,
    mark_started,
    move_item,
    place,
    remove_item,
    skip_airing,
)
from broadcaster.schedule.plan import plan
from broadcaster.store.db import Database
from broadcaster.store.tables import Airing, Audit
from tests.support.commune import (
    MONDAY,
    airing_on,
    at,
    bulletin,
    decide,
    found,
    plan_ahead,
    revise,
    slot,
)

TUESDAY = date(2026, 11, 24)
SUNDAY = date(2026, 11, 29)


def test_the_running_order_is_changed_item_by_item_and_written_down(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        plan_ahead(session, commune)
        one, two, three = (bulletin(session, commune, title) for title in ("Một", "Hai", "Ba"))
        airing = airing_on(session, TUESDAY)
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
        plan_ahead(session, commune)
        airing = airing_on(session, TUESDAY)
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
        plan_ahead(session, commune)
        airing = airing_on(session, TUESDAY)
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
        plan_ahead(session, commune)
        empty, full = airing_on(session, MONDAY), airing_on(session, TUESDAY)
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
        plan_ahead(session, commune)
        airing = airing_on(session, TUESDAY)
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
        plan_ahead(session, commune)
        airing = airing_on(session, MONDAY)
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
        plan_ahead(session, commune)
        airing = airing_on(session, TUESDAY)
        with pytest.raises(InputError, match="lý do"):
            skip_airing(session, airing.id, reason=" ", actor=commune.author, now=at("01:00"))
        skip_airing(session, airing.id, reason="Mất điện cả xã", actor=commune.author, now=at("01:00"))
        plan_ahead(session, commune)
        (line,) = plan(session, TUESDAY)
        assert (line.state, line.reason) == (AiringState.SKIPPED, "Mất điện cả xã")
        with pytest.raises(Refused):
            skip_airing(
                session, airing_on(session, MONDAY).id, reason="x", actor=commune.author, now=at("05:30")
            )


def test_an_extra_airing_reaches_the_chosen_villages_and_keeps_the_policy(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        plan_ahead(session, commune)
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
