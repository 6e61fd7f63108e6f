"""Somebody with a browser and no JavaScript: opens pages, fills in the forms that are there, presses buttons."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urljoin

import requests
from lxml import html


class Visitor:
    """A requests session that knows forms.  `page` is the last page as an lxml tree."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.web = requests.Session()
        self.answer: requests.Response | None = None

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_error: object) -> None:
        self.web.close()

    @property
    def page(self) -> html.HtmlElement:
        """The last page."""
        assert self.answer is not None
        return html.fromstring(self.answer.text)

    @property
    def text(self) -> str:
        """The words of the last page, on one line."""
        return " ".join(self.page.text_content().split())

    def open(self, path: str) -> Visitor:
        """GET a page; the test fails unless it is there."""
        self.answer = self.web.get(urljoin(self.address, path), timeout=30)
        assert self.answer.ok, f"{path}: {self.answer.status_code} {self.answer.text[:2000]}"
        return self

    def press(
        self,
        button: str,
        values: Mapping[str, str] | None = None,
        *,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        expect: int = 200,
    ) -> Visitor:
        """Fill in the form that holds the button with these words and send it, as a browser would."""
        form, pressed = self._find(button)
        fields = {name: value for name, value in form.fields.items() if value is not None and name}
        if pressed.get("name"):
            fields[pressed.get("name")] = pressed.get("value", "")
        unknown = set(values or {}) - set(form.fields.keys())
        assert not unknown, f"the form has no field {sorted(unknown)}; it has {sorted(form.fields.keys())}"
        fields.update(values or {})
        for name in files or {}:
            fields.pop(name, None)
        target = urljoin(self.answer.url, pressed.get("formaction") or form.action or "")  # type: ignore[union-attr]
        if form.method.upper() == "GET":
            self.answer = self.web.get(target, params=fields, timeout=60)
        else:
            self.answer = self.web.post(target, data=fields, files=files or None, timeout=60)
        assert self.answer.status_code == expect, f"{button}: {self.answer.status_code} {self.text[:1500]}"
        return self

    def _find(self, button: str) -> tuple[html.FormElement, html.HtmlElement]:
        for form in self.page.forms:
            for each in form.xpath(".//button | .//input[@type='submit']"):
                words = " ".join((each.text_content() or each.get("value", "")).split())
                if button in words:
                    return form, each
        seen = [" ".join(b.text_content().split()) for b in self.page.xpath("//button")]
        raise AssertionError(f"no button “{button}”; there are {seen}")
