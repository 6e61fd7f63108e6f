"""A person's voice in a bulletin: for all of it, or for the sentences whose spoken words it says.

A sentence's recording follows its words: when they change it rests, and when they come back so does it.  A
whole recording follows the reading it was made from; after a change somebody says whether it still holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound, Refused
from broadcaster.model import Reading
from broadcaster.newsroom.bulletins.drafts import NOT_A_WRITER, ensure_version, flush_or_conflict, touched
from broadcaster.newsroom.bulletins.found import bulletin_by_id
from broadcaster.newsroom.hashes import reading_sha256
from broadcaster.newsroom.people import record, require
from broadcaster.store.tables import Bulletin, Recording, User

WHOLE = -1  # the place of a recording that replaces everything


@dataclass(frozen=True, slots=True)
class Brought:
    """A sound that is in the store already: mono FLAC at the house rate."""

    sha256: str
    duration_ms: int
    reader: str
    language: str = ""  # empty = Vietnamese
    source_name: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What people have recorded for a draft: of all of it, by spoken words, and what fits no sentence now."""

    whole: Recording | None
    sentences: dict[str, Recording]
    resting: tuple[Recording, ...]
    stale: bool  # the whole recording was made from another reading than today's


def recorded(session: Session, bulletin: Bulletin, reading: Reading) -> Recorded:
    """The recordings of a draft against its reading of this moment."""
    rows = session.scalars(
        select(Recording)
        .where(Recording.bulletin_id == bulletin.id, Recording.replaced_at.is_(None))
        .order_by(Recording.id)
    ).all()
    whole = next((row for row in reversed(rows) if not row.spoken), None)
    said = {sentence.spoken for sentence in reading.sentences}
    return Recorded(
        whole=whole,
        sentences={row.spoken: row for row in rows if row.spoken in said},
        resting=tuple(row for row in rows if row.spoken and row.spoken not in said),
        stale=whole is not None and whole.heard_sha256 != reading_sha256(reading),
    )


def add_recording(
    session: Session,
    bulletin_id: int,
    brought: Brought,
    *,
    reading: Reading,
    spoken: str = "",
    actor: User,
    now: datetime,
) -> Recording:
    """Let this sound stand for the sentence `spoken`, or with "" for the whole bulletin.

    The one before is kept but rests.  InputError when no sentence says these words (any more).
    """
    bulletin = _to_change(session, bulletin_id, actor, now)
    if spoken and spoken not in {sentence.spoken for sentence in reading.sentences}:
        raise InputError(
            "Câu này vừa được sửa nên bản thu không còn khớp. Hãy mở lại bản tin rồi thu câu mới."
        )
    if not brought.reader.strip():
        raise InputError("Hãy ghi tên người đọc, để người duyệt biết ai đọc.")
    for old in _standing(session, bulletin_id, spoken):
        old.replaced_at = now
    row = Recording(
        station_id=bulletin.station_id, bulletin_id=bulletin_id, spoken=spoken,
        heard_sha256=reading_sha256(reading), sha256=brought.sha256, duration_ms=brought.duration_ms,
        reader=brought.reader.strip()[:120], language=brought.language.strip()[:40],
        source_name=brought.source_name[:300], notes=list(brought.notes), made_by_id=actor.id, made_at=now,
    )  # fmt: skip
    session.add(row)
    touched(bulletin, actor)
    bulletin.updated_at = now
    flush_or_conflict(session)
    record(
        session, station_id=bulletin.station_id, actor=actor, action="thêm bản thu",
        subject=f"bản tin {bulletin_id}",
        detail={"sentence": spoken[:120], "sha256": row.sha256, "reader": row.reader}, now=now,
    )  # fmt: skip
    return row


def remove_recording(session: Session, recording_id: int, *, actor: User, now: datetime) -> Recording:
    """Let the machine speak again; the sound is kept."""
    row = recording_by_id(session, recording_id)
    bulletin = _to_change(session, row.bulletin_id, actor, now)
    if row.replaced_at is None:
        row.replaced_at = now
        touched(bulletin, actor)
        bulletin.updated_at = now
        flush_or_conflict(session)
        record(
            session, station_id=bulletin.station_id, actor=actor, action="bỏ bản thu",
            subject=f"bản tin {bulletin.id}", detail={"sentence": row.spoken[:120], "sha256": row.sha256}, now=now,
        )  # fmt: skip
    return row


def confirm_recording(
    session: Session, recording_id: int, *, reading: Reading, version: int, actor: User, now: datetime
) -> Recording:
    """Somebody has listened: the whole recording holds for the text as it is at `version`."""
    row = recording_by_id(session, recording_id)
    bulletin = _to_change(session, row.bulletin_id, actor, now)
    ensure_version(bulletin, version)
    row.heard_sha256 = reading_sha256(reading)
    touched(bulletin, actor)
    bulletin.updated_at = now
    flush_or_conflict(session)
    record(
        session, station_id=bulletin.station_id, actor=actor, action="giữ bản thu sau khi sửa văn bản",
        subject=f"bản tin {bulletin.id}", detail={"sha256": row.sha256}, now=now,
    )  # fmt: skip
    return row


def recording_by_id(session: Session, recording_id: int) -> Recording:
    """The recording; NotFound when it is not of this session's station."""
    row = session.scalar(select(Recording).where(Recording.id == recording_id))
    if row is None:
        raise NotFound("Không thấy bản thu này. Có thể đường dẫn sai hoặc bản tin thuộc đài khác.")
    return row


def voiced(session: Session, bulletin: Bulletin, reading: Reading) -> list[dict[str, Any]]:
    """What a revision freezes: [{at, sha256, duration_ms, reader, language}], `at` a sentence or WHOLE.

    Refused when the whole recording was made from another text and nobody has said that it still holds.
    """
    known = recorded(session, bulletin, reading)
    if known.whole is not None:
        if known.stale:
            raise Refused(
                "Văn bản đã sửa sau khi thu âm cả bài. Hãy mở mục Thu âm, nghe lại, rồi giữ bản thu hoặc thu lại."
            )
        return [_frozen(WHOLE, known.whole)]
    return [
        _frozen(number, known.sentences[sentence.spoken])
        for number, sentence in enumerate(reading.sentences)
        if sentence.spoken in known.sentences
    ]


def _frozen(at: int, row: Recording) -> dict[str, Any]:
    return {
        "at": at,
        "sha256": row.sha256,
        "duration_ms": row.duration_ms,
        "reader": row.reader,
        "language": row.language,
    }


def _standing(session: Session, bulletin_id: int, spoken: str) -> list[Recording]:
    rows = session.scalars(
        select(Recording).where(
            Recording.bulletin_id == bulletin_id, Recording.spoken == spoken, Recording.replaced_at.is_(None)
        )
    )
    return list(rows)


def _to_change(session: Session, bulletin_id: int, actor: User, now: datetime) -> Bulletin:
    bulletin = bulletin_by_id(session, bulletin_id, to_change=True)
    require(session, actor, "write", now=now, message=NOT_A_WRITER)
    return bulletin
