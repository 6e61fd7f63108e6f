"""Activities beside the loudspeakers, entered by hand: meetings, banners, posters, with their evidence.

Counted in the periodic report beside broadcasts, never among them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from broadcaster.errors import Conflict, InputError, NotFound
from broadcaster.newsroom.people import record
from broadcaster.report.ledger import Activity
from broadcaster.report.narrative import KINDS
from broadcaster.report.period import Period
from broadcaster.store.blobs import Blobs
from broadcaster.store.tables import ActivityFile, ActivityRow, Station, Topic, User, Village

# What a phone or an office makes, by its first bytes: the name alone proves nothing.
EVIDENCE: dict[str, tuple[bytes, ...]] = {
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "webp": (b"RIFF",),
    "pdf": (b"%PDF-",),
    "docx": (b"PK\x03\x04",),
    "xlsx": (b"PK\x03\x04",),
}
MOST_FILES = 20
_NOT_THERE = "Không tìm thấy hoạt động này. Hãy mở lại sổ hoạt động."


@dataclass(frozen=True, slots=True)
class ActivityForm:
    """What somebody types about one activity.  `village_id` None = the whole commune."""

    kind: str
    day: date
    title: str
    village_id: int | None = None
    place: str = ""
    topic_id: int | None = None
    quantity: int = 1
    people: int | None = None
    note: str = ""


def add_activity(
    session: Session, station: Station, form: ActivityForm, *, actor: User, now: datetime
) -> ActivityRow:
    """Write it down; InputError names what is missing."""
    _check(session, station, form)
    row = ActivityRow(
        station_id=station.id, author_id=actor.id, created_at=now, updated_at=now, files=[], **_values(form)
    )
    session.add(row)
    session.flush()
    _note(session, row, actor, "activity.add", now)
    return row


def edit_activity(
    session: Session, activity_id: int, form: ActivityForm, *, version: int, actor: User, now: datetime
) -> ActivityRow:
    """Change it; Conflict when somebody else did meanwhile.  What stood there before goes into the book."""
    row = activity(session, activity_id)
    if row.version != version:
        raise Conflict("Người khác vừa sửa hoạt động này. Hãy xem bản mới bên dưới rồi sửa lại.")
    if row.withdrawn_at is not None:
        raise InputError("Hoạt động này đã hủy, không sửa được. Hãy ghi một hoạt động mới.")
    _check(session, session.get_one(Station, row.station_id), form)
    before = {name: str(getattr(row, name)) for name in _values(form)}
    for name, value in _values(form).items():
        setattr(row, name, value)
    row.updated_at = now
    session.flush()
    _note(session, row, actor, "activity.edit", now, before=before)
    return row


def withdraw_activity(session: Session, activity_id: int, *, reason: str, actor: User, now: datetime) -> None:
    """Take a mistake out of the figures; the line and its reason stay."""
    row = activity(session, activity_id)
    if not reason.strip():
        raise InputError("Chưa ghi lý do hủy. Hãy ghi ngắn gọn vì sao hoạt động này không tính.")
    if row.withdrawn_at is None:
        row.withdrawn_at, row.withdrawn_reason = now, reason.strip()[:500]
        session.flush()
        _note(session, row, actor, "activity.withdraw", now, reason=row.withdrawn_reason)


def attach(
    session: Session,
    blobs: Blobs,
    activity_id: int,
    name: str,
    data: bytes,
    *,
    actor: User,
    now: datetime,
) -> ActivityFile:
    """Keep a picture or document as evidence; the same file twice is one."""
    row = activity(session, activity_id)
    suffix = _suffix(name, data)
    if len(row.files) >= MOST_FILES:
        raise InputError(f"Một hoạt động giữ nhiều nhất {MOST_FILES} tệp. Hãy gộp bớt rồi gửi lại.")
    sha256 = blobs.put(data, suffix=suffix)
    for file in row.files:
        if file.sha256 == sha256:
            return file
    file = ActivityFile(
        activity_id=row.id,
        name=_short(name),
        sha256=sha256,
        suffix=suffix,
        size_bytes=len(data),
        added_at=now,
    )
    row.files.append(file)
    session.flush()
    _note(session, row, actor, "activity.attach", now, file=file.name, sha256=sha256)
    return file


def activity(session: Session, activity_id: int) -> ActivityRow:
    """One activity with its files; NotFound when it is not this station's."""
    row = session.scalar(
        select(ActivityRow).where(ActivityRow.id == activity_id).options(selectinload(ActivityRow.files))
    )
    if row is None:
        raise NotFound(_NOT_THERE)
    return row


def activity_rows(
    session: Session, period: Period, *, topic_id: int | None = None, village_id: int | None = None
) -> list[ActivityRow]:
    """The period's activities, withdrawn ones too, newest first."""
    query = select(ActivityRow).where(ActivityRow.day.between(period.first, period.last))
    if topic_id is not None:
        query = query.where(ActivityRow.topic_id == topic_id)
    if village_id is not None:
        query = query.where(ActivityRow.village_id == village_id)
    return list(
        session.scalars(
            query.order_by(ActivityRow.day.desc(), ActivityRow.id.desc()).options(
                selectinload(ActivityRow.files)
            )
        )
    )


def activities_of(session: Session, station: Station, period: Period) -> tuple[Activity, ...]:
    """Those that count, oldest first, as a report takes them."""
    names = {
        village_id: name
        for village_id, name in session.execute(
            select(Village.id, Village.name).where(Village.station_id == station.id)
        )
    }
    rows = session.scalars(
        select(ActivityRow)
        .where(
            ActivityRow.station_id == station.id,
            ActivityRow.day.between(period.first, period.last),
            ActivityRow.withdrawn_at.is_(None),
        )
        .order_by(ActivityRow.day, ActivityRow.id)
        .options(selectinload(ActivityRow.files))
    )
    return tuple(
        Activity(
            id=row.id, kind=row.kind, day=row.day, title=row.title,
            place=_where(names.get(row.village_id or 0, ""), row.place), topic_id=row.topic_id or 0,
            quantity=row.quantity, people=row.people, note=row.note,
            files=tuple((file.name, file.sha256) for file in row.files),
        )
        for row in rows
    )  # fmt: skip


def _where(village: str, place: str) -> str:
    return ", ".join(part for part in (place, village) if part) or "toàn xã"


def _check(session: Session, station: Station, form: ActivityForm) -> None:
    if form.kind not in KINDS:
        raise InputError("Chưa chọn hình thức hoạt động. Hãy chọn một mục trong danh sách.")
    if not form.title.strip():
        raise InputError("Chưa ghi nội dung hoạt động. Hãy ghi ngắn gọn, ví dụ “Họp thôn về phòng cháy”.")
    if len(form.title) > 300 or len(form.place) > 200 or len(form.note) > 5000:
        raise InputError("Nội dung quá dài. Hãy viết gọn lại (nội dung 300, nơi 200, ghi chú 5.000 ký tự).")
    if not 1 <= form.quantity <= 100_000:
        raise InputError("Số lượng phải là một số từ 1 đến 100.000. Hãy sửa lại.")
    if form.people is not None and not 0 <= form.people <= 1_000_000:
        raise InputError("Số người phải từ 0 đến 1.000.000. Hãy sửa lại, hoặc để trống nếu không đếm.")
    for table, key, what in ((Village, form.village_id, "thôn"), (Topic, form.topic_id, "chủ đề")):
        if key is not None and not _mine(session, station, table, key):
            raise InputError(f"Không có {what} này ở đài. Hãy chọn lại trong danh sách.")


def _mine(session: Session, station: Station, table: type[Village] | type[Topic], key: int) -> bool:
    return session.scalar(select(table.id).where(table.id == key, table.station_id == station.id)) is not None


def _values(form: ActivityForm) -> dict[str, object]:
    return {
        "kind": form.kind, "day": form.day, "title": form.title.strip(), "village_id": form.village_id,
        "place": form.place.strip(), "topic_id": form.topic_id, "quantity": form.quantity,
        "people": form.people, "note": form.note.strip(),
    }  # fmt: skip


def _suffix(name: str, data: bytes) -> str:
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lstrip(".").lower()
    if not data:
        raise InputError("Tệp minh chứng trống. Hãy chọn tệp khác.")
    if suffix not in EVIDENCE or not data.startswith(EVIDENCE[suffix]):
        raise InputError(f"Tệp “{_short(name)}” không phải ảnh hay tài liệu. Hãy chọn tệp: {_kinds()}.")
    return suffix


def _kinds() -> str:
    return ", ".join(sorted(EVIDENCE))


def _short(name: str) -> str:
    bare = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    return "".join(letter for letter in bare if letter.isprintable())[-200:] or "tệp"


def _note(
    session: Session, row: ActivityRow, actor: User, action: str, now: datetime, **detail: object
) -> None:
    record(
        session, station_id=row.station_id, actor=actor, action=action, subject=row.title,
        detail={"id": row.id, **detail}, now=now,
    )  # fmt: skip
