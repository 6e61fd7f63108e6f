"""Help: one Markdown page a role from docs/help, shown as it is written."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Blueprint, render_template, send_from_directory
from flask.typing import ResponseReturnValue
from markdown_it import MarkdownIt
from markupsafe import Markup

from broadcaster.config import CHECKOUT
from broadcaster.errors import NotFound
from web.security import public

bp = Blueprint("help_pages", __name__, url_prefix="/huong-dan")
FOLDER = CHECKOUT / "docs" / "help"


@bp.get("")
@public
def contents() -> ResponseReturnValue:
    """The list of pages."""
    return render_template("help.html", pages=_pages(FOLDER))


@bp.get("/<name>")
@public
def page(name: str) -> ResponseReturnValue:
    """One page."""
    if name not in _pages(FOLDER):
        raise NotFound("Không có trang hướng dẫn này. Hãy mở mục lục hướng dẫn.")
    # html=False: what stands in the file as a tag is shown as text.
    body = (
        MarkdownIt("commonmark", {"html": False})
        .enable("table")
        .render((FOLDER / f"{name}.md").read_text(encoding="utf-8"))
    )
    return render_template("help_page.html", title=_pages(FOLDER)[name], body=Markup(body))  # noqa: S704


@bp.get("/hinh/<name>")
@public
def picture(name: str) -> ResponseReturnValue:
    """One picture of a page, made by `scripts/screenshots.py`."""
    return send_from_directory(FOLDER / "hinh", f"{name.removesuffix('.webp')}.webp", mimetype="image/webp")


@cache
def _pages(folder: Path) -> dict[str, str]:
    """Name and first heading of every page, in order of name."""
    found = {}
    for path in sorted(folder.glob("*.md")):
        first = path.read_text(encoding="utf-8").lstrip().splitlines()
        found[path.stem] = first[0].lstrip("# ").strip() if first else path.stem
    return found
