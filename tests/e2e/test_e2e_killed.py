"""The four processes for real, on the real clock; three of them are killed while the fourth plays."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import requests
from sqlalchemy import select

from broadcaster.config import CHECKOUT
from broadcaster.model import RenditionKind
from broadcaster.newsroom.bulletins import approve, create_bulletin, submit
from broadcaster.playout.outputs.deck import RATE_HZ
from broadcaster.schedule.airings import add_extra
from broadcaster.schedule.plan import airing_of
from broadcaster.store.blobs import Blobs
from broadcaster.store.tables import AsRun, Receiver, Revision, Station, User
from broadcaster.supervise import Supervisor
from tests.support.hearing import decoded, onset
from tests.support.live import Live, live_station

ONE_BUFFER = RATE_HZ * 20 // 1000
BARE = {
    "greeting": "", "headlines": "", "closing": "", "opening_jingle": False, "closing_jingle": False,
    "chime": False, "cuts": False, "tail_ms": 500,
}  # fmt: skip
WORDS = "Kính thưa bà con, chiều mai các thôn tổng vệ sinh đường làng, ngõ xóm, mời mọi nhà cùng tham gia."


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
@pytest.mark.timeout(180)
def test_killing_web_worker_and_clock_changes_nothing_in_the_sound_and_a_restart_goes_on(
    tmp_path: Path,
) -> None:
    port = free_port()
    now = datetime.now(UTC)
    with live_station(tmp_path / "đài", now, template=BARE, **{"web.port": port}) as live:
        bulletin_id = approved_bulletin(live)
        wav = tmp_path / "nghe.wav"
        python = [sys.executable, "-m", "broadcaster"]
        supervisor = Supervisor(
            {
                "web": [*python, "serve", "--port", str(port)],
                "work": [*python, "work"],
                "clock": [*python, "clock"],
                "play": [*python, "play", "--output", f"wav:{wav}"],
            },
            logs=tmp_path / "logs",
            cwd=CHECKOUT,
            environment={
                **os.environ, "BROADCASTER_HOME": str(live.settings.home), "BROADCASTER_VOICE_CHAIN": "espeak:vi+f5",
                "BROADCASTER_WEB_PORT": str(port), "PYTHONUTF8": "1",
            },
            say=lambda line: None,
        )  # fmt: skip
        stop = threading.Event()
        runner = threading.Thread(target=supervisor.run, args=(stop,))
        runner.start()
        try:
            until(lambda: answers(port), seconds=60)
            until(lambda: player_was_seen(live), seconds=60)
            airing_id, planned_at = airing_soon(live, bulletin_id, seconds=25)
            until(lambda: ledger_events(live) == ["started"], seconds=60)
            killed = {part.name: kill(part.process) for part in supervisor.parts if part.name != "play"}
            assert len(killed) == 3
            until(lambda: ledger_events(live) == ["started", "finished"], seconds=40)
            until(lambda: answers(port), seconds=60)
            until(lambda: stored_events(live) == ["started", "finished"], seconds=60)
            alive = {part.name: part.process.pid for part in supervisor.parts if part.process is not None}
            assert all(alive[name] != pid for name, pid in killed.items())
            time.sleep(1)
        finally:
            stop.set()
            runner.join(timeout=40)
        with live.db.reading() as session:
            played = airing_of(session, airing_id)
        file = played.files[RenditionKind.AIR]
        assert played.duration_ms is not None
        mp3 = Blobs(live.settings.blobs_url).path(file.sha256, suffix="mp3")
        sound, heard = decoded(mp3), decoded(wav)
        begin = wav_start(wav)
        expected = round((planned_at - begin).total_seconds() * RATE_HZ)
        whole = sound[RATE_HZ // 2 : played.duration_ms * RATE_HZ // 1000 - RATE_HZ // 2]
        at, alike = onset(heard, whole)
        assert abs(at - RATE_HZ // 2 - expected) <= ONE_BUFFER
        assert alike > 0.9999  # every sample of it, at whatever volume
        louder = float(np.abs(heard[:expected]).max(initial=0.0))
        assert louder == 0.0


def approved_bulletin(live: Live) -> int:
    """A bulletin that may sound, on a station that allows every hour (the real clock may say midnight)."""
    with live.db.writing() as session:
        station = session.scalars(select(Station)).one()
        station.policy = {
            "earliest_start": "00:00", "latest_end": "23:59", "quiet_from": "00:00", "quiet_to": "00:00",
            "sessions_a_day": 20, "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        }  # fmt: skip
        hoa = session.scalars(select(User).where(User.username == "hoa")).one()
        made = create_bulletin(
            session, station_id=station.id, author=hoa, title="Tổng vệ sinh", text=WORDS, now=live.clock.now
        )
        submit(session, made.id, version=made.version, actor=hoa, now=live.clock.now)
    live.work()
    with live.db.writing() as session:
        revision = session.scalars(select(Revision)).one()
        assert revision.take is not None
        minh = session.scalars(select(User).where(User.username == "minh")).one()
        approve(
            session, revision.id, actor=minh, text_sha256=revision.text_sha256,
            reading_sha256=revision.reading_sha256, take_sha256=revision.take.sha256, now=live.clock.now,
        )  # fmt: skip
    return revision.bulletin_id


def airing_soon(live: Live, bulletin_id: int, *, seconds: int) -> tuple[str, datetime]:
    """An extra airing in a few seconds; the running clock and worker make its programme."""
    now = datetime.now(UTC)
    start = now.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")) + timedelta(seconds=seconds)
    start = start.replace(microsecond=0)
    with live.db.writing() as session:
        station = session.scalars(select(Station)).one()
        hoa = session.scalars(select(User).where(User.username == "hoa")).one()
        airing = add_extra(
            session, station, local_date=start.date(), start_local=start.time(), bulletin_ids=[bulletin_id],
            max_minutes=5, actor=hoa, now=now,
        )  # fmt: skip
        airing_id = airing.id
    return airing_id, start.astimezone(UTC)


def kill(process: "subprocess.Popen[bytes] | None") -> int:
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    return process.pid


def player_was_seen(live: Live) -> bool:
    with live.db.reading() as session:
        return session.scalars(select(Receiver)).one().last_seen_at is not None


def ledger_events(live: Live) -> list[str]:
    """What the player itself wrote down."""
    path = live.settings.var / "player" / "ledger.db"
    if not path.exists():
        return []
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return [row[0] for row in connection.execute("SELECT event FROM event ORDER BY sequence")]
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()


def stored_events(live: Live) -> list[str]:
    with live.db.reading() as session:
        return [row.event.value for row in session.scalars(select(AsRun).order_by(AsRun.sequence))]


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2).ok
    except requests.RequestException:
        return False


def wav_start(wav: Path) -> datetime:
    return datetime.fromisoformat(json.loads(Path(f"{wav}.json").read_text(encoding="utf-8"))["start"])


def until(true: object, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
