"""Kill players at every step, a thousand times, and count what was heard.

    python scripts/kill_player.py [--check] [--runs 1020] [--seed 1]

Each run is one airing at one receiver: a real station over HTTP, a real ledger on disk, a player that is killed
(SIGKILL or `os._exit`) at a step, half of them a second time at another, and a last life that nobody kills.
Audible starts are sounds after silence in the WAV outputs; the end is what the station was told.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import random
import subprocess
import sys
import tempfile
import time as clock
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from broadcaster.model import AsRunEvent, Priority
from scripts.bench_tools import Row, machine, table
from tests.support.doomed_player import STEPS
from tests.support.killed_player import Doom, Story, killing

MOST_BLOCKS = 40  # a sounding programme of 2 s is written in about so many blocks


def judge(priority: Priority, story: Story) -> str:
    """What is wrong with a story; empty = nothing."""
    ends = [event for event in story.events if event is not AsRunEvent.STARTED]
    if priority is Priority.EMERGENCY:
        if story.events[-1:] != (AsRunEvent.FINISHED,) or not story.whole:
            return f"an emergency was not heard to its end: {story}"
        if ends.count(AsRunEvent.FINISHED) != 1:
            return f"more than one end: {story}"
        return ""
    if story.starts > 1 or story.events.count(AsRunEvent.STARTED) > 1:
        return f"started twice: {story}"
    if len(ends) != 1:
        return f"not exactly one end: {story}"
    if story.starts == 0 and ends == [AsRunEvent.FINISHED]:
        return f"called played and was not heard: {story}"
    return ""


def dooms(number: int, step: str, dice: random.Random) -> list[Doom]:
    """The planned death, and every second time another one at a step drawn by lot."""

    def one(name: str) -> Doom:
        which = dice.randint(1, MOST_BLOCKS) if name == "while it sounds" else 1
        return name, dice.choice(("kill", "exit")), which

    found = [one(step)]
    if number % 2:
        found.append(one(dice.choice(list(STEPS))))
    return found


def main() -> int:
    """Run, print, and with --check say by the exit code whether the promises held."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--runs", type=int, default=1020)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    dice = random.Random(options.seed)  # noqa: S311 - which step, not a secret
    combinations = itertools.cycle(
        itertools.product(STEPS, (Priority.ROUTINE, Priority.ROUTINE, Priority.EMERGENCY))
    )
    wrong: list[str] = []
    ends: Counter[str] = Counter()
    killed = starts = airings = 0
    began = clock.monotonic()
    with tempfile.TemporaryDirectory() as folder, killing(Path(folder)) as house:
        while airings < options.runs:
            step, priority = next(combinations)
            airings += 1
            story = house.story(priority, dooms(airings, step, dice), pause_s=dice.uniform(0, 30))
            killed += sum(story.died)
            if priority is not Priority.EMERGENCY:
                starts += story.starts
            ends[f"{priority}: {story.events[-1] if story.events else 'nothing'}"] += 1
            if fault := judge(priority, story):
                wrong.append(f"{step}: {fault}")
                print(wrong[-1], file=sys.stderr)
    rows = [
        Row(
            f"airings whose promises were broken, of {airings} ({killed} kills, {len(STEPS)} steps)",
            str(len(wrong)),
            "0",
            not wrong,
        ),
        Row(
            "audible starts of routine airings",
            f"{starts} of {sum(n for name, n in ends.items() if name.startswith('routine'))}",
        ),
        *(Row(f"ended as {name}", str(count)) for name, count in sorted(ends.items())),
    ]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    print(f"{commit.stdout.strip()}; {machine()}; seed {options.seed}; {clock.monotonic() - began:.0f} s\n")
    print(table(rows))
    return 1 if options.check and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
