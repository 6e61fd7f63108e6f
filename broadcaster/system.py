"""What differs between Linux and Windows, and nothing else does: priorities, process groups, locks, sleep.

Every function that branches takes the platform's name (`sys.platform`) so that each branch can be tested
with fakes.  The Windows branches have been exercised with fakes only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

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
    """A systemd unit for one of the four processes; the player asks for real-time treatment."""
    priority = (
        "CPUSchedulingPolicy=rr\nCPUSchedulingPriority=10\nLimitRTPRIO=10\n" if part == "play" else "Nice=5\n"
    )
    return f"""[Unit]
Description=Đài truyền thanh: {TITLES[part]}
After=network.target sound.target time-sync.target

[Service]
WorkingDirectory={root}
Environment="BROADCASTER_HOME={home}"
ExecStart="{python}" -m broadcaster {part}
Restart=always
RestartSec=2
{priority}
[Install]
WantedBy=multi-user.target
"""


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
            command = f'"{python}" -m broadcaster {part}'
            run(
                ["schtasks", "/Create", "/F", "/RU", "SYSTEM", "/SC", "ONSTART", "/TN", f"broadcaster-{part}"]
                + ["/TR", f'cmd /c cd /d "{root}" && set "BROADCASTER_HOME={home}" && {command}'],
                check=True,
                timeout=60,
            )
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
            ["schtasks", "/Query", "/FO", "LIST", "/TN", f"broadcaster-{part}"]
            if is_windows(platform)
            else ["systemctl", "is-active", f"broadcaster-{part}.service"]
        )
        try:
            answer = run(argv, capture_output=True, text=True, timeout=30, check=False)
        except OSError:
            states[part] = "không rõ"
            continue
        states[part] = answer.stdout.strip() or "chưa cài"
    return states
