"""Mark and sweep: which files of sound have outlived their keeping time, and taking those away.

Text, reading, approval, hash and log stay for good.  A file goes when nothing may need it again: a programme
whose last airing lies before the cut, a take that has been superseded or withdrawn and has not aired since, and
a file that no row names.  Everything else that any row names by its hash stays, whatever table it is in.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import JSON, String, TypeDecorator, and_, cast, exists, func, or_, select, text
from sqlalchemy.orm import Session

from broadcaster.model import BulletinState
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.tables import (
    Airing,
    Base,
    Bulletin,
    Emergency,
    ProgrammeRow,
    Rendition,
    Revision,
    SweptAudio,
    TakeRow,
    Variant,
    VariantItem,
)

ORPHAN_AFTER: Final = timedelta(days=7)  # a worker writes the file first and the row after
_HASH: Final = re.compile(r"[0-9a-f]{64}")
# They tell what happened, or have a keeping time of their own: being named there keeps no file.
_RECORDS: Final = frozenset(
    ("as_run", "audit", "decision", "rendition", "take", "render_job", "swept_audio", "upkeep_run")
)


@dataclass(frozen=True, slots=True)
class Doomed:
    """A file whose time has run out, and why."""

    sha256: str
    suffix: str
    size_bytes: int
    why: str


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What a sweep would take away and what it leaves; sizes in bytes."""

    cut: date
    doomed: tuple[Doomed, ...]
    kept: int
    kept_bytes: int

    @property
    def doomed_bytes(self) -> int:
        """What would be won."""
        return sum(one.size_bytes for one in self.doomed)


def plan_sweep(session: Session, blobs: Blobs, *, now: datetime, months: int) -> SweepPlan:
    """Mark: nothing is changed.  `session` sees every station."""
    cut = months_before(now.date(), months)
    needed = (
        _named_elsewhere(session)
        | _programmes(session, cut, expired=False)
        | _takes(session, cut, expired=False)
    )
    ended = _programmes(session, cut, expired=True) - needed
    spoken = _takes(session, cut, expired=True) - needed
    doomed: list[Doomed] = []
    kept = kept_bytes = 0
    for sha256, suffix, size, written in blobs.written():
        why = ""
        if sha256 in needed:
            pass
        elif sha256 in ended:
            why = f"chương trình phát lần cuối trước {cut:%d/%m/%Y}"
        elif sha256 in spoken:
            why = f"bản thu đã thay hoặc rút, không phát từ {cut:%d/%m/%Y}"
        elif now - written > ORPHAN_AFTER:
            why = "không có trong sổ nào của đài"
        if why:
            doomed.append(Doomed(sha256, suffix, size, why))
        else:
            kept, kept_bytes = kept + 1, kept_bytes + size
    return SweepPlan(cut, tuple(sorted(doomed, key=lambda one: one.sha256)), kept, kept_bytes)


def sweep(db: Database, blobs: Blobs, plan: SweepPlan, *, now: datetime) -> int:
    """Take the plan's files away; returns how many.  What got a use since the plan was made stays."""
    with db.writing() as session:
        needed = (
            _named_elsewhere(session)
            | _programmes(session, plan.cut, expired=False)
            | _takes(session, plan.cut, expired=False)
        )
        going = [one for one in plan.doomed if one.sha256 not in needed]
        for one in going:
            row = session.get(SweptAudio, one.sha256) or SweptAudio(sha256=one.sha256)
            row.suffix, row.size_bytes, row.why, row.swept_at = one.suffix, one.size_bytes, one.why, now
            session.add(row)
    for one in going:
        blobs.delete(one.sha256, suffix=one.suffix)
    return len(going)


def months_before(day: date, months: int) -> date:
    """The same day of the month so many months ago, or the last there is."""
    count = day.year * 12 + day.month - 1 - months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _programmes(session: Session, cut: date, *, expired: bool) -> set[str]:
    """Hashes of the programmes that are still needed, or of those that are not."""
    instant = func.date(ProgrammeRow.made_at)
    aired = exists().where(
        Variant.programme_id == ProgrammeRow.id, Variant.airing_id == Airing.id, Airing.local_date >= cut
    )
    ahead = exists().where(Emergency.programme_key == ProgrammeRow.input_key, Emergency.state == "waiting")
    recent = cast(instant, String) >= cut.isoformat()
    alive = or_(aired, ahead, recent)
    return set(
        session.scalars(
            select(Rendition.sha256)
            .join(ProgrammeRow, ProgrammeRow.id == Rendition.programme_id)
            .where(~alive if expired else alive)
        )
    )


def _takes(session: Session, cut: date, *, expired: bool) -> set[str]:
    """Hashes of takes; a bulletin's newest stays as long as the bulletin may still air."""
    newest = (
        select(func.max(Revision.number))
        .where(Revision.bulletin_id == Bulletin.id)
        .correlate(Bulletin)
        .scalar_subquery()
    )
    approved = text(
        "EXISTS (SELECT 1 FROM decision AS d WHERE d.revision_id = revision.id AND d.verdict = 'approved' AND "
        "d.id = (SELECT max(e.id) FROM decision AS e WHERE e.revision_id = revision.id))"
    )
    alive = exists(
        select(Revision.id)
        .join(Bulletin, Bulletin.id == Revision.bulletin_id)
        .where(
            Revision.take_id == TakeRow.id,
            or_(
                and_(Revision.number == newest, Bulletin.state != BulletinState.WITHDRAWN),
                and_(approved, Bulletin.state != BulletinState.WITHDRAWN),
                exists().where(
                    VariantItem.revision_id == Revision.id,
                    VariantItem.variant_id == Variant.id,
                    Variant.airing_id == Airing.id,
                    Airing.local_date >= cut,
                ),
            ),
        )
    )
    recent = cast(func.date(TakeRow.created_at), String) >= cut.isoformat()
    wanted = or_(alive, recent)
    return set(session.scalars(select(TakeRow.sha256).where(~wanted if expired else wanted)))


def _named_elsewhere(session: Session) -> set[str]:
    """Every hash that any other table names, in a column of its own or inside its data."""
    found: set[str] = set()
    for table in Base.metadata.sorted_tables:
        if table.name in _RECORDS:
            continue
        for column in table.columns:
            kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
            if isinstance(kind, JSON):
                for value in session.execute(
                    select(cast(column, String)).where(column.is_not(None))
                ).scalars():
                    found.update(_HASH.findall(value or ""))
            elif "sha256" in column.name:
                found.update(value for value in session.execute(select(column)).scalars() if value)
    return found
