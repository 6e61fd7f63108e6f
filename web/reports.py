"""Báo cáo: a period's figures in three columns, the rows behind each number, the papers, the year's counter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO

from flask import Blueprint, render_template, request, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound
from broadcaster.report.figures import (
    EVERYTHING,
    PLAYER_WORDS,
    SAID_WORDS,
    Choice,
    Figures,
    Line,
    chosen_cells,
)
from broadcaster.report.ledger import Cell, Player, Said
from broadcaster.report.narrative import amounts, channel, lacking, missing_numbers
from broadcaster.report.paper import Paper
from broadcaster.report.papers import (
    logbook_of,
    paper_of,
    report_of,
    saved_text,
    yearly,
)
from broadcaster.report.period import (
    Period,
    after,
    before,
    days_between,
    month_of,
    parse_period,
    quarter_of,
    week_of,
    year_of,
)
from broadcaster.store.tables import Topic, Village
from web.deps import deps, now, reading, station, today
from web.security import needs
from web.words import parse_day

bp = Blueprint("reports", __name__, url_prefix="/bao-cao")

KINDS = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "csv": "text/csv",
    "zip": "application/zip",
}
PAGE = 200
FULL_MARKS = 100  # pieces a year on a theme: what the published scorecard gives its whole mark for
# What a figure may be asked of: key -> its word, and which cells it counts.
COLUMNS: Mapping[str, tuple[str, Player | None, Said | None]] = {
    "ke-hoach": ("theo lịch", None, None),
    "may-du": ("máy phát đủ", Player.PLAYED, None),
    "may-do": ("máy phát dở", Player.PARTLY, None),
    "may-khong": ("máy không phát", Player.SILENT, None),
    "chua-bao-cao": ("máy chưa báo cáo", Player.UNREPORTED, None),
    "khong-may": ("không có máy thu", Player.NO_RECEIVER, None),
    "thon-xac-nhan": ("thôn xác nhận đã phát", None, Said.PLAYED),
    "thon-hong": ("thôn báo không phát được", None, Said.FAILED),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart: lengths in tenths of a percent of the longest."""

    line: Line
    planned: int
    played: int
    confirmed: int


@bp.get("")
@needs("report")
def page() -> ResponseReturnValue:
    """The figures of a period, this month unless asked otherwise."""
    period, choice = asked_period(), _choice()
    with reading() as session:
        shown = report_of(session, station(), period, now=now(), choice=choice)
        saved = saved_text(session, period)
        return render_template(
            "report.html",
            shown=shown,
            period=period,
            choice=choice,
            bars=_bars(shown.by_topic, "pieces"),
            months=_bars(shown.by_month, "villages"),
            missing=missing_numbers(saved.body, shown) if saved and choice == EVERYTHING else (),
            saved=saved,
            amounts=amounts,
            lacking=lacking,
            channel=channel,
            **_filters(session, period),
        )


@bp.get("/dong")
@needs("report")
def rows() -> ResponseReturnValue:
    """The rows behind one number: as many as the number says."""
    period, choice = asked_period(), _choice()
    column = request.args.get("cot", "ke-hoach")
    if column not in COLUMNS:
        raise NotFound("Không có cột số liệu này. Hãy mở lại báo cáo và bấm vào con số.")
    _word, player, said = COLUMNS[column]
    with reading() as session:
        shown = report_of(session, station(), period, now=now(), choice=choice, beside=False)
    ledger = shown.ledger
    found = [
        cell
        for cell in chosen_cells(ledger, choice)
        if ledger.parts[cell.part].planned
        and (player is None or cell.player is player)
        and (said is None or cell.said is said)
    ]
    start = max(request.args.get("tu_dong", 0, type=int), 0)
    return render_template(
        "report_rows.html",
        shown=shown,
        period=period,
        column=column,
        columns=COLUMNS,
        found=len(found),
        start=start,
        size=PAGE,
        rows=_lines(shown, found[start : start + PAGE]),
        words=_choice_words(shown),
    )


@bp.get("/tin-bai")
@needs("report")
def pieces() -> ResponseReturnValue:
    """The (bulletin, airing) pairs behind a number of lượt tin bài."""
    period, choice = asked_period(), _choice()
    column = request.args.get("cot", "may-du")
    with reading() as session:
        shown = report_of(session, station(), period, now=now(), choice=choice, beside=False)
    from broadcaster.report.sheets import pieces_of

    wanted = [
        piece
        for piece in pieces_of(shown, chosen_cells(shown.ledger, choice))
        if column == "ke-hoach" or (piece.confirmed if column == "thon-xac-nhan" else piece.played)
    ]
    start = max(request.args.get("tu_dong", 0, type=int), 0)
    return render_template(
        "report_pieces.html",
        shown=shown,
        period=period,
        column=column,
        found=len(wanted),
        start=start,
        size=PAGE,
        rows=wanted[start : start + PAGE],
        words=_choice_words(shown),
    )


@bp.get("/tai/<kind>")
@needs("report")
def download(kind: str) -> ResponseReturnValue:
    """The period as .docx, .xlsx, .pdf or .csv, or with everything behind it as .zip."""
    period, choice = asked_period(), _choice()
    name = f"bao-cao_{station().slug}_{period.text}"
    with reading() as session:
        shown = report_of(session, station(), period, now=now(), choice=choice)
        if kind == "zip":
            return _evidence(session, shown, name.replace("bao-cao", "minh-chung"))
        paper = paper_of(session, station(), shown) if kind in ("docx", "pdf") else None
    if kind == "csv":
        return _rows(shown, name)
    return _sent(_made(kind, shown, paper), kind, name)


@bp.get("/so-tuan")
@needs("report")
def book() -> ResponseReturnValue:
    """The week's sheet of the station's book, to print or to take away as a file."""
    period = asked_period(week_of(today()))
    with reading() as session:
        paper = logbook_of(session, station(), period, now=now())
    return render_template(
        "report_book.html",
        paper=paper,
        table=paper.body[-1],
        period=period,
        back=before(period),
        on=after(period),
    )


@bp.get("/so-tuan/<kind>")
@needs("report")
def book_file(kind: str) -> ResponseReturnValue:
    """The same sheet as a file."""
    if kind not in ("docx", "pdf"):
        raise NotFound("Sổ nhật ký chỉ có dạng .docx và .pdf.")
    period = asked_period(week_of(today()))
    with reading() as session:
        paper = logbook_of(session, station(), period, now=now())
    return _sent(_papered(kind, paper), kind, f"so-nhat-ky_{station().slug}_{period.text}")


@bp.get("/nam")
@needs("report")
def year() -> ResponseReturnValue:
    """Lượt tin bài of a year on each theme, against full marks."""
    asked = _year()
    with reading() as session:
        shown = yearly(session, station(), asked, now=now())
    return render_template("report_year.html", shown=shown, period=year_of(asked), full=FULL_MARKS)


# ---------------------------------------------------------------------------------------------- tools


def _year() -> date:
    text = request.args.get("nam", "").strip() or f"{today().year}"
    if not (text.isdigit() and 2000 <= int(text) <= 2100):
        raise InputError("Năm viết bằng bốn chữ số, ví dụ 2026.")
    return date(int(text), 1, 1)


def asked_period(otherwise: Period | None = None) -> Period:
    first, last = request.values.get("tu", "").strip(), request.values.get("den", "").strip()
    if first or last:
        start, end = parse_day(first), parse_day(last)
        if start is None or end is None:
            raise InputError("Ngày chưa đúng. Hãy gõ đủ hai ngày, ví dụ 01/11/2026 và 15/11/2026.")
        return days_between(start, end)
    text = request.values.get("ky", "").strip()
    return parse_period(text) if text else otherwise or month_of(today())


def _choice() -> Choice:
    def key(name: str) -> int | None:
        text = request.args.get(name, "").strip()
        if text and not text.isdigit():
            raise NotFound("Bộ lọc của báo cáo không đúng. Hãy mở lại báo cáo.")
        return int(text) if text else None

    return Choice(
        topic=key("chu_de"),
        village=key("thon"),
        author=key("nguoi"),
        slot=request.args.get("khung") or None,
        month=request.args.get("thang") or None,
    )


def _filters(session: Session, period: Period) -> dict[str, object]:
    near = today()
    periods = [
        month_of(near),
        before(month_of(near)),
        quarter_of(near),
        before(quarter_of(near)),
        year_of(near),
    ]
    periods += [before(year_of(near)), week_of(near), before(week_of(near))]
    if period not in periods:
        periods.insert(0, period)
    return {
        "periods": periods,
        "back": before(period),
        "on": after(period),
        "topics": session.execute(select(Topic.id, Topic.title).order_by(Topic.position, Topic.id)).all(),
        "villages": session.execute(
            select(Village.id, Village.name).order_by(Village.position, Village.id)
        ).all(),
    }


def _bars(lines: Sequence[Line], what: str) -> list[Bar]:
    longest = max((getattr(line.tally, what) for line in lines), default=0) or 1

    def length(line: Line, name: str) -> int:
        return round(1000 * getattr(line.tally, name) / longest)

    return [
        Bar(line, length(line, what), length(line, f"{what}_played"), length(line, f"{what}_confirmed"))
        for line in lines
    ]


def _lines(shown: Figures, cells: Sequence[Cell]) -> list[dict[str, object]]:
    ledger = shown.ledger
    names = {village.id: village.label(ledger.period) for village in ledger.villages}
    return [
        {
            "part": ledger.parts[cell.part],
            "village": names[cell.village],
            "cell": cell,
            "player": PLAYER_WORDS[cell.player],
            "said": SAID_WORDS[cell.said],
        }
        for cell in cells
    ]


def _choice_words(shown: Figures) -> str:
    ledger, choice = shown.ledger, shown.choice
    parts = [ledger.topics.get(choice.topic, "") if choice.topic else ""]
    parts += [village.name for village in ledger.villages if village.id == choice.village]
    parts.append(ledger.authors.get(choice.author, "") if choice.author else "")
    parts += [choice.slot or "", choice.month or ""]
    return " · ".join(part for part in parts if part)


def _made(kind: str, shown: Figures, paper: Paper | None) -> bytes:
    # Each writer is a library of its own: a screen must not wait for all of them to be imported.
    if paper is not None:
        return _papered(kind, paper)
    if kind == "xlsx":
        from broadcaster.report.workbook import workbook

        return workbook(shown)
    raise NotFound("Không có dạng tệp này. Hãy chọn .docx, .xlsx, .pdf, .csv hoặc .zip.")


def _evidence(session: Session, shown: Figures, name: str) -> ResponseReturnValue:
    from broadcaster.report.evidence import write_evidence

    return _written(
        lambda out: write_evidence(session, station(), shown, blobs=deps().blobs, out=out), "zip", name
    )


def _rows(shown: Figures, name: str) -> ResponseReturnValue:
    from broadcaster.report.rows import write_rows

    return _written(lambda out: write_rows(shown, out), "csv", name)


def _written(write: Callable[[IO[bytes]], None], kind: str, name: str) -> ResponseReturnValue:
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it when it has been sent
    write(file)
    file.seek(0)
    return _sent(file, kind, name)


def _papered(kind: str, paper: Paper) -> bytes:
    if kind == "docx":
        from broadcaster.report.docx import docx

        return docx(paper)
    from broadcaster.report.pdf import pdf

    return pdf(paper)


def _sent(data: bytes | IO[bytes], kind: str, name: str) -> ResponseReturnValue:
    return send_file(
        BytesIO(data) if isinstance(data, bytes) else data,
        mimetype=KINDS[kind],
        as_attachment=True,
        download_name=f"{name.replace('..', '_')}.{kind}",
    )
