"""One root error.  Each message is a Vietnamese sentence for the person it reaches, with what to do next.

BroadcasterError
├── InputError          what was typed, uploaded or asked for cannot be used
│   ├── ReadingBlocked  the text still has unanswered warnings
│   └── NotFound        no such thing here
├── Refused             a rule of the station forbids it (approval, policy, rights)
│   └── Conflict        somebody else moved it meanwhile
├── ConfigError         broadcaster.toml or the environment
├── VoiceError          no engine could speak
├── SoundError          ffmpeg, decoding, mastering
├── StoreError          database or files (full disk, newer schema)
└── PlayerError         the player's device, manifest or ledger
"""

from __future__ import annotations


class BroadcasterError(Exception):
    """Root of every error a person may see; `str(error)` is the sentence to show."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InputError(BroadcasterError):
    """What was typed, uploaded or asked for cannot be used."""


class ReadingBlocked(InputError):
    """The text still has warnings that a person must answer."""


class NotFound(InputError):
    """No such thing on this station."""


class Refused(BroadcasterError):
    """A rule of the station forbids it; `remedies` are ways out, each a short sentence."""

    def __init__(self, message: str, *, remedies: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.remedies = remedies


class Conflict(Refused):
    """Somebody else changed it meanwhile; nothing of either side is lost."""


class ConfigError(BroadcasterError):
    """A setting is unknown or has an impossible value."""


class VoiceError(BroadcasterError):
    """An engine, or every engine of the chain, could not speak."""


class SoundError(BroadcasterError):
    """Sound could not be decoded, mixed, mastered or encoded."""


class StoreError(BroadcasterError):
    """The database or the files cannot be read or written."""


class PlayerError(BroadcasterError):
    """The player's device, manifest or ledger is not usable."""
