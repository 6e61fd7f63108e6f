"""What benches share: rows with targets, medians with their spread, the machine, memory of a process tree."""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import subprocess
import time as clock
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests


@dataclass
class Row:
    """One measure: what, how much, the target, and whether it is met (None: only reported)."""

    what: str
    value: str
    target: str = "reported"
    met: bool | None = None


def timed(work: Callable[[], Any]) -> float:
    """Wall seconds."""
    start = clock.perf_counter()
    work()
    return clock.perf_counter() - start


def cpu_s(work: Callable[[], Any]) -> float:
    """CPU seconds of this process and of the children that end meanwhile."""
    before = os.times()
    work()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


def tree_peak_mb(command: Sequence[str]) -> tuple[float, float]:
    """Highest sum of the proportional memory (Pss) of a process and all below it, sampled; and its wall time."""
    start = clock.perf_counter()
    process = subprocess.Popen(command)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(pss_mb(pid) for pid in tree(process.pid)))
        clock.sleep(0.02)
    if process.returncode != 0:
        raise SystemExit(f"{command} failed")
    return peak, clock.perf_counter() - start


def tree(root: int) -> Iterator[int]:
    """Process ids below `root`, and itself.

    A child that is just being started still has its parent's memory and command line: it would count twice.
    """
    yield root
    with contextlib.suppress(OSError):
        mine = Path(f"/proc/{root}/cmdline").read_bytes()
        for task in Path(f"/proc/{root}/task").iterdir():
            for child in (task / "children").read_text().split():
                if Path(f"/proc/{child}/cmdline").read_bytes() != mine:
                    yield from tree(int(child))


def pss_mb(pid: int) -> float:
    """Proportional set size in MB; 0 when the process is gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except (OSError, ProcessLookupError):
        pass
    return 0.0


def spread(times: Sequence[float]) -> str:
    """Median and range in seconds."""
    return f"{statistics.median(times):.2f} s, {min(times):.2f}–{max(times):.2f}, n={len(times)}"


def machine() -> str:
    """What it ran on."""
    model = "?"
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return (
        f"{os.cpu_count()} × {model}; {platform.system()} {platform.release()}; Python {platform.python_version()}; "
        f"load {os.getloadavg()[0]:.1f}"
    )


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    marks = {True: "met", False: "**missed**", None: ""}
    lines = ["| measure | result | target | |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.value} | {row.target} | {marks[row.met]} |" for row in rows]
    return "\n".join(lines)


def wait_until_served(address: str) -> None:
    """Until the web process answers."""
    deadline = clock.monotonic() + 60
    while True:
        try:
            requests.get(f"{address}/healthz", timeout=2).raise_for_status()
            return
        except requests.RequestException:
            if clock.monotonic() > deadline:
                raise
            clock.sleep(0.2)
