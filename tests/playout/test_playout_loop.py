"""The main loop, tick by tick, with a clock in the test's hand: faults of clock, card, disk and programme."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from broadcaster.errors import PlayerError
from broadcaster.model import AsRunEvent, Priority
from broadcaster.playout.decide import NO_CLOCK
from broadcaster.playout.journal import Event
from broadcaster.playout.reserve import RESERVE_BYTES
from tests.support.box import SILENCE, Box, S, T


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    opened = Box(tmp_path, T - 30 * S)
    yield opened
    opened.close()


def test_a_card_that_goes_in_the_middle_interrupts_and_coming_back_does_not_go_on(box: Box) -> None:
    box.told(("a", T, 1, Priority.ROUTINE))
    box.decoded()
    box.live(31)
    box.plugged = False
    box.live(3, card=False)
    started, interrupted = box.events()
    assert (started.event, started.at) == (AsRunEvent.STARTED, T)
    assert interrupted.event is AsRunEvent.INTERRUPTED
    assert 900 <= interrupted.offset_ms <= 1100
    assert "card" in interrupted.reason.lower()
    assert "card" in box.alarms().lower()
    box.live(6, card=False)
    box.plugged, box.tape = True, []
    box.live(10)
    assert not box.loud()
    assert len(box.events()) == 2


def test_without_a_card_at_its_time_an_airing_is_skipped_and_never_called_started(box: Box) -> None:
    box.plugged = False
    box.live(8, card=False)
    box.told(("a", T, 1, Priority.ROUTINE))
    box.live(90, card=False)
    (row,) = box.events()
    assert row.event is AsRunEvent.SKIPPED
    assert "card âm thanh" in row.reason.lower()


def test_a_card_that_comes_within_grace_still_plays(box: Box) -> None:
    box.plugged = False
    box.live(8, card=False)
    box.told(("a", T, 1, Priority.ROUTINE))
    box.live(40, card=False)
    box.plugged = True
    box.live(20)
    assert [row.event for row in box.events()] == [AsRunEvent.STARTED, AsRunEvent.FINISHED]
    assert box.loud()


def test_a_disk_that_takes_no_more_writing_is_silence_and_an_alarm_until_it_does(box: Box) -> None:
    box.told(("a", T, 1, Priority.ROUTINE))
    box.decoded()
    box.live(25)
    box.ledger._db.execute("PRAGMA query_only = ON")
    box.live(10)
    assert not box.loud()
    assert "Không ghi được sổ" in box.alarms()
    box.ledger._db.execute("PRAGMA query_only = OFF")
    box.live(10)
    assert [row.event for row in box.events()] == [AsRunEvent.STARTED, AsRunEvent.FINISHED]
    assert box.loud()
    assert "sổ" not in box.alarms()


def test_a_programme_without_a_sound_is_an_alarm_although_everything_went_well(box: Box) -> None:
    box.told(("a", T, SILENCE, Priority.ROUTINE))
    box.decoded()
    box.live(40)
    assert [row.event for row in box.events()] == [AsRunEvent.STARTED, AsRunEvent.FINISHED]
    assert "không có tiếng" in box.events()[1].reason
    assert "không có tiếng" in box.alarms()


def test_a_file_that_is_no_sound_is_an_alarm_before_its_time(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.box.programme", lambda seed: b"<html>503</html>" * 100)
    box.told(("a", T, 1, Priority.ROUTINE))
    for _ in range(200):
        box.player.tick()
        if "Không giải mã được" in box.alarms():
            break
        threading.Event().wait(0.01)
    assert "Không giải mã được" in box.alarms()


def test_a_clock_set_back_by_years_plays_only_emergencies_and_says_so(tmp_path: Path) -> None:
    first = Box(tmp_path, T - 700 * S)
    first.told(("a", T, 1, Priority.ROUTINE))
    first.live(1)
    first.close()
    box = Box(tmp_path, datetime(2020, 1, 1, tzinfo=UTC))
    try:
        box.live(30)
        assert not box.loud()
        assert box.events() == []
        assert "Đồng hồ" in box.alarms()
        box.told(
            ("a", T, 1, Priority.ROUTINE),
            ("b", T - 10 * S, 2, Priority.EMERGENCY),
            issued=T - 9 * S,
            version=2,
        )
        box.decoded()
        box.live(5)
        assert box.loud()
        assert [(row.airing_id, row.event) for row in box.events()] == [
            ("b", AsRunEvent.STARTED),
            ("b", AsRunEvent.FINISHED),
        ]
        box.clock.at = T + 90 * S  # the time comes from somewhere, too late for what was routine
        box.live(1)
        assert box.events()[2:] == [Event(3, "a", AsRunEvent.SKIPPED, box.events()[2].at, 0, "", NO_CLOCK)]
        assert "Đồng hồ" not in box.alarms()
    finally:
        box.close()


def test_a_clock_far_from_the_stations_is_not_believed_while_the_station_answers(box: Box) -> None:
    box.told(("a", T, 1, Priority.ROUTINE))
    box.decoded()
    box.player._measured(box.clock.at + timedelta(hours=1))
    box.live(31)
    assert not box.loud()
    assert "Đồng hồ" in box.alarms()
    box.player._measured(box.clock.at)
    box.live(5)
    assert box.loud()


def test_a_ledger_that_may_not_be_the_first_does_not_look_back(tmp_path: Path) -> None:
    """Whoever lost a ledger may have played what the plan holds from before: nothing is played twice."""
    for said, looks_back in ((None, False), (7, False), (0, True)):
        box = Box(tmp_path / str(said), T)
        if said is not None:
            box.ledger.agree(said)
        box.told()
        box.live(1)
        born = box.ledger.born_at()
        assert born is not None
        assert (born < T) is looks_back


def test_the_stations_clock_frees_a_player_whose_own_once_ran_ahead(tmp_path: Path) -> None:
    ahead = Box(tmp_path, T + timedelta(days=400))
    ahead.ledger.agree(0)  # the station has never heard of this receiver
    ahead.told()
    ahead.live(1)
    assert ahead.ledger.born_at() == T - 600 * S
    ahead.close()
    box = Box(tmp_path, T - 30 * S)
    try:
        box.told(("a", T, 1, Priority.ROUTINE))
        box.live(1)
        assert "Đồng hồ" in box.alarms()
        box.player._measured(box.clock.at)
        box.decoded()
        box.live(35)
        assert [row.event for row in box.events()] == [AsRunEvent.STARTED, AsRunEvent.FINISHED]
    finally:
        box.close()


def test_an_emergency_sounds_although_nothing_can_be_written_and_is_written_down_afterwards(box: Box) -> None:
    box.told(("a", T, 1, Priority.ROUTINE), ("b", T + 2 * S, 2, Priority.EMERGENCY))
    box.decoded()
    box.live(28)
    box.ledger._db.execute("PRAGMA query_only = ON")
    box.live(10)
    assert box.loud()
    assert box.events() == []
    first = len(box.tape)
    box.live(20)
    assert not np.concatenate(box.tape[first:]).any(), "heard to its end, it does not sound again"
    box.ledger._db.execute("PRAGMA query_only = OFF")
    box.live(60)
    told = {(row.airing_id, row.event): row for row in box.events()}
    assert [name for name, _ in told] == ["b", "b", "a", "a"], "the routine one starts late, within its grace"
    assert told["b", AsRunEvent.STARTED].at == T + 2 * S
    assert told["b", AsRunEvent.FINISHED].offset_ms >= 3000


def test_an_end_that_could_not_be_written_is_not_forgotten(box: Box) -> None:
    box.told(("a", T, 1, Priority.ROUTINE), ("b", T + 20 * S, 2, Priority.ROUTINE))
    box.decoded()
    box.live(31)
    box.ledger._db.execute("PRAGMA query_only = ON")
    box.live(10)
    box.ledger._db.execute("PRAGMA query_only = OFF")
    box.live(20)
    assert [(row.airing_id, row.event) for row in box.events()] == [
        ("a", AsRunEvent.STARTED),
        ("a", AsRunEvent.FINISHED),
        ("b", AsRunEvent.STARTED),
        ("b", AsRunEvent.FINISHED),
    ]
    assert abs((box.events()[1].at - T).total_seconds() - 3) < 0.2


def test_what_a_dead_ledger_silenced_is_skipped_with_that_reason(box: Box) -> None:
    box.told(("a", T, 1, Priority.ROUTINE))
    box.decoded()
    box.live(25)
    box.ledger._db.execute("PRAGMA query_only = ON")
    box.live(100)
    box.ledger._db.execute("PRAGMA query_only = OFF")
    box.live(3)
    (row,) = box.events()
    assert row.event is AsRunEvent.SKIPPED
    assert "Không ghi được sổ" in row.reason


def test_a_clock_that_is_set_past_an_airing_is_named_and_the_player_is_not_called_absent(box: Box) -> None:
    box.told(("a", T, 1, Priority.ROUTINE))
    box.decoded()
    box.live(5)
    box.clock.at += timedelta(hours=1)
    box.live(1)
    (row,) = box.events()
    assert row.event is AsRunEvent.SKIPPED
    assert row.reason.startswith("Đồng hồ của máy phát được chỉnh từ 16:59:35 24/11 sang 17:59:")


def test_a_machine_that_slept_through_an_airing_says_that_it_was_away(box: Box) -> None:
    box.told(("a", T, 1, Priority.ROUTINE))
    box.decoded()
    box.live(5)
    box.clock.at += timedelta(hours=1)
    box.clock.passed += 3600
    box.live(1)
    (row,) = box.events()
    assert (row.event, row.reason[:36]) == (AsRunEvent.MISSED, "Máy phát không chạy từ 16:59:35 24/1")


def test_after_the_station_has_put_a_clock_right_it_is_believed_without_the_station_too(box: Box) -> None:
    box.told(("a", T, 1, Priority.ROUTINE))
    box.clock.at += timedelta(hours=1)
    box.live(12)
    box.clock.at -= timedelta(hours=1)
    box.live(1)
    assert "Đồng hồ" in box.alarms()
    box.player._measured(box.clock.at)
    box.live(12)
    box.close()
    again = Box(box.folder, T - 5 * S)
    again.told()
    again.live(1)
    assert "Đồng hồ" not in again.alarms()
    again.close()


def test_a_disk_that_somebody_filled_still_takes_the_start_from_the_reserve(tmp_path: Path) -> None:
    """A real full disk where this account may mount one; the quota of the ledger's file elsewhere."""
    disk = tmp_path / "đĩa"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        box = Box(disk, T - 30 * S)
        box.told(("a", T, 1, Priority.ROUTINE))
        box.decoded()
        assert (disk / "ledger.reserve").stat().st_size == RESERVE_BYTES
        with (disk / "phim.avi").open("wb") as film, contextlib.suppress(OSError):
            while True:
                film.write(bytes(65536))
                film.flush()
        box.live(45)
        assert [row.event for row in box.events()] == [AsRunEvent.STARTED, AsRunEvent.FINISHED]
        assert not (disk / "ledger.reserve").exists()
        box.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_ledger_that_breaks_while_it_runs_ends_the_process_once_nothing_sounds(box: Box) -> None:
    """Whoever starts it again (systemd, the supervisor) gives it a new ledger; going on would be silence for good."""
    box.ledger.broken = True
    with pytest.raises(PlayerError, match="mở sổ mới khi chạy lại"):
        box.player.run(threading.Event())


def test_a_box_that_was_off_for_longer_than_a_plan_reaches_back_still_says_so(tmp_path: Path) -> None:
    box = Box(tmp_path, T - 600 * S)
    box.told(("a", T, 1, Priority.ROUTINE))
    box.live(1)
    box.close()
    later = T + timedelta(days=9)
    back = Box(tmp_path, later)
    try:
        back.told(("z", later + 3600 * S, 2, Priority.ROUTINE), issued=later - 60 * S, version=2)
        back.live(1)
        (row,) = back.events()
        assert (row.airing_id, row.event) == ("a", AsRunEvent.MISSED)
        assert row.reason.startswith("Máy phát không chạy")
    finally:
        back.close()


def test_what_the_station_took_out_of_its_plan_is_not_played_nor_called_missed(box: Box) -> None:
    box.told(("a", T, 1, Priority.ROUTINE), ("b", T - 400 * S, 1, Priority.ROUTINE))
    box.decoded()
    box.told(issued=T - 10 * S, version=2)
    box.live(40)
    assert not box.loud()
    assert "a" not in [row.airing_id for row in box.events()]
