"""Emergencies from the web form to the loudspeaker: two people in their browsers, a player process, a recording."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from broadcaster.commands.run import web_server
from broadcaster.model import AsRunEvent, RenditionKind
from broadcaster.playout.clock import GivenClock
from broadcaster.playout.outputs.deck import RATE_HZ
from broadcaster.playout.player import run_player
from broadcaster.playout.sound import decode
from broadcaster.store.blobs import Blobs
from broadcaster.store.tables import Airing, AsRun, Jingle, Variant
from tests.support.emergency_desk import DRILL, ON_AIR, Desk
from tests.support.hearing import onset
from tests.support.live import Live, live_station, utc
from tests.support.receivers import read_wav

ROOT = Path(__file__).resolve().parents[2]
FLOOD = "Nước sông đang lên nhanh. Bà con lên nơi cao."


def utc_now() -> datetime:
    return datetime.now(UTC)


def make(live: Live) -> None:
    """Worker and clock, until the newest message can be heard."""
    live.work()
    live.tick()
    live.work()


@contextmanager
def playing(live: Live, address: str, wav: Path) -> Iterator[None]:
    """The station's own player as a process of its own."""
    log = wav.with_suffix(".log")
    command = [sys.executable, "-m", "broadcaster", "play", "--server", address, "--output", f"wav:{wav}"]
    environment = {**os.environ, "BROADCASTER_HOME": str(live.settings.home), "PYTHONUTF8": "1"}
    with log.open("wb") as out:
        player = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield
            assert player.poll() is None, log.read_text(encoding="utf-8")
        finally:
            player.send_signal(signal.SIGTERM)
            player.wait(timeout=30)


def wait_for(true: Any, *, limit_s: float = 60.0) -> None:
    deadline = utc_now() + timedelta(seconds=limit_s)
    pause = threading.Event()
    while not true():
        assert utc_now() < deadline, "it never came"
        pause.wait(0.05)


def airings(live: Live, message: str) -> list[Airing]:
    number = int(message.rsplit("/", 1)[1])
    with live.db.reading() as session:
        rows = session.scalars(
            select(Airing).where(Airing.emergency_id == number).order_by(Airing.planned_at)
        ).all()
        session.expunge_all()
    return list(rows)


def said(live: Live, airing: str) -> list[AsRunEvent]:
    with live.db.reading() as session:
        return list(
            session.scalars(select(AsRun.event).where(AsRun.airing_id == airing).order_by(AsRun.sequence))
        )


def sounds(live: Live, airing: str) -> tuple[Any, Any]:
    """The alert and the message, as a player decodes them."""
    blobs = Blobs(live.settings.blobs_url)
    with live.db.reading() as session:
        alert = session.scalars(select(Jingle).where(Jingle.kind == "alert")).one()
        variant = session.scalars(select(Variant).where(Variant.airing_id == airing)).one()
        assert variant.programme is not None
        (air,) = [one for one in variant.programme.renditions if one.kind is RenditionKind.AIR]
        files = blobs.path(alert.sha256, suffix="flac"), blobs.path(air.sha256, suffix="mp3")
    return decode(files[0]), decode(files[1])


def marks(wav: Path, airing: str) -> dict[str, int]:
    """Where on the tape an airing began and ended: `start`, and `end` or `cut`."""
    timeline = json.loads(Path(f"{wav}.json").read_text(encoding="utf-8"))
    return {one["event"]: one["sample"] for one in timeline["events"] if one["airing"] == airing}


@pytest.mark.slow
@pytest.mark.timeout(240)  # real time: four messages are spoken, heard and ended
@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM")
def test_what_two_people_start_in_the_web_sounds_with_its_alert_is_ended_announced_and_stopped(
    tmp_path: Path,
) -> None:
    wav = tmp_path / "loa.wav"
    with (
        live_station(tmp_path / "đài của xã", utc_now()) as live,
        web_server(live.settings, now=utc_now) as address,
        Desk(address) as desk,
        playing(live, address, wav),
    ):

        def on_air(message: str, button: str = ON_AIR) -> str:
            live.clock.now = utc_now()
            make(live)
            desk.put_on_air(message, button=button)
            return airings(live, message)[0].id

        def event_comes(airing: str, event: AsRunEvent) -> None:
            wait_for(lambda: event in said(live, airing))

        # once, whole: the alert, and the message right after it
        first = on_air(desk.ask("Nước lũ đang lên", FLOOD))
        event_comes(first, AsRunEvent.FINISHED)
        assert said(live, first) == [AsRunEvent.STARTED, AsRunEvent.FINISHED]

        # again and again, until somebody ends it while it sounds; that nothing more comes is announced
        flood = desk.ask("Nước lũ lại lên", f"{FLOOD} Đây là lần báo thứ hai.", repeat_min=5)
        second = on_air(flood)
        event_comes(second, AsRunEvent.STARTED)
        desk.end(flood)
        event_comes(second, AsRunEvent.INTERRUPTED)
        assert {one.state.value for one in airings(live, flood)[1:]} == {"cancelled"}
        over = on_air(desk.ask("", "", page=f"/khan-cap?huy={flood.rsplit('/', 1)[1]}"))
        event_comes(over, AsRunEvent.FINISHED)

        # a drill reaches the player and nobody hears it
        drill = on_air(desk.ask("Diễn tập tháng Mười Một", FLOOD, drill=True), DRILL)
        event_comes(drill, AsRunEvent.FINISHED)

        # one person's order ends whatever sounds
        third = on_air(desk.ask("Cháy rừng", "Rừng đang cháy. Bà con tránh xa khu vực cháy."))
        event_comes(third, AsRunEvent.STARTED)
        desk.stop_everything("Báo nhầm")
        event_comes(third, AsRunEvent.INTERRUPTED)
        alert, message = sounds(live, first)
        announced = sounds(live, over)[1]

    tape = read_wav(wav).astype(np.float32)
    begun = marks(wav, first)
    heard = tape[begun["start"] : begun["end"]]
    for clip, begins in ((alert, 0), (message, len(alert))):
        at, alike = onset(heard, clip)
        assert at == begins
        assert alike > 0.999
    for cut in (second, third):
        parts = marks(wav, cut)
        assert 0 < parts["cut"] - parts["start"] < len(alert) + len(message)
        assert not tape[parts["cut"] : parts["cut"] + RATE_HZ // 4].any()
    parts = marks(wav, over)
    assert onset(tape[parts["start"] : parts["end"]], announced)[1] > 0.999
    quiet = marks(wav, drill)
    assert not tape[quiet["start"] : quiet["end"]].any()


def test_an_emergency_is_repeated_by_the_player_alone_until_it_is_ended(tmp_path: Path) -> None:
    with (
        live_station(tmp_path / "đài", utc("2026-11-24 14:00")) as live,
        web_server(live.settings, now=live.clock) as address,
        Desk(address) as desk,
    ):
        flood = desk.ask("Nước lũ đang lên", FLOOD, repeat_min=5)
        make(live)
        desk.put_on_air(flood)
        accepted = live.clock.now

        def life(first_min: float, last_min: float, name: str) -> dict[str, Any]:
            """The player from minute to minute after the last word, without a doorbell in between."""
            wav = tmp_path / f"{name}.wav"
            run_player(
                live.settings, server=address, output=f"wav:{wav}", stop=threading.Event(),
                clock=GivenClock(accepted + timedelta(minutes=first_min)),
                until=accepted + timedelta(minutes=last_min),
            )  # fmt: skip
            return dict(json.loads(Path(f"{wav}.json").read_text(encoding="utf-8")))

        heard = life(0, 7, "một")
        starts = [one["sample"] / RATE_HZ for one in heard["events"] if one["event"] == "start"]
        assert starts == pytest.approx([0.0, 300.0], abs=0.05)
        live.clock.now = accepted + timedelta(minutes=7)
        desk.end(flood)
        assert life(7, 17, "hai")["events"] == []
        first, second, *rest = airings(live, flood)
        assert [said(live, one.id) for one in (first, second)] == [
            [AsRunEvent.STARTED, AsRunEvent.FINISHED]
        ] * 2
        assert all(said(live, one.id) == [] for one in rest)
