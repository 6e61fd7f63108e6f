"""Getting programmes ready in the foreground, with somebody watching: the first start, `--once`, `--all`.

The same worker functions and the same clock tick as the real processes; only the order is decided here:
the nearest airing first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from broadcaster.model import PlannedAiring


@dataclass(frozen=True, slots=True)
class Ready:
    """A programme that stands ready on disk."""

    airing: PlannedAiring
    path: Path
    loudness_lufs: float
    true_peak_dbtp: float
