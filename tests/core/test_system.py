"""Each platform's branch, with fakes where this machine is the other one."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from broadcaster import system
from broadcaster.system import widen_pipe
from tests.support.processes import gone


class FakeKernel:
    """Stands for Windows' kernel32 and writes down what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def GetCurrentProcess(self) -> int:  # noqa: N802 - Windows' own name
        return -1

    def SetPriorityClass(self, _process: int, value: int) -> int:  # noqa: N802
        self.calls.append(("priority", value))
        return 1

    def SetThreadExecutionState(self, value: int) -> int:  # noqa: N802
        self.calls.append(("awake", value))
        return 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a pipe be widened")
def test_a_widened_pipe_takes_a_sentence_without_a_reader_and_elsewhere_it_stays_as_it_is() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb"), os.fdopen(writer, "wb") as pipe:
        assert not widen_pipe(pipe, platform="win32")
        assert widen_pipe(pipe)
        os.set_blocking(pipe.fileno(), False)
        assert os.write(pipe.fileno(), b"x" * 300_000) == 300_000
    assert not widen_pipe(pipe)  # closed


def test_on_windows_the_renderer_gives_way_and_the_player_goes_first() -> None:
    kernel = FakeKernel()
    system.lower_priority(platform="win32", kernel=lambda: kernel)
    assert system.raise_priority(platform="win32", kernel=lambda: kernel)
    assert kernel.calls == [("priority", system.BELOW_NORMAL), ("priority", system.HIGH)]


def test_on_windows_the_machine_is_kept_awake_only_inside_the_block() -> None:
    kernel = FakeKernel()
    with system.awake("sắp phát", platform="win32", kernel=lambda: kernel) as agreed:
        assert agreed
    assert [value for _, value in kernel.calls] == [
        system.ES_CONTINUOUS | system.ES_SYSTEM_REQUIRED,
        system.ES_CONTINUOUS,
    ]


def test_without_systemd_staying_awake_says_no_and_goes_on() -> None:
    def absent(*_args: Any, **_kwargs: Any) -> Any:
        raise FileNotFoundError

    with system.awake("sắp phát", platform="linux", popen=absent) as agreed:
        assert not agreed


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX groups")
def test_stopping_a_group_ends_the_grandchildren_too(tmp_path: Path) -> None:
    marker = tmp_path / "grandchild.pid"
    script = (
        "import subprocess,sys,time;"
        "p=subprocess.Popen([sys.executable,'-c','import signal,time;signal.signal(15,signal.SIG_IGN);time.sleep(60)']);"
        f"open({str(marker)!r},'w').write(str(p.pid));time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], **system.group_options())
    while not marker.exists() or not marker.read_text():
        time.sleep(0.02)
    grandchild = int(marker.read_text())
    system.stop_group(process, grace_s=1.0)
    assert process.returncode is not None
    assert gone(grandchild)


def test_a_lock_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "một khóa"
    script = (
        "import sys;from pathlib import Path;from broadcaster import system\n"
        "try:\n with system.file_lock(Path(sys.argv[1]),timeout_s=0.3): print('got')\n"
        "except TimeoutError: print('busy')"
    )

    def other() -> str:
        return subprocess.run(
            [sys.executable, "-c", script, str(lock)], capture_output=True, text=True, check=True,
            cwd=Path(__file__).parents[2],
        ).stdout.strip()  # fmt: skip

    with system.file_lock(lock):
        assert other() == "busy"
    assert other() == "got"


def test_systemd_units_carry_the_home_and_restart_for_ever(tmp_path: Path) -> None:
    asked: list[list[str]] = []
    system.install_services(
        ["serve", "play"], python=Path("/nhà đài/.venv/bin/python"), home=Path("/nhà đài"), root=Path("/nhà đài"),
        unit_folder=tmp_path, platform="linux", run=lambda argv, **_: asked.append(argv),
    )  # fmt: skip
    player = (tmp_path / "broadcaster-play.service").read_text(encoding="utf-8")
    assert 'ExecStart="/nhà đài/.venv/bin/python" -m broadcaster play' in player
    assert "Restart=always" in player
    assert "CPUSchedulingPolicy=rr" in player
    assert asked[-1][:3] == ["systemctl", "enable", "--now"]
    system.remove_services(
        ["serve", "play"], unit_folder=tmp_path, platform="linux", run=lambda argv, **_: asked.append(argv)
    )
    assert list(tmp_path.iterdir()) == []


def test_windows_tasks_start_at_power_on_and_are_never_ended_by_the_scheduler() -> None:
    asked: list[list[str]] = []
    tasks: list[ElementTree.Element] = []

    def run(argv: list[str], **_: Any) -> None:
        asked.append(argv)
        if "/XML" in argv:
            tasks.append(ElementTree.fromstring(Path(argv[-1]).read_text(encoding="utf-16")))

    system.install_services(
        ["play"], python=Path("C:/dai & loa/python.exe"), home=Path("C:/dữ liệu"), root=Path("C:/dai & loa"),
        platform="win32", run=run,
    )  # fmt: skip
    assert [argv[1] for argv in asked] == ["/Create", "/Run"]
    assert "broadcaster-play" in asked[0]
    (task,) = tasks
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}

    def said(path: str) -> str | None:
        return task.findtext(path, namespaces=space)

    assert task.find("t:Triggers/t:BootTrigger", space) is not None
    assert said("t:Settings/t:ExecutionTimeLimit") == "PT0S", "the default ends it after three days"
    assert said("t:Settings/t:DisallowStartIfOnBatteries") == "false"
    assert said("t:Settings/t:StopIfGoingOnBatteries") == "false"
    assert said("t:Settings/t:Priority") == "2", "the default is below normal"
    assert said("t:Actions/t:Exec/t:WorkingDirectory") == str(Path("C:/dai & loa"))
    arguments = said("t:Actions/t:Exec/t:Arguments") or ""
    assert (
        'set BROADCASTER_HOME=C:/dữ liệu&& set PYTHONUTF8=1&& "C:/dai & loa/python.exe" -m broadcaster play'
        in (arguments.replace("\\", "/"))
    )


def test_systemd_never_gives_up_and_paths_are_taken_as_they_are(tmp_path: Path) -> None:
    text = system.unit_text("play", python=Path('/a "b"/100%/python'), home=Path("/nhà"), root=Path("/gốc 1"))
    assert "StartLimitIntervalSec=0" in text, "else five deaths in ten seconds are the end"
    assert r'ExecStart="/a \"b\"/100%%/python" -m broadcaster play' in text
    if shutil.which("systemd-analyze") is None:
        return
    unit = tmp_path / "broadcaster-play.service"
    unit.write_text(
        system.unit_text("play", python=Path(sys.executable), home=tmp_path, root=tmp_path), encoding="utf-8"
    )
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert "broadcaster-play" not in done.stderr


def answers(stdout: str, code: int = 0) -> Any:
    return lambda *_args, **_options: SimpleNamespace(stdout=stdout, returncode=code)


@pytest.mark.parametrize(("platform", "said", "state"), [
    ("linux", "active\n", "active"), ("linux", "", "chưa cài"),
    ("win32", '"\\broadcaster-play","N/A","Running"\n', "Running"), ("win32", "", "chưa cài"),
])  # fmt: skip
def test_the_systems_own_word_for_a_service_is_passed_on(platform: str, said: str, state: str) -> None:
    assert system.service_states(["play"], platform=platform, run=answers(said)) == {"play": state}


POWERCFG = "AC Power Setting Index: 0x{:08x}\nCurrent DC Power Setting Index: 0x00000384\n"


@pytest.mark.parametrize(("platform", "said", "code", "allowed"), [
    ("linux", "masked\n", 1, False), ("linux", "static\n", 0, True), ("linux", "", 1, None),
    ("win32", POWERCFG.format(0), 0, False), ("win32", POWERCFG.format(1800), 0, True), ("win32", "", 1, None),
])  # fmt: skip
def test_whether_the_machine_may_sleep_is_asked(
    platform: str, said: str, code: int, allowed: bool | None
) -> None:
    assert system.sleep_allowed(platform=platform, run=answers(said, code)) is allowed


@pytest.mark.parametrize(("said", "volume"), [
    ("Volume: 0.85", (85, False)), ("Volume: 0.40 [MUTED]", (40, True)),
    ("  Mono: Playback 20 [7%] [-40.00dB] [on]", (7, False)), ("  Front Left: 0 [90%] [off]", (90, True)),
    ("no mixer", None),
])  # fmt: skip
def test_the_mixers_volume_is_read(said: str, volume: tuple[int, bool] | None) -> None:
    assert system.output_volume(platform="linux", run=answers(said)) == volume


def test_a_machine_without_systemd_takes_no_services(tmp_path: Path) -> None:
    assert system.takes_services(platform="win32", systemd=tmp_path / "không có")
    assert system.takes_services(platform="linux", systemd=tmp_path)
    assert not system.takes_services(platform="linux", systemd=tmp_path / "không có")
