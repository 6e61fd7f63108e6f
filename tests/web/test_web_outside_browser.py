"""Pages for everybody, and the page of the interface, in Debian's Chromium; and a shared video that really plays there."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser

from broadcaster.delivery.captions import cues
from broadcaster.delivery.share import video
from broadcaster.model import HOUSE_RATE_HZ
from tests.support.site import Site, Watch, violations
from tests.web.test_web_browser import site  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser
OUTSIDE = (
    "/nghe/nhu-thanh", "/nghe/nhu-thanh/{approved}", "/nhung/nhu-thanh", "/gop-y/nhu-thanh", "/gop-y/nhu-thanh/da-nhan",
    "{link}/gop-y",
)  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
def test_the_pages_for_everybody_are_clean_on_a_phone_and_set_no_cookie(site: Site, path: str) -> None:  # noqa: F811
    context = site.browser.new_context(viewport={"width": 360, "height": 640}, locale="vi-VN")
    page = context.new_page()
    watch = Watch(page, site.url)
    page.goto(site.address(path), wait_until="networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert violations(page) == []
    assert watch.trouble == []
    assert context.cookies() == []
    context.close()


def test_the_page_of_the_interface_shows_every_route_and_asks_nothing_outside(site: Site) -> None:  # noqa: F811
    page = site.context("quantri", "desk").new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((site.url, "data:", "blob:")) else trouble.append(request.url)
        ),
    )
    page.goto(site.address("/api/docs"), wait_until="networkidle")
    page.get_by_text("/api/v1/bulletins/{bulletin_id}").wait_for()
    assert page.locator(".opblock").count() >= 18
    assert trouble == []
    page.close()


def test_a_listener_without_javascript_sends_a_word(site: Site) -> None:  # noqa: F811
    context = site.browser.new_context(java_script_enabled=False, locale="vi-VN")
    page = context.new_page()
    page.goto(site.address("/gop-y/nhu-thanh"))
    page.get_by_label("Câu hỏi").check()
    page.get_by_label("Nội dung").fill("Mai có họp thôn không?")
    page.get_by_role("button", name="Gửi cho xã").click()
    assert "Xã đã nhận góp ý" in page.locator("h1").inner_text()
    context.close()


@pytest.fixture
def films(tmp_path: Path) -> Iterator[str]:
    """A folder with one video behind real HTTP."""
    sound = tmp_path / "take.flac"
    tone = 0.2 * np.sin(np.arange(HOUSE_RATE_HZ * 3) * 0.05)
    soundfile.write(sound, tone.astype(np.float32), HOUSE_RATE_HZ)
    found = cues(
        [["a", 0, HOUSE_RATE_HZ], ["b", HOUSE_RATE_HZ, HOUSE_RATE_HZ]], ["Câu thứ nhất.", "Câu thứ hai."]
    )
    video(sound, found, tmp_path / "film.mp4", duration_ms=3000, station="Đài xã", title="Phòng cháy rừng")
    (tmp_path / "index.html").write_text('<!doctype html><video id="v" src="film.mp4" muted></video>')

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


def test_a_shared_video_plays_with_its_sound(chromium: Browser, films: str) -> None:
    page = chromium.new_page()
    page.goto(films)
    told = page.evaluate(
        """async () => { const v = document.getElementById("v"); await v.play();
        await new Promise(done => { v.onended = done; setTimeout(done, 20000); });
        return [v.videoWidth, v.videoHeight, v.duration, v.ended, v.error === null, v.webkitAudioDecodedByteCount > 0]; }"""
    )
    page.close()
    assert told[:2] == [1280, 720]
    assert abs(told[2] - 3.0) < 0.3
    assert told[3:] == [True, True, True]
