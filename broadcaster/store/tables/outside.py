"""What ties the station to others: tokens of programs, contributing units, listeners' words, posts elsewhere."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from broadcaster.store.tables.base import Base, EnumText, StationScoped
from broadcaster.store.tables.newsroom import Bulletin
from broadcaster.store.tables.people import Campaign, Topic, User, Village


class FeedbackKind(StrEnum):
    """What somebody tells the station about."""

    BROKEN = "broken"  # a loudspeaker is broken
    UNHEARD = "unheard"  # it played and could not be heard or understood
    QUESTION = "question"
    OTHER = "other"


class FeedbackState(StrEnum):
    """Where a listener's word stands."""

    NEW = "new"
    WORKING = "working"
    ANSWERED = "answered"
    CLOSED = "closed"  # nothing to answer


class ContributionState(StrEnum):
    """Where a contributor's draft stands."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class ApiToken(StationScoped, Base):
    """The right of another program; it acts for the person who made it, and never beyond that person's rights."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 hex of a 256-bit token
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    expires_on: Mapped[date | None]  # the last day it opens anything, at the station
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    owner: Mapped[User] = relationship()


class Contributor(StationScoped, Base):
    """A unit that sends drafts: health station, school, Fatherland Front, a village."""

    __tablename__ = "contributor"
    __table_args__ = (UniqueConstraint("station_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    contact: Mapped[str] = mapped_column(String(200), default="")
    link_generation: Mapped[int] = mapped_column(default=1)  # raised to revoke the link
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class ContributorAccount(Base):
    """An account of a unit: it sends drafts in the unit's name and sees those it sent."""

    __tablename__ = "contributor_account"

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    contributor_id: Mapped[int] = mapped_column(ForeignKey("contributor.id"), index=True)

    user: Mapped[User] = relationship()
    contributor: Mapped[Contributor] = relationship()


class Contribution(StationScoped, Base):
    """A draft that came in from a contributor.  What was sent stays as it was sent, whatever becomes of it."""

    __tablename__ = "contribution"

    id: Mapped[int] = mapped_column(primary_key=True)
    contributor_id: Mapped[int] = mapped_column(ForeignKey("contributor.id"), index=True)
    title: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("user_account.id"), index=True
    )  # None = by the link
    sender: Mapped[str] = mapped_column(String(120), default="")
    wish: Mapped[str] = mapped_column(
        String(300), default=""
    )  # when it should be broadcast, in the sender's words
    source_name: Mapped[str] = mapped_column(String(300), default="")
    notes: Mapped[list[Any]] = mapped_column(default=list)  # what importing the file changed
    state: Mapped[ContributionState] = mapped_column(
        EnumText(ContributionState), default=ContributionState.WAITING
    )
    reason: Mapped[str] = mapped_column(Text, default="")
    bulletin_id: Mapped[int | None] = mapped_column(ForeignKey("bulletin.id"))
    received_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    contributor: Mapped[Contributor] = relationship()
    bulletin: Mapped[Bulletin | None] = relationship()
    user: Mapped[User | None] = relationship(foreign_keys=[user_id])


class Feedback(StationScoped, Base):
    """What a listener or a village operator tells the station, and what the station answered."""

    __tablename__ = "feedback"
    __table_args__ = (Index("ix_feedback_station_state", "station_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[FeedbackKind] = mapped_column(EnumText(FeedbackKind))
    text: Mapped[str] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(String(120), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    village_id: Mapped[int | None] = mapped_column(ForeignKey("village.id"))
    from_operator: Mapped[bool] = mapped_column(default=False)  # came through a village's own link
    bulletin_id: Mapped[int | None] = mapped_column(ForeignKey("bulletin.id"))
    state: Mapped[FeedbackState] = mapped_column(EnumText(FeedbackState), default=FeedbackState.NEW)
    answer: Mapped[str] = mapped_column(Text, default="")
    received_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    village: Mapped[Village | None] = relationship()
    bulletin: Mapped[Bulletin | None] = relationship()
    answered_by: Mapped[User | None] = relationship()


class SocialPost(StationScoped, Base):
    """One posting of a bulletin on a network: what was sent, and what the network said."""

    __tablename__ = "social_post"

    id: Mapped[int] = mapped_column(primary_key=True)
    bulletin_id: Mapped[int] = mapped_column(ForeignKey("bulletin.id"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    network: Mapped[str] = mapped_column(String(20))  # zalo | facebook, or where a person pasted it by hand
    by_hand: Mapped[bool] = mapped_column(default=False)
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))  # sending | posted | failed
    remote_id: Mapped[str] = mapped_column(String(200), default="")
    url: Mapped[str] = mapped_column(String(500), default="")
    error: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
    actor_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))

    bulletin: Mapped[Bulletin] = relationship()
    actor: Mapped[User] = relationship()


class PlanDocument(StationScoped, Base):
    """A plan as it was imported: its paragraphs in order, so that every draft can show where it comes from."""

    __tablename__ = "plan_document"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    name: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str] = mapped_column(String(64))  # of the file that was sent
    paragraphs: Mapped[list[Any]] = mapped_column(default=list)
    imported_at: Mapped[datetime]
    imported_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))

    campaign: Mapped[Campaign] = relationship()


class PlanSource(Base):
    """Which paragraphs of a plan a bulletin came from (numbers from 0, both ends included)."""

    __tablename__ = "plan_source"

    bulletin_id: Mapped[int] = mapped_column(ForeignKey("bulletin.id"), primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("plan_document.id"), primary_key=True)
    heading: Mapped[str] = mapped_column(String(300))
    first_paragraph: Mapped[int]
    last_paragraph: Mapped[int]

    bulletin: Mapped[Bulletin] = relationship()
    document: Mapped[PlanDocument] = relationship()


class TopicTarget(StationScoped, Base):
    """What a topic should reach between two days; 0 = no target of that kind."""

    __tablename__ = "topic_target"
    __table_args__ = (UniqueConstraint("topic_id", "first_day", "last_day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    broadcasts: Mapped[int] = mapped_column(default=0)
    minutes: Mapped[int] = mapped_column(default=0)
    bulletins: Mapped[int] = mapped_column(default=0)

    topic: Mapped[Topic] = relationship()
