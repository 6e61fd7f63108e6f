"""`decide` alone: examples for each reason, and a world of random faults in which its promises hold."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.model import AiringOrigin, AiringState, AsRunEvent, LatePolicy, Priority, StartMode
from broadcaster.playout.decide import (
    BUSY,
    CRASHED,
    CUT_LEAD,
    LEAD,
    NO_CLOCK,
    NO_PROGRAMME,
    NOT_HERE,
    REVOKED,
    TAKEN_OFF,
    TOO_LATE,
    Action,
    Close,
    Start,
    Stop,
    decide,
    next_instant,
    volume_at,
)
from broadcaster.playout.plan import AudioFile, Journal, Manifest, Record, ToPlay

T = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # 17:00 at the station
DAWN = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)  # 05:30
ZONE = "Asia/Ho_Chi_Minh"
S = timedelta(seconds=1)


def sha(name: str) -> str:
    return (name.encode().hex() + "0" * 64)[:64]


def to_play(name: str = "a", at: datetime = T, **more: object) -> ToPlay:
    row = ToPlay(id=name, planned_at=at, file=AudioFile(sha(name), 1000), title=name, grace_s=60)
    return replace(row, **more)


def plan(*airings: ToPlay, issued: datetime = T - timedelta(hours=1)) -> Manifest:
    return Manifest("xa", 1, 1, 1, issued, issued + timedelta(hours=72), airings)


def knows(*ready: str, **more: object) -> Journal:
    hashes = frozenset(sha(name) for name in ready)
    return replace(Journal(born_at=T - timedelta(days=1), ready=hashes, held=hashes), **more)


def started(at: datetime, event: AsRunEvent = AsRunEvent.STARTED, **more: object) -> Record:
    return replace(Record(event, at, attempts=1, started_at=at), **more)


def test_an_airing_is_cued_a_moment_ahead_and_not_before() -> None:
    early = T - LEAD - timedelta(milliseconds=1)
    assert decide(early, early - S, plan(to_play()), knows("a")) == []
    assert decide(T - LEAD, early, plan(to_play()), knows("a")) == [Start("a", T, 100)]


def test_the_next_look_is_asked_for_when_it_is_due() -> None:
    assert next_instant(T - 60 * S, plan(to_play()), knows()) == T - LEAD
    assert next_instant(T, plan(to_play()), knows()) is None
    assert next_instant(T - S, None, knows()) is None


@pytest.mark.parametrize(("journal", "airing", "since", "event", "reason"), [
    (knows("a"), to_play(), T - 1000 * S, AsRunEvent.MISSED, "Máy phát không chạy từ 16:43:20 24/11 đến 17:01:01 24/11."),
    (knows("a"), to_play(), T + 30 * S, AsRunEvent.MISSED, "Máy phát không chạy từ 17:00:30 24/11 đến 17:01:01 24/11."),
    (knows("a"), to_play(), T + 60.5 * S, AsRunEvent.MISSED, TOO_LATE),
    (knows("a"), to_play(), T + 60 * S, AsRunEvent.SKIPPED, BUSY),
    (knows(), to_play(), T + 60 * S, AsRunEvent.SKIPPED, NOT_HERE),
    (knows(), to_play(file=None), T + 60 * S, AsRunEvent.SKIPPED, NO_PROGRAMME),
    (knows("a", fault="Không có card."), to_play(), T + 60 * S, AsRunEvent.SKIPPED, "Không có card."),
    (knows("a", clock_lost=(T + 59 * S, T + 61 * S)), to_play(), T - 60 * S, AsRunEvent.SKIPPED, NO_CLOCK),
    (knows("a", clock_lost=(T + 60 * S, T + 61 * S)), to_play(), T - 60 * S, AsRunEvent.MISSED, "Máy phát không chạy từ 16:59:00 24/11 đến 17:01:01 24/11."),
])  # fmt: skip
def test_what_could_not_start_ends_with_its_true_reason(
    journal: Journal, airing: ToPlay, since: datetime, event: AsRunEvent, reason: str
) -> None:
    now = T + 61 * S
    assert decide(now, since, plan(airing), journal) == [Close("a", now, event, reason)]


def test_an_airing_that_is_taken_off_or_revoked_falls_silent() -> None:
    journal = knows("a", sounding="a", records={"a": started(T)})
    now = T + 2 * S
    for manifest, why in (
        (plan(), TAKEN_OFF),
        (plan(to_play(state=AiringState.SKIPPED, reason="Mất điện.")), "Mất điện."),
        (plan(to_play(file=None)), REVOKED),
    ):
        assert decide(now, now - S, manifest, journal) == [Stop("a", now, AsRunEvent.INTERRUPTED, why)]


def test_an_airing_that_was_sounding_when_the_power_went_is_interrupted_and_stays_silent() -> None:
    journal = knows("a", records={"a": started(T, offset_ms=5000)})
    now = T + 20 * S
    assert decide(now, T + 5 * S, plan(to_play()), journal) == [
        Close("a", now, AsRunEvent.INTERRUPTED, CRASHED, 5000)
    ]
    closed = knows("a", records={"a": started(now, AsRunEvent.INTERRUPTED)})
    assert decide(now + S, now, plan(to_play()), closed) == []


def test_an_interrupted_emergency_sounds_again() -> None:
    airing = to_play(priority=Priority.EMERGENCY)
    journal = knows("a", records={"a": started(T + S, AsRunEvent.INTERRUPTED)})
    assert decide(T + 3 * S, T, plan(airing), journal) == []
    assert decide(T + 7 * S, T + 6 * S, plan(airing), journal)[0] == Start(
        "a", T + 7 * S, 100, late_ms=7000, reason="Phát muộn 7 giây."
    )


def test_a_box_that_joins_during_an_emergency_sounds_it_and_answers_for_no_older_one() -> None:
    flood = to_play("lũ", T - 1800 * S, priority=Priority.EMERGENCY, grace_s=3600)
    over = to_play("cháy", T - 7200 * S, priority=Priority.EMERGENCY, grace_s=3600)
    missed = to_play("sáng", T - 1800 * S, grace_s=3600)
    actions = decide(T, T - S, plan(flood, over, missed), knows("lũ", "cháy", "sáng", born_at=T - 60 * S))
    assert [(type(one), one.airing_id) for one in actions] == [(Start, "lũ")]


def test_a_higher_level_cuts_in_and_the_cut_one_goes_on_at_the_cut_while_its_grace_lasts() -> None:
    routine, urgent = to_play("a"), to_play("b", T + 10 * S, priority=Priority.PRIORITY)
    journal = knows("a", "b", sounding="a", records={"a": started(T)})
    now = T + 10 * S - CUT_LEAD
    assert decide(now, now - S, plan(routine, urgent), journal) == [
        Stop("a", T + 10 * S, AsRunEvent.PREEMPTED, "Nhường cho buổi khẩn hơn: b."),
        Start("b", T + 10 * S, 100),
    ]
    cut = Record(AsRunEvent.PREEMPTED, T + 10 * S, 10_000, 1, sha("a"), started_at=T)
    records = {"a": cut, "b": started(T + 10 * S, AsRunEvent.FINISHED)}
    soon, late = T + 40 * S, T + 71 * S
    assert decide(soon, soon - S, plan(routine, urgent), knows("a", records=records)) == [
        Start("a", soon, 100, offset_ms=10_000, resumed=True)
    ]
    assert decide(late, late - S, plan(routine, urgent), knows("a", records=records)) == []
    other_file = records | {"a": replace(cut, sha256=sha("z"))}
    assert decide(soon, soon - S, plan(routine, urgent), knows("a", records=other_file)) == []


def test_a_lower_level_waits_and_is_skipped_when_nothing_ends() -> None:
    urgent, routine = to_play("a", priority=Priority.PRIORITY), to_play("b", T + 10 * S)
    journal = knows("a", "b", sounding="a", records={"a": started(T)})
    assert decide(T + 30 * S, T + 29 * S, plan(urgent, routine), journal) == []
    now = T + 71 * S
    assert decide(now, now - S, plan(urgent, routine), journal) == [Close("b", now, AsRunEvent.SKIPPED, BUSY)]


def test_between_equals_the_next_one_cuts_in_at_its_time_or_waits_as_it_was_told() -> None:
    first, second = to_play("a"), to_play("b", T + 10 * S)
    patient = replace(second, start_mode=StartMode.WAIT, wait_s=20)
    journal = knows("a", "b", sounding="a", records={"a": started(T)})
    now = T + 10 * S - CUT_LEAD
    assert decide(now, now - S, plan(first, second), journal)[0] == Stop(
        "a", T + 10 * S, AsRunEvent.PREEMPTED, "Đến giờ của buổi sau: b."
    )
    assert decide(now, now - S, plan(first, patient), journal) == []
    assert decide(T + 29 * S, T + 28 * S, plan(first, patient), journal) == []
    assert isinstance(decide(T + 30 * S, T + 29 * S, plan(first, patient), journal)[0], Stop)


def test_two_late_ones_follow_each_other() -> None:
    journal = knows("a", "b", sounding="a", records={"a": started(T + 20 * S)})
    later = to_play("b", T + 10 * S)
    assert decide(T + 21 * S, T + 20 * S, plan(to_play("a"), later), journal) == []


def test_without_a_trusted_clock_only_an_emergency_sounds() -> None:
    routine, urgent = to_play("a"), to_play("b", T + S, priority=Priority.EMERGENCY)
    lost = knows("a", "b", trusted=False, floor=T + 10 * S)
    wrong = datetime(2020, 1, 1, tzinfo=UTC)
    assert decide(wrong, wrong, plan(routine, urgent, issued=T + 5 * S), lost) == [Start("b", wrong, 100)]
    assert decide(wrong, wrong, plan(routine, issued=T + 5 * S), lost) == []


def test_volume_is_capped_before_six_but_not_for_an_emergency_and_a_drill_is_silent() -> None:
    routine = to_play(at=DAWN, volume_percent=90)
    assert volume_at(routine, DAWN, ZONE, 70) == 70
    assert volume_at(replace(routine, volume_percent=40), DAWN, ZONE, 70) == 40
    assert volume_at(routine, DAWN + timedelta(minutes=30), ZONE, 70) == 90
    assert volume_at(replace(routine, priority=Priority.EMERGENCY), DAWN, ZONE, 70) == 90
    assert (
        volume_at(replace(routine, origin=AiringOrigin.DRILL, priority=Priority.EMERGENCY), DAWN, ZONE, 70)
        == 0
    )


# ------------------------------------------------------------------------------------ a world with faults


@dataclass
class World:
    """A ledger that survives, an output that does not, a clock that runs; written without `decide`."""

    manifest: Manifest
    lengths: dict[str, int]  # seconds of each programme
    records: dict[str, Record] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    ends: dict[str, list[AsRunEvent]] = field(default_factory=dict)
    sounding: str | None = None
    since: datetime = T - 10 * S
    cut_s: float = 0.0
    begun: datetime = T
    heard_twice: bool = False

    def crash(self) -> None:
        self.sounding = None

    def look(self, now: datetime, *, held: bool, fault: str) -> None:
        if self.sounding and now >= self.begun + (self.lengths[self.sounding] - self.cut_s) * S:
            self.write(self.sounding, AsRunEvent.FINISHED, now)
            self.sounding = None
        hashes = frozenset(a.file.sha256 for a in self.manifest.airings if a.file) if held else frozenset()
        journal = Journal(
            born_at=T - timedelta(days=1), records=dict(self.records), sounding=self.sounding, ready=hashes,
            held=hashes, fault=fault,
        )  # fmt: skip
        for action in decide(now, self.since, self.manifest, journal):
            self.do(action, now)
        self.since = now

    def do(self, action: Action, now: datetime) -> None:
        if isinstance(action, Close):
            self.write(action.airing_id, action.event, action.at)
        elif isinstance(action, Stop):
            assert self.sounding == action.airing_id
            heard = self.cut_s + (action.at - self.begun) / S
            self.write(action.airing_id, action.event, action.at, offset_ms=round(heard * 1000))
            self.sounding = None
        else:
            airing = self.manifest.airing(action.airing_id)
            assert self.sounding is None, "one voice at a time"
            assert airing is not None
            assert airing.file is not None
            assert action.at >= airing.planned_at, "never before its time"
            old = self.records.get(airing.id)
            if action.resumed:
                assert old is not None
                assert old.event is AsRunEvent.PREEMPTED
                assert old.offset_ms == action.offset_ms
                self.write(airing.id, AsRunEvent.RESUMED, action.at, offset_ms=action.offset_ms)
            else:
                self.starts[airing.id] = self.starts.get(airing.id, 0) + 1
                self.records[airing.id] = Record(
                    AsRunEvent.STARTED, action.at, attempts=self.starts[airing.id], sha256=airing.file.sha256,
                    priority=airing.priority, started_at=action.at,
                )  # fmt: skip
            self.sounding, self.begun, self.cut_s = airing.id, action.at, action.offset_ms / 1000

    def write(self, airing: str, event: AsRunEvent, at: datetime, *, offset_ms: int = 0) -> None:
        self.ends.setdefault(airing, []).append(event)
        old = self.records.get(airing, Record(event, at))
        self.records[airing] = replace(old, event=event, at=at, offset_ms=offset_ms)


airings = st.builds(
    lambda n, at, priority, grace, policy, mode, wait, file: to_play(
        f"{n}", T + at * S, priority=priority, grace_s=grace, late_policy=policy, start_mode=mode, wait_s=wait,
        file=AudioFile(sha(f"{n}"), 1000) if file else None,
    ),
    st.integers(0, 9),
    st.integers(0, 120),
    st.sampled_from(Priority),
    st.integers(0, 60),
    st.sampled_from(LatePolicy),
    st.sampled_from(StartMode),
    st.integers(0, 30),
    st.booleans(),
)  # fmt: skip
faults = st.lists(
    st.tuples(
        st.floats(0.05, 40),  # until the next look
        st.sampled_from(["look", "look", "look", "crash", "nothing held", "no card"]),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(airings, max_size=6, unique_by=lambda one: one.id), st.integers(1, 50), faults)
def test_whatever_fails_nothing_starts_twice_and_every_airing_ends_once(
    rows: list[ToPlay], length: int, steps: list[tuple[float, str]]
) -> None:
    world = World(plan(*rows), {row.id: length for row in rows})
    now = T - 5 * S
    for pause, fault in steps:
        now += pause * S
        if fault == "crash":
            world.crash()
        world.look(now, held=fault != "nothing held", fault="Không có card." if fault == "no card" else "")
    for _ in range(200):  # then all is well for long enough
        now += 2 * S
        world.look(now, held=True, fault="")
    assert world.sounding is None
    for row in rows:
        ends = world.ends.get(row.id, [])
        final = world.records[row.id].event
        if row.priority is not Priority.EMERGENCY:
            assert world.starts.get(row.id, 0) <= 1
            closing = [e for e in ends if e not in (AsRunEvent.PREEMPTED, AsRunEvent.RESUMED)]
            assert len(closing) <= 1, "one terminal state"
        assert final in (
            AsRunEvent.FINISHED, AsRunEvent.INTERRUPTED, AsRunEvent.PREEMPTED, AsRunEvent.MISSED, AsRunEvent.SKIPPED,
        )  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(airings, min_size=1, max_size=4, unique_by=lambda one: one.id))
def test_alone_and_without_faults_every_programme_that_exists_is_heard_in_time(rows: list[ToPlay]) -> None:
    spaced = [replace(row, planned_at=T + n * 100 * S) for n, row in enumerate(rows)]
    world = World(plan(*spaced), {row.id: 20 for row in spaced})
    now = T - 5 * S
    while now < T + 600 * S:
        now += S
        world.look(now, held=True, fault="")
    for row in spaced:
        heard = world.records[row.id]
        if row.file is None:
            assert heard.event is AsRunEvent.SKIPPED
        else:
            assert heard.event is AsRunEvent.FINISHED
            assert heard.started_at == row.planned_at
