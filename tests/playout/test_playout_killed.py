"""The player is killed at every step; starts are counted from samples, ends from the station's book.

`scripts/kill_player.py` does the same a thousand times over, twice in a row and at random places.
"""

import sys
from collections.abc import Iterator

import pytest

from broadcaster.model import AsRunEvent, Priority
from tests.support.doomed_player import STEPS
from tests.support.killed_player import Killing, Story, killing

HEARD_AND_CUT = ("after it was cued", "while it sounds", "before the close", "inside the close")
CLAIMED = (*HEARD_AND_CUT, "after the claim")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killing]:
    with killing(tmp_path_factory.mktemp("chết")) as opened:
        yield opened


def ends(story: Story) -> list[AsRunEvent]:
    return [event for event in story.events if event is not AsRunEvent.STARTED]


@pytest.mark.parametrize("step", [step for step in STEPS if step != "before its progress is noted"])
def test_a_killed_player_never_starts_a_programme_twice_and_accounts_for_it(
    house: Killing, step: str
) -> None:
    story = house.story(Priority.ROUTINE, [(step, "kill", 1)])
    assert story.died == (True, False), "the step came"
    assert story.starts <= 1
    assert story.events.count(AsRunEvent.STARTED) == 1
    if step in CLAIMED:
        assert ends(story) == [AsRunEvent.INTERRUPTED]
    else:
        assert (ends(story), story.starts, story.whole) == ([AsRunEvent.FINISHED], 1, True)


@pytest.mark.parametrize("step", ["after the claim", "while it sounds"])
def test_an_emergency_whose_player_is_killed_sounds_again_until_it_was_heard(
    house: Killing, step: str
) -> None:
    story = house.story(Priority.EMERGENCY, [(step, "exit", 1), (step, "kill", 1)])
    assert story.died == (True, True, False)
    assert story.whole
    assert story.events == (AsRunEvent.STARTED, AsRunEvent.INTERRUPTED) * 2 + (
        AsRunEvent.STARTED,
        AsRunEvent.FINISHED,
    )
