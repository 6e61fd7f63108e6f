"""LibreOffice without a window: recalculates workbooks, sets documents.  Missing: skip here, fail where CI=true."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def need(*tools: str) -> None:
    """Skip on a laptop without the tool; fail where CI=true."""
    for tool in tools:
        if shutil.which(tool) is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{tool} is part of this suite: see .ci/run")
            pytest.skip(f"no {tool} here")


def convert(source: Path, kind: str, folder: Path) -> Path:
    """The file as `kind` (pdf, xlsx), made by headless LibreOffice with a profile of its own."""
    need("soffice")
    folder.mkdir(exist_ok=True)
    profile = (folder / "hồ sơ").resolve().as_uri()
    subprocess.run(
        ["soffice", f"-env:UserInstallation={profile}", "--headless", "--convert-to", kind, "--outdir",
         str(folder), str(source)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return folder / f"{source.stem}.{kind}"


def words_of(pdf: Path) -> str:
    """The text of a PDF as it is laid out."""
    need("pdftotext")
    done = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, timeout=60
    )
    return done.stdout.decode()
