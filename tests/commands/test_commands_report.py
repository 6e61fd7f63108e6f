"""report, archive: figures on the screen and as files; a station out and in; what is too old goes."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import IO

import pytest

from broadcaster.config import load
from broadcaster.install import install
from broadcaster.report import rows
from broadcaster.report.figures import Figures
from broadcaster.store.blobs import Blobs
from tests.commands.conftest import Run
from tests.support.commune import at


@pytest.fixture
def sample(home: Path) -> Path:
    """The sample station, installed."""
    install(load(), now=at("08:00"))
    return home


def test_a_report_is_printed_or_written_in_five_kinds(run: Run, sample: Path, tmp_path: Path) -> None:
    ran = run("report", "--period", "2026-11")
    assert ran.code == 0
    assert "tháng 11 năm 2026" in ran.out
    assert "Lượt tin bài" in ran.out
    assert "so với nhịp đều" in ran.out or "kịp" in ran.out, "the sample's topics have targets"
    for kind, begins in (
        ("docx", b"PK"),
        ("xlsx", b"PK"),
        ("pdf", b"%PDF"),
        ("csv", b"\xef\xbb\xbf"),
        ("zip", b"PK"),
    ):
        output = tmp_path / f"báo cáo.{kind}"
        assert run("report", "--period", "2026-Q4", "-o", output).code == 0
        assert output.read_bytes().startswith(begins)
    book = tmp_path / "sổ.docx"
    assert run("report", "--book", "--period", "2026-W48", "-o", book).code == 0
    assert book.read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--period", "2026-13"), "Không có kỳ"),
        (("--period", "tháng mười"), "Không hiểu kỳ"),
        (("-o", "a.odt"), "đuôi .docx"),
        (("--village", "khong-co"), "Không có thôn"),
        (("--topic", "khong-co"), "Không có chủ đề"),
        (("--book",), "-o so-nhat-ky.docx"),
    ],
)
def test_what_cannot_be_reported_is_said_in_one_line(
    run: Run, sample: Path, words: tuple[str, ...], said: str
) -> None:
    ran = run("report", *words)
    assert ran.code == 1
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_a_report_that_could_not_be_written_whole_leaves_the_earlier_one_as_it_was(
    run: Run, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "giấy tờ"
    folder.mkdir()
    output = folder / "báo cáo.csv"
    assert run("report", "--period", "2026-11", "-o", output).code == 0
    whole = output.read_bytes()

    def full(shown: Figures, out: IO[bytes]) -> None:
        out.write(whole[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(rows, "write_rows", full)
    ran = run("report", "--period", "2026-11", "-o", output)
    assert ran.code == 1
    assert "Chưa ghi được" in ran.err
    assert output.read_bytes() == whole
    assert list(folder.iterdir()) == [output]


def test_a_sweep_names_what_would_go_and_only_then_takes_it(run: Run, sample: Path) -> None:
    blobs = Blobs(load().blobs_url)
    sha256 = blobs.put(b"khong ai nhac", suffix="mp3")
    os.utime(blobs.path(sha256, suffix="mp3"), (time.time() - 30 * 86400,) * 2)
    dry = run("archive", "sweep", "--dry-run")
    assert dry.code == 0
    assert sha256 in dry.out
    assert "sẽ xóa 1 tệp" in dry.out
    assert blobs.has(sha256, suffix="mp3")
    assert "đã xóa 1 tệp" in run("archive", "sweep").out
    assert not blobs.has(sha256, suffix="mp3")


def test_a_station_goes_out_as_a_folder_and_comes_into_an_empty_installation(
    run: Run, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "đi xa"
    done = run("archive", "export", out)
    assert done.code == 0, done.err
    assert "nhu-thanh" in done.out
    assert run("archive", "import", out).code == 1, "it is here already"
    monkeypatch.setenv("BROADCASTER_HOME", str(tmp_path / "nhà mới"))
    manifest = out / "manifest.json"
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:-20])
    assert run("archive", "import", out).code == 1
    assert not load().var.exists(), (
        "a folder that is refused makes no database that would stand in a restore's way"
    )
    manifest.write_bytes(whole)
    done = run("archive", "import", out)
    assert done.code == 0, done.err
    assert run("report", "--period", "2026-11").code == 0
