"""Which programme each airing should have, and the work of making it: wanted -> job -> stored.

A programme is built only from approved takes and an approved template.  What it is made of hashes to a
key: the same key is the same programme, a different one is made anew, nearest airing first.  The job's
payload is plain JSON with everything the worker needs, and the record of what a programme was made from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from broadcaster.model import AiringState, Profile, Programme
from broadcaster.newsroom.approved import approved_revisions
from broadcaster.newsroom.people import record
from broadcaster.schedule.closing import due_for_render, lately_started, revisions_made_from
from broadcaster.schedule.live import CLOCK, OPEN, bump_plan, load_airing
from broadcaster.store.queue import Job, enqueue
from broadcaster.store.tables import (
    Airing,
    ProgrammeRow,
    RenderJob,
    Rendition,
    Revision,
    Station,
    TemplateRevision,
    Variant,
    VariantItem,
)

KIND = "programme"
WITHDRAWN = "Bản tin đã rút sau khi chốt nội dung."
NOT_WANTED = "Không còn buổi phát nào cần chương trình này."
ALL_WITHDRAWN = "Mọi bản tin của buổi này đã rút."
STILL_HEARD = timedelta(hours=24)  # how long after its start a withdrawal still takes a programme off the air
_FORMAT = 2  # of the payload: raise it when the same input would sound different


@dataclass(frozen=True, slots=True)
class Wanted:
    """The programme a variant should have: `key` names its input, `payload` is what the worker gets."""

    key: str
    payload: dict[str, Any]
    due_at: datetime


def wanted(session: Session, airing: Airing) -> dict[int, Wanted]:
    """variant id -> the programme it should have now; a variant with nothing approved is left out."""
    station = session.get_one(Station, airing.station_id)
    bulletins = {item.bulletin_id for variant in airing.variants for item in variant.items}
    approved = approved_revisions(session, bulletins)
    templates = _templates(session, station)
    found: dict[int, Wanted] = {}
    for variant in airing.variants:
        want = _wanted(station, airing, variant, approved, templates)
        if want is not None:
            found[variant.id] = want
    return found


def enqueue_programmes(
    session: Session, station: Station, *, now: datetime, days: int, retry_failed: bool = False
) -> int:
    """Ask for every missing programme of the next `days` days, due at its airing: the nearest is made first.

    Also points variants at programmes that exist already, takes away those that carry what was withdrawn or
    removed, and tells receivers.  A job that failed for good is asked for again only with `retry_failed`.
    Returns how many new jobs there are.
    """
    airings = due_for_render(session, station, until=now + timedelta(days=days))
    lately = lately_started(session, station, since=now - STILL_HEARD)
    variants = [variant for airing in airings for variant in airing.variants]
    both = [*variants, *(variant for airing in lately for variant in airing.variants)]
    approved = approved_revisions(session, {item.bulletin_id for one in both for item in one.items})
    made_from = revisions_made_from(
        session, station.id, {one.programme.input_key for one in both if one.programme is not None}
    )
    changed = _drop_withdrawn(session, [*airings, *lately], approved, made_from, now)
    templates = _templates(session, station)
    wants = {one.id: _wanted(station, one.airing, one, approved, templates) for one in variants}
    keys = {want.key for want in wants.values() if want is not None}
    ready = _programmes(session, station, keys)
    jobs = _jobs(session, station, keys)
    new, moved = 0, False
    for variant in variants:
        want = wants[variant.id]
        moved |= variant.wanted_key != (want.key if want is not None else "")
        changed |= _point(variant, want, ready, made_from)
        if want is None or want.key in ready:
            continue
        job = jobs.get(want.key)
        if job is None:
            jobs[want.key] = enqueue(
                session, station_id=station.id, kind=KIND, key=want.key, payload=want.payload,
                due_at=want.due_at, now=now,
            )  # fmt: skip
            new += 1
        elif job.state == "queued":
            job.due_at = min(job.due_at, want.due_at)
        elif job.state in ("done", "dropped") or retry_failed:
            # Done but its programme is gone, or failed and to be tried once more.
            _wake(job, want)
    session.flush()
    if moved:
        _drop_unwanted_jobs(session, station)
    if changed:
        bump_plan(session, station.id)
    return new


def store_programme(session: Session, job: Job, programme: Programme, *, now: datetime) -> ProgrammeRow:
    """Write a finished programme down and give it to every variant that wants exactly it.

    Idempotent: the same key again only renews its files.
    """
    row = session.scalar(
        select(ProgrammeRow)
        .where(ProgrammeRow.station_id == job.station_id, ProgrammeRow.input_key == job.key)
        .options(selectinload(ProgrammeRow.renditions))
    )
    if row is None:
        row = ProgrammeRow(station_id=job.station_id, input_key=job.key, revoked_reason="")
        session.add(row)
    row.title = str(job.payload["title"])
    row.duration_ms = programme.duration_ms
    row.loudness_lufs, row.true_peak_dbtp = programme.loudness_lufs, programme.true_peak_dbtp
    row.items = [[item.title, item.start_ms, item.duration_ms] for item in programme.items]
    row.waveform_svg, row.made_at = programme.waveform_svg, now
    files = {one.kind: one for one in row.renditions}
    for file in programme.renditions:
        if file.kind not in files:
            files[file.kind] = Rendition(kind=file.kind)
            row.renditions.append(files[file.kind])
        made = files[file.kind]
        made.sha256, made.size_bytes, made.duration_ms = file.sha256, file.size_bytes, file.duration_ms
        made.loudness_lufs, made.true_peak_dbtp = file.loudness_lufs, file.true_peak_dbtp
    session.flush()
    waiting = session.scalars(
        select(Variant)
        .join(Airing, Airing.id == Variant.airing_id)
        .where(Airing.station_id == job.station_id, Airing.state.in_(OPEN), Variant.wanted_key == job.key)
    ).all()
    for variant in waiting:
        variant.programme = row
    session.flush()
    bump_plan(session, job.station_id)
    return row


def ask_again(session: Session, airing_id: str, *, now: datetime) -> int:
    """Make an airing's programmes once more: its job failed for good, or its file is damaged.  Jobs asked."""
    airing = load_airing(session, airing_id)
    wants = wanted(session, airing)
    for want in wants.values():
        job = enqueue(
            session, station_id=airing.station_id, kind=KIND, key=want.key, payload=want.payload,
            due_at=want.due_at, now=now,
        )  # fmt: skip
        if job.state == "done":
            _wake(job, want)
    session.flush()
    return len(wants)


def _wake(job: RenderJob, want: Wanted) -> None:
    if job.state in ("done", "dropped", "failed"):
        job.state, job.attempt, job.error = "queued", 0, ""
        job.payload, job.due_at = want.payload, want.due_at


def _drop_unwanted_jobs(session: Session, station: Station) -> None:
    """A job that waits for a programme nobody wants any more only keeps the others waiting."""
    still = (
        select(Variant.wanted_key)
        .join(Airing, Airing.id == Variant.airing_id)
        .where(Airing.station_id == station.id, Airing.state.in_(OPEN))
    )
    session.execute(
        update(RenderJob)
        .where(
            RenderJob.station_id == station.id, RenderJob.kind == KIND, RenderJob.state == "queued",
            RenderJob.key.not_in(still),
        )
        .values(state="dropped", error=NOT_WANTED)
        .execution_options(synchronize_session="fetch")
    )  # fmt: skip


def _wanted(
    station: Station,
    airing: Airing,
    variant: Variant,
    approved: Mapping[int, Revision],
    templates: Mapping[str, TemplateRevision],
) -> Wanted | None:
    template = templates.get(airing.template_name)
    if airing.state not in OPEN or template is None:
        return None
    items = [
        _item(item, revision)
        for item in variant.items
        if not item.dropped_reason and (revision := _sounding(airing, item, approved)) is not None
    ]
    if not items:
        return None
    payload: dict[str, Any] = {
        "format": _FORMAT,
        "station_name": station.name,
        "call_sign": station.call_sign,
        "local_date": airing.local_date.isoformat(),
        "start_local": airing.start_local.isoformat("minutes"),
        "voice_chain": list(station.voice_chain),
        "template": template.body,
        "template_sha256": template.sha256,
        "jingles": dict(template.jingles),
        "profile": Profile.HORN.value,
        "items": items,
    }
    text = json.dumps(_without_numbers(payload), ensure_ascii=False, sort_keys=True)
    payload["title"] = f"{airing.name}, {airing.start_local:%H:%M} ngày {airing.local_date:%d/%m/%Y}"
    payload["variant_ids"] = [variant.id]
    return Wanted(hashlib.sha256(text.encode()).hexdigest(), payload, airing.planned_at)


def _without_numbers(payload: dict[str, Any]) -> dict[str, Any]:
    # Row numbers say who asked, not what it sounds like: the key is made of the sound's own names.
    items = [
        {name: value for name, value in item.items() if not name.endswith("_id")} for item in payload["items"]
    ]
    return {**payload, "items": items}


def _sounding(airing: Airing, item: VariantItem, approved: Mapping[int, Revision]) -> Revision | None:
    revision = approved.get(item.bulletin_id)
    if airing.state is AiringState.CLOSED:
        revision = item.revision
    return revision if revision is not None and revision.take is not None else None


def _item(item: VariantItem, revision: Revision) -> dict[str, Any]:
    take = revision.take
    assert take is not None, "only revisions with a take sound"
    topic = item.bulletin.topic
    return {
        "bulletin_id": item.bulletin_id,
        "revision_id": revision.id,
        "title": revision.title,
        "topic": topic.title if topic is not None else "",
        "read_twice": revision.read_twice,
        "take": {
            "sha256": take.sha256,
            "voice": take.voice,
            "speed": take.speed,
            "duration_ms": take.duration_ms,
            "sentences": take.sentences,
        },
    }


def _templates(session: Session, station: Station) -> dict[str, TemplateRevision]:
    """The newest approved one of each name."""
    rows = session.scalars(
        select(TemplateRevision)
        .where(TemplateRevision.station_id == station.id, TemplateRevision.approved_by_id.is_not(None))
        .order_by(TemplateRevision.number)
    )
    return {row.name: row for row in rows}


def _drop_withdrawn(
    session: Session,
    airings: Iterable[Airing],
    approved: Mapping[int, Revision],
    made_from: Mapping[str, Mapping[int, int]],
    now: datetime,
) -> bool:
    """Take what was withdrawn off the air: closed items drop out, programmes that carry it are revoked."""
    changed = False
    for airing in airings:
        items = [item for variant in airing.variants for item in variant.items]
        if airing.state is AiringState.CLOSED:
            for item in items:
                if (
                    item.revision_id is not None
                    and not item.dropped_reason
                    and item.bulletin_id not in approved
                ):
                    item.dropped_reason, changed = WITHDRAWN, True
            if items and all(item.dropped_reason for item in items):
                airing.state, airing.reason = AiringState.SKIPPED, ALL_WITHDRAWN
                record(
                    session, station_id=airing.station_id, actor=CLOCK, action="bỏ buổi phát",
                    subject=airing.id, detail={"reason": airing.reason}, now=now,
                )  # fmt: skip
        for variant in airing.variants:
            programme = variant.programme
            if programme is None or programme.revoked_reason:
                continue
            gone = [one for one in made_from.get(programme.input_key, {}) if _gone(one, variant, approved)]
            if gone:
                programme.revoked_reason, changed = "Chương trình có bản tin đã rút.", True
    return changed


def _gone(bulletin_id: int, variant: Variant, approved: Mapping[int, Revision]) -> bool:
    listed = any(item.bulletin_id == bulletin_id for item in variant.items)
    return listed and bulletin_id not in approved


def _point(
    variant: Variant,
    want: Wanted | None,
    ready: Mapping[str, ProgrammeRow],
    made_from: Mapping[str, Mapping[int, int]],
) -> bool:
    """Bring a variant's wish and its programme in line; True when receivers must hear of it."""
    key = want.key if want is not None else ""
    if variant.wanted_key != key:
        variant.wanted_key = key
    programme = ready.get(key)
    if programme is not None:
        lifted = bool(programme.revoked_reason)
        programme.revoked_reason = ""  # wanted again, so everything in it is approved again
        if variant.programme_id != programme.id:
            variant.programme, lifted = programme, True
        return lifted
    if variant.programme is None:
        return False
    carried = made_from.get(variant.programme.input_key)
    listed = {item.bulletin_id for item in variant.items if not item.dropped_reason}
    if want is None or carried is None or not set(carried) <= listed:
        variant.programme = None  # silence rather than what a person took out
        return True
    return False  # the one before plays until the new one is made


def _programmes(session: Session, station: Station, keys: set[str]) -> dict[str, ProgrammeRow]:
    rows = session.scalars(
        select(ProgrammeRow).where(ProgrammeRow.station_id == station.id, ProgrammeRow.input_key.in_(keys))
    )
    return {row.input_key: row for row in rows}


def _jobs(session: Session, station: Station, keys: set[str]) -> dict[str, RenderJob]:
    rows = session.scalars(
        select(RenderJob).where(
            RenderJob.station_id == station.id, RenderJob.kind == KIND, RenderJob.key.in_(keys)
        )
    )
    return {row.key: row for row in rows}
