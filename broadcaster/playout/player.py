"""The player as a whole: pairing, ledger, output and clock wired to the loop."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

from broadcaster.config import Settings
from broadcaster.errors import PlayerError
from broadcaster.playout.clock import Clock, GivenClock, SystemClock
from broadcaster.playout.journal import Ledger
from broadcaster.playout.loop import Player
from broadcaster.playout.outputs import open_output
from broadcaster.playout.pairing import Pairing, adopt, pair, read_pairing, write_pairing

__all__ = [
    "Clock",
    "GivenClock",
    "Player",
    "SystemClock",
    "player_folder",
    "run_player",
    "write_pairing",
]


def player_folder(settings: Settings) -> Path:
    """Where a player keeps its pairing, manifest, audio and ledger."""
    return settings.var / "player"


def run_player(
    settings: Settings,
    *,
    server: str | None = None,
    token: str | None = None,
    output: str | None = None,
    clock: Clock,
    stop: threading.Event,
    until: datetime | None = None,
    pairing_code: str | None = None,
    folder: Path | None = None,
    upload: bool = True,
) -> None:
    """Play until `stop` is set or the clock reaches `until`.

    `server`, `token` and `output` win over the settings, these over `pairing.json`.  With a GivenClock
    plan and files are fetched once before the clock starts.  A rehearsal uses a `folder` of its own and
    `upload=False`, so that it is neither a real airing nor in a report.  PlayerError when this machine is
    not paired, or the ledger cannot be opened.
    """
    place = folder or player_folder(settings)
    place.mkdir(parents=True, exist_ok=True)
    address = server or settings.text("player.server")
    ledger = Ledger(place / "ledger.db")
    try:
        given = token or settings.text("player.token")
        known = read_pairing(place)
        if pairing_code:
            known, sequence = pair(address or settings.base_url, pairing_code, place)
            ledger.agree(sequence)
        elif known is None and address and given:
            known, sequence = adopt(address, given, place)
            ledger.agree(sequence)
        if known is None:
            raise PlayerError(
                "Máy phát này chưa ghép nối với đài nào. Hãy lấy mã ở trang Máy thu của đài rồi chạy: "
                "python -m broadcaster play --server ĐỊA_CHỈ --pair MÃ"
            )
        if not pairing_code:
            known = Pairing((address or known.server).rstrip("/"), given or known.token, known.public_key)
        out = open_output(output or settings.text("player.output"), clock)
        try:
            player = Player(
                settings, place, known, ledger=ledger, output=out, clock=clock, upload=upload,
                threads=not isinstance(clock, GivenClock),
            )  # fmt: skip
            player.run(stop, until)
        finally:
            out.close()
    finally:
        ledger.close()
