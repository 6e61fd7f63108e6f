"""Every page says on PostgreSQL what it says on SQLite."""

from __future__ import annotations

import difflib
import re
import shutil
from pathlib import Path
from typing import Any

from broadcaster.config import load
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from tests.support.databases import ORIGINALS
from tests.support.web_station import build
from tests.web.conftest import opened
from tests.web.test_web_guard import address, rules

# Attributes and hashes hold names drawn by lot, and form tokens; what people read does not.
BY_LOT = re.compile(r' [a-z-]+="[^"]*"|[0-9a-f]{16,}|[0-9a-f-]{36}|/t/\w+')
OF_THE_MACHINE = "/cai-dat/may"  # it shows the folder and the database, which differ


def test_every_page_says_on_postgresql_what_it_says_on_sqlite(world: Any, tmp_path: Path) -> None:
    wanted = pages(world)
    with ORIGINALS.copy_url("postgresql", tmp_path) as url:
        home = tmp_path / "postgresql"
        shutil.copytree(world.settings.home / "var", home / "var", ignore=shutil.ignore_patterns("*.db*"))
        db = Database(url)
        made = build(db, Blobs(load(environ={}, home=home).blobs_url))
        db.dispose()
        with opened(home, made, store__database_url=url) as other:
            found = pages(other)
    assert len(wanted) > 80
    assert set(found) == set(wanted)
    differing = {}
    for rule, (status, text) in wanted.items():
        if found[rule] != (status, text):
            lines = difflib.unified_diff(text.splitlines(), found[rule][1].splitlines(), lineterm="", n=0)
            differing[rule] = [found[rule][0], *list(lines)[2:6]]
    assert not differing, "\n".join(f"{rule}: {lines}" for rule, lines in differing.items())


def pages(world: Any) -> dict[str, tuple[int, str]]:
    """Status and text of every page an administrator may open, without what is drawn by lot."""
    browser = world.browser("quantri")
    said = {}
    for rule, _ in rules(world):
        if "GET" not in (rule.methods or ()) or rule.rule == OF_THE_MACHINE:
            continue
        answer = browser.get(address(world, rule))
        text = answer.text if answer.mimetype in ("text/html", "text/csv", "text/calendar") else ""
        said[rule.rule] = (answer.status_code, BY_LOT.sub("", text))
    return said
