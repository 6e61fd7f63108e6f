"""The web over a running server, and somebody's Chromium before it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser, BrowserContext, Page, expect

from broadcaster.config import Settings, load
from broadcaster.delivery.links import village_token
from broadcaster.store.db import Database
from broadcaster.worker import Worker
from tests.support.web_station import NOW, PASSWORD, WebStation
from web import create_app
from web.security import limiter
from web.serving import WebServer

SIZES = {"desk": {"width": 1366, "height": 768}, "phone": {"width": 360, "height": 640}}
SCHEMES = ("light", "dark")
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


@cache
def compiled_templates() -> FileSystemBytecodeCache:
    """Templates compiled once a process, not once a test."""
    folder = tempfile.TemporaryDirectory(prefix="station-templates-")
    atexit.register(folder.cleanup)
    return FileSystemBytecodeCache(folder.name)


@dataclass
class Site:
    """A running station and a browser before it."""

    url: str
    made: WebStation
    link: str
    browser: Browser
    db: Database
    settings: Settings
    forgive: Callable[[], None]  # forget how often somebody has tried to sign in
    stop: Callable[[], None]  # as if the station's machine were switched off
    start: Callable[[], None]
    now: Callable[[], datetime]
    contexts: dict[tuple[str, str, str], BrowserContext] = field(default_factory=dict)
    opened: list[BrowserContext] = field(default_factory=list)  # all of them, to be closed

    def address(self, path: str) -> str:
        """The path with this station's ids in it, as a whole address."""
        return self.url + path.format(
            **vars(self.made), village=self.made.villages[0], link=self.link, canbo=self.made.users["canbo"]
        )

    def context(
        self, username: str = "", size: str = "desk", scheme: str = "light", **options: Any
    ) -> BrowserContext:
        """Somebody's browser, signed in; kept for the next who asks for the same."""
        key = (username, size, scheme)
        if options:
            return self._new(username, size, scheme, **options)
        if key not in self.contexts:
            self.contexts[key] = self._new(username, size, scheme)
        return self.contexts[key]

    def _new(self, username: str, size: str, scheme: str, **options: Any) -> BrowserContext:
        context = self.browser.new_context(
            viewport=SIZES[size],
            color_scheme=scheme,
            locale="vi-VN",
            **options,  # type: ignore[arg-type]
        )
        self.opened.append(context)
        context.set_default_timeout(60_000)
        if username:
            self.forgive()
            page = context.new_page()
            sign_in(page, self.url, username)
            page.close()
        return context

    def enter(self, username: str, *, size: str = "desk", js: bool = True) -> Page:
        """A browser of somebody's own, signed in, at the first page."""
        page = self.context(username, size, java_script_enabled=js).new_page()
        page.goto(self.url)
        return page

    def speak(self) -> None:
        """What the worker does: every take that is asked for."""
        with Worker(self.settings, self.db, now=self.now) as worker:
            worker.work_off(("take", "preview"))


class Served:
    """The station's server, which may be stopped and started again at the same port."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app, self._settings, self.port = app, settings, 0
        self._server: WebServer | None = None

    def start(self) -> None:
        self._server = WebServer(self._app, self._settings, host="127.0.0.1", port=self.port)
        self.port = self._server.port
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None


@contextmanager
def running_site(
    chromium: Browser,
    built: tuple[Path, WebStation],
    folder: Path,
    *,
    now: Callable[[], datetime] = lambda: NOW,
    **flags: Any,
) -> Iterator[Site]:
    """A copy of the built station behind the station's server on a free port."""
    home = folder / "home"
    shutil.copytree(built[0], home)
    settings = load(environ={}, home=home, flags={"web.public_url": "https://loa.example.vn", **flags})
    app = create_app(settings, now=now)
    app.jinja_env.bytecode_cache = compiled_templates()
    served = Served(app, settings)
    served.start()
    parts = app.extensions["broadcaster"]
    link = f"/t/{village_token(parts.keys.link_key, built[1].villages[3], 1)}"

    def forgive() -> None:
        with app.app_context():
            limiter.reset()

    site = Site(
        f"http://127.0.0.1:{served.port}", built[1], link, chromium, parts.db, settings, forgive,
        served.stop, served.start, now,
    )  # fmt: skip
    try:
        yield site
    finally:
        for context in site.opened:
            context.close()
        served.stop()
        parts.close()


def sign_in(page: Page, url: str, username: str, password: str = PASSWORD) -> None:
    """Through the form, as a person does."""
    page.goto(f"{url}/dang-nhap")
    fill_sign_in(page, username, password)
    expect(page).to_have_url(f"{url}/", timeout=30_000)


def fill_sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """The form that stands before somebody."""
    page.get_by_label("Tên đăng nhập").fill(username)
    page.get_by_label("Mật khẩu").fill(password)
    page.get_by_role("button", name="Đăng nhập").click()


class Watch:
    """Everything a page must not do: errors in the console, addresses outside, policy violations."""

    def __init__(self, page: Page, url: str, *, expected: tuple[str, ...] = ()) -> None:
        self.trouble: list[str] = []
        page.on(
            "console",
            lambda message: (
                self._note(message.text, expected) if message.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: self._note(str(error), expected))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((url, "data:", "blob:")) else self._note(request.url, ())
            ),
        )

    def _note(self, text: str, expected: tuple[str, ...]) -> None:
        if not any(part in text for part in expected):
            self.trouble.append(text)


def violations(page: Page) -> list[str]:
    """What axe finds, one line each; [] = nothing."""
    found = Axe().run(page, options=RULES)
    return [
        f"{rule['id']}: {node['html'][:120]}"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]
