"""What a player does now: values in, actions out, no clock and no file.

The whole interval since the last look is judged, so a box that slept says "missed" and never forgets.
Three promises: routine and priority airings start at most once; emergencies until one of them was heard to
the end; every airing that was this player's business ends in exactly one recorded state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from broadcaster.model import (
    AiringOrigin,
    AiringState,
    AsRunEvent,
    LatePolicy,
    Priority,
    StartMode,
)
from broadcaster.playout.plan import PUNCTUAL, AudioFile, Journal, Manifest, Record, ToPlay

LEAD: Final = timedelta(
    seconds=1
)  # before its instant an airing is committed and cued: memory cards are slow
CUT_LEAD: Final = timedelta(milliseconds=300)  # the same while something sounds that it will cut
ASLEEP: Final = timedelta(seconds=5)  # a gap between two looks that means the player was not there
RETRY: Final = timedelta(seconds=5)  # between two tries of an emergency
DECODE_AHEAD: Final = timedelta(seconds=120)
EARLY: Final = time(6, 0)  # before this local time loudspeakers are turned down

REVOKED = "Chương trình đã bị đài thu hồi trong lúc phát."
TAKEN_OFF = "Đài cho dừng buổi phát này."
CRASHED = "Máy phát bị tắt hoặc khởi động lại giữa buổi."
NO_PROGRAMME = "Đến giờ mà đài chưa có chương trình cho buổi này."
NOT_HERE = "Đến giờ mà máy phát chưa tải được chương trình."
NO_CLOCK = "Máy phát không có giờ đáng tin cậy (kiểm tra pin đồng hồ và mạng)."
TOO_LATE = "Lịch của buổi này đến máy phát khi đã quá giờ."
BUSY = "Đến giờ thì buổi khác đang phát và không kết thúc kịp."


@dataclass(frozen=True, slots=True)
class Start:
    """Commit `started` (or `resumed`), then sound the file at `at`, from `offset_ms`."""

    airing_id: str
    at: datetime
    volume_percent: int
    offset_ms: int = 0
    resumed: bool = False
    late_ms: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """End what sounds at `at` and write `event` (PREEMPTED or INTERRUPTED) with how far it came."""

    airing_id: str
    at: datetime
    event: AsRunEvent
    reason: str


@dataclass(frozen=True, slots=True)
class Close:
    """Write the end of an airing that does not sound: MISSED, SKIPPED, or INTERRUPTED after a crash."""

    airing_id: str
    at: datetime
    event: AsRunEvent
    reason: str
    offset_ms: int = 0


Action = Start | Stop | Close


def decide(now: datetime, since: datetime, manifest: Manifest | None, journal: Journal) -> list[Action]:
    """Actions in the order they must be carried out.  `since` = when the player last looked."""
    actions: list[Action] = list(_left_open(now, journal))
    if manifest is None:
        return actions
    instant = now if journal.trusted else max(now, manifest.issued_at, journal.floor or now)
    sounding = journal.sounding
    if sounding is not None:
        why = _forbidden(manifest.airing(sounding))
        if why:
            actions.append(Stop(sounding, now, AsRunEvent.INTERRUPTED, why))
            sounding = None
    waiting: list[ToPlay] = []
    for airing in manifest.airings:
        if airing.id == journal.sounding or not _open(airing, instant, journal):
            continue
        if instant <= airing.deadline:
            if _playable(airing, journal):
                waiting.append(airing)
        elif airing.id not in journal.records:
            actions.append(_closed(airing, instant, since, manifest, journal))
    best = min(waiting, key=lambda one: (-one.priority.rank, one.planned_at, one.id), default=None)
    if best is not None:
        # A clock that is not to be believed can say nothing about when: at once, then.
        at = max(best.planned_at, now) if journal.trusted else now
        if sounding is None:
            return [*actions, _start(best, at, manifest, journal)]
        cut = _cut(best, sounding, at, manifest, journal)
        if cut is not None:
            return [*actions, cut, _start(best, at, manifest, journal)]
    if sounding is None:
        actions.extend(_resumed(instant, manifest, journal))
    return actions


def volume_at(airing: ToPlay, at: datetime, zone: str, early_percent: int) -> int:
    """Per cent for an airing that starts at `at`: turned down early in the morning, a drill is silent."""
    if airing.origin is AiringOrigin.DRILL:
        return 0
    if airing.priority is not Priority.EMERGENCY and at.astimezone(ZoneInfo(zone)).time() < EARLY:
        return min(airing.volume_percent, early_percent)
    return airing.volume_percent


def next_instant(now: datetime, manifest: Manifest | None, journal: Journal) -> datetime | None:
    """The next instant at which `decide` will have something to say, as far as it can be known."""
    if manifest is None:
        return None
    lead = _lead(journal)
    coming = [
        airing.planned_at - lead
        for airing in manifest.airings
        if airing.id not in journal.records and airing.planned_at - lead > now
    ]
    return min(coming, default=None)


def needed_soon(now: datetime, manifest: Manifest) -> list[AudioFile]:
    """Alert clips, and what starts soon or may still start or go on; the most urgent first."""
    soon = sorted(
        (
            one
            for one in manifest.airings
            if one.file is not None
            and one.planned_at - DECODE_AHEAD <= now
            and now <= one.planned_at + timedelta(seconds=one.grace_s) + DECODE_AHEAD
        ),
        key=lambda one: (-one.priority.rank, one.planned_at),
    )
    return [*manifest.clips, *(one.file for one in soon if one.file is not None)]


def _left_open(now: datetime, journal: Journal) -> Iterator[Close]:
    """Airings that the ledger calls sounding although nothing sounds: the player was killed."""
    for airing_id, record in journal.records.items():
        if record.event in (AsRunEvent.STARTED, AsRunEvent.RESUMED) and airing_id != journal.sounding:
            yield Close(airing_id, now, AsRunEvent.INTERRUPTED, CRASHED, record.offset_ms)


def _forbidden(airing: ToPlay | None) -> str:
    if airing is None or airing.state in (AiringState.SKIPPED, AiringState.CANCELLED):
        return (airing.reason if airing is not None else "") or TAKEN_OFF
    return "" if airing.file is not None else REVOKED


def _open(airing: ToPlay, instant: datetime, journal: Journal) -> bool:
    """True for an airing whose time has come, that is this player's business and has not ended."""
    if airing.planned_at - _lead(journal) > instant or _before_its_time(airing, journal):
        return False
    if airing.state in (AiringState.SKIPPED, AiringState.CANCELLED):
        return False
    if not journal.trusted and airing.priority is not Priority.EMERGENCY:
        return False
    record = journal.records.get(airing.id)
    return record is None or (
        airing.priority is Priority.EMERGENCY
        and record.event in (AsRunEvent.INTERRUPTED, AsRunEvent.SKIPPED)
        and instant - record.at >= RETRY
    )


def _before_its_time(airing: ToPlay, journal: Journal) -> bool:
    """Due before this player was there; an emergency that is still in force is its business all the same."""
    if airing.priority is Priority.EMERGENCY:
        return airing.deadline < journal.born_at
    return airing.planned_at < journal.born_at


def _lead(journal: Journal) -> timedelta:
    return LEAD if journal.sounding is None else CUT_LEAD


def _playable(airing: ToPlay, journal: Journal) -> bool:
    if journal.fault or (journal.unwritable and airing.priority is not Priority.EMERGENCY):
        return False
    return airing.file is not None and airing.file.sha256 in journal.ready


def _closed(
    airing: ToPlay, instant: datetime, since: datetime, manifest: Manifest, journal: Journal
) -> Close:
    """The true reason why its time went by."""
    deadline = airing.deadline
    asleep = instant - since > ASLEEP and since < deadline
    lost = journal.clock_lost
    away = next((one for one in reversed(journal.absences) if one[0] <= airing.planned_at < one[1]), None)
    event, reason = AsRunEvent.SKIPPED, ""
    if lost is not None and lost[0] < deadline and airing.planned_at < lost[1]:
        reason = NO_CLOCK
    elif asleep and since <= airing.planned_at:
        event, reason = _absent(since, instant, manifest.zone, stepped=journal.stepped)
    elif away is not None and away[1] > deadline:
        event, reason = _absent(*away, manifest.zone, stepped=False)
    elif since > deadline:
        event, reason = AsRunEvent.MISSED, TOO_LATE
    elif airing.file is None:
        reason = airing.reason or NO_PROGRAMME
    elif journal.fault or journal.unwritable:
        reason = journal.fault or journal.unwritable
    elif airing.file.sha256 not in journal.held:
        reason = f"{NOT_HERE} {journal.trouble}".strip()
    elif asleep:
        event, reason = _absent(since, instant, manifest.zone, stepped=journal.stepped)
    else:
        reason = BUSY
    return Close(airing.id, instant, event, reason)


def _absent(since: datetime, instant: datetime, zone: str, *, stepped: bool) -> tuple[AsRunEvent, str]:
    """Nobody looked between these instants: the player was off or asleep, or they never were."""
    place = ZoneInfo(zone)
    start, end = (f"{at.astimezone(place):%H:%M:%S %d/%m}" for at in (since, instant))
    if stepped:
        return (
            AsRunEvent.SKIPPED,
            f"Đồng hồ của máy phát được chỉnh từ {start} sang {end}, qua giờ của buổi này.",
        )
    return AsRunEvent.MISSED, f"Máy phát không chạy từ {start} đến {end}."


def _start(airing: ToPlay, at: datetime, manifest: Manifest, journal: Journal) -> Start:
    late = max(at - airing.planned_at, timedelta(0))
    return Start(
        airing.id,
        at,
        volume_at(airing, at, manifest.zone, journal.early_volume_percent),
        late_ms=round(late.total_seconds() * 1000),
        reason=f"Phát muộn {round(late.total_seconds())} giây." if late > PUNCTUAL else "",
    )


def _cut(newer: ToPlay, sounding: str, at: datetime, manifest: Manifest, journal: Journal) -> Stop | None:
    """How `newer` ends what sounds, or None when it has to wait."""
    current, record = manifest.airing(sounding), journal.records.get(sounding)
    rank = (current.priority if current is not None else record.priority if record else Priority.ROUTINE).rank
    if newer.priority.rank > rank:
        return Stop(sounding, at, AsRunEvent.PREEMPTED, f"Nhường cho buổi khẩn hơn: {newer.title}.")
    if newer.priority.rank < rank or record is None or record.started_at is None:
        return None
    # Between equals only the one whose instant comes while the other sounds may cut in; a late one waits.
    if newer.planned_at <= record.started_at:
        return None
    patience = timedelta(seconds=newer.wait_s) if newer.start_mode is StartMode.WAIT else timedelta(0)
    if at < newer.planned_at + patience:
        return None
    return Stop(sounding, at, AsRunEvent.PREEMPTED, f"Đến giờ của buổi sau: {newer.title}.")


def _resumed(instant: datetime, manifest: Manifest, journal: Journal) -> Iterator[Start]:
    """Take up what was cut, at the cut, while its grace lasts; after that it stays cut."""
    cut: list[tuple[datetime, ToPlay, Record]] = []
    for airing in manifest.airings:
        record = journal.records.get(airing.id)
        if (
            record is not None
            and record.event is AsRunEvent.PREEMPTED
            and airing.file is not None
            and airing.file.sha256 == record.sha256
            and not _forbidden(airing)
            and airing.late_policy is LatePolicy.PLAY_WITHIN_GRACE
            and instant - record.at <= timedelta(seconds=airing.grace_s)
            and _playable(airing, journal)
            and (journal.trusted or airing.priority is Priority.EMERGENCY)
        ):
            cut.append((record.at, airing, record))
    if cut:
        _at, airing, record = max(cut, key=lambda one: (one[1].priority.rank, one[0]))
        volume = volume_at(airing, instant, manifest.zone, journal.early_volume_percent)
        yield Start(airing.id, instant, volume, offset_ms=record.offset_ms, resumed=True)
