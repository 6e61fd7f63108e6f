"""Whatever people, clocks and crashes do to a schedule, what must hold holds.

Edits, exceptions, placements, withdrawals, renders, ticks, dead clocks and hours slept through, in any order.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.config import load
from broadcaster.errors import Refused
from broadcaster.model import (
    AiringOrigin,
    AiringState,
    BulletinState,
    PlannedAiring,
    Priority,
)
from broadcaster.schedule.airings import place, remove_item, skip_airing
from broadcaster.schedule.changes import latest_change, undo
from broadcaster.schedule.checking import SlotForm
from broadcaster.schedule.emergency.accepting import accept, cancel_emergency
from broadcaster.schedule.emergency.asking import EmergencyForm, request_emergency
from broadcaster.schedule.emergency.message import air_sha256, message_programme
from broadcaster.schedule.emergency.stopping import stop_all
from broadcaster.schedule.materialising import exceptions_of, rule_of
from broadcaster.schedule.plan import plan_days
from broadcaster.schedule.rules import clear_exception, edit_slot, set_exception, set_rotation
from broadcaster.schedule.series import Scope, move, take_away
from broadcaster.schedule.slots import instant, local_day, occurrences
from broadcaster.station import Clockwork
from broadcaster.store.blobs import Blobs
from broadcaster.store.tables import Airing, Bulletin, Emergency, Slot, Station
from tests.support.commune import ZONE, at, bulletin, decide, found, furnish, revise, slot
from tests.support.databases import upgraded
from tests.support.emergencies import render

HORIZON = 6
DONE = (AiringState.STARTED, AiringState.SKIPPED, AiringState.CANCELLED)
mornings = st.integers(66, 78).map(lambda step: time(step * 5 // 60, step * 5 % 60))  # 05:30 to 06:30
evenings = st.integers(200, 216).map(lambda step: time(step * 5 // 60, step * 5 % 60))  # 16:40 to 18:00
weeks = st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1)


class Schedule(RuleBasedStateMachine):
    """One commune with a morning and an evening slot, and a clock that anything may happen to."""

    KIND = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "copy").mkdir()
        self.db = self.stack.enter_context(upgraded(self.KIND, folder / "copy"))
        home = load(environ={}, home=folder, flags={"schedule.horizon_days": HORIZON})
        self.home, self.blobs = home, Blobs(home.blobs_url)
        self.now = at("00:30")
        self.started: dict[str, PlannedAiring] = {}
        self.lines: list[PlannedAiring] = []
        self.version = 0
        self.stopped: dict[str, datetime] = {}

    def teardown(self) -> None:
        self.stack.close()

    @initialize()
    def open_the_station(self) -> None:
        with self.db.writing() as session:
            self.commune = found(session)
            furnish(session, self.commune)
            self.bulletins = [bulletin(session, self.commune, f"Bản {number}").id for number in range(4)]
            self.message = bulletin(
                session, self.commune, "Lời khẩn cấp", priority=Priority.EMERGENCY, seconds=40
            ).id
            slots = [slot(session, self.commune), slot(session, self.commune, "Buổi chiều", "17:00")]
            for row in slots:
                set_rotation(
                    session, row.id, self.bulletins, per_airing=2, actor=self.commune.author, now=self.now
                )
        self.clock = self.fresh_clock()
        self.tick()

    def fresh_clock(self) -> Clockwork:
        return Clockwork(self.db, self.home, blobs=self.blobs)

    def tick(self) -> None:
        # A dead process's lease may still stand for a minute: its successor waits.
        if not self.clock.tick(self.now).ours:
            self.now += timedelta(minutes=2)
            assert self.clock.tick(self.now).ours
        with self.db.reading() as session:
            self.ticked = session.get_one(Station, self.commune.station.id).plan_version

    # ------------------------------------------------------------------ what clocks and processes do

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.tick()

    @rule(hours=st.integers(2, 50))
    def the_machine_sleeps(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.clock = self.fresh_clock()
        self.now += timedelta(minutes=2)
        self.tick()

    @rule()
    def the_clock_is_killed(self) -> None:
        self.clock = self.fresh_clock()
        self.tick()

    @rule(most=st.integers(1, 30))
    def the_worker_renders(self, most: int) -> None:
        render(self.db, kinds=["programme", "emergency"], most=most, now=self.now)

    # ------------------------------------------------------------------------------ what people do

    @rule(which=st.integers(0, 1), morning=mornings, evening=evenings, week=weeks)
    def a_slot_is_edited(self, which: int, morning: time, evening: time, week: set[str]) -> None:
        with self.db.writing() as session:
            row = self.active(session, which)
            form = SlotForm(
                name=row.name, weekdays=",".join(sorted(week)), start_local=self.within(row, morning, evening),
                valid_from=row.valid_from, valid_to=row.valid_to, max_minutes=row.max_minutes,
            )  # fmt: skip
            edit_slot(session, row.id, form, version=row.version, actor=self.commune.author, now=self.now)

    def active(self, session: Session, which: int) -> Slot:
        rows = session.scalars(select(Slot).where(Slot.active).order_by(Slot.id)).all()
        return rows[which % len(rows)]

    def within(self, row: Slot, morning: time, evening: time) -> time:
        return evening if row.name == "Buổi chiều" else morning

    @rule(
        nth=st.integers(0, 8),
        scope=st.sampled_from(list(Scope)),
        morning=mornings,
        evening=evenings,
        away=st.booleans(),
    )
    def a_series_is_moved_or_taken_away(
        self, nth: int, scope: Scope, morning: time, evening: time, away: bool
    ) -> None:
        ahead = [
            line for line in self.lines if line.planned_at > self.now and line.origin is AiringOrigin.SLOT
        ]
        if not ahead or (away and scope is Scope.ALL):
            return  # a station without slots has nothing to show
        try:
            with self.db.writing() as session:
                airing = session.get_one(Airing, ahead[nth % len(ahead)].airing_id)
                row = session.get_one(Slot, airing.slot_id)
                if away:
                    take_away(
                        session, airing.id, scope=scope, reason="Tang lễ", version=airing.version,
                        actor=self.commune.author, now=self.now,
                    )  # fmt: skip
                else:
                    move(
                        session, airing.id, scope=scope, start_local=self.within(row, morning, evening),
                        version=airing.version, actor=self.commune.author, now=self.now,
                    )  # fmt: skip
        except Refused:
            pass  # left out, its hour has passed, or another stands in the way

    @rule()
    def the_last_change_is_taken_back(self) -> None:
        try:
            with self.db.writing() as session:
                change = latest_change(session, self.commune.author.id, now=self.now)
                if change is not None:
                    undo(session, change.id, actor=self.commune.author, now=self.now)
        except Refused:
            pass  # somebody has gone on from there

    @rule(minutes=st.integers(5, 180), repeat=st.sampled_from([0, 15, 60]), drill=st.booleans())
    def an_emergency_is_accepted(self, minutes: int, repeat: int, drill: bool) -> None:
        with self.db.writing() as session:
            station = session.get_one(Station, self.commune.station.id)
            row = session.get_one(Bulletin, self.message)
            form = EmergencyForm(
                reason="Lũ", expires_at=self.now + timedelta(minutes=minutes), repeat_min=repeat, drill=drill
            )
            wish = request_emergency(
                session, station, row.revisions[-1], form, persons=2, actor=self.commune.author, now=self.now
            )
            heard = air_sha256(message_programme(session, station.id, wish.programme_key))
            if heard:
                accept(session, wish.id, actor=self.commune.approver, heard_sha256=heard, now=self.now)

    @rule(everything=st.booleans())
    def what_sounds_is_stopped(self, everything: bool) -> None:
        with self.db.writing() as session:
            station = session.get_one(Station, self.commune.station.id)
            if everything:
                stop_all(session, station, reason="Phát nhầm", actor=self.commune.author, now=self.now)
                return
            running = session.scalars(select(Emergency).where(Emergency.state == "accepted")).first()
            if running is not None:
                cancel_emergency(
                    session, running.id, reason="Hết lũ", actor=self.commune.author, now=self.now
                )

    @rule(which=st.integers(0, 1), ahead=st.integers(0, HORIZON - 1), kind=st.sampled_from(["skip", "extra"]))
    def an_exception_is_set(self, which: int, ahead: int, kind: str) -> None:
        day = local_day(ZONE, self.now) + timedelta(days=ahead)
        try:
            with self.db.writing() as session:
                set_exception(
                    session,
                    self.active(session, which).id,
                    day,
                    kind,
                    actor=self.commune.author,
                    now=self.now,
                )
        except Refused:
            pass  # its hour has passed

    @rule(which=st.integers(0, 1))
    def an_exception_is_cleared(self, which: int) -> None:
        with self.db.writing() as session:
            row = self.active(session, which)
            ahead = [one for one in row.exceptions if one.local_date >= local_day(ZONE, self.now)]
            if ahead:
                clear_exception(session, row.id, ahead[0].local_date, actor=self.commune.author, now=self.now)

    @rule(number=st.integers(0, 3), nth=st.integers(0, 8), take_out=st.booleans())
    def an_item_is_placed_or_taken_out(self, number: int, nth: int, take_out: bool) -> None:
        ahead = [line for line in self.lines if line.planned_at > self.now]
        if not ahead:
            return
        line = ahead[nth % len(ahead)]
        listed = any(item.bulletin_id == self.bulletins[number] for item in line.items)
        if take_out != listed:
            return
        change = remove_item if take_out else place
        try:
            with self.db.writing() as session:
                change(
                    session, line.airing_id, self.bulletins[number], actor=self.commune.author, now=self.now
                )
        except Refused:
            pass  # closed, left out, or the bulletin is withdrawn

    @rule(nth=st.integers(0, 8))
    def an_airing_is_left_out(self, nth: int) -> None:
        ahead = [line for line in self.lines if line.planned_at > self.now]
        if ahead and ahead[nth % len(ahead)].state in (AiringState.PLANNED, AiringState.CLOSED):
            with self.db.writing() as session:
                skip_airing(
                    session, ahead[nth % len(ahead)].airing_id, reason="Mưa bão", actor=self.commune.author,
                    now=self.now,
                )  # fmt: skip

    @rule(number=st.integers(0, 3), verdict=st.sampled_from(["approved", "withdrawn"]))
    def a_bulletin_is_approved_anew_or_withdrawn(self, number: int, verdict: str) -> None:
        with self.db.writing() as session:
            row = session.get_one(Bulletin, self.bulletins[number])
            if verdict == "approved":
                row.state = BulletinState.APPROVED
                revise(session, self.commune, row, approved=True)
                return
            for revision in row.revisions:
                decide(session, self.commune, revision, "withdrawn")
            row.state = BulletinState.WITHDRAWN
        self.tick()

    # ------------------------------------------------------------------------------ what must hold

    @precondition(lambda self: hasattr(self, "commune"))
    @invariant()
    def everything_holds(self) -> None:
        with self.db.reading() as session:
            station = session.get_one(Station, self.commune.station.id)
            first = local_day(ZONE, self.now) - timedelta(days=40)
            lines = plan_days(session, first, 60)
            airings = session.scalars(select(Airing)).all()
            slots = session.scalars(select(Slot)).all()
            self.receivers_hear_of_every_change(lines, station.plan_version)
            self.what_started_stays(lines)
            self.nothing_withdrawn_is_offered(lines, session.scalars(select(Bulletin)).all())
            self.emergencies_end(airings, session.scalars(select(Emergency)).all())
            for row in slots:
                self.the_future_follows_the_rule(row, [one for one in airings if one.slot_id == row.id])
            self.every_past_airing_has_ended(airings)

    def receivers_hear_of_every_change(self, lines: list[PlannedAiring], version: int) -> None:
        assert version >= self.version

        def seen(row: PlannedAiring) -> PlannedAiring:
            return replace(row, items=())  # titles are no business of players

        if [seen(row) for row in lines] != [seen(row) for row in self.lines]:
            before = {row.airing_id for row in self.lines}
            fresh = [row for row in lines if row.airing_id in before]
            if fresh != self.lines or len(fresh) != len(lines):
                assert version > self.version, "the plan changed and nobody was told"
        self.lines, self.version = lines, version

    def what_started_stays(self, lines: list[PlannedAiring]) -> None:
        now = {line.airing_id: line for line in lines if line.state is AiringState.STARTED}
        for airing_id, line in self.started.items():
            if airing_id in now:
                kept = replace(
                    now[airing_id], files=line.files, duration_ms=line.duration_ms, items=line.items,
                    reason=line.reason, stopped_at=line.stopped_at,
                )  # fmt: skip
                assert kept == line
        self.started.update({key: line for key, line in now.items() if key not in self.started})

    def emergencies_end(self, airings: Sequence[Airing], rows: Sequence[Emergency]) -> None:
        for airing_id, at_ in self.stopped.items():
            assert next(one for one in airings if one.id == airing_id).stopped_at == at_, "a stop order stays"
        self.stopped.update({one.id: one.stopped_at for one in airings if one.stopped_at is not None})
        for line in self.lines:
            assert line.stopped_at is None or not line.files, "what was stopped is offered to nobody"
        for row in rows:
            mine = [one for one in airings if one.emergency_id == row.id]
            assert bool(mine) == (row.state in ("accepted", "cancelled"))
            assert all(one.planned_at < row.expires_at for one in mine)
            if row.ended_at is not None:
                ahead = [one for one in mine if one.planned_at > row.ended_at]
                assert all(one.state is AiringState.CANCELLED for one in ahead)
                begun = [one for one in mine if one not in ahead and one.state is not AiringState.SKIPPED]
                assert all(one.stopped_at is not None for one in begun)

    def nothing_withdrawn_is_offered(self, lines: list[PlannedAiring], rows: list[Bulletin]) -> None:
        withdrawn = {row.id for row in rows if row.state is BulletinState.WITHDRAWN}
        for line in lines:
            if (
                line.state in (AiringState.PLANNED, AiringState.CLOSED)
                and line.files
                and self.version == self.ticked
            ):
                assert {item.bulletin_id for item in line.items if item.approved} - withdrawn, line

    def the_future_follows_the_rule(self, row: Slot, airings: list[Airing]) -> None:
        today = local_day(ZONE, self.now)
        due = {
            one.local_date: one.start_local
            for one in occurrences(
                rule_of(row), exceptions_of(row), today, today + timedelta(days=HORIZON - 1)
            )
            if row.active and instant(ZONE, one.local_date, one.start_local) > self.now
        }
        live = [one for one in airings if one.state is not AiringState.CANCELLED]
        assert len({one.local_date for one in live}) == len(live)
        ahead = {
            one.local_date: one.start_local
            for one in live
            if one.state in (AiringState.PLANNED, AiringState.CLOSED) and one.planned_at > self.now
        }
        settled = {one.local_date for one in live} - set(ahead)
        assert {day: start for day, start in due.items() if day not in settled} == ahead

    def every_past_airing_has_ended(self, airings: list[Airing]) -> None:
        for one in airings:
            if one.planned_at + timedelta(seconds=one.grace_s) < self.now - timedelta(hours=51):
                assert one.state in DONE


Schedule.TestCase.settings = settings(
    max_examples=8, stateful_step_count=18, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip


class OnPostgreSQL(Schedule):
    """The same on the other database."""

    KIND = "postgresql"


OnPostgreSQL.TestCase.settings = settings(Schedule.TestCase.settings, max_examples=3)
TestSchedule = pytest.mark.timeout(600)(Schedule.TestCase)  # many small databases; a busy machine is slow
TestScheduleOnPostgreSQL = pytest.mark.timeout(600)(OnPostgreSQL.TestCase)


def test_the_first_day_of_the_machine_is_a_monday() -> None:
    assert local_day(ZONE, at("00:30")) == date(2026, 11, 23)
    assert isinstance(at("00:30"), datetime)
