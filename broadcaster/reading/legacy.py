"""Text in the codes used before Unicode (TCVN3 of the .Vn fonts, VNI), recognised line by line and converted.

Such text arrives as Latin letters with the wrong marks: "Céng hoµ x· héi" (TCVN3), "Coäng hoøa xaõ hoäi" (VNI).
A line is converted when most of its accented words are no syllables as they stand and are syllables afterwards.
"""

from __future__ import annotations

import re

from broadcaster.reading.syllables import is_syllable

_TCVN3 = dict(
    zip(
        "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\u00adõøö÷ùúýûüþ¡¢£¤¥¦§",
        "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂÊÔƠƯĐ",
        strict=True,
    )
)
_TCVN3_TABLE = str.maketrans(_TCVN3)
_VNI_MARKS = {
    **{
        "ù": "s",
        "ø": "f",
        "û": "r",
        "õ": "x",
        "ï": "j",
        "â": "^",
        "á": "^s",
        "à": "^f",
        "å": "^r",
        "ã": "^x",
    },
    **{"ä": "^j", "ê": "(", "é": "(s", "è": "(f", "ú": "(r", "ü": "(x", "ë": "(j"},
}
_VNI_ALONE = {"ö": "ư", "ô": "ơ", "ñ": "đ", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
_SHAPES = {"^": dict(zip("aeo", "âêô", strict=True)), "(": {"a": "ă"}}
_TONED = {
    vowel: dict(zip("fsrxj", toned, strict=True))
    for vowel, toned in {
        **{"a": "àáảãạ", "ă": "ằắẳẵặ", "â": "ầấẩẫậ", "e": "èéẻẽẹ", "ê": "ềếểễệ", "i": "ìíỉĩị", "o": "òóỏõọ"},
        **{"ô": "ồốổỗộ", "ơ": "ờớởỡợ", "u": "ùúủũụ", "ư": "ừứửữự", "y": "ỳýỷỹỵ"},
    }.items()
}
_VNI = re.compile(r"([aeouyöôAEOUYÖÔ])([ùøûõïâáàåãäêéèúüëÙØÛÕÏÂÁÀÅÃÄÊÉÈÚÜË])|[öôñíìæóòîÖÔÑÍÌÆÓÒÎ]")
_WORD = re.compile(r"[^\s\x00-\x40\x5b-\x60\x7b-\x7f“”‘’–—…]+")
_UNICODE = re.compile(
    "[\u0102\u0103\u0110\u0111\u01a0\u01a1\u01af\u01b0\u1ea0-\u1ef9]"
)  # letters neither code uses
_FOREIGN = re.compile("[\u00a1-\u00ff]")


def from_tcvn3(text: str) -> str:
    """TCVN3 seen as Latin-1 → Unicode."""
    return text.translate(_TCVN3_TABLE)


def from_vni(text: str) -> str:
    """VNI seen as Latin-1 → Unicode."""
    return _VNI.sub(lambda m: _vni_pair(m) if m[1] else _vni_single(m), text)


def _vni_pair(found: re.Match[str]) -> str:
    base, marks = found[1], _VNI_MARKS[found[2].lower()]
    vowel = {"ö": "ư", "ô": "ơ"}.get(base.lower(), base.lower())
    for mark in marks:
        shaped = _SHAPES[mark].get(vowel) if mark in _SHAPES else _TONED.get(vowel, {}).get(mark)
        if shaped is None:
            return found[0]
        vowel = shaped
    return vowel.upper() if base.isupper() else vowel


def _vni_single(found: re.Match[str]) -> str:
    letter = _VNI_ALONE[found[0].lower()]
    return letter.upper() if found[0].isupper() else letter


def _share(words: list[str]) -> float:
    return sum(is_syllable(w) for w in words) / len(words)


def _line(line: str) -> tuple[str, str]:
    words = [w for w in _WORD.findall(line) if not w.isascii()]
    if (
        _UNICODE.search(line)
        or sum(len(w) > 1 and not is_syllable(w) for w in words) < 2
        or _share(words) >= 0.4
    ):
        return line, ""
    for name, convert_words in (("TCVN3", from_tcvn3), ("VNI", from_vni)):
        converted = convert_words(line)
        if _share(_WORD.findall(converted)) >= 0.85:
            return converted, name
    return line, ""


def convert(text: str) -> tuple[str, str]:
    """(text, note); the note is empty when nothing was converted."""
    if not _FOREIGN.search(text):
        return text, ""
    names: dict[str, None] = {}
    lines = []
    for line in text.split("\n"):
        if _FOREIGN.search(line):
            line, name = _line(line)
            if name:
                names[name] = None
        lines.append(line)
    if not names:
        return text, ""
    return "\n".join(
        lines
    ), f"Đã đổi chữ từ bảng mã {' và '.join(names)} sang Unicode: xin xem lại trước khi trình."
