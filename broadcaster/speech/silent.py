"""A voice that says nothing for as long as the words would take: for tests, and to time a draft."""

from __future__ import annotations

from broadcaster.model import Pcm
from broadcaster.speech.sound import silence


class SilentVoice:
    """Silence of a real duration: the same words always last the same."""

    name = "silent"
    label = "giọng im lặng (chỉ để thử)"
    version = "1"

    def speak(self, sentence: str, *, speed: float = 1.0) -> Pcm:
        """0.23 s a syllable, 0.2 s a comma."""
        ms = 230 * len(sentence.split()) + 200 * sentence.count(",") + 100
        return silence(round(ms / speed))

    def available(self) -> str | None:
        """Always."""
        return None

    def close(self) -> None:
        """Nothing to end."""
