"""A village is renamed or merged from a day on: the past keeps its name, the future its loudspeakers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, Refused
from broadcaster.report.figures import figures
from broadcaster.report.gathering import gather
from broadcaster.report.period import parse_period
from broadcaster.schedule.airings import materialise
from broadcaster.schedule.plan import plan
from broadcaster.schedule.succession import succeed
from broadcaster.store.db import Database
from broadcaster.store.tables import Receiver, Village
from tests.support.commune import MONDAY, Commune, at, found, furnish, slot

TUESDAY = MONDAY + timedelta(days=1)


def three_villages(session: Session) -> Commune:
    commune = found(session)
    furnish(session, commune)
    slot(session, commune)
    one = commune.villages[0]
    session.add(
        Receiver(
            station_id=commune.station.id, name="Cụm 1", token_hash="x", created_at=at("00:00"), pairing_hash="",
            heartbeat={}, villages=[one],
        )
    )  # fmt: skip
    materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=3)
    return commune


def merged(session: Session, commune: Commune, *numbers: int, **how: object) -> Village:
    options: dict[str, object] = {"name": "Thôn Hợp Nhất", "day": TUESDAY, "today": MONDAY} | how
    return succeed(
        session, commune.station, [commune.villages[one].id for one in numbers], actor=commune.author,
        now=at("08:00"), **options,  # type: ignore[arg-type]
    )  # fmt: skip


def test_reports_keep_the_old_names_before_the_day_and_have_the_new_one_after(db: Database) -> None:
    with db.writing() as session:
        commune = three_villages(session)
        heir = merged(session, commune, 0, 1)
        before = commune.station.plan_version
        materialise(session, commune.station, today=MONDAY, now=at("08:01"), days=3)
        session.refresh(commune.station)
        assert commune.station.plan_version > before, "receivers hear of it"
        assert plan(session, MONDAY)[0].villages == ("thon-1", "thon-2", "thon-3")
        assert plan(session, TUESDAY)[0].villages == (heir.slug, "thon-3")
        ledger = gather(session, commune.station, parse_period("2026-11"), now=at("12:00", TUESDAY))
        box = session.scalars(select(Receiver)).one()
        session.refresh(box, ["villages"])
        assert {one.slug for one in box.villages} == {"thon-1", heir.slug}, "its horn stands where it stood"
    lines = {line.label: line.tally.villages for line in figures(ledger).by_village}
    assert lines == {
        "Thôn 1 (đến ngày 23/11/2026, nay thuộc Thôn Hợp Nhất)": 1,
        "Thôn 2 (đến ngày 23/11/2026, nay thuộc Thôn Hợp Nhất)": 1,
        "Thôn Hợp Nhất (từ ngày 24/11/2026)": 1,
        "Thôn 3": 2,
    }


def test_one_village_may_take_in_another_and_one_may_get_a_new_name(db: Database) -> None:
    with db.writing() as session:
        commune = three_villages(session)
        one, two, three = commune.villages
        assert merged(session, commune, 0, 1, heir_id=one.id, name="") is one
        assert (one.valid_to, two.valid_to, two.successor_id) == (None, MONDAY, one.id)
        renamed = merged(session, commune, 2, name="Thôn  1")
        assert (renamed.name, renamed.slug, renamed.position) == ("Thôn 1", "thon-1-2", three.position)


def test_what_cannot_be_is_refused_with_a_sentence(db: Database) -> None:
    with db.writing() as session:
        commune = three_villages(session)
        one, two, _three = commune.villages
        for how in ({"name": " "}, {"day": MONDAY - timedelta(days=1)}, {"name": "x" * 121}):
            with pytest.raises(InputError):
                merged(session, commune, 0, **how)
        with pytest.raises(InputError):
            merged(session, commune, 0, heir_id=one.id)
        merged(session, commune, 0)
        with pytest.raises(Refused, match="đã kết thúc"):
            merged(session, commune, 0)
        with pytest.raises(Refused, match="cũng sắp kết thúc"):
            merged(session, commune, 1, heir_id=one.id)
        assert two.valid_to is None
