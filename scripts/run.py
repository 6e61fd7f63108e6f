#!/usr/bin/env python3
"""Make the environment and the station, render the nearest airing, then serve it all.

`python3 scripts/run.py [--port P] | --once | --all`
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bootstrap import ROOT, run_inside  # noqa: E402

if __name__ == "__main__":
    run_inside("requirements.txt")
    sys.path.insert(0, str(ROOT))
    from broadcaster.commands.run import main

    sys.exit(main(sys.argv[1:]))
