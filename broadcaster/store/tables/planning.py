"""What stands behind the plan: emergencies, fillers, and what an officer may take back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from broadcaster.store.tables.base import Base, StationScoped
from broadcaster.store.tables.newsroom import Bulletin, Revision
from broadcaster.store.tables.people import User


class Emergency(StationScoped, Base):
    """A message that cuts into everything, from the wish to its end.  Its airings name it.

    `state`: waiting | accepted | refused | cancelled.  A one-person emergency waits for its review afterwards.
    """

    __tablename__ = "emergency"

    id: Mapped[int] = mapped_column(primary_key=True)
    drill: Mapped[bool] = mapped_column(default=False)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    cancels_id: Mapped[int | None] = mapped_column(ForeignKey("emergency.id"))  # this is its cancel message
    villages: Mapped[list[Any]] = mapped_column(default=list)  # ids; none = every village
    reason: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime]
    repeat_min: Mapped[int] = mapped_column(default=0)  # 0 = once
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    programme_key: Mapped[str] = mapped_column(String(64), index=True)
    persons: Mapped[int] = mapped_column(default=2)  # how many it took
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    requested_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str] = mapped_column(Text, default="")
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str] = mapped_column(Text, default="")
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    reviewed_at: Mapped[datetime | None]
    review_note: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    revision: Mapped[Revision] = relationship()
    requested_by: Mapped[User] = relationship(foreign_keys=[requested_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])
    ended_by: Mapped[User | None] = relationship(foreign_keys=[ended_by_id])
    reviewed_by: Mapped[User | None] = relationship(foreign_keys=[reviewed_by_id])


class EmergencyPin(Base):
    """What one person types to put a recorded message on the air alone; wrong tries are counted."""

    __tablename__ = "emergency_pin"

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    pin_hash: Mapped[str] = mapped_column(String(200))
    wrong: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    set_at: Mapped[datetime]


class Filler(StationScoped, Base):
    """A bulletin that may take the place of an airing with nothing in it."""

    __tablename__ = "filler"

    id: Mapped[int] = mapped_column(primary_key=True)
    bulletin_id: Mapped[int] = mapped_column(ForeignKey("bulletin.id"), unique=True)
    position: Mapped[int] = mapped_column(default=0)

    bulletin: Mapped[Bulletin] = relationship()


class PlanChange(StationScoped, Base):
    """What the plan was before one change, so that the officer can take it back."""

    __tablename__ = "plan_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    label: Mapped[str] = mapped_column(String(200))
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    made_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
