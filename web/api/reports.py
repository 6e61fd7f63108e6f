"""A period's report for other programs: the same figures as its page, and the rows they are counted from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound
from broadcaster.report.figures import Choice, Figures, Line, chosen_cells
from broadcaster.report.ledger import Cell, Ledger
from broadcaster.report.papers import report_of
from broadcaster.report.period import Period, month_of, parse_period
from broadcaster.store.tables import Topic, Village
from web.api import report_schemas as schemas
from web.api.base import bp, scope
from web.deps import now, reading, station, today

_REFUSED = {404: "Không có kỳ, chủ đề hoặc thôn này ở đài"}


@bp.get("/reports")
@scope("reports.read")
@bp.input(schemas.ReportQuery, location="query", arg_name="query")
@bp.output(schemas.ReportOut)
@bp.doc(summary="Số liệu báo cáo của một kỳ", tags=["Báo cáo"], responses=_REFUSED)
def report(query: dict[str, Any]) -> dict[str, Any]:
    """Every figure of the report's page; planned, players and villages side by side."""
    with reading() as session:
        shown, topics = _asked(session, query)
    ledger = shown.ledger
    places = {str(village.id): village.slug for village in ledger.villages}
    return {
        "period": ledger.period.text,
        "label": ledger.period.label,
        "first": ledger.period.first,
        "last": ledger.period.last,
        "as_of": ledger.as_of,
        "to_come": ledger.to_come,
        "drills": ledger.drills,
        "skipped": shown.skipped,
        "total": asdict(shown.total),
        "by_topic": _lines(shown.by_topic, topics),
        "by_village": _lines(shown.by_village, places),
        "by_slot": _lines(shown.by_slot),
        "by_author": _lines(shown.by_author),
        "by_month": _lines(shown.by_month),
        "misses": [asdict(miss) for miss in shown.misses],
        "activities": [
            asdict(one) | {"files": [sha256 for _name, sha256 in one.files]} for one in shown.activities
        ],
        "targets": [
            asdict(one) | {"topic": topics[str(one.topic_id)], "label": one.topic} for one in shown.targets
        ],
        "posts": [asdict(one) | {"bulletin": one.bulletin_id} for one in shown.posts],
    }


@bp.get("/reports/rows")
@scope("reports.read")
@bp.input(schemas.ReportRowsQuery, location="query", arg_name="query")
@bp.output(schemas.ReportRowsOut)
@bp.doc(summary="Từng dòng của báo cáo: một buổi ở một thôn", tags=["Báo cáo"], responses=_REFUSED)
def report_rows(query: dict[str, Any]) -> dict[str, Any]:
    """The rows that the figures count, in order of time.  Rows with `planned` false count among the misses only."""
    with reading() as session:
        shown, _topics = _asked(session, query, beside=False)
    cells = chosen_cells(shown.ledger, shown.choice)
    start, end = query["start"], query["start"] + query["limit"]
    places = {village.id: village.slug for village in shown.ledger.villages}
    return {
        "found": len(cells),
        "rows": [_row(shown.ledger, cell, places) for cell in cells[start:end]],
        "next_start": end if end < len(cells) else None,
    }


def _asked(
    session: Session, query: Mapping[str, Any], *, beside: bool = True
) -> tuple[Figures, dict[str, str]]:
    """The figures, and topics' slugs by the key of their line."""
    topics = {slug: topic for topic, slug in session.execute(select(Topic.id, Topic.slug))}
    choice = Choice(
        topic=_id(topics, query.get("topic"), "chủ đề", "topics"),
        village=_id(
            {slug: village for village, slug in session.execute(select(Village.id, Village.slug))},
            query.get("village"), "thôn", "villages",
        ),
    )  # fmt: skip
    shown = report_of(
        session, station(), _period(query.get("period")), now=now(), choice=choice, beside=beside
    )
    return shown, {str(topic): slug for slug, topic in topics.items()} | {"0": ""}


def _period(text: str | None) -> Period:
    if text is None:
        return month_of(today())
    try:
        return parse_period(text)
    except InputError as error:  # it is written as a period is, but the calendar has none such
        raise NotFound(error.message) from None


def _id(known: Mapping[str, int], slug: str | None, word: str, route: str) -> int | None:
    if slug is None:
        return None
    if slug not in known:
        raise NotFound(f"Không có {word} “{slug}”. Hãy lấy danh sách ở /api/v1/{route}.")
    return known[slug]


def _lines(lines: Sequence[Line], keys: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    return [
        {
            "key": line.key if keys is None else keys[line.key],
            "label": line.label,
            "tally": asdict(line.tally),
        }
        for line in lines
    ]


def _row(ledger: Ledger, cell: Cell, places: Mapping[int, str]) -> dict[str, Any]:
    part = ledger.parts[cell.part]
    return {
        "airing": part.airing_id,
        "village": places[cell.village],
        "local_date": part.local_date,
        "start_local": f"{part.start_local:%H:%M}",
        "slot": part.slot,
        "origin": part.origin.value,
        "priority": part.priority.value,
        "planned": part.planned,
        "player": cell.player.name.lower(),
        "why": cell.why,
        "receivers": cell.receivers,
        "receivers_played": cell.receivers_played,
        "said": cell.said.name.lower(),
        "said_reason": cell.said_reason,
        "bulletins": [item.bulletin_id for item in part.sounding],
        "sha256": part.sha256,
    }
