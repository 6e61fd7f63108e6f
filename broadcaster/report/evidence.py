"""A theme's evidence as one ZIP: each counted piece with its text, hashes and who approved it, the players' own lines,
what villages said, posts, and activities with their pictures.  Everything a number of the report can be asked for.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from typing import IO, Final, TypeVar, cast
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from broadcaster.errors import StoreError
from broadcaster.naming import plain_name
from broadcaster.report.figures import Figures, chosen_cells
from broadcaster.report.ledger import Player, Said
from broadcaster.report.narrative import KINDS, channel
from broadcaster.report.rows import write_table
from broadcaster.report.sheets import Piece, pieces_of
from broadcaster.report.workbook import workbook
from broadcaster.store.blobs import Blobs
from broadcaster.store.tables import AsRun, Decision, Receipt, Receiver, Revision, Station, User, Village

SUMS: Final = "SHA256SUMS.txt"  # `sha256sum -c SHA256SUMS.txt` and 7-Zip both read it
READ_ME: Final = "DOC-TRUOC.txt"
_T = TypeVar("_T")
_CHUNK: Final = 500  # ids in one question


def write_evidence(
    session: Session, station: Station, shown: Figures, *, blobs: Blobs, out: IO[bytes]
) -> None:
    """Write the ZIP to `out`; times in it are the station's.  Pieces are those of the players' column."""
    cells = chosen_cells(shown.ledger, shown.choice)
    pieces = [piece for piece in pieces_of(shown, cells) if piece.played]
    airings = list(dict.fromkeys(piece.part.airing_id for piece in pieces))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        folder = _Folder(archive)
        folder.put("so-lieu.xlsx", workbook(shown))
        texts = _texts(session, folder, pieces, station.zone)
        counts = _counts(shown)
        folder.table("luot-tin-bai.csv", _PIECES, _piece_rows(shown, pieces, texts, counts))
        folder.table("nhat-ky-may.csv", _LINES, _log_rows(session, airings, station.zone))
        folder.table("xac-nhan-thon.csv", _SAYINGS, _receipt_rows(session, airings, station.zone))
        folder.table("dang-tren-mang.csv", _POSTS, (
            (f"{one.day:%d/%m/%Y}", channel(one.network), one.title, "người đăng" if one.by_hand else "đài tự đăng", one.url)
            for one in shown.posts
        ))  # fmt: skip
        missing = _activities(folder, shown, blobs)
        folder.put(READ_ME, _read_me(station, shown, len(pieces), missing).encode())
        folder.put(SUMS, "".join(f"{sha256}  {name}\n" for name, sha256 in folder.sums).encode())


_PIECES: Final = (
    "stt", "ngay", "gio", "khung_gio", "tin_bai", "chu_de", "nguoi_soan", "thon_theo_lich", "thon_may_phat_du",
    "thon_xac_nhan", "sha256_van_ban", "sha256_cach_doc", "sha256_ban_thu", "sha256_chuong_trinh", "tep_van_ban", "buoi",
)  # fmt: skip
_LINES: Final = (
    "may_thu",
    "so_thu_tu",
    "buoi",
    "su_kien",
    "luc",
    "da_phat_ms",
    "ly_do",
    "sha256",
    "dai_nhan_luc",
)
_SAYINGS: Final = ("thon", "buoi", "loi_thon", "ly_do", "luc", "da_rut_lai")
_POSTS: Final = ("ngay", "noi_dang", "tin_bai", "cach_dang", "dia_chi")
_ACTIVITIES: Final = ("ngay", "hinh_thuc", "noi_dung", "noi", "so_luong", "luot_nguoi", "ghi_chu", "tep")


class _Folder:
    """The ZIP's files; remembers the hash of each."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.sums: list[tuple[str, str]] = []

    def put(self, name: str, data: bytes) -> None:
        self._archive.writestr(name, data)
        self.sums.append((name, hashlib.sha256(data).hexdigest()))

    def table(self, name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        with self._archive.open(name, "w", force_zip64=True) as target:
            hashed = _Hashed(target.write)
            write_table(cast("IO[bytes]", hashed), head, rows)
        self.sums.append((name, hashed.digest.hexdigest()))


class _Hashed:
    """What is written goes on to `write`, and into a hash."""

    closed = False

    def __init__(self, write: Callable[[bytes], int]) -> None:
        self._write, self.digest = write, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._write(data)

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        """Nothing is held back."""


def _counts(shown: Figures) -> dict[str, list[int]]:
    """Villages of each airing: planned, played, confirmed."""
    found: dict[str, list[int]] = {}
    for cell in chosen_cells(shown.ledger, shown.choice):
        row = found.setdefault(shown.ledger.parts[cell.part].airing_id, [0, 0, 0])
        row[0] += 1
        row[1] += cell.player is Player.PLAYED
        row[2] += cell.said is Said.PLAYED
    return found


def _texts(
    session: Session, folder: _Folder, pieces: Sequence[Piece], zone: str
) -> dict[int, tuple[str, Revision]]:
    """A file for every revision that aired; revision id -> (its file, the revision)."""
    wanted = sorted({piece.item.revision_id for piece in pieces if piece.item.revision_id})
    found: dict[int, tuple[str, Revision]] = {}
    for some in _chunks(wanted):
        approvals = {
            revision: (name, at)
            for revision, name, at in session.execute(
                select(Decision.revision_id, User.display_name, Decision.at)
                .join(User, User.id == Decision.approver_id)
                .where(Decision.revision_id.in_(some), Decision.verdict == "approved")
                .order_by(Decision.id)
            )
        }
        for row in session.scalars(
            select(Revision)
            .where(Revision.id.in_(some))
            .options(joinedload(Revision.take))
            .order_by(Revision.id)
        ):
            name = f"van-ban/{row.bulletin_id:05d}-{row.number}-{plain_name(row.title)[:60]}.txt"
            approver, at = approvals.get(row.id, ("", None))
            lines = [
                row.title,
                "",
                f"Người duyệt: {approver}"
                + (f", {at.astimezone(ZoneInfo(zone)):%H:%M %d/%m/%Y}" if at else ""),
                f"SHA-256 văn bản: {row.text_sha256}",
                f"SHA-256 cách đọc: {row.reading_sha256}",
                f"SHA-256 bản thu: {row.take.sha256 if row.take else ''}",
                "",
                row.text,
            ]
            folder.put(name, "\n".join(lines).encode())
            found[row.id] = (name, row)
    return found


def _piece_rows(
    shown: Figures,
    pieces: Sequence[Piece],
    texts: dict[int, tuple[str, Revision]],
    counts: dict[str, list[int]],
) -> Iterable[Sequence[object]]:
    topics, authors = shown.ledger.topics, shown.ledger.authors
    for number, piece in enumerate(pieces, start=1):
        part, item = piece.part, piece.item
        name, revision = texts.get(item.revision_id or 0, ("", None))
        take = revision.take if revision is not None else None
        yield (
            number, f"{part.local_date:%d/%m/%Y}", f"{part.start_local:%H:%M}", part.slot, item.title,
            topics.get(item.topic_id, ""), authors.get(item.author_id, ""), *counts.get(part.airing_id, (0, 0, 0)),
            revision.text_sha256 if revision else "", revision.reading_sha256 if revision else "",
            take.sha256 if take else "", part.sha256, name, part.airing_id,
        )  # fmt: skip


def _log_rows(session: Session, airings: Sequence[str], zone: str) -> Iterable[Sequence[object]]:
    place = ZoneInfo(zone)
    for some in _chunks(airings):
        for name, row in session.execute(
            select(Receiver.name, AsRun)
            .join(Receiver, Receiver.id == AsRun.receiver_id)
            .where(AsRun.airing_id.in_(some))
            .order_by(AsRun.airing_id, AsRun.receiver_id, AsRun.sequence)
            .execution_options(yield_per=1000)
        ):
            yield (
                name, row.sequence, row.airing_id, row.event.value, row.at.astimezone(place).isoformat(), row.offset_ms,
                row.reason, row.sha256, row.received_at.astimezone(place).isoformat(),
            )  # fmt: skip


def _receipt_rows(session: Session, airings: Sequence[str], zone: str) -> Iterable[Sequence[object]]:
    place = ZoneInfo(zone)
    words = {"downloaded": "đã tải", "played": "đã phát xong", "failed": "không phát được"}
    for some in _chunks(airings):
        for name, row in session.execute(
            select(Village.name, Receipt)
            .join(Village, Village.id == Receipt.village_id)
            .where(Receipt.airing_id.in_(some))
            .order_by(Receipt.airing_id, Receipt.village_id, Receipt.id)
            .execution_options(yield_per=1000)
        ):
            yield (
                name, row.airing_id, words[row.kind.value], row.reason, row.server_at.astimezone(place).isoformat(),
                "đã rút" if row.withdrawn_at else "",
            )  # fmt: skip


def _activities(folder: _Folder, shown: Figures, blobs: Blobs) -> int:
    """Activities and their files; returns how many files the store no longer has."""
    rows, missing = [], 0
    for one in shown.activities:
        names = []
        for number, (name, sha256) in enumerate(one.files, start=1):
            suffix = PurePosixPath(name).suffix.lower()
            stem = plain_name(PurePosixPath(name).stem)[:60]
            place = f"hoat-dong/{one.day:%Y%m%d}-{one.id}-{number}-{stem}{suffix}"
            data = None
            with suppress(StoreError, FileNotFoundError):
                data = blobs.get(sha256, suffix=suffix.removeprefix("."))
            if data is None:
                missing += 1
                continue
            folder.put(place, data)
            names.append(place)
        rows.append(
            (
                f"{one.day:%d/%m/%Y}", KINDS[one.kind], one.title, one.place, one.quantity,
                one.people if one.people is not None else "", one.note, "; ".join(names),
            )
        )  # fmt: skip
    folder.table("hoat-dong.csv", _ACTIVITIES, rows)
    return missing


def _read_me(station: Station, shown: Figures, pieces: int, missing: int) -> str:
    choice, ledger = shown.choice, shown.ledger
    about = "mọi chủ đề" if choice.topic is None else ledger.topics.get(choice.topic, "chưa gắn chủ đề")
    local = ledger.as_of.astimezone(ZoneInfo(ledger.zone))
    lines = [
        f"MINH CHỨNG LƯỢT TIN BÀI: {about}, {ledger.period.label}",
        station.name,
        f"Số liệu đến {local:%H:%M} ngày {local:%d/%m/%Y}.",
        "",
        f"luot-tin-bai.csv: {pieces} lượt tin bài đã phát, mỗi dòng là một tin bài trong một buổi.",
        "van-ban/: văn bản đúng như đã duyệt, người duyệt và mã băm.",
        "nhat-ky-may.csv: từng dòng nhật ký của máy thu cho các buổi ấy.",
        "xac-nhan-thon.csv: lời xác nhận của các thôn.",
        "dang-tren-mang.csv: các lượt đăng trên cổng thông tin, Zalo, Facebook.",
        "hoat-dong.csv và hoat-dong/: hoạt động ngoài hệ thống loa và ảnh, tài liệu kèm theo.",
        "so-lieu.xlsx: bảng tính có công thức, từng dòng.",
        f"{SUMS}: mã băm của mọi tệp.",
    ]
    if missing:
        lines += ["", f"Có {missing} tệp kèm theo hoạt động không còn trong kho nên không có ở đây."]
    return "\n".join(lines) + "\n"


def _chunks(values: Sequence[_T]) -> Iterable[Sequence[_T]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
