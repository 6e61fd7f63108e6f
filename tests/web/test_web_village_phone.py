"""The village's page on a phone, in Debian's Chromium: offline, slow, inside Zalo, within its bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import soundfile
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from broadcaster.model import ReceiptKind, RenditionKind
from broadcaster.store.blobs import Blobs
from broadcaster.store.tables import ProgrammeRow, Receipt, Rendition, Variant
from tests.support.site import Site, Watch, running_site
from tests.support.web_station import NOW, WebStation

pytestmark = pytest.mark.browser


def mp3(seconds: float) -> bytes:
    tone = 0.2 * np.sin(np.linspace(0, 440 * 2 * np.pi * seconds, int(44_100 * seconds)))
    file = io.BytesIO()
    soundfile.write(file, tone.astype(np.float32), 44_100, format="MP3")
    return file.getvalue()


@pytest.fixture
def phone(chromium: Browser, built: tuple[Path, WebStation], tmp_path: Path) -> Iterator[Site]:
    """A station whose two programmes are real files."""
    with running_site(chromium, built, tmp_path) as site:
        blobs = Blobs(site.settings.blobs_url)
        with site.db.writing() as session:
            for number, airing in enumerate((site.made.morning, site.made.evening)):
                data = mp3(40 + number)
                variant = session.scalars(select(Variant).where(Variant.airing_id == airing)).one()
                session.execute(
                    update(Rendition)
                    .where(
                        Rendition.programme_id == variant.programme_id, Rendition.kind == RenditionKind.AIR
                    )
                    .values(sha256=blobs.put(data, suffix="mp3"), size_bytes=len(data))
                )
                light = mp3(20 + number)
                session.execute(
                    update(Rendition)
                    .where(
                        Rendition.programme_id == variant.programme_id, Rendition.kind == RenditionKind.LIGHT
                    )
                    .values(sha256=blobs.put(light, suffix="mp3"), size_bytes=len(light))
                )
        yield site


def receipts(site: Site) -> list[tuple[ReceiptKind, datetime | None]]:
    with site.db.reading() as session:
        rows = session.scalars(
            select(Receipt).where(Receipt.village_id == site.made.villages[3], Receipt.withdrawn_at.is_(None))
        )
        return [(row.kind, row.phone_at) for row in rows]


def kept(page: Page, path: str) -> bool:
    return bool(page.evaluate("path => caches.match(path).then(Boolean)", path))


def wait_until_kept(page: Page, *paths: str) -> None:
    """`wait_for_function` would be content with the promise."""
    for _ in range(600):
        if all(kept(page, path) for path in paths):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"not kept: {[path for path in paths if not kept(page, path)]}")


def test_offline_the_page_opens_plays_seeks_and_an_answer_tapped_twice_arrives_once_with_the_phones_time(
    phone: Site,
) -> None:
    context = phone.context(size="phone", base_url=phone.url)
    page = context.new_page()
    page.clock.set_fixed_time(NOW + timedelta(minutes=2))
    page.goto(phone.link)
    source = page.locator("audio").first.get_attribute("src")
    assert source is not None
    wait_until_kept(page, source, phone.link)
    phone.stop()  # as a phone sees it when either machine is cut off
    page.reload()
    expect(page.get_by_text("Không có mạng. Đây là bản lưu")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tổ dân phố 1")
    reached = page.evaluate(
        """async () => {
          const sound = document.querySelector("audio"); sound.muted = true;
          await sound.play(); const began = sound.duration;
          sound.currentTime = 30; await new Promise(r => sound.onseeked = r);
          return [began, sound.currentTime, sound.error];
        }"""
    )
    assert reached[0] == pytest.approx(40, abs=0.2)
    assert reached[1] == pytest.approx(30, abs=0.5)
    assert reached[2] is None
    part = page.evaluate(
        """async path => { const a = await fetch(path, {headers: {Range: "bytes=1000-1999"}});
        return [a.status, a.headers.get("Content-Range"), (await a.arrayBuffer()).byteLength]; }""",
        source,
    )
    assert part[0] == 206
    assert part[1].startswith("bytes 1000-1999/")
    assert part[2] == 1000
    for _ in range(2):
        page.get_by_role("button", name="ĐÃ PHÁT XONG").first.click()
        expect(page.get_by_text("Chưa gửi (1)")).to_be_visible()
    assert receipts(phone) == []
    phone.start()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.get_by_text("Xã đã nhận: đã phát")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Chưa gửi")).to_be_hidden()
    assert receipts(phone) == [(ReceiptKind.PLAYED, NOW + timedelta(minutes=2))]
    page.reload()
    assert receipts(phone) == [(ReceiptKind.PLAYED, NOW + timedelta(minutes=2))]
    context.close()


def test_where_the_network_never_answers_the_kept_page_comes_after_seconds(phone: Site) -> None:
    context = phone.context(size="phone", base_url=phone.url)
    page = context.new_page()
    page.goto(phone.link)
    wait_until_kept(page, phone.link)
    phone.stop()
    port = int(phone.url.rsplit(":", 1)[1])
    with socket.create_server(("127.0.0.1", port)):  # takes calls and says nothing
        page.reload(wait_until="commit")
        expect(page.get_by_text("Không có mạng. Đây là bản lưu")).to_be_visible()
        page.close()
    context.close()


def test_what_the_phone_keeps_is_cleared_by_a_button(phone: Site) -> None:
    context = phone.context(size="phone", base_url=phone.url)
    page = context.new_page()
    page.goto(phone.link)
    wait_until_kept(page, phone.link)
    page.get_by_role("button", name="Xóa tệp cũ").click()
    expect(page.get_by_role("button", name="Đã xóa")).to_be_visible()
    assert not kept(page, phone.link)
    context.close()


def test_a_reason_tapped_offline_is_kept_with_its_words(phone: Site) -> None:
    context = phone.context(size="phone", base_url=phone.url)
    page = context.new_page()
    page.goto(phone.link)
    context.set_offline(True)
    page.get_by_text("Không phát được…").first.click()
    page.get_by_role("button", name="Mất điện").first.click()
    expect(page.get_by_text("Chưa gửi (1)")).to_be_visible()
    context.set_offline(False)
    expect(page.get_by_text("không phát được (Mất điện)")).to_be_visible(timeout=30_000)
    context.close()


def _reload_from_the_station(page: Page) -> None:
    """A busy machine may answer after the seconds for which the phone waits; then it shows what it kept."""
    for _ in range(6):
        page.reload()
        if not page.locator("body.saved").count():
            return
    raise AssertionError("the station does not answer in time")


def test_a_new_version_after_the_download_is_said_until_it_is_fetched(phone: Site) -> None:
    page = phone.context(size="phone").new_page()
    with phone.db.writing() as session:
        session.add(
            Receipt(
                village_id=phone.made.villages[3], airing_id=phone.made.evening, kind=ReceiptKind.DOWNLOADED, reason="",
                phone_at=None, server_at=NOW - timedelta(hours=2), withdrawn_at=None,
            )
        )  # fmt: skip
        variant = session.scalars(select(Variant).where(Variant.airing_id == phone.made.evening)).one()
        session.execute(
            update(ProgrammeRow)
            .where(ProgrammeRow.id == variant.programme_id)
            .values(made_at=NOW - timedelta(hours=1))
        )
    page.goto(phone.url + phone.link)
    expect(page.get_by_text("Có bản mới lúc 07:00: hãy tải lại")).to_be_visible()
    told = requests.post(f"{phone.url}{phone.link}/buoi/{phone.made.evening}/da-tai", timeout=30)
    assert told.status_code == 204
    _reload_from_the_station(page)
    expect(page.get_by_text("Có bản mới")).to_be_hidden()
    page.close()


def test_the_day_in_one_file_goes_on_where_it_broke_off(phone: Site) -> None:
    address = f"{phone.url}{phone.link}/ca-ngay.zip"
    whole = requests.get(address, timeout=30)
    first = requests.get(address, headers={"Range": "bytes=0-999"}, timeout=30)
    rest = requests.get(
        address, headers={"Range": "bytes=1000-", "If-Range": first.headers["ETag"]}, timeout=30
    )
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.headers["ETag"] == rest.headers["ETag"] == whole.headers["ETag"]
    assert hashlib.sha256(first.content + rest.content).digest() == hashlib.sha256(whole.content).digest()


def test_zalo_gets_a_way_out_with_this_very_address_and_chrome_does_not(phone: Site) -> None:
    agent = "Mozilla/5.0 (Linux; Android 12; SM-A125F) AppleWebKit/537.36 Chrome/99.0 Mobile Safari/537.36 Zalo android/12050662"
    context = phone.context(size="phone", user_agent=agent)
    page = context.new_page()
    page.goto(phone.url + phone.link)
    way_out = page.get_by_role("link", name="mở bằng Chrome").get_attribute("href")
    assert (
        way_out == f"intent://loa.example.vn{phone.link}#Intent;scheme=https;package=com.android.chrome;end"
    )
    context.close()
    page = phone.context(size="phone").new_page()
    page.goto(phone.url + phone.link)
    assert page.get_by_text("Zalo").count() == 0
    page.close()


def test_the_page_may_be_put_on_the_home_screen_and_names_the_village(phone: Site) -> None:
    page = phone.context(size="phone").new_page()
    watch = Watch(page, phone.url)
    page.goto(phone.url + phone.link, wait_until="networkidle")
    address = page.locator("link[rel=manifest]").get_attribute("href")
    manifest = requests.get(f"{phone.url}{address}", timeout=30)
    assert manifest.headers["Content-Type"] == "application/manifest+json"
    assert manifest.json()["name"] == "Loa Tổ dân phố 1"
    assert manifest.json()["start_url"] == phone.link
    found = page.context.new_cdp_session(page).send("Page.getAppManifest")
    assert found["errors"] == []
    assert watch.trouble == []
    page.close()


def test_page_style_and_script_are_within_twelve_kilobytes_and_the_worker_within_four(phone: Site) -> None:
    page = requests.get(phone.url + phone.link, timeout=30)
    static = Path("web/static")
    sizes = {
        name: len(gzip.compress(data, 9))
        for name, data in (
            ("page", page.content), ("style", (static / "village.css").read_bytes()),
            ("script", (static / "village.js").read_bytes()), ("worker", (static / "village-sw.js").read_bytes()),
        )
    }  # fmt: skip
    assert sizes["script"] <= 1024, sizes
    assert sizes["worker"] <= 4096, sizes
    assert sizes["page"] + sizes["style"] + sizes["script"] <= 12 * 1024, sizes


@pytest.mark.parametrize("tapped", ["x", "99999999999999999", "-1", "0", "4102444800000"])
def test_a_phones_clock_that_cannot_be_right_is_not_believed(world: Any, tapped: str) -> None:
    from tests.web.test_web_village import link

    client = world.app.test_client()
    client.post(
        f"{link(world)}/buoi/{world.made.morning}/xac-nhan", data={"kind": "played", "phone_at": tapped}
    )
    with world.db.reading() as session:
        row = session.scalars(select(Receipt).where(Receipt.village_id == world.made.villages[3])).one()
    assert row.phone_at is None
