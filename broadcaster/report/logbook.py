"""Figures of a week -> a sheet of the station's book.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from broadcaster.model import AiringState
from broadcaster.report.figures import Figures
from broadcaster.report.ledger import Part
from broadcaster.report.paper import Frame, Paper, Table, Words, part_counts
from broadcaster.report.wording import number


def logbook_paper(shown: Figures, frame: Frame, approvers: Mapping[int, str]) -> Paper:
    """One week of the station's book: an airing a row, with what aired and how it was heard."""
    ledger = shown.ledger
    counts = part_counts(shown)
    rows = []
    for index, part in enumerate(ledger.parts):
        villages, played, confirmed = counts.get(index, (0, 0, 0))
        authors = dict.fromkeys(ledger.authors.get(item.author_id, "") for item in part.sounding)
        signed = dict.fromkeys(approvers.get(item.revision_id or 0, "") for item in part.sounding)
        rows.append(
            (
                f"{_DAYS[part.local_date.weekday()]} {part.local_date:%d/%m}",
                f"{part.start_local:%H:%M}",
                "; ".join(item.title for item in part.sounding) or "(không có tin bài)",
                ", ".join(one for one in authors if one),
                ", ".join(one for one in signed if one),
                f"{number(round((part.duration_ms or 0) / 1000))} giây" if part.duration_ms else "",
                _result(part, villages, played),
                f"{confirmed}/{villages}",
                "",
            )
        )
    local = ledger.as_of.astimezone(ZoneInfo(ledger.zone))
    return Paper(
        kind="SỔ NHẬT KÝ CHƯƠNG TRÌNH PHÁT THANH",
        subject=f"{ledger.station}, {ledger.period.label}",
        frame=frame,
        year=ledger.period.last.year,
        body=(
            Words(f"Số liệu đến {local:%H:%M} ngày {local:%d/%m/%Y}; {len(ledger.villages)} thôn, tổ dân phố."),
            Table(
                "",
                (
                    "Ngày", "Giờ", "Nội dung", "Người soạn", "Người duyệt", "Độ dài", "Máy phát (thôn)",
                    "Thôn xác nhận", "Ghi chú, ký",
                ),
                tuple(rows),
                (1.1, 0.8, 4.2, 1.6, 1.6, 1.1, 1.7, 1.1, 1.6),
                small=True,
            ),
        ),
        formal=False,
        landscape=True,
    )  # fmt: skip


_DAYS = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")


def _result(part: Part, villages: int, played: int) -> str:
    if part.state is AiringState.SKIPPED:
        return f"không phát: {part.reason or 'không ghi lý do'}"
    return f"đã phát {played}/{villages}"
