"""A receiver's events for an airing -> what became of it, with one sentence why.  Pure; one table decides.

The answer is derived, never stored: a report that comes late changes it, and nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from broadcaster.model import AiringState, AsRunEvent, Outcome

LATE: Final = timedelta(seconds=2)  # what still counts as on time
FOR_GOOD: Final = timedelta(days=7)  # after this nobody waits for a report any more
OUT_OF_TOUCH: Final = timedelta(minutes=5)
STILL_SOUNDING: Final = timedelta(minutes=2)  # beyond its length, before we say that the end is missing


class Stage(StrEnum):
    """Where the walk through the events stands; the last one is its answer."""

    NOTHING = "nothing"
    SOUNDING = "sounding"
    PLAYED = "played"
    INTERRUPTED = "interrupted"
    PREEMPTED = "preempted"
    MISSED = "missed"
    SKIPPED = "skipped"


_E, _S = AsRunEvent, Stage

# What each event makes of a stage.  What was heard to the end stays played; what has sounded can no longer
# be missed or skipped; an emergency may try again after a failure.
_FIRST: Final[Mapping[AsRunEvent, Stage]] = {
    _E.STARTED: _S.SOUNDING,
    _E.RESUMED: _S.SOUNDING,
    _E.FINISHED: _S.PLAYED,
    _E.INTERRUPTED: _S.INTERRUPTED,
    _E.PREEMPTED: _S.PREEMPTED,
    _E.MISSED: _S.MISSED,
    _E.SKIPPED: _S.SKIPPED,
}
_HEARD: Final[Mapping[AsRunEvent, Stage]] = {**_FIRST, _E.MISSED: _S.INTERRUPTED, _E.SKIPPED: _S.INTERRUPTED}
TABLE: Final[Mapping[Stage, Mapping[AsRunEvent, Stage]]] = {
    _S.NOTHING: _FIRST,
    _S.MISSED: _FIRST,
    _S.SKIPPED: _FIRST,
    _S.SOUNDING: _HEARD,
    _S.INTERRUPTED: _HEARD,
    _S.PREEMPTED: {**_HEARD, _E.MISSED: _S.PREEMPTED, _E.SKIPPED: _S.PREEMPTED},
    _S.PLAYED: {event: _S.PLAYED for event in AsRunEvent},
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a player's log.  `offset_ms` = how far into the programme."""

    event: AsRunEvent
    at: datetime
    offset_ms: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """What the station knows of a receiver that has not reported: heard last (None = never), and its first alarm."""

    seen_at: datetime | None = None
    alarm: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """What the station knows: when, how long (None = never rendered), and its own state with the reason."""

    planned_at: datetime
    receiver: str
    state: AiringState = AiringState.STARTED
    reason: str = ""
    duration_ms: int | None = None
    grace_s: int = 300
    zone: str = "Asia/Ho_Chi_Minh"
    contact: Contact | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """The outcome, its one-sentence reason, when sound began, how much of it was heard, and if it is on now."""

    outcome: Outcome
    why: str
    started_at: datetime | None = None
    heard_ms: int = 0
    sounding: bool = False


def outcome(events: Iterable[Event], planned: Planned, now: datetime) -> Told:
    """What became of an airing at one receiver.  `events` in the order the player wrote them."""
    stage, last, first_start, heard, resumed = Stage.NOTHING, None, None, 0, False
    for event in events:
        following = TABLE[stage][event.event]
        if event.event in (_E.STARTED, _E.RESUMED) and stage is not _S.PLAYED:
            first_start = first_start or event.at
            resumed |= event.event is _E.RESUMED
        if stage is not _S.PLAYED:
            heard = max(heard, event.offset_ms)
            # Of what sounded, the event that ended it explains it, not a line that came after.
            last = event if following is not stage or following.value == event.event.value else last or event
        stage = following
    if stage is _S.NOTHING or last is None:
        return _silent(planned, now)
    if stage is _S.SOUNDING:
        return _unfinished(planned, first_start, heard, now)
    why = _why(stage, last, planned, first_start, heard, resumed)
    if stage is _S.PLAYED and planned.duration_ms is not None:
        heard = max(heard, planned.duration_ms)
    return Told(Outcome(stage.value), why, first_start, heard)


def _silent(planned: Planned, now: datetime) -> Told:
    if planned.state in (AiringState.SKIPPED, AiringState.CANCELLED):
        return Told(Outcome.SKIPPED, f"Đài không phát buổi này: {_sentence(planned.reason)}")
    if now < planned.planned_at:
        return Told(Outcome.UNREPORTED, "Chưa tới giờ phát.")
    if now - planned.planned_at > FOR_GOOD:
        return Told(Outcome.UNREPORTED, f"Không có báo cáo từ {planned.receiver} trong 7 ngày.")
    return Told(Outcome.UNREPORTED, f"Chưa có báo cáo từ {planned.receiver}{_contact(planned, now)}")


def _contact(planned: Planned, now: datetime) -> str:
    """The rest of the sentence: what is known of the receiver itself."""
    contact = planned.contact
    if contact is None:
        return "."
    if contact.seen_at is None:
        return ": máy này chưa nối với đài lần nào."
    if now - contact.seen_at > OUT_OF_TOUCH:
        place = ZoneInfo(planned.zone)
        return (
            f": đài mất liên lạc với máy này từ {contact.seen_at.astimezone(place):%H:%M ngày %d/%m}, "
            "có thể do mất điện hoặc mất mạng."
        )
    if contact.alarm:
        return f", máy vẫn nối với đài và báo: {_sentence(contact.alarm)}"
    return ", máy vẫn nối với đài."


def _unfinished(planned: Planned, started: datetime | None, heard: int, now: datetime) -> Told:
    began = started or planned.planned_at
    length = timedelta(milliseconds=planned.duration_ms or 0)
    if now <= began + length + STILL_SOUNDING:
        return Told(Outcome.UNREPORTED, "Đang phát.", started, heard, sounding=True)
    return Told(
        Outcome.UNREPORTED,
        f"Đã bắt đầu lúc {_clock(began, planned)}, chưa có báo cáo kết thúc từ {planned.receiver}.",
        started,
        heard,
    )


def _why(
    stage: Stage, last: Event, planned: Planned, started: datetime | None, heard: int, resumed: bool
) -> str:
    if stage is _S.PLAYED:
        began = started or planned.planned_at
        late = began - planned.planned_at
        when = f"lúc {_clock(began, planned)}"
        if late > LATE:
            when = f"muộn {_length(late)}, {when}"
        return f"Đã phát đủ, {when}{', có lúc bị ngắt rồi phát tiếp' if resumed else ''}."
    reason = _sentence(last.reason)
    if stage in (_S.INTERRUPTED, _S.PREEMPTED):
        verb = "Đang phát thì dừng" if stage is _S.INTERRUPTED else "Bị buổi khác cắt ngang"
        return f"{verb} sau {_length(timedelta(milliseconds=heard))}: {reason}"
    return f"Không phát: {reason}"


def _clock(at: datetime, planned: Planned) -> str:
    return at.astimezone(ZoneInfo(planned.zone)).strftime("%H:%M:%S")


def _length(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return f"{rest} giây"
    return f"{minutes} phút {rest} giây" if rest else f"{minutes} phút"


def _sentence(reason: str) -> str:
    text = reason.strip()
    if not text:
        return "không rõ lý do."
    return text if text[-1] in ".!?" else text + "."
