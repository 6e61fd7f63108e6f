"""Is this the sound of that sentence?  A machine's answer, before a person's."""

from __future__ import annotations

from typing import Final

import numpy as np

from broadcaster.model import Pcm
from broadcaster.speech.sound import clipped_fraction, rms_db

_SHORTEST_S, _LONGEST_S, _SLACK_S = 0.06, 1.2, 2.5
_SILENT_DB: Final = -55.0
_CLIPPED: Final = 0.005


def syllables(sentence: str) -> int:
    """Words with a letter or digit in them: in Vietnamese, a word between spaces is a syllable."""
    return sum(any(letter.isalnum() for letter in word) for word in sentence.split())


def fault(pcm: Pcm, sentence: str, *, speed: float = 1.0, may_be_silent: bool = False) -> str | None:
    """Why this cannot be the sentence (a Vietnamese clause), or None.

    Looks at: any sound at all, numbers that are numbers, duration against the number of syllables, level,
    flat tops.
    """
    count = syllables(sentence)
    if not len(pcm.samples):
        return "không có âm thanh"
    if not bool(np.isfinite(pcm.samples).all()):
        return "âm thanh hỏng"
    seconds = len(pcm.samples) / pcm.sample_rate_hz * speed
    if seconds < _SHORTEST_S * count:
        return f"quá ngắn ({seconds:.1f} giây cho {count} tiếng)"
    if seconds > _LONGEST_S * count + _SLACK_S:
        return f"quá dài ({seconds:.1f} giây cho {count} tiếng)"
    if not may_be_silent and count and rms_db(pcm.samples) < _SILENT_DB:
        return "im lặng"
    if clipped_fraction(pcm.samples) > _CLIPPED:
        return "méo tiếng (quá to)"
    return None
