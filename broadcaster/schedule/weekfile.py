"""The week as a file: weekly slots, standing orders, dated exceptions, holidays and fillers.  Pure.

`read_week(write_week(week)) == week`; it is also the `week.toml` of a station's folder.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, time
from typing import Any

import tomlkit

from broadcaster.errors import ConfigError, InputError
from broadcaster.model import LatePolicy, Priority, StartMode
from broadcaster.schedule.holidays import Holiday, holiday_data, read_holidays
from broadcaster.schedule.slots import ACTIONS, format_weekdays, parse_weekdays
from broadcaster.schedule.tomltable import TomlTable, known_name, slug_of

KEYS = ("slot", "rotation", "exception", "holiday", "fillers")


@dataclass(frozen=True, slots=True)
class SlotLine:
    """One [[slot]]; `slug` is what [[rotation]] calls it.  No `villages` = every village."""

    slug: str
    name: str
    weekdays: str
    start_local: time
    valid_from: date
    valid_to: date | None
    max_minutes: int
    start_mode: StartMode
    wait_s: int
    late_policy: LatePolicy
    grace_s: int
    priority: Priority
    volume_percent: int
    template_name: str
    villages: tuple[str, ...]
    on_holidays: bool = True
    carry_over: bool = False


@dataclass(frozen=True, slots=True)
class RotationLine:
    """One [[rotation]]: a slot's slug and the file names of its bulletins in order."""

    slot: str
    per_airing: int
    bulletins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExceptionLine:
    """One [[exception]]: a slot's slug, a date, and skip, replace or extra."""

    slot: str
    day: date
    action: str
    start_local: time | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class WeekFile:
    """Everything in the file, checked; bulletins go by file name or title."""

    slots: tuple[SlotLine, ...] = ()
    rotations: tuple[RotationLine, ...] = ()
    exceptions: tuple[ExceptionLine, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    fillers: tuple[str, ...] = ()


def read_week(text: str, where: str = "week.toml") -> WeekFile:
    """Read and check the file; ConfigError says what is wrong and where."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"Tệp {where} viết sai cú pháp: {error}. Hãy sửa rồi chạy lại.") from error
    week = TomlTable(data, where)
    week.only(*KEYS)
    found = WeekFile(
        slots=tuple(_slot(row) for row in week.tables("slot")),
        rotations=tuple(_rotation(row) for row in week.tables("rotation")),
        exceptions=tuple(_exception(row) for row in week.tables("exception")),
        holidays=read_holidays(
            [row.data for row in week.tables("holiday")], where=f"Tệp {where} [[holiday]]"
        ),
        fillers=week.texts("fillers"),
    )
    slugs = [row.slug for row in found.slots]
    if len(set(slugs)) != len(slugs):
        raise ConfigError(f"Tệp {where} có hai khung giờ cùng mã. Mỗi khung giờ một mã riêng.")
    for rotation in found.rotations:
        known_name(rotation.slot, slugs, f"{where}: danh sách luân phiên nói tới khung giờ")
    for row in found.exceptions:
        known_name(row.slot, slugs, f"{where}: ngoại lệ nói tới khung giờ")
    return found


def write_week(week: WeekFile) -> str:
    """The same as text, in an order that does not depend on the database."""
    document = tomlkit.document()
    document.add(tomlkit.comment("Lịch phát trong tuần: giờ địa phương của đài."))
    if week.fillers:
        document.add("fillers", _list(week.fillers))
    _tables(document, "slot", [_slot_data(row) for row in week.slots])
    _tables(
        document,
        "rotation",
        [
            {"slot": row.slot, "per_airing": row.per_airing, "bulletins": row.bulletins}
            for row in week.rotations
        ],
    )
    _tables(document, "exception", [_exception_data(row) for row in week.exceptions])
    _tables(document, "holiday", [holiday_data(row) for row in week.holidays])
    return tomlkit.dumps(document)


def _slot(row: TomlTable) -> SlotLine:
    row.only(
        "slug", "name", "weekdays", "start", "valid_from", "valid_to", "max_minutes", "start_mode", "wait_s",
        "late_policy", "grace_s", "priority", "volume_percent", "template", "villages", "on_holidays", "carry_over",
    )  # fmt: skip
    try:
        weekdays = format_weekdays(parse_weekdays(row.texts("weekdays")))
    except InputError as error:
        raise ConfigError(f"Tệp {row.where}: {error.message}") from error
    return SlotLine(
        slug=slug_of(row.text("slug"), row.where),
        name=row.text("name"),
        weekdays=weekdays,
        start_local=row.hour("start"),
        valid_from=row.day("valid_from"),
        valid_to=row.day("valid_to") if "valid_to" in row.data else None,
        max_minutes=row.number("max_minutes", 15, low=1, high=180),
        start_mode=StartMode(known_name(row.text("start_mode", "at_once"), set(StartMode), f"{row.where}: start_mode")),
        wait_s=row.number("wait_s", 0, low=0, high=3600),
        late_policy=LatePolicy(
            known_name(row.text("late_policy", "play_within_grace"), set(LatePolicy), f"{row.where}: late_policy")
        ),
        grace_s=row.number("grace_s", 300, low=0, high=7200),
        priority=Priority(
            known_name(row.text("priority", "routine"), {"routine", "priority"}, f"{row.where}: priority")
        ),
        volume_percent=row.number("volume_percent", 100, low=0, high=100),
        template_name=row.text("template", "thuong"),
        villages=row.texts("villages"),
        on_holidays=row.yes("on_holidays", True),
        carry_over=row.yes("carry_over", False),
    )  # fmt: skip


def _rotation(row: TomlTable) -> RotationLine:
    row.only("slot", "per_airing", "bulletins")
    return RotationLine(row.text("slot"), row.number("per_airing", 2, low=1, high=20), row.texts("bulletins"))


def _exception(row: TomlTable) -> ExceptionLine:
    row.only("slot", "date", "action", "start", "note")
    return ExceptionLine(
        slot=row.text("slot"),
        day=row.day("date"),
        action=known_name(row.text("action"), ACTIONS, f"{row.where}: action"),
        start_local=row.hour("start") if "start" in row.data else None,
        note=row.text("note", ""),
    )


def _exception_data(row: ExceptionLine) -> dict[str, Any]:
    found: dict[str, Any] = {"slot": row.slot, "date": row.day, "action": row.action}
    if row.start_local is not None:
        found["start"] = f"{row.start_local:%H:%M}"
    if row.note:
        found["note"] = row.note
    return found


def _slot_data(row: SlotLine) -> dict[str, Any]:
    found: dict[str, Any] = {
        "slug": row.slug,
        "name": row.name,
        "weekdays": row.weekdays.split(","),
        "start": f"{row.start_local:%H:%M}",
        "valid_from": row.valid_from,
    }
    if row.valid_to is not None:
        found["valid_to"] = row.valid_to
    found |= {
        "max_minutes": row.max_minutes,
        "start_mode": row.start_mode.value,
        "wait_s": row.wait_s,
        "late_policy": row.late_policy.value,
        "grace_s": row.grace_s,
        "priority": row.priority.value,
        "volume_percent": row.volume_percent,
        "template": row.template_name,
        "on_holidays": row.on_holidays,
        "carry_over": row.carry_over,
    }
    if row.villages:
        found["villages"] = row.villages
    return found


def _tables(document: tomlkit.TOMLDocument, name: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    array = tomlkit.aot()
    for row in rows:
        table = tomlkit.table()
        for key, value in row.items():
            table.add(key, _list(value) if isinstance(value, list | tuple) else value)
        array.append(table)
    document.add(name, array)


def _list(values: list[str] | tuple[str, ...]) -> Any:
    found = tomlkit.array()
    found.extend(values)
    return found.multiline(len(values) > 4)
