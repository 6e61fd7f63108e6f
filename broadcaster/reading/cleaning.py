"""Text as it arrives → text to be read: one code for each letter, no invisible signs, with notes of what was done."""

from __future__ import annotations

import re
import unicodedata

from broadcaster.reading.legacy import convert

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_DIGIT = re.compile(r"(?![0-9])\d")
_GLUED_FRACTION = re.compile("(?<=[0-9A-Za-z\u00c0-\u1ef9])(?=[\u00bc-\u00be\u2150-\u215e])")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_WIDE = re.compile("[\uff01-\uff5e\uffe0-\uffe6\u2160-\u217f\u2460-\u2473\ufb00-\ufb06]")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010fffd]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> tuple[str, tuple[str, ...]]:
    """(cleaned text, notes in Vietnamese).  Never raises; the cleaned text is what positions refer to."""
    notes: list[str] = []
    text = _LINE_ENDS.sub("\n", text)
    text = _SURROGATE.sub("\ufffd", text)
    text, legacy_note = convert(text)  # first: TCVN3 writes ư as a soft hyphen
    text, hidden = _INVISIBLE.subn("", text)
    text, controls = _CONTROL.subn("", text)
    if hidden + controls:
        notes.append(f"Đã bỏ {hidden + controls} ký tự ẩn hoặc ký tự điều khiển trong văn bản.")
    if legacy_note:
        notes.append(legacy_note)
    composed = unicodedata.normalize("NFC", text)
    if composed != text:
        notes.append("Đã ghép dấu rời (Unicode tổ hợp) thành chữ dựng sẵn.")
        text = composed
    text, wide = _WIDE.subn(lambda m: unicodedata.normalize("NFKC", m[0]), text)
    if wide:
        notes.append("Đã đổi chữ khổ rộng và chữ ghép thành chữ thường.")
    text = _DIGIT.sub(lambda m: str(unicodedata.decimal(m[0])), text)
    text = _SPACES.sub(" ", text)
    text = _GLUED_FRACTION.sub(" ", text)
    text = _PRIVATE.sub("•", text)
    return text, tuple(notes)
