"""Times of day and lengths of time: 17h30, 7g, 17:30, 7h30-11h, 22h15', 14 giờ 00."""

from __future__ import annotations

import re

from broadcaster.reading.numbers import cardinal
from broadcaster.reading.scan import Piece, Place

_DASH = r"\s?(?:[-–—]|÷)\s?"
_HOUR_LETTER = r"\s?(?:h|H|g|giờ)"
_MINUTES = r"(?P<m{n}>[0-5]?\d)(?:\s?(?:phút|ph|p|['’′]))?(?![\d\w]|\s?/\s?\d)"  # 0h 1/12: a date
_CLOCK = re.compile(
    rf"(?P<h1>\d{{1,2}}){_HOUR_LETTER}(?:\s?{_MINUTES.format(n=1)}|(?![\w]))"
    rf"(?:{_DASH}(?P<h2>\d{{1,2}}){_HOUR_LETTER}(?:\s?{_MINUTES.format(n=2)}|(?![\w])))?"
)
_COLON = re.compile(
    r"(?P<h1>[01]?\d|2[0-4]):(?P<m1>[0-5]\d)(?::(?P<s1>[0-5]\d))?(?![\d:])"
    rf"(?:{_DASH}(?P<h2>[01]?\d|2[0-4]):(?P<m2>[0-5]\d)(?![\d:]))?(?P<unit>\s?(?:h|giờ)\b)?"
)
_FIRST_BARE = re.compile(
    rf"(?P<h1>\d{{1,2}}){_DASH}(?P<h2>\d{{1,2}}){_HOUR_LETTER}(?:\s?{_MINUTES.format(n=2)}|(?![\w]))"
)
_HOUR_LEFT = re.compile(r"(?:lúc|từ|đến|tới|vào|hồi|trước|sau|khoảng|sáng|chiều|tối|trưa|đêm|họp|mở cửa)\s*$")
_DAY_PART = re.compile(r"\s(?:sáng|trưa|chiều|tối|đêm|ngày|hằng ngày|hàng ngày|thứ|chủ nhật)(?!\w)")
_DAY_BEHIND = re.compile(r"/(\d{1,2})(?![\d/.,h])")  # lúc 7h/28: as offices of the weather write
_RATIO = re.compile(r"tỷ lệ|tỉ lệ|tỷ số|tỉ số|pha|theo tỷ|tỉ xích|thang")


def _spoken(hours: str, minutes: str | None, *, seconds: str | None = None) -> str:
    parts = [cardinal(int(hours)), "giờ"]
    if minutes and (int(minutes) or seconds):
        parts += [cardinal(int(minutes)), "phút"]
    if seconds:
        parts += [cardinal(int(seconds)), "giây"]
    return " ".join(parts)


def _is_hour(place: Place, end: int) -> bool:
    """True where "7g" is an hour: after words of time, or before a part of the day."""
    return bool(_HOUR_LEFT.search(place.left) or _DAY_PART.match(place.right(end)))


def clock(place: Place) -> Piece | None:
    """17h30, 7g, 7h30-11h, 14 giờ 00, 22h15', 7-11h."""
    found = place.match(_FIRST_BARE)
    if found and found[0].endswith("g") and not found["m2"] and not _is_hour(place, found.end()):
        found = None  # 10-15g
    if found and int(found["h1"]) <= 24 >= int(found["h2"]):
        spoken = f"{cardinal(int(found['h1']))} giờ đến {_spoken(found['h2'], found['m2'])}"
        if " giờ" in found[0] and not found["m2"]:
            spoken = f"{cardinal(int(found['h1']))} đến {_spoken(found['h2'], None)}"
        return Piece(found.end(), spoken, "time")
    found = place.match(_CLOCK)
    if not found:
        return None
    grams_below = re.match(
        r"\s?/\s?(?:\d|l|lít|kg|con|cây|sào|m2|m²|bình|ngày|lần|người)", place.right(found.end())
    )
    if grams_below and found[0].rstrip().endswith("g"):
        return None  # 10-15g/lít
    if re.match(r"\d+\s?g", found[0]) and not found["m1"] and "giờ" not in found[0]:
        # "7g" is an hour only where hours stand; "7 g" alone is grams
        if " g" in found[0] or not _is_hour(place, found.end()):
            if not found["h2"]:
                return None
    if int(found["h1"]) > 24 and found["m1"] and int(found["h1"]) > 99:
        return None
    spoken = _spoken(found["h1"], found["m1"])
    if found["h2"]:
        spoken += f" đến {_spoken(found['h2'], found['m2'])}"
    minutes = found["m1"]
    alternatives: tuple[str, ...] = ()
    if minutes == "30" and not found["h2"]:
        alternatives = (f"{cardinal(int(found['h1']))} giờ rưỡi",)
    if minutes == "00" and not found["h2"]:
        alternatives = (f"{cardinal(int(found['h1']))} giờ đúng",)
    day = _DAY_BEHIND.match(place.text, found.end(), place.stop)
    if day and not found["h2"] and 1 <= int(day[1]) <= 31:
        return Piece(day.end(), f"{spoken} ngày {cardinal(int(day[1]))}", "time")
    return Piece(found.end(), spoken, "time", alternatives)


def colon(place: Place) -> Piece | None:
    """17:30, 07:00 - 11:30, 17:30:15; a ratio 1:3 is left to others."""
    found = place.match(_COLON)
    if not found or (_RATIO.search(place.left[-24:]) and not found["unit"]):
        return None
    spoken = _spoken(found["h1"], found["m1"], seconds=found["s1"])
    if found["h2"]:
        spoken += f" đến {_spoken(found['h2'], found['m2'])}"
    return Piece(found.end(), spoken, "time")
