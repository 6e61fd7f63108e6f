"""Typed tables.  Every root row carries its station; see `StationScoped`."""

from broadcaster.store.tables.base import Base, StationScoped, UtcDateTime
from broadcaster.store.tables.newsroom import (
    Bulletin,
    Decision,
    Jingle,
    LexiconEntry,
    Recording,
    Revision,
    TakeRow,
    TemplateRevision,
)
from broadcaster.store.tables.people import Audit, Campaign, Delegation, Station, Topic, User, Village
from broadcaster.store.tables.production import Lease, ProgrammeRow, RenderJob, Rendition
from broadcaster.store.tables.receivers import AsRun, Receipt, Receiver, ReceiverVillage
from broadcaster.store.tables.schedule import (
    Airing,
    AiringVillage,
    Rotation,
    Slot,
    SlotException,
    SlotVillage,
    Variant,
    VariantItem,
    VariantVillage,
)

__all__ = [
    "Airing",
    "AiringVillage",
    "AsRun",
    "Audit",
    "Base",
    "Bulletin",
    "Campaign",
    "Decision",
    "Delegation",
    "Jingle",
    "Lease",
    "LexiconEntry",
    "ProgrammeRow",
    "Receipt",
    "Receiver",
    "ReceiverVillage",
    "RenderJob",
    "Recording",
    "Rendition",
    "Revision",
    "Rotation",
    "Slot",
    "SlotException",
    "SlotVillage",
    "Station",
    "StationScoped",
    "TakeRow",
    "TemplateRevision",
    "Topic",
    "User",
    "UtcDateTime",
    "Variant",
    "VariantItem",
    "VariantVillage",
    "Village",
]
