"""A person reads: an uploaded or browser-made recording becomes the voice of a bulletin or of a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from broadcaster.errors import InputError
from broadcaster.model import Pcm
from broadcaster.speech.brought import brought_sound
from broadcaster.speech.check import fault
from broadcaster.speech.sound import clipped_fraction, peak_db, rms_db

MAX_MINUTES: Final = 30.0
_SPEECH_DB: Final = -20.0  # mean level of a take; mastering measures again
_PEAK_DB: Final = -1.0


def recording(source: Path, *, max_minutes: float = MAX_MINUTES, sentence: str = "") -> Pcm:
    """Decode, trim, level and check a recording; mono float32 at the house rate.

    Given the `sentence` it replaces, its length is checked against it.  InputError says what is wrong:
    not sound, silent, too long, distorted, not that sentence.
    """
    pcm = brought_sound(source, max_minutes=max_minutes)
    if clipped_fraction(pcm.samples) > 0.005:
        raise InputError(f"Bản thu {source.name} bị vỡ tiếng; hãy để micrô xa hơn một chút rồi thu lại.")
    gain_db = min(_SPEECH_DB - rms_db(pcm.samples), _PEAK_DB - peak_db(pcm.samples))
    levelled = Pcm(pcm.samples * np.float32(10 ** (gain_db / 20)), pcm.sample_rate_hz)
    if sentence and (wrong := fault(levelled, sentence)) is not None:
        raise InputError(f"Bản thu {source.name} không hợp với câu này: {wrong}; hãy nghe lại rồi thu lại.")
    return levelled
