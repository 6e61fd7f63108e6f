"""Reporting periods: a week, a month, a quarter, a year, or any two dates.  Pure.

Written the way addresses and the command line carry them: `2026-W48`, `2026-11`, `2026-Q4`, `2026`,
`2026-11-01..2026-11-15`.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from broadcaster.errors import InputError

LONGEST: Final = timedelta(days=366)
_ROMAN: Final = ("I", "II", "III", "IV")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-[Qq]([1-4])")
_WEEK = re.compile(r"(\d{4})-[Ww](\d{2})")
_YEAR = re.compile(r"\d{4}")
_HOW = "Hãy viết kỳ dạng 2026-11 (tháng), 2026-Q4 (quý), 2026 (năm), 2026-W48 (tuần) hoặc 2026-11-01..2026-11-15."


@dataclass(frozen=True, slots=True)
class Period:
    """`first` to `last`, both included.  `kind` is week, month, quarter, year or days; `text` writes it."""

    kind: str
    first: date
    last: date

    @property
    def text(self) -> str:
        """As addresses carry it; `parse_period` reads it back."""
        if self.kind == "week":
            year, week, _ = self.first.isocalendar()
            return f"{year}-W{week:02d}"
        if self.kind == "month":
            return f"{self.first:%Y-%m}"
        if self.kind == "quarter":
            return f"{self.first.year}-Q{(self.first.month + 2) // 3}"
        if self.kind == "year":
            return f"{self.first.year}"
        return f"{self.first.isoformat()}..{self.last.isoformat()}"

    @property
    def label(self) -> str:
        """'tháng 11 năm 2026', 'quý IV năm 2026', 'năm 2026', 'tuần 48 (…)', 'từ ngày … đến ngày …'."""
        days = f"từ ngày {self.first:%d/%m/%Y} đến ngày {self.last:%d/%m/%Y}"
        if self.kind == "week":
            return f"tuần {self.first.isocalendar().week} ({days})"
        if self.kind == "month":
            return f"tháng {self.first.month} năm {self.first.year}"
        if self.kind == "quarter":
            return f"quý {_ROMAN[(self.first.month - 1) // 3]} năm {self.first.year}"
        if self.kind == "year":
            return f"năm {self.first.year}"
        return f"ngày {self.first:%d/%m/%Y}" if self.first == self.last else days

    @property
    def days(self) -> int:
        """How many dates."""
        return (self.last - self.first).days + 1


def parse_period(text: str) -> Period:
    """The period that `text` names; InputError with the ways of writing one."""
    plain = text.strip()
    try:
        if found := _QUARTER.fullmatch(plain):
            return quarter_of(date(int(found[1]), int(found[2]) * 3, 1))
        if found := _WEEK.fullmatch(plain):
            return week_of(date.fromisocalendar(int(found[1]), int(found[2]), 1))
        if found := _MONTH.fullmatch(plain):
            return month_of(date(int(found[1]), int(found[2]), 1))
        if _YEAR.fullmatch(plain):
            return year_of(date(int(plain), 1, 1))
        first, dots, last = plain.partition("..")
        if dots:
            return days_between(date.fromisoformat(first.strip()), date.fromisoformat(last.strip()))
    except ValueError:
        raise InputError(f"Không có kỳ báo cáo “{plain}”. {_HOW}") from None
    raise InputError(f"Không hiểu kỳ báo cáo “{plain}”. {_HOW}")


def days_between(first: date, last: date) -> Period:
    """Any two dates; InputError when they stand the wrong way round or more than a year apart."""
    if last < first:
        raise InputError(f"Ngày cuối {last:%d/%m/%Y} đứng trước ngày đầu {first:%d/%m/%Y}. Hãy đổi lại.")
    if last - first >= LONGEST:
        raise InputError("Kỳ báo cáo dài nhất là một năm. Hãy chọn kỳ ngắn hơn.")
    for whole in (month_of(first), quarter_of(first), year_of(first)):
        if (first, last) == (whole.first, whole.last):
            return whole
    return Period("days", first, last)


def week_of(day: date) -> Period:
    """Monday to Sunday."""
    first = day - timedelta(days=day.weekday())
    return Period("week", first, first + timedelta(days=6))


def month_of(day: date) -> Period:
    """The calendar month of `day`."""
    return Period("month", day.replace(day=1), _month_end(day.year, day.month))


def quarter_of(day: date) -> Period:
    """The quarter of `day`."""
    start = (day.month - 1) // 3 * 3 + 1
    return Period("quarter", date(day.year, start, 1), _month_end(day.year, start + 2))


def year_of(day: date) -> Period:
    """The year of `day`."""
    return Period("year", date(day.year, 1, 1), date(day.year, 12, 31))


def before(period: Period) -> Period:
    """The period of the same kind that ends the day before this one begins."""
    day = period.first - timedelta(days=1)
    makers = {"week": week_of, "month": month_of, "quarter": quarter_of, "year": year_of}
    if period.kind in makers:
        return makers[period.kind](day)
    return Period("days", day - timedelta(days=period.days - 1), day)


def after(period: Period) -> Period:
    """The period of the same kind that begins the day after this one ends."""
    day = period.last + timedelta(days=1)
    makers = {"week": week_of, "month": month_of, "quarter": quarter_of, "year": year_of}
    if period.kind in makers:
        return makers[period.kind](day)
    return Period("days", day, day + timedelta(days=period.days - 1))


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
