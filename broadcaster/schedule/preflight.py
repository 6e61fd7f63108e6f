"""What is missing before an airing, said while there is time to mend it.

`preflight` is pure: a line of the plan and the facts in, Vietnamese sentences out, none when all is well.
The clock asks at T-60, T-10 and T-2 minutes and writes the answer into the book; the board asks whenever
it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from broadcaster.model import AiringState, NoticeKind, PlannedAiring, Role
from broadcaster.newsroom.notices import settle, tell
from broadcaster.newsroom.people import may, record
from broadcaster.schedule.live import CLOCK
from broadcaster.schedule.plan import plan_between
from broadcaster.store.tables import (
    Airing,
    Audit,
    Filler,
    ProgrammeRow,
    Receiver,
    RenderJob,
    Station,
    TemplateRevision,
    User,
    Variant,
)

MARKS_MIN = (60, 10, 2)
ACTION = "kiểm tra trước giờ phát"
SILENT_LUFS = -50.0
UNSEEN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ReceiverFact:
    """What is known of one receiver.  No `villages` = it is heard everywhere; `cached_until` None = not said."""

    name: str
    villages: frozenset[str]
    last_seen_at: datetime | None
    cached_until: datetime | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database, the files and the receivers say about one line of the plan."""

    template_approved: bool = True
    programme_current: bool = True  # what is rendered is what is wanted
    job_state: str = ""
    job_error: str = ""
    missing_files: frozenset[str] = frozenset()
    loudness_lufs: float | None = None
    has_filler: bool = False  # an airing left empty will not be silent
    receivers: tuple[ReceiverFact, ...] = field(default=())
    zone: str = "Asia/Ho_Chi_Minh"


@dataclass(frozen=True, slots=True)
class Alarm:
    """An airing soon to come with what it lacks."""

    airing: PlannedAiring
    missing: tuple[str, ...]


def preflight(airing: PlannedAiring, facts: Facts, now: datetime) -> list[str]:
    """Everything that would keep this airing from sounding as it should; empty when it is ready."""
    if airing.state in (AiringState.SKIPPED, AiringState.CANCELLED):
        return [f"Buổi này sẽ không phát: {airing.reason}"]
    return [*_content(airing, facts), *_programme(airing, facts), *_receivers(airing, facts, now)]


def alarms(
    session: Session,
    station: Station,
    *,
    now: datetime,
    has_file: Callable[[str], bool],
    ahead: timedelta = timedelta(minutes=60),
    soon: Sequence[PlannedAiring] | None = None,
) -> list[Alarm]:
    """Airings of the next hour that lack something, nearest first.  `has_file(sha256)` asks the file store.

    `soon`: the plan from today on, when the caller has asked for it already.
    """
    if soon is None:
        soon = plan_between(session, now, now + ahead)
    lines = [line for line in soon if now <= line.planned_at < now + ahead]
    facts = gather(session, station, lines, has_file=has_file)
    found = [Alarm(line, tuple(preflight(line, facts[line.airing_id, line.variant], now))) for line in lines]
    return [alarm for alarm in found if alarm.missing]


def check_due(
    session: Session, station: Station, *, now: datetime, has_file: Callable[[str], bool]
) -> list[Alarm]:
    """Write the answer for every airing that has reached a mark, once a mark; returns those that lack something.

    After a pause only the mark nearest to the airing is asked.  Whoever can mend it is told, again at a later
    mark only when something else is missing by then; once nothing is, the notice is closed.
    """
    lines = plan_between(session, now, now + timedelta(minutes=max(MARKS_MIN)))
    if not lines:
        return []
    written, said = _written(session, [line.airing_id for line in lines])
    due = {
        line.airing_id: mark
        for line in lines
        if (mark := min(m for m in MARKS_MIN if line.planned_at - timedelta(minutes=m) <= now))
        not in written.get(line.airing_id, set())
    }
    asked = [line for line in lines if line.airing_id in due]
    facts = gather(session, station, asked, has_file=has_file)
    found: list[Alarm] = []
    lacks: dict[str, list[str]] = {line.airing_id: [] for line in asked}
    for line in asked:
        missing = preflight(line, facts[line.airing_id, line.variant], now)
        record(
            session,
            station_id=station.id,
            actor=CLOCK,
            action=ACTION,
            subject=line.airing_id,
            detail={"minutes": due[line.airing_id], "variant": line.variant, "missing": missing},
            now=now,
        )
        lacks[line.airing_id] += missing
        if missing:
            found.append(Alarm(line, tuple(missing)))
    for line in {line.airing_id: line for line in asked}.values():
        missing, before = lacks[line.airing_id], said.get(line.airing_id, [])
        if missing and missing != before:
            _tell(session, station, line, list(dict.fromkeys(missing)), now)
        elif before and not missing:
            settle(session, f"airing:{line.airing_id}", kind=NoticeKind.ALARM, now=now)
    return found


def _tell(
    session: Session,
    station: Station,
    line: PlannedAiring,
    missing: Sequence[str],
    now: datetime,
) -> None:
    people = session.scalars(
        select(User).where(User.station_id == station.id, User.active).order_by(User.id)
    ).all()
    able = [one for one in people if one.role in (Role.AUTHOR, Role.TECHNICIAN)] or [
        one for one in people if may(one.role, "see")
    ]
    when = f"{line.start_local:%H:%M} ngày {line.local_date:%d/%m/%Y}"
    tell(
        session, able, kind=NoticeKind.ALARM, about=f"airing:{line.airing_id}", now=now,
        text=f"{line.slot_name} {when}, còn {ceil((line.planned_at - now) / timedelta(minutes=1))} phút: {' '.join(missing)}",
    )  # fmt: skip


def gather(
    session: Session,
    station: Station,
    lines: Sequence[PlannedAiring],
    *,
    has_file: Callable[[str], bool],
) -> dict[tuple[str, int], Facts]:
    """(airing id, variant number) -> facts, in a constant number of queries."""
    ids = {line.airing_id for line in lines}
    if not ids:
        return {}
    rows = session.execute(
        select(Variant.airing_id, Variant.number, Variant.wanted_key, Airing.template_name, ProgrammeRow)
        .join(Airing, Airing.id == Variant.airing_id)
        .outerjoin(ProgrammeRow, ProgrammeRow.id == Variant.programme_id)
        .where(Variant.airing_id.in_(ids))
    ).all()
    jobs = {
        key: (state, error)
        for key, state, error in session.execute(
            select(RenderJob.key, RenderJob.state, RenderJob.error).where(
                RenderJob.station_id == station.id,
                RenderJob.kind == "programme",
                RenderJob.key.in_({row.wanted_key for row in rows}),
            )
        )
    }
    templates = set(
        session.scalars(
            select(TemplateRevision.name).where(
                TemplateRevision.station_id == station.id, TemplateRevision.approved_by_id.is_not(None)
            )
        )
    )
    receivers = _receivers_of(session, station)
    filler = session.scalar(select(Filler.id).where(Filler.station_id == station.id).limit(1)) is not None
    files = {
        (line.airing_id, line.variant): frozenset(
            file.sha256 for file in line.files.values() if not has_file(file.sha256)
        )
        for line in lines
    }
    found: dict[tuple[str, int], Facts] = {}
    for airing_id, number, wanted_key, template, programme in rows:
        state, error = jobs.get(wanted_key, ("", ""))
        found[airing_id, number] = Facts(
            template_approved=template in templates,
            programme_current=programme is not None and programme.input_key == wanted_key,
            job_state=state,
            job_error=error,
            missing_files=files.get((airing_id, number), frozenset()),
            loudness_lufs=programme.loudness_lufs if programme is not None else None,
            has_filler=filler,
            receivers=receivers,
            zone=station.zone,
        )
    return found


def _content(airing: PlannedAiring, facts: Facts) -> list[str]:
    if not airing.items and facts.has_filler:
        return ["Chưa xếp bản tin nào; nếu để trống, buổi này sẽ phát bản tin dự phòng."]
    if not airing.items:
        return ["Chưa xếp bản tin nào; nếu để trống, buổi này sẽ bỏ qua."]
    waiting = [item for item in airing.items if not item.approved]
    found = [f"Bản tin “{item.title}”: {item.note or 'chưa được duyệt.'}" for item in waiting]
    if airing.state is AiringState.CLOSED:
        found = []  # what dropped out is decided; the rest is asked of the programme
    if len(waiting) == len(airing.items):
        found.append("Chưa có bản tin nào được duyệt cho buổi này.")
    return found


def _programme(airing: PlannedAiring, facts: Facts) -> list[str]:
    found: list[str] = []
    if not facts.template_approved:
        found.append("Khung chương trình (lời xướng, lời chào) chưa được duyệt.")
    if not airing.files:
        found.append(_not_rendered(facts))
    elif not facts.programme_current and airing.state is not AiringState.STARTED:
        found.append("Nội dung đã đổi, chương trình mới đang dựng lại; máy thu còn giữ bản trước.")
    if facts.missing_files:
        found.append("Tệp âm thanh của chương trình bị thiếu hoặc hỏng trong kho.")
    if airing.files and facts.loudness_lufs is not None and facts.loudness_lufs < SILENT_LUFS:
        found.append("Chương trình gần như không có tiếng.")
    if airing.duration_ms is not None and airing.max_ms is not None and airing.duration_ms > airing.max_ms:
        over = round((airing.duration_ms - airing.max_ms) / 1000)
        found.append(f"Chương trình dài quá khung giờ {over} giây.")
    return found


def _not_rendered(facts: Facts) -> str:
    if facts.job_state == "failed":
        return f"Dựng chương trình không xong: {facts.job_error or 'không rõ lý do'}"
    if facts.job_state == "running":
        return "Chương trình đang dựng, chưa xong."
    if facts.job_state == "queued":
        return "Chương trình còn chờ dựng."
    return "Chương trình chưa được dựng."


def _receivers(airing: PlannedAiring, facts: Facts, now: datetime) -> list[str]:
    villages = set(airing.villages)
    hearing = [one for one in facts.receivers if not one.villages or one.villages & villages]
    if not hearing:
        return ["Chưa có máy thu nào được ghép nối cho buổi này."]
    found: list[str] = []
    for one in hearing:
        if one.last_seen_at is None:
            found.append(f"Máy thu “{one.name}” chưa kết nối lần nào.")
        elif now - one.last_seen_at > UNSEEN:
            seen = one.last_seen_at.astimezone(ZoneInfo(facts.zone))
            found.append(f"Máy thu “{one.name}” mất liên lạc từ {seen:%H:%M ngày %d/%m}.")
        elif airing.files and one.cached_until is not None and one.cached_until < airing.planned_at:
            found.append(f"Máy thu “{one.name}” chưa tải xong chương trình.")
    return found


def _receivers_of(session: Session, station: Station) -> tuple[ReceiverFact, ...]:
    rows = session.scalars(
        select(Receiver)
        .where(
            Receiver.station_id == station.id,
            Receiver.revoked_at.is_(None),
            Receiver.token_hash.is_not(None),
            Receiver.token_hash != "",
        )
        .order_by(Receiver.name)
        .options(selectinload(Receiver.villages))
    )
    return tuple(
        ReceiverFact(
            name=row.name,
            villages=frozenset(one.slug for one in row.villages),
            last_seen_at=row.last_seen_at,
            cached_until=_instant(row.heartbeat),
        )
        for row in rows
    )


def _instant(heartbeat: Mapping[str, Any]) -> datetime | None:
    # A player's word: whatever is not an instant says nothing.
    value = heartbeat.get("cached_until")
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _written(session: Session, airing_ids: Sequence[str]) -> tuple[dict[str, set[int]], dict[str, list[str]]]:
    """The marks that were asked at, and what was missing the last time."""
    rows = session.execute(
        select(Audit.subject, Audit.detail)
        .where(Audit.action == ACTION, Audit.subject.in_(airing_ids))
        .order_by(Audit.id)
    )
    marks: dict[str, set[int]] = {}
    said: dict[str, list[str]] = {}
    last: dict[str, int] = {}
    for subject, detail in rows:
        minutes = int(detail["minutes"])
        marks.setdefault(subject, set()).add(minutes)
        if last.get(subject) != minutes:
            said[subject] = []
        last[subject] = minutes
        said[subject] += detail["missing"]  # of every variant of the airing
    return marks, said
