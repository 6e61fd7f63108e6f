"""Figures -> the draft of a report's text, for a person to edit.  Pure.

A line is a paragraph; a line that begins with a Roman or Arabic numeral and a point is a heading.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from broadcaster.report.figures import Figures, Miss
from broadcaster.report.targets import Standing
from broadcaster.report.wording import minutes, number, share

KINDS: Final = {
    "meeting": "hội nghị, cuộc họp",
    "banner": "băng rôn, khẩu hiệu",
    "poster": "áp phích, pa nô",
    "leaflet": "tờ rơi, tờ gấp",
    "visit": "buổi đến từng hộ",
    "online": "tin trên cổng thông tin, Zalo, Facebook",
    "other": "hoạt động khác",
}
# Where a bulletin may be posted: the networks the station reaches by itself, and those a person's hand fills.
CHANNELS: Final = {
    "zalo": "Zalo OA",
    "facebook": "Trang Facebook",
    "nhom-zalo": "Nhóm Zalo",
    "cong": "Cổng thông tin xã",
}
_HEADING = re.compile(r"(?:[IVX]+|\d+)\. ")


def is_heading(line: str) -> bool:
    """True for 'I. …' and '1. …'."""
    return bool(_HEADING.match(line)) and len(line) < 120


def draft(shown: Figures) -> str:
    """The whole text; every number in it stands in the figures."""
    return "\n".join(
        [
            *_opening(shown),
            *_loudspeakers(shown),
            *_beside(shown),
            *_targets(shown),
            *_troubles(shown),
            *_ahead(shown),
        ]
    )


def key_numbers(shown: Figures) -> tuple[str, ...]:
    """What a saved text must still name to agree with the figures of today."""
    total = shown.total
    return tuple(
        dict.fromkeys(
            number(value)
            for value in (
                total.airings,
                total.airings_played,
                total.villages_played,
                total.villages_confirmed,
                total.pieces_played,
            )
        )
    )


def missing_numbers(text: str, shown: Figures) -> tuple[str, ...]:
    """Key numbers that the text does not name: somebody saved it before the latest logs came in."""
    named = set(re.findall(r"\d[\d.]*(?:,\d+)?", text))
    named |= {one.rstrip(".,") for one in named}
    return tuple(one for one in key_numbers(shown) if one not in named)


def _opening(shown: Figures) -> list[str]:
    ledger = shown.ledger
    until = ledger.as_of
    places = len([one for one in shown.by_village if one.tally.villages])
    reached = (
        f" tới {number(places)} thôn, tổ dân phố" if places else ""
    )  # before the first airing there is none to name
    return [
        "I. TÌNH HÌNH TRIỂN KHAI",
        f"Trong {ledger.period.label}, {ledger.station} duy trì phát thanh theo lịch đã được duyệt{reached}. "
        "Nội dung trước khi phát đều được lãnh đạo duyệt; bản tin, lời đọc, người duyệt và mã băm của từng chương trình được lưu đầy đủ.",
        f"Số liệu trong báo cáo tính đến {_local(shown, until)}."
        + (f" Trong kỳ còn {number(ledger.to_come)} buổi chưa đến giờ phát." if ledger.to_come else ""),
    ]


def _loudspeakers(shown: Figures) -> list[str]:
    total = shown.total
    if not total.airings:
        return ["II. KẾT QUẢ", "1. Trên hệ thống loa truyền thanh", "Trong kỳ không có buổi phát thanh nào."]
    lines = [
        "II. KẾT QUẢ",
        "1. Trên hệ thống loa truyền thanh",
        f"Theo lịch có {number(total.airings)} buổi phát ({minutes(total.planned_ms)} phút). Nhật ký máy phát ghi nhận "
        f"{number(total.airings_played)} buổi đã phát ({share(total.airings_played, total.airings)}); "
        f"các thôn xác nhận {number(total.airings_confirmed)} buổi.",
        f"Tính theo lượt thôn (một buổi ở một thôn): theo lịch {number(total.villages)} lượt; máy phát ghi nhận "
        f"{number(total.villages_played)} lượt phát được từ 95% thời lượng trở lên "
        f"({share(total.villages_played, total.villages)}; {number(total.receivers_played)}/{number(total.receivers)} "
        f"lượt máy thu); thôn xác nhận đã phát {number(total.villages_confirmed)} lượt "
        f"({share(total.villages_confirmed, total.villages)}).",
        f"Có {number(total.pieces_played)} lượt tin bài được phát theo nhật ký máy phát (trong lịch "
        f"{number(total.pieces)} lượt, thôn xác nhận {number(total.pieces_confirmed)} lượt), "
        f"từ {number(total.bulletins_played)} tin bài khác nhau.",
    ]
    for line in shown.by_topic:
        lines.append(
            f"- {line.label}: {number(line.tally.pieces_played)} lượt tin bài đã phát "
            f"(trong lịch {number(line.tally.pieces)} lượt), {number(line.tally.bulletins_played)} tin bài."
        )
    return lines


def _beside(shown: Figures) -> list[str]:
    lines = ["2. Hình thức khác"]
    if not shown.activities and not shown.posts:
        return [*lines, "Trong kỳ chưa ghi nhận hoạt động nào ngoài hệ thống loa."]
    kinds: Counter[str] = Counter()
    people: Counter[str] = Counter()
    for one in shown.activities:
        kinds[one.kind] += one.quantity
        people[one.kind] += one.people or 0
    for kind, count in sorted(kinds.items(), key=lambda pair: list(KINDS).index(pair[0])):
        came = f", {number(people[kind])} lượt người tham gia" if people[kind] else ""
        lines.append(f"- {number(count)} {KINDS[kind]}{came}.")
    if shown.posts:
        places = [f"{channel(name)} {number(count)}" for name, count in shown.posts_by_network.items()]
        lines.append(f"- {number(len(shown.posts))} lượt đăng bản tin trên mạng: {', '.join(places)}.")
    return lines


def channel(network: str) -> str:
    """The place's name as people read it."""
    return CHANNELS.get(network, network)


def _targets(shown: Figures) -> list[str]:
    if not shown.targets:
        return []
    until = shown.targets[0].until
    slow = [one for one in shown.targets if one.is_behind]
    lines = [
        "3. So với chỉ tiêu của kế hoạch",
        f"Tính đến ngày {until:%d/%m/%Y}, {number(len(shown.targets) - len(slow))}/{number(len(shown.targets))} "
        "chỉ tiêu theo kịp nhịp đều của kế hoạch.",
    ]
    lines += [f"- {one.topic}: {amounts(one)}; {lacking(one)}." for one in slow]
    return lines


def amounts(one: Standing) -> str:
    """'12/40 lượt tin bài, 30/90 phút' for what the target names."""
    pairs = (
        (one.reached.broadcasts, one.wanted.broadcasts, "lượt tin bài"),
        (one.reached.minutes, one.wanted.minutes, "phút"),
        (one.reached.bulletins, one.wanted.bulletins, "bản tin"),
    )
    return ", ".join(f"{number(got)}/{number(want)} {unit}" for got, want, unit in pairs if want)


def lacking(one: Standing) -> str:
    """'chậm 3 lượt, 10 phút', or that it keeps the pace."""
    slow = one.behind
    pairs = ((slow.broadcasts, "lượt"), (slow.minutes, "phút"), (slow.bulletins, "bản tin"))
    found = ", ".join(f"{number(count)} {unit}" for count, unit in pairs if count)
    return f"chậm {found} so với nhịp đều" if found else "kịp"


def _troubles(shown: Figures) -> list[str]:
    lines = ["III. TỒN TẠI, NGUYÊN NHÂN"]
    if not shown.misses:
        return [*lines, "Trong kỳ không ghi nhận buổi phát hỏng, lỡ hoặc thiếu báo cáo."]
    for side, head in (
        ("planned", "Phía đài"),
        ("player", "Theo nhật ký máy phát, lượt thôn chưa được phát đủ"),
        ("village", "Thôn báo không phát được"),
    ):
        found = [miss for miss in shown.misses if miss.side == side]
        if found:
            lines.append(f"- {head}: " + "; ".join(_miss(miss) for miss in found[:6]) + ".")
    return lines


def _miss(miss: Miss) -> str:
    reason = miss.reason[:1].lower() + miss.reason[1:]
    unit = "buổi" if miss.what.startswith("Đài cho nghỉ") else "lượt"
    return f"{number(miss.count)} {unit} {'' if miss.side == 'village' else miss.what.lower() + ' '}({reason.rstrip('.')})"


def _ahead(shown: Figures) -> list[str]:
    return [
        "IV. PHƯƠNG HƯỚNG, ĐỀ XUẤT",
        "Tiếp tục duy trì lịch phát thanh, khắc phục các cụm loa hỏng hoặc mất tín hiệu và đôn đốc các thôn "
        "xác nhận sau mỗi buổi phát.",
    ]


def _local(shown: Figures, moment: datetime) -> str:
    local = moment.astimezone(ZoneInfo(shown.ledger.zone))
    return f"{local:%H} giờ {local:%M} phút ngày {local:%d/%m/%Y}"
