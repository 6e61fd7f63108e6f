#!/usr/bin/env python3
"""How fast the plan answers, and how good the automatic one is: `bench_plan.py [--check] [--repeat N]`.

The plan of a commune is asked of a real SQLite file with 37 villages, 2 slots a day and 14 days of airings
that carry two bulletins each and have their programmes.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time as clock
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from broadcaster.model import BulletinState, RenditionKind, SlotRule  # noqa: E402
from broadcaster.schedule.autoplan import Candidate, Limits, Opening, Proposal, propose  # noqa: E402
from broadcaster.schedule.materialising import materialise  # noqa: E402
from broadcaster.schedule.plan import plan_days  # noqa: E402
from broadcaster.schedule.slots import instant, occurrences  # noqa: E402
from broadcaster.store.db import Database  # noqa: E402
from broadcaster.store.tables import (  # noqa: E402
    Airing,
    ProgrammeRow,
    Rendition,
    Rotation,
    Station,
    Variant,
)
from broadcaster.store.upgrade import upgrade  # noqa: E402
from scripts.bench_tools import Row, machine, table, timed  # noqa: E402
from tests.support import commune as made_up  # noqa: E402

ZONE = "Asia/Ho_Chi_Minh"
FIRST = date(2026, 11, 23)
NOW = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)


def main() -> int:
    """Measure, print, and with --check say by the exit code whether every target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    rows = [many_slots(options.repeat), *one_commune(options.repeat), *whole_year(options.repeat)]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    print(f"{commit.stdout.strip()}; {machine()}\n\n{table(rows)}")
    return 1 if options.check and any(row.met is False for row in rows) else 0


def many_slots(repeat: int) -> Row:
    """Ten thousand weekly rules -> a week of dated instants (the pure part, as every view begins with it)."""
    rng = random.Random(1)  # noqa: S311
    rules = [
        SlotRule(
            number,
            frozenset(rng.sample(range(1, 8), rng.randint(1, 7))),
            time(rng.randint(5, 20), rng.choice([0, 15, 30, 45])),
            date(2026, 1, 1),
        )
        for number in range(10_000)
    ]
    found = 0

    def expand() -> None:
        nonlocal found
        found = sum(
            1
            for rule in rules
            for one in occurrences(rule, (), FIRST, FIRST + timedelta(days=6))
            if instant(ZONE, one.local_date, one.start_local)
        )

    return _row("10,000 slots × 7 days -> {} dated instants (pure)", expand, repeat, 0.5, lambda: found)


def one_commune(repeat: int) -> list[Row]:
    """What the week page and the manifest ask: the plan of 14 days and 37 villages from the database."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/plan.db"
        upgrade(url)
        db = Database(url)
        try:
            _fill(db)
            lines: Sequence[object] = ()

            def ask() -> None:
                nonlocal lines
                with db.reading() as session:
                    lines = plan_days(session, FIRST, 14)

            def again() -> None:
                with db.writing() as session:
                    station = session.query(Station).one()
                    materialise(session, station, today=FIRST, now=NOW, days=14)

            return [
                _row("plan of one commune × 14 days × 37 villages: {} airings (SQLite)", ask, repeat, 0.05, lambda: len(lines)),
                _row("the clock's pass over the same 14 days, nothing to change", again, repeat, None, lambda: 0),
            ]  # fmt: skip
        finally:
            db.dispose()


def whole_year(repeat: int) -> list[Row]:
    """200 approved bulletins of 6 topics over a year of two airings a day."""
    rng = random.Random(7)  # noqa: S311
    candidates = [
        Candidate(number, f"Bản {number}", number % 6, rng.randint(60, 300) * 1000) for number in range(200)
    ]
    openings = [
        Opening(slot, date(2026, 1, 1) + timedelta(days=day), time(5 + 12 * slot, 30), 15 * 60_000)
        for day in range(365)
        for slot in (0, 1)
    ]
    easy = Limits(targets={topic: 90 for topic in range(6)}, rest_days=7, per_airing=2, most_repeats=20)
    full = Limits(targets={topic: 600 for topic in range(6)}, rest_days=7, per_airing=6, most_repeats=60)
    found: list[Proposal] = []

    def plan(limits: Limits) -> Callable[[], None]:
        def work() -> None:
            found.append(propose(candidates, openings, limits))

        return work

    rows = []
    for what, limits in (("540 airings wanted", easy), ("3,600 wanted, more than the air holds", full)):
        found.clear()
        row = _row(
            f"auto-plan, 200 bulletins, 6 topics, 1 year, {what}",
            plan(limits),
            min(repeat, 3),
            5.0,
            lambda: 0,
        )
        same = len({one.digest for one in found}) == 1
        last = found[-1]
        rows.append(row)
        rows.append(
            Row(
                "… met / bound / gap; the same in every run",
                f"{last.met} / {last.bound} / {last.gap} ({100 * last.gap / max(last.bound, 1):.1f} %); {'yes' if same else 'NO'}",
                "stated; yes",
                same,
            )
        )
    return rows


def _row(
    what: str, work: Callable[[], None], repeat: int, target_s: float | None, count: Callable[[], int]
) -> Row:
    work()
    times, cpu = [], []
    for _ in range(repeat):
        before = clock.process_time()
        times.append(timed(work))
        cpu.append(clock.process_time() - before)  # what it costs whatever else the machine is doing
    value = (
        f"median {statistics.median(times) * 1000:.0f} ms, {min(times) * 1000:.0f}–{max(times) * 1000:.0f}, n={repeat}; "
        f"CPU {statistics.median(cpu) * 1000:.0f} ms"
    )
    if target_s is None:
        return Row(what.format(count()), value)
    return Row(
        what.format(count()), value, f"≤ {target_s * 1000:.0f} ms", statistics.median(times) <= target_s
    )


def _fill(db: Database) -> None:
    with db.writing() as session:
        commune = made_up.found(session, villages=37)
        made_up.furnish(session, commune)
        ids = [
            made_up.bulletin(session, commune, f"Bản tin {number}", state=BulletinState.APPROVED).id
            for number in range(24)
        ]
        for name, start in (("Buổi sáng", "05:30"), ("Buổi chiều", "17:00")):
            row = made_up.slot(session, commune, name, start, weekdays="mon,tue,wed,thu,fri,sat,sun", now=NOW)
            session.add(Rotation(station_id=commune.station.id, slot_id=row.id, per_airing=2, bulletins=ids))
        session.flush()
        materialise(session, commune.station, today=FIRST, now=NOW, days=14)
        for number, variant in enumerate(session.query(Variant).join(Airing).all()):
            programme = ProgrammeRow(
                station_id=commune.station.id, input_key=made_up.sha(f"k{number}"), title="x", duration_ms=400_000,
                loudness_lufs=-16.0, true_peak_dbtp=-2.5, made_at=NOW,
                renditions=[Rendition(kind=kind, sha256=made_up.sha(f"{number}{kind}"), size_bytes=1)
                            for kind in (RenditionKind.AIR, RenditionKind.LIGHT)],
            )  # fmt: skip
            session.add(programme)
            variant.programme, variant.wanted_key = programme, programme.input_key


if __name__ == "__main__":
    sys.exit(main())
