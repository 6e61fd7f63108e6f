"""From plan to fact: the content of an airing is fixed, its instant comes, or it is left out with a reason."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from broadcaster.errors import InputError, Refused
from broadcaster.model import AiringState, BulletinState
from broadcaster.newsroom.approved import approved_revisions
from broadcaster.newsroom.people import record
from broadcaster.schedule.fallback import carry_over, fill
from broadcaster.schedule.live import CLOCK, OPEN, bump_plan, called, load_airing, not_started
from broadcaster.store.tables import (
    Airing,
    Bulletin,
    RenderJob,
    Revision,
    Station,
    User,
    Variant,
    VariantItem,
)

NOTHING_PLACED = "Chưa xếp bản tin nào vào buổi này."
NOTHING_APPROVED = "Không có bản tin nào được duyệt trước giờ chốt nội dung."
NOT_RENDERED = "Chương trình chưa dựng xong khi hết thời gian chờ."
_WHY = {
    BulletinState.DRAFT: "Bản tin còn đang soạn khi chốt nội dung.",
    BulletinState.SUBMITTED: "Bản tin chưa được duyệt khi chốt nội dung.",
    BulletinState.RETURNED: "Bản tin bị trả lại, chưa duyệt khi chốt nội dung.",
    BulletinState.WITHDRAWN: "Bản tin đã rút.",
    BulletinState.APPROVED: "Bản thu của bản tin chưa xong khi chốt nội dung.",
}


def due_for_closing(session: Session, station: Station, *, now: datetime, minutes: int) -> list[Airing]:
    """Airings whose content must be fixed by now, nearest first."""
    return list(
        session.scalars(
            select(Airing)
            .where(
                Airing.station_id == station.id,
                Airing.state == AiringState.PLANNED,
                Airing.planned_at <= now + timedelta(minutes=minutes),
            )
            .order_by(Airing.planned_at)
            .options(
                selectinload(Airing.variants).selectinload(Variant.items).selectinload(VariantItem.bulletin),
                selectinload(Airing.variants).selectinload(Variant.programme),
            )
        )
    )


def close_content(session: Session, airing: Airing, *, now: datetime) -> None:
    """Fix which revision each item sounds as; drop what is not approved, with the reason.

    What came too late goes into the slot's next airing where the slot says so; an airing left with nothing
    gets a filler, or is SKIPPED.  When the clock was down until after the instant, the items are
    those of the programme that receivers already held, because that is what they played.
    """
    if airing.state is not AiringState.PLANNED:
        return
    items = [item for variant in airing.variants for item in variant.items]
    approved = approved_revisions(session, [item.bulletin_id for item in items])
    late = airing.planned_at <= now
    for variant in airing.variants:
        held = None
        if late and variant.programme is not None:
            key = variant.programme.input_key
            held = revisions_made_from(session, airing.station_id, [key]).get(key)
        for item in variant.items:
            _fix(item, approved.get(item.bulletin_id), held)
    dropped = [item for item in items if item.dropped_reason]
    if not late:  # what was due already cannot be mended; what is to come can
        carry_over(session, airing, dropped, now=now)
    if len(dropped) < len(items) or (not late and fill(session, airing, now=now) is not None):
        airing.state = AiringState.CLOSED
    else:
        airing.state = AiringState.SKIPPED
        airing.reason = NOTHING_APPROVED if items else NOTHING_PLACED
    session.flush()
    record(
        session,
        station_id=airing.station_id,
        actor=CLOCK,
        action="chốt nội dung",
        subject=airing.id,
        detail={
            "items": {
                str(item.bulletin_id): item.revision_id
                for variant in airing.variants
                for item in variant.items
            },
            "reason": airing.reason,
        },
        now=now,
    )
    bump_plan(session, airing.station_id)


def _fix(item: VariantItem, approved: Revision | None, held: dict[int, int] | None) -> None:
    if held is not None:
        item.revision_id = held.get(item.bulletin_id)
        item.dropped_reason = "" if item.revision_id else "Bản tin chưa có trong chương trình đã phát."
    elif approved is not None and approved.take is not None:
        item.revision_id, item.dropped_reason = approved.id, ""
    else:
        item.revision_id, item.dropped_reason = None, why_dropped(item.bulletin, approved)


def why_dropped(bulletin: Bulletin, approved: Revision | None) -> str:
    """Why a bulletin does not sound, in one sentence."""
    return _WHY[BulletinState.APPROVED if approved is not None else bulletin.state]


def revisions_made_from(
    session: Session, station_id: int, keys: Collection[str]
) -> dict[str, dict[int, int]]:
    """input key -> {bulletin id: revision id} that a programme was made from; unknown keys are left out."""
    if not keys:
        return {}
    rows = session.execute(
        select(RenderJob.key, RenderJob.payload).where(
            RenderJob.station_id == station_id, RenderJob.kind == "programme", RenderJob.key.in_(keys)
        )
    )
    return {
        key: {int(item["bulletin_id"]): int(item["revision_id"]) for item in payload["items"]}
        for key, payload in rows
    }


def due_for_render(session: Session, station: Station, *, until: datetime) -> list[Airing]:
    """Airings up to `until` that may still need a programme, nearest first, with all that one is made of."""
    return _with_everything(
        session,
        Airing.station_id == station.id,
        Airing.state.in_(OPEN),
        Airing.planned_at < until,
        Airing.emergency_id.is_(None),  # its one message was made before it was accepted
    )


def lately_started(session: Session, station: Station, *, since: datetime) -> list[Airing]:
    """Airings that began after `since`: they may sound now, or wait to be resumed, or be heard again."""
    return _with_everything(
        session,
        Airing.station_id == station.id,
        Airing.state == AiringState.STARTED,
        Airing.planned_at > since,
        Airing.emergency_id.is_(None),
    )


def _with_everything(session: Session, *which: ColumnElement[bool]) -> list[Airing]:
    return list(
        session.scalars(
            select(Airing)
            .where(*which)
            .order_by(Airing.planned_at, Airing.id)
            .options(
                selectinload(Airing.variants).options(
                    selectinload(Variant.items).options(
                        selectinload(VariantItem.bulletin).selectinload(Bulletin.topic),
                        selectinload(VariantItem.revision).selectinload(Revision.take),
                    ),
                    selectinload(Variant.programme),
                )
            )
        )
    )


def mark_started(session: Session, station: Station, *, now: datetime) -> int:
    """Freeze the airings whose instant has come; leave out those that have no sound after their grace.

    Returns how many changed.
    """
    due = session.scalars(
        select(Airing)
        .where(Airing.station_id == station.id, Airing.state == AiringState.CLOSED, Airing.planned_at <= now)
        .options(selectinload(Airing.variants).selectinload(Variant.programme))
    ).all()
    changed = 0
    for airing in due:
        ready = any(one.programme is not None and not one.programme.revoked_reason for one in airing.variants)
        if ready:
            airing.state = AiringState.STARTED
        elif airing.planned_at + timedelta(seconds=airing.grace_s) < now:
            airing.state, airing.reason = AiringState.SKIPPED, NOT_RENDERED
            record(
                session, station_id=station.id, actor=CLOCK, action="bỏ buổi phát", subject=airing.id,
                detail={"reason": airing.reason}, now=now,
            )  # fmt: skip
        else:
            continue
        changed += 1
    if changed:
        session.flush()
        bump_plan(session, station.id)
    return changed


def skip_airing(session: Session, airing_id: str, *, reason: str, actor: User, now: datetime) -> Airing:
    """Leave an airing out on purpose; the reason is shown wherever the airing is."""
    if not reason.strip():
        raise InputError("Hãy ghi lý do cho buổi phát nghỉ; lý do sẽ hiện trên bảng và báo cáo.")
    airing = load_airing(session, airing_id)
    if not not_started(airing, now):
        raise Refused(
            f"Buổi {called(airing)} đã tới giờ phát hoặc đã bỏ, không cho nghỉ được nữa.",
            remedies=("Dùng nút “Dừng ngay” nếu loa đang phát.", "Cho buổi sau nghỉ."),
        )
    assert airing.state in OPEN
    airing.state, airing.reason = AiringState.SKIPPED, reason.strip()
    session.flush()
    record(
        session, station_id=airing.station_id, actor=actor, action="bỏ buổi phát", subject=airing.id,
        detail={"reason": airing.reason}, now=now,
    )  # fmt: skip
    bump_plan(session, airing.station_id)
    return airing
