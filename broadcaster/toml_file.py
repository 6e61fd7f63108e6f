"""Writing `broadcaster.toml`: only what was changed is touched, comments and order stay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from broadcaster.config import checked
from broadcaster.errors import ConfigError, StoreError
from broadcaster.whole import whole

NAME = "broadcaster.toml"


def write_settings(home: Path, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Set these keys in the file and give them back as their types; the file before stays as `….truoc`.

    ConfigError when a value is impossible or the file cannot be read: nothing is written then.
    """
    path = home / NAME
    values = {key: checked(key, value, NAME) for key, value in changes.items()}
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    try:
        document = tomlkit.parse(before)
    except TOMLKitError as error:
        raise ConfigError(
            f"Tệp {NAME} viết sai cú pháp: {error}. Hãy sửa tệp trên máy rồi thử lại."
        ) from error
    for key, value in values.items():
        section, name = key.split(".", 1)
        table = document.get(section)
        if table is None:
            table = tomlkit.table()
            document.add(section, table)
        if not isinstance(table, Table):
            raise ConfigError(f"Mục “{section}” trong {NAME} không phải một bảng. Hãy sửa tệp trên máy.")
        table[name] = list(value) if isinstance(value, tuple) else value
    try:
        if before:
            _write(path.with_name(NAME + ".truoc"), before)
        _write(path, tomlkit.dumps(document))
    except OSError as error:
        raise StoreError(f"Chưa ghi được {NAME} ({error}). Hãy kiểm tra quyền ghi và ổ đĩa.") from error
    return values


def _write(path: Path, text: str) -> None:
    with whole(path, mode=0o600) as file:  # the mail password may stand in it
        file.write(text.encode())
