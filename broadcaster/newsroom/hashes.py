"""What an approval is bound to: SHA-256 of the text, of the reading, of a template's words."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from broadcaster.model import Reading


def text_sha256(text: str) -> str:
    """Hash of the text exactly as it is kept, in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def reading_sha256(reading: Reading) -> str:
    """Hash of all that decides what is heard: spoken words, rests, and what is left out."""
    return body_sha256(
        {
            "sentences": [[sentence.spoken, sentence.pause.value] for sentence in reading.sentences],
            "left_out": [[part.kind, part.written] for part in reading.left_out],
        }
    )


def body_sha256(body: Any) -> str:
    """Hash of JSON data, whatever the order of its keys."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
