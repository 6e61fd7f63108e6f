"""No word on any page that is neither a Vietnamese syllable nor in `tests/allowed_words.txt`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lxml import html

from broadcaster.reading.syllables import is_syllable
from tests.web.test_web_guard import address, rules

ALLOWED = {
    line.strip().casefold()
    for line in (Path(__file__).resolve().parents[1] / "allowed_words.txt")
    .read_text(encoding="utf-8")
    .splitlines()
    if line.strip() and not line.startswith("#")
}
WORD = re.compile(r"[^\W\d_]+")
SAID = ("aria-label", "title", "placeholder", "alt")
# Addresses, commands and codes are no words: they stand in these.
NOT_WORDS = "//script|//style|//code|//pre|//*[contains(concat(' ', @class, ' '), ' mono ')]|//*[contains(@class, 'code')]"


def words(text: str) -> set[str]:
    """The words somebody sees or hears on a page."""
    page = html.fromstring(text)
    for node in page.xpath(NOT_WORDS):
        node.drop_tree()
    seen = [*page.itertext(), *(value for name in SAID for value in page.xpath(f"//@{name}"))]
    plain = re.sub(r"\S+@\S+|\S+/\S+|\S+\.\w{2,}\S*", " ", " ".join(seen))
    return {word for word in WORD.findall(plain) if len(word) > 1}


def test_every_visible_word_is_vietnamese_or_allowed(world: Any) -> None:
    strange: dict[str, set[str]] = {}
    reader, anonymous = world.browser("quantri"), world.browser()
    for rule, needs in rules(world):
        if "GET" not in (rule.methods or set()) or "POST" in (rule.methods or set()):
            continue
        if rule.endpoint.startswith(("api_docs.", "api_tokens.")):
            continue
        answer = (reader if needs else anonymous).get(address(world, rule))
        if answer.mimetype != "text/html" or not answer.data:
            continue
        for word in words(answer.text):
            if not is_syllable(word) and word.casefold() not in ALLOWED:
                strange.setdefault(word, set()).add(rule.rule)
    assert not strange, "\n".join(f"{word}: {sorted(where)[:2]}" for word, where in sorted(strange.items()))
