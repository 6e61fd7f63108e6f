"""`scripts/usb_pack.py` as the person with the stick runs it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from broadcaster.delivery.usb import HASHES, LIST
from tests.support.commune import at
from tests.support.receivers import Studio, mp3, studio

ROOT = Path(__file__).resolve().parents[2]
TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Two days of broadcasting: four airings with real files, entered out of order, and one without."""
    with studio(tmp_path_factory.mktemp("xã"), migrated=True) as made:
        for seed, (clock, day) in enumerate(
            (("17:00", TUESDAY), ("05:30", WEDNESDAY), ("05:30", TUESDAY), ("17:00", WEDNESDAY)), start=1
        ):
            made.airing(at(clock, day), seed=seed, seconds=0.3)
        made.airing(at("11:00", TUESDAY), seed=9, rendered=False)
        yield made


def run(station: Studio, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BROADCASTER_HOME": str(station.settings.home), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "usb_pack.py"), *arguments],
        capture_output=True, text=True, encoding="utf-8", timeout=100, check=False, env=environment,
    )  # fmt: skip


def test_the_stick_holds_the_days_in_order_a_list_to_print_and_hashes_that_match(
    station: Studio, tmp_path: Path
) -> None:
    stick = tmp_path / "USB của thôn"
    done = run(station, str(stick), "--village", "thon-2", "--from", "2026-11-24", "--days", "2")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"Đã ghi 4 tệp \(\d+,\d MB\) vào .+\.", done.stdout.strip().splitlines()[-1])
    names = sorted(path.name for path in stick.iterdir())
    assert names == [
        "01-20261124-0530-buoi-3.mp3", "02-20261124-1700-buoi-1.mp3", "03-20261125-0530-buoi-2.mp3",
        "04-20261125-1700-buoi-4.mp3", HASHES, LIST,
    ]  # fmt: skip
    assert (stick / names[0]).read_bytes() == mp3(3, 0.3), "the very file that players are given"
    told = dict(line.split("  ")[::-1] for line in (stick / HASHES).read_text(encoding="utf-8").splitlines())
    assert told == {
        name: hashlib.sha256((stick / name).read_bytes()).hexdigest()
        for name in names
        if name.endswith(".mp3")
    }
    if shutil.which("sha256sum"):
        subprocess.run(
            ["sha256sum", "--check", "--strict", HASHES], cwd=stick, check=True, capture_output=True
        )
    sheet = (stick / LIST).read_text(encoding="utf-8")
    assert "Thôn 2" in sheet
    assert [number for number in re.findall(r"<tr><td>(\d+)</td>", sheet)] == ["1", "2", "3", "4"]
    assert "Không có trong USB" in sheet
    assert "24/11/2026 11:00 Buổi 9" in sheet


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--village", "khong-co"), "Không có thôn “khong-co”"),
        (("--from", "24/11/2026"), "Hãy viết như 2026-11-24"),
        (("--station", "xa-khac"), "Hãy chọn một đài bằng --station"),
    ],
)
def test_a_wrong_village_day_or_station_is_one_sentence_and_leaves_the_stick_alone(
    station: Studio, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = run(station, str(tmp_path / "usb"), *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "usb").exists()


def test_a_stick_that_cannot_be_written_is_refused_with_what_to_look_at(
    station: Studio, tmp_path: Path
) -> None:
    (tmp_path / "không phải ổ").write_text("x")
    done = run(station, str(tmp_path / "không phải ổ" / "usb"), "--from", "2026-11-24")
    assert done.returncode == 1
    assert "Hãy kiểm tra USB" in done.stderr
