"""Undo for drafts: copies of what a saving replaced.

A draft saves itself while somebody types, so a slip of the hand is saved too; what it took away is kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from broadcaster.errors import NotFound
from broadcaster.store.tables import Bulletin, DraftCopy, User

EVERY = timedelta(minutes=10)  # while somebody types on, one copy in this time is enough
MUCH = 0.8  # a saving that leaves less than this share of the text has taken much away


def worth_keeping(old: str, new: str, *, last: datetime | None, now: datetime) -> bool:
    """Whether a copy of `old` is wanted before `new` replaces it; `last` = when the last copy was made.  Pure."""
    if not old.strip():
        return False
    return last is None or now - last >= EVERY or len(new) < MUCH * len(old)


def keep_copy(
    session: Session, bulletin: Bulletin, *, title: str, text: str, actor: User, now: datetime
) -> DraftCopy | None:
    """Copy the draft as it stands when replacing it by `title` and `text` might be regretted."""
    newest = session.scalar(
        select(DraftCopy).where(DraftCopy.bulletin_id == bulletin.id).order_by(DraftCopy.id.desc()).limit(1)
    )
    last = newest.replaced_at if newest is not None else None
    if not worth_keeping(f"{bulletin.title}\n{bulletin.draft_text}", f"{title}\n{text}", last=last, now=now):
        return None
    if newest is not None and (newest.title, newest.text) == (bulletin.title, bulletin.draft_text):
        return None
    copy = DraftCopy(
        station_id=bulletin.station_id, bulletin_id=bulletin.id, title=bulletin.title, text=bulletin.draft_text,
        answers=dict(bulletin.draft_answers), replaced_by_id=actor.id, replaced_at=now,
    )  # fmt: skip
    session.add(copy)
    return copy


def copies(session: Session, bulletin_id: int) -> list[DraftCopy]:
    """What was kept of a bulletin's drafts, newest first."""
    return list(
        session.scalars(
            select(DraftCopy)
            .where(DraftCopy.bulletin_id == bulletin_id)
            .options(joinedload(DraftCopy.replaced_by))
            .order_by(DraftCopy.id.desc())
        )
    )


def copy_by_id(session: Session, bulletin_id: int, copy_id: int) -> DraftCopy:
    """One copy; NotFound when it is not of this bulletin."""
    copy = session.scalar(
        select(DraftCopy).where(DraftCopy.id == copy_id, DraftCopy.bulletin_id == bulletin_id)
    )
    if copy is None:
        raise NotFound("Không thấy bản nháp cũ này. Hãy mở lại bản tin và chọn trong danh sách.")
    return copy
