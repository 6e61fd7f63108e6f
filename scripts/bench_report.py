"""Reports of a year with five years in the base: `python scripts/bench_report.py [--check] [--runs N] [--db FILE]`.

37 villages with a receiver each, two airings a day, five years: 135 000 airing-receivers, 270 000 log lines.
Screen, .docx and .xlsx are asked for through the web as an officer does, each in a fresh process whose highest
memory is read at its end.  `--check`: exit 1 when a target is missed.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time as clock
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "scripts"))

import click  # noqa: E402
from bench_tools import Row, machine, table  # noqa: E402
from sqlalchemy import func, select  # noqa: E402

from broadcaster.config import load  # noqa: E402
from broadcaster.model import Role  # noqa: E402
from broadcaster.newsroom.people import hash_password  # noqa: E402
from broadcaster.store.db import Database  # noqa: E402
from broadcaster.store.keys import load_keys  # noqa: E402
from broadcaster.store.tables import AsRun, User  # noqa: E402
from broadcaster.store.upgrade import upgrade  # noqa: E402
from broadcaster.system import settle_memory  # noqa: E402
from tests.support.commune import found, furnish  # noqa: E402
from tests.support.years import fill_years  # noqa: E402

END = date(2025, 12, 31)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
PASSWORD = "mot cau dai de nho"  # noqa: S105 - of the station that this bench makes
KINDS = {
    "screen": ("/bao-cao?ky=2025", 0.3),
    "docx": ("/bao-cao/tai/docx?ky=2025", 3.0),
    "xlsx": ("/bao-cao/tai/xlsx?ky=2025", 3.0),
    "pdf": ("/bao-cao/tai/pdf?ky=2025", None),
    "csv": ("/bao-cao/tai/csv?ky=2025", None),
}
MOST_MB = 200


@click.command(help=__doc__)
@click.option("--check", is_flag=True)
@click.option("--runs", default=5)
@click.option("--home", type=click.Path(path_type=Path), help="Made here and kept, to be used again.")
@click.option("--years", default=5.0, help="How much broadcasting the base holds; less to see that it works.")
@click.option("--one", hidden=True)
def main(check: bool, runs: int, home: Path | None, years: float, one: str | None) -> None:
    """Make the base, ask for each kind in a process of its own, print."""
    if one is not None:
        assert home is not None
        print(json.dumps(asked(home, one, runs)))
        return
    with tempfile.TemporaryDirectory() as folder:
        place = home or Path(folder)
        lines = make(place, years)
        rows = [Row("log lines in the base", f"{lines:,}")]
        for kind, (_path, target) in KINDS.items():
            done = subprocess.run(
                [sys.executable, __file__, "--home", str(place), "--one", kind, "--runs", str(runs)],
                check=True,
                capture_output=True,
                text=True,
            )
            times, cpu, peak, size = json.loads(done.stdout)
            middle = statistics.median(times)
            rows.append(
                Row(
                    f"year as {kind}",
                    f"{middle:.2f} s ({min(times):.2f}–{max(times):.2f}, n={len(times)}; CPU {statistics.median(cpu):.2f} s), {size / 1e6:.2f} MB",
                    f"≤ {target} s" if target else "reported",
                    middle <= target if target else None,
                )
            )
            rows.append(Row(f"memory, {kind}", f"{peak:.0f} MB", f"≤ {MOST_MB} MB", peak <= MOST_MB))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    print(f"{commit.stdout.strip()}; {machine()}\n\n{table(rows)}")
    sys.exit(1 if check and any(row.met is False for row in rows) else 0)


def make(home: Path, years: float = 5) -> int:
    """Years up to the end of 2025 in a SQLite file under `home`, unless they are there; returns how many log lines."""
    days = round(years * 365)
    settings = load(environ={}, home=home)
    fresh = not (settings.var / "broadcaster.db").exists()
    settings.var.mkdir(parents=True, exist_ok=True)
    upgrade(settings)
    load_keys(settings.keys)
    db = Database(settings.database_url)
    if fresh:
        with db.writing() as session:
            commune = found(session, villages=37)
            furnish(session, commune)
            fill_years(session, commune, END - timedelta(days=days - 1), days)
            session.add(
                User(
                    station_id=commune.station.id, username="canbo", display_name="Cán bộ", role=Role.AUTHOR,
                    password_hash=hash_password(PASSWORD), created_at=NOW,
                )
            )  # fmt: skip
    with db.reading() as session:
        lines = session.scalar(select(func.count()).select_from(AsRun)) or 0
    db.dispose()
    return lines


def asked(home: Path, kind: str, runs: int) -> tuple[list[float], list[float], float, int]:
    """Wall and CPU seconds of each request, this process's highest resident memory in MB, bytes of the answer."""
    from web import create_app

    app = create_app(load(environ={}, home=home), now=lambda: NOW)
    with app.test_client() as client:
        page = client.get("/dang-nhap").text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token is not None
        client.post("/dang-nhap", data={"csrf_token": token[1], "username": "canbo", "password": PASSWORD})
        assert (
            client.get("/bao-cao?ky=2020-01").status_code == 200
        )  # templates are compiled at the first page
        settle_memory()  # as `serve` does
        times, cpu, size = [], [], 0
        forget_peak()  # signing in costs 64 MB of its own, on purpose
        for _ in range(runs):
            start, spent = clock.perf_counter(), clock.process_time()
            answer = client.get(KINDS[kind][0])
            size = len(answer.data)
            times.append(clock.perf_counter() - start)
            cpu.append(clock.process_time() - spent)
            assert answer.status_code == 200, answer.text[:500]
    app.extensions["broadcaster"].close()
    return times, cpu, peak_mb(), size


def forget_peak() -> None:
    """Let the system begin anew with the highest resident memory of this process."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """The highest resident memory since then, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


if __name__ == "__main__":
    main()
