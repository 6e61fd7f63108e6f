"""A file that somebody sends -> title and text, told apart by content and never by its name.

`.docx` and plain text.  Everything else is refused with the sentence that says what to do.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePath

from broadcaster.errors import InputError
from broadcaster.newsroom.docx import text_of_docx
from broadcaster.newsroom.titles import proposed_title
from broadcaster.reading.legacy import convert
from broadcaster.reading.syllables import is_syllable

MAX_BYTES = 5 * 1024 * 1024
MAX_CHARS = 50_000

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# cp1258 has its five tone marks as letters of their own; in real text each of them follows a letter.
_TONE_MARKS = "\u0300\u0301\u0303\u0309\u0323"
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class ImportedDocument:
    """What a file gave: `title` is a proposal, `notes` say in Vietnamese what was changed on the way."""

    title: str
    text: str
    notes: tuple[str, ...] = ()


def import_document(
    data: bytes, filename: str, *, max_bytes: int = MAX_BYTES, max_chars: int = MAX_CHARS
) -> ImportedDocument:
    """Read a `.txt` or `.docx`.  InputError, one Vietnamese sentence, for anything else."""
    name = filename.replace("\\", "/").rsplit("/", 1)[-1] or "tệp gửi lên"
    if len(data) > max_bytes:
        raise InputError(
            f"Tệp {name} nặng {len(data) / 1048576:.1f} MB, quá {max_bytes // 1048576} MB. "
            "Hãy bỏ bớt hình ảnh hoặc chia thành nhiều bản tin."
        )
    if not data.strip():
        raise InputError(f"Tệp {name} trống. Hãy chọn tệp có nội dung.")
    if data.startswith(_ZIP):
        text, notes = text_of_docx(data, name)
    else:
        _refuse_other_kinds(data, name)
        text, notes = _decoded(data, name)
    text, cleaned = clean_text(text)
    notes += cleaned
    if not any(letter.isalnum() for letter in text):
        raise InputError(f"Tệp {name} không có chữ nào để đọc. Nếu là ảnh quét, hãy gõ lại nội dung.")
    refuse_too_long(text, max_chars=max_chars)
    return ImportedDocument(proposed_title(text) or PurePath(name).stem, text, tuple(notes))


def clean_text(text: str) -> tuple[str, list[str]]:
    """One line end, one code for each letter, no control characters; notes for what was changed.

    Letters of the fonts before Unicode are converted here, so that people edit what they read.
    """
    text = _LINE_ENDS.sub("\n", text).replace("\ufeff", "")
    text, removed = _CONTROL.subn("", text)
    notes = [f"Đã bỏ {removed} ký tự điều khiển trong văn bản."] if removed else []
    text, converted = convert(text)
    if converted:
        notes.append(converted)
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)
    lines = [line.rstrip(" \t") for line in unicodedata.normalize("NFC", text).split("\n")]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip("\n"), notes


def refuse_too_long(text: str, *, max_chars: int = MAX_CHARS) -> None:
    """Raise InputError when the text has more characters than a bulletin may have."""
    if len(text) > max_chars:
        length, limit = (f"{number:,}".replace(",", ".") for number in (len(text), max_chars))
        raise InputError(f"Văn bản dài {length} ký tự, quá {limit}. Hãy chia thành nhiều bản tin.")


# ------------------------------------------------------------------------------------- kinds of file


def _refuse_other_kinds(data: bytes, name: str) -> None:
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise InputError(f"Tệp {name} có mật khẩu. Hãy mở bằng Word, bỏ mật khẩu rồi lưu lại.")
        raise InputError(
            f"Tệp {name} là kiểu Word cũ (.doc). Hãy mở bằng Word, lưu lại thành .docx rồi gửi tệp mới."
        )
    known = {
        b"%PDF": f"Tệp {name} là PDF. Hãy gửi tệp Word (.docx), hoặc chép chữ trong đó rồi dán vào ô soạn.",
        b"{\\rtf": f"Tệp {name} là kiểu RTF. Hãy mở bằng Word, lưu lại thành .docx rồi gửi tệp mới.",
    }
    for start, message in known.items():
        if data.startswith(start):
            raise InputError(message)


def _decoded(data: bytes, name: str) -> tuple[str, list[str]]:
    """Text of a plain file: its byte-order mark, UTF-8, UTF-16 by its zeros, then the Windows code pages."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _strictly(data, "utf-16", name), []
    if data.startswith(b"\xef\xbb\xbf"):
        return _strictly(data, "utf-8-sig", name), []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        if "\0" not in text:
            return text, []
    if wide := _utf16_without_mark(data):
        return _strictly(data, wide, name), ["Tệp dùng mã UTF-16."]
    strange = sum(byte < 32 and byte not in b"\t\n\v\f\r" for byte in data)
    if strange > max(2, len(data) // 100):
        raise InputError(f"Tệp {name} không phải văn bản. Hãy gửi tệp .txt hoặc .docx.")
    if b"\0" in data and _is_utf8(data):
        return data.decode("utf-8"), []
    return _windows(data)


def _strictly(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"Tệp {name} bị hỏng ở giữa. Hãy lưu lại bằng mã UTF-8 rồi gửi lại.") from error


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _utf16_without_mark(data: bytes) -> str | None:
    """Latin letters leave every other byte zero or one: the codes of Vietnamese lie below U+1F00."""
    if len(data) % 2 or len(data) < 4:
        return None
    low, high = data[0::2], data[1::2]
    zeros_high, zeros_low = high.count(0) / len(high), low.count(0) / len(low)
    if zeros_high > 0.4 and zeros_low < 0.05:
        return "utf-16-le"
    if zeros_low > 0.4 and zeros_high < 0.05:
        return "utf-16-be"
    return None


def _windows(data: bytes) -> tuple[str, list[str]]:
    """cp1258 when it gives Vietnamese; else the letters as a Western program shows them.

    Text typed in TCVN3 or VNI fonts looks Western ("TiÕng ViÖt"): reading recognises and converts that.
    """
    vietnamese = unicodedata.normalize("NFC", data.decode("cp1258", errors="replace"))
    western = "".join(_western(byte) for byte in data)
    stray = any(mark in vietnamese for mark in (*_TONE_MARKS, "\ufffd"))
    if stray or _words_share(convert(western)[0]) > _words_share(vietnamese):
        return western, []  # `clean_text` converts it and says so
    return vietnamese, ["Tệp dùng mã Windows-1258, đã đổi sang Unicode."]


def _western(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def _words_share(text: str) -> float:
    """How much of what is not plain Latin is Vietnamese syllables, 0 to 1."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    return sum(is_syllable(word) for word in words) / len(words) if words else 0.0
