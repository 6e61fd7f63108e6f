"""Station, people, villages, topics, and the book of who changed what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from broadcaster.model import NoticeKind, Role
from broadcaster.store.tables.base import Base, EnumText, StationScoped


class Station(Base):
    """One commune (đài, xã)."""

    __tablename__ = "station"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    call_sign: Mapped[str] = mapped_column(String(300))
    zone: Mapped[str] = mapped_column(String(60), default="Asia/Ho_Chi_Minh")
    phone: Mapped[str] = mapped_column(String(40), default="")
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    holidays: Mapped[list[Any]] = mapped_column(default=list)  # schedule.holidays.Holiday as data
    voice_chain: Mapped[list[Any]] = mapped_column(default=list)  # empty = the settings' chain
    epoch: Mapped[int] = mapped_column(default=1)  # raised by a restore, so that players accept the new line
    plan_version: Mapped[int] = mapped_column(default=1)  # raised by every change a receiver must hear of
    materialised_through: Mapped[date | None]
    created_at: Mapped[datetime]


class User(StationScoped, Base):
    """Somebody who signs in.  `username` is unique over the installation."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(60), unique=True)
    display_name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(EnumText(Role))
    active: Mapped[bool] = mapped_column(default=True)
    email: Mapped[str] = mapped_column(String(200), default="")
    session_epoch: Mapped[int] = mapped_column(default=1)  # raised to sign out everywhere
    created_at: Mapped[datetime]


class Delegation(StationScoped, Base):
    """An approver hands the pen to somebody for some days."""

    __tablename__ = "delegation"

    id: Mapped[int] = mapped_column(primary_key=True)
    from_user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    to_user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]


class SignIn(StationScoped, Base):
    """One signed-in browser.  A cookie names its row, so that a copy of it is worth nothing after sign-out."""

    __tablename__ = "sign_in"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    device: Mapped[str] = mapped_column(String(80), default="")
    address: Mapped[str] = mapped_column(String(45), default="")
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Notice(StationScoped, Base):
    """One sentence for one person; `about` names what it is about ("revision:12")."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_reader", "user_id", "read_at"),
        Index("ix_notice_about", "about"),
        Index("ix_notice_mail_due_at", "mail_due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    from_user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    kind: Mapped[NoticeKind] = mapped_column(EnumText(NoticeKind))
    text: Mapped[str] = mapped_column(Text)
    about: Mapped[str] = mapped_column(String(60), default="")
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    mail_due_at: Mapped[datetime | None]  # None = nothing to send (any more)
    mail_attempts: Mapped[int] = mapped_column(default=0)
    mailed_at: Mapped[datetime | None]
    mail_error: Mapped[str] = mapped_column(Text, default="")

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    from_user: Mapped[User | None] = relationship(foreign_keys=[from_user_id])


class Village(StationScoped, Base):
    """A thôn or tổ dân phố; validity dates keep old reports right after a merger."""

    __tablename__ = "village"
    __table_args__ = (UniqueConstraint("station_id", "slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(120))
    position: Mapped[int] = mapped_column(default=0)
    operator_name: Mapped[str] = mapped_column(String(120), default="")
    operator_phone: Mapped[str] = mapped_column(String(40), default="")
    link_generation: Mapped[int] = mapped_column(default=1)  # raised to revoke the link
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("village.id"))


class Campaign(StationScoped, Base):
    """A yearly plan with its motto."""

    __tablename__ = "campaign"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(300))
    motto: Mapped[str] = mapped_column(Text, default="")
    first_day: Mapped[date]
    last_day: Mapped[date]


class Topic(StationScoped, Base):
    """A theme with its target over the campaign."""

    __tablename__ = "topic"
    __table_args__ = (UniqueConstraint("station_id", "slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    slug: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text, default="")
    target_broadcasts: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)

    campaign: Mapped[Campaign | None] = relationship()


class Audit(StationScoped, Base):
    """Who changed what, when; append-only by trigger."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject", "station_id", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(120), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
