"""Numbers that Word writes by itself ("I.", "2.", "a)"): they are not in the text, but people hear them."""

from __future__ import annotations

import re
from typing import Any

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ROMAN = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


class Numbering:
    """Counts the numbered paragraphs of one document, in order."""

    def __init__(self, document: Any) -> None:
        self._abstract: dict[str, dict[int, tuple[str, str, int]]] = {}
        self._of: dict[str, str] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._styles: dict[str, Any] = {}
        for style in document.styles.element.iter(_W + "style"):
            self._styles[style.get(_W + "styleId", "")] = style
        try:
            root = document.part.numbering_part.element
        except (KeyError, NotImplementedError):  # a document without lists has no such part
            return
        for abstract in root.iter(_W + "abstractNum"):
            levels = {}
            for level in abstract.iter(_W + "lvl"):
                levels[int(level.get(_W + "ilvl", "0"))] = (
                    _value(level, "numFmt") or "decimal",
                    _value(level, "lvlText") or "",
                    int(_value(level, "start") or 1),
                )
            self._abstract[abstract.get(_W + "abstractNumId", "")] = levels
        for num in root.iter(_W + "num"):
            self._of[num.get(_W + "numId", "")] = _value(num, "abstractNumId") or ""

    def label(self, paragraph: Any) -> str:
        """What stands before the paragraph's words: "2. ", "a) ", "- " for a bullet, or nothing."""
        properties = self._properties(paragraph)
        if properties is None:
            return ""
        number = _value(properties, "numId") or "0"
        level = int(_value(properties, "ilvl") or 0)
        abstract = self._of.get(number, "")
        levels = self._abstract.get(abstract, {})
        if number == "0" or level not in levels:
            return ""
        kind, pattern, start = levels[level]
        if kind == "none":
            return ""
        if kind == "bullet":
            return "- "
        counts = self._counts.setdefault(abstract, {})
        counts[level] = counts.get(level, start - 1) + 1
        for deeper in [known for known in counts if known > level]:
            del counts[deeper]

        def shown(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            one_kind, _, one_start = levels.get(at, ("decimal", "", 1))
            return _written(counts.get(at, one_start), one_kind)

        text = re.sub(r"%(\d)", shown, pattern).strip()
        return text + " " if text else ""

    def _properties(self, paragraph: Any) -> Any:
        """The paragraph's own list, or its style's (styles may stand on styles)."""
        own = paragraph.find(f"{_W}pPr/{_W}numPr")
        if own is not None:
            return own
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        name = style.get(_W + "val", "") if style is not None else ""
        for _ in range(10):
            found = self._styles.get(name)
            if found is None:
                return None
            properties = found.find(f"{_W}pPr/{_W}numPr")
            if properties is not None:
                return properties
            name = _value(found, "basedOn") or ""
        return None


def _value(parent: Any, name: str) -> str | None:
    found = parent.find(_W + name)
    value = found.get(_W + "val") if found is not None else None
    return str(value) if value is not None else None


def _written(number: int, kind: str) -> str:
    if kind in ("upperRoman", "lowerRoman") and 0 < number < 40:
        said, left = "", number
        for value, sign in _ROMAN:
            while left >= value:
                said, left = said + sign, left - value
        return said if kind == "upperRoman" else said.lower()
    if kind in ("upperLetter", "lowerLetter") and 0 < number <= 26:
        return chr((65 if kind == "upperLetter" else 97) + number - 1)
    if kind == "decimalZero":
        return f"{number:02d}"
    return str(number)
