"""An emergency that is asked for, and the sound of its message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from broadcaster.model import (
    BulletinState,
    PlacedItem,
    Priority,
    Programme,
    RenditionFile,
    RenditionKind,
)
from broadcaster.schedule.emergency.asking import (
    EmergencyForm,
    request_emergency,
)
from broadcaster.schedule.emergency.message import (
    KIND,
    air_sha256,
    message_programme,
)
from broadcaster.schedule.rendering import store_programme
from broadcaster.store.db import Database
from broadcaster.store.queue import claim, finish
from tests.support.commune import Commune, at, bulletin, found, furnish, sha

NOW = at("09:10")


def ready(db: Database, *, persons: int = 2, **options: object) -> tuple[Commune, int, str]:
    """A commune with one emergency asked for, its sound made: (commune, emergency id, hash of the sound)."""
    with db.writing() as session:
        commune = found(session)
        furnish(session, commune)
        recorded = persons == 1 or bool(options.pop("recorded", False))
        row = bulletin(
            session,
            commune,
            "Nước lũ đang lên",
            seconds=40,
            priority=Priority.EMERGENCY,
            state=BulletinState.APPROVED if recorded else BulletinState.SUBMITTED,
        )
        form = EmergencyForm(reason="Lũ trên sông Mực", expires_at=NOW + timedelta(hours=2), **options)  # type: ignore[arg-type]
        wish = request_emergency(
            session, commune.station, row.revisions[-1], form, persons=persons, actor=commune.author, now=NOW
        )
        number, key = wish.id, wish.programme_key
    render(db)
    with db.reading() as session:
        return commune, number, air_sha256(message_programme(session, commune.station.id, key))


def render(db: Database, *, kinds: Sequence[str] = (KIND,), most: int = 1000, now: datetime = NOW) -> int:
    """What the worker does with sound that is asked for: up to `most` jobs, each done; how many."""
    done = 0
    while done < most and (job := claim(db, owner="thợ", kinds=kinds, now=now)) is not None:
        file = RenditionFile(RenditionKind.AIR, sha(job.key), 1000)
        with db.writing() as session:
            assert finish(session, job, result={})
            store_programme(
                session, job, Programme((file,), 41_000, -16.0, -2.5, (PlacedItem("x", 0, 1),), ""), now=now
            )
        done += 1
    return done
