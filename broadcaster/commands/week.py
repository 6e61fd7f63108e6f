"""week export, week import: the weekly plan as a file that people and version control can read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from broadcaster.commands.common import opened, station_option, the_station
from broadcaster.errors import InputError
from broadcaster.schedule.weekexchange import apply_week, week_of
from broadcaster.schedule.weekfile import read_week, write_week
from broadcaster.store.tables import Station


@click.group("week", help="Lịch tuần ra tệp và từ tệp vào (khung giờ, luân phiên, ngoại lệ, ngày lễ).")
def week_group() -> None:
    """The group."""


@week_group.command("export", help="Ghi lịch tuần ra tệp; “-” là ra màn hình.")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@station_option
def export_command(file: str, station: str | None) -> None:
    """Write the week."""
    with opened() as (_settings, db):
        found = the_station(db, station)
        with db.reading(station_id=found.id) as session:
            text = write_week(week_of(session, session.get_one(Station, found.id), now=datetime.now(UTC)))
    if file == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"Không ghi được tệp {file}: {error.strerror or error}. Hãy chọn nơi khác."
        ) from error
    click.echo(f"Đã ghi lịch tuần vào {file}.")


@week_group.command("import", help="Đưa lịch tuần trong tệp vào đài; buổi đã phát không đổi.")
@click.argument("file", type=click.Path(dir_okay=False))
@station_option
def import_command(file: str, station: str | None) -> None:
    """Make the station's week what the file says: all of it, or nothing."""
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"Không đọc được tệp {file}. Hãy kiểm tra tên tệp, và lưu tệp với mã UTF-8."
        ) from error
    week = read_week(text, path.name)
    with opened() as (_settings, db):
        found = the_station(db, station)
        with db.writing(station_id=found.id) as session:
            done = apply_week(
                session, session.get_one(Station, found.id), week, actor=None, now=datetime.now(UTC)
            )
    click.echo(f"Đã nhập lịch tuần: thêm {done.added}, sửa {done.changed}, bỏ {done.removed} khung giờ.")
