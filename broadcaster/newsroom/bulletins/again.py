"""Beginning again: from a copy of an earlier draft, or a new bulletin from an old one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from broadcaster.newsroom.bulletins.copies import copy_by_id, keep_copy
from broadcaster.newsroom.bulletins.drafts import create_bulletin, save_draft
from broadcaster.newsroom.bulletins.found import bulletin_by_id
from broadcaster.newsroom.lexicon import entries
from broadcaster.newsroom.people import record
from broadcaster.store.tables import Bulletin, LexiconEntry, User


def restore_copy(
    session: Session, bulletin_id: int, copy_id: int, *, version: int, actor: User, now: datetime
) -> Bulletin:
    """Make a copy the draft again; what stands there now is kept as a copy in its turn."""
    copy = copy_by_id(session, bulletin_id, copy_id)
    bulletin = bulletin_by_id(session, bulletin_id, to_change=True)
    _keep_surely(session, bulletin, actor=actor, now=now)
    bulletin = save_draft(
        session, bulletin_id, version=version, actor=actor, title=copy.title, text=copy.text,
        topic_id=bulletin.topic_id, priority=bulletin.priority, read_twice=bulletin.read_twice, now=now,
    )  # fmt: skip
    bulletin.draft_answers = {**copy.answers, **bulletin.draft_answers}
    record(
        session, station_id=bulletin.station_id, actor=actor, action="lấy lại bản nháp cũ",
        subject=f"bản tin {bulletin.id}", detail={"copy": copy.id}, now=now,
    )  # fmt: skip
    return bulletin


def copy_as_new(session: Session, bulletin_id: int, *, actor: User, now: datetime) -> Bulletin:
    """A new draft with the text, answers, voice and topic of another bulletin; that one stays as it is."""
    old = bulletin_by_id(session, bulletin_id)
    new = create_bulletin(
        session, station_id=old.station_id, author=actor, title=old.title, text=old.draft_text,
        topic_id=old.topic_id, priority=old.priority, read_twice=old.read_twice, source_name=old.source_name,
        now=now,
    )  # fmt: skip
    new.draft_answers, new.voice, new.speed = dict(old.draft_answers), old.voice, old.speed
    for entry in entries(session, bulletin_id=old.id):
        session.add(
            LexiconEntry(
                station_id=old.station_id, bulletin_id=new.id, written=entry.written, spoken=entry.spoken,
                author_id=actor.id, updated_at=now,
            )
        )  # fmt: skip
    session.flush()
    return new


def _keep_surely(session: Session, bulletin: Bulletin, *, actor: User, now: datetime) -> None:
    keep_copy(session, bulletin, title="", text="", actor=actor, now=now)
    session.flush()
