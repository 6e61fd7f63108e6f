"""Figures -> .xlsx: every total is a formula over the rows in the same file, with native charts.

The formulas carry their values too, so that phones and previews which do not calculate show the same.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from broadcaster.report.figures import PLAYER_WORDS, SAID_WORDS, Figures, Line, chosen_cells
from broadcaster.report.ledger import Player, Said
from broadcaster.report.sheets import (
    AIRINGS,
    PIECES,
    POSTS,
    ROWS,
    TARGETS,
    TOTAL,
    Looks,
    activity_rows,
    airing_rows,
    column_of,
    details,
    heads,
    piece_rows,
    pieces_of,
    post_rows,
    reason_rows,
    target_rows,
)
from broadcaster.report.tallies import Tally
from broadcaster.report.wording import clean

_VILLAGES: Final = (
    ("Theo lịch", "villages", ""),
    ("Máy phát đủ", "villages_played", PLAYER_WORDS[Player.PLAYED]),
    ("Phát dở", "villages_partly", PLAYER_WORDS[Player.PARTLY]),
    ("Không phát", "villages_silent", PLAYER_WORDS[Player.SILENT]),
    ("Chưa báo cáo", "villages_unreported", PLAYER_WORDS[Player.UNREPORTED]),
    ("Không có máy thu", "villages_without_receiver", PLAYER_WORDS[Player.NO_RECEIVER]),
)
_CONFIRMED: Final = (
    ("Thôn xác nhận đã phát", "villages_confirmed", SAID_WORDS[Said.PLAYED]),
    ("Thôn báo không phát được", "villages_failed", SAID_WORDS[Said.FAILED]),
)


def workbook(shown: Figures) -> bytes:
    """The workbook's bytes.  Times in it are the station's."""
    buffer = BytesIO()
    # A row leaves the memory when the next one begins: a year is 27 000 rows.  So rows are written in order.
    book = xlsxwriter.Workbook(
        buffer,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    looks = Looks(
        title=book.add_format({"bold": True, "font_size": 14}),
        head=book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#DCE6F1", "border": 1}),
        day=book.add_format({"num_format": "dd/mm/yyyy"}),
        whole=book.add_format({"num_format": "#,##0"}),
        bold=book.add_format({"bold": True, "num_format": "#,##0"}),
        part=book.add_format({"num_format": "0.0%"}),
        wrap=book.add_format({"text_wrap": True, "valign": "top"}),
    )  # fmt: skip
    sheets = {
        name: book.add_worksheet(name)
        for name in (TOTAL, "Thôn", "Chủ đề", TARGETS, AIRINGS, PIECES, ROWS, "Lý do", "Hoạt động", POSTS)
    }
    cells = [cell for cell in chosen_cells(shown.ledger, shown.choice)]
    pieces = pieces_of(shown, cells)
    details(sheets[ROWS], looks, shown, cells)
    piece_rows(sheets[PIECES], looks, shown, pieces)
    airings = airing_rows(sheets[AIRINGS], looks, shown, cells)
    _villages(book, sheets["Thôn"], looks, shown, len(cells))
    _topics(book, sheets["Chủ đề"], looks, shown, len(pieces))
    _summary(book, sheets[TOTAL], looks, shown, len(cells), len(pieces), airings)
    target_rows(sheets[TARGETS], looks, shown, len(pieces))
    post_rows(sheets[POSTS], looks, shown)
    reason_rows(sheets["Lý do"], looks, shown)
    activity_rows(sheets["Hoạt động"], looks, shown)
    book.close()
    return buffer.getvalue()


# -------------------------------------------------------------------------------------------- totals


def _villages(book: Workbook, sheet: Worksheet, looks: Looks, shown: Figures, rows: int) -> None:
    head = ("Mã thôn", "Thôn", *(name for name, _, _ in (*_VILLAGES, *_CONFIRMED)), "Tỷ lệ máy phát đủ")
    heads(sheet, looks, 0, head, (14, 40, 9, 9, 9, 9, 9, 9, 10, 10, 10))
    slugs = {str(village.id): village.slug for village in shown.ledger.villages}
    for row, line in enumerate(shown.by_village, start=1):
        sheet.write_string(row, 0, slugs[line.key])
        sheet.write_string(row, 1, clean(line.label))
        _village_counts(sheet, looks.whole, row, line.tally, rows, f"$A{row + 1}")
        _share(sheet, looks, row, line.tally)
    end = len(shown.by_village)
    sheet.write_string(end + 1, 1, "Cộng", looks.bold)
    for column in range(2, 2 + len(_VILLAGES) + len(_CONFIRMED)):
        letter = xl_col_to_name(column)
        value = sum(getattr(line.tally, _field(column - 2)) for line in shown.by_village)
        sheet.write_formula(
            end + 1, column, f"=SUM({letter}2:{letter}{end + 1})" if end else "=0", looks.bold, value
        )
    _share(sheet, looks, end + 1, shown.total)
    if end:
        chart = book.add_chart({"type": "bar"})
        chart.add_series(
            {
                "name": "Tỷ lệ máy phát đủ", "categories": ["Thôn", 1, 1, end, 1], "values": ["Thôn", 1, 10, end, 10],
                "fill": {"color": "#0B5D3B"},
            }
        )  # fmt: skip
        chart.set_title({"name": "Tỷ lệ máy phát đủ theo thôn"})
        chart.set_legend({"none": True})
        chart.set_y_axis({"reverse": True})
        chart.set_size({"width": 640, "height": max(240, 18 * end + 80)})
        sheet.insert_chart(1, 12, chart)


def _field(position: int) -> str:
    return (*_VILLAGES, *_CONFIRMED)[position][1]


def _village_counts(sheet: Worksheet, look: Any, row: int, tally: Tally, rows: int, slug: str) -> None:
    """COUNTIFS over the details: planned ones of this village, by what players and village say."""
    base = f'{column_of("D", rows)},{slug},{column_of("F", rows)},"có"'
    for column, (_name, field, word) in enumerate(_VILLAGES, start=2):
        more = f',{column_of("G", rows)},"{word}"' if word else ""
        sheet.write_formula(row, column, f"=COUNTIFS({base}{more})", look, getattr(tally, field))
    for column, (_name, field, word) in enumerate(_CONFIRMED, start=2 + len(_VILLAGES)):
        formula = f'=COUNTIFS({base},{column_of("K", rows)},"{word}")'
        sheet.write_formula(row, column, formula, look, getattr(tally, field))


def _share(sheet: Worksheet, looks: Looks, row: int, tally: Tally) -> None:
    value = tally.villages_played / tally.villages if tally.villages else 0
    sheet.write_formula(row, 10, f"=IF(C{row + 1}=0,0,D{row + 1}/C{row + 1})", looks.part, value)


def _topics(book: Workbook, sheet: Worksheet, looks: Looks, shown: Figures, rows: int) -> None:
    head = (
        "Mã chủ đề", "Chủ đề", "Lượt tin bài theo lịch", "Máy phát đã phát", "Thôn xác nhận", "Số tin bài theo lịch",
        "Số tin bài đã phát", "Số tin bài thôn xác nhận",
    )  # fmt: skip
    heads(sheet, looks, 0, head, (9, 44, 11, 11, 11, 11, 11, 11))
    for row, line in enumerate(shown.by_topic, start=1):
        sheet.write_number(row, 0, int(line.key))
        sheet.write_string(row, 1, clean(line.label))
        _piece_counts(
            sheet, looks.whole, row, line.tally, rows, f"{column_of('E', rows, PIECES)},$A{row + 1}"
        )
    end = len(shown.by_topic)
    sheet.write_string(end + 1, 1, "Cộng", looks.bold)
    for column, field in enumerate(_PIECE_FIELDS, start=2):
        letter = xl_col_to_name(column)
        formula = f"=SUM({letter}2:{letter}{end + 1})" if end else "=0"
        value = sum(getattr(line.tally, field) for line in shown.by_topic)
        sheet.write_formula(end + 1, column, formula, looks.bold, value)
    if end:
        chart = book.add_chart({"type": "bar"})
        for column, colour in ((2, "#9DB2BF"), (3, "#0B5D3B"), (4, "#B7791F")):
            chart.add_series(
                {
                    "name": ["Chủ đề", 0, column], "categories": ["Chủ đề", 1, 1, end, 1],
                    "values": ["Chủ đề", 1, column, end, column], "fill": {"color": colour},
                }
            )  # fmt: skip
        chart.set_title({"name": "Lượt tin bài theo chủ đề"})
        chart.set_y_axis({"reverse": True})
        chart.set_legend({"position": "bottom"})
        chart.set_size({"width": 720, "height": max(280, 56 * end + 120)})
        sheet.insert_chart(end + 4, 1, chart)


_PIECE_FIELDS: Final = (
    "pieces", "pieces_played", "pieces_confirmed", "bulletins", "bulletins_played", "bulletins_confirmed",
)  # fmt: skip


def _piece_counts(sheet: Worksheet, look: Any, row: int, tally: Tally, rows: int, where: str) -> None:
    wheres = ("", "H", "I", "J", "K", "L")
    for column, (field, letter) in enumerate(zip(_PIECE_FIELDS, wheres, strict=True), start=2):
        more = f",{column_of(letter, rows, PIECES)},1" if letter else ""
        sheet.write_formula(row, column, f"=COUNTIFS({where}{more})", look, getattr(tally, field))


def _summary(
    book: Workbook, sheet: Worksheet, looks: Looks, shown: Figures, rows: int, pieces: int, airings: int
) -> None:
    ledger, total = shown.ledger, shown.total
    local = ledger.as_of.astimezone(ZoneInfo(ledger.zone))
    sheet.write_string(0, 0, clean(f"{ledger.station}: {ledger.period.label}"), looks.title)
    sheet.write_string(
        1, 0, f"Số liệu đến {local:%H:%M} ngày {local:%d/%m/%Y}. Ba cột đứng riêng, không gộp."
    )
    heads(
        sheet,
        looks,
        3,
        ("Chỉ tiêu", "Theo lịch", "Máy phát báo đã phát", "Thôn xác nhận đã phát"),
        (34, 16, 16, 16),
    )

    def sums(letter: str) -> str:
        return f"=SUM({column_of(letter, airings, AIRINGS)})"

    def count(*more: tuple[str, str]) -> str:
        tests = "".join(f',{column_of(letter, rows)},"{word}"' for letter, word in more)
        return f'=COUNTIFS({column_of("F", rows)},"có"{tests})'

    def piece(letter: str) -> str:
        return f"=SUM({column_of(letter, pieces, PIECES)})"

    def receivers(letter: str) -> str:
        return f'=SUMIFS({column_of(letter, rows)},{column_of("F", rows)},"có")'

    first = f'=COUNTIFS({column_of("J", pieces, PIECES)},">=0")'
    lines: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = (
        ("Buổi phát", ((sums("G"), total.airings), (sums("H"), total.airings_played), (sums("I"), total.airings_confirmed))),
        ("Lượt thôn", (
            (count(), total.villages), (count(("G", PLAYER_WORDS[Player.PLAYED])), total.villages_played),
            (count(("K", SAID_WORDS[Said.PLAYED])), total.villages_confirmed),
        )),
        ("Lượt máy thu", ((receivers("I"), total.receivers), (receivers("J"), total.receivers_played))),
        ("Lượt tin bài", ((first, total.pieces), (piece("H"), total.pieces_played), (piece("I"), total.pieces_confirmed))),
        ("Số tin bài", (
            (piece("J"), total.bulletins), (piece("K"), total.bulletins_played), (piece("L"), total.bulletins_confirmed),
        )),
        ("Thời lượng theo lịch (giây)", ((sums("F"), total.planned_ms / 1000),)),
        ("Lượt đăng bản tin trên mạng", ((f"=COUNTA({column_of('B', len(shown.posts), POSTS)})", len(shown.posts)),)),
        ("Lượt thôn báo không phát được", (("", 0), ("", 0), (count(("K", SAID_WORDS[Said.FAILED])), total.villages_failed))),
    )  # fmt: skip
    for row, (name, formulas) in enumerate(lines, start=4):
        sheet.write_string(row, 0, name)
        for column, (formula, value) in enumerate(formulas, start=1):
            if formula:
                sheet.write_formula(row, column, formula, looks.whole, value)
    start = 4 + len(lines) + 2
    heads(sheet, looks, start, ("Tháng", "Lượt thôn theo lịch", "Máy phát đủ", "Thôn xác nhận"), None)
    for row, line in enumerate(shown.by_month, start=start + 1):
        _month(sheet, looks, row, line)
    if shown.by_month:
        chart = book.add_chart({"type": "column"})
        end = start + len(shown.by_month)
        for column, colour in ((1, "#9DB2BF"), (2, "#0B5D3B"), (3, "#B7791F")):
            chart.add_series(
                {
                    "name": [TOTAL, start, column], "categories": [TOTAL, start + 1, 0, end, 0],
                    "values": [TOTAL, start + 1, column, end, column], "fill": {"color": colour},
                }
            )  # fmt: skip
        chart.set_title({"name": "Lượt thôn theo tháng"})
        chart.set_legend({"position": "bottom"})
        chart.set_size({"width": 640, "height": 340})
        sheet.insert_chart(3, 5, chart)


def _month(sheet: Worksheet, looks: Looks, row: int, line: Line) -> None:
    sheet.write_string(row, 0, line.label)
    for column, value in enumerate(
        (line.tally.villages, line.tally.villages_played, line.tally.villages_confirmed), start=1
    ):
        sheet.write_number(row, column, value, looks.whole)
