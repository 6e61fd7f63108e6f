"""A list of villages from a spreadsheet: .csv (any of the usual codes and separators) or .xlsx -> rows and errors.

Every row is judged; the first error does not hide the others, and with any error nothing is changed.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError
from broadcaster.naming import plain_name
from broadcaster.store.tables import Village

MOST_ROWS: Final = 500
MOST_BYTES: Final = 60 * 1024 * 1024
HEADERS: Final = ("Tên thôn", "Người phụ trách", "Điện thoại")
# plain header -> field; what is not here is left alone
_FIELDS: Final = {
    "name": "name", "ten": "name", "thon": "name", "ten-thon": "name", "ten-thon-to-dan-pho": "name",
    "thon-to-dan-pho": "name", "thon-ban": "name", "don-vi": "name", "khu-dan-cu": "name",
    "operator": "operator", "nguoi-phu-trach": "operator", "phu-trach": "operator", "truong-thon": "operator",
    "ho-ten": "operator", "ho-va-ten": "operator", "nguoi-van-hanh": "operator",
    "phone": "phone", "dien-thoai": "phone", "so-dien-thoai": "phone", "sdt": "phone", "di-dong": "phone",
    "slug": "slug", "ma": "slug", "ma-thon": "slug",
}  # fmt: skip
_PHONE = re.compile(r"[+(]?\d[\d .()-]{6,18}\d")


@dataclass(frozen=True, slots=True)
class VillageRow:
    """One line of the list; `line` is its number in the file, from 1."""

    line: int
    slug: str
    name: str
    operator: str
    phone: str


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in one line."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What an import has changed."""

    added: int
    changed: int
    same: int


def read_list(data: bytes, filename: str) -> tuple[list[VillageRow], list[RowError]]:
    """Rows and errors of a file.  InputError when it is no list at all."""
    table = _xlsx(data) if data.startswith(b"PK") else _csv(data)
    head = next((number for number, cells in enumerate(table) if any(cells)), None)
    if head is None:
        raise InputError(f"Tệp {filename} trống. Hãy tải tệp mẫu, điền rồi gửi lại.")
    fields = [_FIELDS.get(plain_name(cell, ""), "") for cell in table[head]]
    if "name" not in fields:
        raise InputError(
            f"Tệp {filename} không có cột “{HEADERS[0]}” ở dòng đầu. Hãy tải tệp mẫu để xem tên các cột."
        )
    if len(table) - head - 1 > MOST_ROWS:
        raise InputError(f"Tệp {filename} có hơn {MOST_ROWS} dòng. Hãy kiểm tra lại tệp.")
    return _rows(table, head, fields)


def apply_list(session: Session, rows: list[VillageRow], *, station_id: int) -> Applied:
    """Add villages that are not there, correct people of those that are (by code, then by name); none goes away."""
    known = list(session.scalars(select(Village).where(Village.station_id == station_id)))
    by_slug = {row.slug: row for row in known}
    by_name = {plain_name(row.name): row for row in known if row.valid_to is None}
    position = session.scalar(select(func.max(Village.position)).where(Village.station_id == station_id)) or 0
    added = changed = same = 0
    for row in rows:
        here = by_slug.get(row.slug) or by_name.get(plain_name(row.name))
        if here is None:
            position += 1
            session.add(
                Village(
                    station_id=station_id, slug=row.slug, name=row.name, position=position,
                    operator_name=row.operator, operator_phone=row.phone,
                )
            )  # fmt: skip
            added += 1
            continue
        wanted = (row.name, row.operator or here.operator_name, row.phone or here.operator_phone)
        if wanted == (here.name, here.operator_name, here.operator_phone):
            same += 1
        else:
            here.name, here.operator_name, here.operator_phone = wanted
            changed += 1
    session.flush()
    return Applied(added, changed, same)


def _rows(table: list[list[str]], head: int, fields: list[str]) -> tuple[list[VillageRow], list[RowError]]:
    rows: list[VillageRow] = []
    errors: list[RowError] = []
    seen: dict[str, int] = {}
    for number in range(head + 1, len(table)):
        cells = table[number]
        if not any(cells):
            continue
        line = number + 1
        found = {field: cells[at] for at, field in enumerate(fields) if field and at < len(cells)}
        name, phone = found.get("name", ""), _phone(found.get("phone", ""))
        slug = plain_name(found.get("slug", "") or name, "")
        problems = []
        if not name:
            problems.append("thiếu tên thôn")
        elif len(name) > 120:
            problems.append("tên thôn dài quá 120 ký tự")
        elif not slug:
            problems.append(f"tên thôn “{name}” không có chữ cái nào")
        if phone and not _PHONE.fullmatch(phone):
            problems.append(f"số điện thoại “{phone}” không đúng")
        if len(found.get("operator", "")) > 120:
            problems.append("tên người phụ trách dài quá 120 ký tự")
        if slug and slug in seen:
            problems.append(f"trùng với dòng {seen[slug]}")
        seen.setdefault(slug, line)  # a wrong row counts too: everything is told at once
        if problems:
            errors.append(RowError(line, "; ".join(problems)))
        else:
            rows.append(VillageRow(line, slug, name, found.get("operator", ""), phone))
    if not rows and not errors:
        errors.append(RowError(head + 2, "chưa có thôn nào dưới dòng tên cột"))
    return rows, errors


def _phone(text: str) -> str:
    """Excel drops the zero at the head of a number; nine digits are a number that has lost it."""
    return f"0{text}" if re.fullmatch(r"[1-9]\d{8}", text) else text


def _csv(data: bytes) -> list[list[str]]:
    text = _decoded(data)
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(";\t,|", key=first.count)
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise InputError(
            "Tệp không đọc được như bảng. Hãy lưu lại từ Excel thành .xlsx rồi gửi tệp mới."
        ) from error
    return [[_cell(value) for value in row] for row in table]


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1258", errors="replace")


def _xlsx(data: bytes) -> list[list[str]]:
    import openpyxl  # only here: it is 8 MB that no page needs

    broken = "Tệp không phải bảng Excel (.xlsx) hoặc bị hỏng. Hãy mở bằng Excel, lưu lại rồi gửi tệp mới."
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                raise InputError(broken)
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise InputError("Tệp giải nén ra quá lớn nên không mở. Hãy chép bảng sang một tệp mới.")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        table = [
            [_cell(value) for value in row]
            for row in sheet.iter_rows(max_row=MOST_ROWS + 20, max_col=40, values_only=True)
        ]
        book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, IndexError, SyntaxError) as error:
        raise InputError(broken) from error
    return table


def _cell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split()) if value is not None else ""
