"""A station dies and comes back from its backup on another machine: its players take the restored one and play on.

One player process lives through all of it; both stations answer over real HTTP at the same address.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select

from broadcaster.config import load
from broadcaster.model import AsRunEvent
from broadcaster.playout.sound import decode
from broadcaster.schedule.airings import bump_plan
from broadcaster.store.backup import backup, restore
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import load_keys
from broadcaster.store.tables import Station
from tests.support.receivers import RATE_HZ, Studio, onset, read_wav, studio

ROOT = Path(__file__).resolve().parents[2]
Samples = NDArray[np.float64]
PLAYED = [AsRunEvent.STARTED, AsRunEvent.FINISHED]


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def wait_for(reached: Callable[[], bool], what: str, log: Path, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"{what}\n{log.read_text(encoding='utf-8')}"
        time.sleep(0.1)


def said(station: Studio, airing: str) -> list[AsRunEvent]:
    return [row.event for row in station.as_run(airing)]


def numbers(station: Studio) -> tuple[int, int]:
    """(epoch, version) of the station's plan."""
    with station.db.reading() as session:
        row = session.scalars(select(Station)).one()
        return row.epoch, row.plan_version


def told(station: Studio) -> tuple[int, int]:
    """(epoch, version) of the plan that the player says it holds."""
    beat = station.receiver().heartbeat
    return beat.get("epoch", 0), beat.get("version", 0)


@contextmanager
def playing(home: Path, wav: Path, log: Path) -> Iterator[None]:
    """The player as a service runs it, with a WAV file for its sound card."""
    environment = {**os.environ, "BROADCASTER_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "broadcaster", "play", "--output", f"wav:{wav}"]
    with log.open("wb") as out:
        player = subprocess.Popen(command, cwd=home, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        player.send_signal(signal.SIGTERM)
        player.wait(timeout=60)


@contextmanager
def restored(first: Studio, made: Path, home: Path) -> Iterator[Studio]:
    """The station that a backup brings back into an empty home."""
    settings = load(environ={}, home=home)
    restore(settings, made, now=datetime.now(UTC))
    db = Database(settings.database_url)
    try:
        yield replace(
            first, db=db, settings=settings, keys=load_keys(settings.keys), blobs=Blobs(settings.blobs_url)
        )
    finally:
        db.dispose()


def sounds(tape: Samples, *, quiet_s: float = 0.3) -> list[Samples]:
    """What stands on the tape between silences, in order."""
    block = RATE_HZ // 20
    loud = np.abs(tape[: len(tape) // block * block]).reshape(-1, block).max(axis=1) > 0.01
    found: list[list[int]] = []
    for number in np.flatnonzero(loud):
        if found and number - found[-1][1] <= quiet_s * 20:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [tape[max(first - 2, 0) * block : (last + 3) * block] for first, last in found]


@pytest.mark.timeout(400)  # three airings at their real times, two of them after an outage
def test_a_player_takes_the_restored_station_tells_it_what_it_missed_and_refuses_the_old_one(
    tmp_path: Path,
) -> None:
    home, wav, log = tmp_path / "máy phát", tmp_path / "loa.wav", tmp_path / "máy phát.log"
    with studio(tmp_path, migrated=True) as old:
        with old.serving() as url:
            port = int(url.rsplit(":", 1)[1])
            old.pair(home / "var" / "player")
            before = old.airing(soon(25), seed=1, seconds=2)
            made = backup(old.settings, tmp_path / "usb", now=datetime.now(UTC))
            with old.db.writing() as session:
                for _change in range(30):  # what the old station planned after its backup is lost
                    bump_plan(session, old.commune.station.id)
            player = playing(home, wav, log)
            player.__enter__()
            try:
                wait_for(lambda: said(old, before) == PLAYED, "the first airing was not played", log)
                wait_for(lambda: told(old) == numbers(old), "the old plan was not taken", log)
                taken = numbers(old)
            except BaseException:
                player.__exit__(None, None, None)
                raise
        try:
            with restored(old, made, tmp_path / "máy mới") as new:
                epoch, version = numbers(new)
                assert epoch > taken[0]
                assert version < taken[1], "the restored plan has a lower number, only its epoch is higher"
                with new.serving(port):
                    wait_for(lambda: told(new)[0] == epoch, "the restored plan was not taken", log)
                    wait_for(lambda: said(new, before) == PLAYED, "what the backup missed was not told", log)
                    after = new.airing(soon(10), seed=2, seconds=2)
                    wait_for(lambda: said(new, after) == PLAYED, "the second airing was not played", log)
                    held = numbers(new)
                due = soon(6)
                stolen = old.airing(due, seed=3, seconds=2)
                with old.serving(port):  # somebody switches the old machine on again
                    wait_for(
                        lambda: any("cũ hơn" in one for one in old.receiver().heartbeat.get("alarms", ())),
                        "the old plan was not refused aloud", log,
                    )  # fmt: skip
                    assert told(old) == held
                    time.sleep(max(0.0, (due - soon(-3)).total_seconds()))
                    assert said(old, stolen) == []
                with new.serving(port):
                    last = new.airing(soon(10), seed=4, seconds=2)
                    wait_for(lambda: said(new, last) == PLAYED, "the third airing was not played", log)
                clips = [decode(new.file_of(one)[1]) for one in (before, after, last)]
        finally:
            player.__exit__(None, None, None)
    heard = sounds(read_wav(wav))
    assert len(heard) == len(clips), "each airing once, and nothing of the old station's"
    assert all(onset(one, clip, length=RATE_HZ)[1] > 0.999 for one, clip in zip(heard, clips, strict=True))
