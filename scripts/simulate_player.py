"""Ninety days of 37 village boxes with outages, reboots, wrong clocks, full disks, lost cards and a silent station.

    python scripts/simulate_player.py [--check] [--days 90] [--receivers 37] [--seed 1]

The real player, ledger and decisions live through simulated time; an oracle that knows only the weather says,
minute by minute, which airings could have been played and which reasons for silence would be true.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import tempfile
import time as clock
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.bench_tools import Row, machine, table
from tests.support.oracle import DAY
from tests.support.season import Toll, toll, worlds
from tests.support.simulated import boxes

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a commit costs nothing there, and crashes are tested elsewhere


def main() -> int:
    """Simulate, print, and with --check say by the exit code whether everything was as it should be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--receivers", type=int, default=37)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    began = clock.monotonic()
    found = Toll()
    middle = options.days // 2 * DAY
    silent = [(middle, middle + 72 * 60)] if options.days >= 10 else []
    lived = worlds(options.days, options.receivers, options.seed, station_down=silent)
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None) as folder:
        for world, events in boxes(Path(folder), lived):
            toll(world, events, found)
            if sys.stderr.isatty():
                print(f"{world.receiver}/{options.receivers}", end="\r", file=sys.stderr)
    for sentence in found.wrong:
        print(sentence, file=sys.stderr)
    counts = found.counts
    rows = [
        Row(
            f"airings judged wrongly, of {counts['airings']} ({options.days} days, {options.receivers} receivers)",
            str(len(found.wrong)), "0", not found.wrong,
        ),
        Row("that could be played, and were", f"{counts['played']} of {counts['could be played']}"),
        *(Row(name, str(counts[name])) for name in sorted(counts) if name.startswith("not played")),
        Row("cut by a fault while they sounded", str(counts["cut by a fault"])),
        Row("that no plan ever told a receiver of", str(counts["unknown"])),
    ]  # fmt: skip
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    print(f"{commit.stdout.strip()}; {machine()}; seed {options.seed}; {clock.monotonic() - began:.0f} s\n")
    print(table(rows))
    return 1 if options.check and found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
