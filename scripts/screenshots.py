"""Pictures of every screen, from the sample station at work: `python scripts/screenshots.py [--voice V]`.

A station is made in a temporary folder with the clock set to Tuesday 24/11/2026, 08:00: the morning has been
on the air, the evening is rendered, one bulletin waits for approval.  Chromium then opens each screen as the
person it is made for, at 1366×768 and 360×640, and the pictures land in docs/screens/; smaller ones for
the help land in docs/help/hinh/.
"""

from __future__ import annotations

import io
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import click  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402
from sqlalchemy import select  # noqa: E402
from sqlalchemy.orm import Session  # noqa: E402

from broadcaster.commands.run import web_server  # noqa: E402
from broadcaster.config import Settings, load  # noqa: E402
from broadcaster.delivery.links import village_token  # noqa: E402
from broadcaster.delivery.receipts import record_receipt  # noqa: E402
from broadcaster.install import install  # noqa: E402
from broadcaster.model import AsRunEvent, BulletinState, ReceiptKind  # noqa: E402
from broadcaster.newsroom.bulletins import create_bulletin, submit  # noqa: E402
from broadcaster.rehearsal import Rehearsal  # noqa: E402
from broadcaster.schedule.airings import place  # noqa: E402
from broadcaster.schedule.plan import plan  # noqa: E402
from broadcaster.station import Clockwork  # noqa: E402
from broadcaster.store.blobs import Blobs  # noqa: E402
from broadcaster.store.db import Database  # noqa: E402
from broadcaster.store.tables import (  # noqa: E402
    AsRun,
    Bulletin,
    Receiver,
    Revision,
    Topic,
    User,
    Village,
)
from broadcaster.worker import Worker  # noqa: E402

FOLDER = ROOT / "docs" / "screens"
HELP = ROOT / "docs" / "help" / "hinh"
PICTURES = {  # of the help: screen, what of it, the browser's width, the most height
    "soan": ("cach-doc", "#cach-doc section.scroll", 900, 520),
    "hom-nay": ("hom-nay", "main", 900, 560),
    "duyet": ("duyet", "main", 360, 560),
    "trang-thon": ("trang-thon", "body", 360, 600),
    "may-thu": ("may-thu", "main", 900, 420),
    "tai-khoan": ("tai-khoan", "main", 900, 520),
}
MASK = """home => { const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); let one;
while ((one = words.nextNode())) one.data = one.data.replaceAll(home, "/srv/dai"); }"""
MOST_WIDTH = 720
COLOURS = 64  # a picture of a page needs no more, and weighs a third
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-sync",
]  # fmt: skip
SIZES = {"1366x768": (1366, 768), "360x640": (360, 640)}
NIGHT_BEFORE = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 22:00 at the station
MORNING = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)  # 05:30
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 08:00
TITLE = "Ra quân dọn vệ sinh sáng thứ Bảy"
TEXT = """Kính thưa bà con và các bạn.

Theo kế hoạch số 52/KH-UBND ngày 20/11/2026 của UBND xã, từ 6 giờ 30 đến 8 giờ sáng thứ Bảy, ngày 28/11/2026, \
các thôn đồng loạt ra quân dọn vệ sinh đường làng, ngõ xóm.

Mỗi hộ cử 1 người, mang theo cuốc, xẻng, chổi. Rác được tập kết tại nhà văn hóa thôn; xe của xã đến chở lúc 8h15.

Năm nay xã phấn đấu 95% số hộ phân loại rác tại nhà. Bà con cần hỏi thêm xin gọi số 0237 3848 123."""


@dataclass
class Stage:
    """The station as it stands, and where each screen is."""

    settings: Settings
    passwords: dict[str, str]
    pages: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> (who, address)


@click.command(help="Chụp mọi màn hình của đài mẫu vào docs/screens.")
@click.option("--voice", default="espeak:vi+f5", show_default=True, help="giọng đọc các bản tin mẫu")
@click.option("--only", default="", help="chỉ các màn hình này, cách nhau bằng dấu phẩy")
@click.option("--dark", is_flag=True, help="nền tối")
def main(voice: str, only: str, dark: bool) -> None:
    """Make the station, serve it, take the pictures."""
    with tempfile.TemporaryDirectory(prefix="dai-") as folder:
        settings = load(
            environ={},
            home=Path(folder),
            flags={"voice.chain": voice, "web.public_url": "https://loa.nhuthanh.example.vn"},
        )
        click.echo("Dựng đài mẫu…")
        stage = set_up(settings)
        FOLDER.mkdir(parents=True, exist_ok=True)
        wanted = set(filter(None, only.split(",")))
        with web_server(settings, now=lambda: NOW) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=FLAGS, env={"LANGUAGE": "vi"}
            )
            for size in SIZES:
                shoot(stage, browser, url, size, wanted, scheme="dark" if dark else "light")
            if not dark:
                illustrate(stage, browser, url, wanted)
            browser.close()


def set_up(settings: Settings) -> Stage:
    """The sample station after a night and a morning."""
    made = install(settings, now=NIGHT_BEFORE)
    stage = Stage(settings, {account.username: account.password for account in made.accounts})
    db = Database(settings.database_url)
    try:
        night = Rehearsal(settings, db, now=lambda: NIGHT_BEFORE)
        night.nearest()
        with Worker(settings, db, now=lambda: NIGHT_BEFORE) as worker:
            worker.work_off(("take",))
        night.approve()
        _tick(settings, db, MORNING - timedelta(minutes=29), MORNING + timedelta(seconds=5))
        with db.writing(station_id=made.station_id) as session:
            _heard(session)
        Rehearsal(settings, db, now=lambda: NOW - timedelta(minutes=30)).nearest()
        _tick(settings, db, NOW - timedelta(minutes=1))
        with db.writing(station_id=made.station_id) as session:
            _submitted(session, made.station_id)
        with Worker(settings, db, now=lambda: NOW - timedelta(minutes=5)) as worker:
            worker.work_off(("take",))
        with db.reading(station_id=made.station_id) as session:
            _addresses(session, stage)
    finally:
        db.dispose()
    return stage


def _tick(settings: Settings, db: Database, *moments: datetime) -> None:
    clock = Clockwork(db, settings, blobs=Blobs(settings.blobs_url))
    for moment in moments:
        clock.tick(moment)
    clock.stop()


def _heard(session: Session) -> None:
    """The player's report of the morning, and what the villages say of it."""
    receiver = session.scalars(select(Receiver)).one()
    receiver.last_seen_at, receiver.heartbeat = NOW - timedelta(seconds=4), {"version": 12}
    morning = plan(session, NOW.date())[0]
    length = timedelta(milliseconds=morning.duration_ms or 0)
    for sequence, (event, at) in enumerate(
        ((AsRunEvent.STARTED, MORNING), (AsRunEvent.FINISHED, MORNING + length)), 1
    ):
        session.add(
            AsRun(
                receiver_id=receiver.id, sequence=sequence, airing_id=morning.airing_id, event=event, at=at,
                received_at=at, offset_ms=0 if sequence == 1 else morning.duration_ms or 0,
            )
        )  # fmt: skip
    for number, village in enumerate(session.scalars(select(Village).order_by(Village.position))):
        said = MORNING + length + timedelta(minutes=1 + number % 9)
        if number in (11, 26):
            reason = "Mất điện" if number == 11 else "Hỏng loa"
            record_receipt(session, village, morning.airing_id, ReceiptKind.FAILED, reason=reason, now=said)
        elif number % 6 != 3:
            record_receipt(session, village, morning.airing_id, ReceiptKind.PLAYED, now=said)


def _submitted(session: Session, station_id: int) -> None:
    """A bulletin on its way to the approver, already placed this afternoon."""
    author = session.scalars(select(User).where(User.username == "canbo")).one()
    topic = session.scalars(select(Topic.id).order_by(Topic.position)).first()
    row = create_bulletin(
        session, station_id=station_id, author=author, title=TITLE, text=TEXT, topic_id=topic,
        now=NOW - timedelta(minutes=20),
    )  # fmt: skip
    submit(session, row.id, version=row.version, actor=author, now=NOW - timedelta(minutes=12))
    place(
        session, plan(session, NOW.date())[1].airing_id, row.id, actor=author, now=NOW - timedelta(minutes=11)
    )


def _addresses(session: Session, stage: Stage) -> None:
    lines = plan(session, NOW.date())
    waiting = session.scalars(
        select(Revision.id)
        .join(Bulletin, Bulletin.id == Revision.bulletin_id)
        .where(Bulletin.state == BulletinState.SUBMITTED)
        .order_by(Revision.id.desc())
    ).first()
    draft = session.scalars(
        select(Bulletin.id).where(Bulletin.source_name.like("%.docx")).order_by(Bulletin.id)
    ).first()
    sent = session.scalars(select(Bulletin.id).where(Bulletin.title == TITLE)).one()
    aired = lines[0].items[0].bulletin_id
    village = session.scalars(select(Village).order_by(Village.position)).all()[3]
    from broadcaster.store.keys import load_keys

    token = village_token(load_keys(stage.settings.keys).link_key, village.id, village.link_generation)
    stage.pages = {
        "dang-nhap": ("", "/dang-nhap"),
        "hom-nay": ("canbo", "/"),
        "ban-tin": ("canbo", "/ban-tin"),
        "soan-moi": ("canbo", "/ban-tin/moi"),
        "soan": ("canbo", f"/ban-tin/{draft}"),
        "cach-doc": ("canbo", f"/ban-tin/{sent}#cach-doc"),
        "phat-khi-nao": ("canbo", f"/ban-tin/{sent}#phat-khi-nao"),
        "xem-lai": ("canbo", f"/ban-tin/{sent}/xem-lai"),
        "duyet": ("lanhdao", f"/duyet/{waiting}"),
        "cho-duyet": ("lanhdao", "/duyet"),
        "lich": ("canbo", "/lich"),
        "buoi": ("canbo", f"/lich/buoi/{lines[1].airing_id}"),
        "khung-gio": ("canbo", "/lich/khung-gio"),
        "thon": ("canbo", "/thon"),
        "so-do-thon": ("canbo", "/thon?dang=so-do"),
        "sap-nhap": ("canbo", "/thon/sap-nhap"),
        "lien-ket-thon": ("canbo", f"/thon/{village.id}"),
        "may-thu": ("kythuat", "/may-thu"),
        "nhac-hieu": ("canbo", "/nhac-hieu"),
        "nhat-ky": ("canbo", "/nhat-ky"),
        "bao-cao": ("canbo", "/bao-cao"),
        "so-tuan": ("canbo", "/bao-cao/so-tuan"),
        "hoat-dong": ("canbo", "/hoat-dong/moi"),
        "luu-tru": ("canbo", "/luu-tru"),
        "trang-thon": ("", f"/t/{token}"),
        "huong-dan": ("canbo", "/huong-dan/can-bo"),
        "thanh-phan": ("", "/style"),
        "thong-bao": ("lanhdao", "/thong-bao"),
        "uy-quyen": ("lanhdao", "/uy-quyen"),
        "cai-dat": ("quantri", "/cai-dat"),
        "tai-khoan": ("quantri", "/tai-khoan"),
        "tai-khoan-moi": ("quantri", "/tai-khoan/moi"),
        "quy-dinh": ("quantri", "/cai-dat/dai"),
        "giong-doc": ("quantri", "/cai-dat/giong"),
        "may-va-thu": ("quantri", "/cai-dat/may"),
        "tu-dien": ("canbo", "/cai-dat/tu-dien"),
        "so-thay-doi": ("quantri", "/nhat-ky/thay-doi"),
        "the-qr": ("canbo", "/thon/the-qr"),
        "khan-cap": ("lanhdao", "/khan-cap"),
        "ke-hoach": ("canbo", "/ke-hoach"),
        "thu-am": ("canbo", f"/ban-tin/{draft}/thu-am"),
        "chia-se": ("canbo", f"/ban-tin/{aired}/chia-se"),
        "doi-gio": ("canbo", f"/lich/buoi/{lines[1].airing_id}/doi"),
        "sua-khung-gio": ("canbo", f"/lich/buoi/{lines[1].airing_id}/doi?viec=sua"),
        "nghi-le": ("canbo", "/lich/nghi-le"),
        "rai-ban-tin": ("canbo", "/lich/rai"),
        "sao-chep-tuan": ("canbo", "/lich/sao-chep"),
        "lich-tu-dong": ("canbo", "/lich/tu-dong"),
        "khung-chuong-trinh": ("canbo", "/khung-chuong-trinh"),
        "can-goi": ("canbo", "/thon/can-goi"),
        "nhap-thon": ("canbo", "/thon/nhap"),
        "gop-y": ("canbo", "/gop-y"),
        "gop-y-cua-dan": ("", "/gop-y/nhu-thanh"),
        "bao-loa-hong": ("", f"/t/{token}/gop-y"),
        "don-vi": ("canbo", "/don-vi"),
        "kenh": ("canbo", "/kenh"),
        "nghe": ("", "/nghe/nhu-thanh"),
        "bao-cao-nam": ("canbo", "/bao-cao/nam"),
        "luot-tin-bai": ("canbo", "/bao-cao/tin-bai"),
        "the-thuc": ("canbo", "/bao-cao/the-thuc"),
        "loi-van": ("canbo", "/bao-cao/loi-van"),
        "viec": ("canbo", "/viec"),
        "dung-tat-ca": ("lanhdao", "/khan-cap/dung-tat-ca"),
        "tai-khoan-cua-toi": ("canbo", "/tai-khoan-cua-toi"),
        "ma-truy-cap": ("quantri", "/ma-truy-cap"),
    }


def shoot(stage: Stage, browser: Browser, url: str, size: str, wanted: set[str], *, scheme: Any) -> None:
    """Every screen at one size, as the person it is made for."""
    width, height = SIZES[size]
    people: dict[str, Page] = {}
    for name, (who, address) in stage.pages.items():
        if wanted and name not in wanted:
            continue
        if who not in people:
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, locale="vi-VN"
            )
            people[who] = context.new_page()
            if who:
                sign_in(people[who], url, who, stage.passwords[who])
        page = people[who]
        page.goto(url + address, wait_until="networkidle")
        page.evaluate(MASK, str(stage.settings.home))
        path = FOLDER / f"{name}-{size}{'-toi' if scheme == 'dark' else ''}.png"
        with Image.open(io.BytesIO(page.screenshot())) as shot:
            shot.convert("RGB").quantize(COLOURS).save(path, optimize=True)
        click.echo(path.relative_to(ROOT))
    for page in people.values():
        page.context.close()


def illustrate(stage: Stage, browser: Browser, url: str, wanted: set[str]) -> None:
    """The help's pictures: the first screenful of a page, small enough for a slow line."""
    HELP.mkdir(exist_ok=True)
    for name, (screen, part, width, height) in PICTURES.items():
        if wanted and screen not in wanted:
            continue
        who, address = stage.pages[screen]
        context = browser.new_context(viewport={"width": width, "height": 900}, locale="vi-VN")
        page = context.new_page()
        if who:
            sign_in(page, url, who, stage.passwords[who])
        page.goto(url + address.split("#")[0], wait_until="networkidle")
        box = page.locator(part).first.bounding_box()
        assert box is not None, f"{screen} has no {part}"
        clip = {"x": 0, "y": box["y"], "width": width, "height": min(box["height"], height)}
        with Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip))) as shot:
            shot.thumbnail((MOST_WIDTH, height))
            shot.save(HELP / f"{name}.webp", quality=60, method=6)
        context.close()
        click.echo((HELP / f"{name}.webp").relative_to(ROOT))


def sign_in(page: Page, url: str, username: str, password: str) -> None:
    """Through the form, as a person does."""
    page.goto(f"{url}/dang-nhap")
    page.get_by_label("Tên đăng nhập").fill(username)
    page.get_by_label("Mật khẩu").fill(password)
    page.get_by_role("button", name="Đăng nhập").click()
    page.wait_for_url(f"{url}/")


if __name__ == "__main__":
    main()
