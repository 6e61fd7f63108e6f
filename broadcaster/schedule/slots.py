"""Weekly rules in local time -> dated occurrences.  Pure: no clock, no database, no zone of the machine.

A slot lives in the station's zone and becomes an instant late, one day at a time, so a change of the
zone's rules moves what has not been played and nothing else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from broadcaster.errors import InputError
from broadcaster.model import SlotExceptionRule, SlotRule

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY_NAMES = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật")
ACTIONS = ("skip", "replace", "extra")
MINUTES_A_DAY = 24 * 60

_T = TypeVar("_T")

Origin = Literal["rule", "replace", "extra"]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One dated start of a slot; `origin` says whether the rule or a dated exception made it."""

    local_date: date
    start_local: time
    origin: Origin = "rule"


def parse_weekdays(text: str | Sequence[str]) -> frozenset[int]:
    """'mon,tue,sat' -> ISO numbers {1, 2, 6}.  Strict: numbers, ranges, repeats and nothing are InputError."""
    names = [part.strip() for part in (text.split(",") if isinstance(text, str) else text)]
    if not any(names):
        raise InputError("Chưa chọn thứ nào trong tuần. Hãy chọn ít nhất một thứ, ví dụ mon,tue,wed.")
    found: set[int] = set()
    for name in names:
        if name not in WEEKDAYS:
            near = difflib.get_close_matches(name.lower(), WEEKDAYS, n=1, cutoff=0.3)
            hint = f" Có phải ý bạn là “{near[0]}”?" if near else ""
            raise InputError(
                f"Không hiểu thứ “{name}”.{hint} Hãy viết tên các thứ, cách nhau bằng dấu phẩy: {', '.join(WEEKDAYS)}."
            )
        number = WEEKDAYS.index(name) + 1
        if number in found:
            raise InputError(f"Thứ “{name}” được ghi hai lần. Hãy bỏ bớt một lần.")
        found.add(number)
    return frozenset(found)


def format_weekdays(days: Iterable[int]) -> str:
    """ISO numbers -> 'mon,tue,sat', in the week's order."""
    return ",".join(WEEKDAYS[number - 1] for number in sorted(days))


def crosses_midnight(start: time, minutes: int) -> bool:
    """True when a session of that many minutes would run past 24:00 of its day."""
    return start.hour * 60 + start.minute + (1 if start.second else 0) + minutes > MINUTES_A_DAY


def occurrences(
    rule: SlotRule, exceptions: Iterable[SlotExceptionRule], first: date, last: date
) -> list[Occurrence]:
    """Every start of `rule` from `first` to `last`, both included, at most one a day, in order.

    A dated exception wins over the rule: `skip` takes the day away, `replace` moves it to another start,
    `extra` adds a day that the rule does not name.  Exceptions of other slots are not looked at.
    """
    by_day = {row.local_date: row for row in exceptions if row.slot_id == rule.slot_id}
    begin = max(first, rule.valid_from)
    end = last if rule.valid_to is None else min(last, rule.valid_to)
    days = map(date.fromordinal, range(begin.toordinal(), end.toordinal() + 1))
    if not by_day:  # nearly every slot: no look-up a day
        weekdays, start = rule.weekdays, rule.start_local
        return [Occurrence(day, start) for day in days if day.isoweekday() in weekdays]
    return [one for day in days if (one := _on(rule, by_day.get(day), day)) is not None]


def _on(rule: SlotRule, exception: SlotExceptionRule | None, day: date) -> Occurrence | None:
    named = day.isoweekday() in rule.weekdays
    if exception is None:
        return Occurrence(day, rule.start_local) if named else None
    start = exception.start_local or rule.start_local
    if exception.action == "replace" and named:
        return Occurrence(day, start, "replace")
    if exception.action == "extra":
        return Occurrence(day, start, "extra")
    return None


def ordinal(rule: SlotRule, day: date) -> int:
    """How many days the rule itself names from `valid_from` up to, not including, `day`.

    Exceptions do not count, so the number belongs to the date alone: a holiday entered later does not
    shift what every following day carries.
    """
    span = (day - rule.valid_from).days
    if span <= 0:
        return 0
    weeks, rest = divmod(span, 7)
    tail = (rule.valid_from + timedelta(days=weeks * 7 + step) for step in range(rest))
    return weeks * len(rule.weekdays) + sum(1 for one in tail if one.isoweekday() in rule.weekdays)


def in_turn(everything: Sequence[_T], *, per_airing: int, turn: int) -> list[_T]:
    """The `turn`-th hand of `per_airing` things dealt cyclically, none twice in one hand."""
    size = len(everything)
    take = min(max(per_airing, 0), size)
    return [everything[(turn * take + step) % size] for step in range(take)]


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; InputError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"Không có múi giờ “{name}”. Hãy dùng tên chuẩn, ví dụ Asia/Ho_Chi_Minh.") from error


@lru_cache(maxsize=16_384)
def instant(zone: str, day: date, at: time) -> datetime:
    """The UTC instant of a local date and time in `zone`.

    Where clocks jump, a local time that does not exist is read with the offset before the jump, and one
    that exists twice is its first.
    """
    return datetime.combine(day, at.replace(tzinfo=None, fold=0), tzinfo=zone_of(zone)).astimezone(UTC)


def local_day(zone: str, now: datetime) -> date:
    """Which date it is at the station."""
    return now.astimezone(zone_of(zone)).date()
