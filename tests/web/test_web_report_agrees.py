"""Screen, .docx, .xlsx, .csv and the interface for programs say the same of any period, as do the rows added up."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import select

from broadcaster.store.tables import Station, Topic, User, Village
from tests.support.commune import Commune
from tests.support.office import convert
from tests.support.years import fill_years
from tests.web.test_web_api import Program, issued

FIRST = date(2026, 10, 1)
# A line of the summary, the fields of the interface behind its three columns ("" = no such column).
LINES = {
    "Buổi phát": ("airings", "airings_played", "airings_confirmed"),
    "Lượt thôn": ("villages", "villages_played", "villages_confirmed"),
    "Lượt máy thu": ("receivers", "receivers_played", ""),
    "Lượt tin bài": ("pieces", "pieces_played", "pieces_confirmed"),
    "Số tin bài": ("bulletins", "bulletins_played", "bulletins_confirmed"),
}
Table = dict[str, list[int | None]]


@pytest.fixture
def october(world: Any) -> Any:
    """The station with a month of broadcasting in it, as any month has it."""
    with world.db.writing(station_id=world.made.station) as session:
        villages = list(session.scalars(select(Village).order_by(Village.position)))
        people = [session.get_one(User, world.made.users[name]) for name in ("canbo", "lanhdao")]
        station = session.get_one(Station, world.made.station)
        topic = session.scalars(select(Topic).order_by(Topic.id)).first()
        assert topic is not None
        fill_years(session, Commune(station, people[0], people[1], villages, topic), FIRST, 31, seed=6)
    return world


def whole(text: str) -> int | None:
    digits = text.replace(".", "").split("(")[0].strip()
    return int(digits) if digits.isdigit() else None


def of_the_screen(page: str) -> Table:
    found: Table = {}
    for label, cells in re.findall(r'<tr><th scope="row">([^<]+)</th>(.*?)</tr>', page, re.S):
        if label in LINES and label not in found:
            found[label] = [whole(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<td.*?</td>", cells)]
    return found


def of_the_document(data: bytes) -> Table:
    rows = Document(io.BytesIO(data)).tables[2].rows
    return {
        row.cells[0].text: [whole(cell.text) for cell in row.cells[1:4]]
        for row in rows
        if row.cells[0].text in LINES
    }


def of_the_workbook(path: Path) -> Table:
    book = load_workbook(path, data_only=True)
    found: Table = {
        str(row[0]): [None if value is None else int(value) for value in row[1:4]]
        for row in book["Tổng hợp"].iter_rows(values_only=True)
        if row and row[0] in LINES
    }
    book.close()
    return found


def of_the_interface(told: dict[str, int]) -> Table:
    return {label: [told[name] if name else None for name in names] for label, names in LINES.items()}


def of_the_rows(program: Program, **query: str) -> dict[str, int]:
    """Every row of the interface, page by page, added up."""
    rows: list[dict[str, Any]] = []
    start: int | None = 0
    while start is not None:
        page = program.get("/reports/rows", start=start, limit=200, **query).json
        rows += page["rows"]
        start = page["next_start"]
    assert len(rows) == page["found"]
    meant = [row for row in rows if row["planned"]]
    played = [row for row in meant if row["player"] == "played"]
    confirmed = [row for row in meant if row["said"] == "played"]
    return {
        "airings": len({row["airing"] for row in meant}),
        "airings_played": len({row["airing"] for row in played}),
        "airings_confirmed": len({row["airing"] for row in confirmed}),
        "villages": len(meant),
        "villages_played": len(played),
        "villages_confirmed": len(confirmed),
        "villages_failed": sum(row["said"] == "failed" for row in meant),
        "villages_unreported": sum(row["player"] == "unreported" for row in meant),
        "receivers": sum(row["receivers"] for row in meant),
        "receivers_played": sum(row["receivers_played"] for row in meant),
    }


def test_any_period_any_topic_and_any_village_give_the_same_figures_everywhere(
    october: Any, tmp_path: Path
) -> None:
    officer, program = october.browser("canbo"), Program(october, issued(october))
    with october.db.reading(station_id=october.made.station) as session:
        topics = session.execute(select(Topic.id, Topic.slug).order_by(Topic.id)).all()
        villages = session.execute(select(Village.id, Village.slug).order_by(Village.id)).all()
    seen: list[tuple[str, Table]] = []

    @settings(
        max_examples=5,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        day=st.integers(0, 30), days=st.integers(0, 30), topic=st.sampled_from([None, *topics[-3:]]),
        village=st.sampled_from([None, *villages]),
    )  # fmt: skip
    @example(day=0, days=30, topic=None, village=None)
    def agrees(day: int, days: int, topic: Any, village: Any) -> None:
        first = FIRST + timedelta(days=day)
        period = f"{first}..{first + timedelta(days=days)}"
        screen = {"ky": period, "chu_de": topic and topic[0], "thon": village and village[0]}
        asked = {"topic": topic and topic[1], "village": village and village[1]}
        asked = {name: value for name, value in asked.items() if value}
        wanted = {name: value for name, value in screen.items() if value}

        def file(kind: str) -> bytes:
            return officer.get(f"/bao-cao/tai/{kind}", query_string=wanted).data

        told = program.get("/reports", period=period, **asked).json
        table = of_the_interface(told["total"])
        assert of_the_screen(officer.get("/bao-cao", query_string=wanted).text) in (table, {})
        assert of_the_document(file("docx")) == table
        (tmp_path / "x.xlsx").write_bytes(file("xlsx"))
        assert of_the_workbook(tmp_path / "x.xlsx") == table
        lines = list(csv.DictReader(io.StringIO(file("csv").decode("utf-8-sig"))))
        assert sum(line["theo_lich"] == "có" for line in lines) == told["total"]["villages"]
        if not topic:  # a row says which bulletins were in it, not which of them the filter meant
            for name, value in of_the_rows(program, period=period, **asked).items():
                assert value == told["total"][name], name
        for name in ("villages", "villages_played", "villages_confirmed"):
            assert sum(line["tally"][name] for line in told["by_village"]) == told["total"][name]
        seen.append((period, table))

    agrees()
    assert max(table["Lượt thôn"][0] or 0 for _period, table in seen) > 100, (
        "a real number of rows was compared"
    )


def test_a_workbook_recalculated_by_another_program_agrees_with_the_screen_and_the_interface(
    october: Any, tmp_path: Path
) -> None:
    officer, program = october.browser("canbo"), Program(october, issued(october))
    source = tmp_path / "bao-cao.xlsx"
    book = load_workbook(io.BytesIO(officer.get("/bao-cao/tai/xlsx?ky=2026-10").data))
    book.save(source)  # without the values that came along
    book.close()
    recalculated = of_the_workbook(convert(source, "xlsx", tmp_path / "ra"))
    told = program.get("/reports", period="2026-10").json["total"]
    assert recalculated == of_the_interface(told)
    assert recalculated == of_the_screen(officer.get("/bao-cao?ky=2026-10").text)
    assert recalculated["Lượt thôn"][0] == told["villages"] > 250


def test_a_period_that_no_calendar_has_is_not_there_and_this_month_is_what_nothing_means(world: Any) -> None:
    program = Program(world, issued(world))
    for period in ("2025-W53", "2026-02-30..2026-03-01", "2026-11-05..2026-11-01", "0000"):
        answer = program.get("/reports", period=period)
        assert answer.status_code == 404, period
        assert "kỳ" in answer.json["message"] or "Ngày" in answer.json["message"]
    assert program.get("/reports", period="tháng 11").status_code == 422
    assert program.get("/reports", topic="khong-co").status_code == 404
    assert program.get("/reports/rows", village="khong-co").status_code == 404
    assert program.get("/reports").json["period"] == "2026-11"
    asrun_only = Program(world, issued(world, scopes=("asrun.read",)))
    assert asrun_only.get("/reports").status_code == 403
