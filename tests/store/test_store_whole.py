"""A file is written whole, or the earlier one stays."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from broadcaster.whole import whole


def test_a_file_takes_the_place_of_the_earlier_one_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "gói.zip"
    path.write_bytes(b"cu")
    with whole(path) as file:
        file.write(b"moi")
        assert path.read_bytes() == b"cu"
    assert path.read_bytes() == b"moi"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_half_way_leaves_the_earlier_file_and_nothing_beside_it(
    tmp_path: Path, trouble: BaseException
) -> None:
    path = tmp_path / "gói.zip"
    path.write_bytes(b"cu")

    def fails_half_way() -> None:
        with whole(path) as file:
            file.write(b"moi")
            raise trouble

    with pytest.raises(type(trouble)):
        fails_half_way()
    assert path.read_bytes() == b"cu"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_refuses_only_at_the_end_counts_as_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gói.zip"
    path.write_bytes(b"cu")

    def refuses(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuses)
    with pytest.raises(OSError, match="Input/output"), whole(path) as file:
        file.write(b"moi")
    assert path.read_bytes() == b"cu"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_secret_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    with whole(tmp_path / "bí-mật", mode=0o600) as file:
        file.write(b"x")
    assert stat.S_IMODE((tmp_path / "bí-mật").stat().st_mode) == 0o600
