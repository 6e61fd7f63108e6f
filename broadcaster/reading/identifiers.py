"""What names a thing and is not counted: telephones, hotlines, accounts, plates, roads, codes."""

from __future__ import annotations

import re

from broadcaster.reading.abbreviations import table
from broadcaster.reading.numbers import cardinal, digits, dotted, identifier, roman, whole
from broadcaster.reading.scan import Piece, Place, words
from broadcaster.reading.syllables import has_vowel, is_syllable, spell
from broadcaster.reading.units import unit_at

_PHONE = re.compile(
    r"84[.\-]\d{2,3}[.\-]\d{6,7}(?!\d)"
    r"|(?P<plus>\+84|0084|\(\+84\))[ .\-]?\d{1,3}(?:[ .\-]?\d{2,4}){2,3}(?!\d)"
    r"|0\d{9,10}(?!\d)"
    r"|0\d{1,4}(?:(?P<s>[ .\-])\d{1,4})(?:[ .\-]\d{2,4}){0,4}(?![\d])"
    r"|1[89]00(?:(?P<s2>[ .\-]?)\d{4}(?!\d)|(?:[ .\-]\d{2,4}){1,3}(?!\d)|\d{6}(?!\d))"
)
# 0912.xxx.678: a winner's, of whom some figures are kept back
_HIDDEN_PHONE = re.compile(r"0\d{2,8}(?:[ .\-]?\d{1,4}){0,3}[ .\-]?[xX*]{2,4}(?:[ .\-]?\d{2,4}){0,2}(?![\w])")
_BRACKET_PHONE = re.compile(r"\(0\d{1,3}\)\s?\d{1,4}(?:[ .\-]?\d{2,4}){1,3}(?!\d)")
_SHORT = re.compile(
    r"(?:11[1-5]|1022|10[0-9]{2}|14\d\d|15[56]|18\d{2}|19\d\d|[1-9]\d{2,4})(?![\d.,/]\d|\d|-\d)"
)
_CALL_LEFT = re.compile(
    words(
        "gọi|gọi điện|gọi ngay|tổng đài|hotline|đường dây nóng|đường dây|điện thoại|sđt|đt|liên hệ|nhắn tin|đầu số",
        "tin nhắn|cấp cứu|cứu hỏa|cứu nạn|cảnh sát|số máy|số khẩn cấp|bấm số|bấm|quay số|gửi đến|gửi tới|hot-line",
        "soạn tin|alo|máy|phản ánh qua|lực lượng|đội|khẩn cấp|qua số|báo|báo ngay|trình báo|tố giác",
    )
    + r"(?:[^.!?]|\.(?=\d)){0,52}$"
)
_STRONG_CALL = re.compile(
    words(
        "gọi|tổng đài|hotline|đường dây nóng|đầu số|nhắn tin|cấp cứu|cứu hỏa|bấm số|bấm|cảnh sát|gửi|điện thoại|số máy|lực lượng|viettel|vinaphone|mobifone|vnpt"
    )
    + r"(?:\s(?:đến|tới|về|ngay|số|khẩn cấp|cho|qua|điện|phòng cháy|chữa cháy|là|quốc gia|hỗ trợ|tư vấn|miễn phí"
    r"|chăm sóc khách hàng|bảo vệ trẻ em|trẻ em|y tế|theo|điện lực|xử lý|tiếp nhận)|[:\s]|(?:11[1-5]|1022|1\d{3})"
    r"|,|và|hoặc|hay|/|-)*$"
)
_SHORTS = re.compile(r"1\d{2,3}(?:/\d{3,5}){1,4}(?![\d/])")  # gọi 113/114/115, báo về 156/5656
_SENT_LEFT = re.compile(
    r"(?<!\w)(?:gửi|soạn|nhắn)\s(?:\w+\s){1,4}(?:đến|tới|về|gửi)\s(?:số\s|đầu số\s|tổng đài\s)?$"
)
_ENDS = re.compile(r"\s*(?:$|[.,;:)]|để|hoặc)")
_COUNTED = re.compile(
    r"\s*(?:hộ|người|ca|trường hợp|triệu|nghìn|ngàn|tỷ|đồng|%|cuộc|lượt|suất|học sinh|lần|km|kg|ha|m|thôn|cháu|em|xe"
    r"|tấn|cây|con|đảng viên|hội viên|gia đình|cán bộ|đại biểu|phút|giờ|ngày|tháng|năm|chiến sĩ|vụ|đơn|hồ sơ|công)(?!\w)"
)
_ACCOUNT_LEFT = re.compile(
    words(
        "tài khoản|stk|mã số thuế|mst|mã hồ sơ|căn cước|cccd|cmnd|định danh|mã bưu chính|mã otp|sê ri|seri|mã số|imei",
        "mật khẩu|báo danh|sbd|số vé|dự thưởng|mã bảo hiểm|mã thẻ|mã vạch|số thẻ|số khung|số máy|mã khách hàng|mã|otp|zalo|hộ chiếu|mã lô|số hiệu|id|passcode|password|pass",
    )
    + r"(?:\s(?:số|là|công dân|cá nhân|ngân hàng|thẻ|khách hàng|hồ sơ|hộ|gồm))*[\s:]*$"
)
_SERIES_LEFT = re.compile(
    r"(?<!\w)số\s(?!bộ|vụ|ca|cụ)[a-zđ]{1,3}\s$|(?<!\w)vàng\s(?:nhẫn\s|miếng\s|sjc\s|trang sức\s)?$"
)
_PRIZE_LEFT = re.compile(r"(?<!\w)giải\s(?:đặc biệt|đb|nhất|nhì|ba|tư|năm|sáu|bảy|tám|khuyến khích)\s*:?\s*$")
_ACCOUNT = re.compile(r"\d{3,}(?:[ .\-]\d{2,6})*(?!\d)")
_ROLL, _ROLL_LEFT = (
    re.compile(r"0\d{1,2}(?![\d.,/]\d|\d)"),
    re.compile(r"(?:sbd|báo danh)[\s:]*(?:số\s)?(?:0\d{1,3},\s)*$"),
)
_LONG_RUN = re.compile(r"\d{9,18}(?![\d.,]\d|\d)")
_AND = re.compile(r"[\s,;/\-–]*(?:hoặc|và|hay)?[\s,;/\-–]*(?:số )?")
_PLATE = re.compile(
    r"(?P<p>\d{2})-?(?P<l>[A-ZĐ]{1,2}\d?)(?:[\s\-–.]\s?)(?P<n>\d{3}[.\s]?\d{2}|\d{2}\.\d{3}|\d{4,5})(?![\d\w])"
)
_ROAD = re.compile(
    r"(?P<k>QL|TL|ĐT|ĐH|HL|DT|CT|ĐX)[\s.\-]?(?P<n>\d{1,3})(?P<l>[A-ZĐ]?)(?![\d\w])(?:[\-–](?P<n2>\d{1,3})(?![\d\w]))?"
)
_WEIGHT_RIGHT = re.compile(r"(?:,\d{1,3})?\s?(?:tấn|tạ|yến|kg)(?!\w)")
_LOCAL_ROAD = re.compile(r"ĐH(?:[-–.](?P<d>[A-ZĐ]{2,3})\.?|\.)(?P<n>\d{1,3})(?![\d\w])")
_ROADS = {
    **{"QL": "quốc lộ", "TL": "tỉnh lộ", "ĐT": "đường tỉnh", "DT": "đường tỉnh", "ĐH": "đường huyện"},
    **{"HL": "hương lộ", "CT": "cao tốc", "ĐX": "đường xã"},
}
_STONE = re.compile(
    r"[Kk][Mm]\s?(?P<a>\d{1,4})(?:\s?\+\s?(?P<m>\d{1,3}))?(?![\d\w])"
    r"(?:\s?[-–]\s?(?:[Kk][Mm]\s?)?(?P<b>\d{1,4})(?:\s?\+\s?(?P<m2>\d{1,3}))?(?![\d\w]))?"
)
_EDITION = re.compile(r"[vV](\d{1,2}(?:\.\d{1,3}){1,3})(?![\d\w])")  # of a program
_CODE = re.compile(
    r"(?:[A-Za-zĐđ]{1,6}\d{1,15}(?:[A-Za-zĐ]{1,2}\d{0,4})?)(?:-(?P<r>[IVX]{1,5}|\d{1,4}))?(?![\w])"
)
_HOUSE = re.compile(
    r"(?P<n>\d{1,4})(?P<l>[A-ZĐa-eđ])(?P<n2>\d{0,2})(?:/(?P<d>\d{1,4})(?P<l2>[A-ZĐ]?))?(?![\w])"
)
_HOUSE_LEFT = re.compile(
    words("số|số nhà|ngõ|ngách|kiệt|hẻm|nhà|nhà số|lô|thửa|lớp|đường|quốc lộ|tỉnh lộ") + r"\s*$"
)
_STREET = re.compile(r"(?P<a>\d{1,4})(?P<la>[A-Z]?)(?:/(?P<b>\d{1,4}))(?:/(?P<c>\d{1,4}))?(?![\d/])")
_FILE = re.compile(r"[A-ZĐ]{1,5}\d{1,4}(?:[.\-]\d{2,12}){1,4}(?!\w)")
_SERIAL = re.compile(r"[A-ZĐ]{1,6}(?:[.\-/]\d{2,8}){1,4}(?!\w)")
_QUARTER = re.compile(r"Q(?P<q>[1-4])(?:/(?P<y>(?:19|20)\d\d))(?![\d/])")
_STEP = re.compile(r"B(?P<n>[1-9])(?=\s?[:)]|\s[-–]\s)")  # B1: băm nhỏ; B2: trộn đều
_PLAIN_STEP = re.compile(r"B(?P<n>[1-9])(?=\s(?!(?:và|hoặc|hay)(?!\w))[^\W\d_])")
_CLAUSE_LEFT = re.compile(r"[:;.!?(–-]\s*$")
_FORCE = re.compile(r"[cC](?P<a>\d{1,2})(?:\s?[-–]\s?(?P<b>\d{1,2}))?(?!\w)")  # gió mạnh c6-7, giật c9
_WIND_LEFT = re.compile(r"(?<!\w)(?:gió|giật|bão|sóng)(?!\w)[^.!?]{0,60}$")
# điểm a k2 Đ25 NĐ 45
_ARTICLE = re.compile(r"(?P<k>[kKĐ])(?P<n>\d{1,3})(?!\w)")
_PARAGRAPH_LEFT = re.compile(r"(?<!\w)(?:điểm\s[a-zđ]|khoản\s\d{1,2}|k\d{1,2}|theo|tại)[,\s]*$")
_NAMED = {"BĐ": "báo động", "TDP": "tổ dân phố", "KP": "khu phố", "HK": "học kỳ", "NV": "nguyện vọng"}
_GENERATION = re.compile(r"(?P<n>[2-6])(?P<l>[GD])(?![\w])")


def phone(place: Place) -> Piece | None:
    """Telephone numbers, digit by digit, with a comma where the writer left a gap."""
    hidden = place.match(_HIDDEN_PHONE)
    if hidden:
        groups = (
            digits(g) if g.isdigit() else " ".join(["ích"] * len(g))
            for g in re.findall(r"\d+|[xX*]+", hidden[0])
        )
        return Piece(hidden.end(), ", ".join(groups), "phone")
    found = place.match(_PHONE)
    if not found:
        return None
    text = found[0]
    count = sum(c.isdigit() for c in text)
    service = text.startswith(("1900", "1800"))
    if service:
        gap = found["s2"] is None or found["s2"] != ""
        if re.search(r"(?:năm|từ|đến)\s*$", place.left) or (gap and text[4] == "-" and count == 8):
            return None
        if (
            gap
            and not _CALL_LEFT.search(place.left)
            and not re.fullmatch(r"1[89]00[ .]\d{4}|1[89]00[ .]\d{6}", text)
        ):
            return None
    elif not 6 <= count <= 13:
        return None
    elif text[0] == "0" and count <= 8 and not _CALL_LEFT.search(place.left):
        return None
    spoken = ("cộng " if "+" in text else "") + ", ".join(digits(g) for g in re.findall(r"\d+", text))
    return Piece(found.end(), spoken, "phone")


def bracket_phone(place: Place) -> Piece | None:
    """(0237) 3848 115."""
    found = place.match(_BRACKET_PHONE)
    if not found:
        return None
    return Piece(found.end(), ", ".join(digits(g) for g in re.findall(r"\d+", found[0])), "phone")


def hotline(place: Place) -> Piece | None:
    """113, 1022 and other short numbers after words that call."""
    found = place.match(_SHORTS)
    if found and _CALL_LEFT.search(place.left):
        return Piece(found.end(), ", ".join(digits(each) for each in found[0].split("/")), "hotline")
    found = place.match(_SHORT)
    if not found or _COUNTED.match(place.right(found.end())):
        return None
    text = found[0]
    known = text in ("111", "112", "113", "114", "115", "1022")
    last = place.last
    if (
        known
        and last
        and last.rule in ("phone", "hotline")
        and _AND.fullmatch(place.text, last.end, place.pos)
    ):
        return Piece(found.end(), digits(text), "hotline", (cardinal(int(text)),))
    sent = _SENT_LEFT.search(place.left) and len(text) > 3 and _ENDS.match(place.right(found.end()))
    if _STRONG_CALL.search(place.left) or sent or (known and _CALL_LEFT.search(place.left)):
        return Piece(found.end(), digits(text), "hotline", (cardinal(int(text)),))
    return None


def account(place: Place) -> Piece | None:
    """Accounts, tax and identity numbers, and any run of nine digits or more without a unit."""
    found = place.match(_ROLL)
    if found and _ROLL_LEFT.search(place.left):
        return Piece(found.end(), digits(found[0]), "account")
    if (
        _ROLL_LEFT.search(place.left)
        or _ACCOUNT_LEFT.search(place.left)
        or _PRIZE_LEFT.search(place.left)
        or _SERIES_LEFT.search(place.left)
    ):
        found = place.match(_ACCOUNT)
        if found and sum(c.isdigit() for c in found[0]) >= 4 and not _COUNTED.match(place.right(found.end())):
            return Piece(found.end(), ", ".join(digits(g) for g in re.findall(r"\d+", found[0])), "account")
    found = place.match(_LONG_RUN)
    if found and not re.match(r"\s?(?:đ|đồng|VN|USD|m|kg|người)", place.right(found.end())):
        return Piece(found.end(), digits(found[0]), "account")
    return None


def plate(place: Place) -> Piece | None:
    """36A-123.45, 36-B1 234.56."""
    found = place.match(_PLATE)
    if not found:
        return None
    series = found["l"]
    letters = spell(series.rstrip("0123456789"))
    tail = series[len(series.rstrip("0123456789")) :]
    first = " ".join(p for p in (digits(found["p"]), letters, digits(tail)) if p)
    return Piece(found.end(), f"{first}, {digits(found['n'])}", "plate")


def road(place: Place) -> Piece | None:
    """QL45, ĐT.520, TL514, QL 1A, ĐH.12, ĐH-NT.05."""
    local = place.match(_LOCAL_ROAD)
    if local:
        name = "" if re.search(r"đường huyện\s*$", place.left) else "đường huyện"
        if name and re.search(r"(?<!\w)đường\s*$", place.left):
            name = "huyện"
        spoken = " ".join(p for p in (name, spell(local["d"] or ""), identifier(local["n"])) if p)
        return Piece(local.end(), spoken, "road")
    found = place.match(_ROAD)
    if (
        not found
        or found["k"] in ("CT", "ĐH", "DT")
        and not re.search(r"(?:đường|tuyến|cao tốc|trên|qua)\s*$", place.left)
    ):
        return None
    if unit_at(place.text, found.end(), place.stop) or _WEIGHT_RIGHT.match(place.right(found.end())):
        return None  # "DT 20 tỷ đồng", "TL 24,5 tấn" are amounts
    name = _ROADS[found["k"]]
    if re.search(rf"{name}\s*$", place.left):
        name = ""
    elif name.startswith("đường ") and re.search(r"(?<!\w)đường\s*$", place.left):
        name = name.removeprefix("đường ")
    number = whole(found["n"])
    if found["n2"]:
        number += " " + whole(found["n2"])
    spoken = " ".join(p for p in (name, number, spell(found["l"])) if p)
    return Piece(found.end(), spoken, "road", (f"{name} {digits(found['n'])}".strip(),))


def milestone(place: Place) -> Piece | None:
    """Km12+300, Km12 - Km14."""
    found = place.match(_STONE)
    if not found or re.match(r"\s?%", place.right(found.end())):
        return None  # KM 20%: cheaper, not a stone

    def stone(km: str, metres: str | None) -> str:
        return f"ki lô mét {whole(km)}" + (
            f" cộng {identifier(metres) if len(metres) < 3 else whole(metres)}" if metres else ""
        )

    spoken = stone(found["a"], found["m"])
    if found["b"]:
        spoken += " đến " + stone(found["b"], found["m2"])
    return Piece(found.end(), spoken, "milestone")


def house(place: Place) -> Piece | None:
    """12A, 45/12, ngõ 5B: numbers of houses and roads with letters or strokes."""
    found = place.match(_GENERATION)
    if found:
        letter = "gờ" if found["l"] == "G" else "đê"
        return Piece(found.end(), f"{cardinal(int(found['n']))} {letter}", "code")
    found = place.match(_HOUSE)
    if found and found["l"] in "VWLKT" and not found["n2"] and not _HOUSE_LEFT.search(place.left):
        return None  # 220V, 100W, 500L
    if found and (found["l"].isupper() or _HOUSE_LEFT.search(place.left)):
        parts = [whole(found["n"]), spell(found["l"]), whole(found["n2"]) if found["n2"] else ""]
        if found["d"]:
            parts += ["trên", whole(found["d"]), spell(found["l2"])]
        return Piece(found.end(), " ".join(p for p in parts if p), "code")
    if re.search(
        words("số nhà|ngõ|ngách|kiệt|hẻm|nhà số|địa chỉ: số|địa chỉ số|tại số|ở số") + r"\s*$", place.left
    ):
        found = place.match(_STREET)
        if found:
            parts = [whole(found["a"]), spell(found["la"]), "trên", whole(found["b"])]
            if found["c"]:
                parts += ["trên", whole(found["c"])]
            return Piece(found.end(), " ".join(p for p in parts if p), "address")
    return None


def code(place: Place) -> Piece | None:
    """Letters and digits in one word: A1, ST25, D01, H5N1, RON95-III, B2."""
    found = place.match(_QUARTER)
    if found:
        year = f" năm {cardinal(int(found['y']))}" if found["y"] else ""
        return Piece(found.end(), f"quý {cardinal(int(found['q']))}{year}", "month_year")
    found = place.match(_STEP) if place.pos == place.start or _CLAUSE_LEFT.search(place.left) else None
    if found := found or _step_in_a_row(place):
        return Piece(found.end(), f"bước {cardinal(int(found['n']))}", "code")
    found = place.match(_FORCE)
    if found and _WIND_LEFT.search(place.left):
        upto = f" đến {cardinal(int(found['b']))}" if found["b"] else ""
        return Piece(found.end(), f"cấp {cardinal(int(found['a']))}{upto}", "code")
    found = place.match(_ARTICLE)
    if found and _PARAGRAPH_LEFT.search(place.left):
        name = "khoản" if found["k"] in "kK" else "điều"
        return Piece(found.end(), f"{name} {cardinal(int(found['n']))}", "code")
    found = place.match(_FILE)
    if found:
        return _in_parts(found)
    found = place.match(_EDITION)
    if found:
        return Piece(found.end(), f"phiên bản {dotted(found[1])}", "version")
    found = place.match(_CODE)
    if not found:
        return None
    loans = table().loans
    parts = []
    body = found[0][: found.start("r") - 1 - found.start()] if found["r"] else found[0]
    for letters, number in re.findall(r"([^\W\d_]+)|(\d+)", body):
        if number:
            parts.append(identifier(number))
        elif letters in _NAMED or letters in loans:
            parts.append(_NAMED.get(letters) or loans[letters])
        elif len(letters) > 1 and is_syllable(letters.lower()) and not letters.isupper():
            parts.append(letters.lower())
        else:
            parts.append(code_letters(letters))
    if found["r"]:
        value = roman(found["r"])
        tail = identifier(found["r"]) if found["r"].isdigit() else spell(found["r"])
        parts.append(cardinal(value) if value else tail)
    return Piece(found.end(), " ".join(parts), "code")


def _step_in_a_row(place: Place) -> re.Match[str] | None:
    """B1 mở ứng dụng; B2 quét mã: with the step before or after it nearby, as no vitamin has."""
    found = place.match(_PLAIN_STEP)
    if found is None or place.pos > place.start and place.left.rstrip()[-1:] not in ":;,.(":
        return None
    before, after = int(found["n"]) - 1, int(found["n"]) + 1
    in_a_row = re.search(rf"[;,.]\s?b{after}\s[^\W\d_]", place.right(found.end())) or re.search(
        rf"(?:^|[:;,.]\s?)b{before}\s[^\W\d_]", place.left
    )
    return found if in_a_row else None


def serial(place: Place) -> Piece | None:
    """Mã số ĐT-2026-015: what a thing is filed under."""
    found = place.match(_SERIAL)
    return _in_parts(found) if found and _ACCOUNT_LEFT.search(place.left) else None


def _in_parts(found: re.Match[str]) -> Piece:
    parts = [digits(p) if p.isdigit() else spell(p) for p in re.findall(r"\d+|[A-ZĐ]+", found[0])]
    return Piece(found.end(), ", ".join(parts), "account")


def code_letters(letters: str) -> str:
    """Letters of a code: spelled, unless lower-case and pronounceable."""
    if letters.islower() and has_vowel(letters) and len(letters) > 2:
        return letters
    return spell(letters)
