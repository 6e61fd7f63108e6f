"""How quick the pages are with five years of data: `python scripts/bench_web.py [--check] [--days N] [--visits N]`.

A station with 37 villages and two airings a day for five years is written in bulk; every page that an administrator
can open, and a village's own, is asked for through the app itself. Server time only: no network, no browser.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import click  # noqa: E402
from flask import Flask  # noqa: E402
from flask.testing import FlaskClient  # noqa: E402
from sqlalchemy import event, func, select  # noqa: E402

from broadcaster.config import load  # noqa: E402
from broadcaster.delivery.links import village_token  # noqa: E402
from broadcaster.model import Role  # noqa: E402
from broadcaster.newsroom.people import add_user  # noqa: E402
from broadcaster.store.db import Database  # noqa: E402
from broadcaster.store.tables import AiringVillage, AsRun  # noqa: E402
from broadcaster.store.upgrade import upgrade  # noqa: E402
from broadcaster.system import settle_memory  # noqa: E402
from scripts.bench_tools import Row, machine, table, timed  # noqa: E402
from tests.support.commune import found, furnish  # noqa: E402
from tests.support.years import fill_years  # noqa: E402
from web import create_app  # noqa: E402

LAST = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)  # 17:30: both airings of the day have been on
PASSWORD = "mot cau dai de nho"  # noqa: S105
MOST_MS = 100.0
PAGES = (
    "/", "/hom-nay/bang", "/ban-tin", "/ban-tin/moi", "/duyet", "/lich", "/lich/khung-gio", "/thon", "/may-thu",
    "/nhac-hieu", "/nhat-ky", "/nhat-ky/thay-doi", "/bao-cao", "/ke-hoach", "/khan-cap", "/thong-bao", "/uy-quyen",
    "/tai-khoan", "/tai-khoan-cua-toi", "/cai-dat", "/cai-dat/dai", "/cai-dat/may", "/cai-dat/tu-dien", "/huong-dan",
)  # fmt: skip


@click.command(help="Đo thời gian máy chủ làm từng trang với dữ liệu năm năm.")
@click.option("--check", is_flag=True, help="thoát với mã 1 khi có trang quá chậm")
@click.option("--days", default=1826, show_default=True)
@click.option("--visits", default=20, show_default=True)
def main(check: bool, days: int, visits: int) -> None:
    """Fill, visit, print."""
    with tempfile.TemporaryDirectory(prefix="dai-web-") as folder:
        settings = load(environ={}, home=Path(folder), flags={"web.public_url": "https://loa.example.vn"})
        settings.var.mkdir(parents=True)
        upgrade(settings.database_url)
        db = Database(settings.database_url)
        with db.writing() as session:
            commune = found(session, villages=37)
            add_user(
                session, station_id=commune.station.id, username="do", display_name="Người đo", role=Role.ADMINISTRATOR,
                password=PASSWORD, now=NOW,
            )  # fmt: skip
            furnish(session, commune)
            fill_years(session, commune, LAST - timedelta(days=days - 1), days)
            village = commune.villages[3].id
        with db.reading() as session:
            pairs = session.scalar(select(func.count()).select_from(AiringVillage))
            events = session.scalar(select(func.count(AsRun.id)))
        app = create_app(settings, db=db, now=lambda: NOW)
        app.testing = True
        client = app.test_client()
        _sign_in(client)
        settle_memory()  # as `serve` does
        token = village_token(app.extensions["broadcaster"].keys.link_key, village, 1)
        rows = [_measured(app, client, path, visits) for path in (*PAGES, f"/t/{token}")]
        app.extensions["broadcaster"].close()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT)
    click.echo(f"commit {commit.stdout.strip()}; {machine()}")
    click.echo(f"{days} days, {pairs:,} airing-village rows, {events:,} events; {visits} visits a page\n")
    click.echo(table(rows))
    if check and any(row.met is False for row in rows):
        raise SystemExit(1)


def _measured(app: Flask, client: FlaskClient, path: str, visits: int) -> Row:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    answer = client.get(path, buffered=True)
    shown = re.sub(r"/t/\w+", "/t/…", path)
    if answer.status_code != 200:
        raise SystemExit(f"{shown}: {answer.status_code}")
    engine = app.extensions["broadcaster"].db.engine
    event.listen(engine, "before_cursor_execute", note)
    client.get(path, buffered=True)
    event.remove(engine, "before_cursor_execute", note)
    times = sorted(timed(lambda: client.get(path, buffered=True)) * 1000 for _ in range(visits))
    p95 = times[min(len(times) - 1, round(0.95 * len(times)))]
    value = f"p95 {p95:.0f} ms, median {statistics.median(times):.0f}, worst {times[-1]:.0f}; {len(asked)} questions, {len(answer.data) // 1024} KB"
    return Row(shown, value, f"p95 ≤ {MOST_MS:.0f} ms", p95 <= MOST_MS)


def _sign_in(client: FlaskClient) -> None:
    page = client.get("/dang-nhap").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None, "the form carries its token"
    answer = client.post("/dang-nhap", data={"csrf_token": token[1], "username": "do", "password": PASSWORD})
    assert answer.status_code == 303, answer.text


if __name__ == "__main__":
    main()
