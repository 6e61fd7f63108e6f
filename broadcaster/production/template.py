"""What a programme says around its items, and in what order: data, approved as a revision of its own.

Date, time and approved titles are its only variables; the station's name and call sign come from its
settings.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Final

from broadcaster.errors import InputError
from broadcaster.model import JingleKind

WEEKDAYS: Final = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật")
PARTS: Final = ("opening", "greeting", "headlines", "chime", "items", "closing")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
VARIABLES: Final = {
    "call_sign": "tên xướng của đài",
    "station": "tên đài",
    "weekday": "thứ trong tuần",
    "date": "ngày phát",
    "time": "giờ phát",
    "count": "số mục",
}


@dataclass(frozen=True, slots=True)
class Template:
    """Generated words (written Vietnamese with `{variables}`), switches, rests and levels.

    An empty text is left out.  Times are ms; levels are dB against the speech.
    """

    order: str = " ".join(PARTS)  # of the parts, each at most once; "items" always
    call_sign: str = "{call_sign}."
    greeting: str = "Kính chào bà con và các đồng chí. Hôm nay là {weekday}, {date}. Mời bà con nghe chương trình lúc {time}."
    headlines: str = "Chương trình hôm nay có các nội dung sau đây."
    item_intro: str = ""
    repeat: str = "Xin nhắc lại."
    closing: str = (
        "Chương trình của {station} đến đây là hết. Cảm ơn bà con đã lắng nghe. Xin kính chào và hẹn gặp lại."
    )
    opening_jingle: bool = True
    chime: bool = True
    cuts: bool = True
    bed: bool = False
    closing_jingle: bool = True
    call_sign_under_jingle: bool = True
    call_sign_twice: bool = True  # by the male and the female voice in turn, where two voices are there
    lead_in_ms: int = 1_000  # amplifiers wake
    jingle_alone_ms: int = 8_500  # of the opening before the call sign
    after_opening_ms: int = 700
    around_ms: int = 450  # before and after a cut or chime
    between_items_ms: int = 1_300  # where no cut is played
    tail_ms: int = 1_000
    jingle_db: float = -1.0
    cut_db: float = -4.0
    under_speech_db: float = -14.0  # the opening while the call sign is spoken
    bed_db: float = -24.0
    bed_gap_db: float = -17.0  # the bed where nobody speaks for a while
    # kind -> SHA-256 of the sound in the house format; what is not named is bound when the frame is sent
    jingles: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Hash of everything in it: what an approver approved."""
        text = json.dumps(template_data(self), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


TEXT_FIELDS: Final = ("call_sign", "greeting", "headlines", "item_intro", "repeat", "closing")


def template_from(data: Mapping[str, Any]) -> Template:
    """A template from stored or typed data.  InputError on an unknown field, type or variable."""
    known = {field.name: field for field in dataclasses.fields(Template)}
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name not in known:
            raise InputError(f"Khung chương trình không có mục “{name}”.")
        if name == "jingles":
            values[name] = _jingles(value)
            continue
        default = known[name].default
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(default):
            raise InputError(f"Mục “{name}” của khung chương trình có giá trị không hợp lệ: {value!r}.")
        if isinstance(value, int) and not isinstance(value, bool) and not 0 <= value <= 60_000:
            raise InputError(f"Mục “{name}” của khung chương trình phải từ 0 đến 60000 ms.")
        if isinstance(value, float) and not -60.0 <= value <= 6.0:
            raise InputError(f"Mục “{name}” của khung chương trình phải từ -60 đến 6 dB.")
        values[name] = value
    template = Template(**values)
    _check_order(template.order)
    for name in TEXT_FIELDS:
        _check_variables(getattr(template, name))
    return template


def template_data(template: Template) -> dict[str, Any]:
    """The same as plain data, for storing."""
    return {
        field.name: dict(value) if isinstance(value, Mapping) else value
        for field in dataclasses.fields(Template)
        for value in (getattr(template, field.name),)
    }


@dataclass(frozen=True, slots=True)
class OpeningWords:
    """Written words of a programme, each to be read aloud as a fragment of its own; "" = nothing."""

    call_sign: str
    greeting: str
    headlines: str
    item_intro: str
    repeat: str
    closing: str


def programme_words(
    template: Template,
    *,
    station_name: str,
    call_sign: str,
    local_date: date,
    start_local: time,
    titles: Sequence[str],
) -> OpeningWords:
    """The template's texts with the day's values filled in: still *written* Vietnamese for `reading`."""
    values = {
        "call_sign": call_sign.rstrip(". "),
        "station": station_name,
        "weekday": WEEKDAYS[local_date.weekday()],
        "date": f"ngày {local_date.day}/{local_date.month}/{local_date.year}",
        "time": _clock(start_local),
        "count": str(len(titles)),
    }
    headlines: list[str] = []
    if template.headlines and titles:
        headlines.append(_filled(template.headlines, values))
        headlines += [f"{title.strip().rstrip('.;,')}." for title in titles if title.strip()]
    return OpeningWords(
        call_sign=_filled(template.call_sign, values),
        greeting=_filled(template.greeting, values),
        headlines="\n".join(headlines),
        item_intro=_filled(template.item_intro, values),
        repeat=_filled(template.repeat, values),
        closing=_filled(template.closing, values),
    )


def opening_words(
    template: Template,
    *,
    station_name: str,
    call_sign: str,
    date: date,
    start: time,
    titles: Sequence[str],
) -> list[str]:
    """Everything said before the first item, a written sentence or paragraph each (for screens)."""
    words = programme_words(
        template,
        station_name=station_name,
        call_sign=call_sign,
        local_date=date,
        start_local=start,
        titles=titles,
    )
    said = {"opening": words.call_sign, "greeting": words.greeting, "headlines": words.headlines}
    before = template.order.split()
    before = before[: before.index("items")]
    return [line for part in before for line in said.get(part, "").split("\n") if line]


def _jingles(value: object) -> dict[str, str]:
    kinds = {kind.value for kind in JingleKind}
    if not isinstance(value, Mapping) or not all(
        kind in kinds and isinstance(sha256, str) and _SHA256.fullmatch(sha256)
        for kind, sha256 in value.items()
    ):
        raise InputError(
            "Nhạc hiệu của khung chương trình không hợp lệ; hãy chọn lại từ danh sách nhạc hiệu."
        )
    return dict(value)


def _check_order(order: str) -> None:
    parts = order.split()
    if "items" not in parts:
        raise InputError("Thứ tự của khung chương trình phải có phần các bản tin.")
    if unknown := [part for part in parts if part not in PARTS]:
        raise InputError(f"Khung chương trình không có phần “{unknown[0]}”.")
    if len(set(parts)) != len(parts):
        raise InputError("Mỗi phần của chương trình chỉ đứng ở một chỗ; hãy xem lại thứ tự.")


def _clock(at: time) -> str:
    return f"{at.hour} giờ {at.minute} phút" if at.minute else f"{at.hour} giờ"


def _filled(text: str, values: Mapping[str, str]) -> str:
    _check_variables(text)
    return text.format_map(values).strip()


def _check_variables(text: str) -> None:
    try:
        used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise InputError(f"Câu mẫu “{text}” thiếu hoặc thừa dấu ngoặc nhọn.") from error
    for name in used - set(VARIABLES):
        listed = ", ".join("{" + known + "}" for known in VARIABLES)
        raise InputError(f"Câu mẫu có biến lạ “{{{name}}}”; chỉ dùng được {listed}.")
