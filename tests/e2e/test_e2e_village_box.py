"""A village box for real: an environment of its own with `requirements-player.txt` alone, paired by a code."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadcaster.delivery.receivers import open_pairing, revoke
from broadcaster.model import AsRunEvent
from broadcaster.playout.sound import decode
from tests.support.receivers import Studio, onset, read_wav, studio

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's Python; needs a package index."""
    folder = tmp_path_factory.mktemp("máy thôn")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    made = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    command = [str(made), "-m", "pip", "install", "-q", "-r", str(ROOT / "requirements-player.txt")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
    if done.returncode != 0:
        assert os.environ.get("CI") != "true", done.stderr
        pytest.skip("no package index can be reached here")
    return made


def wait_for(true: object, *, limit_s: float = 90.0) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=limit_s)
    pause = threading.Event()
    while not true():  # type: ignore[operator]
        assert datetime.now(UTC) < deadline, "it never came"
        pause.wait(0.1)


def said(station: Studio, airing: str) -> list[AsRunEvent]:
    return [row.event for row in station.as_run(airing)]


@pytest.mark.slow
@pytest.mark.timeout(400)  # an environment is made and filled
@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM")
def test_a_box_with_the_players_requirements_alone_is_paired_plays_reports_and_is_taken_away(
    python: Path, tmp_path: Path
) -> None:
    home, wav, log = tmp_path / "máy phát", tmp_path / "ra.wav", tmp_path / "nhật ký.txt"
    home.mkdir()
    environment = {**os.environ, "BROADCASTER_HOME": str(home), "PYTHONUTF8": "1"}
    environment.pop("PYTHONPATH", None)
    with studio(tmp_path) as station, station.serving() as url:
        with station.db.writing() as session:
            code = open_pairing(session, station.receiver_id, now=datetime.now(UTC))
        command = [
            str(python),
            "-m",
            "broadcaster",
            "play",
            "--server",
            url,
            "--pair",
            code,
            "--output",
            f"wav:{wav}",
        ]
        with log.open("wb") as out:
            box = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: station.receiver().heartbeat != {} or box.poll() is not None)
            assert box.poll() is None, log.read_text(encoding="utf-8")
            airing = station.airing(datetime.now(UTC) + timedelta(seconds=6), seed=8, seconds=2)
            wait_for(lambda: said(station, airing) == [AsRunEvent.STARTED, AsRunEvent.FINISHED])
            with station.db.writing() as session:
                revoke(session, station.receiver_id, now=datetime.now(UTC))
            wait_for(lambda: "không còn nhận mã" in log.read_text(encoding="utf-8"))
        finally:
            box.send_signal(signal.SIGTERM)
            box.wait(timeout=30)
        assert onset(read_wav(wav), decode(station.file_of(airing)[1]), length=44_100)[1] > 0.999
    modules = subprocess.run(
        [str(python), "-c", "import sqlalchemy"], capture_output=True, timeout=60, check=False, cwd=ROOT
    )
    assert modules.returncode != 0, "nothing of the station is installed"
