"""Dictionaries as TSV: one `written<TAB>spoken` a line, for people to edit in a spreadsheet and to share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from broadcaster.errors import InputError

HEADER = "viết\tđọc"


def entries_from_tsv(text: str) -> dict[str, str]:
    """Entries of a TSV.  Empty lines and lines beginning with # are skipped; later lines win.

    Raises InputError naming the first line that is not `written<TAB>spoken`.
    """
    entries: dict[str, str] = {}
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        if not line.strip() or line.startswith("#") or (number == 1 and line.strip() == HEADER):
            continue
        cells = [" ".join(cell.split()) for cell in line.split("\t")]
        if len(cells) < 2 or not cells[0] or not cells[1]:
            raise InputError(
                f"Dòng {number} của từ điển không đúng dạng “chữ viết<TAB>cách đọc”: xin sửa dòng này rồi nhập lại."
            )
        entries[cells[0]] = cells[1]
    return entries


def entries_to_tsv(entries: Mapping[str, str]) -> str:
    """The TSV of the entries, sorted by what is written, with a header line."""
    rows = [f"{_cell(written)}\t{_cell(entries[written])}" for written in sorted(entries)]
    return "\n".join([HEADER, *rows]) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split())


def changed_entries(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """What is written in entries that were added, removed or given another reading."""
    both = {*before, *after}
    return tuple(sorted(w for w in both if before.get(w) != after.get(w)))


def touched(texts: Iterable[str], changed: Iterable[str]) -> tuple[bool, ...]:
    """For each text, whether any changed writing occurs in it (a first sieve: read it again to be sure)."""
    folded = [w.lower() for w in changed]
    return tuple(any(w in text.lower() for w in folded) for text in texts)
