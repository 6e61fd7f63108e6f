"""Text in the codes used before Unicode (TCVN3, VNI), recognised and converted."""

from __future__ import annotations


def convert(text: str) -> tuple[str, str]:
    """(text, note); the note is empty when nothing was converted."""
    return text, ""
