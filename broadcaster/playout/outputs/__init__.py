"""Where the sound goes: sound card, WAV file with a timeline, or nowhere; one contract for the three."""

from __future__ import annotations

from pathlib import Path

from broadcaster.errors import PlayerError
from broadcaster.playout.clock import Clock
from broadcaster.playout.outputs.contract import Output
from broadcaster.playout.outputs.deck import RATE_HZ, Deck, Ended, Samples
from broadcaster.playout.outputs.paced import SilentOutput, WavOutput
from broadcaster.playout.outputs.soundcard import SoundCard, playback_devices

__all__ = [
    "RATE_HZ",
    "Deck",
    "Ended",
    "Output",
    "Samples",
    "SilentOutput",
    "SoundCard",
    "WavOutput",
    "open_output",
    "playback_devices",
]


def open_output(spec: str, clock: Clock) -> Output:
    """`soundcard`, `soundcard:null` (measurements), `silent` or `wav:PATH`.  PlayerError otherwise.

    A missing card is no error here: the output says so in `fault` and looks for one again.
    """
    kind, _, rest = spec.partition(":")
    if kind == "soundcard" and rest in ("", "null"):
        return SoundCard(clock, null=rest == "null")
    if spec == "silent":
        return SilentOutput(clock)
    if kind == "wav" and rest:
        return WavOutput(Path(rest), clock)
    raise PlayerError(f"Đầu ra “{spec}” không có. Hãy chọn soundcard, silent hoặc wav:ĐƯỜNG_DẪN.")
