"""How long one sentence takes to be heard while the renderer is busy: asked for on the web -> sound in the store.

    python scripts/bench_preview.py [--check] [--rounds 7] [--voice espeak:vi+f5]

The worker is the real process with its two lanes; the other lane speaks a bulletin of 400 sentences meanwhile.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from broadcaster.config import Settings, load  # noqa: E402
from broadcaster.store.db import Database  # noqa: E402
from broadcaster.store.queue import Doorbell, enqueue  # noqa: E402
from broadcaster.store.tables import RenderJob, Station  # noqa: E402
from broadcaster.store.upgrade import upgrade  # noqa: E402
from scripts.bench_line import SENTENCES, spoken_digits  # noqa: E402
from scripts.bench_tools import Row, machine, spread, table  # noqa: E402

LIMIT_S = 2.0


def asked(db: Database, station_id: int, kind: str, key: str, sentences: list[str]) -> int:
    """Put a job in the queue as the web does."""
    now = datetime.now(UTC)
    payload = {"sentences": [[text, "sentence"] for text in sentences]}
    with db.writing() as session:
        return enqueue(
            session, station_id=station_id, kind=kind, key=key, payload=payload, due_at=now, now=now
        ).id


def state(db: Database, number: int) -> str:
    """queued, running, done…"""
    with db.reading() as session:
        return session.get_one(RenderJob, number).state


def wait_for(db: Database, number: int, states: tuple[str, ...], *, seconds: float = 120) -> float:
    """Seconds until the job is in one of these states."""
    start = time.perf_counter()
    while state(db, number) not in states:
        if time.perf_counter() - start > seconds:
            raise SystemExit(f"job {number} is still {state(db, number)}")
        time.sleep(0.01)
    return time.perf_counter() - start


def measured(settings: Settings, *, rounds: int) -> tuple[list[float], str]:
    """Times of `rounds` previews, and what the long job did meanwhile."""
    upgrade(settings.database_url)
    db, bell, times = Database(settings.database_url), Doorbell(settings.queue_url), []
    with db.writing() as session:
        station = Station(slug="do", name="Đài", call_sign="Đài.", created_at=datetime.now(UTC))
        session.add(station)
        session.flush()
        station_id = station.id
    environ = {**os.environ, "BROADCASTER_HOME": str(settings.home), "PYTHONPATH": str(ROOT)}
    environ["BROADCASTER_VOICE_CHAIN"] = ",".join(settings.texts("voice.chain"))
    process = subprocess.Popen([sys.executable, "-m", "broadcaster", "work"], env=environ, cwd=ROOT)
    try:
        long = [f"{SENTENCES[n % 6][:-1]}, mục {spoken_digits(n)}." for n in range(400)]
        render = asked(db, station_id, "listen", "long", long)
        bell.ring()
        wait_for(db, render, ("running",))
        first = asked(db, station_id, "preview", "warm", ["Kính chào bà con."])  # the voice is opened
        bell.ring()
        wait_for(db, first, ("done",))
        for number in range(rounds):
            if state(db, render) != "running":
                render = asked(
                    db,
                    station_id,
                    "listen",
                    f"long {number}",
                    [f"Lần {spoken_digits(number)}. {s}" for s in long],
                )
                bell.ring()
                wait_for(db, render, ("running",))
            start = time.perf_counter()
            job = asked(
                db,
                station_id,
                "preview",
                str(number),
                [f"Câu thử {spoken_digits(number)}, xin bà con chú ý."],
            )
            bell.ring()
            wait_for(db, job, ("done",))
            times.append(time.perf_counter() - start)
        return times, state(db, render)
    finally:
        process.terminate()
        process.wait(timeout=60)
        bell.close()
        db.dispose()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Đo thời gian chờ nghe thử một câu.")
    parser.add_argument("--check", action="store_true", help="thoát mã 1 khi không đạt")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--voice", default="espeak:vi+f5")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-preview-") as folder:
        settings = load(environ={}, home=Path(folder), flags={"voice.chain": (options.voice,)})
        settings.var.mkdir()
        times, meanwhile = measured(settings, rounds=options.rounds)
    met = max(times) <= LIMIT_S
    what = f"one sentence by {options.voice}, asked for → in the store, other lane {meanwhile}"
    print(machine())
    print(table([Row(what, spread(times), f"≤ {LIMIT_S:g} s, the worst", met)]))
    return 1 if options.check and not met else 0


if __name__ == "__main__":
    sys.exit(main())
