"""upkeep, archive: what the clock does at night, by hand; a station carried to another installation."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from broadcaster import system
from broadcaster.commands.common import opened, station_option, the_station
from broadcaster.errors import StoreError
from broadcaster.report.wording import number
from broadcaster.store.blobs import Blobs
from broadcaster.store.carrying import check, export_station, import_station
from broadcaster.store.retention import plan_sweep, sweep
from broadcaster.upkeep import nightly


@click.command("upkeep", help="Việc ban đêm: sao lưu, giữ n bản, xóa âm thanh quá hạn (đồng hồ đài tự gọi).")
def upkeep_command() -> None:
    """Run the night's work now, at low priority."""
    system.lower_priority()
    with opened() as (settings, db):
        if not nightly(settings, db, now=lambda: datetime.now(UTC)):
            raise StoreError("Sao lưu chưa xong. Xem lý do ở trang Lưu trữ hoặc trong nhật ký ở trên.")
        click.echo(f"Đã sao lưu vào {settings.backups}")


@click.group("archive", help="Lưu trữ: dọn âm thanh quá hạn, xuất hoặc nhập trọn một đài.")
def archive() -> None:
    """What is kept for good, what goes, and what travels."""


@archive.command("sweep", help="Xóa âm thanh đã quá hạn giữ. Văn bản, duyệt, mã băm và nhật ký giữ mãi.")
@click.option("--dry-run", is_flag=True, help="Chỉ kể ra, không xóa.")
def sweep_command(dry_run: bool) -> None:
    """Mark, and unless told otherwise sweep."""
    now = datetime.now(UTC)
    with opened() as (settings, db):
        blobs = Blobs(settings.blobs_url)
        with db.reading() as session:
            plan = plan_sweep(session, blobs, now=now, months=settings.integer("archive.audio_months"))
        for one in plan.doomed:
            click.echo(f"{one.sha256}.{one.suffix}  {number(one.size_bytes / 1e6, 1):>8} MB  {one.why}")
        gone = 0 if dry_run else sweep(db, blobs, plan, now=now)
    verb = f"sẽ xóa {len(plan.doomed)}" if dry_run else f"đã xóa {gone}"
    click.echo(
        f"Giữ {plan.kept} tệp ({number(plan.kept_bytes / 1e6, 1)} MB), {verb} tệp "
        f"({number(plan.doomed_bytes / 1e6, 1)} MB). Mốc giữ: {plan.cut:%d/%m/%Y}."
    )


@archive.command("export", help="Xuất trọn một đài ra thư mục mới: dữ liệu từng dòng và âm thanh.")
@click.argument("folder", type=click.Path(path_type=Path))
@station_option
def export_command(folder: Path, station: str | None) -> None:
    """Write the folder."""
    with opened() as (settings, db):
        found = the_station(db, station)
        done = export_station(db, Blobs(settings.blobs_url), found.id, folder, now=datetime.now(UTC))
    click.echo(
        f"Đã xuất đài “{done.station}” ra {folder}: {number(done.rows)} dòng, {number(done.files)} tệp."
    )


@archive.command("import", help="Nhập một đài đã xuất vào bản cài này.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def import_command(folder: Path) -> None:
    """Take the station in; on a new machine this is its first station."""
    checked = check(folder)  # a folder that is refused leaves no empty database behind
    with opened(make=True) as (settings, db):
        done = import_station(db, Blobs(settings.blobs_url), folder, now=datetime.now(UTC), checked=checked)
    click.echo(
        f"Đã nhập đài “{done.station}”: {number(done.rows)} dòng, {number(done.files)} tệp. "
        "Liên kết của các thôn đã đổi và máy thu phải ghép lại với máy này."
    )
