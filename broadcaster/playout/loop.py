"""The player's main loop: look, decide, commit, sound.

It opens the last good manifest and plays from it, the ledger and the output alone; `sync` brings news in
threads of its own.  A network, a server or a renderer that dies changes nothing here.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from broadcaster import __version__
from broadcaster.config import Settings
from broadcaster.errors import PlayerError
from broadcaster.model import AsRunEvent, Priority
from broadcaster.playout.book import Book
from broadcaster.playout.clock import Clock, GivenClock
from broadcaster.playout.decide import ASLEEP, Action, Close, Start, Stop, decide, needed_soon, next_instant
from broadcaster.playout.held import HeldAudio, HeldManifest
from broadcaster.playout.journal import Ledger
from broadcaster.playout.outputs import RATE_HZ, Output
from broadcaster.playout.outputs.deck import FADE, Samples
from broadcaster.playout.pairing import Pairing
from broadcaster.playout.plan import AudioFile, Journal, Manifest, ToPlay, reaching_back
from broadcaster.playout.sound import Shelf
from broadcaster.playout.sync import Link, Sync
from broadcaster.playout.trust import Trust

_LOG = logging.getLogger(__name__)
_TICK_S, _CLOSE_TICK_S = 1.0, 0.05
_TROUBLE_TICK_S: Final = 0.2  # shorter than an airing is cued ahead: a ledger that comes back is in time
_ALIVE_S: Final = 10.0
_PROGRESS_S: Final = 5.0
ABSENCES_KEPT: Final = 50
DEVICE_LOST: Final = "Card âm thanh ngừng giữa buổi."
LEDGER_BROKEN: Final = "Sổ của máy phát bị hỏng khi đang chạy. Máy phát dừng để mở sổ mới khi chạy lại."
SILENT_PROGRAMME: Final = "Chương trình vừa phát không có tiếng. Hãy nghe lại bản ghi ở đài."


class Player:
    """One output, one ledger, one manifest.

    `threads=False`: nothing runs beside the caller's `tick` and `sync_once` (a given clock, a simulation).
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        pairing: Pairing,
        *,
        ledger: Ledger,
        output: Output,
        clock: Clock,
        upload: bool = True,
        threads: bool = True,
        audio: HeldAudio | None = None,
        link: Callable[[Pairing, str], Link] | None = None,
    ) -> None:
        self._clock, self._output, self._ledger = clock, output, ledger
        self._folder, self._threads = folder, threads
        self._early = settings.integer("player.early_volume_percent")
        self._wake = threading.Event()
        self._held = HeldManifest(folder, pairing.public_key, pairing.receiver)
        budget = settings.integer("player.disk_mb") * 1_000_000
        self._audio = audio or HeldAudio(folder / "audio", budget_bytes=budget)
        self._shelf = Shelf(self._audio.path, threaded=threads, changed=self._wake.set)
        self._sync = Sync(
            pairing,
            held=self._held,
            audio=self._audio,
            ledger=ledger,
            doorbell_s=settings.number("player.doorbell_s"),
            health=self.health,
            changed=self._wake.set,
            measured=self._measured,
            upload=upload,
            mqtt_url=settings.text("mqtt.url"),
            **({} if link is None else {"link": link}),
        )
        now = clock.now()
        with suppress(PlayerError):  # a ledger that takes nothing is told where something is claimed in it
            ledger.succeed(self._held.manifest is not None)
        self._book, self._judged = Book(ledger), self._held.manifest
        self._born = ledger.born_at()
        self._trust = Trust(ledger.floor() or now)
        self._since = ledger.last_alive() or self._born or now
        self._opened = self._opened_at(now)
        self._absences = ledger.absences()
        self._sounding: str | None = None
        self._base_ms: dict[str, int] = {}  # where in the programme the clip in the output began
        self._volume = 0
        self._alive_at = self._progress_at = float("-inf")
        self._trouble = ""
        self._quiet = ""

    # ------------------------------------------------------------------------------------ the loop

    def run(self, stop: threading.Event, until: datetime | None = None) -> None:
        """Look and act until told to stop; what sounds then is written down as interrupted."""
        if self._threads:
            self._sync.start()
        else:
            self._sync.once()
        try:
            while not stop.is_set():
                rest_s = self.tick()
                if self._ledger.broken and self._sounding is None:
                    raise PlayerError(LEDGER_BROKEN)  # the next life begins with a new one
                now = self._clock.now()
                if until is not None:
                    if now >= until:
                        break
                    rest_s = min(rest_s, (until - now).total_seconds())
                self._clock.wait(self._wake, rest_s)
            self.leave()
        finally:
            self.close()

    def close(self) -> None:
        """End the threads; without them, say the last word to the station."""
        self._shelf.close()
        if not self._threads:
            self._sync.once()
        self._sync.close()

    @property
    def sounding(self) -> str | None:
        """The airing in the output, cued ones included."""
        return self._sounding

    def sync_once(self) -> None:
        """Plan, files and as-run now, in the caller's thread."""
        self._sync.once()

    def tick(self) -> float:
        """One look; returns seconds until the next one is due."""
        now, held = self._clock.now(), self._held.manifest
        manifest = reaching_back(held, self._judged)
        self._book.settle()
        self._collect(now)
        self._output.tend()
        self._trust.judge(
            now, self._clock.monotonic(), self._clock.since_boot(), manifest.issued_at if manifest else None
        )
        self._be_born(now, manifest)
        self._note_absence(now)
        self._shelf.want(self._wanted(now, manifest))
        journal = self._journal(now, manifest)
        for action in decide(now, self._since, manifest, journal):
            self._carry_out(action, manifest)
        self._remember(now)
        if self._trust.believed:
            self._since, self._judged = now, held
        if self._book.trouble != self._trouble:
            self._trouble = self._book.trouble
            _LOG.error("%s", self._trouble or "Sổ của máy phát ghi lại được.")
        if self._sounding is not None:
            return _CLOSE_TICK_S
        if self._trouble:
            return _TROUBLE_TICK_S
        coming = next_instant(now, manifest, journal)
        if coming is None:
            return _TICK_S
        return min(_TICK_S, max((coming - now).total_seconds(), 0.001))

    def health(self) -> dict[str, Any]:
        """What the heartbeat says (`docs/api/heartbeat.schema.json`)."""
        manifest = self._held.manifest
        alarms = [
            self._output.fault,
            self._trouble,
            self._quiet,
            self._ledger.damaged,
            self._held.damaged,
            self._shelf.bad(),
        ]
        if not self._trust.believed:
            alarms.append("Đồng hồ của máy phát không đáng tin; chỉ phát khẩn cấp.")
        alarms += self._sync.problems()
        return {
            "at": self._clock.now().isoformat(),
            "software": __version__,
            "epoch": manifest.epoch if manifest else 0,
            "version": manifest.version if manifest else 0,
            "cached_until": self._cached_until(manifest),
            "disk_free_mb": shutil.disk_usage(self._folder).free // 1_000_000,
            "clock_offset_s": None if self._trust.offset_s is None else round(self._trust.offset_s, 3),
            "volume_percent": self._volume,
            "output": self._output.name,
            "sounding": self._sounding,
            "alarms": [alarm for alarm in dict.fromkeys(alarms) if alarm],
        }

    # ------------------------------------------------------------------------------------ looking

    def _opened_at(self, now: datetime) -> datetime | None:
        if not self._trust.believed:
            return None
        try:
            return self._ledger.opened_at(now)
        except PlayerError:
            return None

    def _be_born(self, now: datetime, manifest: Manifest | None) -> None:
        """What was due before the first plan was made is not this player's business."""
        if not self._trust.believed or manifest is None or (self._born is not None and self._born <= now):
            return
        # a new memory card must not play again what the one before it may have played
        first = self._ledger.first_of_its_receiver()
        born = min(now, manifest.issued_at if first else self._opened or now)
        try:
            self._ledger.born(born)
        except PlayerError as error:
            self._book.trouble = error.message
            return
        if self._born is None:
            self._since = min(self._since, born)
        self._born = born

    def _note_absence(self, now: datetime) -> None:
        """What a plan that comes later says of this stretch could not be played: nobody was there."""
        if not self._trust.believed or self._trust.stepped or now - self._since <= ASLEEP:
            return
        if self._born is None or self._trust.lost is not None and self._trust.lost[1] == now:
            return  # before the first plan, and while a clock was not believed, it was there
        self._absences = (*self._absences, (self._since, now))[-ABSENCES_KEPT:]
        self._book.absent(self._absences)

    def _journal(self, now: datetime, manifest: Manifest | None) -> Journal:
        return Journal(
            born_at=self._born or now,
            records=self._book.records(one.id for one in manifest.airings) if manifest else {},
            sounding=self._sounding,
            ready=self._shelf.ready(),
            held=self._audio.hashes(),
            trusted=self._trust.believed,
            floor=self._trust.floor,
            clock_lost=self._trust.lost,
            stepped=self._trust.stepped,
            absences=self._absences,
            fault=self._output.fault,
            unwritable=self._book.trouble,
            trouble=next(iter(self._sync.problems()), ""),
            early_volume_percent=self._early,
        )

    def _measured(self, station_now: datetime) -> None:
        """The station's Date, as the sync thread saw it (whole seconds: half a second of doubt)."""
        if not isinstance(self._clock, GivenClock):
            self._trust.measured(station_now + timedelta(seconds=0.5), self._clock.since_boot())

    def _wanted(self, now: datetime, manifest: Manifest | None) -> list[AudioFile]:
        """What must be decoded now: alert clips, what comes soon, what may still start or go on."""
        if manifest is None:
            return []
        if not self._trust.believed:  # the same earliest possible instant that an emergency is judged by
            now = max(now, manifest.issued_at, self._trust.floor)
        return needed_soon(now, manifest)

    def _remember(self, now: datetime) -> None:
        at = self._clock.monotonic()
        if self._trust.believed and at - self._alive_at >= _ALIVE_S:
            self._book.alive(now)
            self._trust.wrote(now)
            self._alive_at = at
        if self._sounding is not None and at - self._progress_at >= _PROGRESS_S:
            self._book.progress(self._sounding, self._heard_ms(self._sounding))
            self._progress_at = at

    def _cached_until(self, manifest: Manifest | None) -> str | None:
        """Up to when every airing of the manifest is on disk."""
        if manifest is None:
            return None
        held = self._audio.hashes()
        missing = [
            airing.planned_at
            for airing in manifest.airings
            if airing.file is not None
            and airing.file.sha256 not in held
            and airing.planned_at >= manifest.issued_at
        ]
        return min(missing, default=manifest.valid_until).isoformat()

    # ------------------------------------------------------------------------------------ acting

    def _carry_out(self, action: Action, manifest: Manifest | None) -> None:
        if isinstance(action, Start):
            airing = manifest.airing(action.airing_id) if manifest is not None else None
            assert airing is not None, "only what the manifest names is started"
            self._start(action, airing, manifest)
        elif isinstance(action, Stop):
            self._stop(action)
        else:
            self._close(action)

    def _start(self, action: Start, airing: ToPlay, manifest: Manifest | None) -> None:
        samples = self._samples(action, airing, manifest)
        if samples is None or airing.file is None:
            return
        if action.resumed:
            agreed = self._book.resume(airing.id, at=action.at, offset_ms=action.offset_ms)
        else:
            agreed = self._book.begin(airing, at=action.at, reason=action.reason)
        if not agreed:
            return
        self._output.play_at(airing.id, samples, action.at, gain=action.volume_percent / 100)
        alert_ms = 0
        if not action.resumed and airing.priority is Priority.EMERGENCY:
            alert_ms = len(self._alert(manifest)) * 1000 // RATE_HZ
        self._base_ms[airing.id] = action.offset_ms - alert_ms
        self._sounding, self._volume = airing.id, action.volume_percent
        self._progress_at = self._clock.monotonic()
        _LOG.info("%s: %s at %s", airing.title, "goes on" if action.resumed else "starts", action.at)
        self._sync.report_soon()

    def _samples(self, action: Start, airing: ToPlay, manifest: Manifest | None) -> Samples | None:
        """The sound from the offset on; an emergency has the alert before it."""
        whole = self._shelf.get(airing.file.sha256) if airing.file is not None else None
        if whole is None:
            return None
        if action.resumed:
            rest: Samples = whole[action.offset_ms * RATE_HZ // 1000 :].copy()
            ramp = min(FADE, len(rest))
            rest[:ramp] *= np.linspace(0.0, 1.0, ramp, dtype=np.float32)
            return rest
        if airing.priority is Priority.EMERGENCY:
            return np.concatenate([self._alert(manifest), whole])
        return whole

    def _alert(self, manifest: Manifest | None) -> Samples:
        for clip in manifest.clips if manifest is not None else ():
            samples = self._shelf.get(clip.sha256)
            if samples is not None:
                return samples
        return np.zeros(0, dtype=np.float32)

    def _stop(self, action: Stop) -> None:
        heard = self._output.stop_at(action.at).get(action.airing_id, 0)
        offset = max(0, self._base_ms.get(action.airing_id, 0) + heard)
        self._book.end(action.airing_id, action.event, at=action.at, offset_ms=offset, reason=action.reason)
        if self._sounding == action.airing_id:
            self._sounding = None
        self._sync.report_soon()

    def _close(self, action: Close) -> None:
        self._book.end(
            action.airing_id, action.event, at=action.at, offset_ms=action.offset_ms, reason=action.reason
        )
        _LOG.info("%s %s: %s", action.airing_id, action.event, action.reason)
        self._sync.report_soon()

    def _heard_ms(self, airing_id: str) -> int:
        return max(0, self._base_ms.get(airing_id, 0) + self._output.heard_ms(airing_id))

    def _collect(self, now: datetime) -> None:
        """Write down what came to its end in the output, and what a lost device silenced."""
        for ended, at in self._output.ended():
            if ended.key != self._sounding:
                continue
            offset = max(0, self._base_ms.get(ended.key, 0) + ended.sounded * 1000 // RATE_HZ)
            if not ended.whole:  # nobody here cut it
                self._end(AsRunEvent.INTERRUPTED, now, offset, self._output.fault or DEVICE_LOST)
                continue
            # the level is watched, not the process: a second without one sample is no programme
            silent = ended.peak == 0.0 and self._volume > 0 and ended.sounded > RATE_HZ
            self._quiet = SILENT_PROGRAMME if silent else ""
            self._end(AsRunEvent.FINISHED, at, offset, self._quiet)
        if self._sounding is not None and self._output.fault:
            offset = self._heard_ms(self._sounding)
            self._output.stop_at(now)
            self._end(AsRunEvent.INTERRUPTED, now, offset, self._output.fault)

    def _end(self, event: AsRunEvent, at: datetime, offset_ms: int, reason: str) -> None:
        """What sounds has ended by itself."""
        assert self._sounding is not None, "only what sounds can end"
        self._book.end(self._sounding, event, at=at, offset_ms=offset_ms, reason=reason)
        self._sounding = None
        self._sync.report_soon()

    def leave(self) -> None:
        """Told to stop while something sounds: say so in the ledger."""
        now = self._clock.now()
        self._collect(now)
        if self._sounding is not None:
            reason = "Máy phát được tắt giữa buổi."
            self._stop(Stop(self._sounding, now, AsRunEvent.INTERRUPTED, reason))
        if self._trust.believed:
            self._book.alive(now)
