"""The station's holidays: fixed dates, lunar dates, and the country's public holidays -> dates.  Pure.

Lunar dates are those of the Vietnamese calendar (UTC+7): Tết of 2030 is a day before the Chinese new year.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

import holidays as countries
from lunar_vn import convert_lunar_to_solar, solar_to_lunar

from broadcaster.errors import ConfigError

KEYS: Final = ("name", "date", "lunar", "on", "public", "days", "from")
LONGEST_DAYS: Final = 31
_DAY_MONTH: Final = re.compile(r"(\d{1,2})/(\d{1,2})")
LUNAR_YEARS: Final = (1900, 2100)


@dataclass(frozen=True, slots=True)
class Holiday:
    """One line: exactly one of `solar` and `lunar` (day, month), `on` (one date) or `public`.

    It lasts `days` days from `shift` days after its date (-1: it begins on the eve).
    """

    name: str
    solar: tuple[int, int] | None = None
    lunar: tuple[int, int] | None = None
    on: date | None = None
    public: bool = False
    days: int = 1
    shift: int = 0


def holiday_from(data: Mapping[str, Any], *, where: str = "") -> Holiday:
    """One line of stored or TOML data.  ConfigError says what is wrong with it."""
    at = f"{where}: " if where else ""
    for key in data:
        if key not in KEYS:
            raise ConfigError(f"{at}ngày nghỉ có mục lạ “{key}”. Các mục có thể dùng: {', '.join(KEYS)}.")
    name = data.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"{at}ngày nghỉ chưa có tên (mục name).")
    called = f"{at}ngày nghỉ “{name.strip()}”"
    given = [key for key in ("date", "lunar", "on", "public") if data.get(key) not in (None, False, "")]
    if len(given) != 1:
        raise ConfigError(f"{called} cần đúng một trong các mục: date, lunar, on, public.")
    days, shift = data.get("days", 1), data.get("from", 0)
    if type(days) is not int or not 1 <= days <= LONGEST_DAYS:
        raise ConfigError(f"{called}: số ngày nghỉ (days) phải từ 1 đến {LONGEST_DAYS}.")
    if type(shift) is not int or not -LONGEST_DAYS <= shift <= LONGEST_DAYS:
        raise ConfigError(f"{called}: mục from phải từ -{LONGEST_DAYS} đến {LONGEST_DAYS} ngày.")
    return Holiday(
        name=name.strip()[:120],
        solar=_day_month(data["date"], called, lunar=False) if given == ["date"] else None,
        lunar=_day_month(data["lunar"], called, lunar=True) if given == ["lunar"] else None,
        on=_single(data["on"], called) if given == ["on"] else None,
        public=given == ["public"],
        days=days,
        shift=shift,
    )


def holiday_data(row: Holiday) -> dict[str, Any]:
    """The same as plain data: what is stored, and what a TOML file holds."""
    found: dict[str, Any] = {"name": row.name}
    if row.solar is not None:
        found["date"] = "{}/{}".format(*row.solar)
    if row.lunar is not None:
        found["lunar"] = "{}/{}".format(*row.lunar)
    if row.on is not None:
        found["on"] = row.on.isoformat()
    if row.public:
        found["public"] = True
    if row.days != 1:
        found["days"] = row.days
    if row.shift:
        found["from"] = row.shift
    return found


def days_off(rows: Iterable[Holiday], first: date, last: date) -> dict[date, str]:
    """date -> name, for every date of a holiday from `first` to `last`; of two names the first line's."""
    found: dict[date, str] = {}
    for row in rows:
        for begins, name in _begins(
            row, first - timedelta(days=2 * LONGEST_DAYS), last + timedelta(days=LONGEST_DAYS)
        ):
            for number in range(row.days):
                day = begins + timedelta(days=row.shift + number)
                if first <= day <= last:
                    found.setdefault(day, name)
    return dict(sorted(found.items()))


def read_holidays(rows: Sequence[Any], *, where: str = "") -> tuple[Holiday, ...]:
    """Every line of a list; ConfigError on the first that will not do."""
    return tuple(
        holiday_from(row, where=f"{where} thứ {number}" if where else "")
        for number, row in enumerate(rows, 1)
    )


def _begins(row: Holiday, first: date, last: date) -> list[tuple[date, str]]:
    if row.on is not None:
        return [(row.on, row.name)]
    years = range(first.year - 1, last.year + 1)  # a lunar year ends in the next solar one
    if row.public:
        return [(day, name) for year in years for day, name in _public(year)]
    if row.lunar is not None:
        days = [_lunar(row.lunar, year) for year in years if LUNAR_YEARS[0] <= year < LUNAR_YEARS[1]]
        return [(day, row.name) for day in days]
    assert row.solar is not None, "one of the four is given"
    return [(day, row.name) for year in years if (day := _solar(row.solar, year)) is not None]


@cache
def _public(year: int) -> tuple[tuple[date, str], ...]:
    return tuple(sorted(countries.country_holidays("VN", years=year, language="vi").items()))


@cache
def _lunar(day_month: tuple[int, int], year: int) -> date:
    day, month = day_month
    found: date = convert_lunar_to_solar(day, month, year)
    # A short month has no 30th: what people call the 30th is then its last day.
    short = day == 30 and solar_to_lunar(found).day != 30
    return found - timedelta(days=1) if short else found


def _solar(day_month: tuple[int, int], year: int) -> date | None:
    try:
        return date(year, day_month[1], day_month[0])
    except ValueError:
        return None  # 29 February of a common year


def _day_month(value: Any, called: str, *, lunar: bool) -> tuple[int, int]:
    match = _DAY_MONTH.fullmatch(str(value).strip())
    if match is not None:
        day, month = int(match[1]), int(match[2])
        if lunar and 1 <= day <= 30 and 1 <= month <= 12:
            return day, month
        if not lunar and _solar((day, month), 2024) is not None:
            return day, month
    raise ConfigError(
        f"{called}: ngày phải viết dạng ngày/tháng, ví dụ {'1/1' if lunar else '2/9'}, đang là “{value}”."
    )


def _single(value: Any, called: str) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise ConfigError(f"{called}: mục on phải là một ngày, ví dụ 2026-12-24.") from None
