"""Words that are not plain syllables: capitals, initials, Roman numerals, single letters, foreign words."""

from __future__ import annotations

import re

from broadcaster.reading.abbreviations import Table, among_capitals
from broadcaster.reading.numbers import cardinal, ordinal, roman
from broadcaster.reading.scan import Piece, Place, pattern, words
from broadcaster.reading.syllables import has_vowel, is_syllable, spell
from broadcaster.reading.units import ALONE, unit_at

_DIGRAPHS = frozenset({"Ch", "Gi", "Kh", "Ng", "Nh", "Ph", "Qu", "Th", "Tr"})
_INITIAL = rf"(?:{'|'.join(sorted(_DIGRAPHS))}|[A-ZĐ])"
_INITIALS = pattern(rf"(?:{_INITIAL}\.){{1,5}}(?:(?:{_INITIAL})?(?!\w)|(?=[[:upper:]][[:lower:]]))")
_ONE_INITIAL = pattern(r"[A-ZĐ]\.(?=\s+[[:lower:]]|\s*[,;()])")
_TITLE = pattern(r"[AC]\.(?=\s?[[:upper:]][[:lower:]]+(?:\s[[:upper:]][[:lower:]]+)?\s*(?:$|[),;.:–-]|\d))")
_MIDDLE = pattern(r"[A-ZĐ]\.(?=\s[[:upper:]][[:lower:]])")
_FAMILY_LEFT = re.compile(
    words(
        "nguyễn|trần|lê|phạm|hoàng|huỳnh|phan|vũ|võ|đặng|bùi|đỗ|hồ|ngô|dương|lý|lò|hà|vi|lộc|quách|lương|trương|đinh|đào",
        "mai|trịnh|cao|tô|lang|ngân|phùng|kiều|tạ|chu|lữ|cầm|hơ|giàng|thao|sùng|vàng|đoàn|lưu|tống|đậu|thái|triệu",
    )
    + r"\s$"
)
_CALLED_LEFT = re.compile(r"(?:\(|(?<!\w)(?:lh|liên hệ|gặp|hỏi)\s*:?)\s*$")  # LH: A. Tuấn
_ROMAN = re.compile(
    r"(?P<a>[IVXL]{1,8})(?:\s?[-–]\s?(?P<b>[IVXL]{1,8})(?!\w))?(?:\s?/\s?(?P<y>(?:19|20)\d\d)(?!\d)|(?![\w]))"
)
_ROMAN_LEFT = re.compile(
    words(
        "đại hội|khóa|khoá|quý|phần|chương|cấp|thế kỷ|thế kỉ|loại|hạng|thứ|lần|giải|kỳ|học kỳ|học kì|hk|nhiệm kỳ|báo động|bđ",
        "mục|phụ lục|tập|số|nhóm|bậc|đợt|giai đoạn|vùng|khu vực|quyển|bảng|hồi|hội nghị|tw|trung ương|tiểu khu|độ|kỳ họp",
        "trà|trà lúa|lứa|vụ|tiểu học|mức|đh|qh|điều|điểm|đảng|đoàn|quốc hội|hđnd|hội đồng nhân dân|đảng bộ|nghị quyết|trạm|khối|cụm",
        "chuyên khoa|cki|bộ|vua|giáo hoàng|thế chiến|chiến khu|quân khu|khu|tờ|kỳ thi|ngạch|tuyến|pha|sư đoàn",
    )
    + r"\s+(?:[ivxl]{1,8}(?:\s?[,+–-]\s?|\svà\s|\sđến\s|\shoặc\s))*$"
)
_ORDINAL_LEFT = re.compile(words("thứ|giải|hạng nhất") + r"\s+$")
_ALONE = pattern(r"[[:lower:]][\s\"“(]+$")
_PRODUCT_LEFT = re.compile(r"[\d%đ)]\s*$|\dc?m$|\d[^.;:]{0,28}\s$")
_HAMLET_LEFT = re.compile(r"(?<!\w)(?:thôn|làng|bản|xóm|khu|tổ|trường|tiểu học|mầm non)\s[^,.;:\d]{1,28}$")
_NAME_AFTER = pattern(r"\s[[:lower:]]")


def may_be_initial(word: str) -> bool:
    """True for what stands before the point of N.T.H and Ng.V.T."""
    return word in _DIGRAPHS or len(word) == 1 and word.isupper()


def initials(place: Place) -> Piece | None:
    """N.T.H, Lê Văn T.: letters of a name."""
    found = place.match(_TITLE)
    if found and _CALLED_LEFT.search(place.left):
        return Piece(found.end(), "anh" if found[0][0] == "A" else "chị", "letters")
    found = place.match(_INITIALS)
    if found and found[0].rstrip(".").count(".") > 0:
        return Piece(found.end(), " ".join(spell(c) for c in found[0] if c != "."), "letters")
    found = place.match(_ONE_INITIAL) or (_FAMILY_LEFT.search(place.left) and place.match(_MIDDLE)) or None
    if found:
        return Piece(found.end(), spell(found[0][0]), "letters")
    return None


# 13,4N-110,8E: each letter explains the other
_EAST_RIGHT = re.compile(r"\s?[-–;,/]\s?\d{2,3}(?:[.,]\d+)?e(?!\w)")
_NORTH_LEFT = re.compile(r"\d[.,]?\d*n\s?[-–;,/]\s?\d{2,3}(?:[.,]\d+)?$")
COMPASS = {"N": "Bắc", "S": "Nam", "E": "Đông", "W": "Tây"}
_DEGREES_LEFT = re.compile(r"(?:\d\s?[°º]\s?(?:\d{1,2}\s?['’′]\s?)?|(?:vĩ độ|kinh độ|tọa độ)[^.;]{0,40}\d)$")


def compass(place: Place, end: int) -> Piece | None:
    """The letter after degrees: 19°38'N, vĩ độ 19,5N."""
    letter = place.text[place.pos]
    pair = (
        letter == "N"
        and _EAST_RIGHT.match(place.right(end))
        or letter == "E"
        and _NORTH_LEFT.search(place.left)
    )
    if _DEGREES_LEFT.search(place.left) or pair:
        return Piece(end, COMPASS[place.text[place.pos]], "sign")
    return None


_EQUALS = re.compile(r"\s?=")  # chiều dài L = 2,35km


def _announces(place: Place, end: int) -> bool:
    """True for the number of a part: gồm: I. Thời sự; II. Chuyên mục."""
    return bool(re.search(r"[:;]\s$", place.left)) and place.text[end : end + 2] == ". "


def roman_numeral(place: Place) -> Piece | None:
    """Đại hội XIV, quý III/2026, giải I, lần thứ I, khóa I-II; bare only when it is unmistakable."""
    found = place.match(_ROMAN)
    if not found:
        return None
    a = found["a"]
    value = roman(a)
    if value is None or _EQUALS.match(place.text, found.end()):
        return None
    known = bool(_ROMAN_LEFT.search(place.left)) or _announces(place, found.end())
    if not known:
        hamlet = a == "I" and _HAMLET_LEFT.search(place.left)
        if len(a) < 2 and not hamlet or "L" in a or is_syllable(a.lower()) and not hamlet and not found["y"]:
            return None
    first = ordinal(value) if _ORDINAL_LEFT.search(place.left) else cardinal(value)
    spoken = first
    if found["b"]:
        other = roman(found["b"])
        if other is None:
            return None
        spoken += f" đến {cardinal(other)}"
    if found["y"]:
        spoken += f" năm {cardinal(int(found['y']))}"
    return Piece(found.end(), spoken, "roman")


def capital_or_foreign(place: Place, word: str, table: Table) -> Piece | None:
    """Any other word.  None: it is said as written."""
    end = place.pos + len(word)
    low = word.lower()
    if len(word) == 1:
        return _single(place, word, end)
    if word.isupper():
        if is_syllable(low):
            if (
                len(word) < 4
                and word.isascii()
                and not among_capitals(place, end)
                and _ALONE.search(place.left)
            ):
                return unknown(word, end, low, "acronym")
            return Piece(end, low, "capitals")
        return _unknown_capitals(place, word, end, table)
    if not has_vowel(low):
        if word in ALONE:
            unit = unit_at(place.text, place.pos, place.stop)
            if unit:
                return Piece(unit.end, unit.spoken, "unit")
        upper = word.upper()
        meanings = table.meanings.get(upper)
        if meanings and len(upper) > 2 and len(meanings) == 1:
            return Piece(end, meanings[0].spoken, "abbreviation")
        return unknown(word, end, spell(word), "acronym")
    if not is_syllable(low) and low in table.loans:
        return Piece(end, table.loans[low], "abbreviation")
    return None


_PRODUCT_RIGHT = re.compile(r"\s*\d|\s(?:[A-ZĐ]{2,}|lương|mức|số)(?!\w)")  # 2 x LCS


def is_product(place: Place) -> bool:
    """True for the x of 3 x 4 and 1mx1m."""
    return bool(
        _PRODUCT_LEFT.search(place.left) and _PRODUCT_RIGHT.match(place.text, place.pos + 1, place.stop)
    )


def _single(place: Place, word: str, end: int) -> Piece | None:
    low = word.lower()
    if low in "aeiouyăâêôơư":
        return (
            Piece(end, low, "capitals") if word.isupper() and not _NAME_AFTER.match(place.text, end) else None
        )
    if is_syllable(low):
        return (
            Piece(end, low, "capitals") if word.isupper() and not _NAME_AFTER.match(place.text, end) else None
        )
    name = spell(low)
    if name:
        return Piece(end, name, "letters")
    message = f"Không biết đọc ký hiệu “{word}”: xin bỏ đi hoặc cho biết cách đọc."
    return Piece(end, "", "guess", code="symbol", message=message)


def _unknown_capitals(place: Place, word: str, end: int, table: Table) -> Piece | None:
    parts = table.segments(word)
    if parts:
        return unknown(word, end, " ".join(parts), "acronym")
    if len(word) >= 5 and _pronounceable(word.lower()):
        return unknown(word, end, word.lower(), "acronym")
    return unknown(word, end, spell(word), "acronym")


def _pronounceable(low: str) -> bool:
    vowels = [c for c in low if has_vowel(c)]
    return len(vowels) >= 2 and not re.search(r"[^aeiouyăâêôơư]{4}", low)


def unknown(word: str, end: int, spoken: str, code: str) -> Piece:
    """A reading that is only a guess: it blocks until a person has answered."""
    message = (
        f"Chưa biết chữ viết tắt “{word}”: xin cho biết cách đọc, hoặc chọn “đọc nguyên” để đọc từng chữ cái."
    )
    return Piece(end, spoken, "guess", (), code, message)


def verbatim(written: str) -> str:
    """ "Đọc nguyên": words as they stand, what cannot be pronounced letter by letter, signs silent."""
    out = []
    for token in re.findall(r"[^\W\d_]+|\d+", written):
        if token.isdigit():
            out.append(cardinal(int(token)) if len(token) < 19 else spell(token))
        elif is_syllable(token.lower()) or (has_vowel(token) and not token.isupper()):
            out.append(token.lower() if token.isupper() else token)
        else:
            out.append(spell(token))
    return " ".join(o for o in out if o)
