"""Freezing: a draft becomes an immutable revision with its reading; the worker adds its take, once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError, ReadingBlocked, Refused
from broadcaster.model import (
    BulletinState,
    LeftOut,
    Mark,
    NoticeKind,
    Pause,
    Priority,
    Reading,
    Sentence,
    Take,
)
from broadcaster.newsroom.bulletins.drafts import ensure_version, flush_or_conflict, reading_of, title_reading
from broadcaster.newsroom.bulletins.found import bulletin_by_id, newest_revision, revision_by_id
from broadcaster.newsroom.hashes import reading_sha256, text_sha256
from broadcaster.newsroom.notices import approvers, settle, tell
from broadcaster.newsroom.people import record, require
from broadcaster.newsroom.recordings import WHOLE, voiced
from broadcaster.reading import reading_to_json
from broadcaster.store.queue import enqueue
from broadcaster.store.tables import Bulletin, RenderJob, Revision, TakeRow, User

# An approver waits for the sound: before programmes of later airings, after those that air sooner.
TAKE_WITHIN = timedelta(minutes=30)


def submit(session: Session, bulletin_id: int, *, version: int, actor: User, now: datetime) -> Revision:
    """Freeze the draft as the next revision and ask for its take.

    ReadingBlocked while a warning has no answer; InputError when there is nothing to read; Conflict when
    the draft moved; Refused when nothing new would be submitted.
    """
    bulletin = bulletin_by_id(session, bulletin_id, to_change=True)
    require(
        session, actor, "submit", now=now,
        message="Tài khoản này không được gửi duyệt bản tin. Hãy nhờ cán bộ soạn bản tin.",
    )  # fmt: skip
    ensure_version(bulletin, version)
    if bulletin.state is BulletinState.SUBMITTED:
        raise Refused(f"Bản tin “{bulletin.title}” đã gửi và đang chờ duyệt.")
    reading = reading_of(session, bulletin)
    voices = voiced(session, bulletin, reading)
    _ensure_complete(session, bulletin, reading, spoken_by_machine=not any(v["at"] == WHOLE for v in voices))
    last = newest_revision(session, bulletin.id)
    revision = Revision(
        bulletin_id=bulletin.id, number=last.number + 1 if last else 1, title=bulletin.title,
        text=bulletin.draft_text, text_sha256=text_sha256(bulletin.draft_text),
        answers=dict(bulletin.draft_answers), reading=reading_to_json(reading),
        reading_sha256=reading_sha256(reading), priority=bulletin.priority, read_twice=bulletin.read_twice,
        voice=bulletin.voice, speed=bulletin.speed,
        writers=sorted({bulletin.author_id, actor.id, *bulletin.draft_writers}),
        recordings=voices, submitted_by_id=actor.id, submitted_at=now,
    )  # fmt: skip
    if bulletin.state is BulletinState.APPROVED and last is not None and _sounds_the_same(last, revision):
        raise Refused(f"Bản tin “{bulletin.title}” không có gì mới so với bản đã duyệt.")
    session.add(revision)
    bulletin.state, bulletin.state_reason, bulletin.updated_at = BulletinState.SUBMITTED, "", now
    flush_or_conflict(session)
    ask_take(session, revision, now=now)
    record(
        session, station_id=bulletin.station_id, actor=actor, action="gửi duyệt",
        subject=f"bản tin {bulletin.id}",
        detail={"revision": revision.number, "text": revision.text_sha256, "reading": revision.reading_sha256},
        now=now,
    )  # fmt: skip
    if last is not None:
        settle(session, f"revision:{last.id}", now=now)
    tell(
        session, approvers(session, bulletin.station_id, now=now, besides={*revision.writers, actor.id}),
        kind=NoticeKind.WAITING, about=f"revision:{revision.id}", actor=actor, now=now,
        text=f"{actor.display_name} gửi duyệt “{revision.title}”.",
    )  # fmt: skip
    return revision


def recall(session: Session, bulletin_id: int, *, actor: User, now: datetime) -> Bulletin:
    """Take back what was just submitted: it is a draft again, and nobody can approve that revision.

    Conflict when somebody has decided meanwhile.
    """
    bulletin = bulletin_by_id(session, bulletin_id, to_change=True)
    require(
        session, actor, "submit", now=now,
        message="Tài khoản này không được rút lại bản tin đã gửi. Hãy nhờ cán bộ soạn bản tin.",
    )  # fmt: skip
    if bulletin.state is not BulletinState.SUBMITTED:
        raise Conflict(
            f"Bản tin “{bulletin.title}” không còn chờ duyệt nên không rút lại được. "
            "Hãy mở lại bản tin để xem người duyệt đã quyết định gì."
        )
    bulletin.state, bulletin.updated_at = BulletinState.DRAFT, now
    flush_or_conflict(session)
    record(
        session, station_id=bulletin.station_id, actor=actor, action="rút lại bản đã gửi",
        subject=f"bản tin {bulletin.id}", detail={"revision": bulletin.revisions[-1].number}, now=now,
    )  # fmt: skip
    return bulletin


def ask_take(session: Session, revision: Revision, *, now: datetime) -> RenderJob:
    """Ask the worker for a revision's sound; again, after it failed for good."""
    return enqueue(
        session, station_id=revision.bulletin.station_id, kind="take", key=str(revision.id),
        payload={"revision_id": revision.id, "title": revision.title},
        due_at=now if revision.priority is not Priority.ROUTINE else now + TAKE_WITHIN, now=now,
    )  # fmt: skip


def freeze_take(session: Session, revision_id: int, take: Take, *, voice_label: str, now: datetime) -> None:
    """Give a revision its sound.  Idempotent: a revision that has a take keeps it."""
    revision = revision_by_id(session, revision_id)
    # The row is locked, so that two workers cannot both find it without a take.
    taken = session.scalar(select(Revision.take_id).where(Revision.id == revision_id).with_for_update())
    if taken is not None:
        return
    row = TakeRow(
        station_id=revision.bulletin.station_id, sha256=take.sha256, voice=take.voice,
        voice_label=voice_label, speed=take.speed, duration_ms=take.duration_ms,
        sentences=[[s.text, s.start_sample, s.length_samples] for s in take.sentences], why=take.why,
        created_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    revision.take_id = row.id
    session.flush()


def frozen_reading(revision: Revision) -> Reading:
    """The reading exactly as it was frozen, whatever the rules and dictionaries say today."""
    data = revision.reading
    return Reading(
        text=data["text"],
        sentences=tuple(
            Sentence(
                start=one["start"], end=one["end"], written=one["written"], spoken=one["spoken"],
                marks=tuple(Mark(**{**mark, "alternatives": tuple(mark["alternatives"])}) for mark in one["marks"]),
                pause=Pause(one["pause"]),
            )
            for one in data["sentences"]
        ),
        left_out=tuple(LeftOut(**one) for one in data["left_out"]),
        notes=tuple(data["notes"]),
    )  # fmt: skip


def _ensure_complete(
    session: Session, bulletin: Bulletin, reading: Reading, *, spoken_by_machine: bool
) -> None:
    if not bulletin.draft_text.strip():
        raise InputError("Bản tin chưa có nội dung. Hãy dán hoặc gõ nội dung rồi gửi lại.")
    title = title_reading(session, bulletin)
    if title.blocking:
        raise ReadingBlocked(
            f"Tiêu đề “{bulletin.title}” được đọc trên loa nhưng còn chữ chưa rõ cách đọc: "
            f"“{_one_line(title.warnings[0].written)}”. Hãy viết rõ ra, hoặc thêm chữ đó vào từ điển."
        )
    if not spoken_by_machine:
        return  # a person reads it all, perhaps in another language: nothing is left to answer
    if reading.blocking:
        places = ", ".join(f"“{_one_line(warning.written)}”" for warning in reading.warnings[:3])
        more = "…" if len(reading.warnings) > 3 else ""
        raise ReadingBlocked(
            f"Còn {len(reading.warnings)} chỗ chưa rõ cách đọc: {places}{more}. "
            "Hãy trả lời từng chỗ (hoặc chọn đọc nguyên) rồi gửi lại."
        )
    if not any(sentence.spoken.strip() for sentence in reading.sentences):
        raise InputError(
            "Bản tin chỉ có phần đầu và phần ký, không có câu nào để đọc. Hãy thêm nội dung rồi gửi lại."
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:60]


def _sounds_the_same(one: Revision, other: Revision) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in (
            "title",
            "text_sha256",
            "reading_sha256",
            "priority",
            "read_twice",
            "voice",
            "speed",
            "recordings",
        )
    )
