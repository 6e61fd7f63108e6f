"""The web's tests: one station is built once, and each test works on a copy of its database."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser as Chrome
from playwright.sync_api import Playwright, sync_playwright
from werkzeug.test import TestResponse

from broadcaster.config import Settings, load
from broadcaster.newsroom import people
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.upgrade import upgrade
from tests.support.site import compiled_templates
from tests.support.web_station import NOW, PASSWORD, WebStation, build
from web import create_app
from web.security import limiter

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-sync",
]  # fmt: skip


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Browser:
    """A test client that fills in forms as a browser does: with the token of the page."""

    client: FlaskClient
    token: str = ""

    def get(self, url: str, **options: object) -> TestResponse:
        answer = self.client.get(url, buffered=True, **options)  # type: ignore[arg-type]
        if answer.mimetype == "text/html":
            found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
            self.token = found.group(1) if found else self.token
        return answer

    def post(self, url: str, data: dict[str, object] | None = None, **options: object) -> TestResponse:
        return self.client.post(
            url, data={"csrf_token": self.token, **(data or {})}, buffered=True, **options
        )  # type: ignore[arg-type]

    def sign_in(self, username: str, password: str = PASSWORD) -> Browser:
        self.get("/dang-nhap")
        answer = self.post("/dang-nhap", {"username": username, "password": password})
        assert answer.status_code == 303, answer.text
        self.get("/")
        return self


@dataclass
class World:
    """The app, its station, its clock, and browsers for people."""

    app: Flask
    made: WebStation
    clock: Clock
    db: Database
    settings: Settings
    _browsers: list[Browser] = field(default_factory=list)

    def browser(self, username: str = "") -> Browser:
        browser = Browser(self.app.test_client())
        return browser.sign_in(username) if username else browser


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, WebStation]:
    """A station's home, made once."""
    home = tmp_path_factory.mktemp("station")
    settings = load(environ={}, home=home)
    settings.var.mkdir()
    upgrade(settings.database_url)
    db = Database(settings.database_url)
    with (
        pytest.MonkeyPatch.context() as patch
    ):  # hundreds of tests sign in: what is slow on purpose is quick here
        patch.setattr(people, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        made = build(db, Blobs(settings.blobs_url))
    db.dispose()
    return home, made


@pytest.fixture
def world(built: tuple[Path, WebStation], tmp_path: Path) -> Iterator[World]:
    """A copy of that station behind a running app."""
    home = tmp_path / "home"
    shutil.copytree(built[0], home)
    with opened(home, replace(built[1])) as world:
        yield world


@contextmanager
def opened(home: Path, made: WebStation, **flags: str) -> Iterator[World]:
    """A running app over the station in `home`; `flags` are settings with `__` for the dot."""
    given = {name.replace("__", "."): value for name, value in flags.items()}
    settings = load(
        environ={}, home=home,
        flags={"web.public_url": "https://loa.example.vn", "voice.chain": "silent", **given},
    )  # fmt: skip
    clock = Clock()
    app = create_app(settings, now=clock)
    app.testing = True
    app.jinja_env.bytecode_cache = compiled_templates()
    limiter.enabled = True
    with app.app_context():
        limiter.reset()
    try:
        yield World(app, made, clock, app.extensions["broadcaster"].db, settings)
    finally:
        app.extensions["broadcaster"].close()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright, one for the whole run: a second one in the same process refuses to start."""
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is part of this suite: apt-get install chromium")
        pytest.skip("no Chromium at /usr/bin/chromium")
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Chrome]:
    """Debian's Chromium, one for the whole run."""
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
    yield browser
    browser.close()
