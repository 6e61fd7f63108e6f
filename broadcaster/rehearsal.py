"""Getting programmes ready in the foreground, with somebody watching: the first start, `--once`, `--all`.

The same worker functions and the same clock tick as the real processes; only the order is decided here:
the nearest airing first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from broadcaster.config import Settings
from broadcaster.errors import SoundError
from broadcaster.model import AiringState, PlannedAiring, RenditionKind
from broadcaster.schedule.plan import next_airing, plan_days
from broadcaster.schedule.stationfile import approve_sample
from broadcaster.station import tick
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.queue import Doorbell
from broadcaster.store.tables import Airing, RenderJob, Station, TakeRow, VariantItem
from broadcaster.worker import Worker


@dataclass(frozen=True, slots=True)
class Ready:
    """A programme that stands ready on disk."""

    airing: PlannedAiring
    path: Path
    loudness_lufs: float
    true_peak_dbtp: float
