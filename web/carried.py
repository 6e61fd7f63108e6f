"""Nothing typed is lost when a session has ended: a form that came too late is carried through the sign-in.

What was typed travels in the browser's own pages, never in the database: nobody knows yet whose it is.  Only
forms of this very site are carried, and only those that hold a text; a person presses once more to send it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import render_template, request

KEPT = frozenset(
    (
        "compose.save",
        "bulletins.create",
        "compose.send",
        "approve.send_back",
        "emergency.ask",
        "recordings.add",
    )
)
SECRET = ("csrf_token", "password")


@dataclass(frozen=True, slots=True)
class Carried:
    """A form on its way: where it was sent to, and its fields in order (a file cannot travel)."""

    path: str
    fields: tuple[tuple[str, str], ...]
    had_file: bool = False

    @property
    def text(self) -> str:
        """The longest of what was typed: what somebody wants to see again."""
        return max((value for _, value in self.fields), key=len, default="")

    def packed(self) -> str:
        """As one value of a hidden field."""
        return json.dumps([self.path, self.fields, self.had_file], ensure_ascii=False)


def of_this_request() -> Carried | None:
    """The form that has just been sent, when it may be carried."""
    if request.method != "POST" or request.endpoint not in KEPT or not _same_site():
        return None
    fields = tuple((name, value) for name, value in request.form.items(multi=True) if name not in SECRET)
    return Carried(request.path, fields, any(file.filename for file in request.files.values()))


def unpacked(text: str) -> Carried | None:
    """What a sign-in brings along; None when it is nothing or not ours."""
    try:
        path, fields, had_file = json.loads(text)
        pairs = tuple((str(name), str(value)) for name, value in fields)
    except (ValueError, TypeError):
        return None
    parts = urlsplit(str(path))
    if parts.scheme or parts.netloc or not str(path).startswith("/") or str(path).startswith(("//", "/\\")):
        return None
    return Carried(str(path), pairs, bool(had_file))


def go_on(carried: Carried) -> str:
    """The page that sends it at last, with a fresh token."""
    return render_template("carried.html", carried=carried)


def _same_site() -> bool:
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host
