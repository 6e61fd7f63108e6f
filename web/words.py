"""Words and figures as Vietnamese readers expect them: dates, times, lengths, sizes, states.

Pure: everything is given.  `install` hangs these on Jinja as filters.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from broadcaster.model import (
    AiringOrigin,
    AiringState,
    AsRunEvent,
    BulletinState,
    JingleKind,
    NoticeKind,
    Outcome,
    Priority,
    ReceiptKind,
    Role,
)

if TYPE_CHECKING:
    from flask import Flask

    from broadcaster.store.tables import RenderJob

WEEKDAYS = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật")
SHORT_WEEKDAYS = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")
WEEKDAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_TIME = re.compile(r"(\d{1,2}) ?(?::|h|g|giờ) ?(\d{2})?(?::00)?")

# state → (word, icon, tone); the tone is a CSS class, the icon a name in _icons.html.
BULLETIN_STATES: dict[BulletinState, tuple[str, str, str]] = {
    BulletinState.DRAFT: ("Nháp", "pencil", "calm"),
    BulletinState.SUBMITTED: ("Chờ duyệt", "clock", "wait"),
    BulletinState.APPROVED: ("Đã duyệt", "check", "good"),
    BulletinState.RETURNED: ("Trả lại", "back", "bad"),
    BulletinState.WITHDRAWN: ("Đã rút", "cross", "calm"),
}
AIRING_STATES: dict[AiringState, tuple[str, str, str]] = {
    AiringState.PLANNED: ("Chờ phát", "clock", "calm"),
    AiringState.CLOSED: ("Đã chốt nội dung", "lock", "wait"),
    AiringState.STARTED: ("Đã đến giờ", "sound", "good"),
    AiringState.SKIPPED: ("Không phát", "cross", "bad"),
    AiringState.CANCELLED: ("Đã bỏ", "cross", "calm"),
}
OUTCOMES: dict[Outcome, tuple[str, str, str]] = {
    Outcome.PLAYED: ("Đã phát", "check", "good"),
    Outcome.INTERRUPTED: ("Bị ngắt giữa chừng", "alert", "bad"),
    Outcome.PREEMPTED: ("Nhường bản khẩn cấp", "alert", "wait"),
    Outcome.MISSED: ("Lỡ giờ phát", "cross", "bad"),
    Outcome.SKIPPED: ("Bỏ qua", "cross", "bad"),
    Outcome.UNREPORTED: ("Chưa có báo cáo", "clock", "calm"),
}
RECEIPTS: dict[ReceiptKind, tuple[str, str, str]] = {
    ReceiptKind.DOWNLOADED: ("Đã tải", "download", "wait"),
    ReceiptKind.PLAYED: ("Đã phát", "check", "good"),
    ReceiptKind.FAILED: ("Không phát được", "cross", "bad"),
}
PRIORITIES: dict[Priority, str] = {
    Priority.ROUTINE: "Thông thường",
    Priority.PRIORITY: "Ưu tiên",
    Priority.EMERGENCY: "Khẩn cấp",
}
ROLES: dict[Role, str] = {
    Role.AUTHOR: "Người soạn",
    Role.APPROVER: "Người duyệt",
    Role.TECHNICIAN: "Kỹ thuật",
    Role.CONTRIBUTOR: "Cộng tác viên",
    Role.ADMINISTRATOR: "Quản trị",
}
ROLE_NOTES: dict[Role, str] = {
    Role.AUTHOR: "soạn, xếp lịch, xem báo cáo",
    Role.APPROVER: "duyệt, trả lại, phát khẩn cấp",
    Role.TECHNICIAN: "máy thu, cài đặt của máy",
    Role.CONTRIBUTOR: "chỉ gửi bài của đơn vị mình và xem bài mình gửi",
    Role.ADMINISTRATOR: "mọi việc; không tự duyệt bài mình viết",
}
NOTICES: dict[NoticeKind, tuple[str, str, str]] = {
    NoticeKind.WAITING: ("Chờ duyệt", "clock", "wait"),
    NoticeKind.APPROVED: ("Đã duyệt", "check", "good"),
    NoticeKind.RETURNED: ("Trả lại", "back", "bad"),
    NoticeKind.WITHDRAWN: ("Đã rút", "cross", "calm"),
    NoticeKind.DELEGATED: ("Ủy quyền", "people", "calm"),
    NoticeKind.EMERGENCY: ("Khẩn cấp", "alert", "bad"),
    NoticeKind.UPKEEP: ("Sao lưu", "alert", "bad"),
    NoticeKind.ALARM: ("Còn thiếu", "alert", "wait"),
}
ORIGINS: dict[AiringOrigin, str] = {
    AiringOrigin.SLOT: "theo khung giờ",
    AiringOrigin.EXTRA: "ngoài lịch",
    AiringOrigin.EMERGENCY: "khẩn cấp",
    AiringOrigin.DRILL: "diễn tập",
}
JINGLES: dict[JingleKind, str] = {
    JingleKind.OPENING: "Mở đầu",
    JingleKind.CLOSING: "Kết thúc",
    JingleKind.CUT: "Ngắt giữa hai bản tin",
    JingleKind.CHIME: "Chuông báo",
    JingleKind.BED: "Nhạc nền",
    JingleKind.ALERT: "Báo động",
}
EVENTS: dict[AsRunEvent, str] = {
    AsRunEvent.STARTED: "bắt đầu",
    AsRunEvent.FINISHED: "xong",
    AsRunEvent.INTERRUPTED: "bị ngắt",
    AsRunEvent.PREEMPTED: "nhường bản khẩn",
    AsRunEvent.RESUMED: "phát tiếp",
    AsRunEvent.MISSED: "lỡ giờ",
    AsRunEvent.SKIPPED: "bỏ qua",
}
JOBS = {
    "preview": "Nghe thử",
    "listen": "Nghe cả bài",
    "take": "Dựng giọng đọc",
    "programme": "Dựng chương trình",
}
LEFT_OUT = {
    "letterhead": "Phần đầu văn bản (quốc hiệu, cơ quan)",
    "recipients": "Nơi nhận",
    "signature": "Chữ ký",
    "decoration": "Dòng trang trí",
    "unreadable": "Dòng không có lời",
}

LEFT_OUT_WHY = {
    "letterhead": "Người nghe không cần quốc hiệu, tên cơ quan và số văn bản ở đầu trang.",
    "recipients": "Danh sách gửi văn bản không phải nội dung để nghe.",
    "signature": "Chức danh, dấu và tên người ký chỉ có nghĩa trên giấy.",
    "decoration": "Dòng kẻ, dấu sao và dấu kết thúc không có lời.",
    "unreadable": "Không có chữ nào đọc được thành lời.",
}
RULES = {
    "number": "số", "abbreviation": "chữ viết tắt", "unit": "số và đơn vị", "range": "khoảng từ… đến…",
    "date": "ngày tháng", "date_range": "khoảng ngày", "month": "tháng", "month_year": "tháng và năm",
    "time": "giờ", "document": "số văn bản", "code": "mã chữ và số", "roman": "số La Mã", "phone": "số điện thoại",
    "hotline": "tổng đài", "count": "tỷ số, phần", "ordinal": "số thứ tự", "sign": "dấu", "per": "dấu gạch chéo",
    "letters": "chữ cái", "account": "số tài khoản", "road": "tên đường", "fraction": "phân số", "score": "tỷ số",
    "url": "địa chỉ mạng", "email": "thư điện tử", "plate": "biển số xe", "version": "số phiên bản",
    "milestone": "cột ki lô mét", "ellipsis": "dấu ba chấm", "ratio": "tỷ lệ", "address": "số nhà",
    "guess": "đoán từng chữ cái", "formula": "công thức", "repeated": "viết lại trong ngoặc", "heading": "đề mục",
    "answer": "đã sửa", "lexicon": "từ điển của xã", "capitals": "chữ hoa", "symbol": "ký hiệu", "blank": "chỗ trống",
    "ambiguous": "đọc được nhiều cách",
}  # fmt: skip


def weekday(day: date) -> str:
    """Thứ Hai … Chủ nhật."""
    return WEEKDAYS[day.weekday()]


def day_text(day: date) -> str:
    """23/11/2026."""
    return f"{day:%d/%m/%Y}"


def long_day(day: date) -> str:
    """Thứ Hai, 23/11/2026."""
    return f"{weekday(day)}, {day_text(day)}"


def clock_text(moment: time | datetime, zone: str = "") -> str:
    """05:30, 24 hours; an instant needs the station's zone."""
    if isinstance(moment, datetime):
        moment = moment.astimezone(ZoneInfo(zone)).time()
    return f"{moment:%H:%M}"


def instant_text(moment: datetime, zone: str) -> str:
    """05:30 ngày 23/11/2026 in the station's zone."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M} ngày {local:%d/%m/%Y}"


def length_text(duration_ms: int | None) -> str:
    """4:32 for 272 000 ms; an unknown length is a dash."""
    if duration_ms is None:
        return "–"
    seconds = round(duration_ms / 1000)
    return f"{seconds // 60}:{seconds % 60:02d}"


def length_words(duration_ms: int | None) -> str:
    """'4 phút 32 giây', for the ear of a screen reader and for sentences."""
    if duration_ms is None:
        return "chưa rõ độ dài"
    minutes, seconds = divmod(round(duration_ms / 1000), 60)
    return " ".join(
        part for part in (f"{minutes} phút" if minutes else "", f"{seconds} giây" if seconds else "") if part
    ) or "0 giây"  # fmt: skip


def size_text(size_bytes: int) -> str:
    """1,5 MB."""
    return f"{number_text(size_bytes / 1_000_000, 1)} MB"


def number_text(value: float, decimals: int = 0) -> str:
    """3.012 and 92,5: points between thousands, a comma before decimals."""
    return f"{value:,.{decimals}f}".translate(str.maketrans(",.", ".,"))


def ago_text(moment: datetime, now: datetime) -> str:
    """'3 phút trước'; older than two days has its date elsewhere."""
    passed = now - moment
    if passed < timedelta(minutes=1):
        return "vừa xong"
    if passed < timedelta(hours=1):
        return f"{int(passed.total_seconds() // 60)} phút trước"
    if passed < timedelta(days=2):
        return f"{int(passed.total_seconds() // 3600)} giờ trước"
    return f"{passed.days} ngày trước"


def span_text(span: timedelta) -> str:
    """'9 giờ 05 phút', '12 phút', '45 giây'; days from 48 hours on."""
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} giây"
    if seconds < 3600:
        return f"{seconds // 60} phút"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} giờ {seconds % 3600 // 60:02d} phút"
    return f"{seconds // 86400} ngày"


def remaining_text(job: RenderJob, now: datetime) -> str:
    """What is left of a running job, from the pace so far: "còn khoảng 40 giây"; '' while it cannot be told."""
    began, done, total = job.result.get("began"), job.done_steps, job.all_steps
    if job.state != "running" or not isinstance(began, str) or not 0 < done < total:
        return ""
    left = (now - datetime.fromisoformat(began)).total_seconds() / done * (total - done)
    if left < 55:
        return f"còn khoảng {max(5, round(left / 5) * 5)} giây"
    return f"còn khoảng {max(1, round(left / 60))} phút"


def mark_text(key: str) -> str:
    """A short name for an element's id, the same for the same key whatever stands in it."""
    return hashlib.sha256(key.encode()).hexdigest()[:10]


def plain(text: str) -> str:
    """Text for searching: no tone marks, no case ('Đồng Lớn' and 'dong lon' are the same)."""
    bare = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "d"))
    return "".join(letter for letter in bare if not unicodedata.combining(letter)).casefold().strip()


def found(needle: str, *texts: str) -> bool:
    """True when every word of `needle` stands in the texts, tone marks ignored."""
    haystack = plain(" ".join(texts))
    return all(word in haystack for word in plain(needle).split())


# Vietnamese order: letters first (a ă â b … đ …), tone marks only between words that are otherwise the same.
_LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}  # huyền, hỏi, ngã, sắc, nặng


def sort_key(text: str) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """Key that sorts as a Vietnamese dictionary does: An, Ân, Ba, Bà, Bá, Da, Đa; 'Thôn 2' before 'Thôn 12'."""
    letters: list[tuple[int, int]] = []
    tones: list[int] = []
    for part in re.split(r"(\d+)", unicodedata.normalize("NFC", text).casefold()):
        if part.isdigit():
            letters.append((1, int(part)))
            tones.append(0)
            continue
        for letter in part:
            marks = unicodedata.normalize("NFD", letter)
            tone = next((_TONES[mark] for mark in marks if mark in _TONES), 0)
            bare = unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in _TONES))
            place = _LETTERS.find(bare)
            letters.append(
                (2, place)
                if place >= 0 and len(bare) == 1
                else (0, 0)
                if bare.isspace()
                else (3, ord(bare[0]))
            )
            tones.append(tone)
    return tuple(letters), tuple(tones)


def parse_day(text: str) -> date | None:
    """A date as people type it (24/11/2026, 24-11-2026) or as addresses carry it (2026-11-24)."""
    found = _DAY.fullmatch(text.strip())
    if found is None:
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            return None
    try:
        return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        return None


def parse_time(text: str) -> time | None:
    """A time of day as people type it: 05:30, 5h30, 17 giờ, 17g05."""
    found = _TIME.fullmatch(text.strip().lower())
    if found is None or int(found[1]) > 23 or int(found[2] or 0) > 59:
        return None
    return time(int(found[1]), int(found[2] or 0))


def monday_of(day: date) -> date:
    """The Monday of that day's week."""
    return day - timedelta(days=day.weekday())


def install(app: Flask) -> None:
    """Hang the filters and the tables of words on Jinja."""
    filters = {
        "thu": weekday, "ngay": day_text, "thu_ngay": long_day, "gio": clock_text, "luc": instant_text,
        "dai": length_text, "dai_chu": length_words, "dung_luong": size_text, "so": number_text,
        "cach_day": ago_text, "khoang": span_text, "ma": mark_text, "con_lai": remaining_text,
    }  # fmt: skip
    app.jinja_env.filters.update(filters)
    # a log shows hundreds: each is drawn once
    outcome_chip = cache(
        lambda told: app.jinja_env.get_template("_ui.html").module.chip(OUTCOMES[told])  # type: ignore[attr-defined]
    )
    app.jinja_env.globals.update(
        BULLETIN_STATES=BULLETIN_STATES, AIRING_STATES=AIRING_STATES, OUTCOMES=OUTCOMES, outcome_chip=outcome_chip, RECEIPTS=RECEIPTS,
        PRIORITIES=PRIORITIES, ROLES=ROLES, ORIGINS=ORIGINS, JINGLES=JINGLES, EVENTS=EVENTS,
        LEFT_OUT=LEFT_OUT, JOBS=JOBS, LEFT_OUT_WHY=LEFT_OUT_WHY, RULES=RULES, SHORT_WEEKDAYS=SHORT_WEEKDAYS,
        ROLE_NOTES=ROLE_NOTES, NOTICES=NOTICES,
    )  # fmt: skip
