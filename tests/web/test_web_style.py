"""The page of components shows all there are: whoever changes the stylesheet sees there what became of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

STYLESHEET = Path(__file__).parents[2] / "web" / "static" / "app.css"
# What the page cannot show in one place, and where it is seen instead.
ELSEWHERE = {
    "hidden": "shows nothing",
    "noprint": "differs on paper only",
    "qr-cards": "the sheet of cards, one page of its own",
    "sign-in": "the sign-in page's column",
    "job": "only names a place that htmx replaces",
}


def classes(css: str) -> set[str]:
    """Every class that a rule of the stylesheet names."""
    selectors = re.sub(r"\{[^{}]*\}", "{}", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    return set(re.findall(r"\.([a-zA-Z][\w-]*)", selectors))


def test_every_class_of_the_stylesheet_is_on_the_page_of_components(world: Any) -> None:
    page = world.browser("quantri").get("/style").text
    shown = {name for value in re.findall(r'class="([^"]*)"', page) for name in value.split()}
    wanted = classes(STYLESHEET.read_text(encoding="utf-8"))
    assert wanted - shown - set(ELSEWHERE) == set()
    assert set(ELSEWHERE) & shown == set(), "no longer elsewhere"
    assert set(ELSEWHERE) <= wanted, "no longer in the stylesheet"


def test_a_component_that_the_page_forgets_is_found() -> None:
    assert classes(".card > .new:hover { color: red } @media print { .old b { top: .5em } }") == {
        "card",
        "new",
        "old",
    }
