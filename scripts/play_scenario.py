"""Play a story of `tests/scenarios` and print what the player did: `python scripts/play_scenario.py FILE…`."""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.scenario import play, read

PLACE = ZoneInfo("Asia/Ho_Chi_Minh")


def main() -> int:
    """Exit 1 when a story ends otherwise than it says, 2 on wrong use."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    logging.disable(logging.WARNING)
    different = 0
    for name in sys.argv[1:]:
        scenario = read(Path(name))
        with tempfile.TemporaryDirectory() as folder:
            told = play(scenario, Path(folder))
        print(scenario.title)
        for airing, events in told.items():
            found = [event.event.value for event in events]
            as_said = found == scenario.expect.get(airing)
            different += not as_said
            print(f"  {airing}: {'as expected' if as_said else f'expected {scenario.expect.get(airing)}'}")
            for event in events:
                print(
                    f"    {event.at.astimezone(PLACE):%d/%m %H:%M:%S}  {event.event.value:<12} {event.reason}"
                )
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
