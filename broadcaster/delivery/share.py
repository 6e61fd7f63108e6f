"""A bulletin for other channels: a text of the right length, hashtags, and its video.

The text ends with a whole sentence and always carries the address; nothing is said that was not approved.
"""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import soundfile

from broadcaster.delivery import cards
from broadcaster.delivery.captions import Cue, cues, quiet
from broadcaster.errors import SoundError
from broadcaster.speech.ffmpeg import run_ffmpeg
from broadcaster.store.blobs import Blobs
from broadcaster.store.tables import TakeRow

KIND: Final = "share"  # of the worker's job
# Letters a post may have: Zalo cuts a message at 2,000; the others are what people still read.
LIMITS: Final = {"zalo": 2000, "facebook": 5000, "ngan": 280}
FRAMES_A_SECOND: Final = 5  # captions change within 0.1 s of the speech
TIMEOUT_S: Final = 900.0
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


@dataclass(frozen=True, slots=True)
class Kit:
    """Ready texts by channel, and the hashtags in them."""

    texts: dict[str, str]
    hashtags: tuple[str, ...]


def kit(title: str, text: str, *, url: str, station: str, topic: str) -> Kit:
    """Texts within each channel's limit: title, as many whole sentences as fit, address, hashtags."""
    tags = tuple(dict.fromkeys(tag for tag in (hashtag(station), hashtag(topic)) if tag))
    return Kit({name: _post(title, text, url, tags, limit) for name, limit in LIMITS.items()}, tags)


def hashtag(name: str) -> str:
    """'Chuyển đổi số' -> '#ChuyenDoiSo': without marks, since half of the phones search without them."""
    flat = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    plain = "".join(letter for letter in flat if not unicodedata.combining(letter))
    words = re.findall(r"[A-Za-z0-9]+", plain)
    return "#" + "".join(word[:1].upper() + word[1:] for word in words)[:60] if words else ""


def _post(title: str, text: str, url: str, tags: Sequence[str], limit: int) -> str:
    end = f"\n\nNghe bản tin: {url}" + (f"\n{' '.join(tags)}" if tags else "")
    if len(end) >= limit:  # an address that leaves no room at all: the address is what matters
        return f"\n{url}".strip()[:limit]
    head = title if len(title) <= limit - len(end) else title[: max(0, limit - len(end) - 1)].rstrip() + "…"
    left = limit - len(head) - len(end) - 2
    body: list[str] = []
    for sentence in _SENTENCE.split(" ".join(text.split())):
        if sum(len(one) + 1 for one in body) + len(sentence) > left:
            break
        body.append(sentence)
    return head + ("\n\n" + " ".join(body) if any(body) else "") + end


def video(
    sound: Path, found: Sequence[Cue], target: Path, *, duration_ms: int, station: str, title: str
) -> None:
    """An MP4 (H.264, AAC) of `sound` over cards with its captions burnt in, ready to play while it loads.

    SoundError when ffmpeg cannot make it.
    """
    with tempfile.TemporaryDirectory(prefix="broadcaster-video-") as folder:
        listing = Path(folder) / "frames.txt"
        listing.write_text(
            "\n".join(_frames(Path(folder), found, duration_ms, station, title)), encoding="utf-8"
        )
        run_ffmpeg(
            [
                "-f", "concat", "-safe", "0", "-i", str(listing), "-i", str(sound), "-map", "0:v", "-map", "1:a",
                "-vf", f"fps={FRAMES_A_SECOND},tpad=stop_mode=clone:stop=-1",  # the last words stay to the end
                "-c:v", "libx264", "-preset", "veryfast", "-tune", "stillimage",
                "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "96k", "-ac", "1", "-t", f"{duration_ms / 1000:.3f}",
                "-movflags", "+faststart", "-y", str(target),
            ],
            timeout_s=TIMEOUT_S,
        )  # fmt: skip
    if not target.is_file() or target.stat().st_size == 0:
        raise SoundError("ffmpeg không dựng ra tệp video. Hãy thử lại.")


def light_mp3(sound: Path, target: Path) -> None:
    """The take as MP3 mono 64 kbit/s, for phones."""
    run_ffmpeg(
        [
            "-i",
            str(sound),
            "-ac",
            "1",
            "-ar",
            "44100",
            "-c:a",
            "libmp3lame",
            "-b:a",
            "64k",
            "-y",
            str(target),
        ],
        timeout_s=TIMEOUT_S,
    )


def _frames(folder: Path, found: Sequence[Cue], duration_ms: int, station: str, title: str) -> list[str]:
    """Lines of ffmpeg's concat list: each picture from its words' start to the next words' start."""
    starts = [(0, "")] if not found or found[0].start_ms > 0 else []
    starts += [(cue.start_ms, cue.text) for cue in found]
    lines = ["ffconcat version 1.0"]
    for number, (start, text) in enumerate(starts):
        until = starts[number + 1][0] if number + 1 < len(starts) else duration_ms
        picture = folder / f"{number:05d}.png"
        picture.write_bytes(cards.frame(station, title, text))
        lines += [f"file {picture.name}", f"duration {max(1, until - start) / 1000:.3f}"]
    lines.append(f"file {len(starts) - 1:05d}.png")  # the demuxer wants the last picture once more
    return lines


def captions_of(take: TakeRow, written: Sequence[str], *, blobs: Blobs) -> list[Cue]:
    """Cues of a frozen take, cut where its own sound rests."""
    samples, rate_hz = soundfile.read(blobs.path(take.sha256, suffix="flac"), dtype="float32")
    return cues(take.sentences, written, rests=quiet(samples, rate_hz))


@dataclass(frozen=True, slots=True)
class ShareFiles:
    """SHA-256 of a bulletin's video (mp4) and of its sound for phones (mp3)."""

    mp4: str
    mp3: str


def share_files(
    take: str,
    found: Sequence[Cue],
    *,
    blobs: Blobs,
    duration_ms: int,
    station: str,
    title: str,
    scratch: Path,
    progress: Callable[[int, int], None],
) -> ShareFiles:
    """Make both files of a take and keep them by their hashes."""
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="share-", dir=scratch) as folder:
        sound = blobs.path(take, suffix="flac")
        light_mp3(sound, Path(folder) / "sound.mp3")
        progress(1, 2)
        video(sound, found, Path(folder) / "video.mp4", duration_ms=duration_ms, station=station, title=title)
        progress(2, 2)
        return ShareFiles(
            mp4=blobs.put(Path(folder) / "video.mp4", suffix="mp4"),
            mp3=blobs.put(Path(folder) / "sound.mp3", suffix="mp3"),
        )
