"""Dates: d/m/y, d/m, m/y, ranges of them, lists of days that share a month, quarters and terms."""

from __future__ import annotations

import re

from broadcaster.reading.numbers import cardinal, ordinal
from broadcaster.reading.scan import LOOK, ORDINAL_LEFT, Piece, Place, words

_D = r"(?:0?[1-9]|[12]\d|3[01])"
_M = r"(?:0?[1-9]|1[0-2])"
_Y = r"(?:1[4-9]|2[01])\d\d"
_TO = r"\s?(?:[-–—]|÷)\s?|\s(?:đến|tới)\s(?:hết\s)?(?:ngày\s)?"
_END = r"(?![\d/]|[.,]\d|-\d)"
_DMY = re.compile(rf"(?P<d>{_D})(?P<s>\s?[/.\-]\s?)(?P<m>{_M})(?P=s)(?P<y>{_Y})(?!\d)")
_DMYY = re.compile(rf"(?P<d>{_D})(?P<s>[/.\-])(?P<m>{_M})(?P=s)(?P<y>[0-4]\d){_END}")
_FULL_RANGE = re.compile(
    rf"(?P<d1>{_D})\s?/\s?(?P<m1>{_M})(?:\s?/\s?(?P<y1>{_Y}))?\s?[-–—÷]\s?"
    rf"(?P<d2>{_D})\s?/\s?(?P<m2>{_M})(?:\s?/\s?(?P<y2>{_Y}))?(?!\d)"
)
_DAYS = re.compile(
    rf"(?P<d1>{_D})\s?[-–—÷]\s?(?P<d2>{_D})\s?(?P<s>[/.])\s?(?P<m>{_M})(?:(?P=s)\s?(?P<y>{_Y}))?{_END}"
)
_DM = re.compile(rf"(?P<d>{_D})\s?(?P<s>[/.\-])\s?(?P<m>{_M}){_END}(?!\w)")
_MY = re.compile(rf"(?P<m>{_M})\s?(?P<s>[/\-])\s?(?P<y>{_Y}){_END}(?!\w)")
_MONTHS = re.compile(rf"(?P<m1>{_M})\s?[-–—]\s?(?P<m2>{_M})(?:\s?/\s?(?P<y>{_Y}))?{_END}(?!\w)")
_MONTH = re.compile(rf"(?P<m>{_M})(?![\d\w/]|[.,]\d|\s?[-–]\s?\d)")
_TERM = re.compile(r"(?P<n>\d{1,3})\s?/\s?(?P<y>(?:19|20)\d\d)(?![\d/])")

_DAY_LEFT = re.compile(
    words("ngày", "mùng", "mồng", "rằm") + r"(?:[\s\d,./–-]|và|đến|hết|hoặc|hay|tới|ngày)*$"
)
_WEEKDAY_LEFT = re.compile(
    r"(?<!\w)(?:thứ\s(?:[2-7]|hai|ba|tư|năm|sáu|bảy)|chủ nhật|t[2-7]|cn|hôm nay|ngày mai|sáng mai|chiều mai)\s?\($"
)
_DATE_LEFT = re.compile(
    words(
        "sáng|trưa|chiều|tối|đêm|hôm|từ|đến|tới|trước|sau|dịp|lễ|mừng|vào|hạn|hết|kể từ|đợt|tết|kỷ niệm|tức",
        "thứ hai|thứ ba|thứ tư|thứ năm|thứ sáu|thứ bảy|chủ nhật|thứ \\d|t[2-7]|cn|nhật|chào mừng|truyền thống",
        "bắt đầu|khai mạc|bế mạc|khai giảng|hoàn thành|quốc tế|việt nam|quốc khánh|giải phóng|hằng năm|phiên",
        "tối ngày|\\d{1,2}h\\d{0,2}|nghỉ|diễn ra|tổ chức|khởi công|họp|hẹn|lúc|giờ|phút|âm|dương|tuần|\\d{1,2}/\\d{1,2}(?: và| hoặc|,)?",
    )
    + r"[\s,:(]*$"
)
_COUNT_RIGHT = re.compile(
    r"\s*(?:số|diện tích|dân số|tổng|quãng|chiều|đại biểu|thôn|hộ|tiêu chí|chỉ tiêu|người|điểm|xã|phường|cử tri"
    r"|trường|lớp|thành viên|ủy viên|lượng|khối|thời|quân|gia đình|đảng viên|hội viên|phiếu|công|sản|mục|nhiệm"
    r"|nội dung|cơ quan|đơn vị|tổ|khu|bản|chi bộ|cán bộ|học sinh|cây|con|nhà|tuyến|mức|giá|vốn|lần|dự án"
    r"|ứng cử viên|phương án|đ/c|đồng chí|trạm|bát|cốc|thìa|muỗng|lít|khóm|hội|quỹ|kinh phí|sào|mẫu|ha|km|m2|%|đất|rừng)(?!\w)"
)
_COUNT_LEFT = re.compile(
    words("hơn|gần|khoảng|trên|dưới|chiếm|đạt|giảm|tăng|được|ít nhất|tối thiểu|quá|còn|bằng|có|tỷ lệ|mới")
    + r"\s*$"
)
_MONTH_LEFT = re.compile(words("tháng") + r"\s*$")
_TERM_LEFT = re.compile(words("quý|đợt|kỳ|học kỳ|vụ|khóa|khoá|lần|tập|kì|số|tuần") + r"\s*$")
_SCALE_LEFT = re.compile(r"(?:tỷ lệ|tỉ lệ|bản đồ|tỉ xích)\s*:?\s*$")
_FIRST_DAYS_LEFT = re.compile(r"(?:tết|giêng|âm lịch)(?!\w)[^.!?]*(?:mùng|mồng)\s*$")  # trực tết: mùng 1-2
_FEAST_LEFT = re.compile(
    words(
        "quốc khánh|tết|trung thu|quốc tế|thiếu nhi|phụ nữ|chào mừng|kỷ niệm|dịp|lễ|ngày lễ|lao động|việt nam|thương binh|liệt sĩ"
    )
    + r"\s*$"
)
_NOT_DATE_LEFT = re.compile(
    r"(?:tỷ số|tỉ số|thắng|thua|hòa|hoà|luân lưu|pen|penalty|kết quả|hiệp|dẫn|séc|npk|số|lô|thửa|ô|cấp|điểm|khoản|mục|đường)[^.;]{0,16}$"
)
UNIT_RIGHT = re.compile(
    r"\s*(?:ngày|năm|tháng|tuổi|người|hộ|giờ|phút|lần|độ|%|km|m|cm|mm|kg|g|ha|tấn|tạ|triệu|nghìn|tỷ|đồng|đ|con|cây|lít|tuần)(?!\w)"
)
_GRADE_LEFT = re.compile(r"(?:trình độ|văn hóa|học vấn|hệ)[\s\d/,:]*$")
_AND = re.compile(r"\s*(?:,|;|và|hoặc|hay|,\s?và)\s+")
_STREET_LEFT = re.compile(words("số|số nhà|ngõ|ngách|kiệt|hẻm|nhà|thửa|lô|căn|khoảnh|lớp") + r"\s*$")


def month(text: str) -> str:
    """Name of a month by its number: 4 → tư."""
    return "tư" if int(text) == 4 else cardinal(int(text))


def day(text: str, *, mung: bool = True) -> str:
    """A day of the month, "mùng" up to the tenth."""
    number = int(text)
    return f"mùng {cardinal(number)}" if mung and number <= 10 else cardinal(number)


def year(text: str) -> str:
    """A year as a full cardinal: hai nghìn không trăm hai mươi sáu."""
    return cardinal(int(text))


def _possible(d: str, m: str, y: str | None = None) -> bool:
    leap = y is None or (int(y) % 4 == 0 and (int(y) % 100 != 0 or int(y) % 400 == 0))
    longest = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[int(m) - 1]
    return 1 <= int(d) <= longest


def _mung(place: Place) -> bool:
    return not re.search(r"(?:mùng|mồng)\s*$", place.left)


def _date(d: str, m: str, y: str | None, *, mung: bool = True) -> str:
    spoken = f"{day(d, mung=mung)} tháng {month(m)}"
    return f"{spoken} năm {year(y)}" if y else spoken


def full(place: Place) -> Piece | None:
    """d/m/y and ranges d/m(/y) - d/m(/y), d-d/m(/y)."""
    found = place.match(_FULL_RANGE)
    if found and _possible(found["d1"], found["m1"]) and _possible(found["d2"], found["m2"]):
        first = _date(found["d1"], found["m1"], found["y1"], mung=_mung(place))
        return Piece(found.end(), f"{first} đến {_date(found['d2'], found['m2'], found['y2'])}", "date_range")
    found = place.match(_DMY)
    if found:
        spoken = _date(found["d"], found["m"], found["y"], mung=_mung(place))
        if not _possible(found["d"], found["m"], found["y"]):
            message = f"Không có ngày {found[0]} trong lịch: xin sửa lại hoặc cho biết cách đọc."
            return Piece(found.end(), spoken, "date", code="date", message=message)
        return Piece(found.end(), spoken, "date")
    found = place.match(_DMYY)
    if found and _DAY_LEFT.search(place.left) and _possible(found["d"], found["m"]):
        # two figures for the year: nobody announces a day of another century
        return Piece(found.end(), _date(found["d"], found["m"], f"20{found['y']}", mung=_mung(place)), "date")
    found = place.match(_DAYS)
    if found and _possible(found["d2"], found["m"]) and int(found["d1"]) < int(found["d2"]):
        mung = _mung(place)
        first = day(found["d1"], mung=mung)
        return Piece(
            found.end(), f"{first} đến {_date(found['d2'], found['m'], found['y'], mung=mung)}", "date_range"
        )
    return None


_MONTHS_COUNTED = re.compile(
    r"(?P<n>\d{1,2})T(?:/(?P<y>(?:19|20)\d\d)|(?=\s(?:đầu|cuối|năm)(?!\w)))(?![\d/])"
)


def months_counted(place: Place) -> Piece | None:
    """11T/2026, 6T đầu năm: so many months of a year, as tables of figures write it."""
    found = place.match(_MONTHS_COUNTED)
    if not found or not 1 <= int(found["n"]) <= 12:
        return None
    tail = f" năm {year(found['y'])}" if found["y"] else ""
    return Piece(
        found.end(),
        f"{cardinal(int(found['n']))} tháng{tail}",
        "count",
        (f"{cardinal(int(found['n']))} tấn",),
    )


_SHORT_MONTHS = re.compile(rf"T(?P<a>{_M})(?:\s?[-–]\s?T?(?P<b>{_M}))?\s?/\s?(?P<y>{_Y})(?![\d/])")


def short_months(place: Place) -> Piece | None:
    """T12/2026, T10-T12/2026."""
    found = place.match(_SHORT_MONTHS)
    if not found:
        return None
    spoken = f"tháng {month(found['a'])}"
    if found["b"]:
        spoken += f" đến tháng {month(found['b'])}"
    return Piece(found.end(), f"{spoken} năm {year(found['y'])}", "month_year")


def month_year(place: Place) -> Piece | None:
    """tháng 3/2026, 3/2026, quý 3/2026, đợt 2/2026, tháng 3-4/2026."""
    left = place.left
    if _SCALE_LEFT.search(left):
        return None
    in_month = _MONTH_LEFT.search(left)
    if in_month:
        found = place.match(_MONTHS)
        if found:
            spoken = f"{month(found['m1'])} đến tháng {month(found['m2'])}"
            if found["y"]:
                spoken += f" năm {year(found['y'])}"
            return Piece(found.end(), spoken, "month_range")
    if ORDINAL_LEFT.search(left):
        found = place.match(_TERM)
        if found:  # kỳ họp thứ 4/2026
            return Piece(found.end(), f"{ordinal(int(found['n']))} năm {year(found['y'])}", "month_year")
    if _TERM_LEFT.search(left):
        found = place.match(_TERM)
        if found:
            return Piece(found.end(), f"{cardinal(int(found['n']))} năm {year(found['y'])}", "month_year")
    found = place.match(_MY)
    if found:
        spoken = f"{month(found['m'])} năm {year(found['y'])}"
        return Piece(found.end(), spoken if in_month else f"tháng {spoken}", "month_year")
    if in_month:
        found = place.match(_MONTH)
        if found:
            return Piece(found.end(), month(found["m"]), "month")
    return None


def day_month(place: Place) -> Piece | None:
    """d/m where a date is meant: after "ngày", after words of time, or when nothing else could be."""
    found = place.match(_DM)
    if not found or found[0] == "24/7" and not re.search(r"(?:ngày|đợt|dịp|mừng|hạn)\s*$", place.left):
        return None
    d, m, sep = found["d"], found["m"], found["s"]
    left = place.left
    after_day = bool(_DAY_LEFT.search(left) or _WEEKDAY_LEFT.search(left))
    last = place.last
    if last and last.rule in ("date", "date_range") and _AND.fullmatch(place.text, last.end, place.pos):
        after_day = after_day or int(d) > 9 or sep != "-" or not UNIT_RIGHT.match(place.right(found.end()))
    right = place.right(found.end())
    spoken = _date(d, m, None, mung=_mung(place))
    if not _possible(d, m):
        return None
    if sep in ".-":
        return _dotted(found, spoken, after_day, left, right)
    if after_day:
        return Piece(found.end(), spoken, "date")
    if _STREET_LEFT.search(left) and not left.rstrip().endswith("xổ số") or _GRADE_LEFT.search(left):
        return None
    share = f"{cardinal(int(d))} phần {month(m)}"
    if _COUNT_RIGHT.match(right) or _COUNT_LEFT.search(left) and not _DATE_LEFT.search(left):
        return None
    if (
        _FEAST_LEFT.search(left)
        or _DATE_LEFT.search(left)
        or int(d) > int(m)
        and not re.match(r"\s*(?:âm|dương)", right)
    ):
        return Piece(found.end(), spoken, "date", (share,) if int(d) < int(m) else ())
    if (
        d[0] == "0"
        or m[0] == "0"
        or re.match(r"\s*(?:âm lịch|dương lịch|\(|hằng năm|hàng năm|tới|này|năm)", right)
    ):
        return Piece(found.end(), spoken, "date")
    if re.match(r"\s*[,.;:)]", right) or not right.strip():
        if int(d) <= int(m) and int(m) <= 12 and not _nearby_date(place):
            return None
        return Piece(found.end(), spoken, "date", (share,))
    return None


def _nearby_date(place: Place) -> bool:
    return bool(re.search(r"ngày|tháng|lễ|tết|hôm|sáng|chiều|tối", place.left[-LOOK // 2 :]))


def _dotted(found: re.Match[str], spoken: str, after_day: bool, left: str, right: str) -> Piece | None:
    """05-9 or 5.9 is a date right after "ngày"; "ngày 5-7" may still be a range of days.

    Elsewhere only what no range could be: 20-11 falls, and 2-9 is a feast after the name of one.
    """
    d, m = found["d"], found["m"]
    if not after_day:
        if found["s"] != "-" or _NOT_DATE_LEFT.search(left) or UNIT_RIGHT.match(right):
            return None
        since = re.search(r"(?<!\w)kể từ\s*$", left) and re.match(r"\s*(?:[,.;:)]|$)", right)
        if int(d) > int(m) and int(d) > 3 or _FEAST_LEFT.search(left) or since:
            return Piece(found.end(), spoken, "date")
        return None
    if found["s"] == "-":
        if re.match(r"\s*(?:tháng|/|hằng tháng|hàng tháng|âm|tết)", right):
            return None
        if re.match(r"\s*đến", right) and int(d) < int(m) and d[0] != "0" and m[0] != "0":
            return None
        if int(d) < int(m) and d[0] != "0" and m[0] != "0":
            days = f"{cardinal(int(d))} đến {cardinal(int(m))}"
            if _FIRST_DAYS_LEFT.search(left):
                return Piece(found.end(), days, "date_range", (spoken,))
            message = (
                f"“{found[0]}” là ngày {d} tháng {m}, hay từ ngày {d} đến ngày {m}? Xin chọn một cách đọc."
            )
            return Piece(found.end(), spoken, "date", (spoken, days), code="ambiguous", message=message)
    return Piece(found.end(), spoken, "date")
