"""A text without a title → the title it would have on paper, to be proposed to the person who sends it in."""

from __future__ import annotations

import re

from broadcaster.reading.furniture import letterhead
from broadcaster.reading.layout import lines
from broadcaster.reading.scan import pattern

LOOKED_AT = 25  # lines; a letterhead with its title is never longer
LONGEST = 120  # letters of a document's kind and subject
SENTENCE = 80  # letters of a first sentence: it is said aloud among the headlines

_KINDS = (
    "THÔNG BÁO", "KẾ HOẠCH", "QUYẾT ĐỊNH", "CÔNG ĐIỆN", "GIẤY MỜI", "BÁO CÁO", "HƯỚNG DẪN", "CHỈ THỊ",
    "LỜI KÊU GỌI", "THƯ NGỎ", "TỜ TRÌNH", "NGHỊ QUYẾT", "BẢN TIN", "BÀI TUYÊN TRUYỀN", "TUYÊN TRUYỀN",
)  # fmt: skip
_GREETINGS = ("kính thưa", "thưa bà con", "kính gửi", "thông báo")
_OFFICE = re.compile(
    r"^(C[ỘO]NG H[ÒO]A|Độc lập|ĐẢNG BỘ|ĐẢNG CỘNG SẢN|ỦY BAN|UỶ BAN|UBND|HỘI ĐỒNG NHÂN DÂN"
    r"|MẶT TRẬN|Số\s*:|[-–—_=*.\s]+$|\S+.*, ngày\b.*\btháng\b.*\bnăm\b)",
    re.IGNORECASE,
)
_SUBJECT = r"V/v|Về việc"
_ABOUT = re.compile(rf"^(?:{_SUBJECT})\b\s*:?\s*", re.IGNORECASE)
_ABOUT_KIND = re.compile(rf"^(?:{_SUBJECT}|Về)\b\s*:?\s+", re.IGNORECASE)
_SENTENCE_END = pattern(
    r"[.!?]+(?=\s|$)|\n(?!\s*[[:lower:]])"
)  # a line that goes on in lower case was broken by a margin


def proposed_title(text: str) -> str:
    """The kind of document with its subject, else its "V/v", else the first sentence that is no greeting.

    "" when nothing in the text says anything.
    """
    filled = [line.strip() for line in text.split("\n") if line.strip()]
    for index, line in enumerate(filled[:LOOKED_AT]):
        kind = line.rstrip(" :")
        if kind in _KINDS:
            subject = _joined(filled, index + 1)
            if not subject or len(subject) > 200:
                return kind.capitalize()
            subject = subject if subject != subject.upper() else subject.capitalize()
            return _shortened(f"{kind.capitalize()}: {_without_prefix(subject)}", LONGEST)
    for index, line in enumerate(filled[:LOOKED_AT]):
        if _ABOUT.match(line):  # an official letter has its subject under its number
            subject = _ABOUT.sub("", _joined(filled, index))
            if subject:
                return _shortened(subject[0].upper() + subject[1:], LONGEST)
    said = [one.strip() for one in _SENTENCE_END.split(_body(text)) if any(c.isalnum() for c in one)]
    named = [one for one in said if not one.casefold().startswith(_GREETINGS)]
    return _shortened((named or said)[0], SENTENCE) if said else ""


def _body(text: str) -> str:
    """What stands below the letterhead, or the whole when nothing does."""
    below = text.split("\n")[letterhead(text, lines(text)) :]
    while below and (not below[0].strip() or _OFFICE.match(below[0].strip())):
        below = below[1:]
    return "\n".join(below) or text


def _joined(filled: list[str], index: int) -> str:
    """The line at `index` with the lines that a margin broke off it."""
    if index >= len(filled):
        return ""
    whole = filled[index]
    for line in filled[index + 1 : index + 3]:
        if not line[0].islower() or whole.endswith((".", ":", ";", "!", "?")):
            break
        whole = f"{whole} {line}"
    return whole


def _without_prefix(subject: str) -> str:
    plain = _ABOUT_KIND.sub("", subject)
    return plain[:1].lower() + plain[1:] if plain != subject and not plain[:2].isupper() else plain


def _shortened(line: str, limit: int) -> str:
    """One line of at most `limit` letters, cut at a word."""
    line = " ".join(line.split())
    if len(line) <= limit:
        return line
    return line[:limit].rsplit(" ", 1)[0][: limit - 1].rstrip(" ,;:") + "…"
