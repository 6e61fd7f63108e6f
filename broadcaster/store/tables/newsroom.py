"""The life of a bulletin: drafts, immutable revisions, frozen takes, approvals, templates, dictionaries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from broadcaster.model import BulletinState, Priority
from broadcaster.store.tables.base import Base, EnumText, StationScoped
from broadcaster.store.tables.people import Topic, User


class Bulletin(StationScoped, Base):
    """A text on its way to the air.  The draft is what is being typed; submitting freezes a Revision of it."""

    __tablename__ = "bulletin"
    __table_args__ = (
        Index("ix_bulletin_updated", "station_id", "updated_at"),
        Index("ix_bulletin_state", "station_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(300))
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id"))
    priority: Mapped[Priority] = mapped_column(EnumText(Priority), default=Priority.ROUTINE)
    read_twice: Mapped[bool] = mapped_column(default=False)
    voice: Mapped[str] = mapped_column(String(60), default="")  # tried first; empty = the station's order
    speed: Mapped[float | None]  # None = the station's
    author_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    state: Mapped[BulletinState] = mapped_column(EnumText(BulletinState), default=BulletinState.DRAFT)
    state_reason: Mapped[str] = mapped_column(Text, default="")
    draft_text: Mapped[str] = mapped_column(Text, default="")
    folded: Mapped[str] = mapped_column(Text, default="")  # title and text without tone marks, to search in
    draft_answers: Mapped[dict[str, Any]] = mapped_column(default=dict)  # warning key -> reading
    draft_writers: Mapped[list[Any]] = mapped_column(default=list)  # user ids whose hand is in the draft
    source_name: Mapped[str] = mapped_column(String(300), default="")  # the imported file's name
    import_notes: Mapped[list[Any]] = mapped_column(default=list)
    version: Mapped[int] = mapped_column(default=1)  # optimistic lock of forms
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __mapper_args__ = {"version_id_col": version}

    topic: Mapped[Topic | None] = relationship()
    author: Mapped[User] = relationship()
    revisions: Mapped[list[Revision]] = relationship(back_populates="bulletin", order_by="Revision.number")


class DraftCopy(StationScoped, Base):
    """A draft as it was before somebody's saving took much of it away, or some minutes of it."""

    __tablename__ = "draft_copy"

    id: Mapped[int] = mapped_column(primary_key=True)
    bulletin_id: Mapped[int] = mapped_column(ForeignKey("bulletin.id"), index=True)
    title: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    replaced_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    replaced_at: Mapped[datetime]

    replaced_by: Mapped[User] = relationship()


class TakeRow(StationScoped, Base):
    """A frozen speech: one FLAC blob, never evicted while a revision points at it."""

    __tablename__ = "take"

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    voice: Mapped[str] = mapped_column(String(60))
    voice_label: Mapped[str] = mapped_column(String(120), default="")
    speed: Mapped[float]
    duration_ms: Mapped[int]
    sentences: Mapped[list[Any]] = mapped_column(default=list)  # [text, start_sample, length_samples]
    why: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]


class Revision(Base):
    """An immutable text with its reading (a trigger guards it).  Only `take_id` is filled in later, once."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("bulletin_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    bulletin_id: Mapped[int] = mapped_column(ForeignKey("bulletin.id"), index=True)
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    text_sha256: Mapped[str] = mapped_column(String(64))
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)  # warning key -> reading
    reading: Mapped[dict[str, Any]]  # reading_to_json
    reading_sha256: Mapped[str] = mapped_column(String(64))
    priority: Mapped[Priority] = mapped_column(EnumText(Priority), default=Priority.ROUTINE)
    read_twice: Mapped[bool] = mapped_column(default=False)
    voice: Mapped[str] = mapped_column(String(60), default="")
    speed: Mapped[float | None]
    writers: Mapped[list[Any]] = mapped_column(default=list)  # user ids: none of them may approve it
    recordings: Mapped[list[Any]] = mapped_column(default=list)  # newsroom.recordings.Voiced, as data
    take_id: Mapped[int | None] = mapped_column(ForeignKey("take.id"))
    submitted_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    submitted_at: Mapped[datetime]

    bulletin: Mapped[Bulletin] = relationship(back_populates="revisions")
    take: Mapped[TakeRow | None] = relationship()
    submitted_by: Mapped[User] = relationship()
    decisions: Mapped[list[Decision]] = relationship(back_populates="revision", order_by="Decision.id")


class Recording(StationScoped, Base):
    """A person's voice for a bulletin, or for every sentence of it with these spoken words.

    Replacing one keeps the older row (`replaced_at`): what was recorded is never lost.
    """

    __tablename__ = "recording"

    id: Mapped[int] = mapped_column(primary_key=True)
    bulletin_id: Mapped[int] = mapped_column(ForeignKey("bulletin.id"), index=True)
    spoken: Mapped[str] = mapped_column(Text, default="")  # the sentence; empty = the whole bulletin
    heard_sha256: Mapped[str] = mapped_column(String(64), default="")  # the reading it was made from
    sha256: Mapped[str] = mapped_column(String(64), index=True)  # mono FLAC at the house rate
    duration_ms: Mapped[int]
    reader: Mapped[str] = mapped_column(String(120), default="")
    language: Mapped[str] = mapped_column(String(40), default="")  # empty = Vietnamese
    source_name: Mapped[str] = mapped_column(String(300), default="")
    notes: Mapped[list[Any]] = mapped_column(default=list)  # what was done to the sound, for people
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    made_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]


class Decision(Base):
    """What an approver said of exactly this text, this reading and this sound."""

    __tablename__ = "decision"
    __table_args__ = (
        CheckConstraint("verdict IN ('approved','returned','withdrawn')", name="verdict"),
        CheckConstraint("verdict != 'approved' OR approver_id != author_id", name="two_persons"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    approver_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    verdict: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text, default="")
    text_sha256: Mapped[str] = mapped_column(String(64))
    reading_sha256: Mapped[str] = mapped_column(String(64))
    take_sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]

    revision: Mapped[Revision] = relationship(back_populates="decisions")
    approver: Mapped[User] = relationship(foreign_keys=[approver_id])


class TemplateRevision(StationScoped, Base):
    """Generated words, jingles and mix profile of a programme: a revision with its own approval."""

    __tablename__ = "template_revision"
    __table_args__ = (
        UniqueConstraint("station_id", "name", "number"),
        CheckConstraint("approved_by_id IS NULL OR approved_by_id != author_id", name="two_persons"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    number: Mapped[int]
    body: Mapped[dict[str, Any]]  # production.template.Template as data
    jingles: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # kind -> SHA-256: what sounds, and nothing else
    sha256: Mapped[str] = mapped_column(String(64))
    author_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    approved_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class LexiconEntry(StationScoped, Base):
    """How a written thing is said: for one bulletin, or for the whole station when `bulletin_id` is null."""

    __tablename__ = "lexicon_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    bulletin_id: Mapped[int | None] = mapped_column(ForeignKey("bulletin.id"), index=True)
    written: Mapped[str] = mapped_column(String(200))
    spoken: Mapped[str] = mapped_column(String(500))
    author_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    updated_at: Mapped[datetime]


class Jingle(StationScoped, Base):
    """A station sound with its source and the right to use it."""

    __tablename__ = "jingle"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))  # a FLAC blob in the house format
    duration_ms: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))
    licence: Mapped[str] = mapped_column(String(200))
    original_sha256: Mapped[str] = mapped_column(String(64), default="")  # as it was brought, to be cut anew
    original_suffix: Mapped[str] = mapped_column(String(8), default="")
    cut: Mapped[dict[str, Any]] = mapped_column(default=dict)  # production.jingles.Cut as data
    in_use: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
