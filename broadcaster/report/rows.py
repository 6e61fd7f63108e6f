"""The ledger's cells as .csv, for whatever else a person wants to count; and how every .csv here is written."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from typing import IO

from broadcaster.report.figures import PLAYER_WORDS, SAID_WORDS, Figures, chosen_cells

HEAD = (
    "ngay", "gio", "khung_gio", "ma_thon", "thon", "theo_lich", "may_phat", "vi_sao", "so_may_thu",
    "so_may_phat_du", "thon_xac_nhan", "ly_do_thon_neu", "tin_bai", "sha256", "buoi",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_rows(shown: Figures, out: IO[bytes]) -> None:
    """One line an airing and village to `out`, which stays open; dates as 2026-11-24."""
    write_table(out, HEAD, _lines(shown))


def write_table(out: IO[bytes], head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """UTF-8 with a mark that Excel knows it by; no cell is taken for a formula.  Line by line: a year is 27 000."""
    text = TextIOWrapper(out, encoding="utf-8", newline="")
    try:
        text.write("\ufeff")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(head)
        writer.writerows([_safe(str(value)) for value in row] for row in rows)
    finally:
        text.detach()


def _lines(shown: Figures) -> Iterator[Sequence[object]]:
    ledger = shown.ledger
    names = {village.id: (village.slug, village.name) for village in ledger.villages}
    titles = ["; ".join(item.title for item in part.sounding) for part in ledger.parts]
    for cell in chosen_cells(ledger, shown.choice):
        part = ledger.parts[cell.part]
        slug, name = names[cell.village]
        yield (
            part.local_date.isoformat(), f"{part.start_local:%H:%M}", part.slot, slug, name,
            "có" if part.planned else "nghỉ", PLAYER_WORDS[cell.player], cell.why, cell.receivers,
            cell.receivers_played, SAID_WORDS[cell.said], cell.said_reason, titles[cell.part],
            part.sha256, part.airing_id,
        )  # fmt: skip


def _safe(text: str) -> str:
    """A cell that a spreadsheet will not take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
