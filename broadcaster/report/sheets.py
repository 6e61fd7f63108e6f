"""The workbook's sheets of rows, which its formulas count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from broadcaster.report.figures import PLAYER_WORDS, SAID_WORDS, Figures
from broadcaster.report.ledger import Cell, Item, Part, Player, Said
from broadcaster.report.narrative import KINDS, channel, lacking
from broadcaster.report.streamed import Value, stream
from broadcaster.report.wording import clean

ROWS, PIECES, AIRINGS, TOTAL = "Chi tiết", "Lượt tin bài", "Buổi phát", "Tổng hợp"
TARGETS, POSTS = "Chỉ tiêu", "Đăng trên mạng"


@dataclass(frozen=True, slots=True)
class Looks:
    """Cell formats."""

    title: Any
    head: Any
    day: Any
    whole: Any
    bold: Any
    part: Any
    wrap: Any


def details(sheet: Worksheet, looks: Looks, shown: Figures, cells: Sequence[Cell]) -> None:
    ledger = shown.ledger
    names = {village.id: (village.slug, village.name) for village in ledger.villages}
    head = (
        "Ngày", "Giờ", "Khung giờ", "Mã thôn", "Thôn", "Theo lịch", "Máy phát", "Vì sao", "Số máy thu",
        "Máy phát đủ", "Thôn xác nhận", "Lý do thôn nêu", "Buổi",
    )  # fmt: skip
    heads(sheet, looks, 0, head, (11, 7, 16, 12, 22, 9, 16, 50, 9, 9, 16, 30, 12))
    stream(
        sheet,
        1,
        (_detail(ledger.parts[cell.part], cell, *names[cell.village]) for cell in cells),
        day=looks.day,
    )
    sheet.autofilter(0, 0, max(len(cells), 1), len(head) - 1)


def _detail(part: Part, cell: Cell, slug: str, name: str) -> tuple[Value, ...]:
    return (
        part.local_date, f"{part.start_local:%H:%M}", part.slot, slug, name, "có" if part.planned else "nghỉ",
        PLAYER_WORDS[cell.player], cell.why, cell.receivers, cell.receivers_played, SAID_WORDS[cell.said],
        cell.said_reason, part.airing_id,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """One bulletin in one airing; `first_…` = the first time it stands in that column of the period."""

    part: Part
    item: Item
    played: bool
    confirmed: bool
    first: bool
    first_played: bool
    first_confirmed: bool


def pieces_of(shown: Figures, cells: Sequence[Cell]) -> list[Piece]:
    ledger = shown.ledger
    played = {
        ledger.parts[cell.part].airing_id + f"/{cell.part}" for cell in cells if cell.player is Player.PLAYED
    }
    told = {ledger.parts[cell.part].airing_id + f"/{cell.part}" for cell in cells if cell.said is Said.PLAYED}
    here = {cell.part for cell in cells}
    merged: dict[tuple[str, int], tuple[Part, Item, bool, bool]] = {}
    for index, part in enumerate(ledger.parts):
        if not part.planned or not shown.choice.takes(part):
            continue
        if shown.choice.village is not None and index not in here:
            continue
        key = f"{part.airing_id}/{index}"
        for item in part.sounding:
            if shown.choice.takes_item(item):
                before = merged.get((part.airing_id, item.bulletin_id), (part, item, False, False))
                merged[part.airing_id, item.bulletin_id] = (
                    before[0], before[1], before[2] or key in played, before[3] or key in told,
                )  # fmt: skip
    seen: tuple[set[int], set[int], set[int]] = (set(), set(), set())
    found = []
    for part, item, was_played, was_told in merged.values():
        firsts = []
        for group, counts in zip(seen, (True, was_played, was_told), strict=True):
            firsts.append(counts and item.bulletin_id not in group)
            if counts:
                group.add(item.bulletin_id)
        found.append(Piece(part, item, was_played, was_told, *firsts))
    return found


def piece_rows(sheet: Worksheet, looks: Looks, shown: Figures, pieces: Sequence[Piece]) -> None:
    head = (
        "Ngày", "Giờ", "Khung giờ", "Tin bài", "Mã chủ đề", "Chủ đề", "Người soạn", "Máy phát đã phát",
        "Thôn xác nhận", "Lần đầu theo lịch", "Lần đầu được phát", "Lần đầu được xác nhận", "SHA-256 chương trình",
    )  # fmt: skip
    heads(sheet, looks, 0, head, (11, 7, 16, 50, 8, 28, 22, 10, 10, 10, 10, 10, 66))
    topics, authors = shown.ledger.topics, shown.ledger.authors
    for row, piece in enumerate(pieces, start=1):
        part, item = piece.part, piece.item
        sheet.write_datetime(row, 0, part.local_date, looks.day)
        sheet.write_string(row, 1, f"{part.start_local:%H:%M}")
        sheet.write_string(row, 2, clean(part.slot))
        sheet.write_string(row, 3, clean(item.title))
        sheet.write_number(row, 4, item.topic_id)
        sheet.write_string(row, 5, clean(topics.get(item.topic_id, "")))
        sheet.write_string(row, 6, clean(authors.get(item.author_id, "")))
        flags = (piece.played, piece.confirmed, piece.first, piece.first_played, piece.first_confirmed)
        for column, flag in enumerate(flags, start=7):
            sheet.write_number(row, column, int(flag))
        sheet.write_string(row, 12, part.sha256)
    sheet.autofilter(0, 0, max(len(pieces), 1), len(head) - 1)


def airing_rows(sheet: Worksheet, looks: Looks, shown: Figures, cells: Sequence[Cell]) -> int:
    """One row an airing; returns how many."""
    ledger = shown.ledger
    head = (
        "Ngày", "Giờ", "Khung giờ", "Tình trạng", "Tin bài", "Thời lượng (giây)", "Tính là theo lịch",
        "Máy phát đã phát", "Thôn xác nhận", "Lượt thôn", "Thôn máy phát đủ", "Thôn xác nhận đã phát",
        "SHA-256 chương trình",
    )  # fmt: skip
    heads(sheet, looks, 0, head, (11, 7, 16, 30, 60, 10, 9, 9, 9, 9, 9, 9, 66))
    counts: dict[int, list[int]] = {}
    for cell in cells:
        row = counts.setdefault(cell.part, [0, 0, 0])
        row[0] += 1
        row[1] += cell.player is Player.PLAYED
        row[2] += cell.said is Said.PLAYED
    merged: dict[str, tuple[Part, list[int]]] = {}
    for index, part in enumerate(ledger.parts):
        if not shown.choice.takes(part) or (shown.choice.village is not None and index not in counts):
            continue
        kept, sums = merged.setdefault(part.airing_id, (part, [0, 0, 0]))
        if (part.duration_ms or 0) > (kept.duration_ms or 0):
            merged[part.airing_id] = (part, sums)
        for position, value in enumerate(counts.get(index, (0, 0, 0))):
            sums[position] += value
    for number, (part, (villages, played, told)) in enumerate(merged.values(), start=1):
        meant = part.planned
        state = "theo lịch" if meant else f"đài cho nghỉ: {part.reason or 'không ghi lý do'}"
        sheet.write_datetime(number, 0, part.local_date, looks.day)
        sheet.write_string(number, 1, f"{part.start_local:%H:%M}")
        sheet.write_string(number, 2, clean(part.slot))
        sheet.write_string(number, 3, clean(state))
        sheet.write_string(number, 4, clean("; ".join(item.title for item in part.sounding)))
        sheet.write_number(number, 5, round((part.duration_ms or 0) / 1000, 3) if meant else 0)
        values = (meant, meant and played > 0, meant and told > 0, villages, played, told)
        for column, value in enumerate(values, start=6):
            sheet.write_number(number, column, int(value) if meant else 0)
        sheet.write_string(number, 12, part.sha256)
    sheet.autofilter(0, 0, max(len(merged), 1), len(head) - 1)
    return len(merged)


def reason_rows(sheet: Worksheet, looks: Looks, shown: Figures) -> None:
    heads(sheet, looks, 0, ("Nguồn", "Tình trạng", "Lý do", "Số lượt"), (12, 30, 70, 10))
    sides: Mapping[str, str] = {"planned": "đài", "player": "máy phát", "village": "thôn"}
    for row, miss in enumerate(shown.misses, start=1):
        for column, text in enumerate((sides[miss.side], miss.what, miss.reason)):
            sheet.write_string(row, column, clean(text))
        sheet.write_number(row, 3, miss.count)


def activity_rows(sheet: Worksheet, looks: Looks, shown: Figures) -> None:
    head = (
        "Ngày",
        "Hình thức",
        "Nội dung",
        "Nơi",
        "Chủ đề",
        "Số lượng",
        "Lượt người",
        "Ghi chú",
        "Minh chứng",
    )
    heads(sheet, looks, 0, head, (11, 24, 50, 24, 30, 9, 9, 40, 60))
    for row, one in enumerate(shown.activities, start=1):
        sheet.write_datetime(row, 0, one.day, looks.day)
        texts = (KINDS[one.kind], one.title, one.place, shown.ledger.topics.get(one.topic_id, ""))
        for column, text in enumerate(texts, start=1):
            sheet.write_string(row, column, clean(text))
        sheet.write_number(row, 5, one.quantity)
        if one.people is not None:
            sheet.write_number(row, 6, one.people)
        sheet.write_string(row, 7, clean(one.note))
        sheet.write_string(row, 8, clean("; ".join(f"{name} ({sha256})" for name, sha256 in one.files)))
    end = len(shown.activities)
    sheet.write_string(end + 1, 2, "Cộng", looks.bold)
    for column, value in (
        (5, sum(one.quantity for one in shown.activities)),
        (6, sum(one.people or 0 for one in shown.activities)),
    ):
        letter = xl_col_to_name(column)
        formula = f"=SUM({letter}2:{letter}{end + 1})" if end else "=0"
        sheet.write_formula(end + 1, column, formula, looks.bold, value)


def target_rows(sheet: Worksheet, looks: Looks, shown: Figures, pieces: int) -> None:
    """Topics against their targets; what this period alone brought is counted over the pieces' rows."""
    head = (
        "Mã chủ đề", "Chủ đề", "Từ ngày", "Đến ngày", "Tính đến", "Chỉ tiêu lượt", "Đã đạt lượt", "Lượt trong kỳ",
        "Chỉ tiêu phút", "Đã đạt phút", "Chỉ tiêu bản tin", "Đã đạt bản tin", "So với nhịp đều",
    )  # fmt: skip
    heads(sheet, looks, 0, head, (9, 44, 11, 11, 11, 9, 9, 9, 9, 9, 9, 9, 44))
    for row, one in enumerate(shown.targets, start=1):
        sheet.write_number(row, 0, one.topic_id)
        sheet.write_string(row, 1, clean(one.topic))
        for column, day in enumerate((one.first_day, one.last_day, one.until), start=2):
            sheet.write_datetime(row, column, day, looks.day)
        sheet.write_number(row, 5, one.wanted.broadcasts)
        sheet.write_number(row, 6, one.reached.broadcasts)
        here = f"=COUNTIFS({column_of('E', pieces, PIECES)},$A{row + 1},{column_of('H', pieces, PIECES)},1)"
        sheet.write_formula(row, 7, here, looks.whole, shown.reached_here(one))
        numbers = (one.wanted.minutes, one.reached.minutes, one.wanted.bulletins, one.reached.bulletins)
        for column, value in enumerate(numbers, start=8):
            sheet.write_number(row, column, value)
        sheet.write_string(row, 12, lacking(one))


def post_rows(sheet: Worksheet, looks: Looks, shown: Figures) -> None:
    """A post a row."""
    heads(
        sheet,
        looks,
        0,
        ("Ngày", "Nơi đăng", "Tin bài", "Chủ đề", "Cách đăng", "Địa chỉ"),
        (11, 22, 50, 30, 14, 60),
    )
    for row, one in enumerate(shown.posts, start=1):
        sheet.write_datetime(row, 0, one.day, looks.day)
        topic = shown.ledger.topics.get(one.topic_id, "")
        way = "người đăng" if one.by_hand else "đài tự đăng"
        for column, text in enumerate((channel(one.network), one.title, topic, way, one.url), start=1):
            sheet.write_string(row, column, clean(text))


def column_of(letter: str, rows: int, sheet: str = ROWS) -> str:
    return f"'{sheet}'!${letter}$2:${letter}${max(rows, 1) + 1}"


def heads(
    sheet: Worksheet, looks: Looks, row: int, head: Sequence[str], widths: Sequence[float] | None
) -> None:
    for column, text in enumerate(head):
        sheet.write_string(row, column, text, looks.head)
    for column, width in enumerate(widths or ()):
        sheet.set_column(column, column, width)
    if widths is not None:
        sheet.freeze_panes(row + 1, 0)
