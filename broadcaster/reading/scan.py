"""What rules see and what they answer: a place in a text, and a piece that reads it.

A rule is a function `Place -> Piece | None`, asked at the first character of a token.  It may look to
the left and right of its place, and answers how far it read.  The first rule that answers wins, so
the order of a table of rules is its precedence ("ranges before dates").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

# Letters of Vietnamese by case: the range à-ỹ of Unicode mixes both.
UPPER = "A-ZÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝĂĐĨŨƠƯẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸ"
LOWER = UPPER.replace("A-Z", "").lower() + "a-z"

LOOK = 64  # how far a rule may look, in characters: context is near or it is not context


class Piece(NamedTuple):
    """`text[place:end]` is read `spoken`; `code` and `message` make it a warning."""

    end: int
    spoken: str
    rule: str
    alternatives: tuple[str, ...] = ()
    code: str = ""
    message: str = ""


class Place:
    """A position in a paragraph, with what stands before and after it; `last` is the piece read before it."""

    def __init__(self, text: str, pos: int, start: int, stop: int, last: Piece | None = None) -> None:
        self.text = text
        self.pos = pos
        self.start = start
        self.stop = stop
        self.last = last

    @cached_property
    def left(self) -> str:
        """Lower-case text before the place, at most LOOK characters of this paragraph."""
        return self.text[max(self.start, self.pos - LOOK) : self.pos].lower()

    @cached_property
    def before(self) -> str:
        """As `left`, case kept."""
        return self.text[max(self.start, self.pos - LOOK) : self.pos]

    def right(self, end: int) -> str:
        """Lower-case text after `end`, at most LOOK characters of this paragraph."""
        return self.text[end : min(self.stop, end + LOOK)].lower()

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """`pattern` at this place, inside the paragraph."""
        return pattern.match(self.text, self.pos, self.stop)


Rule = Callable[[Place], Piece | None]


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Compile `text`, in which `[:upper:]` and `[:lower:]` stand for Vietnamese letters inside brackets."""
    return re.compile(text.replace("[:upper:]", UPPER).replace("[:lower:]", LOWER), flags)


def words(*alternatives: str) -> str:
    """A pattern of whole words, written with | between them in any number of strings."""
    return r"(?<!\w)(?:" + "|".join(a.strip() for a in alternatives) + r")(?!\w)"


def ends_with(*alternatives: str) -> re.Pattern[str]:
    """A pattern for `left`: one of the words stands right before the place."""
    return re.compile(words(*alternatives) + r"[\s:\"“(]*$")


ORDINAL_LEFT = ends_with("thứ")  # a place in a row: the next number is "nhất", "tư"


def begins_with(*alternatives: str) -> re.Pattern[str]:
    """A pattern for `right`: one of the words follows."""
    return re.compile(r"[\s]*(?:" + "|".join(alternatives) + r")(?!\w)")
