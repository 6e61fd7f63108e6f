"""Writing: the draft, its answers, and how it will be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from broadcaster.errors import Conflict, InputError
from broadcaster.model import VERBATIM, BulletinState, Priority, Reading
from broadcaster.newsroom.bulletins.copies import keep_copy
from broadcaster.newsroom.bulletins.found import bulletin_by_id, folded
from broadcaster.newsroom.importing import MAX_CHARS, clean_text, refuse_too_long
from broadcaster.newsroom.lexicon import lexicon_of, set_entry
from broadcaster.newsroom.people import record, require
from broadcaster.reading import read
from broadcaster.store.tables import Bulletin, Topic, User

SLOWEST, FASTEST = 0.8, 1.2
NOT_A_WRITER = "Tài khoản này không được soạn bản tin. Hãy nhờ cán bộ soạn bản tin."


def create_bulletin(
    session: Session,
    *,
    station_id: int,
    author: User,
    title: str,
    text: str = "",
    topic_id: int | None = None,
    priority: Priority = Priority.ROUTINE,
    read_twice: bool = False,
    source_name: str = "",
    notes: Sequence[str] = (),
    max_chars: int = MAX_CHARS,
    now: datetime,
) -> Bulletin:
    """A new draft.  InputError when the title is empty or the text too long; Refused without the right."""
    require(session, author, "write", now=now, message=NOT_A_WRITER)
    text, cleaned = clean_text(text)
    refuse_too_long(text, max_chars=max_chars)
    bulletin = Bulletin(
        station_id=station_id, title=_title(title), topic_id=_topic(session, topic_id), priority=priority,
        read_twice=read_twice, author_id=author.id, draft_text=text, draft_answers={},
        draft_writers=[author.id], source_name=source_name[:300], import_notes=[*notes, *cleaned],
        created_at=now, updated_at=now,
    )  # fmt: skip
    _refold(bulletin)
    session.add(bulletin)
    session.flush()
    record(
        session, station_id=station_id, actor=author, action="tạo bản tin", subject=f"bản tin {bulletin.id}",
        detail={"title": bulletin.title, "source": source_name}, now=now,
    )  # fmt: skip
    return bulletin


def save_draft(
    session: Session,
    bulletin_id: int,
    *,
    version: int,
    actor: User,
    title: str,
    text: str,
    topic_id: int | None,
    priority: Priority,
    read_twice: bool,
    voice: str | None = None,
    speed: float | None = None,
    max_chars: int = MAX_CHARS,
    now: datetime,
) -> Bulletin:
    """Keep what was typed.  Conflict when somebody saved since `version`; then nothing is overwritten.

    A change of anything that is heard makes it a draft again; what is approved airs on until the new
    text is approved.  `voice` None leaves voice and pace as they are; "" and None mean the station's.
    """
    bulletin = bulletin_by_id(session, bulletin_id, to_change=True)
    require(session, actor, "write", now=now, message=NOT_A_WRITER)
    ensure_version(bulletin, version)
    text, cleaned = clean_text(text)
    refuse_too_long(text, max_chars=max_chars)
    title = _title(title)
    if (bulletin.title, bulletin.draft_text) != (title, text):
        keep_copy(session, bulletin, title=title, text=text, actor=actor, now=now)
    before = _heard(bulletin)
    bulletin.title, bulletin.draft_text = title, text
    bulletin.priority, bulletin.read_twice = priority, read_twice
    bulletin.topic_id = _topic(session, topic_id)
    if voice is not None:
        bulletin.voice, bulletin.speed = voice, _speed(speed)
    _refold(bulletin)
    if cleaned:
        bulletin.import_notes = [
            *bulletin.import_notes,
            *(n for n in cleaned if n not in bulletin.import_notes),
        ]
    if before != _heard(bulletin):
        touched(bulletin, actor)
    bulletin.updated_at = now
    flush_or_conflict(session)
    return bulletin


def set_answer(
    session: Session,
    bulletin_id: int,
    *,
    key: str,
    written: str,
    spoken: str,
    scope: Literal["place", "bulletin", "station"],
    actor: User,
    now: datetime,
) -> Bulletin:
    """Say how something is read: at this place, in this bulletin, or from now on at the whole station.

    `key` is a warning's or a mark's; `spoken` is plain words or VERBATIM; empty takes an answer at this
    place back.
    """
    bulletin = bulletin_by_id(session, bulletin_id, to_change=True)
    require(session, actor, "write", now=now, message=NOT_A_WRITER)
    spoken = " ".join(spoken.split())
    if len(spoken) > 500:
        raise InputError("Cách đọc dài quá 500 ký tự. Hãy ghi ngắn lại.")
    if scope == "place" or spoken == VERBATIM:
        if scope == "station":
            raise InputError("“Đọc nguyên” chỉ dùng cho một chỗ hoặc một bản tin. Hãy ghi cách đọc bằng chữ.")
        _answer(bulletin, key if scope == "place" else written, spoken)
    else:
        set_entry(
            session, station_id=bulletin.station_id, written=written, spoken=spoken,
            bulletin_id=bulletin.id if scope == "bulletin" else None, actor=actor, now=now,
        )  # fmt: skip
        _answer(bulletin, key, "")  # a nearer answer would hide the new one
    if scope != "station":
        touched(bulletin, actor)
    bulletin.updated_at = now
    flush_or_conflict(session)
    return bulletin


def reading_of(session: Session, bulletin: Bulletin) -> Reading:
    """The draft as it would be read now: the answers at their places, its own words, the station's."""
    lexicon = lexicon_of(session, station_id=bulletin.station_id, bulletin_id=bulletin.id)
    return read(bulletin.draft_text, lexicon=lexicon, answers=dict(bulletin.draft_answers))


def reading_if(
    session: Session,
    bulletin: Bulletin,
    *,
    text: str,
    key: str,
    written: str,
    spoken: str,
    scope: Literal["place", "bulletin", "station"],
) -> Reading:
    """How `text` would be read with one more answer, to be heard before it is kept; nothing is written."""
    known = lexicon_of(session, station_id=bulletin.station_id, bulletin_id=bulletin.id)
    answers, spoken = dict(bulletin.draft_answers), " ".join(spoken.split())
    words = dict(known.bulletin)
    if scope == "place" and key or spoken == VERBATIM:
        answers[key or written] = spoken
    else:
        answers.pop(key, None)
        words[written] = spoken
    return read(clean_text(text)[0], lexicon=replace(known, bulletin=words), answers=answers)


def title_reading(session: Session, bulletin: Bulletin) -> Reading:
    """How the title would be said among the headlines: by the station's dictionary, since it stands alone."""
    return read(bulletin.title, lexicon=lexicon_of(session, station_id=bulletin.station_id))


# ----------------------------------------------------------------------------------- shared in the room


def ensure_version(bulletin: Bulletin, version: int) -> None:
    """Raise Conflict when the form was filled in on an older version."""
    if bulletin.version != version:
        raise Conflict(
            f"Bản tin “{bulletin.title}” vừa được người khác sửa (bản lưu {bulletin.version}, bạn đang ở {version}). "
            "Hãy mở lại để xem bản mới; chữ bạn vừa gõ vẫn còn trên màn hình."
        )


def flush_or_conflict(session: Session) -> None:
    """Write now, so that losing a race is told here and not at the commit."""
    try:
        session.flush()
    except StaleDataError as error:
        raise Conflict(
            "Người khác vừa lưu bản tin này cùng lúc. Hãy mở lại rồi làm tiếp; chưa có gì bị ghi đè."
        ) from error


def _heard(bulletin: Bulletin) -> tuple[object, ...]:
    """Everything of a draft that changes what is heard."""
    return (
        bulletin.title, bulletin.draft_text, bulletin.priority, bulletin.read_twice, bulletin.voice,
        bulletin.speed,
    )  # fmt: skip


def _speed(speed: float | None) -> float | None:
    if speed is not None and not SLOWEST <= speed <= FASTEST:
        raise InputError("Tốc độ đọc phải từ 0,8 đến 1,2. Hãy chọn lại tốc độ.")
    return speed


def _refold(bulletin: Bulletin) -> None:
    bulletin.folded = folded(f"{bulletin.title}\n{bulletin.draft_text}")


def touched(bulletin: Bulletin, actor: User) -> None:
    """What is heard has changed by this hand: a draft again."""
    if actor.id not in bulletin.draft_writers:
        bulletin.draft_writers = [*bulletin.draft_writers, actor.id]
    if bulletin.state is not BulletinState.RETURNED:
        bulletin.state_reason = ""  # the reason of a return stays in sight until it is submitted again
    bulletin.state = BulletinState.DRAFT


def _answer(bulletin: Bulletin, key: str, spoken: str) -> None:
    answers = {known: said for known, said in bulletin.draft_answers.items() if known != key}
    if spoken:
        answers[key] = spoken
    bulletin.draft_answers = answers


def _title(title: str) -> str:
    plain = " ".join(clean_text(title)[0].split())
    if not plain:
        raise InputError("Bản tin chưa có tiêu đề. Hãy đặt một tiêu đề ngắn.")
    if len(plain) > 300:
        raise InputError("Tiêu đề dài quá 300 ký tự. Hãy rút ngắn lại.")
    return plain


def _topic(session: Session, topic_id: int | None) -> int | None:
    if topic_id is not None and session.scalar(select(Topic.id).where(Topic.id == topic_id)) is None:
        raise InputError("Chủ đề đã chọn không còn nữa. Hãy chọn chủ đề khác.")
    return topic_id
