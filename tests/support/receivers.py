"""A station that serves receivers over real HTTP, with airings whose programmes are real MP3 files."""

from __future__ import annotations

import subprocess
import uuid
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import imageio_ffmpeg
import numpy as np
from flask import Flask
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.config import Settings, load
from broadcaster.delivery.receivers import add_receiver, issue_token
from broadcaster.model import (
    AiringOrigin,
    AiringState,
    LatePolicy,
    Priority,
    RenditionKind,
    StartMode,
)
from broadcaster.playout.pairing import write_pairing
from broadcaster.schedule.airings import bump_plan
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import Keys, load_keys
from broadcaster.store.tables import (
    Airing,
    AiringVillage,
    AsRun,
    Base,
    ProgrammeRow,
    Receiver,
    Rendition,
    Variant,
    VariantVillage,
)
from broadcaster.store.upgrade import upgrade
from tests.support.commune import Commune, found
from web.receivers_api import blueprint
from web.serving import serving

RATE_HZ = 44_100


@cache
def mp3(seed: int, seconds: float) -> bytes:
    """A programme that is unlike any other: a second's warm noise of its own, as MP3 mono 64 kbit/s."""
    random = np.random.default_rng(seed)
    noise = np.convolve(random.normal(size=round(seconds * RATE_HZ)), np.ones(8) / 8, mode="same")
    samples = (np.clip(noise * 0.6, -0.9, 0.9) * 32767).astype("<i2").tobytes()
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "s16le", "-ar", str(RATE_HZ), "-ac", "1", "-i", "-",
         "-b:a", "64k", "-f", "mp3", "-"],
        input=samples, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


@dataclass
class Studio:
    """The station's side: database, files, keys, a receiver, and a clock that a test may set."""

    db: Database
    settings: Settings
    keys: Keys
    blobs: Blobs
    commune: Commune
    receiver_id: int
    token: str
    now: Callable[[], datetime]
    url: str = ""
    requests: list[str] = field(default_factory=list)

    def airing(
        self,
        planned_at: datetime,
        *,
        seed: int = 1,
        seconds: float = 1.0,
        priority: Priority = Priority.ROUTINE,
        grace_s: int = 300,
        late_policy: LatePolicy = LatePolicy.PLAY_WITHIN_GRACE,
        volume: int = 100,
        rendered: bool = True,
    ) -> str:
        """An airing for every village, with its programme; returns its id."""
        with self.db.writing() as session:
            local = planned_at.astimezone(ZoneInfo(self.commune.station.zone))
            airing = Airing(
                id=str(uuid.uuid4()), station_id=self.commune.station.id, origin=AiringOrigin.EXTRA, slot_id=None,
                name=f"Buổi {seed}", local_date=local.date(), start_local=local.time().replace(microsecond=0),
                planned_at=planned_at, max_minutes=15, start_mode=StartMode.AT_ONCE, wait_s=0,
                late_policy=late_policy, grace_s=grace_s, priority=priority, volume_percent=volume,
                template_name="thuong", state=AiringState.CLOSED,
            )  # fmt: skip
            session.add(airing)
            session.flush()
            variant = Variant(airing_id=airing.id, number=1)
            if rendered:
                variant.programme = self.programme(session, seed, seconds)
            session.add(variant)
            session.flush()
            for village in self.commune.villages:
                session.add(AiringVillage(airing_id=airing.id, village_id=village.id))
                session.add(VariantVillage(variant_id=variant.id, village_id=village.id))
            bump_plan(session, self.commune.station.id)
            return airing.id

    def programme(self, session: Session, seed: int, seconds: float) -> ProgrammeRow:
        """A programme with its air file."""
        data = mp3(seed, seconds)
        sha256 = self.blobs.put(data, suffix="mp3")
        row = ProgrammeRow(
            station_id=self.commune.station.id, input_key=uuid.uuid4().hex * 2, title=f"Buổi {seed}",
            duration_ms=round(seconds * 1000), loudness_lufs=-16.0, true_peak_dbtp=-2.3, items=[],
            waveform_svg="", revoked_reason="", made_at=datetime.now(UTC),
        )  # fmt: skip
        row.renditions.append(Rendition(kind=RenditionKind.AIR, sha256=sha256, size_bytes=len(data)))
        session.add(row)
        return row

    def file_of(self, airing_id: str) -> tuple[str, Path]:
        """(sha256, path) of an airing's air file."""
        with self.db.reading() as session:
            variant = session.scalars(select(Variant).where(Variant.airing_id == airing_id)).one()
            assert variant.programme is not None
            sha256 = variant.programme.renditions[0].sha256
        return sha256, self.blobs.path(sha256, suffix="mp3")

    def revoke_programme(self, airing_id: str, reason: str) -> None:
        """The station takes a programme back."""
        with self.db.writing() as session:
            variant = session.scalars(select(Variant).where(Variant.airing_id == airing_id)).one()
            assert variant.programme is not None
            variant.programme.revoked_reason = reason
            bump_plan(session, self.commune.station.id)

    def as_run(self, airing_id: str | None = None) -> list[AsRun]:
        """What receivers reported, in order."""
        with self.db.reading() as session:
            rows = session.scalars(select(AsRun).order_by(AsRun.receiver_id, AsRun.sequence)).all()
            session.expunge_all()
        return [row for row in rows if airing_id is None or row.airing_id == airing_id]

    def receiver(self) -> Receiver:
        """The receiver's row as it is now."""
        with self.db.reading() as session:
            row = session.scalars(select(Receiver).where(Receiver.id == self.receiver_id)).one()
            session.expunge_all()
        return row

    def pair(self, folder: Path) -> None:
        """What an installation does for the station's own PC."""
        write_pairing(
            folder, server=self.url, token=self.token, public_key_hex=self.keys.public_key_hex,
            receiver=f"{self.commune.station.slug}/{self.receiver_id}",
        )  # fmt: skip

    def app(self) -> Flask:
        """The players' interface alone."""
        app = Flask(__name__)
        app.config["NOW"] = self.now
        app.register_blueprint(blueprint(self.db, self.settings, self.keys, self.blobs))
        return app

    @contextmanager
    def serving(self, port: int = 0) -> Iterator[str]:
        """Real HTTP on a free port."""
        with serving(self._counted(), self.settings, port=port) as self.url:
            yield self.url

    def _counted(self) -> Any:
        app = self.app()

        def counted(environ: dict[str, Any], start_response: Any) -> Any:
            self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            return app(environ, start_response)

        return counted


@contextmanager
def studio(
    folder: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), migrated: bool = False
) -> Iterator[Studio]:
    """A commune of three villages with one receiver that is heard everywhere; `migrated` = fit for a backup."""
    settings = load(environ={}, home=folder / "đài")
    settings.var.mkdir(parents=True)
    db = Database(settings.database_url)
    if migrated:
        upgrade(settings)
    else:
        Base.metadata.create_all(db.engine)
    with db.writing() as session:
        commune = found(session)
        receiver = add_receiver(session, station_id=commune.station.id, name="Máy phát", now=now())
        token = issue_token(receiver)
    try:
        yield Studio(
            db,
            settings,
            load_keys(settings.keys),
            Blobs(settings.blobs_url),
            commune,
            receiver.id,
            token,
            now,
        )
    finally:
        db.dispose()


def read_wav(path: Path) -> NDArray[np.float64]:
    """Samples of a mono 16-bit WAV, -1…1."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        data = file.readframes(file.getnframes())
    return np.frombuffer(data, dtype="<i2").astype(np.float64) / 32768.0


def onset(
    tape: NDArray[np.float64], clip: NDArray[np.float32], *, length: int = RATE_HZ // 2
) -> tuple[int, float]:
    """(sample at which the clip begins, normalised correlation there), found by correlation alone."""
    head = clip[:length].astype(np.float64)
    size = 1 << (len(tape) + len(head)).bit_length()
    spectrum = np.fft.rfft(tape, size) * np.conj(np.fft.rfft(head, size))
    raw = np.fft.irfft(spectrum, size)[: len(tape) - len(head) + 1]
    best = int(np.argmax(raw))
    window = tape[best : best + len(head)]
    scale = float(np.linalg.norm(window) * np.linalg.norm(head)) or 1.0
    return best, float(raw[best]) / scale


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)
