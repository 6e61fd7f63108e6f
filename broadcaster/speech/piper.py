"""Piper: a neural voice that works off line once its two files are here.

voices install vi_VN-vais1000-medium    from the network, pinned by length and SHA-256, resumable
voices add FOLDER                       from a folder or a USB stick
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broadcaster.errors import InputError, StoreError, VoiceError
from broadcaster.model import Pcm
from broadcaster.speech.fetching import Progress, fetch, hash_of
from broadcaster.speech.online import installed_version
from broadcaster.speech.pipe import WorkerPipe


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a voice, pinned."""

    suffix: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Installable:
    """A voice that can be fetched: where from, and by what right it is used."""

    name: str
    url: str  # without the suffix
    parts: tuple[Part, ...]
    licence: str


_REVISION: Final = "3d796cc2f2c884b3517c527507e084f7bb245aea"
INSTALLABLE: Final = (
    Installable(
        name="vi_VN-vais1000-medium",
        url=(
            f"https://huggingface.co/rhasspy/piper-voices/resolve/{_REVISION}"
            "/vi/vi_VN/vais1000/medium/vi_VN-vais1000-medium"
        ),
        parts=(
            Part(".onnx", 63_201_294, "ec7c89e2c85f4d1edc24b6120c18aaf1bda614f06b511567eb9c7c0de15e2dab"),
            Part(".onnx.json", 4_860, "fafb9da1354ed4b77c31af228ed41fb41cd825c14cffa105454b25e6ae751ee0"),
        ),
        licence="VAIS-1000, CC BY 4.0",
    ),
)


def folder_of(home: Path) -> Path:
    """Where installed Piper voices lie."""
    return home / "audio" / "voices" / "piper"


def installed(home: Path) -> list[str]:
    """Names of the voices whose two files are here."""
    models = sorted(folder_of(home).glob("*.onnx"))
    return [model.stem for model in models if model.with_name(model.name + ".json").is_file()]


def install(
    name: str,
    *,
    home: Path,
    progress: Progress = lambda done, total: None,
    catalogue: tuple[Installable, ...] = INSTALLABLE,
    timeout_s: float = 30.0,
) -> Path:
    """Fetch a voice of the catalogue; a broken download goes on where it stopped.  Returns the model's path.

    InputError for an unknown name; VoiceError when the network fails or the file is not the pinned one
    (nothing is installed then); StoreError when the disk is full.
    """
    voice = next((one for one in catalogue if one.name == name), None)
    if voice is None:
        listed = ", ".join(one.name for one in catalogue)
        raise InputError(f"Không có giọng “{name}” để tải; hãy chọn một trong: {listed}.")
    target = folder_of(home)
    total = sum(part.size_bytes for part in voice.parts)
    fetched: list[tuple[Path, Path]] = []
    done = 0
    try:
        target.mkdir(parents=True, exist_ok=True)
        for part in voice.parts:
            final = target / (name + part.suffix)
            if final.is_file() and hash_of(final) == part.sha256:
                done += part.size_bytes
                continue
            half = final.with_name(final.name + ".part")
            fetch(
                voice.url + part.suffix,
                half,
                size_bytes=part.size_bytes,
                sha256=part.sha256,
                timeout_s=timeout_s,
                so_far=done,
                total=total,
                say=progress,
            )
            done += part.size_bytes
            fetched.append((half, final))
        for half, final in reversed(fetched):  # the model last: `installed` sees both or none
            half.replace(final)
    except OSError as error:
        raise StoreError(
            f"Không ghi được giọng vào {target} ({error.strerror or error}); hãy kiểm tra chỗ trống trên đĩa."
        ) from error
    progress(total, total)
    return target / f"{name}.onnx"


def add(folder: Path, *, home: Path) -> list[str]:
    """Copy every voice (a `.onnx` with its `.onnx.json`) of a folder or stick; returns their names.

    InputError when there is none, or one is no Piper voice.
    """
    models = sorted(folder.glob("*.onnx")) if folder.is_dir() else []
    pairs = [(model, model.with_name(model.name + ".json")) for model in models]
    pairs = [(model, config) for model, config in pairs if config.is_file()]
    if not pairs:
        raise InputError(f"Không thấy giọng Piper nào trong {folder}: cần cặp tệp TÊN.onnx và TÊN.onnx.json.")
    for _, config in pairs:
        _check_config(config)
    target = folder_of(home)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for model, config in pairs:
            for source in (config, model):
                half = target / (source.name + ".part")
                shutil.copyfile(source, half)
                half.replace(target / source.name)
    except OSError as error:
        raise StoreError(
            f"Không chép được giọng vào {target} ({error.strerror or error}); hãy kiểm tra chỗ trống trên đĩa."
        ) from error
    return [model.stem for model, _ in pairs]


class PiperVoice:
    """One installed voice, spoken by a worker process."""

    def __init__(self, name: str, *, home: Path, timeout_s: float = 120.0) -> None:
        names = installed(home)
        chosen = name or (names[0] if names else INSTALLABLE[0].name)
        if "/" in chosen or "\\" in chosen or chosen.startswith("."):
            raise InputError(f"Tên giọng Piper “{name}” không hợp lệ.")
        self.name = f"piper:{chosen}"
        self.label = f"giọng Piper {chosen}"
        self._model = folder_of(home) / f"{chosen}.onnx"
        size = self._model.stat().st_size if self._model.is_file() else 0
        self.version = f"{installed_version('piper-tts')}/{size}"
        self._pipe = WorkerPipe(
            "broadcaster.speech.piper_worker",
            str(self._model),
            label=f"Giọng Piper {chosen}",
            timeout_s=timeout_s,
        )

    def available(self) -> str | None:
        """None, or why it cannot speak here."""
        if importlib.util.find_spec("piper") is None:
            return "chưa cài gói piper-tts"
        if not self._model.is_file() or not self._model.with_name(self._model.name + ".json").is_file():
            return f"chưa có tệp giọng; chạy: python -m broadcaster voices install {self._model.stem}"
        return None

    def speak(self, sentence: str, *, speed: float = 1.0) -> Pcm:
        """One spoken sentence.  VoiceError when the files are missing or broken."""
        if (reason := self.available()) is not None:
            raise VoiceError(f"Không dùng được {self.label}: {reason}.")
        return self._pipe.ask({"text": sentence, "speed": speed})

    def close(self) -> None:
        """End the worker."""
        self._pipe.close()


def _check_config(config: Path) -> None:
    try:
        data = json.loads(config.read_text(encoding="utf-8"))
        rate_hz = int(data["audio"]["sample_rate"])
        phonemes = data["phoneme_id_map"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"Tệp {config.name} không phải cấu hình của giọng Piper.") from error
    if not 8_000 <= rate_hz <= 48_000 or not phonemes:
        raise InputError(f"Tệp {config.name} không phải cấu hình của giọng Piper.")
