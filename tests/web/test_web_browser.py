"""What screens do in Debian's Chromium: refusals, a draft that saves itself, everything without JavaScript.

How each screen looks in each state is in `test_web_screens`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect
from sqlalchemy import func, select

from broadcaster.store.tables import VariantItem
from broadcaster.worker import Worker
from tests.support.site import SIZES, Site, running_site, sign_in, violations
from tests.support.web_station import NOW, WebStation

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(
    chromium: Browser, built: tuple[Path, WebStation], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with running_site(
        chromium, built, tmp_path_factory.mktemp("site"), **{"voice.chain": "silent"}
    ) as running:
        yield running


def test_a_refused_sign_in_is_said_where_the_keyboard_is(site: Site) -> None:
    page = site.context(size="phone").new_page()
    page.goto(f"{site.url}/dang-nhap")
    page.get_by_label("Tên đăng nhập").fill("canbo")
    page.get_by_label("Mật khẩu").fill("sai")
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("alert")).to_be_focused()
    page.close()


def test_a_refusal_on_the_week_is_clean_and_shows_its_ways_out(site: Site) -> None:
    page = site.context("quantri", "desk").new_page()
    page.goto(site.address("/lich"))
    page.get_by_text("Thêm một buổi ngoài lịch").click()
    page.get_by_label("Bản tin").select_option(index=1)
    page.get_by_label("Ngày", exact=True).select_option("2026-11-25")
    page.get_by_label("Giờ bắt đầu").fill("05:35")
    page.get_by_role("button", name="Thêm buổi").click()
    expect(page.get_by_role("alert")).to_contain_text("Có thể làm một trong các cách sau")
    assert violations(page) == []
    page.close()


def test_arrow_keys_walk_through_the_weeks_table_and_enter_opens(site: Site) -> None:
    page = site.context("quantri", "desk").new_page()
    page.goto(site.address("/lich?tuan=2026-11-23"))
    page.locator("table.week a.airing").first.focus()  # Tuesday 05:30: on Monday there was only the evening

    def at() -> str:
        return str(page.evaluate("document.activeElement.querySelector('.sr').textContent")).rstrip(": ")

    walked = [at()]
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowLeft", "ArrowUp", "End", "ArrowRight", "Home"):
        page.keyboard.press(key)
        walked.append(at())
    monday, tuesday, saturday = "Thứ Hai, 23/11/2026", "Thứ Ba, 24/11/2026", "Thứ Bảy, 28/11/2026"
    assert walked == [
        f"05:30 {tuesday}", "05:30 Thứ Tư, 25/11/2026", "17:00 Thứ Tư, 25/11/2026", f"17:00 {tuesday}",
        f"17:00 {monday}", f"17:00 {monday}", f"17:00 {saturday}", f"17:00 {saturday}", f"17:00 {monday}",
    ]  # fmt: skip
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("17:00 Thứ Ba, 24/11/2026")
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


def test_a_bulletin_placed_right_after_its_title_was_typed_stays_placed(site: Site) -> None:
    """The saving that was waiting must not press the button that came back under the focus: it takes out again."""
    page = site.context("canbo").new_page()
    page.goto(site.address("/ban-tin/{draft}"))
    page.get_by_label("Tên bản tin").fill("Tổ công nghệ số về thôn")
    page.get_by_role("button", name="Xếp vào buổi này").click()
    saved = page.locator("#da-luu")
    expect(saved).to_contain_text("Đã lưu")
    where = page.locator("#phat-khi-nao")
    expect(where).to_have_count(1)
    expect(where).to_contain_text("Đã xếp vào buổi phát")
    with site.db.reading(station_id=site.made.station) as session:
        assert session.scalar(select(func.count()).where(VariantItem.bulletin_id == site.made.draft)) == 1
    page.close()


def test_a_sentence_is_heard_in_its_own_place_and_the_reading_stays_where_it_is(site: Site) -> None:
    page = site.context("canbo").new_page()
    page.goto(site.address("/ban-tin/{draft}"))
    before = page.locator("#cach-doc article").count()
    page.get_by_role("button", name="Nghe câu 1").click()
    expect(page.locator("#nghe-1")).to_contain_text("Đang chờ máy dựng tiếng")
    with Worker(site.settings, site.db, now=lambda: NOW) as worker:
        worker.work_off(("preview",))
    expect(page.locator("#nghe-1 audio")).to_have_count(1)
    expect(page.locator("#cach-doc article")).to_have_count(before)
    assert before > 0
    page.close()


def test_a_button_pressed_while_the_page_saves_itself_is_pressed_when_it_has(site: Site) -> None:
    """The bar with the button comes back new with that saving: the press belongs to the new one."""
    page = site.context("canbo").new_page()
    page.goto(site.address("/ban-tin/{returned}"))
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST" and "hx-request" in route.request.headers and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/ban-tin/*", hold)
    with page.expect_request(lambda request: request.method == "POST"):
        page.get_by_label("Văn bản", exact=True).press_sequentially("Thêm câu. ")
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(200)
    held[0].continue_()
    expect(page.get_by_role("heading", name="Xem lại trước khi gửi duyệt")).to_be_visible()
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


def test_the_browsers_own_zone_changes_no_time_on_a_page(site: Site) -> None:
    shown = []
    for zone in ("Asia/Ho_Chi_Minh", "America/New_York"):
        context = site.context("canbo", timezone_id=zone)
        page = context.new_page()
        page.goto(site.url + "/lich")
        week = page.locator("table.week").inner_text()
        page.goto(site.url + "/")
        shown.append((week, page.locator("#bang").inner_text()))
        page.goto(site.url + site.link)
        shown[-1] += (page.locator("main").inner_text(),)
        context.close()
    assert "05:30" in shown[0][0]
    assert shown[0] == shown[1]
