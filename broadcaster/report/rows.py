"""The ledger's cells as .csv, for whatever else a person wants to count."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from broadcaster.report.figures import PLAYER_WORDS, SAID_WORDS, Figures, chosen_cells

HEAD = (
    "ngay", "gio", "khung_gio", "ma_thon", "thon", "theo_lich", "may_phat", "vi_sao", "so_may_thu",
    "so_may_phat_du", "thon_xac_nhan", "ly_do_thon_neu", "tin_bai", "sha256", "buoi",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows_csv(shown: Figures) -> bytes:
    """UTF-8 with a mark that Excel knows it by; dates as 2026-11-24; one line an airing and village."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(HEAD)
    writer.writerows(_lines(shown))
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def _lines(shown: Figures) -> Iterator[list[str]]:
    ledger = shown.ledger
    names = {village.id: (village.slug, village.name) for village in ledger.villages}
    titles = ["; ".join(item.title for item in part.sounding) for part in ledger.parts]
    for cell in chosen_cells(ledger, shown.choice):
        part = ledger.parts[cell.part]
        slug, name = names[cell.village]
        yield [
            safe(text)
            for text in (
                part.local_date.isoformat(), f"{part.start_local:%H:%M}", part.slot, slug, name,
                "có" if part.planned else "nghỉ", PLAYER_WORDS[cell.player], cell.why, str(cell.receivers),
                str(cell.receivers_played), SAID_WORDS[cell.said], cell.said_reason, titles[cell.part],
                part.sha256, part.airing_id,
            )
        ]  # fmt: skip


def safe(text: str) -> str:
    """A cell that a spreadsheet will not take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
