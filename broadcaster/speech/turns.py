"""Two voices of one engine that take turns: by item, and for the call sign.  Never inside one item."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

PARTNERS: Final = MappingProxyType(
    {
        "kokoro": "kokoro:nam-1",
        "kokoro:nu-1": "kokoro:nam-1",
        "kokoro:nam-1": "kokoro:nu-1",
        "edge": "edge:nam",
        "edge:nu": "edge:nam",
        "edge:nam": "edge:nu",
    }
)


def in_turn(chain: Sequence[str], turn: int) -> tuple[str, ...]:
    """The chain as it is for even turns; for odd ones each voice with a partner comes after that partner."""
    if turn % 2 == 0:
        return tuple(chain)
    found: list[str] = []
    for spec in chain:
        found += [one for one in (PARTNERS.get(spec), spec) if one is not None and one not in found]
    return tuple(found)
