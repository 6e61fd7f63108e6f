"""Build sentences of a commune's bulletins by the hundred thousand and check what must never be heard.

    python scripts/generated_reading.py --sentences 100000 --seed 1

Frames of officialese have slots for dates, ranges, hotlines, counts, money, document numbers and codes; each slot
knows a word that must be heard and words that must not.  Counted are: digits, symbols and vowel-less tokens left
in what is spoken without a blocking warning, ranges spoken as dates, hotlines spoken as quantities, and leading
zeros spoken in quantities.  Exit 1 when any was found; the seeds go to stdout.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from broadcaster.reading import read, spoken
from broadcaster.reading.numbers import cardinal, digits
from broadcaster.reading.syllables import has_vowel


class Slot(NamedTuple):
    """What is written, what must be heard of it, and what must not."""

    written: str
    heard: str = ""
    fault: str = ""
    never: tuple[str, ...] = ()


FRAMES = """
UBND xã thông báo {head} từ ngày {day} tại {place}.
{place} có {count} hộ đăng ký, thời gian {range} ngày làm việc.
Đề nghị bà con liên hệ tổng đài {hotline} khi cần hỗ trợ.
Khi phát hiện cháy rừng, gọi ngay {hotline} hoặc báo trưởng thôn.
Mỗi thôn cử {count} cán bộ dự lớp tập huấn {clock} ngày {day}.
Nghiệm thu {range} {unit}, kinh phí {money}.
Giá thu mua {range} nghìn đồng/kg, tăng {percent} so với vụ trước.
Thực hiện Kế hoạch số {document} của UBND tỉnh về {head}.
Theo {document} ngày {day}, mức hỗ trợ là {money}/hộ/tháng.
Dự báo {range} ngày tới có mưa {range} mm, gió cấp {range}.
Toàn xã đạt {fraction} thôn văn hóa, tỷ lệ {percent}.
Tiêm vắc xin cho trẻ từ {range} tháng tuổi, {clock} ngày {day}, tại trạm y tế.
Khóa {roman}, nhiệm kỳ {years}, bầu {count} đại biểu HĐND.
Đường dây nóng {phone}; ngoài giờ gọi {hotline}.
Bón {range} kg/sào, tưới {range} lần/tuần.
Có {count} đảng viên được trao huy hiệu đợt {day}.
Lịch cắt điện: {clock} ngày {day}, {place}, do thay TBA.
Thu nhập bình quân {money}/người/năm, tăng {percent}.
Điểm cầu {place} gồm {count} đại biểu thuộc {code}.
Học sinh lớp {range} nghỉ học từ {clock}.
""".strip().splitlines()

HEADS = """chuyển đổi số|phòng, chống thiên tai|tiêm chủng mở rộng|thu gom rác thải|CCHC năm 2026|an toàn giao thông
|bầu cử đại biểu Quốc hội khóa XVI|xây dựng NTM nâng cao|bình dân học vụ số|ANTT dịp Tết""".replace(
    "\n", ""
).split("|")
PLACES = "thôn Xuân Phong|thôn 5|TDP 2|nhà văn hóa thôn Đồng Lớn|Trường TH&THCS Hải Vân|trụ sở UBND xã|TYT xã".split(
    "|"
)
CODES = "MTTQ|HPN|CCB|ĐTN|HND|BCĐ 06|HTX DVNN|các tổ CNSCĐ|Đoàn TNCS Hồ Chí Minh".split("|")
UNITS = "km|ha|m2|m3|tấn|cây|con|hộ".split("|")
KINDS = "KH-UBND|QĐ-TTg|NQ-HĐND|CT-TTg|TB-UBND|NQ/TU|CT/TW|KH/BCĐ".split("|")


def _range(pick: random.Random) -> Slot:
    low = pick.randrange(1, 60)
    high = low + pick.randrange(1, 40)
    written = f"{low}{pick.choice(('-', ' - ', '–'))}{high}"
    name = "tư" if high == 4 else cardinal(high)
    never = (f"{cardinal(low)} tháng {name}",) if high <= 12 else ()
    return Slot(
        written, f"{cardinal(low)} đến {cardinal(high)}", "a range spoken as a date or not at all", never
    )


def _hotline(pick: random.Random) -> Slot:
    number = pick.choice(("111", "112", "113", "114", "115", "1022"))
    return Slot(number, digits(number), "a hotline spoken as a quantity", (cardinal(int(number)),))


def _count(pick: random.Random) -> Slot:
    number = pick.randrange(1, 100)
    return Slot(
        f"{number:02d}",
        f" {cardinal(number)} ",
        "a leading zero spoken in a quantity",
        (f" không {cardinal(number)} ",),
    )


def _day(pick: random.Random) -> Slot:
    day, month = pick.randrange(1, 29), pick.randrange(1, 13)
    name = "tư" if month == 4 else cardinal(month)
    form = pick.choice(("{d}/{m}/2026", "{d:02d}/{m:02d}", "{d}/{m}", "{d:02d}/{m:02d}/2027"))
    return Slot(form.format(d=day, m=month), f"{cardinal(day)} tháng {name}", "a date not spoken as one")


def _document(pick: random.Random) -> Slot:
    year = pick.choice(("", "/2026"))
    kind = pick.choice(KINDS)
    return Slot(f"{pick.randrange(1, 3000):02d}{year}{'-' if '/' in kind else '/'}{kind}")


def _money(pick: random.Random) -> Slot:
    return Slot(
        pick.choice(
            (
                f"{pick.randrange(1, 900)}.{pick.randrange(0, 10)}00.000đ",
                f"{pick.randrange(1, 99)},{pick.randrange(1, 10)} triệu đồng",
                f"{pick.randrange(10, 900)}.000 đồng",
            )
        )
    )


def _fraction(pick: random.Random) -> Slot:
    top = pick.randrange(11, 37)
    return Slot(f"{top}/37", f"{cardinal(top)} trên ba mươi bảy", "a count spoken as a share or a date")


SLOTS: dict[str, Callable[[random.Random], Slot]] = {
    "head": lambda pick: Slot(pick.choice(HEADS)),
    "place": lambda pick: Slot(pick.choice(PLACES)),
    "code": lambda pick: Slot(pick.choice(CODES)),
    "unit": lambda pick: Slot(pick.choice(UNITS)),
    "roman": lambda pick: Slot(pick.choice("I II III IV IX XIV XV XVI".split())),
    "years": lambda pick: Slot(pick.choice(("2021-2026", "2026-2031", "2025 - 2030"))),
    "phone": lambda pick: Slot(f"0237.{pick.randrange(100, 999)}.{pick.randrange(1000, 9999)}"),
    "clock": lambda pick: Slot(pick.choice(("7h30", "05:30", "8h-11h30", "17g00", "13h45'", "7h"))),
    "percent": lambda pick: Slot(f"{pick.randrange(1, 99)},{pick.randrange(1, 99)}%"),
    "range": _range,
    "hotline": _hotline,
    "count": _count,
    "day": _day,
    "document": _document,
    "money": _money,
    "fraction": _fraction,
}


def make(seed: int) -> tuple[str, list[Slot]]:
    """One sentence and the slots in it, the same for the same seed."""
    pick = random.Random(seed)  # noqa: S311 - a repeatable stream, not a secret
    rest, text, slots = pick.choice(FRAMES), "", []
    while "{" in rest:
        before, _, rest = rest.partition("{")
        name, _, rest = rest.partition("}")
        slot = SLOTS[name](pick)
        slots.append(slot)
        text += before + slot.written
    return text + rest, slots


def faults(text: str, slots: list[Slot]) -> list[str]:
    """What must not be heard and was."""
    said = f" {spoken(text)} "
    found = [
        f"unspeakable token left: {word}"
        for word in said.split()
        if not word.isalpha() or not has_vowel(word)
    ]
    if found and read(text).blocking:
        found = []
    for slot in slots:
        if slot.heard and slot.heard not in said:
            found.append(f"{slot.fault}: {slot.written}")
        elif any(word in said and not any(word in other.heard for other in slots) for word in slot.never):
            found.append(f"{slot.fault}: {slot.written}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sentences", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first sentence")
    arguments = parser.parse_args()
    began, kinds, blocked = time.perf_counter(), Counter[str](), 0
    for seed in range(arguments.seed, arguments.seed + arguments.sentences):
        text, slots = make(seed)
        found = faults(text, slots)
        for fault in found:
            kinds[fault.partition(":")[0]] += 1
        if found and sum(kinds.values()) <= 40:
            print(f"seed {seed}: {text} -> {spoken(text)}: {'; '.join(found)}", flush=True)
        if (seed - arguments.seed) % 100 == 0 and read(text).blocking:
            blocked += 1
    print(f"{arguments.sentences} sentences, {sum(kinds.values())} faults {dict(kinds)}, ", end="")
    print(
        f"{blocked} of {-(-arguments.sentences // 100)} sampled ask a person, {time.perf_counter() - began:.0f} s"
    )
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
