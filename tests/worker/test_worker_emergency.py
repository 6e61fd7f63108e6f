"""A composed emergency with real parts: read, spoken, mixed without a frame, heard, accepted, in the manifest."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from broadcaster.config import Settings, load
from broadcaster.delivery.manifest import build_manifest
from broadcaster.model import RenditionKind
from broadcaster.schedule.emergency.accepting import accept
from broadcaster.schedule.emergency.asking import EmergencyForm, compose_message, request_emergency
from broadcaster.schedule.emergency.message import air_sha256, message_programme, prepare_messages
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import load_keys
from broadcaster.store.tables import Emergency, Receiver, Station
from broadcaster.worker import PREVIEW_LANE, Worker
from tests.support.commune import Commune
from tests.support.hearing import decoded
from tests.support.jobs import NOW


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(environ={}, home=tmp_path / "đài", flags={"voice.chain": ("espeak:vi+f5",)})


def test_what_was_composed_is_spoken_mixed_and_offered_to_players(
    db: Database, commune: Commune, worker: Worker, settings: Settings, tmp_path: Path
) -> None:
    blobs = Blobs(settings.blobs_url)
    with db.writing() as session:
        station = session.get_one(Station, commune.station.id)
        revision = compose_message(
            session, station, title="Nước lũ đang lên", text="Kính thưa bà con. Nước sông đang lên rất nhanh.",
            answers={}, read_twice=True, actor=commune.author, now=NOW,
        )  # fmt: skip
        form = EmergencyForm(reason="Lũ", expires_at=NOW + timedelta(hours=1))
        wish = request_emergency(session, station, revision, form, persons=2, actor=commune.author, now=NOW)
        number = wish.id
        session.add(Receiver(station_id=station.id, name="Loa xã", created_at=NOW))
    assert worker.work_one(("take",)) is not None
    with db.writing() as session:  # the clock's tick
        assert prepare_messages(session, session.get_one(Station, commune.station.id), now=NOW) == 1
    done = worker.work_one(PREVIEW_LANE)  # not in the lane of long programmes
    assert done is not None
    assert done.kind == "emergency"
    with db.reading() as session:
        row = session.get_one(Emergency, number)
        programme = message_programme(session, commune.station.id, row.programme_key)
        assert programme is not None
        assert row.revision.take is not None
        take_ms = row.revision.take.duration_ms
        heard = air_sha256(programme)
        # Read twice, "xin nhắc lại" between or not, and nothing else: no jingle, no greeting.
        assert 2 * take_ms <= programme.duration_ms <= 2 * take_ms + 6_000
        assert [title for title, _, _ in programme.items] == ["Nước lũ đang lên"] * 2
        assert -18.0 <= programme.loudness_lufs <= -14.0
    samples = decoded(blobs.path(heard, suffix="mp3"))
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    assert 0.2 < loud[0] / 44_100 < 1.0  # it begins at once
    with db.writing() as session:
        accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW + timedelta(seconds=5))
    with db.reading() as session:
        signed = build_manifest(
            session, session.scalars(select(Receiver)).one(), keys=load_keys(tmp_path / "khóa"), hours_ahead=1,
            now=NOW + timedelta(seconds=6), blobs=blobs,
        )  # fmt: skip
    (line,) = json.loads(signed.body)["airings"]
    assert (line["origin"], line["priority"], line["file"]["sha256"]) == ("emergency", "emergency", heard)
    assert line["file"]["size_bytes"] == blobs.path(heard, suffix="mp3").stat().st_size
    assert RenditionKind.AIR in {one.kind for one in programme.renditions}
