"""What is missing is said in one sentence each, before the airing and not after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from broadcaster.model import (
    AiringOrigin,
    AiringState,
    PlannedAiring,
    PlannedFile,
    PlannedItem,
    Priority,
    RenditionKind,
)
from broadcaster.schedule.airings import materialise, place
from broadcaster.schedule.plan import plan
from broadcaster.schedule.preflight import Facts, ReceiverFact, alarms, preflight
from broadcaster.schedule.rendering import enqueue_programmes
from broadcaster.store.db import Database
from broadcaster.store.tables import Receiver, RenderJob, Variant
from tests.support.commune import MONDAY, at, bulletin, found, furnish, slot
from tests.support.databases import upgraded

NOW = at("04:30")
PC = ReceiverFact("Máy của đài", frozenset(), at("04:29"), at("18:00"))
READY = PlannedAiring(
    airing_id="a", origin=AiringOrigin.SLOT, state=AiringState.PLANNED, reason="", priority=Priority.ROUTINE,
    local_date=date(2026, 11, 23), start_local=time(5, 30), planned_at=at("05:30"), slot_name="Buổi sáng",
    variant=1, villages=("thon-1", "thon-2"), items=(PlannedItem("Một", 1, "", True),),
    files={RenditionKind.AIR: PlannedFile("f" * 64, 1000)}, duration_ms=600_000, max_ms=900_000,
)  # fmt: skip
FACTS = Facts(loudness_lufs=-16.0, receivers=(PC,))


def test_an_airing_that_is_ready_lacks_nothing() -> None:
    assert preflight(READY, FACTS, NOW) == []


@pytest.mark.parametrize(
    ("line", "facts", "says"),
    [
        (replace(READY, items=()), FACTS, "Chưa xếp bản tin nào"),
        (replace(READY, items=(PlannedItem("Hai", 2, "", False, "Chờ duyệt."),)), FACTS, "“Hai”: Chờ duyệt."),
        (replace(READY, items=(PlannedItem("Hai", 2, "", False),)), FACTS, "Chưa có bản tin nào được duyệt"),
        (READY, replace(FACTS, template_approved=False), "Khung chương trình"),
        (replace(READY, files={}), FACTS, "chưa được dựng"),
        (replace(READY, files={}), replace(FACTS, job_state="queued"), "còn chờ dựng"),
        (replace(READY, files={}), replace(FACTS, job_state="running"), "đang dựng"),
        (
            replace(READY, files={}),
            replace(FACTS, job_state="failed", job_error="Đĩa đầy."),
            "không xong: Đĩa đầy.",
        ),
        (READY, replace(FACTS, programme_current=False), "đang dựng lại"),
        (READY, replace(FACTS, missing_files=frozenset({"f" * 64})), "thiếu hoặc hỏng"),
        (READY, replace(FACTS, loudness_lufs=-62.0), "không có tiếng"),
        (replace(READY, duration_ms=930_000), FACTS, "dài quá khung giờ 30 giây"),
        (READY, replace(FACTS, receivers=()), "Chưa có máy thu nào"),
        (READY, replace(FACTS, receivers=(replace(PC, last_seen_at=None),)), "chưa kết nối lần nào"),
        (READY, replace(FACTS, receivers=(replace(PC, last_seen_at=at("03:00")),)), "mất liên lạc từ 03:00"),
        (READY, replace(FACTS, receivers=(replace(PC, cached_until=at("05:00")),)), "chưa tải xong"),
        (replace(READY, state=AiringState.SKIPPED, reason="Mất điện."), FACTS, "sẽ không phát: Mất điện."),
    ],
)
def test_each_thing_that_is_missing_has_its_sentence(line: PlannedAiring, facts: Facts, says: str) -> None:
    found = preflight(line, facts, NOW)
    assert any(says in sentence for sentence in found), found


def test_receivers_of_other_villages_do_not_count() -> None:
    there = ReceiverFact("Thôn 9", frozenset({"thon-9"}), at("04:29"), None)
    here = ReceiverFact("Thôn 2", frozenset({"thon-2"}), at("04:29"), None)
    assert preflight(READY, replace(FACTS, receivers=(there,)), NOW) == [
        "Chưa có máy thu nào được ghép nối cho buổi này."
    ]
    assert preflight(READY, replace(FACTS, receivers=(there, here)), NOW) == []


def test_what_dropped_out_at_the_close_is_no_longer_asked_for() -> None:
    closed = replace(
        READY,
        state=AiringState.CLOSED,
        items=(*READY.items, PlannedItem("Hai", 2, "", False, "Bản tin chưa được duyệt.")),
    )
    assert preflight(closed, FACTS, NOW) == []


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    with upgraded("sqlite", tmp_path) as database:
        yield database


def test_the_board_hears_what_the_next_hour_lacks(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        slot(session, commune)
        furnish(session, commune)
        materialise(session, commune.station, today=MONDAY, now=at("00:30"), days=2)
        (line,) = plan(session, MONDAY)
        place(
            session,
            line.airing_id,
            bulletin(session, commune, "Một").id,
            actor=commune.author,
            now=at("01:00"),
        )
        enqueue_programmes(session, commune.station, now=at("01:00"), days=2)
        session.add(
            Receiver(
                station_id=commune.station.id, name="Máy của đài", token_hash="x", heartbeat={"cached_until": 5},
                last_seen_at=at("04:40"), created_at=at("00:00"),
            )
        )  # fmt: skip
        session.flush()

        def missing(now: str) -> list[tuple[str, ...]]:
            rows = alarms(session, commune.station, now=at(now), has_file=lambda _sha256: True)
            return [row.missing for row in rows]

        assert missing("04:00") == [], "not yet within the hour"
        assert missing("04:45") == [("Chương trình còn chờ dựng.",)]
        key = session.get_one(Variant, 1).wanted_key
        job = session.query(RenderJob).filter_by(key=key).one()
        job.state, job.error = "failed", "Không giọng nào đọc được."
        session.flush()
        assert missing("04:46") == [("Dựng chương trình không xong: Không giọng nào đọc được.",)]
        assert missing("05:31") == []
        assert timedelta(hours=1) > at("05:30") - at("04:45")
