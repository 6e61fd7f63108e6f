"""A virtual environment with what the project needs, made by Python alone.

Only the standard library: this runs before anything is installed.  The environment is `.venv` in the
checkout; it is filled again only when the requirement files or the Python change.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"


def python_of(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run_inside(requirements: str) -> None:
    """Return when running in the project's environment; otherwise make it and run this script again there."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what tells an older Python so
        sys.exit("Cần Python 3.11 trở lên. Hãy cài Python mới rồi chạy lại.")
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    python = _ensure(requirements)
    arguments = [str(python), *sys.argv]
    if os.name == "nt":
        sys.exit(subprocess.call(arguments))  # noqa: S603 - execv on Windows would free the console too early
    os.execv(python, arguments)  # noqa: S606


def _ensure(requirements: str) -> Path:
    python, stamp = python_of(VENV), VENV / f".{requirements}.installed"
    wanted = _fingerprint(requirements)
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print("Chuẩn bị môi trường (chỉ lần đầu, vài phút)…", file=sys.stderr, flush=True)
    if not python.exists():
        venv.create(VENV, with_pip=True, symlinks=os.name != "nt")
    command = [
        str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-q",
        "-r", str(ROOT / requirements),
    ]  # fmt: skip
    if subprocess.call(command, cwd=ROOT) != 0:
        sys.exit(
            "Chưa cài được thư viện. Hãy kiểm tra mạng rồi chạy lại lệnh này; phần đã cài được giữ nguyên."
        )
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _fingerprint(requirements: str) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for name in sorted({requirements, "requirements.txt", "constraints.txt"}):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()
