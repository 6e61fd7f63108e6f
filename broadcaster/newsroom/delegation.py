"""An approver hands the pen to somebody for some days; whoever gets it is told."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound, Refused
from broadcaster.model import NoticeKind
from broadcaster.newsroom.notices import tell
from broadcaster.newsroom.people import may, record
from broadcaster.store.tables import Delegation, User

LONGEST_DAYS = 92


def delegate(
    session: Session, *, from_user: User, to_user: User, first_day: date, last_day: date, now: datetime
) -> Delegation:
    """An approver hands the pen to somebody of the same station for some days (both ends included)."""
    if not (from_user.active and may(from_user.role, "delegate")):
        raise Refused("Chỉ người duyệt mới ủy quyền duyệt được.")
    if (
        to_user.station_id != from_user.station_id
        or to_user.id == from_user.id
        or not (to_user.active and may(to_user.role, "see"))
    ):
        raise InputError("Không ủy quyền được cho người này. Hãy chọn một người khác đang làm việc ở đài.")
    if last_day < first_day:
        raise InputError("Ngày cuối trước ngày đầu. Hãy chọn lại hai ngày ủy quyền.")
    if (last_day - first_day).days >= LONGEST_DAYS:
        raise InputError(f"Mỗi lần ủy quyền dài nhất {LONGEST_DAYS} ngày. Hãy chọn ngày cuối sớm hơn.")
    row = Delegation(
        station_id=from_user.station_id, from_user_id=from_user.id, to_user_id=to_user.id,
        first_day=first_day, last_day=last_day,
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(
        session, station_id=from_user.station_id, actor=from_user, action="ủy quyền duyệt",
        subject=to_user.username, detail={"first": first_day.isoformat(), "last": last_day.isoformat()}, now=now,
    )  # fmt: skip
    tell(
        session, [to_user], kind=NoticeKind.DELEGATED, about=f"delegation:{row.id}", actor=from_user, now=now,
        text=f"{from_user.display_name} ủy quyền cho bạn duyệt bản tin từ {first_day:%d/%m/%Y} đến hết {last_day:%d/%m/%Y}.",
    )  # fmt: skip
    return row


def delegations(session: Session) -> list[Delegation]:
    """All that were ever given, newest first."""
    return list(
        session.scalars(select(Delegation).order_by(Delegation.first_day.desc(), Delegation.id.desc()))
    )


def end_delegation(session: Session, delegation_id: int, *, actor: User, now: datetime) -> None:
    """Take the pen back; what was approved meanwhile stays approved."""
    row = session.scalar(select(Delegation).where(Delegation.id == delegation_id))
    if row is None:
        raise NotFound("Không thấy lần ủy quyền này.")
    if row.from_user_id != actor.id and not may(actor.role, "users"):
        raise Refused("Chỉ người đã ủy quyền hoặc quản trị viên mới thu lại được.")
    session.delete(row)
    record(
        session, station_id=row.station_id, actor=actor, action="thu lại ủy quyền",
        subject=str(row.to_user_id),
        detail={"first": row.first_day.isoformat(), "last": row.last_day.isoformat()}, now=now,
    )  # fmt: skip
