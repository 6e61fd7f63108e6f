"""The line: approved takes, jingles and a template in; a finished, measured, published programme out."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from time import time as time_now
from typing import Final

from broadcaster.errors import InputError, StoreError, VoiceError
from broadcaster.model import (
    HOUSE_RATE_HZ,
    JingleKind,
    Pcm,
    PlacedItem,
    Profile,
    Programme,
    RenditionFile,
    RenditionKind,
    Take,
)
from broadcaster.production.encoding import Tags, waveform_svg
from broadcaster.production.jingles import jingle_sound
from broadcaster.production.mastering import master
from broadcaster.production.mixing import ArraySource, FileSource, Source, mixed
from broadcaster.production.rundown import Item, Timeline, build_timeline
from broadcaster.production.template import Template, programme_words, template_data
from broadcaster.production.voicing import SPEECH_LEVEL_DB
from broadcaster.speech.sound import resampled, rms_db
from broadcaster.speech.takes import TAKE_SUFFIX, take_level_db
from broadcaster.store.blobs import Blobs

PROGRAMME_SUFFIX: Final = "mp3"
LONGEST_MINUTES: Final = 180
_SCRATCH: Final = "rendering-"
_SCRATCHES: Final = (_SCRATCH, "broadcaster-")  # programmes, and videos for other channels
_VERSION: Final = 1  # raise it when the same input would sound different
# how loud music is beside speech before the programme's gain: speech loses what the compressor takes
_MUSIC_LUFS: Final = {Profile.HORN: -24.0, Profile.ARCHIVE: -20.0}

STAGES: Final = {
    "words": "đọc lời dẫn",
    "mix": "trộn",
    "encode": "nén",
    "check": "kiểm tra",
    "publish": "ghi tệp",
}

Stage = Callable[[str, int, int], None]
SpeakWords = Callable[[str], Pcm]


@dataclass(frozen=True, slots=True)
class ProgrammeItem:
    """One approved bulletin in its running order."""

    title: str
    take: Take
    read_twice: bool = False


def produce(
    *,
    items: Sequence[ProgrammeItem],
    template: Template,
    station_name: str,
    call_sign: str,
    local_date: date,
    start_local: time,
    jingles: Mapping[JingleKind, Path],
    speak_words: SpeakWords,
    second_voice: Callable[[], SpeakWords | None] = lambda: None,
    blobs: Blobs,
    profile: Profile = Profile.HORN,
    kinds: Sequence[RenditionKind] = (RenditionKind.AIR, RenditionKind.LIGHT),
    progress: Stage = lambda stage, done, total: None,
    topic: str = "",
    scratch: Path | None = None,
    key: str = "",
) -> Programme:
    """Make a programme and publish its files by hash.

    `speak_words` turns a written text (the template's words for the day) into sound; `second_voice` is asked
    after it has spoken, and gives the other voice for the call sign, or None.  `progress(stage,
    done, total)` hears of `words`, `mix`, `encode:KIND`, `check` and `publish`; it may raise to cancel, and
    then nothing is published.  `scratch` is a folder on a real disk for the uncompressed mix (10.6 MB a
    minute).  InputError: nothing to play, or a jingle that is not sound.  SoundError, StoreError, VoiceError
    as their rooms say.
    """
    if not items:
        raise InputError("Chương trình chưa có bản tin nào; hãy thêm ít nhất một bản tin đã duyệt.")
    words = programme_words(
        template,
        station_name=station_name,
        call_sign=call_sign,
        local_date=local_date,
        start_local=start_local,
        titles=[item.title for item in items],
    )
    written = {
        "call_sign": words.call_sign,
        "greeting": words.greeting,
        "headlines": words.headlines,
        "item_intro": words.item_intro,
        "repeat": words.repeat if any(item.read_twice for item in items) else "",
        "closing": words.closing,
    }
    spoken = {part: text for part, text in written.items() if text}
    with contextlib.ExitStack() as stack:
        sources: dict[str, Source] = {}
        for number, (part, text) in enumerate(spoken.items()):
            progress("words", number, len(spoken))
            sources[f"words:{part}"] = _levelled(speak_words(text))
        if template.call_sign_twice and words.call_sign:
            other = second_voice()
            if other is not None:
                with contextlib.suppress(
                    VoiceError
                ):  # then one voice says it: the programme is whole with it
                    sources["words:call_sign_2"] = _levelled(other(words.call_sign))
        progress("words", len(spoken), len(spoken))
        for number, item in enumerate(items):
            sources[f"item:{number}"] = _take_source(item.take, blobs)
            stack.callback(sources[f"item:{number}"].close)
        for kind, path in jingles.items():
            if kind is not JingleKind.ALERT and (template.bed or kind is not JingleKind.BED):
                samples, loudness = jingle_sound(path)
                gain = 10 ** ((_MUSIC_LUFS[profile] - loudness) / 20) if loudness > -60 else 1.0
                sources[f"jingle:{kind}"] = ArraySource(samples, gain=gain)
        timeline = _timeline(template, items, sources)
        folder = stack.enter_context(_folder(scratch))
        tags = Tags(
            title=f"{station_name}, {start_local:%H:%M} ngày {local_date:%d/%m/%Y}",
            station=station_name,
            date=local_date.isoformat(),
            topic=topic,
            key=key,
        )
        finished = master(
            mixed(timeline, sources, profile=profile),
            length=timeline.length,
            profile=profile,
            kinds=kinds,
            tags=tags,
            folder=folder,
            stage=progress,
        )
        files: list[RenditionFile] = []
        for number, rendition in enumerate(finished):
            progress("publish", number, len(finished))
            size = rendition.path.stat().st_size
            heard = rendition.measured
            files.append(
                RenditionFile(
                    rendition.kind,
                    blobs.put(rendition.path, suffix=PROGRAMME_SUFFIX),
                    size,
                    duration_ms=heard.duration_ms,
                    loudness_lufs=heard.loudness_lufs,
                    true_peak_dbtp=heard.true_peak_dbtp,
                )
            )
        progress("publish", len(finished), len(finished))
    first = finished[0].measured
    return Programme(
        renditions=tuple(files),
        duration_ms=round(timeline.length * 1000 / HOUSE_RATE_HZ),
        loudness_lufs=first.loudness_lufs,
        true_peak_dbtp=first.true_peak_dbtp,
        items=tuple(PlacedItem(span.title, _ms(span.start), _ms(span.length)) for span in timeline.spans),
        waveform_svg=waveform_svg(first.outline),
    )


def programme_key(
    *,
    items: Sequence[ProgrammeItem],
    template: Template,
    station_name: str,
    call_sign: str,
    local_date: date,
    start_local: time,
    jingles: Mapping[JingleKind, Path],
    words_voice: str,
    profile: Profile = Profile.HORN,
    kinds: Sequence[RenditionKind] = (RenditionKind.AIR, RenditionKind.LIGHT),
) -> str:
    """SHA-256 of everything the sound depends on: the same key is the same programme, no need to render.

    `words_voice` names what speaks the template's words: engine, voice and version.
    """
    parts = {
        "version": _VERSION,
        "items": [[item.title, item.take.sha256, item.read_twice] for item in items],
        "template": template_data(template),
        "station": station_name,
        "call_sign": call_sign,
        "date": local_date.isoformat(),
        "start": start_local.isoformat(timespec="minutes"),
        "jingles": {str(kind): _file_hash(path) for kind, path in sorted(jingles.items())},
        "voice": words_voice,
        "profile": str(profile),
        "kinds": [str(kind) for kind in kinds],
    }
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def stage_name(stage: str) -> str:
    """What people call a stage that `progress` hears of: "nén air" for `encode:air`."""
    name, _, detail = stage.partition(":")
    return f"{STAGES.get(name, name)} {detail}".strip()


def sweep_scratch(scratch: Path, *, older_than_s: float = 0.0) -> int:
    """Remove what killed renderers left in the scratch folder; returns how many folders.

    Of the last `older_than_s` seconds nothing goes: somebody may be at work there.
    """
    leftovers = [
        folder
        for prefix in _SCRATCHES
        for folder in scratch.glob(f"{prefix}*")
        if time_now() - folder.stat().st_mtime >= older_than_s
    ]
    for folder in leftovers:
        shutil.rmtree(folder, ignore_errors=True)
    return len(leftovers)


def _timeline(template: Template, items: Sequence[ProgrammeItem], sources: Mapping[str, Source]) -> Timeline:
    timeline = build_timeline(
        template,
        items=[
            Item(item.title, sources[f"item:{number}"].length, item.read_twice)
            for number, item in enumerate(items)
        ],
        words={
            name.removeprefix("words:"): source.length
            for name, source in sources.items()
            if name.startswith("words:")
        },
        jingles={
            kind: sources[f"jingle:{kind}"].length for kind in JingleKind if f"jingle:{kind}" in sources
        },
    )
    if timeline.length > LONGEST_MINUTES * 60 * HOUSE_RATE_HZ:
        raise InputError(f"Chương trình dài hơn {LONGEST_MINUTES} phút; hãy chia thành nhiều buổi.")
    return timeline


def _levelled(pcm: Pcm) -> ArraySource:
    samples = resampled(pcm).samples
    return ArraySource(samples, gain=_speech_gain(rms_db(samples)))


def _take_source(take: Take, blobs: Blobs) -> FileSource:
    path = blobs.path(take.sha256, suffix=TAKE_SUFFIX)
    return FileSource(path, gain=_speech_gain(take_level_db(take, blobs=blobs)))


def _speech_gain(level_db: float) -> float:
    return 10 ** ((SPEECH_LEVEL_DB - level_db) / 20) if level_db > -80 else 1.0


@contextlib.contextmanager
def _folder(scratch: Path | None) -> Iterator[Path]:
    try:
        if scratch is not None:
            scratch.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=scratch)
    except OSError as error:
        raise StoreError(f"Không tạo được thư mục nháp ({error.strerror or error}).") from error
    with folder as name:
        yield Path(name)


def _file_hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"Không thấy tệp nhạc hiệu {path.name}; hãy chọn nhạc hiệu khác.") from error


def _ms(samples: int) -> int:
    return round(samples * 1000 / HOUSE_RATE_HZ)
