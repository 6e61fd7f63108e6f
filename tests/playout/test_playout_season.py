"""Weeks of village boxes under bad weather, held against an oracle that knows the weather and not the player.

`scripts/simulate_player.py` lives through ninety days of 37 boxes.
"""

from pathlib import Path

import numpy as np
import pytest

from tests.support import oracle
from tests.support.oracle import DAY, Due, Facts, judge
from tests.support.season import Toll, toll, worlds
from tests.support.simulated import SimStation, World, boxes


@pytest.mark.parametrize("seed", [1, 2])
def test_what_could_be_played_is_played_once_and_every_silence_has_its_true_reason(
    tmp_path: Path, seed: int
) -> None:
    found = Toll()
    for world, events in boxes(tmp_path, worlds(8, 3, seed)):
        toll(world, events, found)
    assert found.wrong == []
    assert found.counts["played"] == found.counts["could be played"] > 10
    assert sum(count for name, count in found.counts.items() if name.startswith("not played")) > 3


def fine(minutes: int) -> Facts:
    power, net, room, card = (np.ones(minutes, dtype=bool) for _ in range(4))
    return Facts(power, net, room, card, np.zeros(minutes, dtype=np.int64))


def test_a_station_that_is_silent_for_72_hours_is_not_missed(tmp_path: Path) -> None:
    due = [Due(f"{day}", day * DAY + 330, day * DAY + 335, 1) for day in range(1, 7)]
    facts = fine(8 * DAY)
    facts.net[2 * DAY + 300 : 5 * DAY + 300] = False
    for world, events in boxes(tmp_path, [World(facts, SimStation(due), 1)]):
        found = Toll()
        toll(world, events, found)
    assert found.wrong == []
    assert (found.counts["played"], found.counts["could be played"]) == (6, 6)


def test_the_oracle_says_what_a_person_would_say() -> None:
    due = [Due("a", 330, 335, 1)]
    calm = fine(DAY)
    assert judge(calm, due)["a"].playable
    for fact, minutes, playable, true in (
        ("power", range(330, 336), False, {"off", "set"}),
        ("power", range(331, 334), True, {"off"}),
        ("card", range(328, 336), False, {"card"}),
        ("card", range(328, 335), True, {"card"}),
        ("net", range(0, 336), False, {"file", "late"}),
        ("room", range(0, 336), False, {"file"}),
    ):
        facts = fine(DAY)
        getattr(facts, fact)[list(minutes)] = False
        verdict = judge(facts, due)["a"]
        assert (verdict.playable, set(verdict.true)) == (playable, true), fact
    wrong = fine(DAY)
    wrong.offset[300:400] = 60
    assert not judge(wrong, due)["a"].playable, "an hour off, and the station says so"
    assert "clock" in judge(wrong, due)["a"].true
    assert len(Path(oracle.__file__).read_text(encoding="utf-8").splitlines()) <= 100
