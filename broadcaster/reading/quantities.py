"""One number and what it counts: money, measures, ages, points, versions, bare numbers."""

from __future__ import annotations

import re

from broadcaster.reading.numbers import cardinal, digits, dotted, fraction_digits, ordinal, quantity, whole
from broadcaster.reading.scan import ORDINAL_LEFT, Piece, Place, words
from broadcaster.reading.units import Measure, unit_at

NUMBER = r"(?:\d{1,3}(?:\.\d{3})+(?!\d)(?:,\d{1,6})?|\d{1,18}(?:,\d{1,6})?)"
_NUMBER = re.compile(NUMBER + r"(?!\d)")
_LONG = re.compile(r"\d{19,}")
_TIMES = re.compile(rf"\s?[x×*]\s?(?P<b>{NUMBER})(?!\d)")
_POINT = re.compile(r"(?P<a>\d{1,4})\.(?P<b>\d{1,2}(?!\d)|\d{4,6}(?!\d))(?!\.?\d)")
_PULSE_LEFT = re.compile(r"(?<!\w)(?:mạch|nhịp tim|nhịp thở|tim thai)[\s:]*$")
_IN_ONE = re.compile(r"(\d)\s?in\s?(\d)(?!\w)")
_VERSION = re.compile(r"\d{1,3}(?:\.\d{1,3}){2,3}(?!\d|\.\d)")
_ENGLISH = re.compile(r"\d{1,3}(?:,\d{3}){2,}(?:\.\d{1,2})?(?!\d)")
_SPACED = re.compile(r"\d{1,3}(?:[ \u00a0]\d{3})+(?![\d.,]\d|\d)")
_SIGNED = re.compile(rf"[-−–](?P<n>{NUMBER})(?!\d)")

_ALONE_RIGHT = re.compile(r"\s*(?:$|[.,;:)])")
_METRES = re.compile(r"(\d{1,3})m(\d{2}|[14-9])(?![\w])")
_NAMED_LEFT = re.compile(
    r"(?<!\w)(?:đề án|chỉ thị|nghị quyết|nghị định|thông tư|kết luận|quyết định|quy định)\s(?:số\s)?$"
)
_PERSON_LEFT = re.compile(
    words("nam|nữ|bệnh nhân|bn|ông|bà|cháu|anh|chị|bé|trẻ|mẹ|bố|vợ|chồng|cụ") + r"[^.;\d]{0,24}$"
)
_AT_LEAST_LEFT = re.compile(r"(?<!\w)(?:người|công dân|thanh niên|nam|nữ)\s?≥\s*$")  # người ≥18T
_AGE = re.compile(r"\s?t(?=\s*(?:$|[.,;:)]|trở (?:lên|xuống)))")  # bé trai 5t, cao 1m05
_OLDER = re.compile(r"\+(?![\w+])")
_ELDERS_LEFT = re.compile(
    words("cụ|người|các cụ|người cao tuổi|dân|từ|trên|nhóm|ông bà|bà con|cử tri") + r"\s*$"
)
_LISTED = re.compile(r"\d{1,2}(?:,\d{1,2}){2,30}(?![\d,])")
_TWO_LISTED = re.compile(r"\d{1,2},\d{1,2}(?![\d,])")
_NUMBERED_LEFT = re.compile(
    words(
        "thôn|bản|xóm|khu phố|tổ|lớp|khoản|điều|chương|tiết|khối|chi bộ|quý|thứ|(?:liên gia|cụm|đội|nhóm|tổ|thôn) số"
    )
    + r"\s*$"
)
_MARKS_LEFT = re.compile(
    words("điểm sàn|điểm chuẩn|điểm thi|điểm trung bình|điểm xét tuyển|thủ khoa|á khoa|bài thi|bài làm")
    + r"[^.;]{0,24}$"
)
_POINTS_RIGHT = re.compile(r"\s*(?:gplx|giấy phép|bằng lái)")
_SHORT_MONEY = re.compile(r"(\d{1,3})tr(\d{1,3})(?![\w.,])")
_SCREEN_LEFT = re.compile(words("ti vi|tivi|tv|màn hình|màn|led|máy tính") + r"[^.;\"“]{0,16}$")
_IN_WORDS = re.compile(r"\s?\(\s?([^\W\d_]+(?:\s[^\W\d_]+){0,9})\s?\)")


def measure(place: Place, end: int) -> Measure | None:
    unit = unit_at(place.text, end, place.stop)
    compass = unit and re.match(r"\s?[NSEW](?!\w)", place.text[unit.end : unit.end + 3])
    if unit and unit.unit in "'’′" and not compass and re.search(r"[‘'][^'’]*$", place.left):
        return None  # a closing quotation mark, not minutes
    return unit


def number(place: Place) -> Piece | None:
    """A number and the unit after it: 1.250.000 đồng, 3,5%, 20m, 4.0, 05 hộ."""
    for special in (_listed, _in_one, _version, _english, _spaced, _point, _long, _metres, _short_money):
        piece = special(place)
        if piece:
            return piece
    found = place.match(_NUMBER)
    if not found:
        return None
    text, end = found[0], found.end()
    piece = _as_a_name(place, text, end) or _thousands_or_parts(place, text, end)
    if piece:
        return piece
    spoken = quantity(text)
    if _TIMES.match(place.text, end, place.stop):
        spoken, end = _product(place, text, end)
    piece = _without_a_unit(place, spoken, end)
    if piece:
        return piece
    unit = measure(place, end)
    if unit is None:
        return Piece(end, spoken, "number")
    usual = Piece(unit.end, f"{spoken} {unit.spoken}", "unit")
    return _by_what_is_counted(place, text, spoken, unit) or usual


def _long(place: Place) -> Piece | None:
    found = place.match(_LONG)
    return Piece(found.end(), digits(found[0]), "digits") if found else None


def _metres(place: Place) -> Piece | None:
    """1m65."""
    found = place.match(_METRES)
    if not found:
        return None
    return Piece(found.end(), f"{cardinal(int(found[1]))} mét {fraction_digits(found[2])}", "unit")


def _short_money(place: Place) -> Piece | None:
    """1tr2, 3tr500."""
    found = place.match(_SHORT_MONEY)
    if not found:
        return None
    return Piece(found.end(), f"{quantity(found[1])} triệu {_hundreds(found[2])}", "unit")


def _as_a_name(place: Place, text: str, end: int) -> Piece | None:
    """A number that names: of a document, of a card, of a place in a row."""
    if text[0] == "0" and len(text) == 2 and _NAMED_LEFT.search(place.left):
        return Piece(end, digits(text), "document", (whole(text),))
    if text[0] == "0" and len(text) > 3 and text.isdigit() and _ALONE_RIGHT.match(place.right(end)):
        return Piece(end, digits(text), "account", (whole(text),))
    if text.isdigit() and len(text) < 3 and ORDINAL_LEFT.search(place.left):
        return Piece(end, ordinal(int(text)), "ordinal")
    return None


def _thousands_or_parts(place: Place, text: str, end: int) -> Piece | None:
    """1,500 đồng: the comma of thousands or of parts, which only the writer knows."""
    if not re.fullmatch(r"\d{1,3},\d{3}", text) or not _money_follows(place, end):
        return None
    if re.match(r"\s?(?:tỷ|tỉ|triệu|tr)(?!\w)", place.right(end)):
        return None
    thousands, parts = whole(text.replace(",", "")), quantity(text)
    unit = measure(place, end)
    assert unit is not None
    message = (
        f"“{text}” là {thousands} hay {parts}? Tiếng Việt viết nghìn bằng dấu chấm: xin chọn một cách đọc."
    )
    said = f"{thousands} {unit.spoken}"
    return Piece(unit.end, said, "number", (thousands, parts), code="ambiguous", message=message)


def _without_a_unit(place: Place, spoken: str, end: int) -> Piece | None:
    """Numbers whose next sign is no unit: 02 (hai), 55", 4*, 60+, 5t."""
    again = _IN_WORDS.match(place.text, end, place.stop)
    if again and again[1].lower() == spoken:
        return Piece(again.end(), spoken, "number")  # "02 (hai) bản" is said once
    sign = place.text[end : end + 1]
    if sign in ('"', "”", "″") and _SCREEN_LEFT.search(place.left):
        return Piece(end + 1, f"{spoken} inh", "unit")
    if sign == "*" and re.search(r"ocop[^.;]{0,24}$|sao[^.;]{0,16}$", place.left):
        return Piece(end + 1, f"{spoken} sao", "unit")
    if _OLDER.match(place.text, end, place.stop) and _ELDERS_LEFT.search(place.left):
        return Piece(end + 1, f"{spoken} tuổi trở lên", "unit", (f"{spoken} cộng",))
    age = _AGE.match(place.text, end, place.stop)
    if age and (_PERSON_LEFT.search(place.left) or "trở" in place.right(age.end())[:4]):
        return Piece(age.end(), f"{spoken} tuổi", "unit")
    return None


def _by_what_is_counted(place: Place, text: str, spoken: str, unit: Measure) -> Piece | None:
    """Units that stand for another thing beside these words."""
    usual = f"{spoken} {unit.spoken}"
    if unit.unit == "T" and (_PERSON_LEFT.search(place.left) or _AT_LEAST_LEFT.search(place.left)):
        return Piece(unit.end, f"{spoken} tuổi", "unit", (f"{spoken} tấn",))
    if unit.unit == "K" and text == "5":
        return Piece(unit.end, "năm ca", "code", ("năm nghìn",))
    thousands = text.replace(".", "")
    if unit.unit in "kK" and thousands.isdigit() and int(thousands) >= 1000:
        return Piece(unit.end, cardinal(1000 * int(thousands)), "unit")  # 1.000k = một triệu
    points = (
        unit.unit == "đ"
        and len(text) < 3
        and (_POINTS_RIGHT.match(place.right(unit.end)) or _MARKS_LEFT.search(place.left))
    )  # trừ 6đ GPLX, điểm sàn: 15đ
    if points or unit.spoken == "đồng" and re.fullmatch(r"\d{1,2},\d{1,2}", text):
        return Piece(unit.end, f"{spoken} điểm", "unit", (usual,))  # a đồng has no parts, a mark has
    if unit.spoken == "lít một phút" and _PULSE_LEFT.search(place.left):
        return Piece(unit.end, f"{spoken} lần một phút", "unit", (usual,))
    return None


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
    return Piece(found.end(), dotted(found[0]), "version")


def _english(place: Place) -> Piece | None:
    found = place.match(_ENGLISH)
    if not found:
        return None
    integer, _, cents = found[0].replace(",", "").partition(".")
    spoken = quantity(f"{integer},{cents}" if cents else integer)
    unit = measure(place, found.end())
    return Piece(unit.end if unit else found.end(), f"{spoken} {unit.spoken}" if unit else spoken, "number")


def _spaced(place: Place) -> Piece | None:
    """1 500 000 đồng: groups of three with spaces, only before a unit."""
    found = place.match(_SPACED)
    if not found or found[0][0] == "0":
        return None
    unit = measure(place, found.end())
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
    unit = measure(place, end)
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
    unit = measure(place, found.end())
    spoken = "âm " + quantity(found["n"])
    return Piece(
        unit.end if unit else found.end(), f"{spoken} {unit.spoken}" if unit else spoken, "number", ("trừ",)
    )
