"""The book of who changed what: when, before, after; filtered by person, kind of change, words and days."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError
from broadcaster.schedule.checking import SLOT_KEY
from broadcaster.store.tables import Airing, Audit, Bulletin, Slot, User
from web.deps import reading, station
from web.words import ROLES, SHORT_WEEKDAYS, WEEKDAY_NAMES, clock_text, instant_text, parse_day, plain

PAGE = 100
ID_LENGTH = 36  # of an airing
BULLETIN_KEY = "bản tin "  # before its number, as the newsroom writes its subjects
SEARCHED = 3000  # rows looked through for words: marks are ignored, which the database cannot do
FIELDS = {
    "name": "tên", "role": "vai trò", "email": "hộp thư", "phone": "điện thoại", "reason": "lý do", "title": "tiêu đề",
    "revision": "phiên bản", "generation": "lần đổi", "spoken": "đọc là", "first": "từ ngày", "last": "đến ngày",
    "call_sign": "lời xưng danh", "chain": "thứ tự giọng", "bulletin": "bản tin", "villages": "thôn", "start": "giờ bắt đầu",
    "weekdays": "ngày trong tuần", "minutes": "số phút", "start_local": "giờ bắt đầu", "text": "mã văn bản",
    "reading": "mã cách đọc", "take": "mã bản thu", "sha256": "mã", "number": "số", "kind": "loại", "airing": "buổi phát",
    "earliest_start": "bắt đầu sớm nhất", "latest_end": "kết thúc muộn nhất", "quiet_from": "yên tĩnh từ",
    "quiet_to": "yên tĩnh đến", "sessions_a_day": "số buổi một ngày", "minutes_a_session": "số phút một buổi",
    "minutes_a_day": "số phút một ngày", "repeats_in_30_days": "số lần phát trong 30 ngày", "date": "ngày", "slot": "khung giờ", "position": "thứ tự",
    "items": "nội dung", "drill": "diễn tập", "expires": "hết hạn", "repeat": "nhắc lại", "repeat_min": "nhắc lại sau mấy phút",
    "active": "đang dùng", "added": "thêm", "airings": "buổi phát", "answer": "trả lời", "body": "lời văn", "bound": "cao nhất có thể",
    "bulletins": "bản tin", "by_hand": "nhập tay", "changed": "đã đổi", "choices": "số chỗ chọn", "contributor": "đơn vị gửi",
    "copy": "bản mới", "digest": "mã đề xuất", "emergencies": "lời khẩn cấp", "expires_on": "hết hạn ngày", "file": "tệp",
    "from": "từ", "headings": "đề mục", "heard": "đã nghe", "heir": "thôn mới", "holidays": "ngày nghỉ", "id": "số", "label": "tên gọi",
    "locked": "đã khóa", "met": "đạt", "missing": "còn thiếu", "network": "mạng", "note": "ghi chú", "persons": "số người duyệt",
    "reader": "người đọc", "scopes": "được phép", "sentence": "câu", "source": "nguồn", "state": "tình trạng", "topics": "chủ đề",
    "variant": "phiên bản của buổi",
}  # fmt: skip
VALUES = (
    {"slot": "theo khung giờ", "repeat": "nhắc lại"}
    | {str(role): word.lower() for role, word in ROLES.items()}
    | dict(zip(WEEKDAY_NAMES, SHORT_WEEKDAYS, strict=True))
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one change: `before` is None where the book holds one value only."""

    field: str
    before: str | None
    after: str

    @property
    def is_code(self) -> bool:
        """True for hashes and numbers of the machine: no words."""
        return any("…" in text or text.isascii() for text in (self.before or "", self.after) if text)


def changes_page() -> str:
    """The page."""
    asked = request.args
    first, last = _day(asked.get("tu", "")), _day(asked.get("den", ""))
    with reading() as session:
        rows = _rows(session, first, last)
        names = {
            username: shown
            for username, shown in session.execute(
                select(User.username, User.display_name).where(User.station_id == station().id)
            )
        }
        actions = sorted(
            session.scalars(select(Audit.action).where(Audit.station_id == station().id).distinct()),
            key=plain,
        )
        called = _called(session, rows[:PAGE])
        titles = _titles(session, rows[:PAGE])
        for number, title in titles.items():
            called[f"{BULLETIN_KEY}{number}"] = (f"“{title}”", url_for("compose.page", bulletin_id=number))
        actors = sorted(
            session.scalars(select(Audit.actor).where(Audit.station_id == station().id).distinct()), key=plain
        )
    return render_template(
        "audit.html", rows=rows[:PAGE], more=len(rows) > PAGE, names=names, actions=actions, actors=actors,
        details=lambda detail: details(detail, titles), called=called, asked=asked, first=first, last=last,
    )  # fmt: skip


def details(detail: Mapping[str, Any], titles: Mapping[int, str]) -> list[Change]:
    """What a line says beyond its subject: before and after side by side where both are known.

    `titles`: of the bulletins that lines name by number.
    """
    detail = {key: _by_title(key, value, titles) for key, value in detail.items()}
    before, after = detail.get("before"), detail.get("after")
    found = []
    if isinstance(after, Mapping):
        known = before if isinstance(before, Mapping) else {}
        for key in after:
            if known.get(key) != after[key]:
                found.append(
                    Change(_name(key), _text(known[key]) if key in known else None, _text(after[key]))
                )
    rest = {
        key: value
        for key, value in detail.items()
        if key not in ("before", "after") or not isinstance(after, Mapping)
    }
    found.extend(
        Change(_name(key), None, _text(value))
        for key, value in rest.items()
        if value not in (None, "", [], {})
    )
    return found


def _rows(session: Session, first: date | None, last: date | None) -> list[Audit]:
    asked = request.args
    query = select(Audit).order_by(Audit.id.desc())
    if asked.get("truoc", "").isdigit():
        query = query.where(Audit.id < int(asked["truoc"]))
    if asked.get("ai"):
        query = query.where(Audit.actor == asked["ai"])
    if asked.get("viec"):
        query = query.where(Audit.action == asked["viec"])
    if first is not None:
        query = query.where(Audit.at >= _midnight(first))
    if last is not None:
        query = query.where(Audit.at < _midnight(last + timedelta(days=1)))
    words = plain(asked.get("tim", "")).split()
    if not words:
        return list(session.scalars(query.limit(PAGE + 1)))
    found = []
    for row in session.scalars(query.limit(SEARCHED)):
        text = plain(f"{row.actor} {row.action} {row.subject} {row.detail}")
        if all(word in text for word in words):
            found.append(row)
            if len(found) > PAGE:
                break
    return found


def _titles(session: Session, rows: Sequence[Audit]) -> dict[int, str]:
    """number -> title of every bulletin that lines are about or name."""
    asked = {number for row in rows for key, value in row.detail.items() for number in _numbers(key, value)}
    asked |= {
        int(row.subject.removeprefix(BULLETIN_KEY))
        for row in rows
        if row.subject.removeprefix(BULLETIN_KEY).isdigit() and row.subject.startswith(BULLETIN_KEY)
    }
    found = session.execute(select(Bulletin.id, Bulletin.title).where(Bulletin.id.in_(asked)))
    return {number: title for number, title in found}


def _numbers(key: str, value: Any) -> list[int]:
    """The bulletins that a field names: one, a list of them, or what an airing holds (bulletin -> revision)."""
    if key == "bulletin" and isinstance(value, int):
        return [value]
    if key == "bulletins" and isinstance(value, list):
        return [each for each in value if isinstance(each, int)]
    if key == "items" and isinstance(value, Mapping):
        return [int(each) for each in value if str(each).isdigit()]
    return []


def _by_title(key: str, value: Any, titles: Mapping[int, str]) -> Any:
    numbers = _numbers(key, value)
    return "; ".join(f"“{titles.get(each, each)}”" for each in numbers) if numbers else value


def _called(session: Session, rows: Sequence[Audit]) -> dict[str, tuple[str, str]]:
    """What people call the airings and slots that lines are about, and their pages: ids say nothing to anybody."""
    asked = {row.subject for row in rows}
    airings = session.execute(
        select(Airing.id, Airing.local_date, Airing.start_local).where(
            Airing.id.in_({each for each in asked if len(each) == ID_LENGTH})
        )
    )
    found = {
        each: (f"buổi {clock_text(start)} ngày {day:%d/%m/%Y}", url_for("airing.panel", airing_id=each))
        for each, day, start in airings
    }
    if any(each.startswith(SLOT_KEY) for each in asked):
        for each, name in session.execute(select(Slot.id, Slot.name)):
            found[f"{SLOT_KEY}{each}"] = (f"khung giờ {name}", url_for("week.slots"))
    for each in asked:
        if (monday := _iso_day(each)) is not None:
            found[each] = (f"tuần từ {monday:%d/%m/%Y}", url_for("week.table", tuan=each))
    return found


def _iso_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(station().zone))


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    day = parse_day(text)
    if day is None:
        raise InputError("Ngày chưa đúng. Hãy gõ ngày, tháng và năm, ví dụ 24/11/2026.")
    return day


def _name(key: str) -> str:
    return FIELDS.get(key, key)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "có" if value else "không"
    if isinstance(value, Mapping):
        return "; ".join(f"{_name(key)}: {_text(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(each) for each in value)
    text = str(value)
    if _INSTANT.fullmatch(text):
        return instant_text(datetime.fromisoformat(text), station().zone)
    if len(text) == 64 and text.isalnum():
        return f"{text[:12]}…"
    return ", ".join(VALUES.get(part, part) for part in text.split(",")) if text.islower() else text
