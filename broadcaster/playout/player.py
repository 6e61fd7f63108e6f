"""The player as a whole: pairing, ledger, output and clock wired to the loop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from broadcaster.config import Settings
from broadcaster.errors import PlayerError
from broadcaster.playout.clock import Clock, GivenClock, SystemClock
from broadcaster.playout.journal import Ledger
from broadcaster.playout.loop import Player
from broadcaster.playout.outputs import open_output
from broadcaster.playout.pairing import Pairing, adopt, pair, read_pairing, write_pairing
from broadcaster.system import file_lock

__all__ = [
    "Clock",
    "GivenClock",
    "Player",
    "SystemClock",
    "player_folder",
    "run_player",
    "write_pairing",
]

_HAND_OVER_S: Final = 10.0  # for a player that is just being stopped


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
    with _alone(place):
        ledger = Ledger(place / "ledger.db")
        try:
            known = _paired(settings, place, ledger, server=server, token=token, pairing_code=pairing_code)
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


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Two players on one ledger would each take the other's airing for one that a crash has cut."""
    with ExitStack() as held:
        try:
            held.enter_context(file_lock(place / "running.lock", timeout_s=_HAND_OVER_S))
        except TimeoutError as error:
            raise PlayerError(
                f"Máy phát đang chạy rồi trên máy này (thư mục {place}). Hãy dừng máy phát kia trước; "
                "xem bằng lệnh: python -m broadcaster service status."
            ) from error
        yield


def _paired(
    settings: Settings,
    place: Path,
    ledger: Ledger,
    *,
    server: str | None,
    token: str | None,
    pairing_code: str | None,
) -> Pairing:
    """Which station it plays for; PlayerError while it belongs to none."""
    address = server or settings.text("player.server")
    given = token or settings.text("player.token")
    known, sequence = read_pairing(place), None
    if pairing_code:
        known, sequence = pair(address or settings.base_url, pairing_code, place)
    elif known is None and address and given:
        known, sequence = adopt(address, given, place)
    if known is None:
        raise PlayerError(
            "Máy phát này chưa ghép nối với đài nào. Hãy lấy mã ở trang Máy thu của đài rồi chạy: "
            "python -m broadcaster play --server ĐỊA_CHỈ --pair MÃ"
        )
    if not pairing_code:
        other = given not in ("", known.token)  # a token of one's own may be another receiver's
        known = replace(
            known, server=(address or known.server).rstrip("/"), token=given or known.token,
            receiver="" if other else known.receiver,
        )  # fmt: skip
    ledger.belong(known.receiver)
    if sequence is not None:
        ledger.agree(sequence)
    return known
