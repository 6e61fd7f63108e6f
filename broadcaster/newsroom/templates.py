"""The words and jingles around the bulletins: revisions with an approval of their own.

`body` is data that `production` understands (its `Template`); here it is only kept, hashed and approved.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.errors import Conflict, InputError, NotFound, Refused
from broadcaster.model import JingleKind
from broadcaster.newsroom.hashes import body_sha256
from broadcaster.newsroom.people import record, require
from broadcaster.store.tables import Jingle, TemplateRevision, User


def add_template(
    session: Session, *, station_id: int, name: str, body: dict[str, Any], author: User, now: datetime
) -> TemplateRevision:
    """The next revision of a template; it waits for somebody else's approval.

    Kinds of jingles that `body` does not name are bound to the newest sound of today: what is approved later
    is what was there to be heard, whatever comes into the library meanwhile.
    """
    require(
        session, author, "jingles", now=now,
        message="Tài khoản này không được sửa khung chương trình. Hãy nhờ cán bộ soạn bản tin.",
    )  # fmt: skip
    if not name.strip() or not body:
        raise InputError("Khung chương trình cần có tên và nội dung. Hãy nhập đủ rồi lưu lại.")
    number = session.scalar(
        select(func.max(TemplateRevision.number)).where(
            TemplateRevision.station_id == station_id, TemplateRevision.name == name
        )
    )
    jingles = {**_newest_jingles(session, station_id), **(body.get("jingles") or {})}
    row = TemplateRevision(
        station_id=station_id, name=name, number=(number or 0) + 1, body=body, jingles=jingles,
        sha256=body_sha256({**body, "jingles": jingles}), author_id=author.id, created_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(
        session, station_id=station_id, actor=author, action="sửa khung chương trình", subject=name,
        detail={"number": row.number, "sha256": row.sha256}, now=now,
    )  # fmt: skip
    return row


def approve_template(
    session: Session, template_id: int, *, actor: User, sha256: str | None = None, now: datetime
) -> TemplateRevision:
    """Approve a revision (once).  `sha256`, when given, is what the approver saw."""
    row = session.scalar(select(TemplateRevision).where(TemplateRevision.id == template_id).with_for_update())
    if row is None:
        raise NotFound("Không thấy khung chương trình này.")
    require(
        session, actor, "approve", now=now,
        message="Tài khoản này không được duyệt khung chương trình. Hãy chuyển cho người duyệt.",
    )  # fmt: skip
    if actor.id == row.author_id:
        raise Refused("Người soạn không được tự duyệt khung chương trình của mình. Hãy nhờ người khác duyệt.")
    newest = newest_template(session, row.station_id, row.name)
    if newest is not None and newest.number > row.number:
        raise Conflict(
            f"Khung “{row.name}” đã có bản {newest.number}, bạn đang xem bản {row.number}. Hãy mở bản mới rồi duyệt."
        )
    if sha256 is not None and sha256 != row.sha256:
        raise Conflict(f"Khung “{row.name}” không còn như bạn đã xem. Hãy tải lại trang rồi duyệt.")
    if row.approved_by_id is None:
        row.approved_by_id, row.approved_at = actor.id, now
        session.flush()
        record(
            session, station_id=row.station_id, actor=actor, action="duyệt khung chương trình",
            subject=row.name, detail={"number": row.number, "sha256": row.sha256}, now=now,
        )  # fmt: skip
    return row


def approved_template(session: Session, station_id: int, name: str) -> TemplateRevision | None:
    """The newest approved revision of that name, or None."""
    return session.scalar(
        select(TemplateRevision)
        .where(
            TemplateRevision.station_id == station_id,
            TemplateRevision.name == name,
            TemplateRevision.approved_by_id.is_not(None),
        )
        .order_by(TemplateRevision.number.desc())
        .limit(1)
    )


def bound_body(row: TemplateRevision) -> dict[str, Any]:
    """Its data with every sound by name: what is approved."""
    return {**row.body, "jingles": dict(row.jingles)}


def _newest_jingles(session: Session, station_id: int) -> dict[str, str]:
    rows = session.scalars(
        select(Jingle)
        .where(Jingle.station_id == station_id, Jingle.in_use, Jingle.kind != JingleKind.ALERT.value)
        .order_by(Jingle.id)
    )
    return {row.kind: row.sha256 for row in rows}


def newest_template(session: Session, station_id: int, name: str) -> TemplateRevision | None:
    """The newest revision of that name, approved or not."""
    return session.scalar(
        select(TemplateRevision)
        .where(TemplateRevision.station_id == station_id, TemplateRevision.name == name)
        .order_by(TemplateRevision.number.desc())
        .limit(1)
    )
