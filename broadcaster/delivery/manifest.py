"""The signed list of what one receiver plays: the plan of its villages, three days ahead.

Nothing is decided here: every line comes from `schedule.plan`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.delivery.receivers import station_of
from broadcaster.model import AiringState, PlannedAiring, RenditionKind
from broadcaster.schedule.plan import plan_between
from broadcaster.signing import canonical_json, sign
from broadcaster.store.blobs import Blobs
from broadcaster.store.keys import Keys
from broadcaster.store.tables import Jingle, Receiver

FORMAT: Final = 1
# A box that was switched off still hears of what it was not there for, so that it can account for it: as long
# as the report waits for it.
LOOK_BACK: Final = timedelta(days=7)
# The plan a player holds may be an hour old when the station falls silent (see `plan_tag`).
REFRESH: Final = timedelta(hours=1)
CLIP_SUFFIX: Final = "flac"  # the house format of jingles


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """`body` is canonical JSON, `signature_hex` its Ed25519 signature, `tag` the ETag it is served under."""

    body: bytes
    signature_hex: str
    tag: str


def plan_tag(session: Session, receiver: Receiver, now: datetime) -> str:
    """Changes with the station's epoch and plan version, and every hour, since the window moves on."""
    station = station_of(session, receiver)
    return f"{station.epoch}-{station.plan_version}-{int(now.timestamp()) // 3600}"


def build_manifest(
    session: Session,
    receiver: Receiver,
    *,
    keys: Keys,
    hours_ahead: int,
    now: datetime,
    blobs: Blobs | None = None,
) -> SignedManifest:
    """What this receiver plays in the next `hours_ahead` hours (and what it should have since yesterday).

    `blobs` gives the length of the alert clips; without it the manifest has none.
    """
    station = station_of(session, receiver)
    until = now + timedelta(hours=hours_ahead) + REFRESH
    lines = plan_between(session, now - LOOK_BACK, until)
    heard = frozenset(village.slug for village in receiver.villages)
    body = canonical_json(
        {
            "format": FORMAT,
            "station": station.slug,
            "receiver": receiver.id,
            "zone": station.zone,
            "epoch": station.epoch,
            "version": station.plan_version,
            "issued_at": _utc(now),
            "valid_until": _utc(until),
            "airings": [_airing(line) for line in for_villages(lines, heard)],
            "clips": _clips(session, blobs),
        }
    )
    return SignedManifest(body, sign(keys.signing_key, body), plan_tag(session, receiver, now))


def for_villages(lines: Iterable[PlannedAiring], villages: frozenset[str]) -> list[PlannedAiring]:
    """One line an airing: the variant that most of `villages` hear (none named = all villages).

    An airing that reaches none of them is left out.
    """
    chosen: dict[str, PlannedAiring] = {}
    for line in lines:
        if villages and not villages.intersection(line.villages):
            continue
        held = chosen.get(line.airing_id)
        if held is None or _reach(line, villages) > _reach(held, villages):
            chosen[line.airing_id] = line
    return list(chosen.values())


def _reach(line: PlannedAiring, villages: frozenset[str]) -> tuple[int, int]:
    # Without villages of its own a receiver plays variant 1, whatever the numbers of villages are.
    return (len(villages.intersection(line.villages)) if villages else 0, -line.variant)


def _airing(line: PlannedAiring) -> dict[str, Any]:
    file = line.files.get(RenditionKind.AIR)
    return {
        "id": line.airing_id,
        "origin": str(line.origin),
        "priority": str(line.priority),
        "planned_at": _utc(line.planned_at),
        "start_mode": str(line.start_mode),
        "wait_s": line.wait_s,
        "late_policy": str(line.late_policy),
        "grace_s": line.grace_s,
        "volume_percent": line.volume_percent,
        "title": line.slot_name,
        "duration_ms": line.duration_ms or 0,
        # A player ends what it was told to skip, also in the middle, and never begins it again.
        "state": str(AiringState.SKIPPED if line.stopped_at is not None else line.state),
        "reason": line.reason,
        "variant": line.variant,
        "file": None
        if file is None
        else {"sha256": file.sha256, "size_bytes": file.size_bytes, "suffix": "mp3"},
    }


def _clips(session: Session, blobs: Blobs | None) -> list[dict[str, Any]]:
    if blobs is None:
        return []
    rows = session.scalars(
        select(Jingle).where(Jingle.kind == "alert", Jingle.in_use.is_(True)).order_by(Jingle.id)
    )
    return [
        {
            "kind": row.kind,
            "sha256": row.sha256,
            "size_bytes": blobs.size(row.sha256, suffix=CLIP_SUFFIX),
            "suffix": CLIP_SUFFIX,
        }
        for row in rows
        if blobs.has(row.sha256, suffix=CLIP_SUFFIX)
    ]


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
