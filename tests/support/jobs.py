"""Jobs for the worker: asking for them, looking at them, changing what they do."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from broadcaster.store.db import Database
from broadcaster.store.queue import enqueue
from broadcaster.store.tables import RenderJob, Revision
from broadcaster.worker import JOBS
from tests.support.commune import Commune, at
from tests.support.newsroom import submitted

NOW = at("03:00")


def a_revision(db: Database, commune: Commune, **more: str) -> Revision:
    with db.writing(station_id=commune.station.id) as session:
        return submitted(session, commune, now=NOW, **more)


def job_of(db: Database, kind: str = "take") -> RenderJob:
    with db.reading() as session:
        return session.scalars(select(RenderJob).where(RenderJob.kind == kind)).one()


def patched(monkeypatch: pytest.MonkeyPatch, kind: str, function: Any) -> None:
    monkeypatch.setitem(JOBS, kind, function)  # type: ignore[arg-type]


def ask_preview(
    db: Database, commune: Commune, key: str = "p", *, when: datetime = NOW, kind: str = "preview"
) -> int:
    sentences = [["Kính chào bà con.", "sentence"], ["Sáng mai tiêm phòng.", "paragraph"]]
    with db.writing() as session:
        return enqueue(
            session, station_id=commune.station.id, kind=kind, key=key,
            payload={"sentences": sentences, "bulletin_id": 1}, due_at=when, now=when,
        ).id  # fmt: skip


def until(true: Any, seconds: float = 60) -> bool:
    waiting = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if true():
            return True
        waiting.wait(0.05)
    return False
