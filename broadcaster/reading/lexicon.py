"""The three dictionaries, nearest wins: this place, this bulletin, this station.  Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Dialect(StrEnum):
    """How numbers are said."""

    NORTHERN = "northern"  # nghìn, linh, hai mươi tư
    SOUTHERN = "southern"  # ngàn, lẻ, hai mươi bốn


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Station-wide reading: `entries` (written → spoken, plain words), dialect, "mùng" before days 1–10.

    `bulletin` holds the words of one bulletin and wins over `entries`; the answers given to `read`
    (this place) win over both.
    """

    entries: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    dialect: Dialect = Dialect.NORTHERN
    mung: bool = True
    bulletin: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


DEFAULT = Lexicon()
