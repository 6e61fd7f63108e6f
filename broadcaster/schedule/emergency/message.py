"""The sound of an emergency: the message alone, made before anybody accepts it.

The alert before it is every player's own (a clip it holds decoded), so nothing but the message is rendered,
and whoever accepts has heard exactly what will sound.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from broadcaster.model import BulletinState, Priority, Profile, RenditionKind
from broadcaster.newsroom.approved import approved_revisions
from broadcaster.schedule.slots import zone_of
from broadcaster.store.queue import enqueue
from broadcaster.store.tables import Bulletin, Emergency, ProgrammeRow, RenderJob, Revision, Station

KIND: Final = "emergency"  # of render jobs: a lane that no long programme holds up
# No words but the message's own: nobody has to approve a frame.  Half a second of rest on both sides.
FRAME: Final[dict[str, Any]] = {
    "call_sign": "", "greeting": "", "headlines": "", "item_intro": "", "repeat": "", "closing": "",
    "opening_jingle": False, "chime": False, "cuts": False, "bed": False, "closing_jingle": False,
    "lead_in_ms": 300, "after_opening_ms": 0, "around_ms": 400, "between_items_ms": 500, "tail_ms": 500,
}  # fmt: skip
_FORMAT: Final = 1  # raise it when the same message would sound different
_AT_ONCE: Final = timedelta(days=1)  # before anything that has a time of its own


def key_of(station: Station, revision: Revision) -> str:
    """Names the message's programme: the same take read as often, under the same frame."""
    take = revision.take
    text = json.dumps(
        {
            "format": _FORMAT,
            "station": station.slug,
            "frame": FRAME,
            "take": "" if take is None else take.sha256,
            "read_twice": revision.read_twice,
            "title": revision.title,
        },
        ensure_ascii=False,
        sort_keys=True,
    )
    return hashlib.sha256(text.encode()).hexdigest()


def ask_message(session: Session, station: Station, revision: Revision, *, now: datetime) -> RenderJob | None:
    """Ask for the message's programme; None while its take is still being spoken."""
    take = revision.take
    if take is None:
        return None
    local = now.astimezone(zone_of(station.zone))
    payload: dict[str, Any] = {
        "title": revision.title,
        "station_name": station.name,
        "call_sign": station.call_sign,
        "local_date": local.date().isoformat(),
        "start_local": local.time().isoformat("minutes"),
        "voice_chain": list(station.voice_chain),
        "template": FRAME,
        "jingles": {},
        "profile": Profile.HORN.value,
        "items": [
            {
                "bulletin_id": revision.bulletin_id,
                "revision_id": revision.id,
                "title": revision.title,
                "topic": "",
                "read_twice": revision.read_twice,
                "take": {
                    "sha256": take.sha256,
                    "voice": take.voice,
                    "speed": take.speed,
                    "duration_ms": take.duration_ms,
                    "sentences": take.sentences,
                },
            }
        ],
    }
    return enqueue(
        session, station_id=station.id, kind=KIND, key=key_of(station, revision), payload=payload,
        due_at=now - _AT_ONCE, now=now,
    )  # fmt: skip


def prepare_messages(session: Session, station: Station, *, now: datetime) -> int:
    """Have the sound of every emergency that may be accepted ready: those that wait, and the recorded ones.

    Returns how many new jobs there are.
    """
    waiting = session.scalars(
        select(Emergency)
        .where(Emergency.station_id == station.id, Emergency.state == "waiting", Emergency.expires_at > now)
        .options(selectinload(Emergency.revision).selectinload(Revision.take))
    ).all()
    for row in waiting:
        if row.revision.take is not None and row.programme_key != key_of(station, row.revision):
            row.programme_key = key_of(station, row.revision)  # its take has come meanwhile
    wanted = {row.revision.id: row.revision for row in waiting}
    wanted |= {one.id: one for one in recorded_messages(session, station)}
    keys = {key_of(station, one): one for one in wanted.values() if one.take is not None}
    there = set(
        session.scalars(
            select(ProgrammeRow.input_key).where(
                ProgrammeRow.station_id == station.id, ProgrammeRow.input_key.in_(keys)
            )
        )
    )
    asked = set(
        session.scalars(
            select(RenderJob.key).where(
                RenderJob.station_id == station.id, RenderJob.kind == KIND, RenderJob.key.in_(keys)
            )
        )
    )
    missing = [one for key, one in keys.items() if key not in there | asked]
    for one in missing:
        ask_message(session, station, one, now=now)
    session.flush()
    return len(missing)


def recorded_messages(session: Session, station: Station) -> list[Revision]:
    """Messages that two people have approved in advance: what one person alone may put on the air."""
    ids = session.scalars(
        select(Bulletin.id).where(
            Bulletin.station_id == station.id,
            Bulletin.priority == Priority.EMERGENCY,
            Bulletin.state != BulletinState.WITHDRAWN,
        )
    ).all()
    found = approved_revisions(session, ids)
    return sorted(
        (one for one in found.values() if one.take is not None and one.priority is Priority.EMERGENCY),
        key=lambda one: (one.title, one.id),
    )


def message_programme(session: Session, station_id: int, key: str) -> ProgrammeRow | None:
    """The finished programme of that key, with its files."""
    return session.scalar(
        select(ProgrammeRow)
        .where(
            ProgrammeRow.station_id == station_id,
            ProgrammeRow.input_key == key,
            ProgrammeRow.revoked_reason == "",
        )
        .options(selectinload(ProgrammeRow.renditions))
    )


def air_sha256(programme: ProgrammeRow | None) -> str:
    """The hash of what would sound, '' while there is nothing."""
    files: Collection[Any] = () if programme is None else programme.renditions
    return next((one.sha256 for one in files if one.kind is RenditionKind.AIR), "")
