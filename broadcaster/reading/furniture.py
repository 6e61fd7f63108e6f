"""Letterhead, recipients and signature: found as blocks of lines and left out of the broadcast, visibly."""

from __future__ import annotations

import re

from broadcaster.reading.layout import decoration
from broadcaster.reading.scan import pattern

Line = tuple[int, int]
_STATE = re.compile(
    r"CỘNG HÒA XÃ HỘI|CỘNG HOÀ XÃ HỘI|CỘNG HÒA XHCN|CHXHCN|ĐẢNG CỘNG SẢN VIỆT NAM\s*$|Độc lập\s*[-–]\s*Tự do",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"^\W*Số\s*(?::|[\d.…]{0,6}\s*[-/]\s*[\w&]+(?:\s?[-/]\s?[\w&]+)*\s*(?:[\t|]|$))", re.IGNORECASE
)
_PLACE_DATE = pattern(
    r"(?:^|[\t|]|\s{3,})[*_\s|]*[[:upper:]][^\d,.:;]{2,40},\s*ngày[\s\d….…_/]*tháng[\s\d….…_]*năm",
    re.IGNORECASE,
)
_HEAD_LINE = pattern(r"^[^[:lower:]]*$")
_RECIPIENTS = re.compile(r"^[*_\s\t|]*(?:Nơi\s+nhận|NƠI\s+NHẬN)\s*[*_]*\s*:?")
_OFFICE_HELD = (
    r"(?:PHÓ\s+)?(?:CHỦ TỊCH|BÍ THƯ|TRƯỞNG (?:BAN|PHÒNG|CÔNG AN|THÔN)|GIÁM ĐỐC|CHÁNH VĂN PHÒNG|CHỈ HUY TRƯỞNG|HIỆU TRƯỞNG"
    r"|TRẠM TRƯỞNG|NGƯỜI VIẾT|NGƯỜI LẬP)[^[:lower:]]*$"
)
_SIGNER = pattern(
    r"^[*_\s\t|]*(?:TM\.|T/M|TM\s|KT\.|K/T|TL\.|T/L|TUQ\.|Q\.\s?CHỦ)[^[:lower:]]*$"
    rf"|^[*_\s\t|]*(?:Q\.\s?)?{_OFFICE_HELD}"
)
_SIGNED = re.compile(r"\((?:đã ký|ký tên|ký, ghi|ký và|ký, đóng)[^)]*\)|^\W*đã ký\W*$", re.IGNORECASE)
_SIGNER_BESIDE = pattern(  # beside the recipients any chief is a signer, however his office is called
    rf"(?:\s{{3,}}|\t|\|)\s*(?:(?:TM|KT|TL|TUQ|Q)\.)?\s*(?:{_OFFICE_HELD}|(?:PHÓ\s+)?(?:TRƯỞNG|CHÁNH|CHỈ HUY)[^[:lower:]]*$)"
)
_NAME = pattern(r"^[*_\s\t|]*(?:[[:upper:]][[:lower:]]+\s){1,5}[[:upper:]][[:lower:]]+[*_\s|]*$")
_ITEM = re.compile(r"^[*_\s\t|]*[-+•*–]")
LETTERHEAD_LINES = 16
SIGNATURE_LINES = 9


def _texts(text: str, spans: list[Line]) -> list[tuple[int, str]]:
    return [(i, text[a:b]) for i, (a, b) in enumerate(spans) if text[a:b].strip()]


def letterhead(text: str, spans: list[Line]) -> int:
    """How many leading lines are letterhead (0 when there is none)."""
    filled = _texts(text, spans)[:LETTERHEAD_LINES]
    last = -1
    for position, (_, line) in enumerate(filled):
        if _STATE.search(line) or _NUMBER.match(line) or _PLACE_DATE.search(line):
            last = position
    if last < 0:
        return 0
    for position in range(last + 1):
        line = filled[position][1]
        marked = _STATE.search(line) or _NUMBER.match(line) or _PLACE_DATE.search(line)
        if not marked and not (_HEAD_LINE.match(line) and len(line) < 100):
            return 0
        if _PLACE_DATE.search(line) and len(line) > 160:
            return 0
    end = filled[last][0] + 1
    while end < len(spans) and decoration(text[slice(*spans[end])]) and text[slice(*spans[end])].strip():
        end += 1
    return end if end < len(spans) and any(text[a:b].strip() for a, b in spans[end:]) else 0


def recipients(text: str, spans: list[Line], first: int) -> tuple[int, int] | None:
    """(first, after last) line of the "Nơi nhận" block at or after line `first`."""
    for index in range(first, len(spans)):
        line = text[slice(*spans[index])]
        if not _RECIPIENTS.match(line):
            continue
        end = index + 1
        while end < len(spans):
            line = text[slice(*spans[end])]
            if line.strip() and not (_ITEM.match(line) or re.match(r"^\s*(?:Lưu|Như trên)", line)):
                previous = text[slice(*spans[end - 1])].strip()
                if (
                    not previous
                    or previous.endswith((".", ";", ","))
                    or _SIGNER.match(line)
                    or len(line) > 70
                ):
                    break
            end += 1
        while end > index + 1 and not text[slice(*spans[end - 1])].strip():
            end -= 1
        return index, end
    return None


def name_below(text: str, spans: list[Line], block: tuple[int, int]) -> bool:
    """True when the signer stands beside the recipients and all that follows the block is his name."""
    beside = any(_SIGNER_BESIDE.search(text[slice(*spans[i])]) for i in range(*block))
    below = [text[a:b] for a, b in spans[block[1] :] if text[a:b].strip()]
    return beside and bool(below) and all(_NAME.match(line) or _SIGNED.search(line) for line in below)


def signature(text: str, spans: list[Line], first: int, stop: int) -> int | None:
    """First line of the signature block that ends the text before line `stop`, or None."""
    filled = [i for i in range(first, stop) if text[slice(*spans[i])].strip()]
    found = None
    for index in reversed(filled[-SIGNATURE_LINES:]):
        line = text[slice(*spans[index])]
        if len(line) > 90 or line.rstrip().endswith(("./.", ";", ",")):
            break
        if _SIGNER.match(line) or _SIGNED.search(line):
            found = index
    return found
