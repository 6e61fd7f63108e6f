"""The fields of a programme's frame: what people call them, and from form to template and back.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from broadcaster.errors import InputError
from broadcaster.model import JingleKind
from broadcaster.production.template import PARTS, TEXT_FIELDS, Template, template_data, template_from

WORDS = {
    "call_sign": ("Lời xướng", "Đọc trên nền nhạc mở đầu."),
    "greeting": ("Lời chào", "Đọc đầu chương trình."),
    "headlines": (
        "Câu dẫn phần tóm tắt",
        "Sau câu này, tên từng bản tin được đọc lên. Để trống thì không đọc tóm tắt.",
    ),
    "item_intro": ("Lời dẫn trước mỗi bản tin", "Thường để trống."),
    "repeat": ("Lời nhắc lại", "Với bản tin đọc hai lần."),
    "closing": ("Lời kết", "Đọc cuối chương trình."),
}
SWITCHES = {
    "opening_jingle": "Có nhạc mở đầu",
    "call_sign_under_jingle": "Lời xướng đọc trên nền nhạc mở đầu",
    "call_sign_twice": "Giọng nam và giọng nữ lần lượt xướng tên đài (khi có cả hai giọng)",
    "chime": "Có chuông trước bản tin đầu",
    "cuts": "Có nhạc cắt giữa các bản tin",
    "bed": "Có nhạc nền nhỏ dưới lời đọc",
    "closing_jingle": "Có nhạc kết",
}
PART_NAMES = {
    "opening": "Nhạc mở đầu và lời xướng",
    "greeting": "Lời chào",
    "headlines": "Tóm tắt tên các bản tin",
    "chime": "Chuông",
    "items": "Các bản tin",
    "closing": "Lời kết và nhạc kết",
}
RESTS = {
    "lead_in_ms": "Im lặng đầu cho loa thức dậy",
    "jingle_alone_ms": "Nhạc mở đầu phát riêng trước lời xướng",
    "after_opening_ms": "Nghỉ sau lời xướng",
    "around_ms": "Nghỉ trước và sau chuông, nhạc cắt",
    "between_items_ms": "Nghỉ giữa hai bản tin khi không có nhạc cắt",
    "tail_ms": "Im lặng cuối",
}
LEVELS = {
    "jingle_db": "Nhạc mở đầu và nhạc kết",
    "cut_db": "Chuông và nhạc cắt",
    "under_speech_db": "Nhạc mở đầu hạ thêm dưới lời xướng",
    "bed_db": "Nhạc nền dưới lời đọc",
    "bed_gap_db": "Nhạc nền khi nghỉ lâu",
}
CHOSEN = tuple(kind for kind in JingleKind if kind is not JingleKind.ALERT)


def typed_template(form: Mapping[str, str], base: Template) -> Template:
    """The template a form asks for; what the form does not carry stays as in `base`.

    InputError names the field that cannot be.
    """
    values: dict[str, Any] = {name: form.get(name, "").strip() for name in TEXT_FIELDS}
    values |= {name: name in form for name in SWITCHES}
    values |= {
        name: round(_number(form[name], label, "giây") * 1000)
        for name, label in RESTS.items()
        if name in form
    }
    values |= {name: _number(form[name], label, "dB") for name, label in LEVELS.items() if name in form}
    if any(f"order-{part}" in form for part in PARTS):
        values["order"] = _order(form)
    if any(f"jingle-{kind}" in form for kind in CHOSEN):
        values["jingles"] = {
            kind.value: form[f"jingle-{kind}"] for kind in CHOSEN if form.get(f"jingle-{kind}")
        }
    return template_from({**template_data(base), **values})


def form_values(template: Template, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What stands in the fields: the template's values, or what somebody has just typed."""
    values: dict[str, Any] = {name: getattr(template, name) for name in (*TEXT_FIELDS, *SWITCHES)}
    values |= {name: _said(getattr(template, name) / 1000) for name in RESTS}
    values |= {name: _said(getattr(template, name)) for name in LEVELS}
    order = template.order.split()
    values |= {f"order-{part}": str(order.index(part) + 1) if part in order else "" for part in PART_NAMES}
    values |= {f"jingle-{kind}": template.jingles.get(kind.value, "") for kind in CHOSEN}
    if form is not None:
        values |= {name: form[name] for name in values if name in form and name not in SWITCHES}
        values |= {name: name in form for name in SWITCHES}
    return values


def changes(
    before: Template | None, after: Template, titles: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Label, before, after: what `after` says otherwise; everything, when there was nothing before.

    `titles` names jingles by their SHA-256.
    """
    old = _listed(before, titles) if before is not None else {}
    return [
        (label, old.get(label, ""), said)
        for label, said in _listed(after, titles).items()
        if old.get(label) != said
    ]


def _listed(template: Template, titles: Mapping[str, str]) -> dict[str, str]:
    listed = {"Thứ tự": ", ".join(PART_NAMES[part] for part in template.order.split())}
    listed |= {label: getattr(template, name) or "(trống)" for name, (label, _) in WORDS.items()}
    listed |= {label: "có" if getattr(template, name) else "không" for name, label in SWITCHES.items()}
    listed |= {label: f"{_said(getattr(template, name) / 1000)} giây" for name, label in RESTS.items()}
    listed |= {f"Mức: {label}": f"{_said(getattr(template, name))} dB" for name, label in LEVELS.items()}
    for kind, sha256 in template.jingles.items():
        listed[f"Nhạc hiệu: {kind}"] = titles.get(sha256, sha256[:8])
    return listed


def _order(form: Mapping[str, str]) -> str:
    places: list[tuple[int, str]] = []
    for part, label in PART_NAMES.items():
        place = form.get(f"order-{part}", "").strip()
        if not place:
            continue
        if not place.isdigit():
            raise InputError(f"Thứ tự của “{label}” phải là một số, hoặc để trống nếu không dùng phần này.")
        places.append((int(place), part))
    numbers = [place for place, _ in places]
    if len(set(numbers)) != len(numbers):
        raise InputError("Có hai phần cùng một số thứ tự; hãy đánh số khác nhau.")
    return " ".join(part for _, part in sorted(places))


def _number(text: str, label: str, unit: str) -> float:
    try:
        return float(text.strip().replace("−", "-").replace(",", "."))
    except ValueError as error:
        raise InputError(f"“{label}” phải là số {unit}, ví dụ 0,5.") from error


def _said(value: float) -> str:
    return f"{value:g}".replace(".", ",")
