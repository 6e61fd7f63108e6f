"""Numbers that count: ranges, fractions and counts, scores, ratios, numbers with units, bare numbers."""

from __future__ import annotations

import re

from broadcaster.reading.numbers import cardinal, digits, fraction_digits, ordinal, quantity, whole
from broadcaster.reading.scan import Piece, Place, pattern, words
from broadcaster.reading.units import MAGNITUDE, UNIT, Measure, comparable, unit_at

NUMBER = r"(?:\d{1,3}(?:\.\d{3})+(?!\d)(?:,\d{1,6})?|\d{1,18}(?:,\d{1,6})?)"
_NUMBER = re.compile(NUMBER + r"(?!\d)")
_LONG = re.compile(r"\d{19,}")
_RANGE = re.compile(
    rf"(?P<a>{NUMBER})(?P<u>\s?(?:{UNIT}|%|độ))?(?P<gap>\s?)(?P<dash>[-–—÷~])(?P<gap2>\s?)(?P<b>{NUMBER})(?!\d)"
)
_NEXT_DASH = re.compile(r"\s?[-–]\s?(\d+)(?!\d)")
_FRACTION = re.compile(rf"(?P<a>{NUMBER})\s?/\s?(?P<b>{NUMBER})(?![\d/])")
_RATIO = re.compile(rf"(?P<a>{NUMBER})\s?:\s?(?P<b>{NUMBER})(?:\s?:\s?(?P<c>{NUMBER}))?(?!\d)")
_TIMES = re.compile(rf"\s?[x×*]\s?(?P<b>{NUMBER})(?!\d)")
_POINT = re.compile(r"(?P<a>\d{1,4})\.(?P<b>\d{1,2}(?!\d)|\d{4,6}(?!\d))(?!\.?\d)")
_PULSE_LEFT = re.compile(r"(?<!\w)(?:mạch|nhịp tim|nhịp thở|tim thai)[\s:]*$")
_IN_ONE = re.compile(r"(\d)\s?in\s?(\d)(?!\w)")
_VERSION = re.compile(r"\d{1,3}(?:\.\d{1,3}){2,3}(?!\d|\.\d)")
_ENGLISH = re.compile(r"\d{1,3}(?:,\d{3}){2,}(?:\.\d{1,2})?(?!\d)")
_SPACED = re.compile(r"\d{1,3}(?:[ \u00a0]\d{3})+(?![\d.,]\d|\d)")
_SIGNED = re.compile(rf"[-−–](?P<n>{NUMBER})(?!\d)")

_SCORE_LEFT = re.compile(
    words(
        "tỷ số|tỉ số|chung kết|bán kết|trận đấu|thắng|thua|hòa|hoà|luân lưu|kết quả|hiệp một|hiệp hai|dẫn|gỡ|bàn|hiệp 1|hiệp 2|séc|sét|ván"
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
_METRES = re.compile(r"(\d{1,3})m(\d{2}|[14-9])(?![\w])")
_NAMED_LEFT = re.compile(
    r"(?<!\w)(?:đề án|chỉ thị|nghị quyết|nghị định|thông tư|kết luận|quyết định|quy định)\s(?:số\s)?$"
)
_VOTERS_RIGHT = re.compile(r"\s*(?:đại biểu|cử tri|thành viên|phiếu|đảng viên|ủy viên|hộ)(?!\w)")
_CLOSES = re.compile(r"\s*(?:$|[.,;:)(])")
_PERSON_LEFT = re.compile(words("nam|nữ|bệnh nhân|bn|ông|bà|cháu|anh|chị|bé|trẻ") + r"[^.;\d]{0,24}$")
_AGE = re.compile(r"\s?t(?=\s*(?:$|[.,;:)]|trở (?:lên|xuống)))")  # bé trai 5t, cao 1m05
_OLDER = re.compile(r"\+(?![\w+])")
_ELDERS_LEFT = re.compile(
    words("cụ|người|các cụ|người cao tuổi|dân|từ|trên|nhóm|ông bà|bà con|cử tri") + r"\s*$"
)
_LISTED = re.compile(r"\d{1,2}(?:,\d{1,2}){2,30}(?![\d,])")
_TWO_LISTED = re.compile(r"\d{1,2},\d{1,2}(?![\d,])")
_NUMBERED_LEFT = re.compile(
    words("thôn|bản|xóm|khu phố|tổ|lớp|khoản|điều|chương|tiết|khối|chi bộ|quý|thứ") + r"\s*$"
)
_POINTS_RIGHT = re.compile(r"\s*(?:gplx|giấy phép|bằng lái)")
_SHORT_MONEY = re.compile(r"(\d{1,3})tr(\d{1,3})(?![\w.,])")
_SCREEN_LEFT = re.compile(words("ti vi|tivi|tv|màn hình|màn|led|máy tính") + r"[^.;\"“]{0,16}$")
_IN_WORDS = re.compile(r"\s?\(\s?([^\W\d_]+(?:\s[^\W\d_]+){0,9})\s?\)")
_LOWER_NEXT = pattern(r"\s*[[:lower:]]")
_LOWER_LEFT = pattern(r"[[:lower:]]\s*$")


def _measure(place: Place, end: int) -> Measure | None:
    unit = unit_at(place.text, end, place.stop)
    compass = unit and re.match(r"\s?[NSEW](?!\w)", place.text[unit.end : unit.end + 3])
    if unit and unit.unit in "'’′" and not compass and re.search(r"[‘'][^'’]*$", place.left):
        return None  # a closing quotation mark, not minutes
    return unit


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
    unit = _measure(place, end)
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
    ordinals = re.search(r"(?<!\w)thứ\s*$", left)
    if ordinals and a.isdigit() and b.isdigit():
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


_FORMULA = re.compile(r"\d{1,5}(?:\s?[-–]\s?\d{1,5}){2,}(?!\d)")


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
        unit = _measure(place, end)
        return Piece(unit.end if unit else end, f"{over} {unit.spoken}" if unit else over, "count")
    top, bottom = int(a), int(b)
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
    unit = _measure(place, end)
    half_closed = top == 1 or re.match(r"\s*(?:$|[.,;)])", right)
    if 0 < top < bottom <= 5 and half_closed and not unit and not counted_left(place):
        return Piece(end, share, "fraction", (over,))
    if unit and unit.unit not in MAGNITUDE:
        return Piece(unit.end, f"{over} {unit.spoken}", "count", (share,))
    return Piece(end, over, "count", (share,) if 0 < top < bottom else ())


def counted_left(place: Place) -> bool:
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


def number(place: Place) -> Piece | None:
    """A number and the unit after it: 1.250.000 đồng, 3,5%, 20m, 4.0, 05 hộ."""
    for special in (_listed, _in_one, _version, _english, _spaced, _point):
        piece = special(place)
        if piece:
            return piece
    found = place.match(_LONG)
    if found:
        return Piece(found.end(), digits(found[0]), "digits")
    found = place.match(_NUMBER)
    if not found:
        return None
    text, end = found[0], found.end()
    long = _METRES.match(place.text, place.pos, place.stop)
    if long:
        return Piece(long.end(), f"{cardinal(int(long[1]))} mét {fraction_digits(long[2])}", "unit")
    if text[0] == "0" and len(text) == 2 and _NAMED_LEFT.search(place.left):
        return Piece(end, digits(text), "document", (whole(text),))
    if (
        text[0] == "0"
        and len(text) > 3
        and text.isdigit()
        and re.match(r"\s*(?:$|[.,;:)])", place.right(end))
    ):
        return Piece(end, digits(text), "account", (whole(text),))
    if text.isdigit() and len(text) < 3 and re.search(r"(?<!\w)thứ\s*$", place.left):
        return Piece(end, ordinal(int(text)), "ordinal")
    short = _SHORT_MONEY.match(place.text, place.pos, place.stop)
    if short:
        return Piece(short.end(), f"{quantity(short[1])} triệu {_hundreds(short[2])}", "unit")
    spoken = quantity(text)
    times = _TIMES.match(place.text, end, place.stop)
    if times:
        spoken, end = _product(place, text, end)
    millions = re.match(r"\s?(?:tỷ|tỉ|triệu|tr)(?!\w)", place.right(end))
    if re.fullmatch(r"\d{1,3},\d{3}", text) and not millions and _money_follows(place, end):
        thousands = whole(text.replace(",", ""))
        unit = _measure(place, end)
        assert unit is not None
        message = f"“{text}” là {thousands} hay {spoken}? Tiếng Việt viết nghìn bằng dấu chấm: xin chọn một cách đọc."
        return Piece(
            unit.end,
            f"{thousands} {unit.spoken}",
            "number",
            (thousands, spoken),
            code="ambiguous",
            message=message,
        )
    again = _IN_WORDS.match(place.text, end, place.stop)
    if again and again[1].lower() == spoken:
        return Piece(again.end(), spoken, "number")  # "02 (hai) bản" is said once
    if place.text[end : end + 1] in ('"', "”", "″") and _SCREEN_LEFT.search(place.left):
        return Piece(end + 1, f"{spoken} inh", "unit")
    if place.text[end : end + 1] == "*" and re.search(r"ocop[^.;]{0,24}$|sao[^.;]{0,16}$", place.left):
        return Piece(end + 1, f"{spoken} sao", "unit")
    unit = _measure(place, end)
    if unit and unit.unit == "T" and _PERSON_LEFT.search(place.left):
        return Piece(unit.end, f"{spoken} tuổi", "unit", (f"{spoken} tấn",))
    age = _AGE.match(place.text, end, place.stop)
    if age and (_PERSON_LEFT.search(place.left) or "trở" in place.right(age.end())[:4]):
        return Piece(age.end(), f"{spoken} tuổi", "unit")
    if unit and unit.unit == "đ" and len(text) < 3 and _POINTS_RIGHT.match(place.right(unit.end)):
        return Piece(unit.end, f"{spoken} điểm", "unit", (f"{spoken} đồng",))  # trừ 6đ GPLX
    if unit and unit.unit in "kK" and text.replace(".", "").isdigit() and int(text.replace(".", "")) >= 1000:
        return Piece(unit.end, cardinal(1000 * int(text.replace(".", ""))), "unit")  # 1.000k = một triệu
    if _OLDER.match(place.text, end, place.stop) and _ELDERS_LEFT.search(place.left):
        return Piece(end + 1, f"{spoken} tuổi trở lên", "unit", (f"{spoken} cộng",))
    if unit and text == "5" and unit.unit == "K":
        return Piece(unit.end, "năm ca", "code", ("năm nghìn",))
    if unit and unit.spoken == "đồng" and re.fullmatch(r"\d{1,2},\d{1,2}", text):
        return Piece(
            unit.end, f"{spoken} điểm", "unit", (f"{spoken} đồng",)
        )  # a đồng has no parts, a mark has
    if unit and unit.spoken == "lít một phút" and _PULSE_LEFT.search(place.left):
        return Piece(unit.end, f"{spoken} lần một phút", "unit", (f"{spoken} {unit.spoken}",))
    if unit:
        return Piece(unit.end, f"{spoken} {unit.spoken}", "unit")
    return Piece(end, spoken, "number")


def _listed(place: Place) -> Piece | None:
    """Các thôn 1,2,3,4: numbers of things, with no space behind the comma; never a decimal."""
    found = place.match(_LISTED) or (_NUMBERED_LEFT.search(place.left) and place.match(_TWO_LISTED))
    if not found:
        return None
    return Piece(found.end(), ", ".join(whole(each) for each in found[0].split(",")), "number")


def _hundreds(tail: str) -> str:
    """The thousands of a short price: 1tr2 → hai trăm nghìn, 1tr25 → hai trăm năm mươi nghìn."""
    return f"{cardinal(int(tail.ljust(3, '0')))} nghìn"


def _money_follows(place: Place, end: int) -> bool:
    unit = unit_at(place.text, end, place.stop)
    return bool(unit and unit.money)


def _product(place: Place, text: str, end: int) -> tuple[str, int]:
    parts = [quantity(text)]
    times = _TIMES.match(place.text, end, place.stop)
    while times:
        parts.append(quantity(times["b"]))
        end = times.end()
        times = _TIMES.match(place.text, end, place.stop)
    return " nhân ".join(parts), end


def _in_one(place: Place) -> Piece | None:
    """5in1, of a vaccine."""
    found = place.match(_IN_ONE)
    return Piece(found.end(), f"{whole(found[1])} trong {whole(found[2])}", "number") if found else None


def _version(place: Place) -> Piece | None:
    found = place.match(_VERSION)
    if not found or re.fullmatch(r"\d{1,3}(?:\.\d{3})+", found[0]):
        return None
    return Piece(found.end(), " chấm ".join(whole(p) for p in found[0].split(".")), "version")


def _english(place: Place) -> Piece | None:
    found = place.match(_ENGLISH)
    if not found:
        return None
    integer, _, cents = found[0].replace(",", "").partition(".")
    spoken = quantity(f"{integer},{cents}" if cents else integer)
    unit = _measure(place, found.end())
    return Piece(unit.end if unit else found.end(), f"{spoken} {unit.spoken}" if unit else spoken, "number")


def _spaced(place: Place) -> Piece | None:
    """1 500 000 đồng: groups of three with spaces, only before a unit."""
    found = place.match(_SPACED)
    if not found or found[0][0] == "0":
        return None
    unit = _measure(place, found.end())
    if not unit and not re.match(r"\s*(?:hộ|người|nhân khẩu)", place.right(found.end())):
        return None
    spoken = whole(re.sub(r"\s", "", found[0]))
    return Piece(unit.end if unit else found.end(), f"{spoken} {unit.spoken}" if unit else spoken, "number")


def _point(place: Place) -> Piece | None:
    """4.0 and 2.1 say the point; before a unit or a magnitude a point is a decimal comma."""
    found = place.match(_POINT)
    if not found:
        return None
    end = found.end()
    unit = _measure(place, end)
    a, b = found["a"], found["b"]
    if unit:
        return Piece(unit.end, f"{quantity(a + ',' + b)} {unit.spoken}", "unit")
    if re.match(r"\s(?:điểm|lần|tuổi)(?!\w)", place.right(end)):
        return Piece(end, quantity(a + "," + b), "number", (f"{whole(a)} chấm {whole(b)}",))
    tail = digits(b) if b[0] == "0" else whole(b)
    return Piece(end, f"{whole(a)} chấm {tail}", "version", (quantity(a + "," + b),))


_IN_DIGITS = re.compile(r"\((0?\d{1,9})\)")


def repeated(place: Place) -> Piece | None:
    """hai (02) bản: the number in brackets was just said in words."""
    found = place.match(_IN_DIGITS)
    if not found or not re.search(rf"(?<!\w){whole(found[1])}\s*$", place.left):
        return None
    return Piece(found.end(), "", "repeated", (whole(found[1]),))


def signed(place: Place) -> Piece | None:
    """-2,5 after a space or an opening bracket, before a unit or in a sentence about amounts."""
    found = place.match(_SIGNED)
    if not found or not re.search(r"(?:^|[\s(:])$", place.left) or place.pos == place.start:
        return None
    unit = _measure(place, found.end())
    spoken = "âm " + quantity(found["n"])
    return Piece(
        unit.end if unit else found.end(), f"{spoken} {unit.spoken}" if unit else spoken, "number", ("trừ",)
    )
