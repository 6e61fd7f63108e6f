"""Finished programmes, their files, and the jobs that make them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from broadcaster.model import RenditionKind
from broadcaster.store.tables.base import Base, EnumText, StationScoped


class ProgrammeRow(StationScoped, Base):
    """The finished sound of a variant; `input_key` hashes everything it was made from."""

    __tablename__ = "programme"
    __table_args__ = (UniqueConstraint("station_id", "input_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    input_key: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(300))
    duration_ms: Mapped[int]
    loudness_lufs: Mapped[float]
    true_peak_dbtp: Mapped[float]
    items: Mapped[list[Any]] = mapped_column(default=list)  # [title, start_ms, duration_ms]
    waveform_svg: Mapped[str] = mapped_column(Text, default="")
    revoked_reason: Mapped[str] = mapped_column(Text, default="")
    made_at: Mapped[datetime]

    renditions: Mapped[list[Rendition]] = relationship(back_populates="programme")


class Rendition(Base):
    """One published file of a programme."""

    __tablename__ = "rendition"
    __table_args__ = (UniqueConstraint("programme_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    kind: Mapped[RenditionKind] = mapped_column(EnumText(RenditionKind))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size_bytes: Mapped[int]
    duration_ms: Mapped[int] = mapped_column(default=0)  # these three as metered in the decoded file
    loudness_lufs: Mapped[float] = mapped_column(default=0.0)
    true_peak_dbtp: Mapped[float] = mapped_column(default=0.0)

    programme: Mapped[ProgrammeRow] = relationship(back_populates="renditions")


class RenderJob(StationScoped, Base):
    """Work for the worker: claimed by compare-and-set, held by a lease, finished exactly once."""

    __tablename__ = "render_job"
    __table_args__ = (
        UniqueConstraint("station_id", "kind", "key"),
        Index("ix_render_job_state_due", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))  # take | programme | preview
    key: Mapped[str] = mapped_column(String(80))
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(
        String(10), default="queued"
    )  # queued | running | done | failed | dropped
    due_at: Mapped[datetime]  # the airing it is needed for: nearest first
    owner: Mapped[str] = mapped_column(String(60), default="")
    lease_until: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]  # after a failure: not before this
    stage: Mapped[str] = mapped_column(String(60), default="")
    done_steps: Mapped[int] = mapped_column(default=0)
    all_steps: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]


class Lease(Base):
    """A named right held by one process at a time: the clock is exactly one."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    owner: Mapped[str] = mapped_column(String(60))
    until: Mapped[datetime]
