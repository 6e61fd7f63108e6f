"""The dictionaries of a station and of one bulletin, and what changing them would alter.

A change touches drafts and new revisions only.  What is approved keeps airing as it was approved; the
change names the approved bulletins that would now be read otherwise, so that each can be submitted anew.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound
from broadcaster.newsroom.approved import approved_revisions
from broadcaster.newsroom.hashes import reading_sha256
from broadcaster.newsroom.people import record, require
from broadcaster.reading import Lexicon, read
from broadcaster.store.tables import Bulletin, LexiconEntry, User

NOT_YOURS = "Tài khoản này không được sửa từ điển cách đọc. Hãy nhờ cán bộ soạn bản tin."


@dataclass(frozen=True, slots=True)
class LexiconChange:
    """An entry that was set or removed, and the approved bulletins that would now be read otherwise."""

    written: str
    spoken: str
    altered: tuple[Bulletin, ...]


def lexicon_of(session: Session, *, station_id: int, bulletin_id: int | None = None) -> Lexicon:
    """The station's dictionary, with one bulletin's own above it."""
    rows = session.scalars(
        select(LexiconEntry)
        .where(LexiconEntry.station_id == station_id)
        .where(
            LexiconEntry.bulletin_id.is_(None)
            if bulletin_id is None
            else LexiconEntry.bulletin_id.is_(None) | (LexiconEntry.bulletin_id == bulletin_id)
        )
        .order_by(LexiconEntry.id)
    ).all()
    return Lexicon(
        entries={row.written: row.spoken for row in rows if row.bulletin_id is None},
        bulletin={row.written: row.spoken for row in rows if row.bulletin_id is not None},
    )


def entries(session: Session, *, bulletin_id: int | None = None) -> list[LexiconEntry]:
    """The station's entries, or one bulletin's own, by what is written."""
    return list(
        session.scalars(
            select(LexiconEntry).where(LexiconEntry.bulletin_id == bulletin_id).order_by(LexiconEntry.written)
        )
    )


def set_entry(
    session: Session,
    *,
    station_id: int,
    written: str,
    spoken: str,
    bulletin_id: int | None = None,
    actor: User,
    now: datetime,
) -> LexiconChange:
    """Say how a written thing is read from now on: in one bulletin, or at the whole station."""
    require(session, actor, "lexicon", now=now, message=NOT_YOURS)
    written, spoken = _plain(written), _plain(spoken)
    if not written or len(written) > 200:
        raise InputError("Hãy ghi chữ cần đọc khác đi, từ 1 đến 200 ký tự.")
    if not any(letter.isalpha() for letter in spoken) or len(spoken) > 500:
        raise InputError(f"Hãy ghi cách đọc của “{written}” bằng chữ, không quá 500 ký tự.")
    row = _row(session, station_id=station_id, written=written, bulletin_id=bulletin_id)
    if row is None:
        row = LexiconEntry(
            station_id=station_id, bulletin_id=bulletin_id, written=written, spoken=spoken,
            author_id=actor.id, updated_at=now,
        )  # fmt: skip
        session.add(row)
    else:
        row.spoken, row.author_id, row.updated_at = spoken, actor.id, now
    session.flush()
    record(
        session, station_id=station_id, actor=actor, action="sửa từ điển", subject=written,
        detail={"spoken": spoken, "bulletin": bulletin_id}, now=now,
    )  # fmt: skip
    altered = altered_by(session, station_id=station_id, written=written) if bulletin_id is None else ()
    return LexiconChange(written, spoken, altered)


def remove_entry(session: Session, entry_id: int, *, actor: User, now: datetime) -> LexiconChange:
    """Forget an entry: the words are read by rule again."""
    require(session, actor, "lexicon", now=now, message=NOT_YOURS)
    row = session.scalar(select(LexiconEntry).where(LexiconEntry.id == entry_id))
    if row is None:
        raise NotFound("Mục từ điển này không còn nữa.")
    session.delete(row)
    session.flush()
    record(
        session, station_id=row.station_id, actor=actor, action="bỏ mục từ điển", subject=row.written,
        detail={"spoken": row.spoken, "bulletin": row.bulletin_id}, now=now,
    )  # fmt: skip
    station_wide = row.bulletin_id is None
    altered = altered_by(session, station_id=row.station_id, written=row.written) if station_wide else ()
    return LexiconChange(row.written, "", altered)


def altered_by(session: Session, *, station_id: int, written: str) -> tuple[Bulletin, ...]:
    """Approved bulletins holding `written` that the dictionaries of now would read differently."""
    candidates = session.scalars(
        select(Bulletin).where(Bulletin.station_id == station_id).order_by(Bulletin.id)
    ).all()
    approved = approved_revisions(session, [bulletin.id for bulletin in candidates])
    found = []
    for bulletin in candidates:
        revision = approved.get(bulletin.id)
        if revision is None or written.casefold() not in revision.text.casefold():
            continue
        lexicon = lexicon_of(session, station_id=station_id, bulletin_id=bulletin.id)
        again = read(revision.text, lexicon=lexicon, answers=revision.answers)
        if reading_sha256(again) != revision.reading_sha256:
            found.append(bulletin)
    return tuple(found)


def _row(session: Session, *, station_id: int, written: str, bulletin_id: int | None) -> LexiconEntry | None:
    return session.scalar(
        select(LexiconEntry).where(
            LexiconEntry.station_id == station_id,
            LexiconEntry.bulletin_id == bulletin_id,
            LexiconEntry.written == written,
        )
    )


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
