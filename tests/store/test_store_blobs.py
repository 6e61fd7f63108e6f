"""Files by hash: whole or absent, never half."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from broadcaster.errors import StoreError
from broadcaster.store.blobs import Blobs

WORDS = "Mời bà con nghe bản tin".encode()


def test_bytes_come_back_under_their_hash(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    sha256 = blobs.put(WORDS, suffix="mp3")
    assert sha256 == hashlib.sha256(WORDS).hexdigest()
    assert blobs.path(sha256, suffix="mp3") == tmp_path / sha256[:2] / f"{sha256}.mp3"
    assert blobs.get(sha256, suffix="mp3") == WORDS
    assert blobs.size(sha256, suffix="mp3") == len(WORDS)
    assert blobs.has(sha256, suffix="mp3")
    assert not blobs.has(sha256, suffix="wav")


def test_a_file_is_copied_and_stays_where_it_was(tmp_path: Path) -> None:
    source = tmp_path / "nguồn.bin"
    source.write_bytes(WORDS * 100_000)
    blobs = Blobs(tmp_path / "kho âm thanh")
    sha256 = blobs.put(source, suffix="wav")
    assert blobs.get(sha256, suffix="wav") == source.read_bytes()


def test_the_same_bytes_twice_are_one_untouched_file(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    sha256 = blobs.put(WORDS, suffix="mp3")
    before = blobs.path(sha256, suffix="mp3").stat().st_ino
    assert blobs.put(WORDS, suffix="mp3") == sha256
    assert blobs.path(sha256, suffix="mp3").stat().st_ino == before
    assert list(blobs.names()) == [(sha256, "mp3", len(WORDS))]


def test_a_short_file_under_the_right_name_is_written_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    sha256 = blobs.put(WORDS, suffix="mp3")
    blobs.path(sha256, suffix="mp3").write_bytes(WORDS[:5])
    blobs.put(WORDS, suffix="mp3")
    assert blobs.get(sha256, suffix="mp3") == WORDS


def test_damage_is_noticed_when_reading(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    sha256 = blobs.put(WORDS, suffix="mp3")
    blobs.path(sha256, suffix="mp3").write_bytes(WORDS[::-1])
    with pytest.raises(StoreError, match="đã bị hỏng"):
        blobs.get(sha256, suffix="mp3")


def test_a_missing_file_is_a_store_error(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    for ask in (blobs.path, blobs.get, blobs.size):
        with pytest.raises(StoreError, match="Không thấy tệp"):
            ask("0" * 64, suffix="mp3")


def test_deleting_is_done_once_and_harmless_twice(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    sha256 = blobs.put(WORDS, suffix="mp3")
    blobs.delete(sha256, suffix="mp3")
    blobs.delete(sha256, suffix="mp3")
    assert not blobs.has(sha256, suffix="mp3")


@pytest.mark.parametrize("name", ["../../etc/passwd", "x" * 64, "A" * 64, ""])
def test_a_name_that_is_no_hash_never_reaches_the_disk(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="không hợp lệ"):
        Blobs(tmp_path).path(name, suffix="mp3")


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    blobs = Blobs(tmp_path)

    def full(*_args: Any, **_kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if step == "write":
        monkeypatch.setattr("broadcaster.store.blobs._blocks", lambda data: (full() for _ in [0]))
        monkeypatch.setattr("broadcaster.store.blobs._hash_of", lambda data: "a" * 64)
    elif step == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StoreError, match="Đĩa đã đầy"):
        blobs.put(WORDS, suffix="mp3")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="POSIX file-size limit")
def test_the_kernel_refusing_more_bytes_is_a_full_disk(tmp_path: Path) -> None:
    """The same with a real refusal by the kernel (RLIMIT_FSIZE), not a patched call."""
    resource = pytest.importorskip("resource")
    blobs = Blobs(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StoreError, match="Đĩa đã đầy"):
            blobs.put(b"x" * 3_000_000, suffix="wav")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_killed_writer_left_is_not_listed_and_is_swept(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    sha256 = blobs.put(WORDS, suffix="mp3")
    (tmp_path / sha256[:2] / ".abc.part").write_bytes(b"half")
    assert [name for name, _, _ in blobs.names()] == [sha256]
    assert blobs.sweep() == 1
    assert blobs.sweep() == 0


def test_a_store_behind_a_url_keeps_the_same_promises(tmp_path: Path) -> None:
    blobs = Blobs("memory:///", cache=tmp_path / "near")
    sha256 = blobs.put(WORDS, suffix="mp3")
    blobs.path(sha256, suffix="mp3").unlink()
    assert blobs.has(sha256, suffix="mp3")
    assert blobs.size(sha256, suffix="mp3") == len(WORDS)
    assert blobs.get(sha256, suffix="mp3") == WORDS
    blobs.delete(sha256, suffix="mp3")
    assert not blobs.has(sha256, suffix="mp3")
    with pytest.raises(StoreError, match="Không thấy tệp"):
        blobs.path(sha256, suffix="mp3")


def test_an_impossible_url_is_said_plainly() -> None:
    with pytest.raises(StoreError, match="không dùng được"):
        Blobs("ftpx://somewhere")
