"""People's voices in takes: one sentence, all of it, and two machine voices that take turns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from broadcaster.config import Settings
from broadcaster.newsroom.bulletins import create_bulletin, reading_of, submit
from broadcaster.newsroom.recordings import Brought, add_recording
from broadcaster.speech.recorded import Kept, keep_bulletin, keep_sentence
from broadcaster.speech.sound import from_file, rms_db
from broadcaster.speech.turns import in_turn
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.tables import TakeRow
from broadcaster.worker import Worker
from broadcaster.worker.jobs import read_by
from tests.support.commune import Commune
from tests.support.jobs import NOW
from tests.support.newsroom import TEXT


def sung(path: Path, seconds: float, hz: float = 440) -> Path:
    t = np.arange(round(seconds * 44_100)) / 44_100
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * hz * t), 44_100)
    return path


def sent(db: Database, commune: Commune, kept: Kept, at: int | None, *, language: str = "") -> None:
    with db.writing(station_id=commune.station.id) as session:
        row = create_bulletin(
            session, station_id=commune.station.id, author=commune.author, title="Lịch tiêm phòng", text=TEXT,
            now=NOW,
        )  # fmt: skip
        reading = reading_of(session, row)
        add_recording(
            session, row.id, Brought(kept.sha256, kept.duration_ms, "Lê Thị Hoa", language), reading=reading,
            spoken="" if at is None else reading.sentences[at].spoken, actor=commune.author, now=NOW,
        )  # fmt: skip
        submit(session, row.id, version=row.version, actor=commune.author, now=NOW)


def take_row(db: Database) -> TakeRow:
    with db.reading() as session:
        return session.scalars(select(TakeRow)).one()


def test_a_recorded_sentence_sounds_in_its_place_and_the_machine_reads_the_rest(
    settings: Settings, db: Database, commune: Commune, worker: Worker, tmp_path: Path
) -> None:
    blobs = Blobs(settings.blobs_url)
    kept = keep_sentence(sung(tmp_path / "câu.wav", 2.5), sentence="", blobs=blobs)
    sent(db, commune, kept, 1)
    assert worker.work_off() == 1
    row = take_row(db)
    assert (row.voice, row.voice_label) == ("silent+recorded", "giọng im lặng (chỉ để thử) và người đọc")
    assert row.why == "Câu 2 do Lê Thị Hoa đọc."
    sound = from_file(blobs.path(row.sha256, suffix="flac")).samples
    levels = [rms_db(sound[start : start + length]) for _, start, length in row.sentences]
    assert levels[0] == levels[2] == -120.0
    _, start, length = row.sentences[1]
    spectrum = np.abs(np.fft.rfft(sound[start : start + length]))
    assert np.argmax(spectrum) * 44_100 / length == pytest.approx(440, abs=1)
    assert length == pytest.approx(2.5 * 44_100, abs=0.2 * 44_100)


def test_a_whole_recording_is_the_take_as_it_is(
    settings: Settings, db: Database, commune: Commune, worker: Worker, tmp_path: Path
) -> None:
    kept = keep_bulletin(sung(tmp_path / "cả bài.wav", 9), blobs=Blobs(settings.blobs_url))
    sent(db, commune, kept, None, language="Mường")
    assert worker.work_off() == 1
    row = take_row(db)
    assert (row.sha256, row.voice, row.voice_label) == (kept.sha256, "recorded", "người đọc")
    assert row.why == "Cả bài do Lê Thị Hoa (tiếng Mường) đọc."
    assert row.duration_ms == kept.duration_ms


def test_who_read_what_is_told_by_name() -> None:
    people = [
        {"at": 0, "reader": "Hoa"},
        {"at": 2, "reader": "Bình", "language": "Thái"},
        {"at": 4, "reader": "Hoa"},
    ]
    assert read_by(people) == "Câu 1, 5 do Hoa đọc. Câu 3 do Bình (tiếng Thái) đọc."
    assert read_by([]) == ""


def test_male_and_female_take_turns_where_both_are_there() -> None:
    chain = ("piper", "gtts", "kokoro:nu-1", "espeak:vi+f5")
    assert in_turn(chain, 4) == chain
    assert in_turn(chain, 5) == ("piper", "gtts", "kokoro:nam-1", "kokoro:nu-1", "espeak:vi+f5")
    assert in_turn(("kokoro:nu-1", "kokoro:nam-1"), 1) == ("kokoro:nam-1", "kokoro:nu-1")
    assert in_turn(("silent",), 1) == ("silent",)
