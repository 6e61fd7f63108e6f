"""The screens in Debian's Chromium: nothing in the console, nothing from outside, nothing that axe refuses."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import make_server

from broadcaster.config import load
from broadcaster.delivery.links import village_token
from tests.support.web_station import NOW, PASSWORD, WebStation
from web import create_app

pytestmark = pytest.mark.browser
SIZES = {"desk": {"width": 1366, "height": 768}, "phone": {"width": 360, "height": 640}}
DARK = ("phone", "desk at night")
if os.environ.get("STATION_TEST_FULL"):  # `scripts/test.py --full`: each size in the other theme too
    SIZES |= {"desk at night": SIZES["desk"], "phone by day": SIZES["phone"]}
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
FULL = (
    "/", "/ban-tin", "/ban-tin/moi", "/ban-tin/{draft}", "/ban-tin/{waiting}", "/ban-tin/{returned}", "/duyet",
    "/ban-tin/{approved}", "/ban-tin/{approved}/xem-lai", "/ban-tin/{draft}/xem-lai", "/ban-tin/moi?buoi={tomorrow}", "/viec",
    "/duyet/{waiting_revision}", "/lich", "/lich/khung-gio", "/lich/buoi/{morning}", "/lich/buoi/{evening}",
    "/lich/buoi/{tomorrow}", "/thon", "/thon/{village}", "/thon/the-qr", "/may-thu", "/nhac-hieu", "/nhat-ky",
    "/nhat-ky/thay-doi", "/huong-dan", "/huong-dan/can-bo", "/style", "/khong-co-trang-nay", "{link}", "/t/sai-duong-dan",
)  # fmt: skip
EMPTY = (
    "/",
    "/ban-tin?tim=khong+co+gi",
    "/duyet",
    "/lich",
    "/lich/khung-gio",
    "/thon?tim=khong",
    "/may-thu",
    "/nhac-hieu",
    "/nhat-ky",
)


@dataclass
class Site:
    """A running station and a browser before it."""

    url: str
    made: WebStation
    link: str
    browser: Browser
    contexts: dict[tuple[str, str], BrowserContext] = field(default_factory=dict)

    def address(self, path: str) -> str:
        return self.url + path.format(**vars(self.made), village=self.made.villages[0], link=self.link)

    def context(self, username: str, size: str, **options: Any) -> BrowserContext:
        """Somebody's browser; phones are dark here and desks light, so that both are looked at."""
        key = (username, size)
        if key not in self.contexts:
            context = self.browser.new_context(
                viewport=SIZES[size],
                color_scheme="dark" if size in DARK else "light",
                locale="vi-VN",
                **options,
            )  # type: ignore[arg-type]
            if username:
                page = context.new_page()
                sign_in(page, self.url, username)
                page.close()
            self.contexts[key] = context
        return self.contexts[key]


def sign_in(page: Page, url: str, username: str) -> None:
    page.goto(f"{url}/dang-nhap")
    page.get_by_label("Tên đăng nhập").fill(username)
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page).to_have_url(f"{url}/")


@pytest.fixture(scope="module")
def site(
    chromium: Browser, built: tuple[Path, WebStation], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site") / "home"
    shutil.copytree(built[0], home)
    settings = load(environ={}, home=home, flags={"web.public_url": "https://loa.example.vn"})
    app = create_app(settings, now=lambda: NOW)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    keys = app.extensions["broadcaster"].keys
    link = f"/t/{village_token(keys.link_key, built[1].villages[3], 1)}"
    running = Site(f"http://127.0.0.1:{server.port}", built[1], link, chromium)
    yield running
    for context in running.contexts.values():
        context.close()
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["broadcaster"].close()


def looked_at(site: Site, page: Page, path: str) -> None:
    """Open the address and hold the page to what every page owes."""
    trouble: list[str] = []
    missing = path in ("/khong-co-trang-nay", "/t/sai-duong-dan")
    page.on(
        "console",
        lambda message: trouble.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith((site.url, "data:")) else trouble.append(request.url),
    )
    page.goto(site.address(path), wait_until="networkidle")
    if missing:
        trouble = [line for line in trouble if "404" not in line]
    assert trouble == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], f"scrolls sideways: {width}"  # type: ignore[index]
    for details in page.query_selector_all("main details:not([open]) > summary"):
        details.click()
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", FULL)
def test_every_screen_is_clean_at_both_sizes(site: Site, path: str, size: str) -> None:
    page = site.context("quantri", size).new_page()
    looked_at(site, page, path)
    page.close()


@pytest.mark.parametrize("path", EMPTY)
def test_every_screen_is_clean_when_there_is_nothing_to_show(site: Site, path: str) -> None:
    page = site.context("quantri2", "phone").new_page()
    looked_at(site, page, path)
    page.close()


def test_the_sign_in_page_and_its_refusal_are_clean(site: Site) -> None:
    context = site.browser.new_context(viewport=SIZES["phone"], locale="vi-VN")  # type: ignore[arg-type]
    page = context.new_page()
    looked_at(site, page, "/dang-nhap")
    page.get_by_label("Tên đăng nhập").fill("canbo")
    page.get_by_label("Mật khẩu").fill("sai")
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("alert")).to_be_focused()
    assert page.title().startswith("Lỗi: ")
    assert Axe().run(page, options=RULES).violations_count == 0
    context.close()


def test_a_refusal_on_the_week_is_clean_and_shows_its_ways_out(site: Site) -> None:
    page = site.context("quantri", "desk").new_page()
    page.goto(site.address("/lich"))
    page.get_by_text("Thêm một buổi ngoài lịch").click()
    page.get_by_label("Bản tin").select_option(index=1)
    page.get_by_label("Ngày", exact=True).select_option("2026-11-25")
    page.get_by_label("Giờ bắt đầu").fill("05:35")
    page.get_by_role("button", name="Thêm buổi").click()
    expect(page.get_by_role("alert")).to_contain_text("Có thể làm một trong các cách sau")
    assert Axe().run(page, options=RULES).violations_count == 0
    page.close()


def test_arrow_keys_walk_through_the_weeks_table_and_enter_opens(site: Site) -> None:
    page = site.context("quantri", "desk").new_page()
    page.goto(site.address("/lich?tuan=2026-11-23"))
    page.locator("table.week a.airing").first.focus()  # Monday 05:30

    def at() -> str:
        return str(page.evaluate("document.activeElement.querySelector('.sr').textContent"))

    walked = [at()]
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "End", "ArrowRight", "Home"):
        page.keyboard.press(key)
        walked.append(at())
    morning, evening = "05:30 {}: ", "17:00 {}: "
    monday, tuesday, saturday = "Thứ Hai, 23/11/2026", "Thứ Ba, 24/11/2026", "Thứ Bảy, 28/11/2026"
    assert walked == [
        morning.format(monday), morning.format(tuesday), evening.format(tuesday), evening.format(monday),
        morning.format(monday), morning.format(monday), morning.format(saturday), morning.format(saturday),
        morning.format(monday),
    ]  # fmt: skip
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("05:30 Thứ Ba, 24/11/2026")
    page.close()


@pytest.mark.parametrize("path", ["/", "/ban-tin/{draft}", "/lich", "/duyet/{waiting_revision}", "/may-thu"])
def test_nothing_that_is_pressed_is_smaller_than_a_thumb(site: Site, path: str) -> None:
    page = site.context("quantri", "phone").new_page()
    page.goto(site.address(path))
    small = page.evaluate(
        """() => [...document.querySelectorAll("main button, main .button, main summary, main select, nav a, main input:not([type=hidden])")]
        .filter(e => e.offsetParent !== null && !e.classList.contains("sr"))
        .map(e => [e.closest("label.tick, .choice label") || e, e]).map(([box, e]) => [box.getBoundingClientRect(), e])
        .filter(([r]) => r.height < 43.5 || r.width < 24).map(([r, e]) => e.outerHTML.slice(0, 90) + " " + r.height)"""
    )
    assert small == []
    page.close()


def test_the_reading_comes_back_while_somebody_types_and_the_draft_is_saved(site: Site) -> None:
    page = site.context("canbo", "desk").new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    page.goto(site.address("/ban-tin/{returned}"))
    page.get_by_label("Văn bản", exact=True).fill("Kính mời bà con họp lúc 8 giờ ngày 29/11/2026.")
    expect(page.get_by_text("Đã lưu nháp lúc 08:00")).to_be_visible()
    expect(page.locator("#cach-doc")).to_contain_text("hai mươi chín tháng mười một")
    page.get_by_label("Văn bản", exact=True).press_sequentially(" Xin cảm ơn.")
    expect(page.locator("#cach-doc")).to_contain_text("Xin cảm ơn")
    page.get_by_role("button", name="Lưu nháp").last.click()  # the version followed the saving: no conflict
    expect(page.get_by_role("status").first).to_contain_text("Đã lưu nháp.")
    page.get_by_role("button", name="Nghe câu 1").click()
    expect(page.locator("#nghe-1")).to_contain_text("Đang chờ máy dựng tiếng")
    assert trouble == []
    page.close()


def test_without_javascript_the_officer_writes_answers_listens_and_submits(site: Site) -> None:
    context = site.browser.new_context(viewport=SIZES["desk"], java_script_enabled=False, locale="vi-VN")  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, site.url, "canbo")
    page.get_by_role("link", name="Soạn bản tin mới").click()
    page.get_by_label("Dán văn bản vào đây").fill(
        "Kính thưa bà con. Công văn số:   /KH-UBND đã gửi các thôn."
    )
    page.get_by_label("Tên bản tin").fill("Công văn đã gửi các thôn")
    page.get_by_role("button", name="Tiếp tục").click()
    expect(page.get_by_role("heading", name="1 chỗ chưa biết đọc thế nào")).to_be_visible()
    page.get_by_label("Đọc là").first.fill("số ba mươi chín")
    page.get_by_role("button", name="Lưu cách đọc này").click()
    expect(page.locator("#cach-doc")).to_contain_text("số ba mươi chín")
    page.get_by_role("button", name="Nghe câu 1").click()
    expect(page.get_by_role("heading", name="Nghe thử")).to_be_visible()
    page.get_by_role("link", name="Về bản tin").click()
    page.get_by_role("button", name="Tiếp tục: xem lại rồi gửi").click()
    page.get_by_role("button", name="Gửi duyệt").click()
    expect(page.get_by_text("Đã gửi duyệt.")).to_be_visible()
    context.close()


def test_without_javascript_a_village_confirms_and_takes_it_back(site: Site) -> None:
    context = site.browser.new_context(viewport=SIZES["phone"], java_script_enabled=False, locale="vi-VN")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(site.url + site.link)
    page.get_by_role("button", name="ĐÃ PHÁT XONG").click()
    expect(page.get_by_text("Xã đã nhận: đã phát")).to_be_visible()
    page.get_by_role("button", name="Hoàn tác").click()
    expect(page.get_by_role("button", name="ĐÃ PHÁT XONG")).to_be_visible()
    page.get_by_text("Không phát được…").click()
    page.get_by_role("button", name="Mất điện").click()
    expect(page.get_by_text("không phát được (Mất điện)")).to_be_visible()
    assert context.cookies() == []
    context.close()
