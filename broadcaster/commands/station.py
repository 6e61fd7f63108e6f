"""init, serve, work, clock, plan: the station's own processes and its one answer."""

from __future__ import annotations

import difflib
import errno
import json
import os
import socket
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.commands.common import bring_up_to_date, opened, station_option, the_station
from broadcaster.commands.signals import start_log, stop_event
from broadcaster.config import load
from broadcaster.errors import ConfigError, NotFound
from broadcaster.model import PlannedAiring
from broadcaster.schedule.plan import plan_days
from broadcaster.store.tables import Village
from broadcaster.system import settle_memory

SUPERVISED = click.option("--supervised", is_flag=True, hidden=True, help="Dừng khi tiến trình cha dừng.")


@click.command("init", help="Tạo cơ sở dữ liệu, khóa và đài (mặc định: đài mẫu xã Như Thanh).")
@click.option("--station", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--no-sample", is_flag=True, help="Không nạp bản tin và tài khoản mẫu.")
def init_command(folder: Path | None, no_sample: bool) -> None:
    """Create what is missing; running it again changes nothing."""
    from broadcaster import install as installing

    settings = load()
    made = installing.install(
        settings, now=datetime.now(UTC), folder=folder or installing.SAMPLE, sample=not no_sample
    )
    click.echo(f"Đài đã sẵn sàng trong {settings.home}")
    for account in made.accounts:
        click.echo(f"  {account.username:<10} {account.password}   ({account.title})")
    if no_sample:
        click.echo("Tạo tài khoản đầu tiên: python -m broadcaster users add TÊN --role administrator")


@click.command("serve", help="Chạy trang web và cổng cho máy thu.")
@click.option("--host")
@click.option("--port", type=int)
@SUPERVISED
def serve_command(host: str | None, port: int | None, supervised: bool) -> None:
    """Serve the web UI with waitress until stopped."""
    from web import create_app
    from web.serving import WebServer

    settings = load(flags={"web.host": host, "web.port": port})
    bring_up_to_date(settings)
    ensure_port_free(settings.text("web.host"), settings.integer("web.port"))
    start_log()
    stop = stop_event(supervised)
    app = create_app(settings)
    server = WebServer(app, settings, host=settings.text("web.host"), port=settings.integer("web.port"))
    settle_memory()
    server.start()
    stop.wait()
    server.close()


def ensure_port_free(host: str, port: int) -> None:
    """Raise ConfigError naming `--port` when it cannot be listened on: taken, or not allowed here."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(_port_refused(host, port, error)) from error


def _port_refused(host: str, port: int, error: OSError) -> str:
    other = port + 1 if 1024 <= port < 65535 else 8000
    if error.errno in (errno.EACCES, errno.EPERM) and port < 1024:
        return f"Máy này không cho dùng cổng {port} (dưới 1024 cần quyền quản trị). Hãy chọn cổng khác: --port {other}"
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"Máy này không có địa chỉ {host}. Hãy sửa web.host, ví dụ 127.0.0.1 hoặc 0.0.0.0 (và --port nếu cần)."
    return (
        f"Cổng {port} đang có chương trình khác dùng. Hãy tắt chương trình đó, "
        f"hoặc chọn cổng khác: --port {other}"
    )


@click.command("work", help="Chạy tiến trình dựng tiếng (đọc, trộn, nén).")
@SUPERVISED
def work_command(supervised: bool) -> None:
    """Render jobs at low priority until stopped."""
    from broadcaster.worker import run_worker

    settings = load()
    bring_up_to_date(settings)
    start_log()
    run_worker(settings, stop=stop_event(supervised))


@click.command("clock", help="Chạy đồng hồ đài: lập buổi phát, chốt nội dung, kiểm tra trước giờ.")
@SUPERVISED
def clock_command(supervised: bool) -> None:
    """Run the station's clockwork until stopped."""
    from broadcaster.doctor import clock_synchronised
    from broadcaster.station import run_clock

    settings = load()
    bring_up_to_date(settings)
    start_log()
    run_clock(settings, stop=stop_event(supervised), synchronised=lambda: clock_synchronised().ok is True)


@click.command("plan", help="In lịch phát: cái gì sẽ phát, khi nào, ở đâu.")
@click.option("--date", "day", help="Ngày đầu, dạng 2026-11-24; mặc định hôm nay.")
@click.option("--days", type=click.IntRange(1, 366), default=1)
@click.option("--village", help="Chỉ một thôn (mã thôn).")
@click.option("--json", "as_json", is_flag=True)
@station_option
def plan_command(day: str | None, days: int, village: str | None, as_json: bool, station: str | None) -> None:
    """Print what will play; every view asks the same function."""
    asked = _day(day) if day else None
    with opened() as (_settings, db):
        found = the_station(db, station)
        first = asked or datetime.now(ZoneInfo(found.zone)).date()
        with db.reading(station_id=found.id) as session:
            if village is not None:
                _known_village(session, village)
            airings = plan_days(session, first, days, village)
    if as_json:
        click.echo(json.dumps([as_plain(airing) for airing in airings], ensure_ascii=False, indent=1))
        return
    if not airings:
        click.echo("Không có buổi phát nào trong những ngày này.")
    for airing in airings:
        where = "tất cả" if not village else village
        length = f"{airing.duration_ms / 1000:.0f} giây" if airing.duration_ms else "chưa dựng"
        click.echo(
            f"{airing.local_date:%d/%m/%Y} {airing.start_local:%H:%M}  {airing.slot_name}  [{airing.state}]  "
            f"{length}  {len(airing.villages)} thôn ({where})"
        )
        for item in airing.items:
            click.echo(
                f"    {'•' if item.approved else '?'} {item.title}{'  ← ' + item.note if item.note else ''}"
            )
        if airing.reason:
            click.echo(f"    {airing.reason}")


def _known_village(session: Session, slug: str) -> None:
    slugs = session.scalars(select(Village.slug).order_by(Village.position)).all()
    if slug not in slugs:
        near = difflib.get_close_matches(slug, slugs, n=3, cutoff=0.4) or slugs[:5]
        raise NotFound(f"Không có thôn “{slug}”. Có phải ý bạn là: {', '.join(near)}?")


def as_plain(airing: PlannedAiring) -> dict[str, object]:
    """One airing as plain JSON values; the same shape for `plan --json` and the tests that compare views."""
    return {
        "airing": airing.airing_id,
        "variant": airing.variant,
        "origin": str(airing.origin),
        "state": str(airing.state),
        "reason": airing.reason,
        "priority": str(airing.priority),
        "date": airing.local_date.isoformat(),
        "start": f"{airing.start_local:%H:%M}",
        "planned_at": airing.planned_at.isoformat(),
        "slot": airing.slot_name,
        "villages": list(airing.villages),
        "duration_ms": airing.duration_ms,
        "items": [
            {"title": i.title, "topic": i.topic, "approved": i.approved, "note": i.note} for i in airing.items
        ],
        "files": {
            str(kind): {"sha256": f.sha256, "size_bytes": f.size_bytes} for kind, f in airing.files.items()
        },
    }


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("ngày viết dạng 2026-11-24", param_hint="--date") from None
