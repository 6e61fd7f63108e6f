"""Each screen in each state in Debian's Chromium: what axe refuses, the console, addresses outside, sideways
scrolling and thumbs.

A new screen is a line in SCREENS.  Every run shows each line once, with size and theme by turns;
`scripts/test.py --full` shows each line in all four.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import zxingcpp
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from werkzeug.routing import Rule

from broadcaster.delivery.links import village_token
from broadcaster.store.keys import load_keys
from broadcaster.store.tables import Village
from tests.support.site import SCHEMES, SIZES, Site, Watch, running_site, sign_in, violations
from tests.support.web_station import WebStation

pytestmark = pytest.mark.browser
APPEARANCES = tuple(product(SIZES, SCHEMES))
WHOLE = bool(os.environ.get("STATION_TEST_FULL"))


@dataclass(frozen=True)
class Screen:
    """One screen in one state.  `press` (after `fill`) leads to the state; `status` is what the console may name."""

    path: str
    state: str = "full"
    who: str = "quantri"
    fill: dict[str, str] = field(default_factory=dict, hash=False)
    press: str = ""
    status: str = ""
    alert: bool = False

    @property
    def name(self) -> str:
        return f"{self.path} {self.state}"


def refused(path: str, press: str, fill: dict[str, str] | None = None, **more: str) -> Screen:
    """The same screen after a form that cannot be taken."""
    return Screen(path, "error", fill=fill or {}, press=press, status="422", alert=True, **more)


SCREENS = (
    *(
        Screen(path)
        for path in (
            "/", "/ban-tin", "/ban-tin/moi", "/ban-tin/{draft}", "/ban-tin/{waiting}", "/ban-tin/{returned}",
            "/ban-tin/{approved}", "/ban-tin/{approved}/xem-lai", "/ban-tin/{draft}/xem-lai", "/ban-tin/moi?buoi={tomorrow}",
            "/ban-tin/{draft}/thu-am", "/duyet", "/duyet/{waiting_revision}", "/lich", "/lich/in", "/lich/khung-gio",
            "/lich/nghi-le", "/lich/rai", "/lich/sao-chep", "/lich/tu-dong", "/lich/buoi/{morning}", "/lich/buoi/{evening}",
            "/lich/buoi/{tomorrow}", "/lich/buoi/{evening}/doi", "/thon", "/thon?dang=so-do", "/thon/{village}", "/thon/the-qr", "/may-thu",
            "/nhac-hieu", "/khung-chuong-trinh", "/nhat-ky", "/nhat-ky/thay-doi", "/bao-cao", "/hoat-dong", "/ke-hoach",
            "/viec", "/khan-cap", "/khan-cap/dung-tat-ca", "/thong-bao", "/uy-quyen", "/tai-khoan", "/tai-khoan/moi",
            "/tai-khoan/{canbo}", "/tai-khoan-cua-toi", "/ma-truy-cap", "/cai-dat", "/cai-dat/dai", "/cai-dat/giong",
            "/cai-dat/may", "/cai-dat/tu-dien", "/huong-dan", "/huong-dan/can-bo", "/style", "{link}",
            "/ban-tin/{approved}/chia-se", "/bao-cao/dong", "/bao-cao/loi-van", "/bao-cao/nam", "/bao-cao/so-tuan",
            "/bao-cao/the-thuc", "/bao-cao/tin-bai", "/don-vi", "/gop-y", "/gop-y/nhu-thanh", "/gop-y/nhu-thanh/da-nhan",
            "/hoat-dong/moi", "/kenh", "/khan-cap/{emergency}", "/luu-tru", "/nghe/nhu-thanh", "/nhac-hieu/{jingle}",
            "/nhung/nhu-thanh", "{link}/gop-y", "/thon/can-goi", "/thon/nhap", "/thon/sap-nhap",
        )
    ),
    *(
        Screen(path, "empty", who="quantri2")
        for path in (
            "/", "/ban-tin?tim=khong+co+gi", "/duyet", "/lich", "/lich/khung-gio", "/thon?tim=khong", "/may-thu",
            "/nhac-hieu", "/nhat-ky", "/nhat-ky/thay-doi?tu=01/01/2020&den=02/01/2020", "/bao-cao", "/hoat-dong",
            "/ke-hoach", "/viec", "/khan-cap", "/thong-bao", "/uy-quyen", "/tai-khoan?tim=khong", "/ma-truy-cap",
            "/cai-dat/tu-dien",
        )
    ),
    Screen("/dang-nhap", who=""),
    refused("/dang-nhap", "Đăng nhập", {"Tên đăng nhập": "canbo", "Mật khẩu": "sai"}, who=""),
    Screen("/khong-co-trang-nay", "error", status="404"),
    Screen("/t/sai-duong-dan", "error", who="", status="404"),
    refused("/tai-khoan/moi", "Thêm và lấy mật khẩu", {"Họ tên": "Hoa", "Tên đăng nhập": "canbo", "Người soạn": ""}),
    refused("/tai-khoan/{canbo}", "Lưu tài khoản", {"Hộp thư nhận thông báo": "không phải thư"}),
    refused(
        "/tai-khoan-cua-toi", "Đổi mật khẩu",
        {"Mật khẩu đang dùng": "sai", "Mật khẩu mới": "mot hai ba bon", "Gõ lại mật khẩu mới": "khac"},
    ),
    refused("/uy-quyen", "Ủy quyền", {"Giao cho": "Lê Thị Hoa (người soạn)", "Đến hết ngày": "hôm qua"}),
    refused(
        "/lich/khung-gio", "Thêm khung giờ", {"Tên": "Bản tin sớm", "Giờ bắt đầu": "05:40", "Từ ngày": "26/11/2026"}
    ),
    refused("/lich/buoi/{tomorrow}/doi", "Đổi giờ", {"Giờ mới": "17:05"}),
    refused("/cai-dat/dai", "Lưu thông tin đài", {"Điện thoại của đài": "gọi tôi"}),
    refused("/cai-dat/may", "Lưu cài đặt", {"Tốc độ đọc": "nhanh"}),
    refused("/cai-dat/giong", "Lưu thứ tự giọng", {"Mỗi dòng một giọng": "chị google"}),
    refused("/cai-dat/tu-dien", "Lưu cách đọc", {"Chữ viết": "XYZ", "Đọc là": "123"}),
)  # fmt: skip


@pytest.fixture(scope="module")
def site(
    chromium: Browser, built: tuple[Path, WebStation], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with running_site(
        chromium, built, tmp_path_factory.mktemp("screens"), **{"voice.chain": "silent"}
    ) as running:
        yield running


def shown(number: int) -> tuple[tuple[str, str], ...]:
    """In which size and theme line `number` is shown."""
    return APPEARANCES if WHOLE else (APPEARANCES[number % len(APPEARANCES)],)


CASES = [
    pytest.param(screen, size, scheme, id=f"{screen.name} {size} {scheme}")
    for number, screen in enumerate(SCREENS)
    for size, scheme in shown(number)
]


def settled(page: Page) -> None:
    """Dialogs opened (every state that a press on a summary shows), menus of the frame left closed."""
    for details in page.query_selector_all("main details:not([open]) > summary"):
        if details.is_visible():
            details.click()


def owed(page: Page, watch: Watch) -> None:
    """What every page owes."""
    assert watch.trouble == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], f"scrolls sideways: {width}"  # type: ignore[index]
    settled(page)
    assert violations(page) == []
    assert small_targets(page) == []


def small_targets(page: Page) -> list[str]:
    """What is pressed and lower than 44 px; links inside sentences need 24."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("main button, main .button, main summary, main select, nav a, main input:not([type=hidden])")]
        .filter(e => e.getClientRects().length && !e.classList.contains("sr") && getComputedStyle(e).clipPath === "none")
        .map(e => [e.closest("label.tick, .choice label") || e, e]).map(([box, e]) => [box.getBoundingClientRect(), e])
        .filter(([r]) => r.height < 43.5 || r.width < 24).map(([r, e]) => e.outerHTML.slice(0, 90) + " " + r.height)"""
    )
    return found


def fill(page: Page, values: dict[str, str]) -> None:
    for label, value in values.items():
        box = page.get_by_label(label, exact=True).first
        if box.count() == 0:
            box = page.get_by_label(label).first
        kind = box.evaluate("e => e.tagName + ' ' + e.type")
        if kind.endswith(("radio", "checkbox")):
            box.check()
        elif kind.startswith("SELECT"):
            box.select_option(label=value)
        else:
            box.fill(value)


@pytest.mark.parametrize(("screen", "size", "scheme"), CASES)
def test_every_screen_in_every_state_is_clean(site: Site, screen: Screen, size: str, scheme: str) -> None:
    page = site.context(screen.who, size, scheme).new_page()
    watch = Watch(page, site.url, expected=(screen.status,) if screen.status else ())
    page.goto(site.address(screen.path), wait_until="networkidle")
    if screen.press:
        fill(page, screen.fill)
        page.get_by_role("button", name=screen.press, exact=True).first.click()
        expect(page.get_by_role("alert").first).to_be_visible(timeout=30_000)
        assert page.title().startswith("Lỗi: ")
    owed(page, watch)
    page.close()


def test_no_page_that_there_is_is_missing_from_the_list(site: Site, world: Any) -> None:
    from tests.web.test_web_guard import address, rules

    ways = world.app.url_map.bind("127.0.0.1")
    paths = [
        site.address(screen.path).removeprefix(site.url).split("?")[0]
        for screen in SCREENS
        if not screen.status
    ]
    shown_pages = {ways.match(path)[0] for path in paths}
    reader, missing = world.browser("quantri"), []
    for rule, _needs in rules(world):
        if "GET" not in (rule.methods or set()) or rule.endpoint in shown_pages:
            continue
        if rule.endpoint.startswith(("village_page.", "signin.", "api_docs.")):
            continue
        answer = reader.get(address(world, _reading(rule)))
        if answer.status_code == 200 and answer.mimetype == "text/html" and "<html" in answer.text:
            missing.append(rule.rule)
    assert missing == []


def _reading(rule: Rule) -> Rule:
    """The same rule as something to read: the guard's table builds an address by the rule's first method."""
    copy = rule.empty()
    copy.methods = {"GET", "HEAD"}
    copy.bind(rule.map, rebind=True)
    return copy


@pytest.mark.parametrize("width", [320, 683])  # the narrowest phone; an office screen at twice its size
@pytest.mark.parametrize("path", ["/", "/ban-tin/{draft}", "/lich", "/thon", "/cai-dat/dai", "{link}"])
def test_narrow_or_at_twice_its_size_nothing_scrolls_sideways(site: Site, path: str, width: int) -> None:
    page = site.context("quantri", "phone").new_page()
    page.set_viewport_size({"width": width, "height": 384})
    page.goto(site.address(path), wait_until="networkidle")
    wide = page.evaluate(
        """width => [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 1
        && !e.closest(".scroll, .sr, details:not([open])")).map(e => e.outerHTML.slice(0, 100))""",
        width,
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width, wide[:5]
    page.close()


def test_after_signing_out_the_back_button_shows_nothing_of_the_station(site: Site) -> None:
    context = site.browser.new_context(viewport=SIZES["desk"], locale="vi-VN")  # type: ignore[arg-type]
    page = context.new_page()
    site.forgive()
    sign_in(page, site.url, "canbo")
    page.goto(site.url + "/ban-tin")
    page.get_by_role("button", name="Đăng xuất").first.click()
    expect(page).to_have_url(f"{site.url}/dang-nhap")
    page.go_back(wait_until="networkidle")
    expect(page.get_by_label("Mật khẩu")).to_be_visible()
    assert "Bình dân học vụ số" not in page.content()
    context.close()


def test_the_cards_are_printed_eight_a_page_and_carry_the_right_address(site: Site, tmp_path: Path) -> None:
    """In words and as a phone's camera reads them from the paper."""
    page = site.context("quantri").new_page()
    page.goto(site.url + "/thon/the-qr", wait_until="networkidle")
    file = tmp_path / "cards.pdf"
    page.pdf(path=file, prefer_css_page_size=True, print_background=True)
    page.close()
    text = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True
    ).stdout
    for name in ("Đồng Lớn", "Đồng Hơn", "Xuân Phong", "Tổ dân phố 1", "Bến Sung"):
        assert name in text
    assert text.count("https://loa.example.vn/t/") == 5
    assert text.count("\f") == 1  # five cards are one sheet
    key = load_keys(site.settings.keys).link_key
    with site.db.reading(station_id=site.made.station) as session:
        rows = session.scalars(select(Village)).all()
        owed = {f"https://loa.example.vn/t/{village_token(key, one.id, one.link_generation)}" for one in rows}
    subprocess.run(["pdftoppm", "-r", "200", "-png", str(file), str(tmp_path / "sheet")], check=True)
    (sheet,) = tmp_path.glob("sheet*.png")
    seen = zxingcpp.read_barcodes(PIL.Image.open(sheet))
    assert {one.text for one in seen} == owed
