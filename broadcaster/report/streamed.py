"""Many rows straight into a sheet of XlsxWriter.

A year has 350 000 cells, and the library's own way through each of them costs four times the sum of everything
else.  In constant memory it keeps a sheet's rows as text in a file of its own and copies them when the book is closed;
rows that are all of one shape are written there as text at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache
from html import escape
from typing import Any, Final

from xlsxwriter.worksheet import Worksheet

from broadcaster.report.wording import clean

_EPOCH: Final = date(1899, 12, 30)  # day 0 of a workbook
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
Value = str | int | date


def stream(sheet: Worksheet, first: int, rows: Iterable[Sequence[Value]], *, day: Any) -> None:
    """Write `rows` from row `first` on (numbers from 0), after everything above them; `day` = the format of dates.

    Text that is "" leaves its cell out.  At most 26 columns; the book must be in constant memory.
    """
    sheet._write_single_row(first)  # what the library still holds of the row above
    style = day._get_xf_index()
    write: Callable[[str], object] = sheet.row_data_fh.write
    number = first
    width = 0
    for number, row in enumerate(rows, start=first + 1):
        width = max(width, len(row))
        cells = []
        for letter, value in zip(_LETTERS, row, strict=False):
            if type(value) is str:
                if value:
                    cells.append(f'<c r="{letter}{number}" t="inlineStr">{_text(value)}</c>')
            elif type(value) is int:
                cells.append(f'<c r="{letter}{number}"><v>{value}</v></c>')
            else:
                cells.append(f'<c r="{letter}{number}" s="{style}"><v>{_serial(value)}</v></c>')
        write(f'<row r="{number}">{"".join(cells)}</row>')
    sheet.previous_row = number
    sheet.dim_rowmax = max(sheet.dim_rowmax or 0, number - 1)
    sheet.dim_colmax = max(sheet.dim_colmax or 0, width - 1)


@lru_cache(maxsize=65536)
def _text(value: str) -> str:
    plain = clean(value)
    kept = ' xml:space="preserve"' if plain != plain.strip() else ""
    return f"<is><t{kept}>{escape(plain, quote=False)}</t></is>"


@lru_cache(maxsize=4096)
def _serial(value: Any) -> int:
    days: int = (value - _EPOCH).days
    return days
