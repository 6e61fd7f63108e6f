"""What the compose page and the page before sending show, gathered for their templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.model import VERBATIM, BulletinState, Reading, Role
from broadcaster.newsroom.bulletins import copies, reading_of, title_reading
from broadcaster.newsroom.hearing import hearing_job, hearing_of
from broadcaster.newsroom.lexicon import entries
from broadcaster.newsroom.people import may
from broadcaster.newsroom.recordings import recorded
from broadcaster.speech.choices import label_of, voice_choices
from broadcaster.store.tables import Audit, Bulletin, RenderJob, Topic, User
from web import marking
from web.answers import left_in
from web.deps import deps, now, station, today
from web.placing import own_length, places_of
from web.security import account

SPEEDS = (0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2)


@dataclass(frozen=True, slots=True)
class Mended:
    """An answer that stands: where it counts, and how to take it back (a key, or an entry's number)."""

    written: str
    spoken: str
    where: str
    key: str = ""
    entry: int = 0


def page_values(
    session: Session,
    bulletin: Bulletin,
    *,
    typed: dict[str, str] | None = None,
    left: Mapping[str, str] | None = None,
    typing: bool = False,
) -> dict[str, Any]:
    """Everything the compose page shows.  `typed` = the form as it was sent, `left` = answers half typed.

    While somebody is `typing`, only what the reading's part shows.
    """
    result = reading_of(session, bulletin)
    person = account()
    newest = bulletin.revisions[-1] if bulletin.revisions else None
    return {
        "bulletin": bulletin,
        "typed": typed or _fields(bulletin),
        "reading": result,
        "title_warnings": title_reading(session, bulletin).warnings,
        "rows": marking.rows(result),
        "unspoken": {warning.key for warning in marking.elsewhere(result)},
        "changed": len(marking.changes(result)),
        "topics": session.scalars(select(Topic).order_by(Topic.position, Topic.id)).all(),
        "revision": newest,
        "hearing_job": hearing_job(session, newest.id) if newest else None,
        "hearing": hearing_of(session, newest.id) if newest else None,
        "job": _take_job(session, bulletin),
        "may_write": person is not None and person.may("write"),
        "may_schedule": person is not None and person.may("schedule"),
        "same_as_sent": newest is not None and newest.text.strip() == bulletin.draft_text.strip(),
        "waits": bulletin.state is BulletinState.SUBMITTED,
        "left": left_in(left or {}),
        "mended": mended(session, bulletin, result),
        "copies": [] if typing else copies(session, bulletin.id),
        "book": [] if typing else _book(session, bulletin),
        **_sound(session, bulletin, result, others=not typing),
    }


def check_values(session: Session, bulletin: Bulletin) -> dict[str, Any]:
    """Everything the page before sending shows."""
    result = reading_of(session, bulletin)
    person = account()
    return {
        "bulletin": bulletin,
        "reading": result,
        "title_warnings": title_reading(session, bulletin).warnings,
        "rows": marking.rows(result),
        "changes": marking.changes(result),
        "may_send": person is not None and person.may("submit"),
        "may_schedule": person is not None and person.may("schedule"),
        "approvers": _approvers(session, bulletin),
        "waits": bulletin.state is BulletinState.SUBMITTED,
        **_sound(session, bulletin, result),
    }


def mended(session: Session, bulletin: Bulletin, result: Reading) -> list[Mended]:
    """The answers of this bulletin, its own words, and the station's words that stand in its text."""
    known = {mark.key: mark.written for sentence in result.sentences for mark in sentence.marks}
    found = [
        Mended(known.get(key, key.partition("#")[0]), "đọc nguyên" if said == VERBATIM else said,
               "chỗ này" if "#" in key else "cả bản tin", key=key)
        for key, said in bulletin.draft_answers.items()
    ]  # fmt: skip
    found += [
        Mended(row.written, row.spoken, "cả bản tin", entry=row.id)
        for row in entries(session, bulletin_id=bulletin.id)
    ]
    return found


def _sound(session: Session, bulletin: Bulletin, result: Reading, *, others: bool = True) -> dict[str, Any]:
    """Voice, length, and where it airs."""
    settings = deps().settings
    chain = tuple(str(spec) for spec in station().voice_chain) or settings.texts("voice.chain")
    speed = bulletin.speed or settings.number("voice.speed")
    length_ms, measured = own_length(session, bulletin, result, speed=speed)
    people = recorded(session, bulletin, result)
    if people.whole is not None:
        length_ms, measured = people.whole.duration_ms * (2 if bulletin.read_twice else 1), True
    places = places_of(
        session, bulletin, own_ms=length_ms, first=today(), now=now(),
        close_min=settings.integer("schedule.content_close_min"), others=others,
    )  # fmt: skip
    return {
        "voices": voice_choices(chain, home=settings.home, voices_dir=settings.voices),
        "voice_label": label_of(bulletin.voice, home=settings.home, voices_dir=settings.voices)
        if bulletin.voice
        else "",
        "speeds": SPEEDS,
        "usual_speed": settings.number("voice.speed"),
        "speed": speed,
        "recorded": people,
        "length_ms": length_ms,
        "measured": measured,
        "places": places,
        "today": today(),
    }


def _fields(bulletin: Bulletin) -> dict[str, Any]:
    return {
        "title": bulletin.title,
        "text": bulletin.draft_text,
        "topic": str(bulletin.topic_id or ""),
        "priority": bulletin.priority.value,
        "twice": bulletin.read_twice,
        "voice": bulletin.voice,
        "speed": "" if bulletin.speed is None else str(bulletin.speed),
        "version": bulletin.version,
    }


def _take_job(session: Session, bulletin: Bulletin) -> RenderJob | None:
    """The work on the newest revision's sound, while there is none yet."""
    newest = bulletin.revisions[-1] if bulletin.revisions else None
    if newest is None or newest.take_id is not None:
        return None
    return session.scalar(
        select(RenderJob).where(RenderJob.kind == "take", RenderJob.key == str(newest.id)).limit(1)
    )


def _book(session: Session, bulletin: Bulletin) -> list[tuple[Audit, str]]:
    """Who did what to it, newest first, by people's names."""
    rows = session.scalars(
        select(Audit).where(Audit.subject == f"bản tin {bulletin.id}").order_by(Audit.id.desc()).limit(50)
    ).all()
    names = {row.username: row.display_name for row in session.scalars(select(User))}
    return [(row, names.get(row.actor, row.actor)) for row in rows]


def _approvers(session: Session, bulletin: Bulletin) -> list[str]:
    """Who could approve it: the right to, and no hand in it."""
    hands = {bulletin.author_id, *bulletin.draft_writers}
    person = account()
    if person is not None:
        hands.add(person.user_id)
    roles = [role for role in Role if may(role, "approve")]
    rows = session.scalars(select(User).where(User.active, User.role.in_(roles)).order_by(User.display_name))
    return [row.display_name for row in rows if row.id not in hands]
