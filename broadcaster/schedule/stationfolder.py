"""A station as a folder of plain files -> values.  Everything unknown or impossible is a sentence with the file's name.

station.toml   name, slug, call_sign, zone, phone, [policy], [template], [voices]
week.toml      [[slot]], [[rotation]]
villages.csv   slug,name,kind,operator,phone,population
topics.toml    [campaign], [[topic]]
bulletins/     *.txt: lines "# key: value", an empty line, the text
"""

from __future__ import annotations

import csv
import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any

from broadcaster.errors import ConfigError, InputError
from broadcaster.model import LatePolicy, Priority, StartMode
from broadcaster.schedule.policy import Policy
from broadcaster.schedule.slots import format_weekdays, parse_weekdays, zone_of

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LEVELS = {"thông thường": Priority.ROUTINE, "ưu tiên": Priority.PRIORITY, "khẩn cấp": Priority.EMERGENCY}
_YES = {"có": True, "không": False}
_KINDS = ("tin", "bài", "thông báo", "cảnh báo")
_HEADERS = ("tiêu đề", "chủ đề", "loại", "mức", "đọc hai lần")


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


@dataclass(frozen=True, slots=True)
class RotationLine:
    """One [[rotation]]: a slot's slug and the file names of its bulletins in order."""

    slot: str
    per_airing: int
    bulletins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VillageLine:
    """One row of villages.csv."""

    slug: str
    name: str
    operator: str
    phone: str


@dataclass(frozen=True, slots=True)
class TopicLine:
    """One [[topic]]."""

    slug: str
    title: str
    summary: str
    target_broadcasts: int


@dataclass(frozen=True, slots=True)
class CampaignLine:
    """[campaign] of topics.toml."""

    title: str
    motto: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class BulletinFile:
    """One bulletins/*.txt; `topic` is a slug or ""."""

    file: str
    title: str
    topic: str
    priority: Priority
    read_twice: bool
    text: str


@dataclass(frozen=True, slots=True)
class StationFolder:
    """Everything in the folder, checked."""

    slug: str
    name: str
    call_sign: str
    zone: str
    phone: str
    policy: Mapping[str, Any]
    template: Mapping[str, Any]
    voice_chain: tuple[str, ...]
    villages: tuple[VillageLine, ...]
    slots: tuple[SlotLine, ...]
    rotations: tuple[RotationLine, ...]
    campaign: CampaignLine | None
    topics: tuple[TopicLine, ...]
    bulletins: tuple[BulletinFile, ...] = field(default=())


def read_folder(folder: Path) -> StationFolder:
    """Read and check a station's folder.  InputError or ConfigError, with the file's name, on anything wrong."""
    station = _Table(_toml(folder, "station.toml"), "station.toml")
    station.only("name", "slug", "call_sign", "zone", "phone", "policy", "template", "voices")
    week = _Table(_toml(folder, "week.toml"), "week.toml")
    week.only("slot", "rotation")
    topics = _Table(_toml(folder, "topics.toml", missing_ok=True), "topics.toml")
    topics.only("campaign", "topic")
    voices = station.table("voices")
    voices.only("chain")
    zone = station.text("zone", "Asia/Ho_Chi_Minh")
    zone_of(zone)
    try:
        policy = Policy.from_data(station.table("policy").data).to_data()
    except (ConfigError, InputError) as error:
        raise ConfigError(f"Tệp station.toml, mục [policy]: {error.message}") from error
    read = StationFolder(
        slug=_slug(station.text("slug"), "station.toml"),
        name=station.text("name"),
        call_sign=station.text("call_sign"),
        zone=zone,
        phone=station.text("phone", ""),
        policy=policy,
        template=station.table("template").data,
        voice_chain=voices.texts("chain"),
        villages=_villages(folder),
        slots=tuple(_slot(row) for row in week.tables("slot")),
        rotations=tuple(_rotation(row) for row in week.tables("rotation")),
        campaign=_campaign(topics),
        topics=tuple(_topic(row) for row in topics.tables("topic")),
        bulletins=_bulletins(folder / "bulletins"),
    )
    _check_names(read)
    return read


def _check_names(read: StationFolder) -> None:
    """Names that one file uses and another must have."""
    slots = {row.slug for row in read.slots}
    villages = {row.slug for row in read.villages}
    topics = {row.slug for row in read.topics}
    files = {row.file for row in read.bulletins}
    for slot in read.slots:
        for village in slot.villages:
            _known(village, villages, f"week.toml: khung giờ “{slot.slug}” nói tới thôn")
    for rotation in read.rotations:
        _known(rotation.slot, slots, "week.toml: danh sách luân phiên nói tới khung giờ")
        for file in rotation.bulletins:
            _known(file, files, "week.toml: danh sách luân phiên nói tới bản tin")
    for bulletin in read.bulletins:
        if bulletin.topic:
            _known(bulletin.topic, topics, f"{bulletin.file}: chủ đề")


class _Table:
    """One TOML table with the name of its file, read strictly."""

    def __init__(self, data: Mapping[str, Any], where: str) -> None:
        self.data, self.where = data, where

    def only(self, *known: str) -> None:
        for key in self.data:
            if key not in known:
                raise ConfigError(f"Tệp {self.where} có mục lạ “{key}”.{_hint(key, known)}")

    def _value(self, key: str, kinds: tuple[type, ...], default: Any) -> Any:
        if key not in self.data:
            if default is None:
                raise ConfigError(f"Tệp {self.where} thiếu mục “{key}”. Hãy thêm vào rồi chạy lại.")
            return default
        value = self.data[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ConfigError(f"Tệp {self.where}: mục “{key}” có giá trị không hợp lệ: {value!r}.")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        found = str(self._value(key, (str,), default)).strip()
        if not found and default is None:
            raise ConfigError(f"Tệp {self.where}: mục “{key}” để trống. Hãy điền vào rồi chạy lại.")
        return found

    def number(self, key: str, default: int | None, *, low: int, high: int) -> int:
        found = int(self._value(key, (int,), default))
        if not low <= found <= high:
            raise ConfigError(f"Tệp {self.where}: mục “{key}” phải từ {low} đến {high}, đang là {found}.")
        return found

    def day(self, key: str) -> date:
        value = self._value(key, (date, str), None)
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            raise ConfigError(f"Tệp {self.where}: mục “{key}” phải là ngày, ví dụ 2026-01-01.") from None

    def hour(self, key: str) -> time:
        value = self._value(key, (time, str), None)
        try:
            return value if isinstance(value, time) else time.fromisoformat(value)
        except ValueError:
            raise ConfigError(f'Tệp {self.where}: mục “{key}” phải là giờ, ví dụ "05:30".') from None

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._value(key, (list, str), [])
        parts = value.split(",") if isinstance(value, str) else value
        if not all(isinstance(part, str) for part in parts):
            raise ConfigError(f"Tệp {self.where}: mục “{key}” phải là danh sách chữ.")
        return tuple(part.strip() for part in parts if part.strip())

    def table(self, key: str) -> _Table:
        return _Table(self._value(key, (dict,), {}), f"{self.where} [{key}]")

    def tables(self, key: str) -> list[_Table]:
        rows = self._value(key, (list,), [])
        if not all(isinstance(row, dict) for row in rows):
            raise ConfigError(f"Tệp {self.where}: mục “{key}” phải viết dạng [[{key}]].")
        return [_Table(row, f"{self.where} [[{key}]] thứ {number}") for number, row in enumerate(rows, 1)]


def _slot(row: _Table) -> SlotLine:
    row.only(
        "slug", "name", "weekdays", "start", "valid_from", "valid_to", "max_minutes", "start_mode", "wait_s",
        "late_policy", "grace_s", "priority", "volume_percent", "template", "villages",
    )  # fmt: skip
    try:
        weekdays = format_weekdays(parse_weekdays(row.texts("weekdays")))
    except InputError as error:
        raise ConfigError(f"Tệp {row.where}: {error.message}") from error
    return SlotLine(
        slug=_slug(row.text("slug"), row.where),
        name=row.text("name"),
        weekdays=weekdays,
        start_local=row.hour("start"),
        valid_from=row.day("valid_from"),
        valid_to=row.day("valid_to") if "valid_to" in row.data else None,
        max_minutes=row.number("max_minutes", 15, low=1, high=180),
        start_mode=StartMode(_known(row.text("start_mode", "at_once"), set(StartMode), f"{row.where}: start_mode")),
        wait_s=row.number("wait_s", 0, low=0, high=3600),
        late_policy=LatePolicy(
            _known(row.text("late_policy", "play_within_grace"), set(LatePolicy), f"{row.where}: late_policy")
        ),
        grace_s=row.number("grace_s", 300, low=0, high=7200),
        priority=Priority(
            _known(row.text("priority", "routine"), {"routine", "priority"}, f"{row.where}: priority")
        ),
        volume_percent=row.number("volume_percent", 100, low=0, high=100),
        template_name=row.text("template", "thuong"),
        villages=row.texts("villages"),
    )  # fmt: skip


def _rotation(row: _Table) -> RotationLine:
    row.only("slot", "per_airing", "bulletins")
    return RotationLine(row.text("slot"), row.number("per_airing", 2, low=1, high=20), row.texts("bulletins"))


def _campaign(topics: _Table) -> CampaignLine | None:
    if "campaign" not in topics.data:
        return None
    row = topics.table("campaign")
    row.only("title", "motto", "first_day", "last_day", "target_broadcasts")
    return CampaignLine(row.text("title"), row.text("motto", ""), row.day("first_day"), row.day("last_day"))


def _topic(row: _Table) -> TopicLine:
    row.only("slug", "title", "summary", "target_broadcasts")
    return TopicLine(
        _slug(row.text("slug"), row.where),
        row.text("title"),
        row.text("summary", ""),
        row.number("target_broadcasts", 0, low=0, high=100_000),
    )


def _villages(folder: Path) -> tuple[VillageLine, ...]:
    name = "villages.csv"
    rows = list(csv.DictReader(_read(folder / name).splitlines()))
    known = ("slug", "name", "kind", "operator", "phone", "population")
    for column in rows[0] if rows else ():
        if column not in known:
            raise ConfigError(f"Tệp {name} có cột lạ “{column}”.{_hint(str(column), known)}")
    found: dict[str, VillageLine] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{name} dòng {number}"
        slug = _slug((row.get("slug") or "").strip(), where)
        if slug in found:
            raise ConfigError(f"Tệp {where}: mã thôn “{slug}” đã có ở dòng trên. Mỗi thôn một mã riêng.")
        title = (row.get("name") or "").strip()
        if not title:
            raise ConfigError(f"Tệp {where}: thôn chưa có tên.")
        found[slug] = VillageLine(
            slug, title, (row.get("operator") or "").strip(), (row.get("phone") or "").strip()
        )
    if not found:
        raise ConfigError(f"Tệp {name} chưa có thôn nào. Hãy ghi mỗi thôn một dòng.")
    return tuple(found.values())


def _bulletins(folder: Path) -> tuple[BulletinFile, ...]:
    return tuple(parse_bulletin(path.name, _read(path)) for path in sorted(folder.glob("*.txt")))


def parse_bulletin(file: str, text: str) -> BulletinFile:
    """A bulletin's file: header lines "# key: value", then the text.  InputError names file and line."""
    values: dict[str, str] = {}
    lines = text.lstrip("\ufeff").splitlines()
    end = 0
    for number, line in enumerate(lines, start=1):
        if not line.startswith("#"):
            end = number - 1
            break
        key, colon, value = line.lstrip("#").partition(":")
        key = key.strip().lower()
        if not colon or key not in _HEADERS:
            raise InputError(f"Tệp {file} dòng {number}: không hiểu “{line.strip()}”.{_hint(key, _HEADERS)}")
        values[key] = value.strip()
        end = number
    if not values.get("tiêu đề"):
        raise InputError(f"Tệp {file} chưa có dòng “# tiêu đề: …”. Hãy thêm vào đầu tệp.")
    kind = values.get("loại", "tin")
    _known(kind, set(_KINDS), f"{file}: loại")
    body = "\n".join(lines[end:]).strip()
    if not body:
        raise InputError(f"Tệp {file} chưa có lời. Hãy viết lời bản tin sau phần khai.")
    return BulletinFile(
        file=file,
        title=values["tiêu đề"],
        topic=values.get("chủ đề", ""),
        priority=_LEVELS[_known(values.get("mức", "thông thường"), set(_LEVELS), f"{file}: mức")],
        read_twice=_YES[_known(values.get("đọc hai lần", "không"), set(_YES), f"{file}: đọc hai lần")],
        text=body,
    )


def _toml(folder: Path, name: str, *, missing_ok: bool = False) -> dict[str, Any]:
    if missing_ok and not (folder / name).exists():
        return {}
    try:
        return tomllib.loads(_read(folder / name))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"Tệp {name} viết sai cú pháp: {error}. Hãy sửa rồi chạy lại.") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(
            f"Thư mục của đài thiếu tệp {path.name}. Hãy chép đủ các tệp rồi chạy lại."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"Tệp {path.name} không phải chữ UTF-8. Hãy lưu lại với mã UTF-8.") from error


def _slug(text: str, where: str) -> str:
    if not _SLUG.fullmatch(text):
        raise ConfigError(
            f"Tệp {where}: mã “{text}” chỉ được dùng chữ thường không dấu, số và dấu gạch, ví dụ dong-lon."
        )
    return text


def _known(name: str, known: Collection[str], where: str) -> str:
    if name not in known:
        raise ConfigError(f"{where} “{name}” không có.{_hint(name, [str(one) for one in known])}")
    return name


def _hint(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    if near:
        return f" Có phải ý bạn là “{near[0]}”?"
    return f" Các mục có thể dùng: {', '.join(sorted(known))}." if 0 < len(known) <= 16 else ""
