"""Two numbers with a sign between them: ranges, formulas, scores, fractions and counts, ratios."""

from __future__ import annotations

import re

from broadcaster.reading.numbers import cardinal, ordinal, quantity, whole
from broadcaster.reading.quantities import NUMBER, measure
from broadcaster.reading.scan import ORDINAL_LEFT, Piece, Place, pattern, words
from broadcaster.reading.units import MAGNITUDE, UNIT, comparable, unit_at

_RANGE = re.compile(
    rf"(?P<a>{NUMBER})(?P<u>\s?(?:{UNIT}|%|độ))?(?P<gap>\s?)(?P<dash>[-–—÷~])(?P<gap2>\s?)(?P<b>{NUMBER})(?!\d)"
)
_NEXT_DASH = re.compile(r"\s?[-–]\s?(\d+)(?!\d)")
_FRACTION = re.compile(rf"(?P<a>{NUMBER})\s?/\s?(?P<b>{NUMBER})(?![\d/])")
_RATIO = re.compile(rf"(?P<a>{NUMBER})\s?:\s?(?P<b>{NUMBER})(?:\s?:\s?(?P<c>{NUMBER}))?(?!\d)")
_SCORE_LEFT = re.compile(
    words(
        "tỷ số|tỉ số|chung kết|bán kết|trận đấu|thắng|thua|hòa|hoà|luân lưu|kết quả|hiệp một|hiệp hai|dẫn|gỡ|bàn|hiệp 1|hiệp 2|séc|sét|ván|pen|penalty"
    )
    + r"[^.;]{0,40}$"
)
_WHOLE_RIGHT = re.compile(
    r"\s*(?:tổng|số|diện tích|dân số|quãng|chiều|thời gian|khối lượng|lượng|giá trị|mức|công suất|công việc|bát|cốc"
    r"|thìa|muỗng|lít|chén|quả|ngày|thể tích|dung tích|đường|kinh phí|vốn|thu nhập|sản lượng|của|cả|toàn|trọng lượng"
    r"|dân|trái đất|chặng|đầu|cuối|trong số|quân số|nhân khẩu|hành trình|công|chiều dài|lương|học phí|tiền|giá)(?!\w)"
)
_WHOLE_LEFT = re.compile(
    words(
        "hơn|gần|khoảng|trên|dưới|chiếm|giảm|quá|còn|bằng|ít nhất|tối thiểu|tăng|tối đa|chừng|được|non|chỉ|là|hay"
    )
    + r"\s*$"
)
_COUNTED_RIGHT = re.compile(
    r"\s*(?:tiêu chí|chỉ tiêu|thôn|xã|phường|trường|nhiệm vụ|nội dung|ứng cử viên|công trình|điểm|đại biểu|ủy viên"
    r"|chi bộ|tổ|đơn vị|đảng viên|lớp|trạm|dự án|tuyến|khu|bản|phiếu|câu|bài|mục tiêu|hồ sơ|mô hình|cơ sở|thành viên)"
    r"(?!\w)"
)
_VOTERS_RIGHT = re.compile(r"\s*(?:đại biểu|cử tri|thành viên|phiếu|đảng viên|ủy viên|hộ)(?!\w)")
_CLOSES = re.compile(r"\s*(?:$|[.,;:)(])")
_LOWER_NEXT = pattern(r"\s*[[:lower:]]")
_FORMULA = re.compile(r"\d{1,5}(?:\s?[-–]\s?\d{1,5}){2,}(?!\d)")


def number_range(place: Place) -> Piece | None:
    """a-b of quantities, prices, years, grades; three or more numbers with dashes are a formula."""
    found = place.match(_RANGE)
    if not found:
        return None
    a, b, end = found["a"], found["b"], found.end()
    if found["gap"] != found["gap2"] and not _ascends(a, b):
        return None  # "5 -7 ngày" is a slip of the key, "10 -2" may be a negative number
    third = _NEXT_DASH.match(place.text, end, place.stop)
    if third:
        return _formula(place)
    left = place.left
    if _SCORE_LEFT.search(left) and not found["u"] and len(a) < 4 and not found["gap"]:
        return Piece(end, f"{quantity(a)} {quantity(b)}", "score", (f"{quantity(a)} đến {quantity(b)}",))
    unit = measure(place, end)
    first_unit = (found["u"] or "").strip()
    if (
        not first_unit
        and not unit
        and place.pos > place.start
        and a.isdigit()
        and b.isdigit()
        and 99 >= int(a) > int(b)
        and _CLOSES.match(place.right(end))
    ):
        return Piece(
            end, f"{quantity(a)} {quantity(b)}", "score", (f"{quantity(a)} đến {quantity(b)}",)
        )  # 3-0
    if not first_unit and not unit and found["gap"] and place.pos == place.start:
        return None  # "1 - 25 hộ" at the head of a line is an item and its text
    spoken = quantity(a)
    if _thousands_left_out(a, b) and unit and (unit.money or unit.per) and not first_unit:
        spoken += " nghìn"
    if first_unit:
        if not unit:
            return None  # 250kVA-22/0,4kV
        first = unit_at(place.text, found.end("a"), place.stop)
        if not first or not comparable(first, unit):
            return None  # 220V - 50Hz: two things, not a range
        spoken += f" {first.spoken}"
    if ORDINAL_LEFT.search(left) and a.isdigit() and b.isdigit():
        return Piece(end, f"{ordinal(int(a))} đến thứ {ordinal(int(b))}", "range")
    spoken += f" đến {quantity(b)}"
    if unit:
        spoken += f" {unit.spoken}"
        end = unit.end
    return Piece(end, spoken, "range")


def _ascends(a: str, b: str) -> bool:
    """True for two numbers of one kind, the first the smaller: 5 and 7, 1,5 and 2."""
    first, second = (float(n.replace(".", "").replace(",", ".")) for n in (a, b))
    return first < second


def _thousands_left_out(a: str, b: str) -> bool:
    """3-3.500 đồng: 3 stands for 3.000.  In 120-130.000 both share the "nghìn" that is said once."""
    return a.isdigit() and "." in b and not b.endswith(".000") and 0 < int(a) <= int(b.split(".")[0]) < 1000


def _formula(place: Place) -> Piece | None:
    """NPK 16-16-8, 5-10-3: numbers one after the other."""
    found = place.match(_FORMULA)
    if not found:
        return None
    parts = [p.strip() for p in re.split(r"[-–]", found[0])]
    return Piece(found.end(), " ".join(whole(p) for p in parts), "formula")


def fraction(place: Place) -> Piece | None:
    """2/3 of something, 18/19 counted, 24/24, 140/90, 27,5/30."""
    found = place.match(_FRACTION)
    if not found:
        return None
    a, b, end = found["a"], found["b"], found.end()
    left, right = place.left, place.right(end)
    over = f"{quantity(a)} trên {quantity(b)}"
    if (a, b) in (("24", "7"), ("24", "24")):
        unit = unit_at(place.text, end, place.stop)
        return Piece(unit.end, f"{over} {unit.spoken}", "count") if unit else Piece(end, over, "count")
    if not a.isdigit() or not b.isdigit():
        unit = measure(place, end)
        return Piece(unit.end if unit else end, f"{over} {unit.spoken}" if unit else over, "count")
    top, bottom = int(a), int(b)
    if ORDINAL_LEFT.search(left):
        return Piece(end, f"{ordinal(top)} trên {quantity(b)}", "ordinal", (over,))  # xếp thứ 4/27
    if 1900 <= top < 2100 and bottom == top + 1:
        return Piece(end, f"{cardinal(top)} đến {cardinal(bottom)}", "range", (over,))
    share = f"{cardinal(top)} phần {ordinal(bottom) if bottom == 4 else cardinal(bottom)}"
    if top < bottom and bottom != 0 and b[0] != "0" and a[0] != "0":
        whole_follows = _WHOLE_RIGHT.match(right)
        counted = _COUNTED_RIGHT.match(right)
        if counted and bottom in (2, 3, 4) and _VOTERS_RIGHT.match(right):
            counted = None
            whole_follows = _VOTERS_RIGHT.match(right)
        if whole_follows and not counted and bottom <= 100:
            return Piece(end, share, "fraction", (over,))
        if not counted and bottom <= 10 and _WHOLE_LEFT.search(left):
            return Piece(end, share, "fraction", (over,))
        if not counted and bottom <= 5 and _LOWER_NEXT.match(right) and not re.search(r"đạt\s*$", left):
            return Piece(end, share, "fraction", (over,))
    unit = measure(place, end)
    if unit and unit.spoken.startswith("độ") and top < bottom:
        return Piece(unit.end, f"{quantity(a)} đến {quantity(b)} {unit.spoken}", "range", (over,))  # 14/24°C
    half_closed = top == 1 or re.match(r"\s*(?:$|[.,;)])", right)
    if 0 < top < bottom <= 5 and half_closed and not unit and not _counted_left(place):
        return Piece(end, share, "fraction", (over,))
    if unit and unit.unit not in MAGNITUDE:
        return Piece(unit.end, f"{over} {unit.spoken}", "count", (share,))
    return Piece(end, over, "count", (share,) if 0 < top < bottom else ())


def _counted_left(place: Place) -> bool:
    """True where a/b is a place in a list, a class or a scale, not a share."""
    return bool(
        re.search(r"(?:tỷ lệ|tỉ lệ|tỉ lệ chọi|tỷ lệ chọi|thứ|lớp|số|đạt|bản đồ|có)\s*:?\s*$", place.left)
    )


def ratio(place: Place) -> Piece | None:
    """1:3, 1:500, 1:2:3: the parts side by side."""
    found = place.match(_RATIO)
    if not found:
        return None
    if re.search(r"\d: ", found[0]) and not re.search(
        r"tỷ lệ|tỉ lệ|tỷ số|pha|tỉ xích|trộn|bản đồ", place.left
    ):
        return None  # "Thôn 1: 25 hộ", "Xuân 2027: 500 cây"
    parts = [quantity(p) for p in (found["a"], found["b"], found["c"]) if p]
    if re.search(r"iso(?:/iec)?\s*$", place.left):
        return Piece(found.end(), ", ".join(parts), "document")  # ISO 9001:2015, of that year
    if re.search(r"npk\s*$", place.left):
        return Piece(found.end(), " ".join(parts), "formula")
    return Piece(found.end(), " trên ".join(parts), "ratio", (" ".join(parts),))
