"""Whatever words a person puts into whatever field of whatever form: no error of ours, and shown as text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.web.test_web_guard import address, rules

WORDS = {
    "emoji, right to left, markup": "😀👩‍🌾 \u202eعربي\u202c <img src=x onerror=alert(9)><script>alert(9)</script>'\"{{7*7}}",
    "a name of three hundred letters": "Nguyễn" * 50,
}
FREE = ("text", "search", "tel", "email", "password", "")  # kinds of input that take any words
# What ends the session or the account that the test walks with.
NOT_PRESSED = re.compile(r"^/(dang-xuat|dang-nhap|tai-khoan-cua-toi)")


@dataclass
class Form:
    """A form of a page as a browser would send it."""

    action: str
    sent: dict[str, str] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)


class Forms(HTMLParser):
    """The POST forms of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._in: Form | None = None
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            post = has.get("method", "").lower() == "post"
            self._in = Form(has.get("action", "")) if post else None
            if self._in is not None:
                self.found.append(self._in)
        form, name = self._in, has.get("name", "")
        if form is None:
            return
        if tag == "textarea" and name or tag == "input" and name and has.get("type", "") in FREE:
            form.sent[name] = has.get("value", "")
            form.free.append(name)
        elif tag == "input" and name and has.get("type") != "file":
            if has.get("type") not in ("radio", "checkbox") or "checked" in has or name not in form.sent:
                form.sent[name] = has.get("value", "on")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in has or not form.sent.get(self._select)):
            form.sent[self._select] = has.get("value", "")
        elif tag == "button" and name and name not in form.sent:
            form.sent[name] = has.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in = None
        elif tag == "select":
            self._select = ""


def pages(world: Any) -> list[str]:
    """Every page of the screens that is read."""
    found = {
        address(world, rule)
        for rule, _ in rules(world)
        if (rule.methods or set()) & {"GET"} and "POST" not in (rule.methods or set())
    }
    return sorted(found | {"/ban-tin/moi", "/tai-khoan/moi", "/khan-cap"})


def held(where: str, text: str) -> None:
    assert "<img src=x" not in text, where
    assert "<script>alert(9)" not in text, where


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_any_words_in_every_field_of_every_form_are_answered_and_shown_as_text(
    world: Any, words: str
) -> None:
    """Some two hundred requests: the forms are those that the pages of the URL map show."""
    world.app.config["PROPAGATE_EXCEPTIONS"] = True
    browser = world.browser("quantri")
    forms: dict[str, Form] = {}
    for page in pages(world):
        answer = browser.get(page)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            for form in Forms(answer.text).found:
                if form.free and not NOT_PRESSED.match(form.action):
                    forms.setdefault(re.sub(r"\d+|[0-9a-f-]{30,}", "*", form.action or page), form)
                    form.action = form.action or page
    assert len(forms) >= 25, sorted(forms)
    for form in forms.values():
        sent = form.sent | dict.fromkeys(form.free, words)
        answer = browser.post(
            form.action, {name: value for name, value in sent.items() if name != "csrf_token"}
        )
        assert answer.status_code in (200, 303, 404, 409, 413, 422, 429), (form.action, answer.status_code)
        held(form.action, answer.text)
    for page in pages(world):
        answer = browser.get(page)
        assert answer.status_code != 500, page
        if answer.mimetype == "text/html":
            held(page, answer.text)


@pytest.mark.parametrize("page", ["/ban-tin", "/thon", "/nhac-hieu", "/cai-dat/tu-dien", "/tai-khoan"])
def test_a_search_typed_on_another_keyboard_finds_the_same(world: Any, page: str) -> None:
    """Some keyboards send "ồ" as three codes."""
    browser = world.browser("quantri")
    for words in ("Bình dân", "Đồng Lớn", "mở đầu", "cán bộ"):
        composed, apart = (
            browser.get(page, query_string={"tim": unicodedata.normalize(form, words)})
            for form in ("NFC", "NFD")
        )
        rows = [
            re.findall(
                r"<t[hd][^>]*>.*?</t[hd]>",
                re.sub(r'(href|value)="[^"]*"', "", answer.text),
                re.DOTALL,
            )
            for answer in (composed, apart)
        ]
        assert rows[0] == rows[1]
