"""Every story in `tests/scenarios` ends as it says."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.scenario import play, read

FOLDER = Path(__file__).resolve().parents[1] / "scenarios"
STORIES = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_story_ends_as_it_says(path: Path, tmp_path: Path) -> None:
    scenario = read(path)
    told = play(scenario, tmp_path)
    assert {name: [event.event.value for event in events] for name, events in told.items()} == scenario.expect
    for name, reason in scenario.reason.items():
        assert reason in told[name][-1].reason


@pytest.fixture(params=["UTC", "Asia/Ho_Chi_Minh", "America/New_York"])
def machine_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("name", ["mot-ngay-binh-thuong", "mat-dien-ca-buoi"])
def test_the_zone_of_the_machine_changes_nothing(machine_zone: str, name: str, tmp_path: Path) -> None:
    scenario = read(FOLDER / f"{name}.toml")
    told = play(scenario, tmp_path)
    assert {one: [event.event.value for event in events] for one, events in told.items()} == scenario.expect
    for one, reason in scenario.reason.items():
        assert reason in told[one][-1].reason, "times in reasons are the station's"
