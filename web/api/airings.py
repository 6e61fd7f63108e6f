"""The plan, and what became of it."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from sqlalchemy import select

from broadcaster.errors import NotFound
from broadcaster.model import PlannedAiring
from broadcaster.report.counting import airing_report
from broadcaster.schedule.plan import airing_of, plan_days
from broadcaster.store.tables import Village
from web.api import schemas
from web.api.base import bp, scope
from web.deps import deps, now, reading, today
from web.heard import by_airing

AIRING = re.compile(r"[0-9A-Za-z-]{1,36}")
# Days beyond these have no instants that both databases can hold.
EARLIEST, LATEST = date(1900, 1, 1), date(9900, 1, 1)


@bp.get("/airings")
@scope("plan.read")
@bp.input(schemas.PlanQuery, location="query", arg_name="query")
@bp.output(schemas.AiringsOut)
@bp.doc(summary="Lịch phát", tags=["Lịch phát"], responses={404: "Không có thôn này ở đài"})
def airings(query: dict[str, Any]) -> dict[str, Any]:
    """What plays, when and where, with the files of finished programmes."""
    first, days = _span(query)
    village = query.get("village")
    with reading() as session:
        if village is not None and session.scalar(select(Village.id).where(Village.slug == village)) is None:
            raise NotFound(f"Không có thôn “{village}”. Hãy lấy danh sách ở /api/v1/villages.")
        return {"airings": [_line(one) for one in plan_days(session, first, days, village)]}


@bp.get("/airings/<airing_id>")
@scope("plan.read")
@bp.output(schemas.AiringOut)
@bp.doc(summary="Một buổi phát", tags=["Lịch phát"], responses={404: "Không có buổi phát này ở đài"})
def airing(airing_id: str) -> dict[str, Any]:
    """One airing; of several variants the first."""
    if not AIRING.fullmatch(airing_id):
        raise NotFound("Không tìm thấy buổi phát này ở đài.")
    with reading() as session:
        return _line(airing_of(session, airing_id))


@bp.get("/airings/<airing_id>/outcomes")
@scope("asrun.read")
@bp.output(schemas.OutcomesOut)
@bp.doc(
    summary="Một buổi phát: từng máy thu đã phát hay không, vì sao", tags=["Nhật ký"],
    responses={404: "Không có buổi phát này ở đài"},
)  # fmt: skip
def outcomes(airing_id: str) -> dict[str, Any]:
    """What became of an airing at each receiver, with one sentence why."""
    if not AIRING.fullmatch(airing_id):
        raise NotFound("Không tìm thấy buổi phát này ở đài.")
    with reading() as session:
        line = airing_of(session, airing_id)
        known = by_airing(airing_report(session, line.local_date, line.local_date, now=now())).get(airing_id)
    players = list(known.players.values()) if known is not None else []
    return {
        "outcomes": [
            {
                "receiver": one.receiver_id,
                "name": one.receiver,
                "outcome": one.told.outcome.value,
                "why": one.told.why,
                "started_at": one.told.started_at,
                "heard_ms": one.told.heard_ms,
            }
            for one in players
        ]
    }


def _span(query: dict[str, Any]) -> tuple[date, int]:
    """First day and number of days; a day outside of the calendar becomes its edge."""
    first = min(max(query.get("first") or today(), EARLIEST), LATEST)
    return first, query["days"]


def _line(one: PlannedAiring) -> dict[str, Any]:
    base = deps().settings.base_url
    return {
        "id": one.airing_id,
        "variant": one.variant,
        "origin": one.origin.value,
        "state": one.state.value,
        "reason": one.reason,
        "priority": one.priority.value,
        "name": one.slot_name,
        "local_date": one.local_date,
        "start_local": f"{one.start_local:%H:%M}",
        "planned_at": one.planned_at,
        "duration_ms": one.duration_ms,
        "villages": list(one.villages),
        "items": [
            {
                "bulletin": item.bulletin_id,
                "title": item.title,
                "topic": item.topic,
                "sounds": item.approved,
                "note": item.note,
            }
            for item in one.items
        ],
        "files": [
            {
                "kind": kind.value,
                "url": f"{base}/a/{file.sha256}.mp3",
                "sha256": file.sha256,
                "size_bytes": file.size_bytes,
            }
            for kind, file in one.files.items()
        ],
    }
