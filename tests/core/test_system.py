"""Each platform's branch, with fakes where this machine is the other one."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from broadcaster import system


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
    deadline = time.monotonic() + 5
    while _alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.returncode is not None
    assert not _alive(grandchild)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


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


def test_windows_tasks_start_at_power_on() -> None:
    asked: list[list[str]] = []
    system.install_services(
        ["play"], python=Path("C:/dai/python.exe"), home=Path("C:/dai"), root=Path("C:/dai"), platform="win32",
        run=lambda argv, **_: asked.append(argv),
    )  # fmt: skip
    assert "ONSTART" in asked[0]
    assert "broadcaster-play" in asked[0]
