"""Five years of a station in bulk: what a report and a backup must still be quick with.

37 villages, each with a receiver of its own, two airings a day; a few of each kind of trouble.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from sqlalchemy import insert
from sqlalchemy.orm import Session

from broadcaster.model import (
    AiringOrigin,
    AiringState,
    AsRunEvent,
    LatePolicy,
    Priority,
    ReceiptKind,
    RenditionKind,
    StartMode,
)
from broadcaster.store.tables import (
    Airing,
    AiringVillage,
    AsRun,
    ProgrammeRow,
    Receipt,
    Receiver,
    ReceiverVillage,
    Rendition,
    Topic,
    Variant,
    VariantItem,
    VariantVillage,
)
from tests.support.commune import Commune, at, bulletin, sha

TOPICS = (
    "Kỹ năng số",
    "Cải cách hành chính",
    "Dữ liệu và hạ tầng",
    "An toàn thông tin",
    "Đổi mới truyền thông",
)
STARTS = ((time(5, 30), "Buổi sáng"), (time(17, 0), "Buổi chiều"))


def fill_years(session: Session, commune: Commune, first: date, days: int, *, seed: int = 7) -> None:
    """Write `days` days of broadcasting from `first`; about one airing in fifty goes wrong somewhere."""
    chance = random.Random(seed)  # noqa: S311
    boxes = _receivers(session, commune)
    bulletins = _bulletins(session, commune, first, days)
    sequence = 0
    for month in _chunks(first, days):
        rows: dict[type, list[dict[str, object]]] = {
            kind: [] for kind in (ProgrammeRow, Rendition, Airing, Variant, AiringVillage, VariantVillage)
        } | {kind: [] for kind in (VariantItem, AsRun, Receipt)}
        for day in month:
            for number, (start, name) in enumerate(STARTS):
                key = (day - date(2000, 1, 1)).days * 2 + number
                sequence = _airing(rows, commune, boxes, bulletins, key, day, start, name, chance, sequence)
        for kind, values in rows.items():
            if values:
                session.execute(insert(kind), values)


def _chunks(first: date, days: int) -> Iterator[list[date]]:
    for start in range(0, days, 30):
        yield [first + timedelta(days=number) for number in range(start, min(start + 30, days))]


def _receivers(session: Session, commune: Commune) -> list[int]:
    found = []
    for village in commune.villages:
        row = Receiver(
            station_id=commune.station.id, name=f"Cụm loa {village.name}", token_hash=sha(village.slug),
            created_at=at("00:00", date(2020, 1, 1)), pairing_hash="", heartbeat={},
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add(ReceiverVillage(receiver_id=row.id, village_id=village.id))
        found.append(row.id)
    session.flush()
    return found


def _bulletins(session: Session, commune: Commune, first: date, days: int) -> list[tuple[int, int]]:
    topics = []
    for position, title in enumerate(TOPICS):
        topic = Topic(
            station_id=commune.station.id, slug=f"chu-de-{position}", title=title, position=position + 1
        )
        session.add(topic)
        session.flush()
        topics.append(topic)
    found = []
    for number in range(max(days * 120 // 365, 6)):
        row = bulletin(session, commune, f"Bản tin số {number + 1}: {TOPICS[number % 5].lower()}")
        row.topic_id = topics[number % 5].id
        found.append((row.id, row.revisions[0].id))
    session.flush()
    return found


def _airing(
    rows: dict[type, list[dict[str, object]]],
    commune: Commune,
    boxes: list[int],
    bulletins: list[tuple[int, int]],
    key: int,
    day: date,
    start: time,
    name: str,
    chance: random.Random,
    sequence: int,
) -> int:
    planned: datetime = at(f"{start:%H:%M}", day)
    airing_id = f"{key:08d}-0000-4000-8000-{commune.station.id:012d}"
    length = 240_000 + 1000 * (key % 120)
    skipped = chance.random() < 0.004
    rows[ProgrammeRow].append(
        {
            "id": key, "station_id": commune.station.id, "input_key": sha(f"programme {key}"), "title": name,
            "duration_ms": length, "loudness_lufs": -16.0, "true_peak_dbtp": -2.3, "items": [],
            "waveform_svg": "", "revoked_reason": "", "made_at": planned - timedelta(hours=1),
        }
    )  # fmt: skip
    rows[Rendition].append(
        {
            "programme_id": key,
            "kind": RenditionKind.AIR,
            "sha256": sha(f"air {key}"),
            "size_bytes": length * 8,
        }
    )
    rows[Airing].append(
        {
            "id": airing_id, "station_id": commune.station.id, "origin": AiringOrigin.SLOT, "slot_id": None,
            "name": name, "local_date": day, "start_local": start, "planned_at": planned, "max_minutes": 15,
            "start_mode": StartMode.AT_ONCE, "wait_s": 0, "late_policy": LatePolicy.PLAY_WITHIN_GRACE,
            "grace_s": 300, "priority": Priority.ROUTINE, "volume_percent": 100, "template_name": "thuong",
            "state": AiringState.SKIPPED if skipped else AiringState.STARTED,
            "reason": "Không có bản tin nào được duyệt kịp." if skipped else "", "version": 1,
        }
    )  # fmt: skip
    rows[Variant].append(
        {"id": key, "airing_id": airing_id, "number": 1, "programme_id": key, "wanted_key": ""}
    )
    for position in range(2):
        bulletin_id, revision_id = bulletins[(key // 6 + position * 31) % len(bulletins)]
        rows[VariantItem].append(
            {
                "variant_id": key, "position": position + 1, "bulletin_id": bulletin_id,
                "revision_id": revision_id, "dropped_reason": "",
            }
        )  # fmt: skip
    end = planned + timedelta(milliseconds=length)
    for village, box in zip(commune.villages, boxes, strict=True):
        rows[AiringVillage].append({"airing_id": airing_id, "village_id": village.id})
        rows[VariantVillage].append({"variant_id": key, "village_id": village.id})
        if skipped:
            continue
        for event, moment, offset, reason in _log(chance.random(), planned, end, length):
            sequence += 1
            rows[AsRun].append(
                {
                    "receiver_id": box, "sequence": sequence, "airing_id": airing_id, "event": event, "at": moment,
                    "offset_ms": offset, "sha256": "", "reason": reason, "received_at": moment,
                }
            )  # fmt: skip
        said = chance.random()
        if said < 0.93:
            rows[Receipt].append(
                {
                    "village_id": village.id, "airing_id": airing_id, "phone_at": None, "withdrawn_at": None,
                    "kind": ReceiptKind.PLAYED if said < 0.91 else ReceiptKind.FAILED,
                    "reason": "" if said < 0.91 else "Mất điện", "server_at": end,
                }
            )  # fmt: skip
    return sequence


def _log(
    chance: float, planned: datetime, end: datetime, length: int
) -> Iterator[tuple[AsRunEvent, datetime, int, str]]:
    if chance < 0.006:
        return
    if chance < 0.012:
        yield AsRunEvent.MISSED, end, 0, "máy tắt lúc đến giờ"
        return
    yield AsRunEvent.STARTED, planned, 0, ""
    if chance < 0.02:
        yield AsRunEvent.INTERRUPTED, end, int(length * chance * 50), "mất điện"
        return
    yield AsRunEvent.FINISHED, end, length, ""
