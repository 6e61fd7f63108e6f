"""Whether the station's own clock may be believed.

A PC whose battery died wakes up years ago.  A plan made then would be newer than the one the village boxes hold and
have nothing in it for tomorrow: so the newest instant seen is kept, and a clock more than a day before it makes no
plan and gives none out.  It is believed again when it has caught up, when the system says that the network sets it,
or when somebody says that it is right.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from broadcaster.store.tables import Lease

BACK: Final = timedelta(days=1)  # so far a clock may be put right without a question
_NAME: Final = "newest-instant"  # a row beside the leases: nobody holds it
_EVERY: Final = timedelta(minutes=1)


def fallen_back(session: Session, now: datetime) -> datetime | None:
    """The newest instant this station has seen, when the clock is more than a day before it; else None."""
    newest = session.scalar(select(Lease.until).where(Lease.name == _NAME))
    return newest if newest is not None and now < newest - BACK else None


def note(session: Session, now: datetime) -> None:
    """Keep `now` as the newest instant; writes at most once a minute."""
    changed = session.execute(
        update(Lease)
        .where(Lease.name == _NAME, Lease.until < now - _EVERY)
        .values(until=now)
        .returning(Lease.name)
        .execution_options(synchronize_session=False)
    ).first()
    if changed is None:
        insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
        session.execute(
            insert(Lease)
            .values(name=_NAME, owner="", until=now)
            .on_conflict_do_nothing(index_elements=["name"])
        )


def believe(session: Session, now: datetime) -> None:
    """The clock is right, whatever was seen before."""
    session.execute(
        update(Lease)
        .where(Lease.name == _NAME)
        .values(until=now)
        .execution_options(synchronize_session=False)
    )


def sentence(newest: datetime, now: datetime, zone: str) -> str:
    """What is wrong and what to do, for whoever sits at the station."""
    place = ZoneInfo(zone)
    shown, seen = (f"{at.astimezone(place):%H:%M ngày %d/%m/%Y}" for at in (now, newest))
    return (
        f"Giờ của máy đài đang là {shown}, sớm hơn lần chạy trước ({seen}), nên đài tạm ngừng lập lịch; "
        "máy thu vẫn phát theo lịch đang giữ. Hãy chỉnh lại ngày giờ của máy; nếu giờ này đúng, bấm Giờ máy đúng rồi ở "
        "Cài đặt, Máy."
    )
