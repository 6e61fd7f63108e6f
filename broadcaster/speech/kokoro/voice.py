"""The embedded voice as the station uses it: a `Voice` named `kokoro:NAME`."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from broadcaster.errors import VoiceError
from broadcaster.model import Pcm
from broadcaster.speech import auditions
from broadcaster.speech.edition import edition
from broadcaster.speech.kokoro import model
from broadcaster.speech.kokoro.engine import SAMPLE_RATE_HZ, Speaker, load_speaker
from broadcaster.speech.kokoro.pool import WORKER_MB, Pool, cores

SLOWEST, FASTEST = 0.8, 1.2
LEAST_MEMORY_MB = 1000


class KokoroVoice:
    """One speaker of the embedded model.  All voices of a process share one pool of workers per model."""

    def __init__(self, speaker: Speaker, *, version: str, home: Path) -> None:
        self.name = f"kokoro:{speaker.name}"
        self.label = auditions.label(self.name, speaker.label, folder=home, edition=version)
        self.version = version
        self._speaker = speaker
        self._home = home
        self._pool: Pool | None = None

    def speak(self, sentence: str, *, speed: float = 1.0) -> Pcm:
        """The sentence as 24 kHz mono; VoiceError with the reason.  Goes before what `speak_many` queued."""
        samples = self._open().submit(sentence, self._speaker, speed=_bounded(speed), urgent=True).result()
        return Pcm(samples, SAMPLE_RATE_HZ)

    def speak_many(self, sentences: Sequence[str], *, speed: float = 1.0) -> Iterator[Pcm]:
        """The sentences in order, several spoken at the same time; VoiceError at the first that fails."""
        for samples in self._open().ordered(sentences, self._speaker, speed=_bounded(speed)):
            yield Pcm(samples, SAMPLE_RATE_HZ)

    def available(self) -> str | None:
        """None, or why this machine cannot speak with the embedded model.  Cheap: loads nothing."""
        return _machine_refuses() or _not_installed(self._home)

    @property
    def peak_mb(self) -> float:
        """The most memory a worker has held so far, in MB."""
        return self._pool.peak_mb if self._pool is not None else 0.0

    def close(self) -> None:
        """Gives back the workers; they end when the last voice has."""
        if self._pool is not None:
            _give_back(self._home, self._pool)
            self._pool = None

    def _open(self) -> Pool:
        if self._pool is not None and self._pool.forked:
            self._pool = None
        if self._pool is None:
            if (reason := self.available()) is not None:
                raise VoiceError(reason)
            self._pool = _borrow(self._home)
        return self._pool


def open_kokoro(name: str, *, home: Path, voices_dir: Path) -> KokoroVoice:
    """The voice `name` ("nu-1", "nam-1", …) described in `voices_dir`/NAME.json; the model lies under `home`.

    Raises VoiceError when there is no such voice.  Loads nothing yet: the first sentence does.
    """
    if not name or any(c in name for c in "/\\.:"):
        raise VoiceError(f"Không có giọng nhúng nào tên “{name}”; xem `voices list`.")
    speaker = load_speaker(voices_dir / f"{name}.json")
    version = edition(
        pitch_hz=speaker.pitch_hz, accent=speaker.accent, style=speaker.style, table=speaker.colours
    )
    return KokoroVoice(speaker, version=version, home=home)


def _bounded(speed: float) -> float:
    return min(max(speed, SLOWEST), FASTEST)


# ------------------------------------------------------------------------------------- one pool a process

_pools: dict[Path, tuple[Pool, int]] = {}
_pools_lock = threading.Lock()


def _borrow(home: Path) -> Pool:
    home = home.resolve()
    with _pools_lock:
        pool, users = _pools.get(home, (None, 0))
        if pool is None or pool.forked:
            pool, users = Pool(home, size=_workers()), 0
        _pools[home] = (pool, users + 1)
        return pool


def _give_back(home: Path, pool: Pool) -> None:
    home = home.resolve()
    with _pools_lock:
        known, users = _pools.get(home, (None, 0))
        if known is not pool:
            return
        if users > 1:
            _pools[home] = (pool, users - 1)
            return
        del _pools[home]
    pool.close()


def _workers() -> int:
    free = _memory_mb("MemAvailable")
    return cores() if free is None else max(1, min(cores(), int(free // WORKER_MB)))


# ------------------------------------------------------------------------------------------- the machine


def _not_installed(home: Path) -> str | None:
    for package in ("onnxruntime", "numpy"):
        if importlib.util.find_spec(package) is None:
            return f"Chưa cài gói {package} cho giọng nhúng; hãy chạy lại pip install -r requirements.txt."
    if model.is_made(home) or (home / model.SOURCE_FILE).is_file():
        return None
    return model.missing_parts()


@cache
def _machine_refuses() -> str | None:
    total = _memory_mb("MemTotal")
    if total is not None and total < LEAST_MEMORY_MB:
        return f"Máy chỉ có {total:.0f} MB bộ nhớ; giọng nhúng cần ít nhất 1 GB, đài dùng giọng máy dự phòng."
    if _lacks_avx():
        return "Bộ xử lý của máy không có AVX nên giọng nhúng quá chậm; đài dùng giọng máy dự phòng."
    return None


def _lacks_avx() -> bool:
    """True only when the system lists an x86 processor's abilities and AVX is not among them."""
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("flags"):
            return "avx" not in line.split()
    return False


def _memory_mb(kind: str) -> float | None:
    for line in _lines("/proc/meminfo"):
        if line.startswith(kind + ":"):
            return int(line.split()[1]) / 1024
    return None


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []


__all__ = ["KokoroVoice", "open_kokoro"]
