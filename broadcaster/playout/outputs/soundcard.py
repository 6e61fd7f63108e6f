"""The sound card: open all the time, fed silence; miniaudio where it has a wheel, sounddevice elsewhere.

A card that falls back to the null device makes no sound and looks healthy; the back ends are therefore
named, null is never among them, and no card is a fault that the heartbeat reports.
"""

from __future__ import annotations

import importlib.util
import statistics
from collections import deque
from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from broadcaster.playout.clock import Clock
from broadcaster.playout.outputs.deck import RATE_HZ, Deck, DeckOutput, Samples

BUFFER_MS: Final = 20
NULL: Final = "null"  # `soundcard:null`: chosen on purpose, for measurements without a card
_REOPEN_S: Final = 5.0
_REOPEN_RARELY_S: Final = 60.0  # after a minute without a card
_TRIES: Final = 12
_SILENT_CARD_S: Final = 2.0  # a device that asks for nothing this long is lost


class Device(Protocol):
    """An opened device that pulls blocks from a callback until it is closed."""

    label: str

    def close(self) -> None: ...


Opener = Callable[[Callable[[int], Samples], bool], Device]


class SoundCard(DeckOutput):
    """The default playback device; its own delay (one buffer) comes on top of every instant."""

    def __init__(self, clock: Clock, *, null: bool = False, opener: Opener | None = None) -> None:
        self.name = "soundcard:null" if null else "soundcard"
        self._clock, self._null = clock, null
        self._deck = Deck()
        self._opener = opener or default_opener()
        self._device: Device | None = None
        self._fault = ""
        self._failures = 0
        self._anchors: deque[float] = deque(maxlen=50)  # monotonic second of frame 0, as callbacks show it
        self._last_callback = self._opened_at = clock.monotonic()
        self._open()

    @property
    def fault(self) -> str:
        """Why nothing can be heard."""
        if self._fault:
            return self._fault
        if self._clock.monotonic() - self._last_callback > _SILENT_CARD_S:
            return "Card âm thanh không lấy tiếng nữa (rút dây hoặc hỏng?). Hãy kiểm tra card và loa."
        return ""

    def tend(self) -> None:
        """Open the device again when it was lost, every few seconds."""
        rest_s = _REOPEN_S if self._failures < _TRIES else _REOPEN_RARELY_S
        if self.fault and self._clock.monotonic() - self._opened_at > rest_s:
            self._close_device()
            self._deck.clear()  # what was cut off must not go on minutes later
            self._open()

    def close(self) -> None:
        """Let go of the device."""
        self._close_device()

    def _open(self) -> None:
        self._opened_at = self._last_callback = self._clock.monotonic()
        self._anchors.clear()
        try:
            self._device = self._opener(self._render, self._null)
        except OSError as error:
            self._fault = f"Không mở được card âm thanh: {error}. Hãy cắm loa hoặc tăng âm."
            self._failures += 1
            return
        self._fault, self._failures = "", 0
        self.name = f"soundcard ({self._device.label})"
        if not self._null and "null" in self._device.label.lower():
            self._fault = "Card âm thanh là thiết bị rỗng nên không có tiếng. Hãy cắm loa hoặc tăng âm."

    def _close_device(self) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None

    def _render(self, count: int) -> Samples:
        """Called by the device's own thread."""
        self._last_callback = self._clock.monotonic()
        self._anchors.append(self._last_callback - self._deck.position / RATE_HZ)
        return self._deck.render(count)

    def _anchor(self) -> float:
        # Callbacks come in a rhythm of their own (the null device's in steps of 10 ms): the middle one of the
        # last second errs least, and a few late ones do not move it.
        anchors = list(self._anchors)
        return (
            statistics.median(anchors) if anchors else self._clock.monotonic() - self._deck.position / RATE_HZ
        )

    def _frame_of(self, instant: datetime) -> int:
        ahead_s = (instant - self._clock.now()).total_seconds()
        return round((self._clock.monotonic() + ahead_s - self._anchor()) * RATE_HZ)

    def _instant_of(self, frame: int) -> datetime:
        behind_s = self._clock.monotonic() - (self._anchor() + frame / RATE_HZ)
        return self._clock.now() - timedelta(seconds=behind_s)


def default_opener() -> Opener:
    """miniaudio when it is installed, else sounddevice."""
    return _open_miniaudio if importlib.util.find_spec("miniaudio") is not None else _open_sounddevice


def playback_devices() -> list[str]:
    """Names of the machine's playback devices; the null device is none."""
    try:
        if importlib.util.find_spec("miniaudio") is not None:
            import miniaudio

            found = miniaudio.Devices(backends=_real_backends(miniaudio)).get_playbacks()
            return [name for device in found if not _is_null(name := str(device["name"]))]
        import sounddevice

        names = [str(one["name"]) for one in sounddevice.query_devices() if one["max_output_channels"] > 0]
        return [name for name in names if not _is_null(name)]
    except (OSError, ImportError, _miniaudio_error()):
        return []


def _is_null(name: str) -> bool:
    """ALSA lists a device that swallows everything: a green light for it would be silence that looks well."""
    return name.lower() == "null" or "discard all samples" in name.lower()


class _Miniaudio:
    def __init__(self, device: Any) -> None:
        self._device = device
        self.label = str(device.backend)

    def close(self) -> None:
        self._device.close()


def _open_miniaudio(render: Callable[[int], Samples], null: bool) -> Device:
    import miniaudio

    def blocks() -> Generator[Any, int, None]:
        count = yield b""
        while True:
            count = yield render(count).reshape(-1, 1)

    generator = blocks()
    next(generator)
    try:
        device = miniaudio.PlaybackDevice(
            output_format=miniaudio.SampleFormat.FLOAT32,
            nchannels=1,
            sample_rate=RATE_HZ,
            buffersize_msec=BUFFER_MS,
            backends=[miniaudio.Backend.NULL] if null else _real_backends(miniaudio),
            app_name="broadcaster",
        )
        device.start(generator)
    except miniaudio.MiniaudioError as error:
        raise OSError(", ".join(str(part) for part in error.args)) from error
    return _Miniaudio(device)


def _real_backends(miniaudio: Any) -> list[Any]:
    return [one for one in miniaudio.Backend if one not in (miniaudio.Backend.NULL, miniaudio.Backend.CUSTOM)]


def _miniaudio_error() -> type[Exception]:
    if importlib.util.find_spec("miniaudio") is None:
        return OSError
    import miniaudio

    error: type[Exception] = miniaudio.MiniaudioError
    return error


class _Sounddevice:
    def __init__(self, stream: Any, label: str) -> None:
        self._stream, self.label = stream, label

    def close(self) -> None:
        self._stream.close()


def _open_sounddevice(render: Callable[[int], Samples], null: bool) -> Device:
    if null:
        raise OSError("soundcard:null chỉ có với miniaudio")
    try:
        import sounddevice  # OSError when the PortAudio library is missing
    except ImportError as error:
        raise OSError("thiếu thư viện sounddevice") from error

    def callback(out: Any, frames: int, _time: Any, _status: Any) -> None:
        out[:, 0] = render(frames)

    try:
        stream = sounddevice.OutputStream(
            samplerate=RATE_HZ, channels=1, dtype="float32", latency="low", callback=callback
        )
        stream.start()
        label = str(sounddevice.query_devices(stream.device)["name"])
    except sounddevice.PortAudioError as error:
        raise OSError(str(error)) from error
    return _Sounddevice(stream, label)
