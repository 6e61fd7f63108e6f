"""A backup of five years and 1 GB of sound while a programme plays: `python scripts/bench_backup.py [--check] [--mb N]`.

The programme is laid on the player's own WAV output, which writes as time passes; meanwhile another process backs
the station up, a second night follows (unchanged sound is shared), and the first is restored into an empty home.
Then the samples of the WAV are held against those of the decoded programme, every file against its hash, and a
manifest of the restored station against the one that players last had.  `--check`: exit 1 when a target is missed.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time as clock
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "scripts"))

import click  # noqa: E402
import numpy as np  # noqa: E402
import soundfile  # noqa: E402
from bench_report import make  # noqa: E402
from bench_tools import Row, machine, table  # noqa: E402
from sqlalchemy import select  # noqa: E402

from broadcaster.config import Settings, load  # noqa: E402
from broadcaster.playout.clock import SystemClock  # noqa: E402
from broadcaster.playout.outputs.paced import WavOutput  # noqa: E402
from broadcaster.playout.sound import decode  # noqa: E402
from broadcaster.report.papers import report_of  # noqa: E402
from broadcaster.report.period import parse_period  # noqa: E402
from broadcaster.speech.ffmpeg import run_ffmpeg  # noqa: E402
from broadcaster.store.backup import check as check_backup  # noqa: E402
from broadcaster.store.backup import restore  # noqa: E402
from broadcaster.store.blobs import Blobs  # noqa: E402
from broadcaster.store.db import Database  # noqa: E402
from broadcaster.store.shelf import backups_in  # noqa: E402
from broadcaster.store.tables import Station  # noqa: E402

FILE_MB = 5


@click.command(help=__doc__)
@click.option("--check", is_flag=True)
@click.option("--mb", default=1000, help="Sound to back up, in MB.")
@click.option("--years", default=5.0, help="Years of broadcasting in the base; less to see that it works.")
def main(check: bool, mb: int, years: float) -> None:
    """Make, play, back up, restore, compare, print."""
    with tempfile.TemporaryDirectory() as folder:
        rows = measured(Path(folder), mb, years)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    print(f"{commit.stdout.strip()}; {machine()}\n\n{table(rows)}")
    sys.exit(1 if check and any(row.met is False for row in rows) else 0)


def measured(folder: Path, mb: int, years: float) -> list[Row]:
    """Every row of the table."""
    home, away = folder / "đài", folder / "máy mới"
    lines = make(home, years)
    settings = load(environ={}, home=home)
    fill(Blobs(settings.blobs_url), mb)
    programme = decode(made_programme(folder, seconds=120))
    output = WavOutput(folder / "loa.wav", SystemClock())
    began = output.play_at("programme", programme, datetime.now(UTC) + timedelta(seconds=1))
    nights = [backed_up(home, folder / "sao-luu") for _ in range(2)]
    late = (began + timedelta(seconds=len(programme) / 44_100 + 1) - datetime.now(UTC)).total_seconds()
    clock.sleep(max(late, 0))
    start = output.start
    output.close()
    same = heard(folder / "loa.wav", programme, start, began)
    first = min(backups_in(folder / "sao-luu"))
    files = check_backup(first).files
    away.mkdir()
    there = load(environ={}, home=away)
    begun = clock.perf_counter()
    restore(there, first, now=datetime.now(UTC))
    restored = clock.perf_counter() - begun
    sounds = {name: size for name, _suffix, size in Blobs(settings.blobs_url).names()}
    again = {name: size for name, _suffix, size in Blobs(there.blobs_url).names()}
    whole = all(
        hashlib.sha256(Blobs(there.blobs_url).path(name, suffix="mp3").read_bytes()).hexdigest() == name
        for name in again
    )
    was, now_is = epoch_and_figures(settings), epoch_and_figures(there)
    used = sum(one.stat().st_blocks * 512 for one in unique(folder / "sao-luu", "*/blobs/*/*")) / 1e6
    return [
        Row("log lines, sound in the base", f"{lines:,}; {sum(sounds.values()) / 1e6:,.0f} MB"),
        Row("first backup, while the programme plays", f"{nights[0]:.1f} s, {len(files)} files"),
        Row("second backup, unchanged sound shared", f"{nights[1]:.1f} s"),
        Row("sound of both backups on the disk", f"{used:,.0f} MB", f"≤ {mb * 1.1:,.0f} MB", used <= mb * 1.1),
        Row("samples of the WAV = the programme's", f"{len(programme):,}", "all equal", same),
        Row("restore into an empty home", f"{restored:.1f} s"),
        Row("sound after restoring = before, each its own hash", f"{len(again)}", "equal", again == sounds and whole),
        Row("report of a year after restoring = before", str(now_is[1] == was[1]), "equal", now_is[1] == was[1]),
        Row("epoch, before and after", f"{was[0]} → {now_is[0]}", "higher: players accept", now_is[0] > was[0]),
    ]  # fmt: skip


def fill(blobs: Blobs, mb: int) -> None:
    """Files of noise: nothing a disk or a file system could make smaller."""
    chance = random.Random(1)  # noqa: S311
    for _ in range(mb // FILE_MB):
        blobs.put(chance.randbytes(FILE_MB * 1_000_000), suffix="mp3")


def made_programme(folder: Path, *, seconds: int) -> Path:
    """An MP3 of moving tones."""
    path = folder / "chuong-trinh.mp3"
    tones = f"aevalsrc=0.4*sin(2*PI*(300+40*t)*t)+0.1*sin(2*PI*3000*t):s=44100:d={seconds}"
    run_ffmpeg(["-v", "error", "-f", "lavfi", "-i", tones, "-b:a", "64k", str(path)], timeout_s=120)
    return path


def backed_up(home: Path, target: Path) -> float:
    """Seconds of `python -m broadcaster backup` in a process of its own."""
    clock.sleep(1.1)  # a backup's name is its second
    start = clock.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "broadcaster", "backup", str(target)],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "BROADCASTER_HOME": str(home)},
    )
    return clock.perf_counter() - start


def heard(path: Path, programme: np.ndarray, start: datetime, began: datetime) -> bool:
    """True when the WAV holds exactly the programme's samples from its instant on, as 16-bit values."""
    made, rate = soundfile.read(path, dtype="int16")
    first = round((began - start).total_seconds() * rate)
    wanted = np.rint(np.clip(programme, -1.0, 1.0) * 32767.0).astype("<i2")
    got = made[first : first + len(wanted)]
    return bool(np.array_equal(got, wanted))


def epoch_and_figures(settings: Settings) -> tuple[int, object]:
    """The station's epoch and the total of a year's report."""
    db = Database(settings.database_url)
    try:
        with db.reading() as session:
            station = session.scalars(select(Station)).one()
            shown = report_of(session, station, parse_period("2025"), now=datetime(2026, 1, 2, tzinfo=UTC))
            return station.epoch, shown.total
    finally:
        db.dispose()


def unique(folder: Path, pattern: str) -> list[Path]:
    """Files by what is on the disk: two names of one file are one."""
    found = {path.stat().st_ino: path for path in folder.glob(pattern) if path.is_file()}
    return list(found.values())


if __name__ == "__main__":
    main()
