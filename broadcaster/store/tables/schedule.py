"""When and where: slots, dated exceptions, airings, variants and what they carry."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from broadcaster.model import AiringOrigin, AiringState, LatePolicy, Priority, StartMode
from broadcaster.store.tables.base import Base, EnumText, StationScoped
from broadcaster.store.tables.newsroom import Bulletin, Revision
from broadcaster.store.tables.people import Village
from broadcaster.store.tables.production import ProgrammeRow


class Slot(StationScoped, Base):
    """A weekly local-time rule.  `weekdays` is 'mon,tue,…', by name and never by number."""

    __tablename__ = "slot"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    weekdays: Mapped[str] = mapped_column(String(40))
    start_local: Mapped[time]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    max_minutes: Mapped[int] = mapped_column(default=15)
    start_mode: Mapped[StartMode] = mapped_column(EnumText(StartMode), default=StartMode.AT_ONCE)
    wait_s: Mapped[int] = mapped_column(default=0)
    late_policy: Mapped[LatePolicy] = mapped_column(
        EnumText(LatePolicy), default=LatePolicy.PLAY_WITHIN_GRACE
    )
    grace_s: Mapped[int] = mapped_column(default=300)
    priority: Mapped[Priority] = mapped_column(EnumText(Priority), default=Priority.ROUTINE)
    volume_percent: Mapped[int] = mapped_column(default=100)
    template_name: Mapped[str] = mapped_column(String(60), default="thuong")
    on_holidays: Mapped[bool] = mapped_column(default=True)  # False = silent on the station's holidays
    carry_over: Mapped[bool] = mapped_column(default=False)  # what came too late goes into its next airing
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    villages: Mapped[list[Village]] = relationship(secondary="slot_village")  # none = every village
    exceptions: Mapped[list[SlotException]] = relationship(back_populates="slot")


class SlotVillage(Base):
    """Which villages a slot reaches, when not all."""

    __tablename__ = "slot_village"

    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"), primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("village.id"), primary_key=True)


class SlotException(Base):
    """A dated exception: skip, replace (another start) or extra (a day the rule does not name)."""

    __tablename__ = "slot_exception"
    __table_args__ = (UniqueConstraint("slot_id", "local_date"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    local_date: Mapped[date]
    action: Mapped[str] = mapped_column(String(10))
    start_local: Mapped[time | None]
    note: Mapped[str] = mapped_column(String(300), default="")

    slot: Mapped[Slot] = relationship(back_populates="exceptions")


class Airing(StationScoped, Base):
    """A dated occurrence with an identity of its own (a UUID: it travels to players and back)."""

    __tablename__ = "airing"
    __table_args__ = (
        Index(
            "uq_airing_live_slot_date",
            "slot_id",
            "local_date",
            unique=True,
            sqlite_where=text("slot_id IS NOT NULL AND state != 'cancelled'"),
            postgresql_where=text("slot_id IS NOT NULL AND state != 'cancelled'"),
        ),
        Index("ix_airing_station_date", "station_id", "local_date"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    origin: Mapped[AiringOrigin] = mapped_column(EnumText(AiringOrigin))
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slot.id"))
    name: Mapped[str] = mapped_column(String(120))
    local_date: Mapped[date]
    start_local: Mapped[time]
    planned_at: Mapped[datetime] = mapped_column(index=True)
    max_minutes: Mapped[int]
    start_mode: Mapped[StartMode] = mapped_column(EnumText(StartMode))
    wait_s: Mapped[int]
    late_policy: Mapped[LatePolicy] = mapped_column(EnumText(LatePolicy))
    grace_s: Mapped[int]
    priority: Mapped[Priority] = mapped_column(EnumText(Priority))
    volume_percent: Mapped[int]
    template_name: Mapped[str] = mapped_column(String(60))
    state: Mapped[AiringState] = mapped_column(EnumText(AiringState), default=AiringState.PLANNED)
    reason: Mapped[str] = mapped_column(Text, default="")
    emergency_id: Mapped[int | None] = mapped_column(ForeignKey("emergency.id"), index=True)
    stopped_at: Mapped[datetime | None]  # when somebody ordered it off the air, also after it had started
    stop_reason: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    slot: Mapped[Slot | None] = relationship()
    villages: Mapped[list[Village]] = relationship(secondary="airing_village", order_by=Village.position)
    variants: Mapped[list[Variant]] = relationship(back_populates="airing", order_by="Variant.number")


class AiringVillage(Base):
    """The villages an airing targets, written down when it is materialised."""

    __tablename__ = "airing_village"

    airing_id: Mapped[str] = mapped_column(ForeignKey("airing.id"), primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("village.id"), primary_key=True, index=True)


class Variant(Base):
    """The villages of an airing that share one running order; nearly always one variant: all of them."""

    __tablename__ = "variant"
    __table_args__ = (UniqueConstraint("airing_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    airing_id: Mapped[str] = mapped_column(ForeignKey("airing.id"), index=True)
    number: Mapped[int] = mapped_column(default=1)
    programme_id: Mapped[int | None] = mapped_column(ForeignKey("programme.id"))
    wanted_key: Mapped[str] = mapped_column(String(64), default="")  # input hash the programme should have

    airing: Mapped[Airing] = relationship(back_populates="variants")
    programme: Mapped[ProgrammeRow | None] = relationship()
    villages: Mapped[list[Village]] = relationship(secondary="variant_village", order_by=Village.position)
    items: Mapped[list[VariantItem]] = relationship(
        back_populates="variant", order_by="VariantItem.position", cascade="all, delete-orphan"
    )


class VariantVillage(Base):
    """A village hears exactly one variant of an airing."""

    __tablename__ = "variant_village"

    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"), primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("village.id"), primary_key=True)


class VariantItem(Base):
    """One bulletin in a running order; `revision_id` is fixed when the content closes."""

    __tablename__ = "variant_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"), index=True)
    position: Mapped[int]
    bulletin_id: Mapped[int] = mapped_column(ForeignKey("bulletin.id"), index=True)
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"))
    dropped_reason: Mapped[str] = mapped_column(Text, default="")

    variant: Mapped[Variant] = relationship(back_populates="items")
    bulletin: Mapped[Bulletin] = relationship()
    revision: Mapped[Revision | None] = relationship()


class Rotation(StationScoped, Base):
    """A standing order: consecutive airings of a slot take the next bulletins in turn."""

    __tablename__ = "rotation"

    id: Mapped[int] = mapped_column(primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    per_airing: Mapped[int] = mapped_column(default=2)
    bulletins: Mapped[list[Any]] = mapped_column(default=list)  # bulletin ids in order
