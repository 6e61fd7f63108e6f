"""Which edition of an embedded voice speaks: its 256 numbers, the model, the colours of its sounds, and our rules.

An audition judged one edition; a cached sentence belongs to one.  Loads no engine: the web asks too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from broadcaster.errors import VoiceError

SOUND_VERSION = "10"  # raise whenever the same words would sound otherwise


def edition(*, pitch_hz: float, accent: str, style: Sequence[float], table: str | None) -> str:
    """A short name that changes whenever the same words would sound otherwise; `table` names its colours, None the usual ones."""
    from broadcaster.speech.kokoro import colours, model  # bring numpy: only where somebody asks

    numbers = f"{SOUND_VERSION}|{pitch_hz}|{accent}|{tuple(style)}|{model.SOURCE_SHA256}|{model.CUT}|{colours.hash_of(table or colours.USUAL)}"
    return f"{SOUND_VERSION}-{hashlib.sha256(numbers.encode()).hexdigest()[:12]}"


def edition_of_file(file: Path) -> str:
    """The same from `audio/voices/NAME.json`; VoiceError when it is not a voice."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        return edition(
            pitch_hz=float(raw["pitch_hz"]),
            accent=str(raw.get("accent", "bắc")),
            style=[float(number) for number in raw["style"]],
            table=raw.get("colours"),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VoiceError(f"Tệp giọng {file.name} bị hỏng ({error}); hãy chép lại từ bản cài đặt.") from error
