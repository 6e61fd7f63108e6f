"""One station as a folder that another installation takes in: JSON lines, the sound by hash, a manifest.

    manifest.json            format, schema, station, rows of each table, SHA-256 of every file
    tables/<table>.jsonl     a row a line, under the names of the columns
    blobs/ab/<sha256>.<kind> the sound and the evidence, untouched

Unlike a backup it holds no keys: villages get new links and players pair again where it arrives.  Accounts come
with their password hashes.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Column,
    Date,
    DateTime,
    Integer,
    String,
    Table,
    Time,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator, TypeEngine

from broadcaster import __version__
from broadcaster.errors import StoreError
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.tables import Base, Station
from broadcaster.store.upgrade import head_revision, is_known_revision

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
# Of this machine, not of the station.
LEFT_HERE: Final = frozenset(("lease", "render_job", "upkeep_run", "swept_audio"))
# Lists of ids inside a column's data, and the table they point to.
_IDS_INSIDE: Final = {
    ("bulletin", "draft_writers"): "user_account",
    ("revision", "writers"): "user_account",
    ("rotation", "bulletins"): "bulletin",
    ("emergency", "villages"): "village",
}
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_FILE: Final = re.compile(r"blobs/([0-9a-f]{2})/(\1[0-9a-f]{62})\.([a-z0-9]{1,8})|tables/[a-z_]+\.jsonl")
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Carried:
    """What went out or came in."""

    station: str
    rows: int
    files: int


# -------------------------------------------------------------------------------------------- export


def export_station(db: Database, blobs: Blobs, station_id: int, folder: Path, *, now: datetime) -> Carried:
    """Write everything of a station into a new `folder`; StoreError leaves none behind."""
    if folder.exists():
        raise StoreError(f"Đã có {folder}. Hãy chọn một thư mục chưa có.")
    part = folder.with_name(folder.name + ".dang-ghi")
    try:
        part.mkdir(mode=0o700, parents=True)  # password hashes are in it
        (part / "tables").mkdir()
        files: dict[str, str] = {}
        hashes: set[str] = set()
        counts: dict[str, int] = {}
        with db.reading() as session:
            station = session.get_one(Station, station_id)
            for table, rows in _owned(session, station_id):
                path = part / "tables" / f"{table.name}.jsonl"
                with path.open("w", encoding="utf-8") as out:
                    for row in rows:
                        line = json.dumps(row, ensure_ascii=False)
                        hashes.update(_HASH.findall(line))
                        out.write(line + "\n")
                counts[table.name] = len(rows)
                files[f"tables/{table.name}.jsonl"] = _sha256(path)
            slug, schema = station.slug, head_revision()
        for sha256, suffix, _size in sorted(blobs.names()):
            if sha256 in hashes:
                name = f"blobs/{sha256[:2]}/{sha256}.{suffix}"
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(blobs.path(sha256, suffix=suffix), part / name)
                if _sha256(part / name) != sha256:
                    (part / name).unlink()  # damaged here already: the rest is worth carrying
                    continue
                files[name] = sha256
        manifest = {
            "format": FORMAT, "schema": schema, "software": __version__, "station": slug,
            "made_at": now.isoformat(), "rows": counts, "files": dict(sorted(files.items())),
        }  # fmt: skip
        (part / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        part.rename(folder)
    except OSError as error:
        raise StoreError(
            f"Chưa xuất được ra {folder}: {error.strerror or error}. Hãy kiểm tra ổ đĩa."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Carried(slug, sum(counts.values()), sum(name.startswith("blobs/") for name in files))


def _owned(session: Session, station_id: int) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    """Each table's rows that belong to the station: by its column, or by the rows they hang on."""
    kept: dict[str, set[Any]] = {"station": {station_id}}
    for table in tables_in_order():
        query = select(table).order_by(*table.primary_key.columns)
        if table.name == "station":
            query = query.where(table.c.id == station_id)
        elif "station_id" in table.c:
            query = query.where(table.c.station_id == station_id)
        owners = [pair for pair in _owners(table) if pair[1] in kept]
        rows = []
        keys = set()
        for row in session.execute(query).mappings():
            if "station_id" not in table.c and table.name != "station":
                if not owners or not all(row[name] is None or row[name] in kept[to] for name, to in owners):
                    continue
            rows.append({name: _plain(value) for name, value in row.items()})
            if "id" in table.c:
                keys.add(row["id"])
        kept[table.name] = keys
        yield table, rows


def _owners(table: Table) -> list[tuple[str, str]]:
    """(column, table it points to) of what a row hangs on."""
    return [
        (key.parent.name, key.column.table.name)
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name)
        if key.column.table.name not in (table.name, *LEFT_HERE)
    ]


def tables_in_order() -> list[Table]:
    """What is carried, owners before what hangs on them."""
    tables = [table for table in Base.metadata.sorted_tables if table.name not in LEFT_HERE]
    for (owner, _name), to in _IDS_INSIDE.items():
        names = [table.name for table in tables]
        if names.index(owner) < names.index(to):  # its data points there, and no foreign key says so
            tables.append(tables.pop(names.index(owner)))
    return tables


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value


# -------------------------------------------------------------------------------------------- import


def import_station(
    db: Database, blobs: Blobs, folder: Path, *, now: datetime, checked: Mapping[str, Any] | None = None
) -> Carried:
    """Take a carried station in beside those that are here; all of it or nothing.

    `checked` is what `check(folder)` gave just now: years of sound need not be read twice for their hashes.
    StoreError: not whole, from a newer version, or a station of that name is here already.
    """
    manifest = checked or check(folder)
    slug = str(manifest["station"])
    with db.reading() as session:
        if session.scalar(select(Station.id).where(Station.slug == slug)) is not None:
            raise StoreError(f"Máy này đã có đài “{slug}”. Chưa ghi gì; hãy nhập vào một bản cài khác.")
    files = [name for name in manifest["files"] if name.startswith("blobs/")]
    for name in files:
        blobs.put(folder / name, suffix=name.rsplit(".", 1)[1])
    try:
        with db.writing() as session:
            total = _take_in(session, folder, manifest, slug, now)
    except IntegrityError as error:
        raise StoreError(
            f"Dữ liệu của đài “{slug}” trùng với dữ liệu đang có trên máy này. Chưa ghi gì; hãy nhập vào một bản cài khác."
        ) from error
    return Carried(slug, total, len(files))


def _take_in(session: Session, folder: Path, manifest: Mapping[str, Any], slug: str, now: datetime) -> int:
    total = 0
    ids: dict[str, dict[int, int]] = {}
    later: list[tuple[Table, str, int, str, int]] = []
    for table in tables_in_order():
        path = folder / "tables" / f"{table.name}.jsonl"
        if f"tables/{table.name}.jsonl" not in manifest["files"]:
            continue  # a table that the older program did not have
        rows = [_arrived(table, line) for line in _lines(path)]
        total += len(rows)
        _renumber(session, table, rows, ids, later)
        if table.name == "station":
            for row in rows:
                row["epoch"] = max(int(row["epoch"]) + 1, int(now.timestamp()) // 60)
        if table.name == "user_account":
            _own_names(session, table, rows, slug)
        for start in range(0, len(rows), _CHUNK):
            session.execute(insert(table), rows[start : start + _CHUNK])
    for table, name, row_id, to, old_target in later:
        session.execute(update(table).where(table.c.id == row_id).values({name: ids[to][old_target]}))
    if session.get_bind().dialect.name == "postgresql":
        _restart_sequences(session)
    return total


def check(folder: Path) -> Mapping[str, Any]:
    """Read the manifest and hold every file against it; StoreError on the first difference."""
    path = folder / MANIFEST
    if not path.is_file():
        raise StoreError(
            f"{folder} không phải bản xuất của một đài: thiếu {MANIFEST}. Hãy chọn đúng thư mục."
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version, schema = int(data["format"]), str(data["schema"])
        files = {str(name): str(sha256) for name, sha256 in data["files"].items()}
        str(data["station"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{MANIFEST} trong {folder} bị hỏng. Hãy xuất lại từ máy cũ.") from error
    if version > FORMAT or not is_known_revision(schema):
        raise StoreError(
            "Bản xuất này do phiên bản phần mềm mới hơn tạo ra. Chưa ghi gì; hãy nâng cấp phần mềm trên máy này trước."
        )
    for name, expected in files.items():
        found = _FILE.fullmatch(name)
        whole = found is not None and (found[2] is None or found[2] == expected)
        target = folder / name
        if not whole or not target.resolve().is_relative_to(folder.resolve()) or not target.is_file():
            raise StoreError(f"Bản xuất thiếu hoặc có tệp lạ: {name}. Chưa ghi gì; hãy xuất lại từ máy cũ.")
        if _sha256(target) != expected:
            raise StoreError(f"Tệp {name} trong bản xuất đã hỏng. Chưa ghi gì; hãy xuất lại từ máy cũ.")
    return {**data, "files": files}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as source:
        for line in source:
            if line.strip():
                yield json.loads(line)


def _arrived(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """A row of the file as the database takes it; a column that is not here would be lost, so it is refused."""
    strange = set(row) - set(table.c.keys())
    if strange:
        raise StoreError(
            f"Bản xuất có cột lạ {', '.join(sorted(strange))} ở bảng {table.name}. Chưa ghi gì; hãy nâng cấp phần mềm."
        )
    return {name: _typed(table.c[name], value) for name, value in row.items()}


def _typed(column: Column[Any], value: Any) -> Any:
    kind: TypeEngine[Any] = (
        column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    )
    if value is None or isinstance(kind, JSON):
        return value
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, Time):
        return time.fromisoformat(value)
    return value


def _renumber(
    session: Session,
    table: Table,
    rows: list[dict[str, Any]],
    ids: dict[str, dict[int, int]],
    later: list[tuple[Table, str, int, str, int]],
) -> None:
    """New ids behind those that are here, in the row and wherever it points; `later` = what points ahead."""
    if "id" in table.c and isinstance(table.c.id.type, Integer):
        taken = session.scalar(select(func.max(table.c.id))) or 0
        ids[table.name] = {row["id"]: taken + place for place, row in enumerate(rows, start=1)}
        for row in rows:
            row["id"] = ids[table.name][row["id"]]
    for key in table.foreign_keys:
        name, to = key.parent.name, key.column.table.name
        if key.column.name != "id" or isinstance(key.column.type, String):
            continue
        for row in rows:
            if row.get(name) is None:
                continue
            if to == table.name or to not in ids:  # itself, or a table that points back at this one
                later.append((table, name, row["id"], to, row[name]))
                row[name] = None
            else:
                row[name] = ids[to][row[name]]
    for (owner, name), to in _IDS_INSIDE.items():
        if owner == table.name:
            for row in rows:
                row[name] = [ids[to].get(one, one) for one in row[name] or ()]


def _own_names(session: Session, table: Table, rows: list[dict[str, Any]], slug: str) -> None:
    """Names to sign in with are of the whole installation: one that is taken gets the station's slug behind it."""
    taken = set(session.scalars(select(table.c.username)))
    for row in rows:
        if row["username"] in taken:
            row["username"] = f"{row['username']}.{slug}"[:60]


def _restart_sequences(session: Session) -> None:
    for table in tables_in_order():
        if "id" in table.c and isinstance(table.c.id.type, Integer):
            session.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "  # noqa: S608
                    f"(SELECT max(id) FROM {table.name})) WHERE EXISTS (SELECT 1 FROM {table.name})"
                )
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
