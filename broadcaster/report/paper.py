"""Figures and a person's words -> an administrative paper, as blocks that .docx and .pdf set alike.  Pure.

The layout is that of Decree 30/2020 (docs/report.md lists it point by point): what the clerk fills in by hand,
number and date, stays blank.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from broadcaster.errors import InputError
from broadcaster.report.figures import Figures, Line
from broadcaster.report.ledger import Part, Player, Said
from broadcaster.report.narrative import KINDS, amounts, channel, is_heading, lacking
from broadcaster.report.tallies import Tally
from broadcaster.report.wording import minutes, number, share


@dataclass(frozen=True, slots=True)
class Frame:
    """Letterhead, recipients and signature; lists are lines.  A person edits it once for the station."""

    parent: str
    issuer: str
    code: str
    place: str
    to: str
    copies: str
    authority: str
    post: str
    name: str

    @property
    def copy_lines(self) -> tuple[str, ...]:
        """“Nơi nhận”, a line each."""
        return tuple(line.strip() for line in self.copies.splitlines() if line.strip())


LABELS: Mapping[str, str] = {
    "parent": "Cơ quan chủ quản",
    "issuer": "Cơ quan ban hành",
    "code": "Ký hiệu văn bản",
    "place": "Địa danh",
    "to": "Kính gửi",
    "copies": "Nơi nhận (mỗi dòng một nơi)",
    "authority": "Quyền ký (TM., KT., TL.; có thể để trống)",
    "post": "Chức vụ người ký",
    "name": "Họ tên người ký (có thể để trống)",
}
_LONGEST = 300


def default_frame(station_name: str) -> Frame:
    """What most communes use, with the commune's own name."""
    commune = station_name.removeprefix("Đài truyền thanh ").strip() or station_name
    place = commune.removeprefix("xã ").removeprefix("Xã ").removeprefix("phường ").removeprefix("Phường ")
    return Frame(
        parent=f"Ủy ban nhân dân {commune}",
        issuer="Phòng Văn hóa - Xã hội",
        code="BC-VHXH",
        place=place,
        to=f"Ủy ban nhân dân {commune}",
        copies="Như trên;\nLưu: VT, VHXH.",
        authority="",
        post="Trưởng phòng",
        name="",
    )


def frame_from(body: Mapping[str, Any], station_name: str) -> Frame:
    """A saved frame; what is missing in it is the default's."""
    usual = default_frame(station_name)
    return Frame(**{one.name: str(body.get(one.name, getattr(usual, one.name))) for one in fields(Frame)})


def checked_frame(values: Mapping[str, str]) -> Frame:
    """A frame as typed; InputError names the field that is empty or too long."""
    given = {one.name: values.get(one.name, "").strip() for one in fields(Frame)}
    for name, text in given.items():
        if not text and name not in ("authority", "name"):
            raise InputError(f"Chưa nhập “{LABELS[name].partition(' (')[0]}”. Hãy điền rồi lưu lại.")
        if len(text) > _LONGEST:
            raise InputError(f"“{LABELS[name]}” quá dài. Hãy viết không quá {_LONGEST} ký tự.")
    return Frame(**given)


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph; a heading is bold and stays with what follows."""

    text: str
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text.  `widths` are shares of the line; `right` the columns that hold numbers; `small` = 8 pt."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    right: frozenset[int] = frozenset()
    small: bool = False
    last_is_sum: bool = False


Block = Words | Table


@dataclass(frozen=True, slots=True)
class Appendix:
    """A “Phụ lục” on pages of its own."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole paper.  `formal` = with letterhead, recipients and signature; else a book's sheet."""

    kind: str
    subject: str
    frame: Frame
    year: int
    body: tuple[Block, ...]
    appendices: tuple[Appendix, ...] = ()
    formal: bool = True
    landscape: bool = False


def report_paper(shown: Figures, text: str, frame: Frame) -> Paper:
    """The period's report: a person's words, the tables behind them, and every programme with its hash."""
    period = shown.ledger.period
    return Paper(
        kind="BÁO CÁO",
        subject=f"Kết quả công tác thông tin, tuyên truyền trên hệ thống truyền thanh {period.label}",
        frame=frame,
        year=period.last.year,
        body=tuple(
            Words(line.strip(), heading=is_heading(line.strip()))
            for line in text.splitlines()
            if line.strip()
        ),
        appendices=(
            Appendix("SỐ LIỆU CHI TIẾT", tuple(tables(shown))),
            Appendix("CÁC CHƯƠNG TRÌNH ĐÃ PHÁT VÀ MÃ BĂM SHA-256", (_programmes(shown),)),
        ),
    )


def tables(shown: Figures) -> Iterable[Table]:
    """Every table of figures, numbered; sums stand in a last row."""
    for position, table in enumerate(_tables(shown), start=1):
        yield replace(table, caption=f"{position}. {table.caption}")


def _tables(shown: Figures) -> Iterable[Table]:
    total = shown.total
    yield summary_table(total)
    if shown.by_topic:
        yield Table(
            "Theo chủ đề",
            ("Chủ đề", "Lượt tin bài theo lịch", "Máy phát đã phát", "Thôn xác nhận", "Số tin bài đã phát"),
            (*(_piece_row(line) for line in shown.by_topic), _piece_row(Line("", "Cộng", total))),
            (4, 1.5, 1.5, 1.5, 1.5),
            frozenset({1, 2, 3, 4}),
            last_is_sum=True,
        )
    if shown.targets:
        yield _target_table(shown)
    yield Table(
        "Theo thôn, tổ dân phố (lượt thôn)",
        (
            "Thôn", "Theo lịch", "Máy phát đủ", "Phát dở", "Không phát", "Chưa báo cáo", "Không có máy thu",
            "Thôn xác nhận", "Thôn báo hỏng", "Tỷ lệ máy phát đủ",
        ),
        (*(_village_row(line) for line in shown.by_village), _village_row(Line("", "Cộng", total))),
        (3.2, 1, 1, 1, 1, 1, 1, 1, 1, 1.1),
        frozenset(range(1, 10)),
        last_is_sum=True,
        small=True,
    )  # fmt: skip
    for caption, name, lines in (
        ("Theo khung giờ", "Khung giờ", shown.by_slot),
        ("Theo người soạn", "Người soạn", shown.by_author),
    ):
        if lines:
            yield Table(
                caption,
                (
                    name,
                    "Buổi theo lịch",
                    "Buổi máy phát đã phát",
                    "Buổi thôn xác nhận",
                    "Lượt tin bài đã phát",
                ),
                tuple(_airing_row(line) for line in lines),
                (4, 1.5, 1.5, 1.5, 1.5),
                frozenset({1, 2, 3, 4}),
            )
    if shown.misses:
        yield Table(
            "Không phát hoặc phát chưa đủ, theo lý do",
            ("Nguồn", "Tình trạng", "Lý do", "Số lượt"),
            tuple((_SIDES[miss.side], miss.what, miss.reason, number(miss.count)) for miss in shown.misses),
            (1.6, 2.4, 5, 1),
            frozenset({3}),
        )
    if shown.activities:
        yield activity_table("Hoạt động ngoài hệ thống loa", shown)
    if shown.posts:
        yield Table(
            "Đăng trên cổng thông tin, Zalo, Facebook",
            ("Nơi đăng", "Số lượt đăng"),
            (
                *((channel(name), number(count)) for name, count in shown.posts_by_network.items()),
                ("Cộng", number(len(shown.posts))),
            ),
            (5, 2),
            frozenset({1}),
            last_is_sum=True,
        )


_SIDES = {"planned": "đài", "player": "máy phát", "village": "thôn"}


def summary_table(total: Tally) -> Table:
    """The three columns side by side."""
    return Table(
        "Tổng hợp",
        ("Chỉ tiêu", "Theo lịch", "Máy phát báo đã phát", "Thôn xác nhận đã phát"),
        (
            ("Buổi phát", *_three(total.airings, total.airings_played, total.airings_confirmed)),
            ("Lượt thôn", *_three(total.villages, total.villages_played, total.villages_confirmed)),
            ("Lượt máy thu", number(total.receivers), number(total.receivers_played), "–"),
            ("Lượt tin bài", *_three(total.pieces, total.pieces_played, total.pieces_confirmed)),
            ("Số tin bài", *_three(total.bulletins, total.bulletins_played, total.bulletins_confirmed)),
            ("Thời lượng (phút)", minutes(total.planned_ms), minutes(total.played_ms), "–"),
        ),
        (3, 2, 2, 2),
        frozenset({1, 2, 3}),
    )


def activity_table(caption: str, shown: Figures) -> Table:
    """What was done beside the loudspeakers."""
    topics = shown.ledger.topics
    return Table(
        caption,
        ("Ngày", "Hình thức", "Nội dung", "Nơi", "Chủ đề", "Số lượng", "Lượt người"),
        tuple(
            (
                f"{one.day:%d/%m/%Y}", KINDS[one.kind], one.title, one.place, topics.get(one.topic_id, ""),
                number(one.quantity), number(one.people) if one.people is not None else "",
            )
            for one in shown.activities
        ),
        (1.4, 1.8, 3, 1.8, 1.8, 0.9, 0.9),
        frozenset({5, 6}),
        small=True,
    )  # fmt: skip


def _target_table(shown: Figures) -> Table:
    return Table(
        f"So với chỉ tiêu của kế hoạch, đến ngày {shown.targets[0].until:%d/%m/%Y}",
        ("Chủ đề", "Thời gian", "Đạt/chỉ tiêu", "Lượt trong kỳ", "So với nhịp đều"),
        tuple(
            (
                one.topic,
                f"{one.first_day:%d/%m/%Y}–{one.last_day:%d/%m/%Y}",
                amounts(one),
                number(shown.reached_here(one)),
                lacking(one),
            )
            for one in shown.targets
        ),
        (3, 2, 2.4, 1, 2.4),
        frozenset({3}),
        small=True,
    )


def _three(*values: int) -> tuple[str, ...]:
    return tuple(number(value) for value in values)


def _piece_row(line: Line) -> tuple[str, ...]:
    tally = line.tally
    return (
        line.label,
        *_three(tally.pieces, tally.pieces_played, tally.pieces_confirmed, tally.bulletins_played),
    )


def _village_row(line: Line) -> tuple[str, ...]:
    t = line.tally
    return (
        line.label,
        *_three(
            t.villages, t.villages_played, t.villages_partly, t.villages_silent, t.villages_unreported,
            t.villages_without_receiver, t.villages_confirmed, t.villages_failed,
        ),
        share(t.villages_played, t.villages),
    )  # fmt: skip


def _airing_row(line: Line) -> tuple[str, ...]:
    t = line.tally
    return (line.label, *_three(t.airings, t.airings_played, t.airings_confirmed, t.pieces_played))


def part_counts(shown: Figures) -> Mapping[int, tuple[int, int, int]]:
    """Villages of each part: planned, played, confirmed."""
    found: dict[int, list[int]] = {}
    for cell in shown.ledger.cells:
        row = found.setdefault(cell.part, [0, 0, 0])
        row[0] += 1
        row[1] += cell.player is Player.PLAYED
        row[2] += cell.said is Said.PLAYED
    return {index: (row[0], row[1], row[2]) for index, row in found.items()}


def _programmes(shown: Figures) -> Table:
    counts = part_counts(shown)
    rows = [
        _programme_row(part, counts.get(index, (0, 0, 0)))
        for index, part in enumerate(shown.ledger.parts)
        if part.planned and counts.get(index, (0, 0, 0))[1] + counts.get(index, (0, 0, 0))[2]
    ]
    return Table(
        "Thôn: theo lịch/máy phát đủ/thôn xác nhận. Mã băm là của đúng tệp đã phát.",
        ("Ngày", "Giờ", "Khung giờ", "Tin bài", "Thôn", "SHA-256"),
        tuple(rows),
        (1.5, 0.8, 1.5, 4, 1.3, 4.4),
        small=True,
    )


def _programme_row(part: Part, counts: Sequence[int]) -> tuple[str, ...]:
    return (
        f"{part.local_date:%d/%m/%Y}",
        f"{part.start_local:%H:%M}",
        part.slot,
        "; ".join(item.title for item in part.sounding),
        "/".join(str(count) for count in counts),
        part.sha256 or "(không có tệp)",
    )
