"""What reports need beside the log: activities entered by hand, the papers' frame and words, upkeep's own log."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from broadcaster.store.tables.base import Base, StationScoped


class ActivityRow(StationScoped, Base):
    """A meeting, a banner, a poster: done beside the loudspeakers and counted beside them.

    Never deleted: what was entered by mistake is withdrawn with a reason.
    """

    __tablename__ = "activity"
    __table_args__ = (Index("ix_activity_station_day", "station_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    day: Mapped[date]
    title: Mapped[str] = mapped_column(String(300))
    village_id: Mapped[int | None] = mapped_column(ForeignKey("village.id"))  # null = the whole commune
    place: Mapped[str] = mapped_column(String(200), default="")
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id"))
    quantity: Mapped[int] = mapped_column(default=1)
    people: Mapped[int | None]
    note: Mapped[str] = mapped_column(Text, default="")
    author_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    files: Mapped[list[ActivityFile]] = relationship(order_by="ActivityFile.id")


class ActivityFile(Base):
    """Evidence of an activity: a picture or a document, kept by hash."""

    __tablename__ = "activity_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    suffix: Mapped[str] = mapped_column(String(8))
    size_bytes: Mapped[int]
    added_at: Mapped[datetime]


class ReportText(StationScoped, Base):
    """The words of one period's report as a person left them; `period` as addresses write it."""

    __tablename__ = "report_text"
    __table_args__ = (UniqueConstraint("station_id", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(String(30))
    body: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class ReportFrame(StationScoped, Base):
    """Letterhead, recipients and signature of the station's reports."""

    __tablename__ = "report_frame"
    __table_args__ = (UniqueConstraint("station_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class UpkeepRun(Base):
    """One nightly backup or clearing of old audio: when, how it ended, in a sentence.  Of the installation."""

    __tablename__ = "upkeep_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), index=True)  # backup | sweep
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ok: Mapped[bool] = mapped_column(default=False)
    said: Mapped[str] = mapped_column(Text, default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class SweptAudio(Base):
    """A file of sound whose keeping time ran out: its hash stays for good, its bytes are gone."""

    __tablename__ = "swept_audio"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    suffix: Mapped[str] = mapped_column(String(8))
    size_bytes: Mapped[int]
    why: Mapped[str] = mapped_column(String(200))
    swept_at: Mapped[datetime]
