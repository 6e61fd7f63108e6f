"""From the station's database over HTTP to samples in a WAV: the promise of the whole room."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from broadcaster.config import Settings, load
from broadcaster.delivery.receivers import add_receiver, open_pairing, revoke
from broadcaster.errors import PlayerError
from broadcaster.model import AsRunEvent, LatePolicy, Priority
from broadcaster.playout.clock import GivenClock, SystemClock
from broadcaster.playout.journal import Ledger
from broadcaster.playout.pairing import read_pairing
from broadcaster.playout.player import player_folder, run_player
from broadcaster.playout.sound import decode
from tests.support.receivers import RATE_HZ, Studio, onset, read_wav, seconds, studio
from tests.support.schemas import faults

MORNING = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)  # 05:30 at the station
EVENING = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # 17:00
BEFORE = EVENING - timedelta(hours=20)
STARTED, FINISHED, INTERRUPTED, PREEMPTED, RESUMED, MISSED, SKIPPED = (
    AsRunEvent.STARTED, AsRunEvent.FINISHED, AsRunEvent.INTERRUPTED, AsRunEvent.PREEMPTED, AsRunEvent.RESUMED,
    AsRunEvent.MISSED, AsRunEvent.SKIPPED,
)  # fmt: skip


def box(folder: Path) -> Settings:
    """A player's own home, beside the station's."""
    return load(environ={}, home=folder / "máy phát")


def play(home: Settings, wav: Path, start: datetime, length_s: float) -> None:
    """Let a player live through a stretch of given time."""
    run_player(
        home, output=f"wav:{wav}", clock=GivenClock(start), stop=threading.Event(),
        until=start + seconds(length_s),
    )  # fmt: skip


def events(station: Studio, airing: str) -> list[AsRunEvent]:
    return [row.event for row in station.as_run(airing)]


def test_a_programme_begins_at_its_planned_sample_and_the_station_hears_of_it(tmp_path: Path) -> None:
    with studio(tmp_path, now=lambda: BEFORE) as station, station.serving():
        airing = station.airing(EVENING, seed=3, seconds=2)
        home = box(tmp_path)
        station.pair(player_folder(home))
        play(home, tmp_path / "ra.wav", EVENING - seconds(10), 15)
        sha256, path = station.file_of(airing)
        clip = decode(path)
        sample, likeness = onset(read_wav(tmp_path / "ra.wav"), clip)
        assert sample == 10 * RATE_HZ
        assert likeness > 0.999
        rows = station.as_run(airing)
        assert [(row.sequence, row.event, row.sha256) for row in rows] == [
            (1, STARTED, sha256),
            (2, FINISHED, sha256),
        ]
        assert rows[0].at == EVENING
        assert rows[1].offset_ms == len(clip) * 1000 // RATE_HZ
        beat = station.receiver().heartbeat
        assert faults("heartbeat", beat) == []
        assert beat["version"] == 2
        assert beat["alarms"] == []
    timeline = json.loads((tmp_path / "ra.wav.json").read_text(encoding="utf-8"))
    assert timeline["start"] == (EVENING - seconds(10)).isoformat()
    assert [(e["event"], e["sample"]) for e in timeline["events"]] == [
        ("start", 10 * RATE_HZ),
        ("end", 10 * RATE_HZ + len(clip)),
    ]


def test_three_days_without_the_station_are_played_from_what_is_held(tmp_path: Path) -> None:
    home = box(tmp_path)
    with studio(tmp_path, now=lambda: BEFORE) as station:
        with station.serving():
            days = [station.airing(EVENING + timedelta(days=n), seed=n) for n in range(2)]
            station.pair(player_folder(home))
            play(home, tmp_path / "0.wav", BEFORE + seconds(60), 2)
            station.as_run()
        clips = [decode(station.file_of(airing)[1]) for airing in days]
        for n in range(2):  # nobody answers on that port any more; each day is a start from power-on
            play(home, tmp_path / f"{n + 1}.wav", EVENING + timedelta(days=n, seconds=-3), 6)
            sample, likeness = onset(read_wav(tmp_path / f"{n + 1}.wav"), clips[n])
            assert (sample, likeness > 0.999) == (3 * RATE_HZ, True)
        port = int(station.url.rsplit(":", 1)[1])
        with station.serving(port):
            play(home, tmp_path / "3.wav", EVENING + timedelta(days=1, seconds=60), 2)
        assert [events(station, airing) for airing in days] == [[STARTED, FINISHED]] * 2


def test_power_that_comes_back_within_grace_starts_late_and_says_so(tmp_path: Path) -> None:
    with studio(tmp_path, now=lambda: BEFORE) as station, station.serving():
        airing = station.airing(EVENING, grace_s=120)
        home = box(tmp_path)
        station.pair(player_folder(home))
        play(home, tmp_path / "a.wav", EVENING - seconds(60), 2)
        play(home, tmp_path / "b.wav", EVENING + seconds(40), 5)
        sample, likeness = onset(read_wav(tmp_path / "b.wav"), decode(station.file_of(airing)[1]))
        assert (sample, likeness > 0.999) == (0, True)
        rows = station.as_run(airing)
        assert [row.event for row in rows] == [STARTED, FINISHED]
        assert rows[0].at == EVENING + seconds(40)
        assert rows[0].reason == "Phát muộn 40 giây."


@pytest.mark.parametrize(("policy", "after_s"), [
    (LatePolicy.PLAY_WITHIN_GRACE, 121),
    (LatePolicy.SKIP, 10),
])  # fmt: skip
def test_power_that_comes_back_too_late_is_silent_and_tells_when_it_was_away(
    tmp_path: Path, policy: LatePolicy, after_s: int
) -> None:
    with studio(tmp_path, now=lambda: BEFORE) as station, station.serving():
        airing = station.airing(EVENING, grace_s=120, late_policy=policy)
        home = box(tmp_path)
        station.pair(player_folder(home))
        play(home, tmp_path / "a.wav", EVENING - seconds(60), 2)
        play(home, tmp_path / "b.wav", EVENING + seconds(after_s), 5)
        assert not read_wav(tmp_path / "b.wav").any()
        (row,) = station.as_run(airing)
        assert row.event is MISSED
        back = (EVENING + seconds(after_s + 7 * 3600)).strftime("%H:%M:%S %d/%m")
        assert row.reason == f"Máy phát không chạy từ 16:59:02 24/11 đến {back}."


def test_what_was_played_is_not_played_again_by_a_second_life(tmp_path: Path) -> None:
    with studio(tmp_path, now=lambda: BEFORE) as station, station.serving():
        airing = station.airing(EVENING)
        home = box(tmp_path)
        station.pair(player_folder(home))
        play(home, tmp_path / "a.wav", EVENING - seconds(1), 5)
        play(home, tmp_path / "b.wav", EVENING + seconds(5), 5)
        assert not read_wav(tmp_path / "b.wav").any()
        assert events(station, airing) == [STARTED, FINISHED]


def test_a_player_switched_off_in_the_middle_says_how_far_it_came(tmp_path: Path) -> None:
    with studio(tmp_path, now=lambda: BEFORE) as station, station.serving():
        airing = station.airing(EVENING, seconds=4)
        home = box(tmp_path)
        station.pair(player_folder(home))
        play(home, tmp_path / "a.wav", EVENING - seconds(1), 3)
        rows = station.as_run(airing)
        assert [row.event for row in rows] == [STARTED, INTERRUPTED]
        assert abs(rows[1].offset_ms - 2000) < 60


def test_an_emergency_cuts_in_at_its_sample_and_the_cut_programme_goes_on_at_the_cut(tmp_path: Path) -> None:
    with studio(tmp_path, now=lambda: BEFORE) as station, station.serving():
        routine = station.airing(EVENING, seed=1, seconds=6)
        emergency = station.airing(EVENING + seconds(2), seed=2, seconds=2, priority=Priority.EMERGENCY)
        home = box(tmp_path)
        station.pair(player_folder(home))
        play(home, tmp_path / "a.wav", EVENING - seconds(1), 14)
        tape = read_wav(tmp_path / "a.wav")
        long, short = (decode(station.file_of(one)[1]) for one in (routine, emergency))
        assert onset(tape, long)[0] == RATE_HZ
        assert onset(tape, short)[0] == 3 * RATE_HZ
        rows = station.as_run(routine)
        assert [row.event for row in rows] == [STARTED, PREEMPTED, RESUMED, FINISHED]
        assert rows[1].offset_ms == rows[2].offset_ms == 2000
        assert events(station, emergency) == [STARTED, FINISHED]
        rest = long[2 * RATE_HZ :]
        sample, likeness = onset(tape, rest, length=RATE_HZ)
        assert likeness > 0.99
        assert 3 * RATE_HZ + len(short) <= sample <= 3 * RATE_HZ + len(short) + RATE_HZ // 5
        # never restarted: the beginning of the programme is on the tape once
        again = tape.copy()
        again[RATE_HZ : RATE_HZ + len(long) // 4] = 0.0
        assert onset(again, long)[1] < 0.3


def test_before_six_in_the_morning_the_loudspeakers_are_turned_down(tmp_path: Path) -> None:
    with studio(tmp_path, now=lambda: MORNING - timedelta(hours=5)) as station, station.serving():
        airing = station.airing(MORNING, seed=4, seconds=2)
        home = box(tmp_path)
        station.pair(player_folder(home))
        play(home, tmp_path / "a.wav", MORNING - seconds(1), 4)
        clip = decode(station.file_of(airing)[1])
        tape = read_wav(tmp_path / "a.wav")[RATE_HZ : RATE_HZ + len(clip)]
        assert float(np.sqrt(np.mean(tape**2) / np.mean(clip**2))) == pytest.approx(0.70, abs=0.001)


def test_an_airing_without_a_programme_is_skipped_with_its_reason(tmp_path: Path) -> None:
    with studio(tmp_path, now=lambda: BEFORE) as station, station.serving():
        airing = station.airing(EVENING, grace_s=5, rendered=False)
        home = box(tmp_path)
        station.pair(player_folder(home))
        play(home, tmp_path / "a.wav", EVENING - seconds(2), 10)
        (row,) = station.as_run(airing)
        assert (row.event, row.reason) == (SKIPPED, "Đến giờ mà đài chưa có chương trình cho buổi này.")


def test_what_was_due_before_a_player_was_paired_is_not_its_business(tmp_path: Path) -> None:
    with studio(tmp_path, now=lambda: EVENING + timedelta(hours=1)) as station, station.serving():
        station.airing(EVENING)
        home = box(tmp_path)
        station.pair(player_folder(home))
        play(home, tmp_path / "a.wav", EVENING + timedelta(hours=2), 3)
        assert station.as_run() == []


def test_a_rehearsal_leaves_no_trace_in_the_report(tmp_path: Path) -> None:
    with studio(tmp_path, now=lambda: BEFORE) as station, station.serving():
        station.airing(EVENING)
        home, folder = box(tmp_path), tmp_path / "thử"
        station.pair(folder)
        run_player(
            home, output=f"wav:{tmp_path / 'a.wav'}", clock=GivenClock(EVENING - seconds(1)),
            stop=threading.Event(), until=EVENING + seconds(3), folder=folder, upload=False,
        )  # fmt: skip
        assert read_wav(tmp_path / "a.wav").any()
        assert station.as_run() == []
        assert station.receiver().last_seen_at is None
        assert not (player_folder(home) / "ledger.db").exists()


def test_a_player_that_belongs_to_no_station_says_how_to_pair(tmp_path: Path) -> None:
    with pytest.raises(PlayerError, match="chưa ghép nối"):
        run_player(box(tmp_path), output="silent", clock=GivenClock(EVENING), stop=threading.Event())


def test_a_village_box_is_paired_by_a_code_and_needs_no_options_afterwards(tmp_path: Path) -> None:
    home = box(tmp_path)
    with studio(tmp_path, now=lambda: BEFORE) as station, station.serving() as url:
        airing = station.airing(EVENING)
        with station.db.writing() as session:
            code = open_pairing(session, station.receiver_id, now=BEFORE)
        run_player(
            home, server=url, output="silent", clock=GivenClock(EVENING - seconds(60)), stop=threading.Event(),
            until=EVENING - seconds(58), pairing_code=code,
        )  # fmt: skip
        play(home, tmp_path / "a.wav", EVENING - seconds(1), 4)
        assert events(station, airing) == [STARTED, FINISHED]
        with pytest.raises(PlayerError, match="đã dùng rồi"):
            run_player(
                home, server=url, output="silent", clock=GivenClock(EVENING), stop=threading.Event(),
                pairing_code=code,
            )  # fmt: skip


def test_a_token_alone_pins_the_key_that_the_station_shows_first(tmp_path: Path) -> None:
    home = box(tmp_path)
    with studio(tmp_path, now=lambda: BEFORE) as station, station.serving() as url:
        airing = station.airing(EVENING)
        run_player(
            home, server=url, token=station.token, output="silent", clock=GivenClock(EVENING - seconds(1)),
            stop=threading.Event(), until=EVENING + seconds(3),
        )  # fmt: skip
        assert events(station, airing) == [STARTED, FINISHED]
        pinned = read_pairing(player_folder(home))
        assert pinned is not None
        assert pinned.public_key == station.keys.public_key_hex
        with pytest.raises(PlayerError, match="Mã máy thu không đúng"):
            run_player(
                box(tmp_path / "khác"), server=url, token="sai", output="silent", clock=GivenClock(EVENING),
                stop=threading.Event(),
            )  # fmt: skip


def test_a_new_memory_card_numbers_its_events_on(tmp_path: Path) -> None:
    home = box(tmp_path)
    with studio(tmp_path, now=lambda: BEFORE) as station, station.serving():
        first, second = station.airing(EVENING), station.airing(EVENING + seconds(60), seed=2)
        station.pair(player_folder(home))
        play(home, tmp_path / "a.wav", EVENING - seconds(1), 4)
        for path in player_folder(home).glob("ledger.db*"):
            path.unlink()
        play(home, tmp_path / "b.wav", EVENING + seconds(58), 6)
        assert [row.sequence for row in station.as_run()] == [1, 2, 3, 4]
        assert [events(station, one) for one in (first, second)] == [[STARTED, FINISHED]] * 2


def test_a_box_that_is_paired_anew_as_another_receiver_plays_that_ones_plan_and_tells_nothing_twice(
    tmp_path: Path,
) -> None:
    home = box(tmp_path)
    with studio(tmp_path, now=lambda: BEFORE) as station, station.serving() as url:
        first = station.airing(EVENING)
        station.pair(player_folder(home))
        play(home, tmp_path / "a.wav", EVENING - seconds(1), 4)
        assert events(station, first) == [STARTED, FINISHED]
        # its right was taken away; the page Máy thu then wants a new receiver
        with station.db.writing() as session:
            revoke(session, station.receiver_id, now=EVENING)
            other = add_receiver(session, station_id=station.commune.station.id, name="Máy mới", now=EVENING)
            code = open_pairing(session, other.id, now=BEFORE)
            number = other.id
        second = station.airing(EVENING + seconds(60), seed=2)
        run_player(
            home, server=url, output=f"wav:{tmp_path / 'b.wav'}", clock=GivenClock(EVENING + seconds(10)),
            stop=threading.Event(), until=EVENING + seconds(64), pairing_code=code,
        )  # fmt: skip
        told = [(row.receiver_id, row.sequence, row.airing_id, row.event) for row in station.as_run()]
        assert told == [
            (station.receiver_id, 1, first, STARTED), (station.receiver_id, 2, first, FINISHED),
            (number, 1, second, STARTED), (number, 2, second, FINISHED),
        ]  # fmt: skip
        starts = json.loads((tmp_path / "b.wav.json").read_text(encoding="utf-8"))["events"]
        assert [one["airing"] for one in starts if one["event"] == "start"] == [second]
        (kept,) = player_folder(home).glob(f"ledger-*-{station.receiver_id}.db")
        assert [one.sequence for one in Ledger(kept).to_upload()] == []
        play(home, tmp_path / "c.wav", EVENING + seconds(70), 3)  # and it stays that receiver
        assert len(station.as_run()) == 4


def test_a_second_player_on_the_same_folder_is_refused_and_the_first_plays_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broadcaster.playout.player._HAND_OVER_S", 0.2)
    home, stop = box(tmp_path), threading.Event()
    with studio(tmp_path) as station, station.serving():
        station.pair(player_folder(home))
        airing = station.airing(datetime.now(UTC) + seconds(2), seconds=1)
        first = threading.Thread(
            target=run_player, args=(home,), kwargs={"output": "silent", "clock": SystemClock(), "stop": stop}
        )
        first.start()
        try:
            wait_for(lambda: station.requests)
            with pytest.raises(PlayerError, match="đang chạy rồi trên máy này"):
                run_player(home, output="silent", clock=SystemClock(), stop=threading.Event())
            wait_for(lambda: events(station, airing) == [STARTED, FINISHED])
        finally:
            stop.set()
            first.join(timeout=20)


def test_the_web_may_die_in_the_middle_and_nothing_is_heard_of_it(tmp_path: Path) -> None:
    """Real time, real threads: the server goes while the programme sounds, and comes back afterwards."""
    home = box(tmp_path)
    stop, wav = threading.Event(), tmp_path / "a.wav"
    with studio(tmp_path) as station:
        with station.serving():
            planned = datetime.now(UTC) + seconds(6)  # a busy machine needs a while to pair and to fetch
            airing = station.airing(planned, seed=5, seconds=3)
            station.pair(player_folder(home))
            player = threading.Thread(
                target=run_player, args=(home,),
                kwargs={"output": f"wav:{wav}", "clock": SystemClock(), "stop": stop},
            )  # fmt: skip
            player.start()
            wait_for(lambda: any(request.startswith("GET /a/") for request in station.requests))
            wait_for(lambda: datetime.now(UTC) > planned + seconds(0.5))
        wait_for(lambda: datetime.now(UTC) > planned + seconds(3.4))
        with station.serving(int(station.url.rsplit(":", 1)[1])):
            wait_for(lambda: events(station, airing) == [STARTED, FINISHED])
            stop.set()
            player.join(timeout=20)
            assert not player.is_alive()
        tape, clip = read_wav(wav), decode(station.file_of(airing)[1])
        timeline = json.loads((tmp_path / "a.wav.json").read_text(encoding="utf-8"))
        sample, likeness = onset(tape, clip, length=len(clip))
        assert likeness > 0.999
        start = datetime.fromisoformat(timeline["start"])
        # exact to the sample but for what the wall clock drifted against itself meanwhile (NTP slewing)
        assert abs(sample - round((planned - start).total_seconds() * RATE_HZ)) <= 1


def test_an_emergency_reaches_a_sounding_player_through_the_doorbell(tmp_path: Path) -> None:
    home = box(tmp_path)
    stop, wav = threading.Event(), tmp_path / "a.wav"
    with studio(tmp_path) as station, station.serving():
        station.airing(datetime.now(UTC) + seconds(1.5), seed=6, seconds=8)
        station.pair(player_folder(home))
        player = threading.Thread(
            target=run_player, args=(home,),
            kwargs={"output": f"wav:{wav}", "clock": SystemClock(), "stop": stop},
        )  # fmt: skip
        player.start()
        try:
            wait_for(lambda: station.as_run() != [])
            accepted = datetime.now(UTC)
            emergency = station.airing(accepted, seed=7, seconds=1, priority=Priority.EMERGENCY)
            wait_for(lambda: FINISHED in events(station, emergency))
        finally:
            stop.set()
            player.join(timeout=20)
        assert onset(read_wav(wav), decode(station.file_of(emergency)[1]))[1] > 0.999


def wait_for(true: object, *, limit_s: float = 25.0) -> None:
    """Wait until `true()` is true; the test fails when it never is."""
    deadline = datetime.now(UTC) + seconds(limit_s)
    pause = threading.Event()
    while not true():  # type: ignore[operator]
        assert datetime.now(UTC) < deadline, "it never came"
        pause.wait(0.05)
