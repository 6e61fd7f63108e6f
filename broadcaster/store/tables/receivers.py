"""Who plays: receivers, what they report, and what village operators say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from broadcaster.model import AsRunEvent, ReceiptKind
from broadcaster.store.tables.base import Base, EnumText, StationScoped
from broadcaster.store.tables.people import Village


class Receiver(StationScoped, Base):
    """A player with its own revocable token; `villages` are those its sound reaches (none = all)."""

    __tablename__ = "receiver"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    token_hash: Mapped[str] = mapped_column(
        String(64), default="", index=True
    )  # SHA-256 hex of a 256-bit token
    pairing_hash: Mapped[str] = mapped_column(String(64), default="")
    pairing_until: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    heartbeat: Mapped[dict[str, Any]] = mapped_column(default=dict)
    lives: Mapped[list[Any]] = mapped_column(default=list)  # names of its processes, the present one last
    rival_at: Mapped[datetime | None]  # when two players last used its token at once
    created_at: Mapped[datetime]

    villages: Mapped[list[Village]] = relationship(secondary="receiver_village")


class ReceiverVillage(Base):
    """Which villages hear a receiver, when not all."""

    __tablename__ = "receiver_village"

    receiver_id: Mapped[int] = mapped_column(ForeignKey("receiver.id"), primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("village.id"), primary_key=True)


class AsRun(Base):
    """Append-only events of a receiver for an airing; uploads are idempotent by (receiver, sequence)."""

    __tablename__ = "as_run"
    __table_args__ = (
        UniqueConstraint("receiver_id", "sequence"),
        # with the event: a report asks who finished what without touching the rows
        Index("ix_as_run_airing", "airing_id", "receiver_id", "event"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    receiver_id: Mapped[int] = mapped_column(ForeignKey("receiver.id"))
    sequence: Mapped[int]
    airing_id: Mapped[str] = mapped_column(String(36))
    event: Mapped[AsRunEvent] = mapped_column(EnumText(AsRunEvent))
    at: Mapped[datetime]
    offset_ms: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    received_at: Mapped[datetime]


class Receipt(Base):
    """What a village said about an airing; one row a kind, both times kept."""

    __tablename__ = "receipt"
    __table_args__ = (UniqueConstraint("village_id", "airing_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("village.id"))
    airing_id: Mapped[str] = mapped_column(ForeignKey("airing.id"), index=True)
    kind: Mapped[ReceiptKind] = mapped_column(EnumText(ReceiptKind))
    reason: Mapped[str] = mapped_column(Text, default="")
    phone_at: Mapped[datetime | None]
    server_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
