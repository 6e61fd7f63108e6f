"""What the commune's regulation allows on the air: settings, not code.  Pure.

Each check answers with refusals that carry their remedies; nothing is raised here, so a form can show
all of them at once.  Emergencies are exempt.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, time, timedelta
from typing import Any

from broadcaster.errors import ConfigError
from broadcaster.model import Priority
from broadcaster.schedule.slots import (
    MINUTES_A_DAY,
    WEEKDAY_NAMES,
    crosses_midnight,
    format_weekdays,
    parse_weekdays,
)

REPEAT_WINDOW_DAYS = 30


@dataclass(frozen=True, slots=True)
class Policy:
    """The station's rules; `Policy.from_data(station.policy)` reads them."""

    earliest_start: time = time(5, 30)
    latest_end: time = time(21, 0)
    quiet_from: time = time(21, 0)
    quiet_to: time = time(5, 30)
    sessions_a_day: int = 3
    minutes_a_session: int = 45
    minutes_a_day: int = 120
    weekdays: frozenset[int] = frozenset(range(1, 8))
    repeats_in_30_days: int = 62  # how often one bulletin may be placed in any thirty days

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Policy:
        """Read stored or TOML data; an unknown key or impossible value is a ConfigError."""
        known = {field.name: field for field in fields(cls)}
        values: dict[str, Any] = {}
        for key, value in data.items():
            if key not in known:
                near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
                hint = f" Có phải ý bạn là “{near[0]}”?" if near else ""
                raise ConfigError(f"Quy định phát thanh “{key}” không tồn tại.{hint}")
            values[key] = _read(key, value)
        return cls(**values)

    def to_data(self) -> dict[str, Any]:
        """As stored in `station.policy`."""
        found: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, time):
                value = hhmm(value)
            elif isinstance(value, frozenset):
                value = format_weekdays(value)
            found[field.name] = value
        return found


@dataclass(frozen=True, slots=True)
class Session:
    """One stretch of a day on the air.  `villages` None = every village; `key` tells it from the others."""

    key: str
    name: str
    start: time
    minutes: int
    priority: Priority = Priority.ROUTINE
    villages: frozenset[int] | None = None

    @property
    def first_minute(self) -> int:
        """Minutes after midnight at which it starts."""
        return self.start.hour * 60 + self.start.minute

    @property
    def last_minute(self) -> int:
        """Minutes after midnight at which it must have ended."""
        return self.first_minute + self.minutes

    def shares_ears_with(self, other: Session) -> bool:
        """True when some village would hear both."""
        return self.villages is None or other.villages is None or bool(self.villages & other.villages)


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a clash that a door can carry out: another start, or the other session left out that day."""

    label: str
    start: time | None = None
    replace: str = ""  # the key of the session that gives way


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not, and the ways out; `ways` are those of a clash that need nothing more from a person."""

    message: str
    remedies: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()


def check_session(
    policy: Policy, session: Session, *, weekday: int, others: Iterable[Session] = ()
) -> list[Refusal]:
    """Every rule that `session` would break on that weekday (ISO), beside the day's `others`."""
    if session.priority is Priority.EMERGENCY:
        return []
    same_ears = [one for one in others if one.key != session.key and session.shares_ears_with(one)]
    return [
        *_shape(policy, session),
        *_day(policy, session, weekday, [one for one in same_ears if one.priority is not Priority.EMERGENCY]),
        *clashes(session, same_ears, policy=policy),
    ]


def clashes(session: Session, others: Iterable[Session], *, policy: Policy | None = None) -> list[Refusal]:
    """Refusals for every other session of the day that would sound at the same time in the same village."""
    day = [one for one in others if one.key != session.key and session.shares_ears_with(one)]
    found: list[Refusal] = []
    for other in day:
        if session.first_minute < other.last_minute and other.first_minute < session.last_minute:
            found.append(
                Refusal(
                    f"“{session.name}” ({_span(session)}) trùng giờ với “{other.name}” ({_span(other)}).",
                    _ways_out(session, other, day, policy or Policy()),
                    _ways(session, other, day, policy or Policy()),
                )
            )
    return found


def common_ways(refusals: Sequence[Refusal]) -> tuple[Way, ...]:
    """Ways out that settle all of these at once; none while one of them is no clash."""
    if not refusals:
        return ()
    first, *rest = [[(way.start, way.replace) for way in one.ways] for one in refusals]
    return tuple(
        way for way, key in zip(refusals[0].ways, first, strict=True) if all(key in other for other in rest)
    )


def check_repeats(policy: Policy, name: str, day: date, placed: Iterable[date]) -> list[Refusal]:
    """Whether a bulletin that is `placed` on these dates (one an airing) may air once more on `day`."""
    near = sorted([day, *(one for one in placed if abs((one - day).days) < REPEAT_WINDOW_DAYS)])
    most = max(
        sum(1 for one in near if timedelta(0) <= one - first < timedelta(days=REPEAT_WINDOW_DAYS))
        for first in near
        if first <= day
    )
    if most <= policy.repeats_in_30_days:
        return []
    return [
        Refusal(
            f"Quy định của đài: mỗi bản tin phát không quá {policy.repeats_in_30_days} lần trong {REPEAT_WINDOW_DAYS} ngày; “{name}” sẽ có {most} lần.",
            ("Chọn bản tin khác.", "Bỏ bớt một buổi khác của bản tin này.", "Chọn ngày xa hơn."),
        )
    ]


def _shape(policy: Policy, session: Session) -> list[Refusal]:
    if session.minutes < 1:
        return [
            Refusal("Buổi phát phải dài ít nhất một phút.", ("Nhập thời lượng tối đa từ 1 phút trở lên.",))
        ]
    if crosses_midnight(session.start, session.minutes):
        return [
            Refusal(
                f"“{session.name}” bắt đầu lúc {hhmm(session.start)} và dài {session.minutes} phút, tức là qua nửa đêm.",
                ("Chọn giờ sớm hơn.", "Rút ngắn thời lượng để kết thúc trước 24:00."),
            )
        ]
    found: list[Refusal] = []
    if session.start < policy.earliest_start:
        found.append(
            Refusal(
                f"Quy định của đài: không phát trước {hhmm(policy.earliest_start)}; “{session.name}” bắt đầu lúc {hhmm(session.start)}.",
                (f"Bắt đầu từ {hhmm(policy.earliest_start)}.",),
            )
        )
    if session.last_minute > _minutes(policy.latest_end, closing=True):
        found.append(
            Refusal(
                f"Quy định của đài: phải kết thúc trước {hhmm(policy.latest_end)}; “{session.name}” kéo dài tới {_clock(session.last_minute)}.",
                ("Chọn giờ sớm hơn.", "Rút ngắn thời lượng."),
            )
        )
    if not found and _in_quiet(policy, session):
        found.append(
            Refusal(
                f"“{session.name}” ({_span(session)}) rơi vào giờ yên tĩnh {hhmm(policy.quiet_from)}–{hhmm(policy.quiet_to)}.",
                (f"Chọn giờ từ {hhmm(policy.quiet_to)} đến {hhmm(policy.quiet_from)}.",),
            )
        )
    if session.minutes > policy.minutes_a_session:
        found.append(
            Refusal(
                f"Quy định của đài: mỗi buổi không quá {policy.minutes_a_session} phút; “{session.name}” đặt {session.minutes} phút.",
                (f"Rút xuống {policy.minutes_a_session} phút.", "Chia thành hai buổi."),
            )
        )
    return found


def _day(policy: Policy, session: Session, weekday: int, others: Sequence[Session]) -> list[Refusal]:
    found: list[Refusal] = []
    if weekday not in policy.weekdays:
        found.append(
            Refusal(
                f"Quy định của đài: {WEEKDAY_NAMES[weekday - 1]} không phát thanh.",
                ("Bỏ thứ này khỏi khung giờ.", "Chọn ngày khác."),
            )
        )
    count, minutes = _heaviest(session, others)
    if count > policy.sessions_a_day:
        found.append(
            Refusal(
                f"Quy định của đài: mỗi ngày không quá {policy.sessions_a_day} buổi; {WEEKDAY_NAMES[weekday - 1]} sẽ có {count} buổi.",
                ("Ghép bản tin vào một buổi đã có.", "Chọn ngày khác.", "Cho một buổi khác nghỉ hôm đó."),
            )
        )
    if minutes > policy.minutes_a_day:
        found.append(
            Refusal(
                f"Quy định của đài: mỗi ngày không quá {policy.minutes_a_day} phút; {WEEKDAY_NAMES[weekday - 1]} sẽ có {minutes} phút.",
                ("Rút ngắn thời lượng.", "Chọn ngày khác."),
            )
        )
    return found


def _heaviest(session: Session, others: Sequence[Session]) -> tuple[int, int]:
    """Sessions and minutes in the village that would hear most of them."""
    together = [*others, session]
    named = set().union(*(one.villages for one in together if one.villages is not None))
    ears: set[int | None] = set(named) if session.villages is None else set(session.villages)
    if session.villages is None:
        ears.add(None)  # a village that only the sessions for everybody reach
    best = (0, 0)
    for ear in ears:
        heard = [one for one in together if one.villages is None or ear in one.villages]
        best = max(best, (len(heard), sum(one.minutes for one in heard)))
    return best


def _ways_out(session: Session, other: Session, day: Sequence[Session], policy: Policy) -> tuple[str, ...]:
    ways: list[str] = []
    after = other.last_minute
    if _fits(session, after, [one for one in day if one.key != other.key], policy):
        ways.append(f"Đặt ngay sau “{other.name}”, lúc {_clock(after)}.")
    else:
        ways.append(f"Đặt sau “{other.name}” (kết thúc {_clock(after)}) và rút ngắn thời lượng.")
    free = _free_start(session, day, policy)
    ways.append(
        f"Chọn giờ khác còn trống, ví dụ {_clock(free)}."
        if free is not None
        else "Chọn giờ khác hoặc ngày khác."
    )
    ways.append(f"Thay buổi hôm đó: cho “{other.name}” nghỉ ngày này rồi đặt vào chỗ của nó.")
    return tuple(ways)


def _ways(session: Session, other: Session, day: Sequence[Session], policy: Policy) -> tuple[Way, ...]:
    found: list[Way] = []
    after = other.last_minute
    if _fits(session, after, [one for one in day if one.key != other.key], policy):
        found.append(Way(f"Phát nối tiếp sau, lúc {_clock(after)}", time(after // 60, after % 60)))
    free = _free_start(session, day, policy, besides=after)
    if free is not None:
        found.append(Way(f"Đổi giờ: {_clock(free)} còn trống", time(free // 60, free % 60)))
    found.append(Way(f"Thay “{other.name}” (chỉ hôm đó)", replace=other.key))
    return tuple(found)


def _free_start(
    session: Session, day: Sequence[Session], policy: Policy, *, besides: int | None = None
) -> int | None:
    wanted = session.first_minute
    steps = range(_minutes(policy.earliest_start), _minutes(policy.latest_end, closing=True), 5)
    free = [start for start in steps if start != besides and _fits(session, start, day, policy)]
    return min(free, key=lambda start: (abs(start - wanted), start), default=None)


def _fits(session: Session, start: int, day: Sequence[Session], policy: Policy) -> bool:
    if start < 0 or start + session.minutes > MINUTES_A_DAY or start >= MINUTES_A_DAY:
        return False
    moved = Session(
        session.key, session.name, time(start // 60, start % 60), session.minutes, session.priority,
        session.villages,
    )  # fmt: skip
    busy = any(start < one.last_minute and one.first_minute < moved.last_minute for one in day)
    return not busy and not _shape(policy, moved)


def _in_quiet(policy: Policy, session: Session) -> bool:
    if policy.quiet_from == policy.quiet_to:
        return False
    start, end = _minutes(policy.quiet_from), _minutes(policy.quiet_to)
    spans = [(start, end)] if start < end else [(0, end), (start, MINUTES_A_DAY)]
    return any(session.first_minute < high and low < session.last_minute for low, high in spans)


def _read(key: str, value: Any) -> Any:
    default = getattr(Policy(), key)
    try:
        if isinstance(default, time):
            return value.replace(tzinfo=None) if isinstance(value, time) else time.fromisoformat(str(value))
        if isinstance(default, frozenset):
            return parse_weekdays(value)
        if isinstance(value, bool) or int(value) < 1:
            raise ValueError
        return int(value)
    except (TypeError, ValueError):
        raise ConfigError(
            f"Quy định phát thanh “{key}” có giá trị không hợp lệ: {value!r}. Hãy sửa trong tệp của đài."
        ) from None


def hhmm(at: time) -> str:
    """A local time as people write it here: 05:30."""
    return at.strftime("%H:%M")


def _minutes(at: time, *, closing: bool = False) -> int:
    total = at.hour * 60 + at.minute
    return MINUTES_A_DAY if closing and total == 0 else total


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _span(session: Session) -> str:
    return f"{hhmm(session.start)}–{_clock(session.last_minute)}"
