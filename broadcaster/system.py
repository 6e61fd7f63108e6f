"""What differs between Linux and Windows, and nothing else does: priorities, process groups, locks, sleep.

Every function that branches takes the platform's name (`sys.platform`) so that each branch can be tested
with fakes.  The Windows branches have been exercised with fakes only.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

BELOW_NORMAL, HIGH = 0x00004000, 0x00000080  # Windows priority classes
ES_CONTINUOUS, ES_SYSTEM_REQUIRED = 0x80000000, 0x00000001  # SetThreadExecutionState


def is_windows(platform: str = sys.platform) -> bool:
    """True on Windows."""
    return platform == "win32"


def _kernel32() -> Any:
    return ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]


def lower_priority(*, platform: str = sys.platform, kernel: Callable[[], Any] = _kernel32) -> None:
    """Make this process give way to the player: nice 19, or BELOW_NORMAL on Windows."""
    if is_windows(platform):
        kernel().SetPriorityClass(kernel().GetCurrentProcess(), BELOW_NORMAL)
    else:
        os.nice(19)


def raise_priority(*, platform: str = sys.platform, kernel: Callable[[], Any] = _kernel32) -> bool:
    """Ask for real-time treatment of the player; False when the system does not grant it (not an error)."""
    if is_windows(platform):
        return bool(kernel().SetPriorityClass(kernel().GetCurrentProcess(), HIGH))
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    except (AttributeError, PermissionError, OSError):
        return False
    return True


def group_options(platform: str = sys.platform) -> dict[str, Any]:
    """Popen options that put a child and all it starts into a group of its own."""
    if is_windows(platform):
        return {"creationflags": 0x00000200}  # CREATE_NEW_PROCESS_GROUP
    return {"start_new_session": True}


def stop_group(
    process: subprocess.Popen[Any],
    *,
    grace_s: float = 5.0,
    platform: str = sys.platform,
    run: Callable[..., Any] = subprocess.run,
) -> None:
    """End a process started with `group_options` and everything it started: politely, then for good."""
    if process.poll() is None:
        if is_windows(platform):
            run(
                ["taskkill", "/T", "/F", "/PID", str(process.pid)],
                capture_output=True,
                timeout=15,
                check=False,
            )
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=grace_s)
    if not is_windows(platform):
        # grandchildren that ignored the polite request
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def widen_pipe(pipe: Any, *, size_bytes: int = 1 << 20, platform: str = sys.platform) -> bool:
    """Let a pipe hold more than the usual 64 kB, so that neither end waits for the other at every block.

    False where the system cannot or does not allow it: then it stays as it is.
    """
    if not platform.startswith("linux"):
        return False
    import fcntl

    with contextlib.suppress(OSError, AttributeError, ValueError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, size_bytes)
        return True
    return False


def settle_memory() -> None:
    """Spare the collector what a process has made to begin with: else now and then a page waits 0.1 s for it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # a report makes 27 000 small things and keeps none


def die_with_parent(*, platform: str = sys.platform) -> None:
    """In a child: be ended by the kernel when the parent dies (Linux; elsewhere the pipe's end tells)."""
    if platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


@contextlib.contextmanager
def file_lock(path: Path, *, timeout_s: float = 120.0) -> Iterator[None]:
    """Hold an exclusive lock between processes; TimeoutError when somebody else keeps it too long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        deadline = time.monotonic() + timeout_s
        while not _try_lock(file):
            if time.monotonic() > deadline:
                raise TimeoutError(str(path))
            time.sleep(0.1)
        try:
            yield
        finally:
            _unlock(file)


def _try_lock(file: Any) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unlock(file: Any) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_UN)


@contextlib.contextmanager
def awake(
    why: str,
    *,
    platform: str = sys.platform,
    kernel: Callable[[], Any] = _kernel32,
    popen: Callable[..., Any] = subprocess.Popen,
) -> Iterator[bool]:
    """Keep the machine from sleeping while the block runs; yields whether the system agreed."""
    if is_windows(platform):
        agreed = bool(kernel().SetThreadExecutionState(ES_CONTINUOUS | ES_SYSTEM_REQUIRED))
        try:
            yield agreed
        finally:
            kernel().SetThreadExecutionState(ES_CONTINUOUS)
        return
    argv = ["systemd-inhibit", "--what=sleep:idle", "--who=broadcaster", f"--why={why}", "sleep", "infinity"]
    try:
        holder = popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **group_options(platform))
    except OSError:
        yield False  # no systemd here (container, other init): nothing puts this machine to sleep either
        return
    try:
        yield True
    finally:
        stop_group(holder, platform=platform)


# ---------------------------------------------------------------------------------------------- services

PARTS = ("serve", "work", "clock", "play")
TITLES = {
    "serve": "trang web",
    "work": "dựng tiếng",
    "clock": "đồng hồ đài",
    "play": "máy phát",
}


def unit_text(part: str, *, python: Path, home: Path, root: Path) -> str:
    """A systemd unit for one of the four processes; the player asks for real-time treatment.

    Without `StartLimitIntervalSec=0` systemd gives up for good after five deaths in ten seconds.
    """
    priority = (
        "CPUSchedulingPolicy=rr\nCPUSchedulingPriority=10\nLimitRTPRIO=10\n" if part == "play" else "Nice=5\n"
    )
    return f"""[Unit]
Description=Đài truyền thanh: {TITLES[part]}
After=network.target sound.target time-sync.target
StartLimitIntervalSec=0

[Service]
WorkingDirectory={_escaped(root)}
Environment="BROADCASTER_HOME={_escaped(home)}" PYTHONUTF8=1
ExecStart="{_escaped(python)}" -m broadcaster {part}
Restart=always
RestartSec=2
{priority}
[Install]
WantedBy=multi-user.target
"""


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def task_text(part: str, *, python: Path, home: Path, root: Path) -> str:
    """A task for the Windows scheduler as XML: from power-on, for ever, on batteries too, started again.

    What `schtasks` makes of its own options is ended after three days, waits for mains power and runs below
    normal priority.
    """
    command = f'/d /c "set BROADCASTER_HOME={home}&& set PYTHONUTF8=1&& "{python}" -m broadcaster {part}"'
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>{escape(f"Đài truyền thanh: {TITLES[part]}")}</Description></RegistrationInfo>
  <Triggers><BootTrigger><Enabled>true</Enabled></BootTrigger></Triggers>
  <Principals><Principal id="Author"><UserId>S-1-5-18</UserId><RunLevel>HighestAvailable</RunLevel></Principal></Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>{2 if part == "play" else 6}</Priority>
    <RestartOnFailure><Interval>PT1M</Interval><Count>999</Count></RestartOnFailure>
  </Settings>
  <Actions Context="Author"><Exec>
    <Command>cmd.exe</Command>
    <Arguments>{escape(command)}</Arguments>
    <WorkingDirectory>{escape(str(root))}</WorkingDirectory>
  </Exec></Actions>
</Task>
"""


def takes_services(*, platform: str = sys.platform, systemd: Path = Path("/run/systemd/system")) -> bool:
    """Whether this machine has something that would start the processes: Windows' tasks, or a running systemd."""
    return is_windows(platform) or systemd.is_dir()


def install_services(
    parts: Sequence[str],
    *,
    python: Path,
    home: Path,
    root: Path,
    unit_folder: Path = Path("/etc/systemd/system"),
    platform: str = sys.platform,
    run: Callable[..., Any] = subprocess.run,
) -> None:
    """Hand the processes to systemd or to the Windows task scheduler, started at power-on."""
    if is_windows(platform):
        for part in parts:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / f"{part}.xml"
                file.write_text(
                    task_text(part, python=python, home=home, root=root), encoding="utf-16", newline="\r\n"
                )
                name = f"broadcaster-{part}"
                run(["schtasks", "/Create", "/F", "/TN", name, "/XML", str(file)], check=True, timeout=60)
            run(["schtasks", "/Run", "/TN", name], check=False, timeout=60)
        return
    for part in parts:
        text = unit_text(part, python=python, home=home, root=root)
        (unit_folder / f"broadcaster-{part}.service").write_text(text, encoding="utf-8")
    run(["systemctl", "daemon-reload"], check=True, timeout=60)
    run(
        ["systemctl", "enable", "--now", *(f"broadcaster-{part}.service" for part in parts)],
        check=True,
        timeout=60,
    )


def remove_services(
    parts: Sequence[str],
    *,
    unit_folder: Path = Path("/etc/systemd/system"),
    platform: str = sys.platform,
    run: Callable[..., Any] = subprocess.run,
) -> None:
    """Take the processes back from the system; a part that was not installed is passed over."""
    if is_windows(platform):
        for part in parts:
            run(["schtasks", "/End", "/TN", f"broadcaster-{part}"], check=False, timeout=60)
            run(["schtasks", "/Delete", "/F", "/TN", f"broadcaster-{part}"], check=False, timeout=60)
        return
    for part in parts:
        unit = unit_folder / f"broadcaster-{part}.service"
        if unit.exists():
            run(["systemctl", "disable", "--now", unit.name], check=False, timeout=60)
            unit.unlink()
    run(["systemctl", "daemon-reload"], check=False, timeout=60)


def service_states(
    parts: Sequence[str], *, platform: str = sys.platform, run: Callable[..., Any] = subprocess.run
) -> dict[str, str]:
    """What the system says of each part: active, inactive, … or 'không rõ' when it cannot be asked."""
    states = {}
    for part in parts:
        argv = (
            ["schtasks", "/Query", "/FO", "CSV", "/NH", "/TN", f"broadcaster-{part}"]
            if is_windows(platform)
            else ["systemctl", "is-active", f"broadcaster-{part}.service"]
        )
        try:
            answer = run(argv, capture_output=True, text=True, timeout=30, check=False)
        except OSError:
            states[part] = "không rõ"
            continue
        states[part] = _state(answer.stdout, platform) or "chưa cài"
    return states


def _state(said: str, platform: str) -> str:
    """The system's own word; Windows' is the last of three columns, in its own language."""
    lines = said.strip().splitlines()
    if not lines:
        return ""
    return lines[-1].split(",")[-1].strip(' "') if is_windows(platform) else lines[0].strip()


def sleep_allowed(*, platform: str = sys.platform, run: Callable[..., Any] = subprocess.run) -> bool | None:
    """Whether the machine may go to sleep by itself on mains power; None = it could not be asked."""
    try:
        if is_windows(platform):
            answer = run(
                ["powercfg", "/query", "SCHEME_CURRENT", "SUB_SLEEP", "STANDBYIDLE"], capture_output=True,
                text=True, timeout=30, check=False,
            )  # fmt: skip
            found = re.findall(r"0x([0-9a-fA-F]+)", answer.stdout)  # …, on mains, on battery: seconds
            return int(found[-2], 16) > 0 if answer.returncode == 0 and len(found) >= 2 else None
        answer = run(
            ["systemctl", "is-enabled", "sleep.target"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except OSError:
        return None
    state = answer.stdout.strip()
    return None if not state else state != "masked"


def output_volume(
    *, platform: str = sys.platform, run: Callable[..., Any] = subprocess.run
) -> tuple[int, bool] | None:
    """(per cent, muted) of the system's mixer; None where it cannot be asked (Windows, no mixer)."""
    if is_windows(platform):
        return None
    for argv in (["wpctl", "get-volume", "@DEFAULT_AUDIO_SINK@"], ["amixer", "-M", "get", "Master"]):
        try:
            said = run(argv, capture_output=True, text=True, timeout=10, check=False)
        except OSError:
            continue
        if said.returncode == 0 and (volume := _volume(said.stdout)) is not None:
            return volume
    return None


def _volume(said: str) -> tuple[int, bool] | None:
    if found := re.search(r"Volume: ([0-9.]+)", said):
        return round(100 * float(found[1])), "[MUTED]" in said
    if found := re.search(r"\[(\d+)%\]", said):
        return int(found[1]), "[off]" in said
    return None
