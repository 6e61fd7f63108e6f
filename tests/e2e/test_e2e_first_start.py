"""The first start of a newcomer: install, render the nearest airing, play it into a WAV; and once more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from broadcaster.config import CHECKOUT
from tests.support.hearing import decoded, onset

RUN = "import sys; from broadcaster.commands.run import main; sys.exit(main(sys.argv[1:]))"


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """scripts/run.py without making an environment: the tests stand in one already."""
    environment = {
        **os.environ, "BROADCASTER_HOME": str(home), "BROADCASTER_VOICE_CHAIN": "espeak:vi+f5", "PYTHONUTF8": "1",
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments], cwd=CHECKOUT, env=environment, capture_output=True, text=True,
        timeout=280, check=False,
    )  # fmt: skip


@pytest.mark.timeout(600)
def test_once_makes_and_plays_the_nearest_airing_and_a_second_time_loses_nothing(tmp_path: Path) -> None:
    home = tmp_path / "đài của xã"
    home.mkdir()
    first = run(home, "--once")
    assert first.returncode == 0, first.stderr
    mp3, wav = (Path(line.split(" ", 1)[1]) for line in first.stdout.splitlines()[-2:])
    assert [line.split()[0] for line in first.stdout.splitlines()[-2:]] == ["MP3", "WAV"]
    assert "canbo" in first.stderr
    sound, heard = decoded(mp3), decoded(wav)
    at, alike = onset(heard[: 20 * 44_100], sound[2 * 44_100 : 10 * 44_100])
    assert abs(at - 7 * 44_100) <= 882  # the WAV begins five seconds before the airing
    assert alike > 0.999
    before = mp3.read_bytes()

    second = run(home, "--once")
    assert second.returncode == 0, second.stderr
    assert "canbo" not in second.stderr  # passwords are shown once
    assert mp3.read_bytes() == before
