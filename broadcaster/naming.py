"""Names that every device, address and file system can show."""

from __future__ import annotations

import re
import unicodedata


def plain_name(title: str, otherwise: str = "chuong-trinh") -> str:
    """'Buổi sáng' -> 'buoi-sang': at most 60 of a-z, 0-9 and dashes."""
    flat = unicodedata.normalize("NFD", title.lower().replace("đ", "d"))
    letters = "".join(letter for letter in flat if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:60].strip("-") or otherwise
