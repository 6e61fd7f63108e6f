#!/usr/bin/env python3
"""Make what the tests need and run the suite: `python3 scripts/test.py [--full] [pytest arguments]`.

`--full` shows every browser state; without it each screen is shown once in each state and the other sizes
and themes take turns.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bootstrap import ROOT, run_inside  # noqa: E402


def main(arguments: list[str]) -> int:
    """Run pytest in the project's environment; its exit code is ours."""
    environment = dict(os.environ)
    if "--full" in arguments:
        arguments.remove("--full")
        environment["STATION_TEST_FULL"] = "1"
    if not any(argument.startswith("-n") for argument in arguments):
        # Two more than there are cores: the tests wait for clocks, browsers and databases more than they compute.
        workers = str((os.cpu_count() or 2) + 2)
        arguments = ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder", *arguments]
    return subprocess.call([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, env=environment)


if __name__ == "__main__":
    run_inside("requirements-dev.txt")
    sys.exit(main(sys.argv[1:]))
