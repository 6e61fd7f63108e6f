"""The station's web: server-rendered pages that work as plain forms.

`create_app` wires; each screen is a file with one blueprint.  A view checks what came in, calls one
function of a room inside `writing()`, and redirects.  Nothing is rendered to sound here: that is asked
of the worker through `broadcaster.store.queue`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module

from apiflask import APIFlask
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from broadcaster.config import Settings
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import load_keys
from broadcaster.store.queue import Doorbell
from web import api, compress, errors, frame, security, uploads, words
from web.deps import Deps

SCREENS = (
    "signin", "today", "bulletins", "compose", "recordings", "sound", "approve", "week", "airing", "villages", "receivers",
    "jingles", "programme_frame", "log", "reports", "report_text", "activities", "archive", "succession", "village_page", "channels", "help_pages", "style_page", "vendor", "api_tokens",
    "campaigns", "listen", "share", "feedback", "contributors", "followup",
    "emergency", "series_page", "planning",
    "own_account", "accounts", "delegations", "notices", "settings_pages", "dictionary",
)  # fmt: skip


def _clock() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings, *, db: Database | None = None, now: Callable[[], datetime] = _clock
) -> Flask:
    """The WSGI application.  `now` gives aware UTC; close with `app.extensions["broadcaster"].close()`."""
    app = APIFlask(
        __name__,
        title="Đài truyền thanh cơ sở",
        version="1",
        spec_path=None,
        docs_path=None,
        json_errors=False,
    )
    keys = load_keys(settings.keys)
    settings.var.mkdir(parents=True, exist_ok=True)
    parts = Deps(
        db=db or Database(settings.database_url),
        settings=settings,
        keys=keys,
        blobs=Blobs(settings.blobs_url),
        doorbell=Doorbell(settings.queue_url),
    )
    app.extensions["broadcaster"] = parts
    upload_bytes = settings.integer("web.max_upload_mb") * 1024 * 1024
    app.config.update(
        NOW=now,
        SECRET_KEY=keys.session_key,
        MAX_CONTENT_LENGTH=upload_bytes,
        MAX_FORM_MEMORY_SIZE=upload_bytes,
        SESSION_COOKIE_NAME="dai",
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=security.LONGEST_SESSION_H),
        WTF_CSRF_TIME_LIMIT=None,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    proxies = settings.integer("web.trusted_proxies")
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    words.install(app)
    uploads.install(app)
    security.install(app)
    errors.install(app)
    frame.install(app)
    compress.install(app)
    for name in SCREENS:
        app.register_blueprint(import_module(f"web.{name}").bp)
    _receivers_api(app, parts)
    api.install(app)
    return app


def _receivers_api(app: Flask, parts: Deps) -> None:
    """The players' own interface: it signs in by token, so forms' protection is not for it."""
    if importlib.util.find_spec("web.receivers_api") is None:
        return
    blueprint = import_module("web.receivers_api").blueprint(
        parts.db, parts.settings, parts.keys, parts.blobs
    )
    security.open_to_tokens(app, blueprint)
    app.register_blueprint(blueprint)
