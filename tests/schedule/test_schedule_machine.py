"""Whatever people, clocks and crashes do to a schedule, what must hold holds.

Edits, exceptions, placements, withdrawals, renders, ticks, dead clocks and hours slept through, in any order.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from broadcaster.config import load
from broadcaster.errors import Refused
from broadcaster.model import (
    AiringState,
    BulletinState,
    PlacedItem,
    PlannedAiring,
    Programme,
    RenditionFile,
    RenditionKind,
)
from broadcaster.schedule.airings import place, remove_item, skip_airing
from broadcaster.schedule.materialising import exceptions_of, rule_of
from broadcaster.schedule.plan import plan_days
from broadcaster.schedule.rendering import store_programme
from broadcaster.schedule.rules import SlotForm, clear_exception, edit_slot, set_exception, set_rotation
from broadcaster.schedule.slots import instant, local_day, occurrences
from broadcaster.station import Clockwork
from broadcaster.store.blobs import Blobs
from broadcaster.store.queue import claim, finish
from broadcaster.store.tables import Airing, Bulletin, Slot, Station
from tests.support.cloned import Originals
from tests.support.commune import ZONE, at, bulletin, decide, found, furnish, revise, sha, slot

HORIZON = 6
DONE = (AiringState.STARTED, AiringState.SKIPPED, AiringState.CANCELLED)
mornings = st.integers(66, 78).map(lambda step: time(step * 5 // 60, step * 5 % 60))  # 05:30 to 06:30
evenings = st.integers(200, 216).map(lambda step: time(step * 5 // 60, step * 5 % 60))  # 16:40 to 18:00
weeks = st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1)


class Schedule(RuleBasedStateMachine):
    """One commune with a morning and an evening slot, and a clock that anything may happen to."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        originals = Originals(folder)
        self.stack.callback(originals.close)
        (folder / "copy").mkdir()
        self.db = self.stack.enter_context(originals.copy("sqlite", folder / "copy"))
        home = load(environ={}, home=folder, flags={"schedule.horizon_days": HORIZON})
        self.home, self.blobs = home, Blobs(home.blobs_url)
        self.now = at("00:30")
        self.started: dict[str, PlannedAiring] = {}
        self.lines: list[PlannedAiring] = []
        self.version = 0

    def teardown(self) -> None:
        self.stack.close()

    @initialize()
    def open_the_station(self) -> None:
        with self.db.writing() as session:
            self.commune = found(session)
            furnish(session, self.commune)
            self.bulletins = [bulletin(session, self.commune, f"Bản {number}").id for number in range(4)]
            self.slots = [slot(session, self.commune), slot(session, self.commune, "Buổi chiều", "17:00")]
            for row in self.slots:
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
        for _ in range(most):
            job = claim(self.db, owner="thợ", kinds=["programme"], now=self.now)
            if job is None:
                return
            file = RenditionFile(RenditionKind.AIR, sha(job.key), 1000)
            made = Programme((file,), 60_000, -16.0, -2.5, (PlacedItem("x", 0, 1),), "")
            with self.db.writing() as session:
                assert finish(session, job, result={})
                store_programme(session, job, made, now=self.now)

    # ------------------------------------------------------------------------------ what people do

    @rule(which=st.integers(0, 1), morning=mornings, evening=evenings, week=weeks)
    def a_slot_is_edited(self, which: int, morning: time, evening: time, week: set[str]) -> None:
        with self.db.writing() as session:
            row = session.get_one(Slot, self.slots[which].id)
            form = SlotForm(
                name=row.name, weekdays=",".join(sorted(week)), start_local=evening if which else morning,
                valid_from=row.valid_from, max_minutes=row.max_minutes,
            )  # fmt: skip
            edit_slot(session, row.id, form, version=row.version, actor=self.commune.author, now=self.now)

    @rule(which=st.integers(0, 1), ahead=st.integers(0, HORIZON - 1), kind=st.sampled_from(["skip", "extra"]))
    def an_exception_is_set(self, which: int, ahead: int, kind: str) -> None:
        day = local_day(ZONE, self.now) + timedelta(days=ahead)
        try:
            with self.db.writing() as session:
                set_exception(
                    session, self.slots[which].id, day, kind, actor=self.commune.author, now=self.now
                )
        except Refused:
            pass  # its hour has passed

    @rule(which=st.integers(0, 1))
    def an_exception_is_cleared(self, which: int) -> None:
        with self.db.writing() as session:
            row = session.get_one(Slot, self.slots[which].id)
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
                    now[airing_id], files=line.files, duration_ms=line.duration_ms, items=line.items
                )
                assert kept == line
        self.started.update({key: line for key, line in now.items() if key not in self.started})

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
            if instant(ZONE, one.local_date, one.start_local) > self.now
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
TestSchedule = pytest.mark.timeout(600)(Schedule.TestCase)  # many small databases; a busy machine is slow


def test_the_first_day_of_the_machine_is_a_monday() -> None:
    assert local_day(ZONE, at("00:30")) == date(2026, 11, 23)
    assert isinstance(at("00:30"), datetime)
