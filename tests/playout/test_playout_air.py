"""From the station's database over HTTP to samples in a WAV: the promise of the whole room."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadcaster.config import Settings, load
from broadcaster.model import AsRunEvent
from broadcaster.playout.clock import GivenClock, SystemClock
from broadcaster.playout.player import player_folder, run_player
from broadcaster.playout.sound import decode
from tests.support.receivers import RATE_HZ, Studio, onset, read_wav, seconds, studio

MORNING = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)  # 05:30 at the station
EVENING = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # 17:00


def box(folder: Path) -> Settings:
    """A player's own home, beside the station's."""
    return load(environ={}, home=folder / "máy phát")


def play(
    home: Settings, wav: Path, start: datetime, length_s: float, *, output: str | None = None
) -> list[tuple[str, AsRunEvent]]:
    """Run a player over a given stretch of time."""
    run_player(
        home, output=output or f"wav:{wav}", clock=GivenClock(start), stop=threading.Event(),
        until=start + seconds(length_s),
    )  # fmt: skip
    return []


def events(station: Studio, airing: str) -> list[AsRunEvent]:
    return [row.event for row in station.as_run(airing)]


def test_a_programme_begins_at_its_planned_sample_and_the_station_hears_of_it(tmp_path: Path) -> None:
    with studio(tmp_path, now=lambda: EVENING - timedelta(hours=1)) as station, station.serving():
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
            (1, AsRunEvent.STARTED, sha256),
            (2, AsRunEvent.FINISHED, sha256),
        ]
        assert rows[0].at == EVENING
        assert rows[1].offset_ms == len(clip) * 1000 // RATE_HZ
        beat = station.receiver().heartbeat
        assert beat["version"] == 2
        assert beat["alarms"] == []
