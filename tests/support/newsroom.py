"""A bulletin on its way through the newsroom's own doors, for tests of the rooms after it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from broadcaster.newsroom.bulletins import approve, create_bulletin, submit
from broadcaster.store.tables import Revision, User
from tests.support.commune import Commune

TEXT = "Sáng mai trạm y tế xã tiêm phòng cho trẻ em. Mời bà con đưa các cháu đến đúng giờ. Xin cảm ơn."


def submitted(
    session: Session, commune: Commune, *, now: datetime, title: str = "Lịch tiêm phòng", text: str = TEXT
) -> Revision:
    """A bulletin that waits for its take."""
    row = create_bulletin(
        session, station_id=commune.station.id, author=commune.author, title=title, text=text,
        topic_id=commune.topic.id, now=now,
    )  # fmt: skip
    return submit(session, row.id, version=row.version, actor=commune.author, now=now)


def approved(session: Session, revision: Revision, approver: User, *, now: datetime) -> None:
    """Approve what was seen and heard."""
    take = revision.take
    assert take is not None, "the worker has been here"
    approve(
        session, revision.id, actor=approver, text_sha256=revision.text_sha256,
        reading_sha256=revision.reading_sha256, take_sha256=take.sha256, now=now,
    )  # fmt: skip
