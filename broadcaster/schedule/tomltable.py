"""One TOML table of a station's folder, read strictly: an unknown key is an error that suggests the nearest."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from datetime import date, time
from typing import Any

from broadcaster.errors import ConfigError

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class TomlTable:
    """One TOML table with the name of its file, read strictly."""

    def __init__(self, data: Mapping[str, Any], where: str) -> None:
        self.data, self.where = data, where

    def only(self, *known: str) -> None:
        for key in self.data:
            if key not in known:
                raise ConfigError(f"Tệp {self.where} có mục lạ “{key}”.{hint(key, known)}")

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

    def yes(self, key: str, default: bool) -> bool:
        return bool(self._value(key, (bool,), default))

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._value(key, (list, str), [])
        parts = value.split(",") if isinstance(value, str) else value
        if not all(isinstance(part, str) for part in parts):
            raise ConfigError(f"Tệp {self.where}: mục “{key}” phải là danh sách chữ.")
        return tuple(part.strip() for part in parts if part.strip())

    def table(self, key: str) -> TomlTable:
        return TomlTable(self._value(key, (dict,), {}), f"{self.where} [{key}]")

    def tables(self, key: str) -> list[TomlTable]:
        rows = self._value(key, (list,), [])
        if not all(isinstance(row, dict) for row in rows):
            raise ConfigError(f"Tệp {self.where}: mục “{key}” phải viết dạng [[{key}]].")
        return [TomlTable(row, f"{self.where} [[{key}]] thứ {number}") for number, row in enumerate(rows, 1)]


def slug_of(text: str, where: str) -> str:
    if not _SLUG.fullmatch(text):
        raise ConfigError(
            f"Tệp {where}: mã “{text}” chỉ được dùng chữ thường không dấu, số và dấu gạch, ví dụ dong-lon."
        )
    return text


def known_name(name: str, known: Collection[str], where: str) -> str:
    if name not in known:
        raise ConfigError(f"{where} “{name}” không có.{hint(name, [str(one) for one in known])}")
    return name


def hint(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    if near:
        return f" Có phải ý bạn là “{near[0]}”?"
    return f" Các mục có thể dùng: {', '.join(sorted(known))}." if 0 < len(known) <= 16 else ""
