"""The same door as a process of its own: exit codes, encodings and streams as the system sees them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def broadcaster(
    home: Path, *arguments: str, stdin: bytes = b"", at_most_bytes: int = 0, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    limited = ["prlimit", f"--fsize={at_most_bytes}"] if at_most_bytes else []
    return subprocess.run(
        [*limited, sys.executable, "-m", "broadcaster", *arguments],
        input=stdin, capture_output=True, timeout=100, check=False, cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), "BROADCASTER_HOME": str(home), **environ},
    )  # fmt: skip


def test_words_come_out_in_utf_8_whatever_the_system_speaks(home: Path) -> None:
    done = broadcaster(
        home,
        "read",
        stdin="Ngày 5/3, họp thôn.".encode(),
        LC_ALL="C",
        PYTHONUTF8="0",
        PYTHONIOENCODING="ascii",
    )
    assert done.returncode == 0
    assert done.stdout.decode("utf-8") == "Ngày mùng năm tháng ba, họp thôn.\n"
    assert done.stderr == b""


def test_a_refusal_is_one_and_one_line_without_a_traceback(home: Path) -> None:
    done = broadcaster(home, "read", "không có.docx")
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.decode("utf-8").splitlines() == [
        "Không thấy tệp không có.docx. Hãy kiểm tra lại đường dẫn."
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of a file there")
@pytest.mark.parametrize(
    ("command", "file"),
    [("speak", "bài.wav"), ("produce", "chương trình.mp3"), ("produce", "chương trình.wav")],
)
def test_when_the_system_refuses_to_write_on_it_is_one_sentence_and_no_half_file(
    home: Path, tmp_path: Path, command: str, file: str
) -> None:
    """The system's own refusal (a limit of 200 kB a file), which a sound library tells as "System error"."""
    out = tmp_path / "ra"
    out.mkdir()
    (home / "bài.txt").write_text("Sáng mai thôn họp. Mời bà con đến đông đủ. " * 6, encoding="utf-8")
    done = broadcaster(
        home, command, str(home / "bài.txt"), "-o", str(out / file), at_most_bytes=200_000,
        BROADCASTER_VOICE_CHAIN="espeak:vi+f5",
    )  # fmt: skip
    told = done.stderr.decode("utf-8")
    assert done.returncode == 1, told
    assert "Traceback" not in told
    assert "hãy" in told.splitlines()[-1]
    assert list(out.iterdir()) == []


def test_wrong_use_is_two_and_help_is_zero(home: Path) -> None:
    assert broadcaster(home, "produce").returncode == 2
    assert broadcaster(home, "--help").returncode == 0


def test_a_player_alone_needs_no_station_and_says_what_is_missing(home: Path, tmp_path: Path) -> None:
    """As `requirements-player.txt` installs it: no SQLAlchemy, no Flask, no onnxruntime."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('sqlalchemy', 'flask', 'onnxruntime', 'alembic'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    both = os.pathsep.join([str(hidden), str(ROOT)])
    played = broadcaster(home, "play", "--output", "silent", PYTHONPATH=both)
    assert played.returncode == 1
    assert "--pair" in played.stderr.decode("utf-8")
    listed = broadcaster(home, "--help", PYTHONPATH=both)
    assert listed.returncode == 0
    refused = broadcaster(home, "plan", PYTHONPATH=both)
    assert refused.returncode == 1
    assert "requirements.txt" in refused.stderr.decode("utf-8")
    assert b"Traceback" not in played.stderr + listed.stderr + refused.stderr
