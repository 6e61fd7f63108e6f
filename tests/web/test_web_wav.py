"""A programme as WAV, made when somebody asks for it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from sqlalchemy import select

from broadcaster.model import RenditionKind
from broadcaster.production.encoding import decoded
from broadcaster.store.blobs import Blobs
from broadcaster.store.tables import Rendition
from tests.support.online_voices import mp3


def test_a_programme_comes_as_wav_with_the_samples_that_its_air_file_has(world: Any, tmp_path: Path) -> None:
    blobs = Blobs(world.settings.blobs_url)
    sha256 = blobs.put(mp3(2.0), suffix="mp3")
    with world.db.writing(station_id=world.made.station) as session:
        air = session.scalars(select(Rendition).where(Rendition.kind == RenditionKind.AIR)).first()
        air.sha256, programme_id = sha256, air.programme_id
    answer = world.browser("canbo").get(f"/chuong-trinh/{programme_id}/wav")
    assert answer.status_code == 200
    assert answer.mimetype == "audio/wav"
    assert ".wav" in answer.headers["Content-Disposition"]
    samples, rate_hz = soundfile.read(io.BytesIO(answer.data), dtype="int16")
    answer.close()
    heard = np.concatenate(list(decoded(blobs.path(sha256, suffix="mp3"), rate_hz=44_100, timeout_s=60)))
    assert rate_hz == 44_100
    assert len(samples) == len(heard)
    assert np.abs(samples).max() > 1_000
    assert np.abs(samples - heard * 32_768).max() <= 1
    assert world.browser("canbo").get("/chuong-trinh/999999/wav").status_code == 404
    assert world.browser().get(f"/chuong-trinh/{programme_id}/wav").status_code in (302, 303)
