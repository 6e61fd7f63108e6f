"""No room left, at each place where sound is written: one sentence, nothing half there, done again when there is room."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from broadcaster.errors import StoreError
from broadcaster.model import JingleKind
from broadcaster.production.encoding import write_wav
from broadcaster.production.jingles import take_in
from broadcaster.speech import ffmpeg
from broadcaster.speech.cache import SentenceCache
from broadcaster.speech.recorded import keep_bulletin, keep_sentence
from broadcaster.speech.takes import freeze
from broadcaster.store.blobs import Blobs
from tests.support.voices import tone


class Disk:
    """Where things lie: `work` is done once on a full disk, and once when there is room."""

    def __init__(self, folder: Path) -> None:
        self.scratch, self.kept = folder / "nháp", folder / "kho"
        self.scratch.mkdir()
        self.brought = folder / "mang đến.wav"
        soundfile.write(self.brought, tone(3.0, rate_hz=44_100).samples, 44_100)
        self.blobs = Blobs(self.kept)

    def files(self) -> list[Path]:
        """Everything that a person or a later step could see."""
        return [path for where in (self.scratch, self.kept) for path in where.rglob("*") if path.is_file()]


def cached(disk: Disk) -> None:
    SentenceCache(disk.kept / "cache").put("a" * 64, tone(1.0))


def frozen(disk: Disk) -> None:
    freeze(
        ["một"],
        lambda _n: tone(2.0, rate_hz=44_100).samples,
        rests_ms=[0],
        voice="x",
        speed=1,
        why="",
        blobs=disk.blobs,
    )


def sentence(disk: Disk) -> None:
    keep_sentence(disk.brought, sentence="một hai ba bốn năm sáu bảy tám", blobs=disk.blobs)


def bulletin(disk: Disk) -> None:
    keep_bulletin(disk.brought, blobs=disk.blobs)


def jingle(disk: Disk) -> None:
    take_in(disk.brought, kind=JingleKind.CHIME, blobs=disk.blobs)


def wav(disk: Disk) -> None:
    write_wav(disk.brought, disk.kept / "ra.wav")


def full(*_args: Any, **_more: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def no_room_for_temporary_files(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tempfile, "mkstemp", full)


def no_room_at_the_sync(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("os.fsync", full)


def no_room_for_ffmpeg(patch: pytest.MonkeyPatch) -> None:
    script = Path(tempfile.gettempdir()).parent / "ffmpeg"
    said = "av_interleaved_write_frame(): No space left on device"
    script.write_text(
        f"#!/bin/sh\nfor last; do :; done\necho half > \"${{last#file:}}\"\necho '{said}' >&2\nexit 1\n"
    )
    script.chmod(0o755)
    patch.setattr(ffmpeg, "find_ffmpeg", lambda: str(script))


class HalfWritten(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file whose disk fills up while it is written."""

    def write(self, data: Any) -> None:
        super().write(np.asarray(data)[:100])
        raise soundfile.LibsndfileError(2, "No space left on device: ")


def no_room_for_sound(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(soundfile, "SoundFile", HalfWritten)


@pytest.mark.parametrize(
    ("work", "spoil"),
    [
        (cached, no_room_for_temporary_files),
        (frozen, no_room_for_sound),
        (frozen, no_room_at_the_sync),
        (sentence, no_room_at_the_sync),
        (bulletin, no_room_for_ffmpeg),
        (bulletin, no_room_for_sound),
        (bulletin, no_room_at_the_sync),
        (jingle, no_room_at_the_sync),
        (wav, no_room_for_ffmpeg),
    ],
)
def test_a_full_disk_is_one_sentence_leaves_nothing_and_the_work_can_be_done_again(
    work: Callable[[Disk], None], spoil: Callable[[pytest.MonkeyPatch], None], tmp_path: Path
) -> None:
    disk = Disk(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(disk.scratch))
        with pytest.MonkeyPatch.context() as spoiled:
            spoil(spoiled)
            with pytest.raises(StoreError, match="[Đđ]ĩa|Không ghi được") as refused:
                work(disk)
        assert "hãy" in refused.value.message
        assert disk.files() == []
        work(disk)
        assert len(disk.files()) == 1
