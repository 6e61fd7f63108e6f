"""What is missing on this machine, before 05:30 finds out: one finding a line, each with what to do.

Each check takes what it needs as an argument and returns findings; `examine` runs them all.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from broadcaster.config import Settings
from broadcaster.errors import BroadcasterError, ConfigError, SoundError, VoiceError
from broadcaster.mqtt import NOT_INSTALLED, broker_of
from broadcaster.mqtt import installed as mqtt_installed
from broadcaster.reachability import check_public_url
from broadcaster.system import PARTS, is_windows, output_volume, service_states, sleep_allowed

TRIED = "Xin chào bà con."  # what every voice of the chain is asked to say


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the page: `ok` is None when it could not be known."""

    ok: bool | None
    title: str
    sentence: str


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order a technician would go through them."""
    checks: tuple[Callable[[], Iterable[Finding]], ...] = (
        lambda: [python_version(sys.version_info[:2])],
        lambda: [disk(settings.home)],
        lambda: [database(settings)],
        lambda: [ffmpeg()],
        lambda: voices(settings),
        lambda: [sound_card()],
        lambda: [volume()],
        lambda: [sleep()],
        lambda: [clock_synchronised()],
        lambda: [power_on_start()],
        lambda: [public_address(settings.text("web.public_url"))],
        lambda: from_outside(settings.text("web.public_url")),
        lambda: broker(settings.text("mqtt.url")),
    )
    found: list[Finding] = []
    for check in checks:
        try:
            found.extend(check())
        except BroadcasterError as error:
            found.append(Finding(False, "Kiểm tra", str(error)))
    return found


def python_version(version: tuple[int, ...]) -> Finding:
    """3.11 or newer."""
    text = ".".join(map(str, version))
    return Finding(
        version >= (3, 11),
        "Python",
        f"phiên bản {text}" + ("" if version >= (3, 11) else "; cần 3.11 trở lên"),
    )


def disk(home: Path, *, free_bytes: int | None = None) -> Finding:
    """At least 2 GB free where the data lives."""
    free = shutil.disk_usage(home).free if free_bytes is None else free_bytes
    gigabytes = f"{free / 1e9:.1f}".replace(".", ",")
    if free < 2_000_000_000:
        return Finding(False, "Ổ đĩa", f"chỉ còn {gigabytes} GB trống; hãy xóa bớt tệp để còn ít nhất 2 GB")
    return Finding(True, "Ổ đĩa", f"còn {gigabytes} GB trống")


def database(settings: Settings) -> Finding:
    """The database opens, is of this program's version, and answers."""
    from sqlalchemy import func, select

    from broadcaster.store.db import Database
    from broadcaster.store.tables import Station
    from broadcaster.store.upgrade import check_version

    if settings.database_url.startswith("sqlite"):
        path = Path(settings.database_url.removeprefix("sqlite:///"))
        if not path.exists():
            return Finding(False, "Cơ sở dữ liệu", "chưa có; hãy chạy python3 scripts/run.py")
    check_version(settings.database_url)
    db = Database(settings.database_url)
    try:
        with db.reading() as session:
            count = session.scalar(select(func.count()).select_from(Station))
    finally:
        db.dispose()
    return Finding(True, "Cơ sở dữ liệu", f"mở được, có {count} đài")


def ffmpeg() -> Finding:
    """An ffmpeg that starts, from PATH or from the package."""
    from broadcaster.speech.ffmpeg import find_ffmpeg

    path = find_ffmpeg()
    return Finding(True, "ffmpeg", f"dùng {path}")


def voices(settings: Settings) -> list[Finding]:
    """Each voice of the chain says `TRIED` here; why it cannot when it cannot."""
    from broadcaster.speech.check import fault
    from broadcaster.speech.engines import open_voice
    from broadcaster.speech.hearing import Recogniser

    found = []
    for spec in settings.texts("voice.chain"):
        with closing(open_voice(spec, home=settings.home, voices_dir=settings.voices)) as voice:
            wrong = voice.available()
            if wrong is None:  # being installed is not yet speaking: a voice of the network must answer too
                try:
                    wrong = fault(voice.speak(TRIED), TRIED, may_be_silent=voice.name == "silent")
                except (VoiceError, SoundError) as error:
                    wrong = error.message.rstrip(".")
            found.append(
                Finding(None if wrong else True, f"Giọng {spec}", wrong or f"đọc được ({voice.label})")
            )
    if not any(finding.ok for finding in found):
        found.append(Finding(False, "Giọng", "không giọng nào đọc được; hãy cài lại requirements.txt"))
    if settings.boolean("voice.listen_back"):
        reason = Recogniser.available()
        found.append(Finding(None if reason else True, "Máy nghe lại", reason or "sẵn sàng"))
    return found


def sound_card() -> Finding:
    """At least one playback device that is not the null device."""
    from broadcaster.playout.outputs import playback_devices

    devices = playback_devices()
    if not devices:
        return Finding(False, "Card âm thanh", "không thấy; hãy cắm loa hoặc tăng âm, rồi chạy lại")
    return Finding(True, "Card âm thanh", "; ".join(devices))


def volume(*, ask: Callable[[], tuple[int, bool] | None] = output_volume) -> Finding:
    """Whether the system's mixer would let the sound out."""
    found = ask()
    if found is None:
        return Finding(None, "Âm lượng", "không hỏi được; hãy tự xem âm lượng của máy, nên để 80 đến 100%")
    percent, muted = found
    if muted or percent < 10:
        state = "đang tắt tiếng" if muted else f"chỉ {percent}%"
        return Finding(False, "Âm lượng", f"{state}; hãy mở tiếng và để 80 đến 100%")
    return Finding(True, "Âm lượng", f"{percent}%")


def sleep(*, ask: Callable[[], bool | None] = sleep_allowed, platform: str = sys.platform) -> Finding:
    """Whether the machine may sleep.  The player holds it awake while it runs; without the player nothing does."""
    allowed = ask()
    if allowed is None:
        return Finding(None, "Chế độ ngủ", "không hỏi được; hãy đặt máy không tự ngủ khi cắm điện")
    if allowed:
        remedy = (
            "powercfg /change standby-timeout-ac 0" if is_windows(platform) else "systemctl mask sleep.target"
        )
        return Finding(
            None,
            "Chế độ ngủ",
            f"máy được phép ngủ; máy phát giữ máy thức khi đang chạy, chắc hơn thì chạy {remedy}",
        )
    return Finding(True, "Chế độ ngủ", "máy không tự ngủ")


def clock_synchronised(*, platform: str = sys.platform, run: Callable[..., Any] = subprocess.run) -> Finding:
    """Whether the system keeps its clock by the network."""
    argv = (
        ["w32tm", "/query", "/status"]
        if is_windows(platform)
        else ["timedatectl", "show", "-p", "NTPSynchronized"]
    )
    try:
        answer = run(argv, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return Finding(
            None, "Đồng hồ", f"không hỏi được hệ thống; giờ máy đang là {time.strftime('%H:%M:%S')}"
        )
    synced = answer.returncode == 0 if is_windows(platform) else "=yes" in answer.stdout
    if synced:
        return Finding(True, "Đồng hồ", "đang được đồng bộ qua mạng")
    return Finding(False, "Đồng hồ", "chưa đồng bộ; hãy bật giờ tự động và kiểm tra pin CMOS")


def power_on_start(*, states: dict[str, str] | None = None) -> Finding:
    """Whether the four processes start with the machine."""
    found = service_states(PARTS) if states is None else states
    asleep = ("chưa cài", "không rõ", "inactive", "failed", "unknown", "disabled", "Disabled")
    missing = [part for part, state in found.items() if state in asleep]
    if missing:
        return Finding(
            None, "Tự chạy khi bật máy",
            f"chưa cài cho {', '.join(missing)}; chạy python -m broadcaster service install với quyền quản trị",
        )  # fmt: skip
    return Finding(True, "Tự chạy khi bật máy", "đã cài")


def public_address(url: str) -> Finding:
    """The address phones open; a loopback one would open the phone itself."""
    if not url:
        return Finding(None, "Địa chỉ cho điện thoại", "chưa đặt web.public_url; mã QR cho thôn chưa in được")
    host = urlparse(url).hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        return Finding(
            False, "Địa chỉ cho điện thoại", f"{url} chỉ mở được trên chính máy này; hãy đặt địa chỉ mạng"
        )
    return Finding(True, "Địa chỉ cho điện thoại", url)


def from_outside(url: str) -> list[Finding]:
    """Whether that address leads here, asked as a phone would ask; nothing to ask while it is not usable."""
    if not public_address(url).ok:
        return []
    return [Finding(one.ok, one.title, one.sentence) for one in check_public_url(url)]


def broker(url: str) -> list[Finding]:
    """Whether the second doorbell could ring; nothing to ask where none is set."""
    if not url:
        return []
    try:
        found = broker_of(url)
    except ConfigError as error:
        return [Finding(False, "MQTT", error.message)]
    where = f"{found.host}:{found.port}"
    if not mqtt_installed():
        return [Finding(False, "MQTT", NOT_INSTALLED)]
    try:
        socket.create_connection((found.host, found.port), timeout=5).close()
    except OSError as error:
        sentence = f"không gọi được {where} ({error}); máy phát vẫn hỏi lịch qua HTTP, nhưng chậm hơn"
        return [Finding(False, "MQTT", sentence)]
    return [Finding(True, "MQTT", f"gọi được {where}")]
