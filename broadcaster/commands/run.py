"""run.py's inside: install, render the nearest airing, then keep the four processes alive."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from broadcaster.commands.exits import guarded
from broadcaster.commands.showing import SCREEN, shown
from broadcaster.commands.signals import stop_event
from broadcaster.commands.station import ensure_port_free
from broadcaster.config import CHECKOUT, Settings, load
from broadcaster.errors import BroadcasterError
from broadcaster.install import Installed, install, village_links
from broadcaster.playout.clock import GivenClock
from broadcaster.playout.player import player_folder, run_player
from broadcaster.rehearsal import Ready, Rehearsal, approve_samples
from broadcaster.store.db import Database
from broadcaster.store.keys import load_keys
from broadcaster.supervise import Supervisor


@click.command(help="Chuẩn bị đài mẫu, dựng buổi phát gần nhất rồi chạy cả đài.")
@click.option("--port", type=int, help="Cổng của trang web (mặc định 8000).")
@click.option("--once", is_flag=True, help="Dựng buổi gần nhất, phát vào một tệp WAV, in hai tệp rồi thôi.")
@click.option("--all", "everything", is_flag=True, help="Dựng mọi chương trình của 14 ngày tới rồi thôi.")
def run_command(port: int | None, once: bool, everything: bool) -> None:
    """Install if needed, render, then serve unless told otherwise."""
    settings = load(flags={"web.port": port})
    if not (once or everything):
        ensure_port_free(settings.text("web.host"), settings.integer("web.port"))
    made = install(settings, now=_now())
    introduce(made)
    db = Database(settings.database_url)
    try:
        if everything:
            with shown() as show:
                programmes = Rehearsal(settings, db, now=_now, show=show).everything()
            list_programmes(programmes)
            if not once:
                return
        with shown() as show:
            ready = Rehearsal(settings, db, now=_now, show=show).nearest()
        if once:
            if ready is None:
                raise BroadcasterError(
                    "Không có buổi phát nào sắp tới. Hãy xếp bản tin vào lịch rồi chạy lại."
                )
            mp3, wav = play_into_wav(settings, ready)
            click.echo(f"MP3 {mp3}")
            click.echo(f"WAV {wav}")
            return
        serve(settings, db, ready)
    finally:
        db.dispose()


def main(arguments: list[str]) -> int:
    """Run the command with the exit codes of every command: 0, 1 with one line, 2."""
    return guarded(lambda: run_command(arguments, prog_name="python3 scripts/run.py", standalone_mode=True))


def introduce(made: Installed) -> None:
    """Show the sample accounts: their passwords exist on this screen only."""
    if made.accounts:
        SCREEN.print("\nTài khoản mẫu (mật khẩu chỉ hiện lần này, hãy chép lại):")
        for account in made.accounts:
            SCREEN.print(f"  {account.username:<9} {account.password}   {account.title}")
        SCREEN.print()


def list_programmes(programmes: list[Ready]) -> None:
    """A line a programme: when, length, loudness, peak, file."""
    for ready in programmes:
        airing = ready.airing
        click.echo(
            f"{airing.local_date:%d/%m/%Y} {airing.start_local:%H:%M}  {ready.duration_ms / 1000:7.1f} s  "
            f"{ready.loudness_lufs:6.2f} LUFS  {ready.true_peak_dbtp:6.2f} dBTP  {ready.sha256}"
        )


def play_into_wav(settings: Settings, ready: Ready) -> tuple[Path, Path]:
    """Play an airing by a clock of its own, through the real web and the real player; the two files."""
    start = ready.airing.planned_at
    folder = settings.audio / "programmes"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{ready.airing.local_date:%Y%m%d}-{ready.airing.start_local:%H%M}"
    mp3, wav = folder / f"{name}.mp3", folder / f"{name}.wav"
    shutil.copyfile(ready.path, mp3)
    # A rehearsal has a ledger of its own and reports nothing: it is neither a real airing nor in a report.
    with (
        tempfile.TemporaryDirectory(dir=folder) as own,
        web_server(settings, now=lambda: start - timedelta(minutes=1)) as address,
    ):
        shutil.copy2(player_folder(settings) / "pairing.json", Path(own) / "pairing.json")
        run_player(
            settings,
            server=address,
            output=f"wav:{wav}",
            clock=GivenClock(start - timedelta(seconds=5)),
            stop=threading.Event(),
            until=start + timedelta(milliseconds=ready.duration_ms + 2000),
            folder=Path(own),
            upload=False,
        )
    return mp3, wav


@contextmanager
def web_server(settings: Settings, *, now: Callable[[], datetime]) -> Iterator[str]:
    """The station's web on a free port of this machine; yields its address."""
    from web import create_app
    from web.serving import serving

    app = create_app(settings, now=now)
    try:
        with serving(app, settings) as address:
            yield address
    finally:
        app.extensions["broadcaster"].close()


def serve(settings: Settings, db: Database, ready: Ready | None) -> None:
    """Keep web, worker, clock and player alive until stopped; approve the sample's takes as they come."""
    links = village_links(db, load_keys(settings.keys), settings.base_url)
    SCREEN.print(f"\nTrang web:  {settings.base_url}")
    if links:
        SCREEN.print(f"Trang của {links[0][0]}:  {links[0][1]}")
    if ready is not None:
        airing = ready.airing
        SCREEN.print(
            f"Buổi gần nhất: {airing.start_local:%H:%M} ngày {airing.local_date:%d/%m/%Y}, "
            f"dài {ready.duration_ms / 1000:.0f} giây, đã sẵn sàng."
        )
    SCREEN.print("Dừng: Ctrl+C\n")
    stop = stop_event(supervised=False)
    python = [sys.executable, "-m", "broadcaster"]
    port = str(settings.integer("web.port"))
    supervisor = Supervisor(
        {
            "web": [*python, "serve", "--port", port, "--supervised"],
            "work": [*python, "work", "--supervised"],
            "clock": [*python, "clock", "--supervised"],
            "play": [*python, "play", "--server", f"http://127.0.0.1:{port}", "--supervised"],
        },
        logs=settings.var / "logs",
        cwd=CHECKOUT,
        environment={**os.environ, "BROADCASTER_HOME": str(settings.home), "PYTHONUTF8": "1"},
        say=SCREEN.print,
    )
    helper = threading.Thread(target=_approve_the_rest, args=(db, stop), daemon=True)
    helper.start()
    supervisor.run(stop)
    helper.join(timeout=10)


def _approve_the_rest(db: Database, stop: threading.Event) -> None:
    while not stop.is_set() and approve_samples(db, now=_now()):
        stop.wait(5)


def _now() -> datetime:
    return datetime.now(UTC)
