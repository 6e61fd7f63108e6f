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

from sqlalchemy.orm import Session

from broadcaster.store.tables import Lease

BACK: Final = timedelta(days=1)  # so far a clock may be put right without a question
_NAME: Final = "newest-instant"  # a row beside the leases: nobody holds it
_EVERY: Final = timedelta(minutes=1)


def fallen_back(session: Session, now: datetime) -> datetime | None:
    """The newest instant this station has seen, when the clock is more than a day before it; else None."""
    row = session.get(Lease, _NAME)
    return row.until if row is not None and now < row.until - BACK else None


def note(session: Session, now: datetime) -> None:
    """Keep `now` as the newest instant; writes at most once a minute."""
    row = session.get(Lease, _NAME)
    if row is None:
        session.add(Lease(name=_NAME, owner="", until=now))
    elif row.until < now - _EVERY:
        row.until = now


def believe(session: Session, now: datetime) -> None:
    """The clock is right, whatever was seen before."""
    session.get_one(Lease, _NAME).until = now


def doubt(session: Session, now: datetime, zone: str) -> str:
    """What is wrong and what to do, for whoever sits at the station; "" while the clock is believed."""
    newest = fallen_back(session, now)
    if newest is None:
        return ""
    place = ZoneInfo(zone)
    shown, seen = (f"{at.astimezone(place):%H:%M ngày %d/%m/%Y}" for at in (now, newest))
    return (
        f"Giờ của máy đài đang là {shown}, sớm hơn lần chạy trước ({seen}), nên đài tạm ngừng lập lịch; "
        "máy thu vẫn phát theo lịch đang giữ. Hãy chỉnh lại ngày giờ của máy; nếu giờ này đúng, bấm Giờ máy đúng rồi ở "
        "Cài đặt, mục Máy, thư và địa chỉ."
    )
