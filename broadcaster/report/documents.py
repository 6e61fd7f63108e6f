"""The report as a workbook: airings, villages, and every single row; totals are formulas that can be checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from broadcaster.model import AiringState, Outcome, ReceiptKind
from broadcaster.report.counting import ReportRow

OUTCOMES = {
    Outcome.PLAYED: "đã phát đủ",
    Outcome.INTERRUPTED: "phát dở",
    Outcome.PREEMPTED: "bị cắt ngang",
    Outcome.MISSED: "lỡ buổi",
    Outcome.SKIPPED: "không phát",
    Outcome.UNREPORTED: "chưa có báo cáo",
}
SAID = {
    ReceiptKind.PLAYED: "đã phát xong",
    ReceiptKind.FAILED: "không phát được",
    ReceiptKind.DOWNLOADED: "đã tải về",
}
STATES = {
    AiringState.PLANNED: "có trong lịch",
    AiringState.CLOSED: "đã chốt nội dung",
    AiringState.STARTED: "tới giờ phát",
    AiringState.SKIPPED: "đài cho nghỉ",
    AiringState.CANCELLED: "đã bỏ",
}
_COUNTED = ("Theo lịch", "Máy phát đủ", "Máy phát dở", "Máy không phát", "Chưa báo cáo", "Không có máy thu")
_CONFIRMED = ("Thôn xác nhận đã phát", "Thôn báo không phát được", "Thôn chưa xác nhận")
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_HEAD = PatternFill("solid", fgColor="DCE6F1")


@dataclass(slots=True)
class _Counts:
    """Whole numbers of one line; every row of the report falls into one of each group."""

    planned: int = 0
    played: int = 0
    partly: int = 0
    silent: int = 0
    unreported: int = 0
    no_receiver: int = 0
    confirmed: int = 0
    failed: int = 0
    unsaid: int = 0

    def add(self, row: ReportRow) -> None:
        if not row.planned:
            return
        self.planned += 1
        line = row.played
        if line is None:
            self.no_receiver += 1
        elif line.told.outcome is Outcome.PLAYED:
            self.played += 1
        elif line.told.outcome in (Outcome.INTERRUPTED, Outcome.PREEMPTED):
            self.partly += 1
        elif line.told.outcome is Outcome.UNREPORTED:
            self.unreported += 1
        else:
            self.silent += 1
        said = row.confirmed
        if said is None or said.kind is ReceiptKind.DOWNLOADED:
            self.unsaid += 1
        elif said.kind is ReceiptKind.PLAYED:
            self.confirmed += 1
        else:
            self.failed += 1

    def cells(self) -> list[int]:
        return [
            self.planned, self.played, self.partly, self.silent, self.unreported, self.no_receiver,
            self.confirmed, self.failed, self.unsaid,
        ]  # fmt: skip


def xlsx(rows: Sequence[ReportRow], *, zone: ZoneInfo | None = None, station_name: str = "") -> bytes:
    """The workbook's bytes: sheets “Buổi phát”, “Thôn” and “Chi tiết”.

    `zone` is the station's, for the times people confirmed; every time in the workbook is local.
    """
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet), "a new workbook has a sheet"
    first.title = "Buổi phát"
    place = zone or ZoneInfo("Asia/Ho_Chi_Minh")
    _airings(first, rows, station_name)
    _villages(book.create_sheet("Thôn"), rows, station_name)
    _details(book.create_sheet("Chi tiết"), rows, place)
    buffer = BytesIO()
    book.save(buffer)
    book.close()
    return buffer.getvalue()


def _airings(sheet: Worksheet, rows: Sequence[ReportRow], station_name: str) -> None:
    start = _title(sheet, f"BUỔI PHÁT {station_name}".strip(), rows)
    head = ["Ngày", "Giờ", "Buổi", "Tình trạng", "Nội dung", "Chủ đề", "Thời lượng (phút)"]
    counts: dict[str, _Counts] = {}
    kept: dict[str, ReportRow] = {}
    for row in rows:
        counts.setdefault(row.airing_id, _Counts()).add(row)
        kept.setdefault(row.airing_id, row)
    lines: list[list[Any]] = []
    for airing_id, row in kept.items():
        state = STATES[row.state] + (f": {row.reason}" if row.reason else "")
        minutes = round(row.duration_ms / 60_000, 1) if row.duration_ms is not None else None
        lines.append(
            [
                row.local_date,
                f"{row.start_local:%H:%M}",
                row.slot_name,
                state,
                "; ".join(row.titles),
                "; ".join(row.topics),
                minutes,
                *counts[airing_id].cells(),
            ]
        )
    _table(sheet, start, [*head, *_COUNTED, *_CONFIRMED], lines, sums_from=7)
    _widths(sheet, [12, 8, 18, 26, 60, 30, 12])


def _villages(sheet: Worksheet, rows: Sequence[ReportRow], station_name: str) -> None:
    start = _title(sheet, f"THÔN, TỔ DÂN PHỐ {station_name}".strip(), rows)
    counts: dict[str, _Counts] = {}
    names: dict[str, str] = {}
    for row in rows:
        counts.setdefault(row.village_slug, _Counts()).add(row)
        names[row.village_slug] = row.village
    lines: list[list[Any]] = [[names[slug], *one.cells()] for slug, one in counts.items()]
    head = ["Thôn", *_COUNTED, *_CONFIRMED]
    _table(sheet, start, head, lines, sums_from=2)
    share = len(head) + 1
    _put(sheet.cell(start, share), "Tỷ lệ máy phát đủ", bold=True)
    for number in range(start + 1, start + 2 + len(lines)):
        part = sheet.cell(number, share)
        part.value = f"=IF(B{number}=0,0,C{number}/B{number})"
        part.number_format = "0.0%"
    _widths(sheet, [28])


def _details(sheet: Worksheet, rows: Sequence[ReportRow], zone: ZoneInfo) -> None:
    head = [
        "Ngày", "Giờ", "Buổi", "Thôn", "Theo lịch", "Máy phát", "Vì sao", "Máy thu", "Thôn xác nhận", "Lúc",
        "Lý do thôn nêu",
    ]  # fmt: skip
    lines: list[list[Any]] = []
    for row in rows:
        line, said = row.played, row.confirmed
        lines.append(
            [
                row.local_date,
                f"{row.start_local:%H:%M}",
                row.slot_name,
                row.village,
                "có" if row.planned else "nghỉ",
                OUTCOMES[line.told.outcome] if line is not None else "không có máy thu",
                row.why,
                "; ".join(one.receiver for one in row.players),
                SAID[said.kind] if said is not None else "",
                f"{said.at.astimezone(zone):%H:%M %d/%m/%Y}" if said is not None else "",
                said.reason if said is not None else "",
            ]
        )
    _table(sheet, 1, head, lines, sums_from=None)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(head))}{len(lines) + 1}"
    _widths(sheet, [12, 8, 18, 24, 10, 18, 60, 28, 18, 18, 30])


def _title(sheet: Worksheet, title: str, rows: Sequence[ReportRow]) -> int:
    _put(sheet.cell(1, 1), title, bold=True)
    if rows:
        first, last = rows[0].local_date, rows[-1].local_date
        _put(sheet.cell(2, 1), f"Từ ngày {first:%d/%m/%Y} đến ngày {last:%d/%m/%Y}")
    return 4


def _table(
    sheet: Worksheet,
    start: int,
    head: Sequence[str],
    lines: Sequence[Sequence[Any]],
    *,
    sums_from: int | None,
) -> None:
    """A head, the lines, and under them the sums of the columns from `sums_from` (1 = A) on."""
    for column, text in enumerate(head, start=1):
        cell = sheet.cell(start, column)
        _put(cell, text, bold=True)
        cell.fill = _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for number, line in enumerate(lines, start=start + 1):
        for column, value in enumerate(line, start=1):
            _put(sheet.cell(number, column), value)
    sheet.freeze_panes = f"A{start + 1}"
    if sums_from is None:
        return
    total, end = start + 1 + len(lines), start + len(lines)
    _put(sheet.cell(total, 1), "Cộng", bold=True)
    for column in range(sums_from, len(head) + 1):
        letter = get_column_letter(column)
        below = sheet.cell(total, column)
        below.value = f"=SUM({letter}{start + 1}:{letter}{end})" if lines else 0
        below.font = Font(bold=True)


def _put(cell: Any, value: Any, *, bold: bool = False) -> None:
    if isinstance(value, str):
        cell.value = _NOT_IN_XML.sub("", value)[:32_000]
        cell.data_type = "s"  # a title that begins with "=" is a title, not a formula
    else:
        cell.value = value
        if value is not None and isinstance(cell, Cell) and cell.is_date:
            cell.number_format = "dd/mm/yyyy"
    if bold:
        cell.font = Font(bold=True)


def _widths(sheet: Worksheet, widths: Iterable[int]) -> None:
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
