"""`plan`: the ONE answer to what plays when and where.

Board, manifest, village page, print, feed and report all ask here, so they cannot disagree.  The number
of queries does not grow with the number of airings, items or villages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from broadcaster.errors import NotFound
from broadcaster.model import (
    AiringState,
    BulletinState,
    PlannedAiring,
    PlannedFile,
    PlannedItem,
    RenditionKind,
)
from broadcaster.newsroom.approved import Heading, approved_headings
from broadcaster.schedule.live import OPEN
from broadcaster.store.tables import (
    Airing,
    Bulletin,
    ProgrammeRow,
    Rendition,
    Revision,
    Topic,
    Variant,
    VariantItem,
    VariantVillage,
    Village,
)

_NOT_IN_TIME = "nếu không kịp giờ chốt thì không phát."
_NOTES = {
    BulletinState.DRAFT: f"Còn đang soạn; {_NOT_IN_TIME}",
    BulletinState.SUBMITTED: f"Chờ duyệt; {_NOT_IN_TIME}",
    BulletinState.RETURNED: f"Bị trả lại để sửa; {_NOT_IN_TIME}",
    BulletinState.WITHDRAWN: "Bản tin đã rút, sẽ không phát.",
    BulletinState.APPROVED: f"Bản thu chưa xong; {_NOT_IN_TIME}",
}

_OF_AIRING = (
    Airing.id.label("airing_id"), Airing.origin, Airing.state, Airing.reason, Airing.stop_reason, Airing.stopped_at,
    Airing.priority, Airing.local_date, Airing.start_local, Airing.planned_at, Airing.name.label("slot_name"),
    Airing.max_minutes, Airing.volume_percent, Airing.grace_s, Airing.wait_s, Airing.start_mode, Airing.late_policy,
)  # fmt: skip


def plan(session: Session, day: date, village: str | None = None) -> list[PlannedAiring]:
    """What plays on a local date: one line a variant, in order of time.  `village` = a slug, None = all."""
    return plan_days(session, day, 1, village)


def plan_days(session: Session, first: date, days: int, village: str | None = None) -> list[PlannedAiring]:
    """The same for `days` local dates from `first`.  Cancelled airings are no part of the plan."""
    last = first + timedelta(days=days - 1)
    return _lines(
        session,
        Airing.local_date.between(first, last),
        Airing.state != AiringState.CANCELLED,
        village=village,
    )


def plan_between(
    session: Session, first: datetime, last: datetime, village: str | None = None
) -> list[PlannedAiring]:
    """The same by instants, `first` <= planned_at < `last`: what a receiver must hold."""
    return _lines(
        session,
        Airing.planned_at >= first,
        Airing.planned_at < last,
        Airing.state != AiringState.CANCELLED,
        village=village,
    )


def next_airing(session: Session, now: datetime) -> PlannedAiring | None:
    """The next airing that will sound, or None when nothing is planned."""
    nearest = session.scalar(
        select(Airing.id)
        .where(Airing.planned_at > now, Airing.state.in_(OPEN))
        .order_by(Airing.planned_at, Airing.id)
        .limit(1)
    )
    return None if nearest is None else airing_of(session, nearest)


def airing_of(session: Session, airing_id: str, village: str | None = None) -> PlannedAiring:
    """One airing's line, cancelled ones too; of several variants the village's, or the first."""
    lines = _lines(session, Airing.id == airing_id, village=village)
    if not lines:
        raise NotFound("Không tìm thấy buổi phát này ở đài. Hãy mở lại lịch phát và chọn buổi khác.")
    return lines[0]


def _lines(session: Session, *which: ColumnElement[bool], village: str | None) -> list[PlannedAiring]:
    # Plain columns, joined: no rows of text or of readings are fetched, and what the session already holds
    # is neither used nor refreshed.
    rows = session.execute(
        select(
            Variant.id.label("variant_id"),
            Variant.number,
            *_OF_AIRING,
            ProgrammeRow.duration_ms,
            ProgrammeRow.revoked_reason,
            Rendition.kind,
            Rendition.sha256,
            Rendition.size_bytes,
        )
        .join(Variant, Variant.airing_id == Airing.id)
        .outerjoin(ProgrammeRow, ProgrammeRow.id == Variant.programme_id)
        .outerjoin(Rendition, Rendition.programme_id == ProgrammeRow.id)
        .where(*which)
        .order_by(Airing.planned_at, Airing.id, Variant.number, Rendition.id)
    ).all()
    if not rows:
        return []
    variants: dict[int, Row[*tuple[Any, ...]]] = {}
    files: dict[int, dict[RenditionKind, PlannedFile]] = {}
    for row in rows:
        variants.setdefault(row.variant_id, row)
        if row.sha256 is not None:
            files.setdefault(row.variant_id, {})[row.kind] = PlannedFile(row.sha256, row.size_bytes)
    heard_by = _villages(session, which)
    items = _items(session, which)
    lines = [
        _line(row, items.get(key, ()), files.get(key, {}), heard_by.get(key, ()))
        for key, row in variants.items()
    ]
    if village is not None:
        lines = [line for line in lines if village in line.villages]
    return sorted(
        lines, key=lambda line: (line.planned_at, -line.priority.rank, line.airing_id, line.variant)
    )


def _items(session: Session, which: Sequence[ColumnElement[bool]]) -> Mapping[int, tuple[PlannedItem, ...]]:
    rows = session.execute(
        select(
            VariantItem.variant_id,
            VariantItem.revision_id,
            VariantItem.dropped_reason,
            Airing.state.label("airing_state"),
            Bulletin.id.label("bulletin_id"),
            Bulletin.title,
            Bulletin.state,
            Topic.title.label("topic"),
            Revision.title.label("fixed_title"),
        )
        .join(Variant, Variant.id == VariantItem.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .join(Bulletin, Bulletin.id == VariantItem.bulletin_id)
        .outerjoin(Topic, Topic.id == Bulletin.topic_id)
        .outerjoin(Revision, Revision.id == VariantItem.revision_id)
        .where(*which)
        .order_by(VariantItem.variant_id, VariantItem.position)
    ).all()
    approved = approved_headings(
        session, {row.bulletin_id for row in rows if row.airing_state is AiringState.PLANNED}
    )
    found: dict[int, tuple[PlannedItem, ...]] = {}
    for row in rows:
        item = _item(row, approved.get(row.bulletin_id))
        found[row.variant_id] = (*found.get(row.variant_id, ()), item)
    return found


def _villages(session: Session, which: Sequence[ColumnElement[bool]]) -> Mapping[int, tuple[str, ...]]:
    # Plain columns instead of Village objects, and the villages' order looked up once: 37 villages x 28
    # airings are a thousand rows a page, and nearly all variants reach the same ones.
    rows = session.execute(
        select(VariantVillage.variant_id, VariantVillage.village_id)
        .join(Variant, Variant.id == VariantVillage.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .where(*which)
    )
    reached: dict[int, set[int]] = {}
    for variant_id, village_id in rows:
        reached.setdefault(variant_id, set()).add(village_id)
    in_order = session.execute(select(Village.id, Village.slug).order_by(Village.position, Village.id)).all()
    known: dict[frozenset[int], tuple[str, ...]] = {}
    found: dict[int, tuple[str, ...]] = {}
    for variant_id, ids in reached.items():
        same = frozenset(ids)
        if same not in known:
            known[same] = tuple(slug for village_id, slug in in_order if village_id in same)
        found[variant_id] = known[same]
    return found


def _line(
    row: Row[*tuple[Any, ...]],
    items: tuple[PlannedItem, ...],
    files: Mapping[RenditionKind, PlannedFile],
    villages: tuple[str, ...],
) -> PlannedAiring:
    made = row.duration_ms is not None
    usable = made and not row.revoked_reason and row.stopped_at is None
    begun = row.state is AiringState.STARTED  # its length is history, also after a revocation
    return PlannedAiring(
        airing_id=row.airing_id,
        origin=row.origin,
        state=row.state,
        reason=row.stop_reason if row.stopped_at is not None else row.reason,
        priority=row.priority,
        local_date=row.local_date,
        start_local=row.start_local,
        planned_at=row.planned_at,
        slot_name=row.slot_name,
        variant=row.number,
        villages=villages,
        items=items,
        files=files if usable else {},
        duration_ms=row.duration_ms if usable or begun else None,
        max_ms=row.max_minutes * 60_000,
        volume_percent=row.volume_percent,
        grace_s=row.grace_s,
        wait_s=row.wait_s,
        start_mode=row.start_mode,
        late_policy=row.late_policy,
        stopped_at=row.stopped_at,
    )


def _item(row: Row[*tuple[Any, ...]], approved: Heading | None) -> PlannedItem:
    if row.airing_state is AiringState.PLANNED:
        sounds = approved is not None and approved.spoken
        state = row.state if approved is None else BulletinState.APPROVED
        note = "" if sounds else _NOTES[state]
        title = approved.title if approved is not None else row.title
    else:
        sounds = row.revision_id is not None and not row.dropped_reason
        note = row.dropped_reason
        title = row.fixed_title if row.fixed_title is not None else row.title
    return PlannedItem(
        title=title, bulletin_id=row.bulletin_id, topic=row.topic or "", approved=sounds, note=note
    )
