"""Fill a USB stick for a village without a network:

    python scripts/usb_pack.py FOLDER [--village SLUG] [--from YYYY-MM-DD] [--days N] [--station SLUG]

Numbered MP3s in the order of their times, `danh-sach.html` to print, `SHA256SUMS.txt` to check the copy.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import click  # noqa: E402
from sqlalchemy import select  # noqa: E402

from broadcaster.config import load  # noqa: E402
from broadcaster.delivery.usb import write_folder  # noqa: E402
from broadcaster.errors import BroadcasterError, NotFound  # noqa: E402
from broadcaster.schedule.plan import plan_days  # noqa: E402
from broadcaster.store.blobs import Blobs  # noqa: E402
from broadcaster.store.db import Database  # noqa: E402
from broadcaster.store.tables import Station, Village  # noqa: E402
from broadcaster.store.upgrade import check_version  # noqa: E402


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--village", default="", help="mã thôn; để trống = mọi thôn")
@click.option("--from", "first", default="", help="ngày đầu, YYYY-MM-DD; để trống = hôm nay")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 31))
@click.option("--station", "slug", default="", help="mã đài, khi có nhiều đài")
def main(folder: Path, village: str, first: str, days: int, slug: str) -> None:
    """Exit 0 when everything is on the stick, 1 with one sentence when not."""
    try:
        count, size = pack(folder, village=village, first=first, days=days, slug=slug)
    except BroadcasterError as error:
        click.echo(error.message, err=True)
        raise SystemExit(1) from error
    click.echo(f"Đã ghi {count} tệp ({size / 1e6:.1f} MB) vào {folder}.".replace(".", ",", 1))


def pack(folder: Path, *, village: str, first: str, days: int, slug: str) -> tuple[int, int]:
    """(files, bytes) written."""
    settings = load()
    check_version(settings.database_url)
    db = Database(settings.database_url)
    try:
        with db.reading() as session:
            rows = session.scalars(select(Station)).all()
            here = [row for row in rows if not slug or row.slug == slug]
            if len(here) != 1:
                known = ", ".join(row.slug for row in rows)
                raise NotFound(f"Hãy chọn một đài bằng --station. Có: {known or 'chưa có đài nào'}.")
        station = here[0]
        with db.reading(station_id=station.id) as session:
            name = ""
            if village:
                name = session.scalar(select(Village.name).where(Village.slug == village)) or ""
                if not name:
                    raise NotFound(f"Không có thôn “{village}” ở {station.name}.")
            day = _day(first) if first else datetime.now(UTC).astimezone(ZoneInfo(station.zone)).date()
            airings = plan_days(session, day, days, village or None)
        title = f"{station.name}{': ' + name if name else ''}, {days} ngày từ {day:%d/%m/%Y}"
        files = write_folder(folder, airings, blobs=Blobs(settings.blobs_url), title=title)
        return len(files), sum(file.size_bytes for file in files)
    finally:
        db.dispose()


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise NotFound(f"Ngày “{text}” không đúng. Hãy viết như 2026-11-24.") from None


if __name__ == "__main__":
    main()
