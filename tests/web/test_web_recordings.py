"""Reading a bulletin oneself, over the web: with a file, without JavaScript; and in a browser with a microphone."""

from __future__ import annotations

import errno
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Playwright
from sqlalchemy import select

from broadcaster.newsroom.bulletins import bulletin_by_id, reading_of
from broadcaster.store.tables import Recording, Revision
from tests.support.visitor import Visitor
from tests.support.web_station import PASSWORD
from web.serving import serving

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
]  # fmt: skip


def wav(seconds: float, *, level: float = 0.2, rate_hz: int = 8_000) -> io.BytesIO:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    file = io.BytesIO()
    soundfile.write(
        file,
        (level * np.sin(2 * np.pi * 300 * t)).astype(np.float32),
        rate_hz,
        format="WAV",
        subtype="PCM_U8",
    )
    file.seek(0)
    return file


def spoken(page: str) -> str:
    found = re.search(r'name="spoken" value="([^"]*)"', page)
    assert found is not None
    return found.group(1)


def standing(world: Any, bulletin_id: int) -> list[Recording]:
    with world.db.reading(station_id=world.made.station) as session:
        rows = session.scalars(
            select(Recording).where(Recording.bulletin_id == bulletin_id, Recording.replaced_at.is_(None))
        )
        return list(rows)


def test_a_sentence_is_read_by_a_person_heard_and_given_back_to_the_machine(world: Any) -> None:
    author, made = world.browser("canbo"), world.made
    address = f"/ban-tin/{made.returned}/thu-am"
    page = author.get(f"{address}?cau=2")
    words = spoken(page.text)
    assert words
    assert "blob:" in page.headers["Content-Security-Policy"]
    form = {"cau": "2", "spoken": words, "reader": "Lê Thị Hoa", "file": (wav(4), "cau 2.wav")}
    assert author.post(address, form).status_code == 303
    [row] = standing(world, made.returned)
    assert (row.spoken, row.reader, row.source_name) == (words, "Lê Thị Hoa", "cau 2.wav")
    assert "Có bản thu" in author.get(f"/ban-tin/{made.returned}").text
    heard = author.get(f"{address}/{row.id}/nghe")
    assert heard.data.startswith(b"fLaC")
    assert "Lê Thị Hoa đọc" in author.get(f"{address}?cau=2").text
    assert author.post(f"{address}/{row.id}/bo").status_code == 303
    assert standing(world, made.returned) == []


def test_a_whole_bulletin_in_another_language_goes_to_approval_with_its_recording(world: Any) -> None:
    author, made = world.browser("canbo"), world.made
    address = f"/ban-tin/{made.draft}/thu-am"
    author.get(address)  # its text has a question that only matters to a machine
    form = {"spoken": "", "reader": "Bùi Văn Nhất", "language": "Mường", "file": (wav(30), "mường.wav")}
    assert author.post(address, form).status_code == 303
    page = author.get(f"/ban-tin/{made.draft}")
    assert "Cả bài do Bùi Văn Nhất đọc (tiếng Mường)" in page.text
    with world.db.reading(station_id=made.station) as session:
        version = bulletin_by_id(session, made.draft).version
    sent = author.post(f"/ban-tin/{made.draft}/gui", {"version": str(version)})
    assert sent.status_code == 303, sent.text
    with world.db.reading() as session:
        revision = session.scalars(select(Revision).where(Revision.bulletin_id == made.draft)).one()
    assert revision.recordings[0]["language"] == "Mường"


def test_after_an_edit_the_whole_recording_must_be_kept_by_hand(world: Any) -> None:
    author, made = world.browser("canbo"), world.made
    address = f"/ban-tin/{made.returned}/thu-am"
    author.get(address)
    author.post(address, {"spoken": "", "reader": "Hoa", "file": (wav(20), "a.wav")})
    with world.db.reading(station_id=made.station) as session:
        row = bulletin_by_id(session, made.returned)
        form = {"title": row.title, "text": row.draft_text + " Xin cảm ơn.", "version": str(row.version)}
    assert author.post(f"/ban-tin/{made.returned}", form | {"do": "save"}).status_code == 303
    page = author.get(address).text
    assert "Văn bản đã sửa sau khi thu" in page
    [row] = standing(world, made.returned)
    wrong = author.post(f"{address}/{row.id}/giu", {"version": "1"})
    assert wrong.status_code == 409
    version = re.search(r'name="version" value="(\d+)"', page).group(1)
    assert author.post(f"{address}/{row.id}/giu", {"version": version}).status_code == 303
    assert "Văn bản đã sửa sau khi thu" not in author.get(address).text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"file": None}, "Chưa có bản thu nào"),
        ({"file": b"khong phai am thanh"}, "không phải âm thanh"),
        ({"file": wav(3, level=0.0).getvalue()}, "chỉ có im lặng"),
        ({"file": wav(0.3).getvalue()}, "quá ngắn"),
        ({"file": wav(59).getvalue()}, "quá dài"),
        ({"reader": " "}, "tên người đọc"),
        ({"spoken": "Câu của hôm qua."}, "không còn khớp"),
    ],
)
def test_what_cannot_be_a_recording_is_refused_in_words(
    world: Any, changed: dict[str, Any], said: str
) -> None:
    author, made = world.browser("canbo"), world.made
    address = f"/ban-tin/{made.returned}/thu-am"
    form: dict[str, Any] = {
        "cau": "2", "spoken": spoken(author.get(f"{address}?cau=2").text), "reader": "Hoa",
        "file": wav(4).getvalue(), **changed,
    }  # fmt: skip
    data = form.pop("file")
    if data is not None:
        form["file"] = (io.BytesIO(data), "thu.wav")
    answer = author.post(address, form)
    assert answer.status_code == 422
    assert said in answer.text
    assert standing(world, made.returned) == []


@pytest.fixture
def visitor(world: Any) -> Iterator[Visitor]:
    """The author at a real server: what is large goes through sockets and files there."""
    with serving(world.app, world.settings) as address, Visitor(address) as made:
        made.open("/dang-nhap").press("Đăng nhập", {"username": "canbo", "password": PASSWORD})
        yield made


def test_recordings_may_be_larger_than_texts_but_not_endless(world: Any, visitor: Visitor) -> None:
    address = f"/ban-tin/{world.made.returned}/thu-am"
    six = wav(130, rate_hz=48_000).getvalue()  # 6 MB: above what a text may weigh
    visitor.open(address).press("Gửi bản thu", {"reader": "Hoa"}, files={"file": ("dài.wav", six)})
    assert "Đã nhận bản thu" in visitor.text
    assert len(standing(world, world.made.returned)) == 1
    visitor.open(address).press("Gửi bản thu", files={"file": ("x.wav", bytes(101 << 20))}, expect=413)
    assert "lớn hơn 100 MB" in visitor.text


def test_a_disk_without_room_for_what_comes_in_is_a_page_that_says_so(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form of more than half a megabyte is laid on disk by the form's reader itself, before any view sees it."""

    def full(*_arguments: object, **_more: object) -> io.BytesIO:
        raise OSError(errno.ENOSPC, "No space left on device")

    author, made = world.browser("canbo"), world.made
    address = f"/ban-tin/{made.returned}/thu-am"
    form = {"reader": "Hoa", "file": (io.BytesIO(wav(20).getvalue()), "thu.wav")}
    author.get(address)
    with monkeypatch.context() as patched:
        patched.setattr("werkzeug.wrappers.request.Request._get_file_stream", full)
        answer = author.post(address, form)
    assert answer.status_code == 507
    assert "đã đầy nên chưa nhận được" in answer.text
    assert standing(world, made.returned) == []
    form["file"] = (io.BytesIO(wav(20).getvalue()), "thu.wav")
    assert author.post(address, form).status_code == 303  # and again when there is room


@pytest.mark.browser
def test_a_browser_with_a_microphone_records_plays_back_and_sends(
    world: Any, visitor: Visitor, playwright: Playwright
) -> None:
    address = f"{visitor.address}/ban-tin/{world.made.returned}/thu-am?cau=2"
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
    try:
        context = browser.new_context(locale="vi-VN", permissions=["microphone"])
        context.add_cookies(
            [{"name": one.name, "value": one.value, "url": visitor.address} for one in visitor.web.cookies]
        )  # type: ignore[list-item]
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(address)
        page.get_by_role("button", name="Bắt đầu thu").click()
        page.get_by_role("button", name="Dừng").wait_for()
        page.wait_for_timeout(4_000)
        page.get_by_role("button", name="Dừng").click()
        page.locator("#thu-nghe").wait_for()
        page.wait_for_function("document.getElementById('thu-nghe').readyState > 0")
        page.get_by_role("button", name="Gửi bản thu").click()
        page.get_by_text("Bản thu đang dùng").wait_for()
    finally:
        browser.close()
    assert said == []
    [row] = standing(world, world.made.returned)
    assert row.source_name.startswith("thu-tren-may.")
    assert row.duration_ms == pytest.approx(4_000, abs=1_500)


def test_only_who_writes_may_record(world: Any) -> None:
    approver = world.browser("lanhdao")
    assert approver.get(f"/ban-tin/{world.made.returned}/thu-am").status_code == 403
    with world.db.reading(station_id=world.made.station) as session:
        assert reading_of(session, bulletin_by_id(session, world.made.returned)).sentences
