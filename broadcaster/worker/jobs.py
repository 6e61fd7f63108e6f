"""What each kind of job does.

A job function works on plain values, outside any transaction, and returns `Made`: what the job row shows,
and what is written in the same transaction that closes the row.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

from sqlalchemy.orm import Session

from broadcaster.config import Settings
from broadcaster.delivery.share import KIND as SHARE
from broadcaster.delivery.share import captions_of, share_files
from broadcaster.delivery.social import KIND as SOCIAL
from broadcaster.delivery.social import Posted, begin, finish, networks, post_of, post_once
from broadcaster.errors import InputError
from broadcaster.model import (
    JingleKind,
    Pause,
    Pcm,
    Profile,
    SpokenSentence,
    Take,
)
from broadcaster.newsroom.bulletins import freeze_take, frozen_reading, revision_by_id
from broadcaster.newsroom.hearing import KIND as LISTEN_BACK
from broadcaster.newsroom.lexicon import lexicon_of
from broadcaster.newsroom.recordings import WHOLE
from broadcaster.production.produce import ProgrammeItem, produce, stage_name
from broadcaster.production.template import template_from
from broadcaster.schedule.emergency.message import KIND as EMERGENCY
from broadcaster.schedule.rendering import KIND as PROGRAMME
from broadcaster.schedule.rendering import store_programme
from broadcaster.speech import hearing
from broadcaster.speech.cache import SentenceCache
from broadcaster.speech.chain import SentenceToSpeak, speak_all
from broadcaster.speech.engines import Voices
from broadcaster.speech.hearing import Recogniser
from broadcaster.speech.sound import from_file, to_flac
from broadcaster.speech.takes import RECORDED, TAKE_SUFFIX, make_take, take_of_recording
from broadcaster.speech.turns import in_turn
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.queue import Job
from broadcaster.store.tables import SocialPost, Station
from broadcaster.studio import pauses_of
from broadcaster.worker.announcing import Announcer, joined

Progress = Callable[[str, int, int], None]
Write = Callable[[Session, datetime], None]

PEOPLE = "người đọc"


@dataclass(frozen=True, slots=True)
class Tools:
    """What a job function may use.  Voices and cache belong to one lane: engines are not shared."""

    settings: Settings
    db: Database
    blobs: Blobs
    voices: Voices
    cache: SentenceCache


@dataclass(frozen=True, slots=True)
class Made:
    """`result` is kept on the job; `write` runs in the transaction that closes it."""

    result: dict[str, Any]
    write: Write


def take(tools: Tools, job: Job, progress: Progress) -> Made:
    """Speak a revision's frozen reading and freeze the sound."""
    revision_id = int(job.payload["revision_id"])
    with tools.db.reading(station_id=job.station_id) as session:
        revision = revision_by_id(session, revision_id)
        if revision.take is not None:
            return Made({"sha256": revision.take.sha256}, _nothing)
        reading = frozen_reading(revision)
        chain = chain_of(tools, session.get_one(Station, job.station_id).voice_chain, first=revision.voice)
        speed = revision.speed or tools.settings.number("voice.speed")
        if tools.settings.boolean("voice.alternate") and not revision.voice:
            chain = in_turn(chain, revision.bulletin_id)
        people = list(revision.recordings)
    whole = next((one for one in people if one["at"] == WHOLE), None)
    if whole is not None:
        made = take_of_recording(
            str(whole["sha256"]),
            blobs=tools.blobs,
            duration_ms=int(whole["duration_ms"]),
            why=read_by([whole]),
        )
        label = PEOPLE
    else:
        made = make_take(
            reading,
            chain=chain,
            opener=tools.voices,
            blobs=tools.blobs,
            cache=tools.cache,
            pauses=pauses_of(tools.settings),
            speed=speed,
            recorded=_Recorded(tools.blobs, {int(one["at"]): str(one["sha256"]) for one in people}),
            progress=lambda done, total: progress("đọc", done, total),
        )
        made = replace(made, why=" ".join(part for part in (made.why, read_by(people)) if part))
        label = _label(tools, chain, made.voice)

    def write(session: Session, now: datetime) -> None:
        freeze_take(session, revision_id, made, voice_label=label, now=now)

    result = {"sha256": made.sha256, "duration_ms": made.duration_ms, "voice": made.voice, "why": made.why}
    return Made(result, write)


def read_by(people: Sequence[Mapping[str, Any]]) -> str:
    """Who read what, for the approver: "Câu 2, 5 do Lê Thị Hoa đọc." """
    readers: dict[str, list[int]] = {}
    for one in people:
        name = str(one["reader"]) + (f" (tiếng {one['language']})" if one.get("language") else "")
        readers.setdefault(name, []).append(int(one["at"]))
    return " ".join(
        f"Cả bài do {name} đọc."
        if WHOLE in places
        else f"Câu {', '.join(str(at + 1) for at in places)} do {name} đọc."
        for name, places in readers.items()
    )


class _Recorded(Mapping[int, Pcm]):
    """Recorded sentences, read from the store when their turn comes."""

    def __init__(self, blobs: Blobs, files: Mapping[int, str]) -> None:
        self._blobs, self._files = blobs, files

    def __getitem__(self, at: int) -> Pcm:
        return from_file(self._blobs.path(self._files[at], suffix=TAKE_SUFFIX))

    def __iter__(self) -> Iterator[int]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def programme(tools: Tools, job: Job, progress: Progress) -> Made:
    """Mix approved takes into a programme, master and publish it."""
    payload = job.payload
    with tools.db.reading(station_id=job.station_id) as session:
        lexicon = lexicon_of(session, station_id=job.station_id)
    items = [
        ProgrammeItem(title=str(item["title"]), take=_take(item["take"]), read_twice=bool(item["read_twice"]))
        for item in payload["items"]
    ]
    topics = list(dict.fromkeys(str(item["topic"]) for item in payload["items"] if item.get("topic")))
    announcer = Announcer(
        lexicon, chain=chain_of(tools, payload["voice_chain"]), opener=tools.voices, cache=tools.cache,
        pauses=pauses_of(tools.settings), speed=tools.settings.number("voice.speed"),
    )  # fmt: skip
    made = produce(
        items=items,
        template=template_from(payload["template"]),
        station_name=str(payload["station_name"]),
        call_sign=str(payload["call_sign"]),
        local_date=date.fromisoformat(payload["local_date"]),
        start_local=time.fromisoformat(payload["start_local"]),
        jingles={
            JingleKind(kind): tools.blobs.path(sha256, suffix=TAKE_SUFFIX)
            for kind, sha256 in payload["jingles"].items()
        },
        speak_words=announcer,
        second_voice=announcer.other if tools.settings.boolean("voice.alternate") else lambda: None,
        blobs=tools.blobs,
        profile=Profile(payload["profile"]),
        progress=lambda stage, done, total: progress(stage_name(stage), done, total),
        topic=", ".join(topics),
        scratch=tools.settings.var / "scratch",
        key=job.key,
    )

    def write(session: Session, now: datetime) -> None:
        store_programme(session, job, made, now=now)

    files = {file.kind.value: file.sha256 for file in made.renditions}
    return Made({"files": files, "duration_ms": made.duration_ms}, write)


def preview(tools: Tools, job: Job, progress: Progress) -> Made:
    """Speak a few sentences of a draft into a small file, for one pair of ears.

    The payload's `sentences` are [spoken, pause]; `voice`, when given, is heard instead of the chain,
    `first` before it; `speed` in place of the settings'.
    """
    first = str(job.payload.get("first", ""))
    with tools.db.reading(station_id=job.station_id) as session:
        chain = chain_of(tools, session.get_one(Station, job.station_id).voice_chain, first=first)
    if job.payload.get("voice"):
        chain = (str(job.payload["voice"]),)
    sentences = [SentenceToSpeak(str(text), Pause(pause)) for text, pause in job.payload["sentences"]]
    said = speak_all(
        sentences,
        chain=chain,
        opener=tools.voices,
        cache=tools.cache,
        speed=float(job.payload.get("speed") or tools.settings.number("voice.speed")),
        progress=lambda done, total: progress("đọc", done, total),
    )
    pcm = joined(said.segments, [pauses_of(tools.settings).of(one.pause) for one in sentences])
    sha256 = tools.blobs.put(to_flac(pcm), suffix=TAKE_SUFFIX)
    result = {
        "sha256": sha256, "suffix": TAKE_SUFFIX, "duration_ms": pcm.duration_ms, "voice": said.label,
        "why": said.why,
    }  # fmt: skip
    return Made(result, _nothing)


def listen_back(tools: Tools, job: Job, progress: Progress) -> Made:
    """A machine listens to a revision's take; what it did not get is advice for the officers."""
    if (reason := Recogniser.available()) is not None:
        raise InputError(reason)
    with tools.db.reading(station_id=job.station_id) as session:
        revision = revision_by_id(session, int(job.payload["revision_id"]))
        row = revision.take
        if row is None:
            raise InputError("Phiên bản này chưa có bản thu nên chưa nghe lại được.")
        file = tools.blobs.path(row.sha256, suffix=TAKE_SUFFIX)
        sentences = [SpokenSentence(*one) for one in row.sentences]
        said = [sentence.spoken for sentence in frozen_reading(revision).sentences]
    with contextlib.closing(Recogniser()) as ears:
        found = hearing.listen_back(
            file, sentences, ears=ears, spoken=said,
            progress=lambda done, total: progress("nghe lại", done, total),
        )  # fmt: skip
    return Made(hearing.hearing_to_json(found), _nothing)


def share(tools: Tools, job: Job, progress: Progress) -> Made:
    """A bulletin's video and light sound, for other channels than the loudspeaker."""
    with tools.db.reading(station_id=job.station_id) as session:
        revision = revision_by_id(session, int(job.payload["revision_id"]))
        if revision.take is None:
            raise InputError("Bản tin chưa có bản thu nên chưa dựng được video.")
        take_row, title = revision.take, revision.title
        written = [sentence.written for sentence in frozen_reading(revision).sentences]
        station = session.get_one(Station, job.station_id).name
    made = share_files(
        take_row.sha256, captions_of(take_row, written, blobs=tools.blobs), blobs=tools.blobs, duration_ms=take_row.duration_ms,
        station=station, title=title, scratch=tools.settings.var / "scratch",
        progress=lambda done, total: progress("video", done, total),
    )  # fmt: skip
    return Made({"mp4": made.mp4, "mp3": made.mp3}, _nothing)


def social(tools: Tools, job: Job, progress: Progress) -> Made:
    """Post a bulletin on one of the commune's pages, once."""
    post_id = int(job.payload["post_id"])
    with tools.db.writing(station_id=job.station_id) as session:
        fresh = begin(session, post_id)
        row = session.get_one(SocialPost, post_id)
        network, what = row.network, post_of(session, row, base_url=tools.settings.base_url)
    progress("đăng", 0, 1)
    outcome = post_once(networks(tools.settings).get(network), network, what, fresh=fresh)

    def write(session: Session, now: datetime) -> None:
        finish(session, post_id, outcome, now=now)

    return Made({"posted": isinstance(outcome, Posted)}, write)


Function = Callable[[Tools, Job, Progress], Made]
# "listen" is a preview of many sentences: in the other lane, so that one sentence never waits for it.
JOBS: Mapping[str, Function] = {
    "take": take, PROGRAMME: programme, EMERGENCY: programme, "preview": preview, "listen": preview,
    LISTEN_BACK: listen_back, SHARE: share, SOCIAL: social,
}  # fmt: skip
PREVIEWS = ("preview", "listen")
PREVIEW_LANE = ("preview", EMERGENCY)  # an emergency is mixed at once, whatever the other lane is busy with
RENDER_LANE = ("take", PROGRAMME, "listen", LISTEN_BACK, SHARE, SOCIAL)


def chain_of(tools: Tools, station_chain: Sequence[Any], *, first: str = "") -> tuple[str, ...]:
    """The station's own order of voices, else the settings'; a bulletin's own voice goes `first`."""
    chain = tuple(str(spec) for spec in station_chain) or tools.settings.texts("voice.chain")
    return (first, *(spec for spec in chain if spec != first)) if first else chain


def _label(tools: Tools, chain: Sequence[str], name: str) -> str:
    machine = name.removesuffix(f"+{RECORDED}")
    if name == RECORDED:
        return PEOPLE
    for spec in chain:
        voice = tools.voices(spec)
        if machine == voice.name:
            return f"{voice.label} và {PEOPLE}" if machine != name else voice.label
    return name


def _take(data: Mapping[str, Any]) -> Take:
    return Take(
        sha256=str(data["sha256"]),
        voice=str(data["voice"]),
        speed=float(data["speed"]),
        duration_ms=int(data["duration_ms"]),
        sentences=tuple(SpokenSentence(*one) for one in data["sentences"]),
    )


def _nothing(_session: Session, _now: datetime) -> None:
    """The job's result is all there is to write."""
