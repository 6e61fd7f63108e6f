"""Units: what stands after a number, simple and compound, and how its fractions are said."""

from __future__ import annotations

import re

from broadcaster.reading.numbers import whole
from broadcaster.reading.syllables import is_syllable

UNITS: dict[str, str] = {
    **{"km": "ki lô mét", "m": "mét", "dm": "đề xi mét", "cm": "xen ti mét", "mm": "mi li mét"},
    **{"µm": "mi crô mét", "μm": "mi crô mét", "nm": "na nô mét", "hm": "héc tô mét"},
    **{"km2": "ki lô mét vuông", "m2": "mét vuông", "dm2": "đề xi mét vuông", "cm2": "xen ti mét vuông"},
    **{"mm2": "mi li mét vuông", "m3": "mét khối", "dm3": "đề xi mét khối", "cm3": "xen ti mét khối"},
    **{"km3": "ki lô mét khối", "mm3": "mi li mét khối"},
    **{"ha": "héc ta", "kg": "ki lô gam", "g": "gam", "gr": "gam", "mg": "mi li gam", "µg": "mi crô gam"},
    **{
        "μg": "mi crô gam",
        "mcg": "mi crô gam",
        "l": "lít",
        "L": "lít",
        "lít": "lít",
        "ml": "mi li lít",
        "dl": "đề xi lít",
    },
    **{"cc": "xê xê", "W": "oát", "kW": "ki lô oát", "MW": "mê ga oát", "GW": "gi ga oát"},
    **{"kWh": "ki lô oát giờ", "KWh": "ki lô oát giờ", "kwh": "ki lô oát giờ", "MWh": "mê ga oát giờ"},
    **{"Wh": "oát giờ", "GWh": "gi ga oát giờ", "kVA": "ki lô vôn am pe", "KVA": "ki lô vôn am pe"},
    **{"MVA": "mê ga vôn am pe", "kV": "ki lô vôn", "KV": "ki lô vôn", "V": "vôn", "mV": "mi li vôn"},
    **{"mA": "mi li am pe", "Ah": "am pe giờ", "mAh": "mi li am pe giờ", "kWp": "ki lô oát pích"},
    **{"Hz": "héc", "kHz": "ki lô héc", "MHz": "mê ga héc", "GHz": "gi ga héc", "dB": "đề xi ben"},
    **{"dBA": "đề xi ben a", "lx": "lúc", "cd": "can đê la", "kN": "ki lô niu tơn"},
    **{"Pa": "pát can", "kPa": "ki lô pát can", "hPa": "héc tô pát can", "MPa": "mê ga pát can", "bar": "ba"},
    **{"mmHg": "mi li mét thủy ngân", "mb": "mi li ba", "cal": "ca lo", "kcal": "ki lô ca lo"},
    **{"Kcal": "ki lô ca lo", "kJ": "ki lô jun", "HP": "mã lực", "hp": "mã lực", "CV": "mã lực"},
    **{"KB": "ki lô bai", "kB": "ki lô bai", "MB": "mê ga bai", "GB": "gi ga bai", "TB": "tê ra bai"},
    **{"Kbps": "ki lô bít trên giây", "kbps": "ki lô bít trên giây", "Mbps": "mê ga bít trên giây"},
    **{"Gbps": "gi ga bít trên giây", "bps": "bít trên giây", "Mb": "mê ga bít", "Gb": "gi ga bít"},
    **{"ppm": "phần triệu", "ppb": "phần tỷ", "IU": "đơn vị quốc tế", "UI": "đơn vị quốc tế"},
    **{
        "mmol": "mi li mol",
        "mol": "mol",
        "pH": "pê hát",
        "rpm": "vòng trên phút",
        "fps": "khung hình trên giây",
    },
    **{"đ": "đồng", "Đ": "đồng", "đồng": "đồng", "VNĐ": "đồng", "VND": "đồng", "vnđ": "đồng", "vnd": "đồng"},
    **{"₫": "đồng", "USD": "đô la Mỹ", "EUR": "ơ rô", "JPY": "yên Nhật", "CNY": "nhân dân tệ", "KRW": "uôn"},
    **{"$": "đô la Mỹ", "€": "ơ rô", "£": "bảng Anh", "¥": "yên"},
    **{
        "tr": "triệu",
        "tr.đ": "triệu đồng",
        "tr.đồng": "triệu đồng",
        "trđ": "triệu đồng",
        "trđồng": "triệu đồng",
        "k": "nghìn",
    },
    **{"K": "nghìn", "tỷ": "tỷ", "tỉ": "tỉ", "triệu": "triệu", "nghìn": "nghìn", "ngàn": "ngàn"},
    **{
        "°C": "độ xê",
        "ºC": "độ xê",
        "oC": "độ xê",
        "℃": "độ xê",
        "°F": "độ ép",
        "oN": "độ Bắc",
        "oE": "độ Đông",
        "°": "độ",
        "º": "độ",
    },
    **{
        "%": "phần trăm",
        "‰": "phần nghìn",
        "%o": "phần nghìn",
        "h": "giờ",
        "s": "giây",
        "p": "phút",
        "ph": "phút",
        "phút": "phút",
    },
    **{"ms": "mi li giây", "giây": "giây", "giờ": "giờ", "'": "phút", "’": "phút", "′": "phút"},
    **{"inch": "inh", "MHZ": "mê ga héc", "Km": "ki lô mét", "KM": "ki lô mét", "Kg": "ki lô gam"},
    **{"KG": "ki lô gam", "Ha": "héc ta", "HA": "héc ta", "ML": "mi li lít", "CM": "xen ti mét"},
    **{"MM": "mi li mét", "Mg": "mi li gam", "MG": "mi li gam", "mW": "mi li oát", "lit": "lít", "T": "tấn"},
    **{"µmol": "mi crô mol", "μmol": "mi crô mol", "độ C": "độ xê", "độ F": "độ ép", "độ": "độ"},
}
for _name in [n for n in UNITS if n.endswith(("2", "3"))]:
    UNITS[_name[:-1] + ("²" if _name.endswith("2") else "³")] = UNITS[_name]

MONEY = frozenset(
    {"đ", "Đ", "đồng", "VNĐ", "VND", "vnđ", "vnd", "₫", "tr.đ", "tr.đồng", "trđ", "USD", "EUR", "$", "€"}
)
MAGNITUDE = frozenset({"tỷ", "tỉ", "triệu", "nghìn", "ngàn", "tr", "k", "K"})
# Only glued to their number, or when nothing else could be meant: one letter is often a name.
_GLUED_ONLY = frozenset({"k", "K", "s", "p", "'", "’", "′", "Đ", "°", "º", "V", "W", "L", "T", "h"})
# Said without a number too: no Vietnamese word looks like them.
ALONE = frozenset(
    "km cm mm dm kg mg ml km2 m2 m3 cm2 cm3 dm3 kWh kwh kW MW kV kVA mmHg MHz GHz kHz dB km/h Mbps".split()
)
_PER = {
    "hs": "học sinh",
    "HS": "học sinh",
    "LĐ": "lao động",
    "lđ": "lao động",
    "hv": "hội viên",
    "HV": "hội viên",
    "th": "tháng",
    "sv": "sinh viên",
    "ng": "người",
    "h": "giờ",
    "s": "giây",
    "l": "lít",
    "p": "phút",
    "ph": "phút",
    "g": "gam",
    "m": "mét",
}
# Below a stroke these are physics, said "trên"; everything else is counted, said "một".
_PHYSICAL = frozenset("h s l L ml dl cm2 cm² m3 m³ m2 m² kg phút giờ giây lít".split())
_PHYSICAL_TOP = frozenset(
    "µmol μmol km m cm mm m3 m³ mg µg μg mcg g dm3 l ml mmol mol IU UI kg ppm kcal J kJ W kW N lần/phút Mb MB".split()
)

_NAMES = sorted(UNITS, key=len, reverse=True)
UNIT = "(?:" + "|".join(re.escape(n) for n in _NAMES) + ")"
_UNIT_AT = re.compile(
    rf"(?P<gap>[ \u00a0]?)(?P<unit>{UNIT})(?P<per>(?:\s?/\s?(?:\d+\s?)?[^\W\d_]{{1,16}}[23²³]?){{0,3}})(?:(?=[x×]\d)|(?![\w²³]))"
    rf"|(?P<gap2>[ \u00a0]?)(?P<unit2>[%‰°º'’′₫€$£¥℃])(?P<per2>(?:/[^\W\d_]{{1,16}}){{0,3}})"
)
_PART = re.compile(r"/\s?(?:(\d+)\s?)?([^\W\d_]+[23²³]?)")
_MONEY_AFTER = re.compile(r"[ \u00a0]?(đồng|đ|VNĐ|VND|USD|đô la|kg|tấn|ha|m2|m3|kWh|lít)(?![\w])")


class Measure:
    """A unit found after a number: where it ends and how it is said."""

    __slots__ = ("end", "money", "per", "spoken", "unit")

    def __init__(self, end: int, unit: str, spoken: str, per: bool) -> None:
        self.end = end
        self.unit = unit
        self.spoken = spoken
        self.per = per
        self.money = unit in MONEY


def unit_at(text: str, pos: int, stop: int) -> Measure | None:
    """The unit (with its fractions: đ/hộ/tháng) that begins at `pos`, one space allowed."""
    found = _UNIT_AT.match(text, pos, stop)
    if not found:
        return None
    unit = found["unit"] or found["unit2"]
    gap = found["gap"] or found["gap2"] or ""
    per = found["per"] or found["per2"] or ""
    if unit in ("đ", "Đ") and re.match(r"/[cC](?!\w)", text[found.end("unit") : found.end("unit") + 3]):
        return None  # 29 đ/c
    if unit == "h" and re.fullmatch(r"/s(?:/.*)?", per):
        return None  # 504 h/s: pupils, no hours a second
    if gap and unit in _GLUED_ONLY and not (unit == "h" and per):
        return None
    end = found.end()
    spoken = UNITS[unit]
    if unit in MAGNITUDE:
        money = _MONEY_AFTER.match(text, found.end("unit"), stop) if not per else None
        if money:
            inner = unit_at(text, found.end("unit"), stop)
            if inner and inner.end >= money.end():
                return Measure(inner.end, inner.unit, f"{spoken} {inner.spoken}", inner.per)
    if unit == "g" and gap and not per and text[end : end + 2].isdigit():
        return None
    if not per:
        return Measure(end, unit, spoken, False)
    parts = [spoken]
    above, start = unit, end - len(per)
    end = start
    for part in _PART.finditer(per):
        count, below = part[1], part[2]
        if below not in UNITS and below not in _PER and (len(below) < 2 or not is_syllable(below)):
            break
        parts.append(_under(above, below, count))
        above, end = below, start + part.end()
    return Measure(end, unit, " ".join(parts), end > start)


_FAMILIES = (
    frozenset({"g", "gr", "kg", "mg", "lạng", "T"}),
    frozenset({"mm", "cm", "dm", "m", "km"}),
    frozenset({"ml", "l", "lít", "L", "m3", "m³"}),
    frozenset({"m2", "m²", "ha", "km2", "km²"}),
    frozenset({"W", "kW", "MW"}),
    frozenset({"KB", "MB", "GB", "TB"}),
    MONEY | MAGNITUDE,
    frozenset({"độ", "độ C", "°C", "oC", "°", "º", "ºC"}),
    frozenset({"p", "ph", "phút", "giờ", "giây", "s", "h", "'", "’", "′"}),
)


def comparable(first: Measure, second: Measure) -> bool:
    """True when a range may run from one unit to the other."""
    if first.unit == second.unit:
        return True
    return any(first.unit in family and second.unit in family for family in _FAMILIES)


def _under(above: str, below: str, count: str) -> str:
    name = UNITS.get(below, below.lower()) if below not in _PER else _PER[below]
    if below in ("L",):
        name = "lít"
    if count:
        return f"trên {whole(count)} {name}"
    if below in _PHYSICAL and above in _PHYSICAL_TOP:
        return f"trên {name}"
    return f"một {name}"
