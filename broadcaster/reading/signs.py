"""Signs between words: pauses, strokes, dashes, symbols, ellipses and unfilled blanks."""

from __future__ import annotations

import re
import unicodedata

from broadcaster.reading.numbers import quantity
from broadcaster.reading.quantities import NUMBER
from broadcaster.reading.scan import Piece, Place, pattern
from broadcaster.reading.units import ALONE, unit_at

COMMA, STOP = ",", "."
_ENDINGS = re.compile(r"\./\.|[.!?…]+")
_BLANK = re.compile(
    r"(?:[.…]{4,}|…{2,}|\.{2,}\s?/|_{3,}|(?:\.\s){3,}\.|[.…_]{2,}(?=\s?(?:tháng|năm|giờ|/)))(?:\s?[.…_]{2,}){0,8}"
)
_MONEY = re.compile(rf"(?P<s>[$€£¥₫])\s?(?P<n>{NUMBER})(?!\d)(?P<w>\s(?:triệu|tỷ|tỉ|nghìn|ngàn))?")
_MONEY_NAMES = {"$": "đô la Mỹ", "€": "ơ rô", "£": "bảng Anh", "¥": "yên", "₫": "đồng"}
_SAID = {
    **{
        "&": "và",
        "%": "phần trăm",
        "‰": "phần nghìn",
        "=": "bằng",
        "≥": "lớn hơn hoặc bằng",
        "≤": "nhỏ hơn hoặc bằng",
    },
    **{
        "±": "cộng trừ",
        "≈": "xấp xỉ",
        "°": "độ",
        "@": "a còng",
        "½": "một phần hai",
        "¼": "một phần tư",
    },
    **{"¾": "ba phần tư", "⅓": "một phần ba", "⅔": "hai phần ba", "§": "mục", "№": "số", "∞": "vô cùng"},
}
_QUIET = frozenset("\"'“”‘’„‟«»‹›*`´#^|\\{}<>[]~•·●○■□▪▫◆◇►▶➢✓✔✦★☆→⇒←↔─━═¬†‡®™©\u2011ʼ′″¨¸_")
_BRACKETS = frozenset("()[]{}|—–→⇒")
_UNIT_STROKE = re.compile(
    r"(?:\d[\d.,]*\s?|(?<!\w)(?:một|hai|ba|bốn|năm|sáu|bảy|tám|chín|mười|mỗi)\s)(?:[^\W\d_]+\s){0,3}[^\W\d_]+$"
)
# "giảm 10-15% hộ nghèo/năm": a rate, though its number stands some words before
_EVERY_LEFT = re.compile(r"\d\s?%\s(?:[^\W\d_]+\s){0,3}[^\W\d_]+$")
_PRICE_LEFT = re.compile(r"(?<!\w)(?:đồng|nghìn|triệu|tấn|tạ)$")  # giá (nghìn đồng/kg)
_RATE_SO_FAR_LEFT = re.compile(r"\d\S{0,4}\s?/\s?(?:[^\W\d_]+\s){1,2}[^\W\d_]+$")  # 20k/ LĐ chính/năm
_GROUPS_LEFT = re.compile(
    r"\d\s(hộ|hộ dân|gia đình|lớp|tổ|đội|nhóm|chi bộ|chi hội|chi đoàn|trường|xe|đoàn|cụm|em|học sinh|vđv)$",
    re.IGNORECASE,
)
_HEADS_RIGHT = re.compile(
    r"\s?\d[\d.]*\s(nhân khẩu|khẩu|người|học sinh|hs|hội viên|đoàn viên|đảng viên|lao động|cháu|em"
    r"|loa|máy thu|trường|đội|đoàn|lớp)(?!\w)",
    re.IGNORECASE,
)
_EVERY_RIGHT = re.compile(r"(?:năm|tháng|quý|tuần|ngày|vụ)(?!\w)")
_DATE_RIGHT = re.compile(r"\s?\d{1,2}\s?/\s?\d{1,2}(?!\d)")
_AFTER_LIST = pattern(r"\s*(?:$|[;.)]|\s[[:upper:]])")
_SAME_LEFT = re.compile(
    r"(?<!\w)(?:(thứ|tháng|quý|năm|lớp|ngày|tuần|đợt|bậc|cấp|vòng|lần|khóa|thế kỷ|phút thứ)\s[\w/]{1,10}|t(?:[2-9]|1[0-2]))\s?$"
)
_DAY_NAME = r"(?:t|thứ\s)[2-7]"
_THREE_DAYS_LEFT = re.compile(rf"(?<!\w){_DAY_NAME}\s?[-–]\s?{_DAY_NAME}\s?$")  # T2-T4-T6: days, no range
_THREE_DAYS_RIGHT = re.compile(rf"\s?{_DAY_NAME}\s?[-–]\s?{_DAY_NAME}(?!\d)")
_FROM_LEFT = re.compile(r"(?<!\w)từ\s[^,.;:()–-]{1,44}$")
# 22h ngày 27/11 - 4h ngày 28/11: the date between keeps `times` from seeing both hours at once
_HOUR_AND_DAY_LEFT = re.compile(
    r"\d\s?(?:[hg:]|giờ)\s?(?:\d{2})?(?:\s?phút)?,?\s(?:ngày\s)?\d{1,2}/\d{1,2}(?:/\d{4})?\s*$"
)
_HOUR_RIGHT = re.compile(r"\s?\d{1,2}\s?(?:[hg](?![^\W\d_])|:\d\d|giờ)")
_RESULT = re.compile(r"\(([+\-–−])\)")
_TESTED_LEFT = re.compile(
    r"(?:(?<!\w)(?:mẫu|test|test nhanh|kết quả|xét nghiệm|xn|ca|th|trường hợp|que thử|rh|hiv|hbsag|con|người|cho)\s*:?"
    r"|\d\s?(?:mẫu|ca|th|trường hợp|con|người))\s*$"
)
# hành động" - Diễn giả: not the dash of Hà Nội - Thanh Hóa, nor of văn hóa - xã hội
_ANOTHER_THOUGHT_LEFT = pattern(r"(?:[”\"»)]|(?<![\w.])[[:lower:]]{2,})\s$")
_CAPITAL_RIGHT = pattern(r"\s[[:upper:]][[:lower:]]")
_ALTERNATIVE = re.compile(r"(?:và|hoặc)$")


_RATE_LEFT = re.compile(r"/\s?[^\W\d_]+\s*$")
_RATE_RIGHT = re.compile(rf"\s?{NUMBER}\s?(?:[^\W\d_]+\s){{0,2}}[^\W\d_]+\s?/\s?[^\W\d_]")
_DURATION_RIGHT = re.compile(
    r"\s?\d{1,3}\s?(?:ngày|đêm|tuần|tháng|năm|buổi|đợt|vụ|giờ|phút|tiết)(?!\w|\s?[/=])"
)


def blank(place: Place) -> Piece | None:
    """…… ____ .....: a place left to be filled in."""
    found = place.match(_BLANK)
    if not found:
        return None
    message = "Chỗ này còn để trống trong văn bản: xin điền vào, hoặc chọn “đọc nguyên” để bỏ qua."
    return Piece(found.end(), "", "blank", code="blank", message=message)


def ending(place: Place) -> tuple[int, str] | None:
    """End marks: (end, "." or "!" or "?" or "…"); None when the point joins something."""
    found = place.match(_ENDINGS)
    if not found:
        return None
    marks = found[0]
    if marks == "./.":
        return found.end(), STOP
    if "?" in marks:
        return found.end(), "?"
    if "!" in marks:
        return found.end(), "!"
    if "…" in marks or len(marks) > 1:
        return found.end(), "…"
    return found.end(), STOP


def closes_list(place: Place, end: int) -> bool:
    """True for the "..." after "lúa, ngô, khoai": it stands for what is not listed."""
    clause = re.split(r"[.;:!?(]", place.left)[-1]
    if re.search(r"[^\W\d_],\s*$", clause):
        return True
    return bool(
        clause.count(",")
        and re.search(r"[^\W\d_],?\s*$", clause)
        and _AFTER_LIST.match(place.text, end, place.stop)
    )


def money(place: Place) -> Piece | None:
    """$100, €5 triệu: the currency is said after."""
    found = place.match(_MONEY)
    if not found:
        return None
    return Piece(found.end(), f"{quantity(found['n'])}{found['w'] or ''} {_MONEY_NAMES[found['s']]}", "unit")


def sign(place: Place) -> Piece | str:
    """Any other sign: a piece, or "," for a pause, or "" for silence."""
    c = place.text[place.pos]
    before = place.text[place.pos - 1] if place.pos > place.start else " "
    after = place.text[place.pos + 1] if place.pos + 1 < place.stop else " "
    if c in ",;:":
        return COMMA
    result = _RESULT.match(place.text, place.pos, place.stop)
    if result and _TESTED_LEFT.search(place.left):
        said = "dương tính" if result[1] == "+" else "âm tính"
        if place.left.endswith("rh"):
            said = said.removesuffix(" tính")  # Rh(-): a kind of blood, no result
        return Piece(result.end(), said, "sign")
    if c in "→⇒" and (_from_left(place.left) or before.isdigit() and after.isdigit()):
        return Piece(place.pos + 1, "đến", "range", ("",))
    if c in "-=–" and after == ">":
        return COMMA  # Ví giấy tờ -> Chữ ký số
    if c == ">" and before in "-=–":
        return ""
    if c in "-–—−‐‑":
        return _dash(place, c, before, after)
    if c == "/":
        return _stroke(place, before, after)
    if c == "+":
        if before == " " and place.pos == place.start:
            return ""
        spoken = (
            "cộng"
            if after.isdigit()
            and not before.isalnum()
            or (before.isdigit() or before.isupper())
            and not after.isalnum()
            or re.search(r"\d\s*$", place.left)
            and re.match(r"\s*\d", place.right(place.pos + 1))
            else "và"
        )
        return Piece(place.pos + 1, spoken, "sign", ("cộng", "và"))
    if c == "<" and place.right(place.pos).startswith(("<->", "<=>", "<–>", "<—>")):
        return COMMA  # Bến Sung <-> Ga Thanh Hóa
    if c in "<>" and re.match(r"\s*\d", place.right(place.pos + 1)):
        return Piece(
            place.pos + 1, "dưới" if c == "<" else "trên", "sign", ("nhỏ hơn" if c == "<" else "lớn hơn",)
        )
    if c == "×":
        return times(place)
    if c == "~" and after.isdigit():
        return Piece(place.pos + 1, "khoảng", "sign")
    if c in _SAID:
        return Piece(place.pos + 1, _SAID[c], "sign")
    if c in "$€£¥₫":
        return Piece(place.pos + 1, _MONEY_NAMES[c], "sign")
    if c in _BRACKETS:
        return COMMA
    if c in _QUIET or unicodedata.category(c) in ("So", "Sk", "Mn", "Me", "Lm") and not c.isalpha():
        return ""
    message = f"Không biết đọc ký hiệu “{c}”: xin bỏ đi hoặc cho biết cách đọc."
    return Piece(place.pos + 1, "", "guess", code="symbol", message=message)


def times(place: Place) -> Piece | str:
    """The sign between 3 × 4: "nhân", but "trong" before how long a rate goes on and a pause before another rate."""
    end = place.pos + 1
    if _RATE_RIGHT.match(place.right(end)):
        return COMMA  # 2 viên/lần x 3 lần/ngày, 2 lớp x 40 người/lớp
    if _RATE_LEFT.search(place.left) and _DURATION_RIGHT.match(place.right(end)):
        return Piece(end, "trong", "sign", ("nhân",))  # 2 lần/tuần x 3 tuần
    return Piece(end, "nhân", "sign")


def _from_left(left: str) -> bool:
    """True where "từ" still waits for its "đến"."""
    return bool(_FROM_LEFT.search(left)) and not re.search(
        r"(?<!\w)(?:đến|tới)(?!\w)", left.rsplit("từ", 1)[-1]
    )


def _dash(place: Place, c: str, before: str, after: str) -> Piece | str:
    spaced = before.isspace() and after.isspace()
    left, right = place.left, place.right(place.pos + 1)
    pair = _SAME_LEFT.search(left)
    if pair and re.match(
        rf"\s?{pair[1] or 't'}(?:[2-9]\b|1[0-2]\b|\s(?:\d|hai|ba|tư|năm|sáu|bảy|[ivx]+\b))|\s?cn\b|\s?chủ nhật",
        right,
    ):
        if _THREE_DAYS_LEFT.search(left) or _THREE_DAYS_RIGHT.match(right):
            return COMMA
        return Piece(place.pos + 1, "đến", "range")
    if _HOUR_AND_DAY_LEFT.search(left) and _HOUR_RIGHT.match(right):
        return Piece(place.pos + 1, "đến", "range")
    if spaced and _from_left(left):
        return Piece(place.pos + 1, "đến", "range", ("",))
    if spaced and (
        c in "—–"
        or _ANOTHER_THOUGHT_LEFT.search(place.before)
        and _CAPITAL_RIGHT.match(place.text, place.pos + 1)
    ):
        return COMMA
    return ""


def _stroke(place: Place, before: str, after: str) -> Piece | str:
    if before.isalpha() and after.isalpha() and after.islower():
        if _ALTERNATIVE.search(place.left):
            return ""
        if re.match(r"(?:tháng|quý|năm|thôn|xã)\s\d", place.right(place.pos + 1)):
            return Piece(place.pos + 1, "trên", "per", ("của",))
        unit = unit_at(place.text, place.pos + 1, place.stop)
        if place.last and place.last.rule == "per" and place.text[place.last.end : place.pos].isalpha():
            return Piece(place.pos + 1, "một", "per", ("trên", "mỗi"))  # gạo/người/tháng
        if _EVERY_LEFT.search(place.left) and _EVERY_RIGHT.match(place.right(place.pos + 1)):
            return Piece(place.pos + 1, "mỗi", "per", ("một",))
        if _RATE_SO_FAR_LEFT.search(place.left) and _EVERY_RIGHT.match(place.right(place.pos + 1)):
            return Piece(place.pos + 1, "một", "per", ("mỗi",))
        if _UNIT_STROKE.search(place.left) or unit and _PRICE_LEFT.search(place.left):
            if unit and place.text[place.pos + 1 : unit.end] in ALONE | {"ha", "m2", "m²", "m3", "m³"}:
                return Piece(unit.end, f"một {unit.spoken}", "per", (f"trên {unit.spoken}",))
            return Piece(place.pos + 1, "một", "per", ("trên", "mỗi"))
    if (
        place.last
        and place.last.end == place.pos
        and place.last.rule == "time"
        and _DATE_RIGHT.match(place.right(place.pos + 1))
    ):
        return Piece(place.pos + 1, "ngày", "per")  # 07h/06/11
    if before.isdigit() and re.match(r"(?:tháng|quý)\s\d", place.right(place.pos + 1)):
        return Piece(place.pos + 1, "trên", "per", ("của",))
    if (
        before.isdigit()
        and after.isalpha()
        or place.last is not None
        and place.last.end == place.pos
        and place.last.rule == "unit"
    ):
        return Piece(place.pos + 1, "một" if after.islower() else "trên", "per", ("trên", "mỗi"))
    if before.isalpha() and after.isdigit():
        groups, heads = _GROUPS_LEFT.search(place.left), _HEADS_RIGHT.match(place.right(place.pos + 1))
        if groups and heads and groups[1] != heads[1]:
            return COMMA  # 128 hộ/542 khẩu are two counts, no share
        return Piece(place.pos + 1, "trên", "per", ("",)) if before.islower() else ""
    return COMMA if before.isalpha() or before in " )" else ""
