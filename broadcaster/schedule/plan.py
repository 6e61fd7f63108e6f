"""`plan`: the ONE answer to what plays when and where.

Board, manifest, village page, print, feed and report all ask here, so they cannot disagree.  The number
of queries does not grow with the number of airings, items or villages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from broadcaster.errors import NotFound
from broadcaster.model import (
    AiringState,
    BulletinState,
    PlannedAiring,
    PlannedFile,
    PlannedItem,
    RenditionKind,
)
from broadcaster.newsroom.approved import approved_revisions
from broadcaster.schedule.live import OPEN
from broadcaster.store.tables import (
    Airing,
    Bulletin,
    ProgrammeRow,
    Revision,
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
    airings = session.scalars(
        select(Airing)
        .where(*which)
        .order_by(Airing.planned_at, Airing.id)
        .options(
            selectinload(Airing.variants).options(
                selectinload(Variant.items).options(
                    selectinload(VariantItem.bulletin).selectinload(Bulletin.topic),
                    selectinload(VariantItem.revision),
                ),
                selectinload(Variant.programme).selectinload(ProgrammeRow.renditions),
            )
        )
        .execution_options(populate_existing=True)
    ).all()
    if not airings:
        return []
    heard_by = _villages(session, which)
    open_items = {
        item.bulletin_id
        for airing in airings
        if airing.state is AiringState.PLANNED
        for variant in airing.variants
        for item in variant.items
    }
    approved = approved_revisions(session, open_items)
    lines = [
        _line(airing, variant, heard_by.get(variant.id, ()), approved)
        for airing in airings
        for variant in airing.variants
    ]
    if village is not None:
        lines = [line for line in lines if village in line.villages]
    return sorted(
        lines, key=lambda line: (line.planned_at, -line.priority.rank, line.airing_id, line.variant)
    )


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
    airing: Airing, variant: Variant, villages: tuple[str, ...], approved: Mapping[int, Revision]
) -> PlannedAiring:
    programme = variant.programme
    usable = programme is not None and not programme.revoked_reason and airing.stopped_at is None
    begun = airing.state is AiringState.STARTED  # its length is history, also after a revocation
    return PlannedAiring(
        airing_id=airing.id,
        origin=airing.origin,
        state=airing.state,
        reason=airing.stop_reason if airing.stopped_at is not None else airing.reason,
        priority=airing.priority,
        local_date=airing.local_date,
        start_local=airing.start_local,
        planned_at=airing.planned_at,
        slot_name=airing.name,
        variant=variant.number,
        villages=villages,
        items=tuple(_item(airing, item, approved.get(item.bulletin_id)) for item in variant.items),
        files=_files(programme) if usable and programme is not None else {},
        duration_ms=programme.duration_ms if programme is not None and (usable or begun) else None,
        max_ms=airing.max_minutes * 60_000,
        volume_percent=airing.volume_percent,
        grace_s=airing.grace_s,
        wait_s=airing.wait_s,
        start_mode=airing.start_mode,
        late_policy=airing.late_policy,
        stopped_at=airing.stopped_at,
    )


def _item(airing: Airing, item: VariantItem, approved: Revision | None) -> PlannedItem:
    bulletin = item.bulletin
    if airing.state is AiringState.PLANNED:
        sounds = approved is not None and approved.take is not None
        state = bulletin.state if approved is None else BulletinState.APPROVED
        note = "" if sounds else _NOTES[state]
        revision = approved
    else:
        sounds, note, revision = (
            item.revision_id is not None and not item.dropped_reason,
            item.dropped_reason,
            item.revision,
        )
    return PlannedItem(
        title=revision.title if revision is not None else bulletin.title,
        bulletin_id=bulletin.id,
        topic=bulletin.topic.title if bulletin.topic is not None else "",
        approved=sounds,
        note=note,
    )


def _files(programme: ProgrammeRow) -> dict[RenditionKind, PlannedFile]:
    return {row.kind: PlannedFile(row.sha256, row.size_bytes) for row in programme.renditions}
