"""A station's folder -> the database: the station itself, then its content by two accounts.

The rules of the house hold here too: bulletins are submitted by one person and approved by another, the
template is added by one and approved by the other, and nothing is approved before its take exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.config import Settings
from broadcaster.errors import InputError, ReadingBlocked
from broadcaster.model import HOUSE_RATE_HZ, NoticeKind
from broadcaster.newsroom.bulletins import approve, create_bulletin, submit, waiting
from broadcaster.newsroom.notices import settle
from broadcaster.newsroom.templates import add_template, approve_template
from broadcaster.production.jingles import JINGLE_SUFFIX, jingle_set, jingle_sound
from broadcaster.schedule.holidays import holiday_data
from broadcaster.schedule.materialising import materialise
from broadcaster.schedule.rules import add_slot, set_exception, set_holidays, set_rotation
from broadcaster.schedule.slots import local_day
from broadcaster.schedule.stationfolder import BulletinFile, StationFolder, read_folder
from broadcaster.schedule.weekexchange import form_from
from broadcaster.store.blobs import Blobs
from broadcaster.store.tables import (
    Airing,
    Campaign,
    Filler,
    Jingle,
    RenderJob,
    Revision,
    Slot,
    Station,
    Topic,
    User,
    Variant,
    VariantItem,
    Village,
)

SAMPLE = "đài mẫu/"  # how `source_name` begins for the bulletins of a station's folder
TEMPLATE = "thuong"


@dataclass(frozen=True, slots=True)
class Approvals:
    """What `approve_sample` did, and how many still have no take."""

    approved: int
    without_take: int


def load_station(
    session: Session,
    folder: Path,
    *,
    blobs: Blobs,
    settings: Settings,
    now: datetime,
    author: User | None = None,
    approver: User | None = None,
) -> Station:
    """Make the station of `folder`: name, policy, villages, topics, jingles and weekly slots.

    Accounts belong to a station, so they usually come after it; then call `load_content`.  With both people
    given that is done here.
    """
    read = read_folder(folder)
    if session.scalar(select(Station.id).where(Station.slug == read.slug)) is not None:
        raise InputError(f"Đài “{read.slug}” đã có trên máy này. Hãy đổi mã đài trong station.toml.")
    station = Station(
        slug=read.slug, name=read.name, call_sign=read.call_sign, zone=read.zone, phone=read.phone,
        policy=dict(read.policy), voice_chain=list(read.voice_chain), epoch=1, plan_version=1, created_at=now,
    )  # fmt: skip
    session.add(station)
    session.flush()
    session.add_all(
        Village(
            station_id=station.id, slug=row.slug, name=row.name, position=position,
            operator_name=row.operator, operator_phone=row.phone,
        )
        for position, row in enumerate(read.villages, start=1)
    )  # fmt: skip
    _topics(session, station, read)
    _jingles(session, station, settings.jingles / "default", blobs=blobs, now=now)
    session.flush()
    _slots(session, station, read, now=now)
    if author is not None and approver is not None:
        load_content(session, station, folder, settings=settings, author=author, approver=approver, now=now)
    return station


def load_content(
    session: Session,
    station: Station,
    folder: Path,
    *,
    settings: Settings,
    author: User,
    approver: User,
    now: datetime,
) -> list[Revision]:
    """The folder's template, bulletins and rotations, and two weeks of airings that carry them.

    Bulletins are submitted, so their takes are asked for: those of the nearest airing first.  They are
    approved by `approve_sample` once the takes exist.
    """
    read = read_folder(folder)
    template = add_template(
        session, station_id=station.id, name=TEMPLATE, body=dict(read.template) or {"cuts": True},
        author=author, now=now,
    )  # fmt: skip
    approve_template(session, template.id, actor=approver, sha256=template.sha256, now=now)
    topics = {
        row.slug: row.id for row in session.scalars(select(Topic).where(Topic.station_id == station.id))
    }
    revisions = {
        row.file: _submit(session, station, row, topics.get(row.topic), author=author, now=now)
        for row in read.bulletins
    }
    slots = {row.name: row.id for row in session.scalars(select(Slot).where(Slot.station_id == station.id))}
    names = {row.slug: row.name for row in read.slots}
    for rotation in read.rotations:
        set_rotation(
            session,
            slots[names[rotation.slot]],
            [revisions[file].bulletin_id for file in rotation.bulletins],
            per_airing=rotation.per_airing,
            actor=author,
            now=now,
        )
    # Unapproved yet: a filler sounds only once it is approved.
    session.add_all(
        Filler(station_id=station.id, bulletin_id=revisions[file].bulletin_id, position=place)
        for place, file in enumerate(read.fillers, start=1)
    )
    session.flush()
    materialise(
        session, station, today=local_day(station.zone, now), now=now,
        days=settings.integer("schedule.horizon_days"),
    )  # fmt: skip
    _nearest_first(session, station, list(revisions.values()), now=now)
    return list(revisions.values())


def approve_sample(session: Session, *, station_id: int, approver: User, now: datetime) -> Approvals:
    """Approve the folder's bulletins whose take is frozen: exactly the hashes that are there.

    Only bulletins that came from the station's folder; what people wrote waits for people.
    """
    approved = without = 0
    for revision in waiting(session):
        bulletin = revision.bulletin
        if bulletin.station_id != station_id or not bulletin.source_name.startswith(SAMPLE):
            continue
        if revision.take is None:
            without += 1
            continue
        approve(
            session,
            revision.id,
            actor=approver,
            text_sha256=revision.text_sha256,
            reading_sha256=revision.reading_sha256,
            take_sha256=revision.take.sha256,
            now=now,
        )
        # Nobody waited for this answer: the author's first sight is not a list of twenty notices.
        settle(session, f"bulletin:{bulletin.id}", now=now, kind=NoticeKind.APPROVED)
        approved += 1
    return Approvals(approved, without)


def _submit(
    session: Session,
    station: Station,
    row: BulletinFile,
    topic_id: int | None,
    *,
    author: User,
    now: datetime,
) -> Revision:
    bulletin = create_bulletin(
        session, station_id=station.id, author=author, title=row.title, text=row.text, topic_id=topic_id,
        priority=row.priority, read_twice=row.read_twice, source_name=SAMPLE + row.file, now=now,
    )  # fmt: skip
    try:
        return submit(session, bulletin.id, version=bulletin.version, actor=author, now=now)
    except ReadingBlocked as error:
        raise ReadingBlocked(f"Tệp {row.file}: {error.message}") from error


def _nearest_first(session: Session, station: Station, revisions: list[Revision], *, now: datetime) -> None:
    """Order the takes by the first airing that needs them: a new station speaks its next morning first."""
    order = session.scalars(
        select(VariantItem.bulletin_id)
        .join(Variant, Variant.id == VariantItem.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .where(Airing.station_id == station.id, Airing.planned_at > now)
        .order_by(Airing.planned_at, VariantItem.position)
    )
    turn = {bulletin_id: place for place, bulletin_id in enumerate(dict.fromkeys(order))}
    by_key = {str(row.id): row.bulletin_id for row in revisions}
    jobs = session.scalars(
        select(RenderJob).where(
            RenderJob.station_id == station.id, RenderJob.kind == "take", RenderJob.key.in_(by_key)
        )
    )
    for job in jobs:
        job.due_at = now + timedelta(seconds=turn.get(by_key[job.key], len(turn)))
    session.flush()


def _topics(session: Session, station: Station, read: StationFolder) -> None:
    campaign = None
    if read.campaign is not None:
        campaign = Campaign(
            station_id=station.id, title=read.campaign.title, motto=read.campaign.motto,
            first_day=read.campaign.first_day, last_day=read.campaign.last_day,
        )  # fmt: skip
        session.add(campaign)
    session.add_all(
        Topic(
            station_id=station.id, campaign=campaign, slug=row.slug, title=row.title, summary=row.summary,
            target_broadcasts=row.target_broadcasts, position=position,
        )
        for position, row in enumerate(read.topics, start=1)
    )  # fmt: skip


def _jingles(session: Session, station: Station, folder: Path, *, blobs: Blobs, now: datetime) -> None:
    for kind, row in jingle_set(folder).items():
        samples, _loudness = jingle_sound(row.path)
        session.add(
            Jingle(
                station_id=station.id, kind=kind.value, title=row.title,
                sha256=blobs.put(row.path, suffix=JINGLE_SUFFIX),
                duration_ms=round(len(samples) * 1000 / HOUSE_RATE_HZ), source=row.source,
                licence=row.licence, created_at=now,
            )
        )  # fmt: skip


def _slots(session: Session, station: Station, read: StationFolder, *, now: datetime) -> None:
    villages = {
        row.slug: row.id for row in session.scalars(select(Village).where(Village.station_id == station.id))
    }
    if len({row.name for row in read.slots}) != len(read.slots):
        raise InputError("Tệp week.toml có hai khung giờ trùng tên. Hãy đặt tên khác nhau.")
    made = {
        row.slug: add_slot(session, station, form_from(row, villages), actor=None, now=now)
        for row in read.slots
    }
    if read.holidays:
        set_holidays(session, station, [holiday_data(row) for row in read.holidays], actor=None, now=now)
    today = local_day(station.zone, now)
    for one in read.exceptions:
        if one.day >= today:
            set_exception(
                session, made[one.slot].id, one.day, one.action, start_local=one.start_local, note=one.note,
                actor=None, now=now,
            )  # fmt: skip
