"""From the last person's word to the first sample of the alert, through everything that is in between.

    python scripts/bench_emergency.py [--check] [--emergencies 100]

A station in a scratch folder with its real web, worker and clock processes, and the real player
(`soundcard:null`).  For each emergency one account composes a message of its own in the web form, the worker
speaks it, another account presses the button on its page, and after it was heard it is ended there again.
The promise counts from the commit of that button's transaction (timed in the web process, right after the
database has answered) to the first frame that is not silence, timed in the device's callback; both on the
machine's monotonic clock.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import statistics
import sys
import tempfile
import time as clock
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import select

from broadcaster.store.db import Database
from broadcaster.store.tables import AsRun, Receiver
from scripts.bench_player import child, commit_line, percentile
from scripts.bench_tools import Row, table, wait_until_served
from tests.support.emergency_desk import Desk
from tests.support.live import VOICE, live_station

PLAYER = Path(__file__).with_name("bench_player.py")
TEXT = (
    "Kính thưa bà con. Nước sông Mực đang lên nhanh, đây là lần báo thứ {number}. "
    "Đề nghị bà con ở ven sông lên nhà văn hóa thôn ngay."
)
TARGET_S = 1.0
SETTLE_S = 3.0  # the player has its alert decoded, whatever else it is told


@dataclass(frozen=True)
class Measured:
    """Seconds to the first sample, a value an emergency that was heard; `silent` were not."""

    from_commit: list[float]
    from_button: list[float]
    silent: list[str]  # airings


def serve(port: str, result: Path) -> None:
    """The real web process; writes which airing's acceptance was committed when."""
    from sqlalchemy import event
    from sqlalchemy.orm import Session

    from broadcaster.commands.station import serve_command
    from broadcaster.store.tables import Airing

    @event.listens_for(Session, "after_flush")
    def written(session: Any, _context: Any) -> None:
        found = [row.id for row in session.new if isinstance(row, Airing) and row.emergency_id is not None]
        session.info.setdefault("on the air", []).extend(found)

    @event.listens_for(Session, "after_commit")
    def committed(session: Any) -> None:
        at = clock.monotonic()
        for airing in session.info.pop("on the air", ()):
            with result.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"airing": airing, "at": at}) + "\n")

    serve_command.main(args=["--port", port], standalone_mode=False)


def measure(count: int) -> Measured:
    """Ask for all, then put them on the air one after another, at moments that fall anywhere between two rings."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        live = stack.enter_context(live_station(home, datetime.now(UTC), **{"web.port": port}))
        commits, onsets = home / "commits.jsonl", home / "onsets.json"
        environment = {"BROADCASTER_HOME": str(home), "BROADCASTER_VOICE_CHAIN": VOICE}
        stack.enter_context(child(__file__, "--as-server", str(port), str(commits), environment=environment))
        for process in ("work", "clock"):
            stack.enter_context(child("-m", "broadcaster", process, environment=environment))
        address = live.settings.base_url
        wait_until_served(address)
        with Desk(address) as desk:
            wishes = [desk.ask(f"Nước lũ đang lên, lần {number}", TEXT.format(number=number))
                      for number in range(1, count + 1)]  # fmt: skip
            for wish in wishes:
                desk.wait_until_heard(wish, limit_s=60.0 + 5.0 * count)
            pressed: list[float] = []
            with child(str(PLAYER), "--as-player", str(home), str(onsets), environment=environment):
                wait_for_player(live.db)
                for wish in wishes:
                    desk.approver.open(wish)
                    pressed.append(clock.monotonic())
                    desk.put_on_air(wish)
                    clock.sleep(random.uniform(1.5, 2.1))  # noqa: S311 - not a secret
                    desk.end(wish)
                    clock.sleep(random.uniform(0.8, 1.4))  # noqa: S311
        found = joined(pressed, commits, onsets)
        for number, airing in enumerate(found.silent, 1):
            print(f"never sounded ({number}): {airing}: {what_was_told(live.db, airing)}", file=sys.stderr)
        return found


def wait_for_player(db: Database) -> None:
    """Until the player has spoken with the station, and a little longer: its alert is decoded then."""
    deadline = clock.monotonic() + 120
    while True:
        with db.reading() as session:
            if (
                session.scalars(select(Receiver).where(Receiver.last_seen_at.is_not(None))).first()
                is not None
            ):
                break
        if clock.monotonic() > deadline:
            raise SystemExit("the player never reached its station")
        clock.sleep(0.2)
    clock.sleep(SETTLE_S)


def what_was_told(db: Database, airing: str) -> list[str]:
    """The player's own words about an airing."""
    with db.reading() as session:
        rows = session.scalars(select(AsRun).where(AsRun.airing_id == airing).order_by(AsRun.sequence))
        return [f"{row.event} {row.at:%H:%M:%S.%f} {row.offset_ms} ms {row.reason}" for row in rows]


def joined(pressed: list[float], commits: Path, onsets: Path) -> Measured:
    """Every commit with the first sample of its airing."""
    heard: dict[str, float] = {}
    for one in json.loads(onsets.read_text(encoding="utf-8"))["onsets"]:
        heard.setdefault(one["airing"], one["at"])
    told = [json.loads(line) for line in commits.read_text(encoding="utf-8").splitlines()]
    both = [(one, at) for one, at in zip(told, pressed, strict=True) if one["airing"] in heard]
    return Measured(
        [heard[one["airing"]] - one["at"] for one, _ in both],
        [heard[one["airing"]] - at for one, at in both],
        [one["airing"] for one in told if one["airing"] not in heard],
    )


def rows(count: int) -> list[Row]:
    """What was promised, and what the person at the button waits for."""
    found = measure(count)
    if not found.from_commit:
        return [
            Row("emergency accepted → first alert sample: p99", "none was heard", f"≤ {TARGET_S:g} s", False)
        ]
    value = percentile(found.from_commit, 99)
    about = (
        f"n={len(found.from_commit)}, {len(found.silent)} never sounded, "
        f"median {statistics.median(found.from_commit):.2f} s, max {max(found.from_commit):.2f} s"
    )
    return [
        Row(
            "emergency accepted in the web (commit) → first alert sample: p99",
            f"{value:.2f} s ({about})", f"≤ {TARGET_S:g} s", value <= TARGET_S and not found.silent,
        ),
        Row(
            "… from the press of the button: p99",
            f"{percentile(found.from_button, 99):.2f} s (median {statistics.median(found.from_button):.2f} s)",
        ),
    ]  # fmt: skip


def main() -> int:
    """Measure, print, and with --check say by the exit code whether the target is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--emergencies", type=int, default=100)
    parser.add_argument("--as-server", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_server:
        serve(options.as_server[0], Path(options.as_server[1]))
        return 0
    before = commit_line()
    found = rows(options.emergencies)
    print(f"{before}\n")
    print(table(found))
    return 1 if options.check and any(row.met is False for row in found) else 0


if __name__ == "__main__":
    sys.exit(main())
