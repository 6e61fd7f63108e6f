"""Words of a `.docx`: paragraphs and tables in their order, as a reader of the accepted text sees them.

The archive's own list of contents is judged before anything is unpacked, and what is unpacked is bounded.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from docx import Document
from docx.opc.exceptions import OpcError

from broadcaster.errors import InputError
from broadcaster.newsroom.numbering import Numbering

MAX_ENTRIES = 2_000
MAX_ENTRY_BYTES = 40 * 1024 * 1024
MAX_XML_BYTES = 16 * 1024 * 1024
MAX_TOTAL_BYTES = 80 * 1024 * 1024
MAX_RATIO = 250  # real documents reach about 30; a bomb a thousand and more
_DEPTH = 40

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_GONE = {_W + "del", _W + "moveFrom", _FALLBACK}


def text_of_docx(data: bytes, name: str) -> tuple[str, list[str]]:
    """(text, notes).  InputError when it is not a Word document, is damaged, or unpacks to too much."""
    _judge_archive(data, name)
    try:
        document = Document(io.BytesIO(data))
        body = document.element.body
        numbering = Numbering(document)
        lines = list(_blocks(body, numbering, 0))
    except (
        OpcError,
        SyntaxError,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        AttributeError,
        OSError,
    ) as error:
        raise InputError(_damaged(name)) from error
    except (NotImplementedError, RuntimeError) as error:  # unknown compression, encrypted entry
        raise InputError(_damaged(name)) from error
    notes = []
    if any(True for _ in body.iter(_W + "ins", _W + "del", _W + "moveFrom")):
        notes.append("Tệp còn dấu vết sửa đổi (Track Changes): đã lấy bản sau khi chấp nhận mọi sửa đổi.")
    if any(True for _ in body.iter("{http://schemas.openxmlformats.org/drawingml/2006/main}blip")):
        notes.append("Tệp có hình ảnh: chữ nằm trong hình không được đọc.")
    return "\n".join(lines), notes


def _judge_archive(data: bytes, name: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(_damaged(name)) from error
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names or not any(n.startswith("word/") for n in names):
        if "mimetype" in names:
            raise InputError(
                f"Tệp {name} là kiểu OpenDocument (.odt). Hãy lưu lại thành .docx rồi gửi tệp mới."
            )
        raise InputError(f"Tệp {name} là tệp nén, không phải Word. Hãy giải nén rồi gửi tệp .docx hoặc .txt.")
    if "word/vbaProject.bin" in names:
        raise InputError(f"Tệp {name} có chứa macro. Hãy lưu lại thành .docx thường rồi gửi tệp mới.")
    total = sum(entry.file_size for entry in entries)
    if (
        len(entries) > MAX_ENTRIES
        or total > MAX_TOTAL_BYTES
        or total > MAX_RATIO * max(len(data), 4_096)
        or any(entry.file_size > _limit_of(entry) for entry in entries)
    ):
        raise InputError(
            f"Tệp {name} giải nén ra quá lớn nên không mở. Hãy chép phần chữ sang một tệp Word mới rồi gửi lại."
        )


def _limit_of(entry: zipfile.ZipInfo) -> int:
    return MAX_XML_BYTES if entry.filename.endswith((".xml", ".rels")) else MAX_ENTRY_BYTES


def _damaged(name: str) -> str:
    return f"Tệp {name} bị hỏng hoặc không phải Word. Hãy mở bằng Word, lưu lại thành .docx rồi gửi lại."


# -------------------------------------------------------------------------------------------- words


def _blocks(parent: Any, numbering: Numbering, depth: int) -> Iterator[str]:
    """Lines of everything inside a body, a cell or a content control, in order."""
    if depth > _DEPTH:
        return
    joined = ""
    for child in parent:
        tag = child.tag
        if tag == _W + "p":
            text = joined + _paragraph(child, numbering)
            if _mark_deleted(child):  # the paragraph's end was deleted: it runs on into the next
                joined = text
                continue
            joined = ""
            yield from text.split("\n")
        elif tag == _W + "tbl":
            yield from _table(child, numbering, depth)
        elif tag not in _GONE and isinstance(tag, str) and tag.startswith(_W):
            yield from _blocks(child, numbering, depth + 1)
    if joined:
        yield from joined.split("\n")


def _paragraph(paragraph: Any, numbering: Numbering) -> str:
    words = "".join(_words(paragraph, 0))
    return numbering.label(paragraph) + words if words.strip() else words


def _words(element: Any, depth: int) -> Iterator[str]:
    """Text in order: insertions kept, deletions dropped, a text box once, no field codes."""
    if depth > _DEPTH:
        return
    for child in element:
        tag = child.tag
        if tag == _W + "t":
            yield child.text or ""
        elif tag in (_W + "tab", _W + "ptab"):
            if element.tag == _W + "r":  # not the tab stops of a paragraph's properties
                yield "\t"
        elif tag in (_W + "br", _W + "cr"):
            yield "\n"
        elif tag == _W + "noBreakHyphen":
            yield "-"
        elif tag == _W + "p":  # a text box inside a run: its paragraphs are lines of their own
            yield "\n" + "".join(_words(child, depth + 1)) + "\n"
        elif isinstance(tag, str) and tag not in _GONE and tag not in (_W + "pPr", _W + "rPr"):
            yield from _words(child, depth + 1)


def _table(table: Any, numbering: Numbering, depth: int) -> Iterator[str]:
    """A table of short cells reads row by row; one that only places text (a letterhead) cell by cell."""
    rows = []
    for row in table.iter(_W + "tr"):
        if _row_deleted(row) or _nearest_table(row) is not table:
            continue
        cells = [
            [line for line in _blocks(cell, numbering, depth + 1) if line.strip()]
            for cell in row.iter(_W + "tc")
            if _nearest_table(cell) is table
        ]
        rows.append([cell for cell in cells if cell])
    is_list = len(rows) >= 2 and all(len(cell) == 1 for row in rows for cell in row)
    for row in rows:
        if is_list and len(row) > 1:
            yield ", ".join(cell[0].strip().rstrip(",;") for cell in row)
        else:
            for cell in row:
                yield from cell


def _nearest_table(element: Any) -> Any:
    parent = element.getparent()
    while parent is not None and parent.tag != _W + "tbl":
        parent = parent.getparent()
    return parent


def _row_deleted(row: Any) -> bool:
    return row.find(f"{_W}trPr/{_W}del") is not None


def _mark_deleted(paragraph: Any) -> bool:
    return paragraph.find(f"{_W}pPr/{_W}rPr/{_W}del") is not None
