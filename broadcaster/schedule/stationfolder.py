"""A station as a folder of plain files -> values.  Everything unknown or impossible is a sentence with the file's name.

station.toml   name, slug, call_sign, zone, phone, [policy], [template], [voices]
week.toml      [[slot]], [[rotation]], [[exception]], [[holiday]], fillers
villages.csv   slug,name,kind,operator,phone,population
topics.toml    [campaign], [[topic]]
bulletins/     *.txt: lines "# key: value", an empty line, the text
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from broadcaster.errors import ConfigError, InputError
from broadcaster.model import Priority
from broadcaster.schedule.holidays import Holiday
from broadcaster.schedule.policy import Policy
from broadcaster.schedule.slots import zone_of
from broadcaster.schedule.tomltable import TomlTable, hint, known_name, slug_of
from broadcaster.schedule.weekfile import ExceptionLine, RotationLine, SlotLine, read_week

_LEVELS = {"thông thường": Priority.ROUTINE, "ưu tiên": Priority.PRIORITY, "khẩn cấp": Priority.EMERGENCY}
_YES = {"có": True, "không": False}
_KINDS = ("tin", "bài", "thông báo", "cảnh báo")
_HEADERS = ("tiêu đề", "chủ đề", "loại", "mức", "đọc hai lần")


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
    exceptions: tuple[ExceptionLine, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    fillers: tuple[str, ...] = ()


def read_folder(folder: Path) -> StationFolder:
    """Read and check a station's folder.  InputError or ConfigError, with the file's name, on anything wrong."""
    station = TomlTable(_toml(folder, "station.toml"), "station.toml")
    station.only("name", "slug", "call_sign", "zone", "phone", "policy", "template", "voices")
    week = read_week(_read(folder / "week.toml"))
    topics = TomlTable(_toml(folder, "topics.toml", missing_ok=True), "topics.toml")
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
        slug=slug_of(station.text("slug"), "station.toml"),
        name=station.text("name"),
        call_sign=station.text("call_sign"),
        zone=zone,
        phone=station.text("phone", ""),
        policy=policy,
        template=station.table("template").data,
        voice_chain=voices.texts("chain"),
        villages=_villages(folder),
        slots=week.slots,
        rotations=week.rotations,
        exceptions=week.exceptions,
        holidays=week.holidays,
        fillers=week.fillers,
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
            known_name(village, villages, f"week.toml: khung giờ “{slot.slug}” nói tới thôn")
    for rotation in read.rotations:
        known_name(rotation.slot, slots, "week.toml: danh sách luân phiên nói tới khung giờ")
        for file in rotation.bulletins:
            known_name(file, files, "week.toml: danh sách luân phiên nói tới bản tin")
    for file in read.fillers:
        known_name(file, files, "week.toml: danh sách dự phòng nói tới bản tin")
    for bulletin in read.bulletins:
        if bulletin.topic:
            known_name(bulletin.topic, topics, f"{bulletin.file}: chủ đề")


def _campaign(topics: TomlTable) -> CampaignLine | None:
    if "campaign" not in topics.data:
        return None
    row = topics.table("campaign")
    row.only("title", "motto", "first_day", "last_day", "target_broadcasts")
    return CampaignLine(row.text("title"), row.text("motto", ""), row.day("first_day"), row.day("last_day"))


def _topic(row: TomlTable) -> TopicLine:
    row.only("slug", "title", "summary", "target_broadcasts")
    return TopicLine(
        slug_of(row.text("slug"), row.where),
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
            raise ConfigError(f"Tệp {name} có cột lạ “{column}”.{hint(str(column), known)}")
    found: dict[str, VillageLine] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{name} dòng {number}"
        slug = slug_of((row.get("slug") or "").strip(), where)
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
            raise InputError(f"Tệp {file} dòng {number}: không hiểu “{line.strip()}”.{hint(key, _HEADERS)}")
        values[key] = value.strip()
        end = number
    if not values.get("tiêu đề"):
        raise InputError(f"Tệp {file} chưa có dòng “# tiêu đề: …”. Hãy thêm vào đầu tệp.")
    kind = values.get("loại", "tin")
    known_name(kind, set(_KINDS), f"{file}: loại")
    body = "\n".join(lines[end:]).strip()
    if not body:
        raise InputError(f"Tệp {file} chưa có lời. Hãy viết lời bản tin sau phần khai.")
    return BulletinFile(
        file=file,
        title=values["tiêu đề"],
        topic=values.get("chủ đề", ""),
        priority=_LEVELS[known_name(values.get("mức", "thông thường"), set(_LEVELS), f"{file}: mức")],
        read_twice=_YES[known_name(values.get("đọc hai lần", "không"), set(_YES), f"{file}: đọc hai lần")],
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
