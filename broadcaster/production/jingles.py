"""The station's own sounds: sets on disk, and what people bring."""

from __future__ import annotations

import functools
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mutagen
import mutagen.flac

from broadcaster.errors import InputError, SoundError, StoreError
from broadcaster.model import HOUSE_RATE_HZ, JingleKind, Pcm
from broadcaster.production.loudness import Meter, Samples, integrated_lufs
from broadcaster.speech.brought import brought_sound
from broadcaster.speech.sound import from_file, to_flac
from broadcaster.store.blobs import Blobs

JINGLE_SUFFIX: Final = "flac"
_LEVEL: Final = "jingle_level_db"
_FLAC: Any = mutagen.flac.FLAC
LONGEST_S: Final = {
    JingleKind.OPENING: 45,
    JingleKind.CLOSING: 45,
    JingleKind.CUT: 8,
    JingleKind.CHIME: 10,
    JingleKind.BED: 600,
    JingleKind.ALERT: 30,
}


@dataclass(frozen=True, slots=True)
class Jingle:
    """One sound of a set: what it is, whose it is, and by what right it is played."""

    kind: JingleKind
    path: Path
    title: str
    source: str
    licence: str


def jingle_set(folder: Path) -> dict[JingleKind, Jingle]:
    """A set from its folder's `jingles.toml`.  InputError says what is wrong with it."""
    table = folder / "jingles.toml"
    try:
        rows = tomllib.loads(table.read_text(encoding="utf-8"))["jingle"]
        found = [_row(folder, row) for row in rows]
    except FileNotFoundError as error:
        raise InputError(f"Không thấy bộ nhạc hiệu {folder.name} (thiếu jingles.toml).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"Bộ nhạc hiệu {folder.name} ghi sai trong jingles.toml: {error}.") from error
    return {jingle.kind: jingle for jingle in found}


def jingle_paths(folder: Path) -> dict[JingleKind, Path]:
    """The files of a set, as `produce` takes them."""
    return {kind: jingle.path for kind, jingle in jingle_set(folder).items()}


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of a sound is used, and how: ms from its start, fades, dB against the usual level of its kind.

    `fade_out_ms` None is what suits the kind.
    """

    start_ms: int = 0
    end_ms: int | None = None
    fade_in_ms: int = 5
    fade_out_ms: int | None = None
    level_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Taken:
    """A jingle in the store."""

    sha256: str
    duration_ms: int


def take_in(source: Path, *, kind: JingleKind, blobs: Blobs, cut: Cut | None = None) -> Taken:
    """Bring somebody's sound into the store as a jingle of that kind.

    Cut, trimmed, faded, kept as mono FLAC at the house rate with its level in a comment.  InputError when it
    is not sound, silent or too long for its kind, or the cut cannot be.
    """
    cut = cut or Cut()
    if cut.start_ms < 0 or (cut.end_ms is not None and cut.end_ms <= cut.start_ms):
        raise InputError("Chỗ cắt không đúng: điểm cuối phải sau điểm đầu.")
    if not -20 <= cut.level_db <= 10:
        raise InputError("Mức tiếng phải từ -20 đến 10 dB.")
    looped = kind is JingleKind.BED
    longest_s = LONGEST_S[kind]
    usual_fade_out_ms = 0 if looped else 300
    pcm = brought_sound(
        source,
        max_minutes=max(10.0, longest_s / 60),
        trim=not looped,
        fade_in_ms=0 if looped else cut.fade_in_ms,
        fade_out_ms=usual_fade_out_ms if cut.fade_out_ms is None else cut.fade_out_ms,
        start_ms=cut.start_ms,
        end_ms=cut.end_ms,
    )
    if pcm.duration_ms > longest_s * 1000:
        raise InputError(
            f"Nhạc hiệu loại này dài tối đa {longest_s} giây, tệp {source.name} dài {pcm.duration_ms / 1000:.0f} giây;"
            " hãy cắt bớt."
        )
    if pcm.duration_ms < 200:
        raise InputError(f"Tệp {source.name} ngắn quá, không làm nhạc hiệu được.")
    with tempfile.TemporaryDirectory(prefix="broadcaster-jingle-") as folder:
        path = Path(folder) / "jingle.flac"
        try:
            path.write_bytes(to_flac(pcm))
            if cut.level_db:
                tags = _FLAC(path)
                tags[_LEVEL] = f"{cut.level_db:.1f}"
                tags.save()
        except (OSError, mutagen.MutagenError) as error:
            raise StoreError(
                f"Không ghi được nhạc hiệu ({error}); hãy kiểm tra chỗ trống trên đĩa."
            ) from error
        return Taken(blobs.put(path, suffix=JINGLE_SUFFIX), pcm.duration_ms)


def jingle_sound(path: Path) -> tuple[Samples, float]:
    """Samples at the house rate and their loudness in LUFS, less the level it was asked to be above others.

    InputError when the file is missing or not sound.  Read again only when the file changed.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"Không thấy tệp nhạc hiệu {path.name}; hãy chọn nhạc hiệu khác.") from error
    return _read(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=12)
def _read(path: Path, _modified: int, _size: int) -> tuple[Samples, float]:
    pcm = _house(path)
    meter = Meter()
    meter.add(pcm.samples)
    meter.finish()
    return pcm.samples, integrated_lufs(meter.energies()) - _level_db(path)


def _level_db(path: Path) -> float:
    try:
        return float(_FLAC(path)[_LEVEL][0])
    except (mutagen.MutagenError, LookupError, ValueError):
        return 0.0  # no FLAC, or one that nobody has set a level for


def _house(path: Path) -> Pcm:
    try:
        pcm = from_file(path)
    except SoundError:
        pcm = brought_sound(path, max_minutes=15)  # says in words why it is no sound
    return pcm if pcm.sample_rate_hz == HOUSE_RATE_HZ else brought_sound(path, max_minutes=15)


def _row(folder: Path, row: dict[str, Any]) -> Jingle:
    return Jingle(
        kind=JingleKind(row["kind"]),
        path=folder / str(row["file"]),
        title=str(row["title"]),
        source=str(row["source"]),
        licence=str(row["licence"]),
    )
