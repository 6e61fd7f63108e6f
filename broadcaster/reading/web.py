"""Addresses on the web, e-mail, tags and codes to dial."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby

from broadcaster.reading.abbreviations import table
from broadcaster.reading.numbers import cardinal, digits, whole
from broadcaster.reading.scan import Piece, Place, pattern
from broadcaster.reading.syllables import bare, has_vowel, latin, plain, spell, split_syllables

_TLDS = "vn|com|net|org|edu|gov|info|xyz|top|online|site|shop|asia|io|me|co|app|vip|cc|club|biz|pro|link|life|click|tv|mobi|ly|apk|pdf|docx|doc|xlsx|xls"
_URL = re.compile(
    rf"(?:https?://|www\.)[\w\-./?=&%#:~+]*[\w/]|(?:[a-z0-9][\w\-]*\.)+(?:{_TLDS})(?![\w])(?:/[\w\-./?=&%#~+]*[\w/])?",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[A-Za-z0-9][\w.+\-]{0,63}@[\w\-]+(?:\.[\w\-]+)+")
_SUFFIX = re.compile(rf"\.(?:{_TLDS})(?!\w|\.\w)")
_DIAL = re.compile(r"\*\d{1,6}(?:\*\d{1,16}){0,4}#")
_TAG = re.compile(r"#(?=[^\W\d_])\w{2,60}")
_TAG_WORD = pattern(r"[[:upper:]]*[[:lower:]]+|[[:upper:]]+|\d+")
_LABELS = {
    **{
        "vn": "vê en",
        "gov": "gờ o vê",
        "com": "com",
        "net": "nét",
        "org": "o rờ gờ",
        "edu": "e đu",
        "www": "vê kép vê kép vê kép",
    },
    **{
        "xyz": "ích i dét",
        "top": "tóp",
        "info": "in phô",
        "dichvucong": "dịch vụ công",
        "vneid": "vi en e i đi",
    },
    **{
        "facebook": "phây búc",
        "zalo": "da lô",
        "youtube": "diu túp",
        "gmail": "gờ meo",
        "google": "gu gồ",
        "yahoo": "da hu",
        "apk": "a pê ca",
    },
    **{
        "pdf": "pê đê ép",
        "docx": "đóc ích",
        "phananh": "phản ánh",
        "gopy": "góp ý",
        "tiepdan": "tiếp dân",
        "doc": "đóc",
        "xlsx": "éc xeo",
        "xls": "éc xeo",
        "hotro": "hỗ trợ",
        "chinhphu": "chính phủ",
        "baohiemxahoi": "bảo hiểm xã hội",
        "thanhhoa": "thanh hóa",
    },
    **{
        "congan": "công an",
        "nhuthanh": "như thanh",
        "bocongan": "bộ công an",
        "evn": "e vê en",
        "bhxh": "bảo hiểm xã hội",
    },
    **{"thuvienphapluat": "thư viện pháp luật", "ubnd": "ủy ban nhân dân", "online": "on lai", "app": "áp"},
}
_WEB_SIGNS = {
    ".": "chấm",
    "/": "gạch chéo",
    "-": "gạch ngang",
    "_": "gạch dưới",
    "@": "a còng",
    ":": "hai chấm",
}
_WEB_SIGNS |= {
    "?": "hỏi chấm",
    "=": "bằng",
    "&": "và",
    "#": "thăng",
    "%": "phần trăm",
    "+": "cộng",
    "~": "ngã",
}


def _administration() -> list[str]:
    """What the abbreviations of offices stand for."""
    return [m.spoken for ms in table().meanings.values() for m in ms if m.kind != "spelled_or_loan"]


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    """Syllables of administration, which addresses of offices are made of."""
    return bare(" ".join(_administration()))


_HEADS = {"xa": "xã", "bao": "báo", "truong": "trường", "so": "sở", "phong": "phòng", "thon": "thôn"}


@lru_cache(maxsize=1)
def _terms() -> dict[tuple[str, ...], str]:
    """Two or three syllables of an address → the words of administration that they can only be: van hoa → văn hóa."""
    found: dict[tuple[str, ...], set[str]] = {}
    for term in [*_administration(), *_LABELS.values()]:
        words = term.lower().split()
        for size in (2, 3):
            for first in range(len(words) - size + 1):
                some = words[first : first + size]
                if all(word.isalpha() for word in some):
                    found.setdefault(tuple(map(plain, some)), set()).add(" ".join(some))
    return {bare_words: terms.pop() for bare_words, terms in found.items() if len(terms) == 1}


def _words(letters: str) -> str | None:
    """vanhoaxahoi → văn hóa xã hội; the marks an address leaves out come back only where every word is certain."""
    found = split_syllables(letters, _common())
    if found is None:
        return None
    return _marked(tuple(found.split())) or found


def _marked(said: tuple[str, ...]) -> str | None:
    """Those syllables as terms one after the other, or None."""
    if not said:
        return ""
    for size in (3, 2):
        term = _terms().get(said[:size]) if len(said) >= size else None
        if term is not None and (rest := _marked(said[size:])) is not None:
            return f"{term} {rest}".strip()
    if said[0] in _HEADS and (rest := _marked(said[1:])):
        return f"{_HEADS[said[0]]} {rest}"
    return None


def _label(label: str) -> str:
    low = label.lower()
    if low in _LABELS:
        return _LABELS[low]
    pieces = []
    for letters, number in re.findall(r"([^\W\d_]+)|(\d+)", low):
        if number:
            pieces.append(digits(number) if number[0] == "0" or len(number) > 3 else cardinal(int(number)))
            continue
        if letters in _LABELS:
            pieces.append(_LABELS[letters])
            continue
        letters = "".join(c for c in letters if c.isalpha() and latin(c))
        if letters in table().loans:
            pieces.append(table().loans[letters])
        elif len(letters) == 1 or not has_vowel(letters):
            pieces.append(spell(letters))
        else:
            pieces.append(_words(letters) or _behind_a_code(letters) or letters)
    return " ".join(pieces)


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """Codes with one meaning and no vowel, as addresses have them: hdnd, thcs, bhxh."""
    found = {}
    for code, meanings in table().meanings.items():
        plain = "".join(bare(code)) if code.isalpha() and len(meanings) == 1 else ""
        if len(plain) > 2 and not has_vowel(plain):
            found[plain] = meanings[0].spoken
    return found


def _behind_a_code(letters: str) -> str | None:
    """ubndxanhuthanh: an office's code and its name without a space between them."""
    for cut in range(min(len(letters) - 2, 8), 2, -1):
        code = _LABELS.get(letters[:cut]) or _codes().get(letters[:cut])
        name = _words(letters[cut:])
        if code and name:
            return f"{code} {name}"
    return None


def _web(text: str) -> str:
    parts = []
    for label, sign in re.findall(r"([^\W_]+)|([\W_])", text):
        parts.append(_label(label) if label else _WEB_SIGNS.get(sign, ""))
    return " ".join(p for p in parts if p)


def web(place: Place) -> Piece | None:
    """Addresses on the web and e-mail."""
    found = place.match(_EMAIL)
    if found:
        return Piece(found.end(), _web(found[0]), "email")
    found = place.match(_URL)
    if not found:
        return None
    text = re.sub(r"^(?:https?://)?(?:www\.)?", "", found[0], flags=re.IGNORECASE).rstrip("/")
    return Piece(found.end(), _web(text), "url")


def suffix(place: Place) -> Piece | None:
    """.xyz, .top after a space."""
    found = place.match(_SUFFIX)
    if not found or not re.search(r"(?:^|[\s(\"“])$", place.left):
        return None
    return Piece(found.end(), _web(found[0]), "url")


def dial(place: Place) -> Piece | None:
    """*101#: a code to dial."""
    found = place.match(_DIAL)
    if not found:
        return None
    spoken = " ".join("sao " + digits(part) for part in re.findall(r"\d+", found[0]))
    return Piece(found.end(), f"{spoken} thăng", "dial")


def tag(place: Place) -> Piece | None:
    """#NhuThanh2026 → the words of the tag."""
    found = place.match(_TAG)
    if not found:
        return None
    split = _TAG_WORD.findall(found[0][1:].replace("_", " "))
    said: list[str] = []
    for number, parts in groupby(split, str.isdigit):
        words = list(parts)
        if number:
            said += map(whole, words)
        else:
            said.append(_words("".join(words).lower()) or " ".join(map(_label, words)))
    return Piece(found.end(), " ".join(said), "tag")
