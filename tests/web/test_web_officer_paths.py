"""The officer's and the approver's whole way in Chromium: by keyboard alone, and without JavaScript."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from docx import Document
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from broadcaster.model import BulletinState
from broadcaster.newsroom.bulletins import submit
from broadcaster.schedule.plan import airing_of
from broadcaster.store.tables import Bulletin, Revision, User
from tests.support.site import Site, fill_sign_in, running_site
from tests.support.web_station import NOW, WebStation
from tests.web.conftest import Clock

pytestmark = pytest.mark.browser


@pytest.fixture
def clock() -> Clock:
    """The station's, which a test may move."""
    return Clock(NOW)


@pytest.fixture
def site(chromium: Browser, built: tuple[Path, WebStation], tmp_path: Path, clock: Clock) -> Iterator[Site]:
    with running_site(chromium, built, tmp_path, now=clock, **{"voice.chain": "silent"}) as made:
        yield made


def newest(site: Site) -> tuple[int, BulletinState, int]:
    """Id and state of the newest bulletin, and how many revisions it has."""
    with site.db.reading(station_id=site.made.station) as session:
        row = session.scalars(select(Bulletin).order_by(Bulletin.id.desc())).first()
        assert row is not None
        return row.id, row.state, len(row.revisions)


def plan_file() -> bytes:
    """A plan as a commune types it: a blank number, an abbreviation, recipients and a signature."""
    document = Document()
    for line in (
        "ỦY BAN NHÂN DÂN", "XÃ ĐỒNG LỚN", "Số: 52/KH-UBND", "KẾ HOẠCH", "Về việc ra quân dọn vệ sinh",
        "Kính thưa bà con. Ngày 29/11/2026, UBND xã tổ chức ra quân dọn vệ sinh lúc 6h30. Công văn số:   /UBND đã gửi các thôn.",
        "Nơi nhận:", "- Các thôn;", "- Lưu: VT.",
    ):  # fmt: skip
        document.add_paragraph(line)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


# ------------------------------------------------------------------------------------ by keyboard alone

NAME_OF_FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return "";
  const label = e.labels && e.labels.length ? e.labels[0].textContent : "";
  return ((e.getAttribute("aria-label") || "") + " " + label + " " + (e.innerText || e.value || "")).replace(/\\s+/g, " ").trim();
}"""
SEEN = """() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2; }"""


def tab_to(page: Page, name: str, *, limit: int = 150) -> None:
    """Press Tab until the focus is on something with this name; the focus must be visible all the way."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if name in page.evaluate(NAME_OF_FOCUS):
            assert page.evaluate(SEEN), f"the focus cannot be seen on {name}"
            return
    raise AssertionError(f"Tab never reached “{name}”")


def test_by_keyboard_alone_from_a_file_to_an_approved_bulletin_in_tomorrow_s_airing(site: Site) -> None:
    page = site.enter("canbo")
    tab_to(page, "Soạn bản tin mới")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Soạn bản tin mới")).to_be_visible()
    tab_to(page, "Hoặc chọn tệp")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files({"name": "ke-hoach.docx", "mimeType": "", "buffer": plan_file()})
    tab_to(page, "Tiếp tục")
    page.keyboard.press("Enter")

    # the blank number is asked for, answered, and the focus stays where the hands are
    expect(page.get_by_role("heading", name="1 chỗ chưa biết đọc thế nào")).to_be_visible()
    tab_to(page, "Đọc là")
    page.keyboard.press("Control+A")
    page.keyboard.type("số ba mươi chín")
    tab_to(page, "Lưu cách đọc này")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="chưa biết đọc thế nào")).to_have_count(0)
    expect(page.locator("body")).not_to_be_focused()

    # a reading is opened with Enter, left with Esc, and the focus is back on what opened it
    page.evaluate(
        "document.getElementById('cach-doc').tabIndex = -1; document.getElementById('cach-doc').focus()"
    )
    tab_to(page, "Sửa cách đọc")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert "đọc là" in page.evaluate(NAME_OF_FOCUS)
    page.keyboard.press("Escape")
    assert "Sửa cách đọc" in page.evaluate(NAME_OF_FOCUS)
    assert page.locator("details[id^=sua-][open]").count() == 0

    tab_to(page, "Xếp vào buổi này")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Đã xếp vào buổi phát.")).to_be_visible()
    assert "Bỏ ra" in page.evaluate(NAME_OF_FOCUS)

    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Xem lại trước khi gửi duyệt")).to_be_visible()
    expect(page.locator("dl.facts")).to_contain_text("05:30 Thứ Tư, 25/11/2026")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Đã gửi duyệt.")).to_be_visible()
    bulletin_id, state, revisions = newest(site)
    assert (state, revisions) == (BulletinState.SUBMITTED, 1)
    site.speak()

    # the approver, on a phone with a keyboard: asked softly, back where he was, then sure
    phone = site.enter("lanhdao", size="phone")
    phone.goto(f"{site.url}/duyet")
    tab_to(phone, "ra quân dọn vệ sinh")
    phone.keyboard.press("Enter")
    expect(phone.get_by_text("Duyệt trước 05:00 thì kịp phát")).to_be_visible()
    tab_to(phone, "Duyệt")
    while phone.evaluate(NAME_OF_FOCUS) != "Duyệt":
        tab_to(phone, "Duyệt")
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("dialog")).to_be_visible()
    phone.keyboard.press("Escape")
    expect(phone.get_by_role("dialog")).to_be_hidden()
    assert phone.evaluate(NAME_OF_FOCUS) == "Duyệt"
    phone.keyboard.press("Enter")
    tab_to(phone, "Vẫn duyệt", limit=4)
    phone.keyboard.press("Enter")
    expect(phone.get_by_text("Đã duyệt “")).to_be_visible()
    assert newest(site)[1] is BulletinState.APPROVED
    with site.db.reading(station_id=site.made.station) as session:
        assert [item.bulletin_id for item in airing_of(session, site.made.tomorrow).items] == [bulletin_id]


# ------------------------------------------------------------------------------------ without JavaScript


def test_without_javascript_from_a_file_to_an_approved_bulletin_in_tomorrow_s_airing(site: Site) -> None:
    page = site.enter("canbo", js=False)
    page.get_by_role("link", name="Soạn bản tin cho buổi này").first.click()
    assert page.get_by_label("Phát khi nào").input_value() == site.made.tomorrow
    page.get_by_label("Hoặc chọn tệp").set_input_files(
        {"name": "ke-hoach.docx", "mimeType": "", "buffer": plan_file()}
    )
    page.get_by_role("button", name="Tiếp tục").click()
    expect(page.get_by_text("giữ chỗ trong buổi")).to_be_visible()

    # a try is heard without losing what stands in the field
    page.get_by_label("Đọc là").first.fill("số bốn mươi")
    page.locator("fieldset.ask-card").get_by_role("button", name="Nghe thử").click()
    assert page.get_by_label("Đọc là").first.input_value() == "số bốn mươi"
    site.speak()
    with page.context.expect_page() as tried:
        page.get_by_role("link", name="Mở đoạn nghe thử").click()
    expect(tried.value.locator("audio")).to_have_count(1)
    page.get_by_role("button", name="Lưu cách đọc này").first.click()
    expect(page.locator("#cach-doc")).to_contain_text("Cách đọc đã sửa trong bản tin này (1)")

    # placed somewhere else and back again by plain buttons
    page.get_by_role("button", name="Bỏ ra").click()
    expect(page.locator("#phat-khi-nao")).to_contain_text("Chưa xếp vào buổi nào")
    page.get_by_role("button", name="Tiếp tục: xem lại rồi gửi").click()
    expect(page.get_by_label("Xếp luôn vào buổi 05:30 Thứ Tư, 25/11/2026")).to_be_checked()
    page.get_by_role("button", name="Gửi duyệt").click()
    expect(page.get_by_text("Đã gửi duyệt.")).to_be_visible()
    page.get_by_role("button", name="Hoàn tác: rút lại để sửa").click()
    expect(page.get_by_text("Đã rút lại bản gửi")).to_be_visible()
    page.get_by_role("button", name="Tiếp tục: xem lại rồi gửi").click()
    page.get_by_role("button", name="Gửi duyệt").click()
    bulletin_id, state, revisions = newest(site)
    assert (state, revisions) == (BulletinState.SUBMITTED, 2)
    site.speak()

    approver = site.enter("lanhdao", js=False, size="phone")
    approver.goto(f"{site.url}/duyet")
    approver.get_by_role("link", name="ra quân dọn vệ sinh").click()
    approver.get_by_text("Trả lại người soạn…").click()
    approver.get_by_label("Sai ngày giờ").check()
    approver.get_by_role("button", name="Trả lại").click()
    expect(approver.get_by_text("Đã trả lại “")).to_be_visible()

    page.goto(f"{site.url}/ban-tin/{bulletin_id}")
    expect(page.get_by_text("Lý do trả lại: Sai ngày giờ")).to_be_visible()
    page.get_by_label("Văn bản", exact=True).fill(
        page.get_by_label("Văn bản", exact=True).input_value().replace("6h30", "7h")
    )
    page.get_by_role("button", name="Lưu nháp").last.click()
    page.get_by_role("button", name="Tiếp tục: xem lại rồi gửi").click()
    page.get_by_role("button", name="Gửi duyệt").click()
    site.speak()
    approver.goto(f"{site.url}/duyet")
    approver.get_by_role("link", name="ra quân dọn vệ sinh").click()
    expect(approver.get_by_text("Lần trước trả lại vì: Sai ngày giờ")).to_be_visible()
    approver.get_by_role("button", name="Duyệt", exact=True).click()
    expect(approver.get_by_text("Đã duyệt “")).to_be_visible()
    with site.db.reading(station_id=site.made.station) as session:
        (item,) = airing_of(session, site.made.tomorrow).items
    assert (item.bulletin_id, item.approved) == (bulletin_id, True)


# ------------------------------------------------------------------------------------ what goes wrong


def test_a_session_that_ends_while_somebody_types_loses_nothing(site: Site, clock: Clock) -> None:
    page = site.enter("canbo")
    page.goto(f"{site.url}/ban-tin/{site.made.draft}")
    text = page.get_by_label("Văn bản", exact=True)
    clock.now += timedelta(hours=3)
    long = "Kính thưa bà con. " + "Sáng mai các thôn dọn vệ sinh đường làng. " * 30
    text.fill(long)
    expect(page.get_by_text("Chưa lưu được: phiên làm việc đã hết.")).to_be_visible()
    page.get_by_role("button", name="Lưu lại, giữ nguyên chữ đang gõ").click()
    expect(page.get_by_text("Chữ bạn vừa gõ được giữ nguyên")).to_be_visible()
    fill_sign_in(page, "canbo")
    expect(page.get_by_role("heading", name="Chữ bạn gõ vẫn còn đủ")).to_be_visible()
    page.get_by_role("button", name="Gửi tiếp").click()
    expect(page.get_by_text("Đã lưu nháp.")).to_be_visible()
    with site.db.reading() as session:
        assert session.get_one(Bulletin, site.made.draft).draft_text == long.strip()


def test_after_signing_out_the_back_button_shows_nothing(site: Site) -> None:
    page = site.enter("lanhdao")
    page.goto(f"{site.url}/duyet/{site.made.waiting_revision}")
    page.get_by_role("button", name="Đăng xuất").first.click()
    expect(page.get_by_role("heading", name="Đăng nhập")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Đăng nhập")).to_be_visible()
    expect(page.get_by_text("đốt nương")).to_have_count(0)


def test_two_quick_presses_send_and_approve_once(site: Site) -> None:
    page = site.enter("canbo")
    page.goto(f"{site.url}/ban-tin/{site.made.returned}/xem-lai")
    page.get_by_role("button", name="Gửi duyệt").dblclick()
    expect(page.get_by_text("Phiên bản 2 đang chờ duyệt.")).to_be_visible()
    site.speak()
    with site.db.reading() as session:
        sent = session.scalars(select(Revision).where(Revision.bulletin_id == site.made.returned)).all()
        assert len(sent) == 2
    approver = site.enter("lanhdao")
    approver.goto(f"{site.url}/duyet/{sent[-1].id}")
    approver.evaluate("document.getElementById('duyet').elements.heard.value = '1'")
    approver.get_by_role("button", name="Duyệt", exact=True).dblclick()
    expect(approver.get_by_text("Đã duyệt “Lịch tiêm phòng”")).to_be_visible()
    with site.db.reading() as session:
        assert len(session.get_one(Revision, sent[-1].id).decisions) == 1


def test_typing_fast_beside_pressing_buttons_is_no_conflict_with_oneself(site: Site) -> None:
    page = site.enter("canbo")
    page.goto(f"{site.url}/ban-tin/{site.made.returned}")
    text = page.get_by_label("Văn bản", exact=True)
    for number in range(4):
        text.press_sequentially(f" Câu thêm {number}.", delay=5)
        page.wait_for_timeout(450)
    text.press_sequentially(" Hết.", delay=1)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Xem lại trước khi gửi duyệt")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Câu thêm ba")
    expect(page.locator("main")).to_contain_text("Hết.")


def test_a_paste_over_the_limit_stays_on_the_screen_with_the_reason(site: Site) -> None:
    page = site.enter("canbo")
    page.goto(f"{site.url}/ban-tin/{site.made.draft}")
    long = "Bà con chú ý. " * 4000
    page.get_by_label("Văn bản", exact=True).fill(long)
    expect(page.locator("#cach-doc [role=alert]")).to_contain_text("50.000")
    assert page.get_by_label("Văn bản", exact=True).input_value() == long
    with site.db.reading() as session:
        assert len(session.get_one(Bulletin, site.made.draft).draft_text) < 1000
    # The tab keeps it too: after a crash it is offered again.
    page.goto(f"{site.url}/ban-tin/{site.made.draft}")
    expect(page.get_by_text("Có đoạn văn bản gõ dở chưa kịp lưu trên máy này.")).to_be_visible()
    page.get_by_role("button", name="Lấy lại đoạn gõ dở").click()
    assert page.get_by_label("Văn bản", exact=True).input_value() == long


def test_the_board_brings_itself_up_to_date_and_never_takes_the_focus(site: Site) -> None:
    page = site.enter("canbo")
    link = page.get_by_role("link", name="1 bản tin chờ duyệt")
    link.focus()
    page.evaluate("document.getElementById('nhac-thon').dataset.mine = 'untouched'")
    with site.db.writing(station_id=site.made.station) as session:
        author = session.get_one(User, site.made.users["canbo"])
        row = session.get_one(Bulletin, site.made.returned)
        submit(session, row.id, version=row.version, actor=author, now=NOW)
    page.evaluate("htmx.trigger('#hoi', 'lam-moi')")
    expect(page.get_by_role("link", name="2 bản tin chờ duyệt")).to_be_focused()
    # What did not change is still the very same element.
    assert page.evaluate("document.getElementById('nhac-thon').dataset.mine") == "untouched"


def test_a_button_pressed_right_after_typing_is_not_lost_and_its_field_keeps_its_words(site: Site) -> None:
    page = site.enter("canbo")
    page.goto(f"{site.url}/ban-tin/{site.made.draft}")
    page.get_by_label("Văn bản", exact=True).press_sequentially(" Thêm chữ.")
    question = page.locator("fieldset.ask-card")
    question.get_by_label("Đọc là").fill("số ba mươi chín")
    page.wait_for_timeout(900)  # the text saves itself meanwhile
    assert question.get_by_label("Đọc là").input_value() == "số ba mươi chín"
    question.get_by_role("button", name="Lưu cách đọc này").click()
    expect(page.locator("#can-tra-loi")).to_have_count(0)
    with site.db.reading() as session:
        row = session.get_one(Bulletin, site.made.draft)
        assert list(row.draft_answers.values()) == ["số ba mươi chín"]
        assert "Thêm chữ." in row.draft_text
