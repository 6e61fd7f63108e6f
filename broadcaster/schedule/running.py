"""The running order of an airing: what goes in, in which order, and whether it fits.

Length is known before anything is scheduled: the measured programme when there is one, otherwise the
frozen takes, otherwise an estimate from the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer, joinedload

from broadcaster.errors import InputError, NotFound, Refused
from broadcaster.model import AiringState, BulletinState, Priority
from broadcaster.newsroom.approved import approved_revisions
from broadcaster.newsroom.people import record
from broadcaster.schedule import policy as rules_of_the_station
from broadcaster.schedule.live import bump_plan, called, load_changeable, station_of
from broadcaster.store.tables import Airing, Bulletin, Revision, User, Variant, VariantItem

FRAME_MS = 45_000  # opening, call sign, greeting and closing around the items
CUT_MS = 2_500  # between two items
SYLLABLES_A_MINUTE = 170  # what outdoor horns carry; used only where no take exists yet


def place(
    session: Session,
    airing_id: str,
    bulletin_id: int,
    *,
    position: int | None = None,
    actor: User,
    now: datetime,
) -> Airing:
    """Put a bulletin into an airing, at `position` (1 = first) or at the end.

    Refused when it is there already, was withdrawn, would not fit into the airing's minutes, or when the
    content is closed and the bulletin is neither approved nor a priority.
    """
    airing = load_changeable(session, airing_id, now=now)
    bulletin = session.get(Bulletin, bulletin_id)
    if bulletin is None or bulletin.station_id != airing.station_id:
        raise NotFound("Không tìm thấy bản tin này ở đài. Hãy mở lại danh sách bản tin và chọn lại.")
    if bulletin.state is BulletinState.WITHDRAWN:
        raise Refused(
            f"Bản tin “{bulletin.title}” đã rút, không xếp vào buổi phát được. Hãy chọn bản tin khác."
        )
    revision = approved_revisions(session, [bulletin_id]).get(bulletin_id)
    if airing.state is AiringState.CLOSED:
        _check_closed(airing, bulletin, revision)
    _check_repeats(session, airing, bulletin)
    for variant in airing.variants:
        if any(item.bulletin_id == bulletin_id for item in variant.items):
            raise Refused(f"Bản tin “{bulletin.title}” đã có trong buổi {called(airing)}.")
        _check_fits(session, airing, variant, bulletin)
        item = VariantItem(bulletin_id=bulletin_id, bulletin=bulletin, position=0)
        if airing.state is AiringState.CLOSED and revision is not None:
            item.revision_id = revision.id
        variant.items.insert(_index(variant, position), item)
        _renumber(variant)
    _tell(session, airing, actor, "xếp bản tin", {"bulletin": bulletin_id}, now)
    return airing


def remove_item(session: Session, airing_id: str, bulletin_id: int, *, actor: User, now: datetime) -> Airing:
    """Take a bulletin out of an airing that has not started."""
    airing = load_changeable(session, airing_id, now=now)
    found = False
    for variant in airing.variants:
        for item in [one for one in variant.items if one.bulletin_id == bulletin_id]:
            variant.items.remove(item)
            found = True
        _renumber(variant)
    if not found:
        raise NotFound(f"Bản tin này không có trong buổi {called(airing)}. Hãy tải lại trang.")
    _tell(session, airing, actor, "bỏ bản tin khỏi buổi", {"bulletin": bulletin_id}, now)
    return airing


def move_item(
    session: Session, airing_id: str, bulletin_id: int, *, position: int, actor: User, now: datetime
) -> Airing:
    """Move a bulletin within the running order; `position` 1 = first, beyond the end = last."""
    airing = load_changeable(session, airing_id, now=now)
    found = False
    for variant in airing.variants:
        for item in [one for one in variant.items if one.bulletin_id == bulletin_id]:
            # Reordered by number, not by taking it out and in again: that would delete the row.
            order = [one for one in variant.items if one is not item]
            order.insert(min(max(position, 1) - 1, len(order)), item)
            for number, one in enumerate(order, start=1):
                one.position = number
            variant.items.sort(key=lambda one: one.position)
            found = True
    if not found:
        raise NotFound(f"Bản tin này không có trong buổi {called(airing)}. Hãy tải lại trang.")
    _tell(session, airing, actor, "đổi thứ tự", {"bulletin": bulletin_id, "position": position}, now)
    return airing


def speech_ms(bulletin: Bulletin, revision: Revision | None) -> int:
    """How long a bulletin sounds: its take, or an estimate from its words; twice where it is read twice."""
    if revision is not None and revision.take is not None:
        once = revision.take.duration_ms
    else:
        words = len((revision.text if revision is not None else bulletin.draft_text).split())
        once = words * 60_000 // SYLLABLES_A_MINUTE
    twice = revision.read_twice if revision is not None else bulletin.read_twice
    return once * 2 if twice else once


def spoken_lengths(session: Session, bulletins: Iterable[Bulletin]) -> dict[int, int]:
    """bulletin id -> how long it sounds in ms, from its approved revision, else its newest, else its words."""
    every = list(bulletins)
    approved = approved_revisions(session, [one.id for one in every])
    newest = _newest(session, [one.id for one in every if one.id not in approved])
    return {one.id: speech_ms(one, approved.get(one.id) or newest.get(one.id)) for one in every}


def length_ms(session: Session, bulletins: Iterable[Bulletin]) -> int:
    """Expected length of a programme that carries these bulletins, frame and cuts included."""
    return framed_ms(spoken_lengths(session, bulletins).values())


def framed_ms(items_ms: Iterable[int]) -> int:
    """Length of a programme around items of these lengths; nothing when there is no item."""
    every = list(items_ms)
    return FRAME_MS + sum(every) + CUT_MS * max(len(every) - 1, 0) if every else 0


def variant_length_ms(session: Session, variant: Variant) -> int:
    """Measured length when the wanted programme is rendered, the expected one otherwise."""
    programme = variant.programme
    if programme is not None and programme.input_key == variant.wanted_key:
        return programme.duration_ms
    return length_ms(session, [item.bulletin for item in variant.items if not item.dropped_reason])


def _newest(session: Session, bulletin_ids: Sequence[int]) -> dict[int, Revision]:
    """bulletin id -> what was sent last, whatever became of it.  One query for many."""
    if not bulletin_ids:
        return {}
    last = (
        select(Revision.bulletin_id, func.max(Revision.number).label("number"))
        .where(Revision.bulletin_id.in_(bulletin_ids))
        .group_by(Revision.bulletin_id)
        .subquery()
    )
    rows = session.scalars(
        select(Revision)
        .join(last, (last.c.bulletin_id == Revision.bulletin_id) & (last.c.number == Revision.number))
        .options(joinedload(Revision.take), defer(Revision.reading))
    )
    return {row.bulletin_id: row for row in rows}


def _check_closed(airing: Airing, bulletin: Bulletin, revision: Revision | None) -> None:
    if bulletin.priority is Priority.ROUTINE or revision is None:
        raise Refused(
            f"Buổi {called(airing)} đã chốt nội dung; chỉ bản tin ưu tiên đã duyệt mới được thêm vào lúc này.",
            remedies=(
                "Xếp vào buổi sau.",
                "Nâng bản tin lên mức ưu tiên và duyệt.",
                "Thêm một buổi bổ sung.",
            ),
        )


def _check_fits(session: Session, airing: Airing, variant: Variant, bulletin: Bulletin) -> None:
    carried = [item.bulletin for item in variant.items if not item.dropped_reason]
    length = length_ms(session, [*carried, bulletin])
    if length > airing.max_minutes * 60_000:
        raise Refused(
            f"Thêm “{bulletin.title}” thì buổi {called(airing)} dài khoảng {minutes_text(length)},"
            f" quá {airing.max_minutes} phút của khung giờ.",
            remedies=("Xếp vào buổi khác.", "Bỏ bớt một bản tin.", "Rút ngắn bản tin rồi trình lại."),
        )


def _check_repeats(session: Session, airing: Airing, bulletin: Bulletin) -> None:
    window = timedelta(days=rules_of_the_station.REPEAT_WINDOW_DAYS)
    placed = session.execute(
        select(Airing.id, Airing.local_date)
        .join(Variant, Variant.airing_id == Airing.id)
        .join(VariantItem, VariantItem.variant_id == Variant.id)
        .where(
            VariantItem.bulletin_id == bulletin.id,
            VariantItem.dropped_reason == "",
            Airing.id != airing.id,
            Airing.state.not_in([AiringState.CANCELLED, AiringState.SKIPPED]),
            Airing.local_date.between(airing.local_date - window, airing.local_date + window),
        )
        .distinct()
    )
    policy = rules_of_the_station.Policy.from_data(station_of(session, airing.station_id).policy)
    found = rules_of_the_station.check_repeats(
        policy, bulletin.title, airing.local_date, [day for _, day in placed]
    )
    if found:
        raise Refused(found[0].message, remedies=found[0].remedies)


def _index(variant: Variant, position: int | None) -> int:
    if position is None:
        return len(variant.items)
    if position < 1:
        raise InputError("Vị trí trong buổi phát tính từ 1. Hãy nhập lại.")
    return min(position - 1, len(variant.items))


def _renumber(variant: Variant) -> None:
    for number, item in enumerate(variant.items, start=1):
        item.position = number


def minutes_text(length_ms: int) -> str:
    """12 phút 05 giây."""
    minutes, seconds = divmod(round(length_ms / 1000), 60)
    return f"{minutes} phút {seconds:02d} giây"


def _tell(
    session: Session, airing: Airing, actor: User, action: str, detail: dict[str, object], now: datetime
) -> None:
    session.flush()
    record(
        session,
        station_id=airing.station_id,
        actor=actor,
        action=action,
        subject=airing.id,
        detail=detail,
        now=now,
    )
    bump_plan(session, airing.station_id)
