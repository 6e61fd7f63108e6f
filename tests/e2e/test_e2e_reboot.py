"""The power comes back: what the service units name is started, and the next airing sounds."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from broadcaster.playout.sound import decode
from broadcaster.system import PARTS, install_services
from scripts.bench_player import House
from tests.support.receivers import RATE_HZ, onset, read_wav

ROOT = Path(__file__).resolve().parents[2]
HEARD_S = 0.2


def unit(path: Path) -> tuple[list[str], str, dict[str, str]]:
    """What a unit starts: command, folder, environment."""
    lines = [line.partition("=") for line in path.read_text(encoding="utf-8").splitlines()]
    rows = {key: value for key, _, value in lines}
    environment = dict(one.split("=", 1) for one in shlex.split(rows["Environment"]))
    return shlex.split(rows["ExecStart"]), rows["WorkingDirectory"], environment


@contextmanager
def power(units: Path) -> Iterator[None]:
    """Every unit started; then the plug is pulled."""
    started = []
    for path in sorted(units.glob("*.service")):
        command, folder, environment = unit(path)
        started.append(
            subprocess.Popen(
                command, cwd=folder, env={**os.environ, **environment}, start_new_session=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip
    try:
        yield
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=20)


def until(true: object, *, limit_s: float = 90.0) -> None:
    deadline = time.monotonic() + limit_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.2)


def taped_s(wav: Path, airing: str) -> float:
    """How much of an airing the tape's own header owns to: it is brought up to date once a second."""
    events = json.loads(wav.with_name(wav.name + ".json").read_text(encoding="utf-8"))["events"]
    began = [event["sample"] for event in events if event["airing"] == airing]
    return (len(read_wav(wav)) - began[0]) / RATE_HZ if began else 0.0


@pytest.mark.skipif(sys.platform == "win32", reason="systemd's units and SIGKILL")
@pytest.mark.slow
def test_after_a_power_cut_the_services_start_and_the_next_airing_sounds(tmp_path: Path) -> None:
    wav = tmp_path / "loa.wav"
    house = House(tmp_path / "đài")
    (tmp_path / "đài" / "broadcaster.toml").write_text(
        f'[web]\nport = {house.port}\n[player]\noutput = "wav:{wav}"\n', encoding="utf-8"
    )
    units = tmp_path / "systemd"
    units.mkdir()
    install_services(
        PARTS, python=Path(sys.executable), home=tmp_path / "đài", root=ROOT, unit_folder=units, platform="linux",
        run=lambda *_, **__: None,
    )  # fmt: skip

    def answers() -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{house.port}/healthz", timeout=2).ok
        except requests.RequestException:
            return False

    manifest = tmp_path / "đài" / "var" / "player" / "manifest.json"
    with power(units):
        until(answers)
        until(manifest.exists)
    planned = datetime.now(UTC) + timedelta(seconds=3)  # while everything is off: it comes within its grace
    (airing,) = house.airings([planned])
    wav.unlink(missing_ok=True)
    with power(units):
        until(lambda: wav.exists() and taped_s(wav, airing) > HEARD_S)
    with house.db.reading() as session:
        from broadcaster.model import RenditionKind
        from broadcaster.schedule.plan import airing_of

        file = airing_of(session, airing).files[RenditionKind.AIR]
    house.db.dispose()
    clip = decode(house.blobs.path(file.sha256, suffix="mp3"))
    tape = read_wav(wav)
    assert onset(tape, clip, length=min(len(clip), round(HEARD_S * RATE_HZ)))[1] > 0.9
