"""Document numbers: N[/year][-]TYPE[-/]ISSUER.

"Nghị quyết số 04-NQ/TU của Ban Thường vụ": the type stands before and the issuer after, so only the
number is said.  What the sentence does not say itself is added from the code, and nothing is said twice.
"""

from __future__ import annotations

import re

from broadcaster.reading.abbreviations import Table
from broadcaster.reading.numbers import cardinal, digits, identifier, whole
from broadcaster.reading.scan import Piece, Place
from broadcaster.reading.syllables import spell

_CODE = r"[A-ZĐƯ][A-Za-zĐđƯư&]{0,11}\d{0,4}"
_NUMBER = re.compile(
    rf"(?P<n>\d{{1,5}})(?P<l>[a-z]?)(?:\s?/\s?(?P<y>(?:19|20)\d\d))?(?P<sep>\s?[-–/]\s?)"
    rf"(?P<codes>{_CODE}(?:\s?[-–/]\s?{_CODE})*)(?![\w])"
)
_STANDARD = re.compile(
    r"(?P<k>QCVN|TCVN|QCĐP|TCCS|TCN)\s?(?P<n>\d{1,5}(?:-\d{1,2}(?!\d))?)\s?[:\-]\s?(?P<y>\d{4})(?:/(?P<i>[A-ZĐ]{2,10}))?"
)
_FORM = re.compile(rf"(?P<n>\d{{1,2}})(?P<l>[A-Za-z]?)[-/](?P<codes>{_CODE}(?:[-/]{_CODE})*)(?![\w])")
_FORM_LEFT = re.compile(r"(?<!\w)mẫu(?:\s(?:đơn|biểu|phiếu|tờ khai))?(?:\ssố)?\s$")
# NĐ 45/2022, Thông tư 09/2023: nobody issued it, but it has its year
_OF_YEAR = re.compile(r"(?P<n>\d{1,4})\s?/\s?(?P<y>(?:19|20)\d\d)(?![\d/\w])(?!\s?[-–/])")
_KIND_LEFT = re.compile(
    r"(?<!\w)(?:nghị định|nđ|thông tư|tt|quyết định|qđ|nghị quyết|nq|chỉ thị|ct|công văn|cv|kế hoạch|kh)\s(?:số\s)?$"
)
_JOINT = frozenset({"TTLT", "NQLT", "CTPH", "KHPH", "KHLN", "KHLT", "HDLN", "QCPH"})
_OTHER_NUMBER = re.compile(r"\d{1,5}(?:/\d{4})?[-/][\w&]+(?:[-/][\w&]+)*")
_STANDARDS = {
    **{"QCVN": "quy chuẩn kỹ thuật quốc gia", "TCVN": "tiêu chuẩn quốc gia", "TCCS": "tiêu chuẩn cơ sở"},
    **{"QCĐP": "quy chuẩn kỹ thuật địa phương", "TCN": "tiêu chuẩn ngành"},
}
_OF_AFTER = re.compile(
    r"(?:\s*(?:,|\(|ngày\s[\d/.\- ]{3,12}|năm\s\d{4}|và(?: số)?|số|[\d/]+[-/][\w&\-/]+))*\s*(?:của|do)(?!\w)",
    re.IGNORECASE,
)
_TYPES = (
    "nghị quyết|quyết định|chỉ thị|quy chế|quy định|thông cáo|thông báo|hướng dẫn|chương trình|kế hoạch|phương án|đề án"
    "|dự án|báo cáo|biên bản|tờ trình|hợp đồng|công điện|giấy mời|công văn|văn bản|nghị định|thông tư|kết luận|luật"
    "|pháp lệnh|lệnh|thông tri|phiếu|đề cương|tài liệu"
)
# a type stands before, or some other name of the document: "Luật Đất đai số", "theo Quy định số"
_TYPED = re.compile(rf"(?<!\w)(?:{_TYPES})(?:\s[^,.;:\d]{{0,40}}?)?\s*(?:số)?\s*:?\s*$")


def document_number(place: Place, table: Table) -> Piece | None:
    """04-NQ/TU · 49/2024/NĐ-CP · 59/2020/QH14 · 123/UBND-VHXH."""
    found = place.match(_NUMBER)
    if not found:
        return None
    codes = [c for c in re.split(r"[\s\-–/.,]+", found["codes"]) if c]
    kind = table.document_type(codes[0])
    issuers = codes[1:] if kind else codes
    known_issuer = [table.issuer(c) for c in issuers]
    if not kind and not any(known_issuer) and not found["y"]:
        return None  # 12-A, 5/B: not a document
    if len(codes) == 1 and kind and not found["y"] and found["sep"].strip() != "/" and len(codes[0]) < 2:
        return None
    if (
        kind
        and len(codes) == 1
        and not found["y"]
        and not table.plain(place.left).rstrip().endswith((kind, "số"))
    ):
        return None  # "Mẫu 02-TT": no issuer, no type before
    if not kind and len(codes) == 1 and len(codes[0]) == 1:
        return None
    if not kind and found["l"] == "k":
        return None  # 10k/LĐ: thousands
    number = found["n"]
    spoken = digits(number) if number[0] == "0" and len(number) > 1 else whole(number)
    if found["l"]:
        spoken += " " + spell(found["l"])
    if found["y"]:
        spoken += f" năm {cardinal(int(found['y']))}"
    left, right = table.plain(place.left), place.right(found.end())
    alternatives = [spoken]
    if kind and not _says(left, kind, codes[0]) and not _TYPED.search(left):
        spoken += f", {kind}"
    code = message = ""
    names = [n for n in known_issuer if n]
    name = names[0] if names else ""
    if issuers and not name and issuers[0] not in table.meanings:
        spelled = spell(issuers[0])
        if not _OF_AFTER.match(right):
            code = "code"
            message = f"Không rõ cơ quan ban hành “{issuers[0]}” trong số văn bản “{found[0]}”: xin cho biết cách đọc."
            spoken += f", {spelled}"
    elif name and not _OF_AFTER.match(right):
        if codes[0] in _JOINT:
            name = ", ".join(names)
        said = table.plain(name)
        if _listed_again(right, issuers[known_issuer.index(names[0])]):
            said = ""  # "57-NQ/TW, 66-NQ/TW và 68-NQ/TW": the last of the list says it
        nearby = _OTHER_NUMBER.sub(" ", f"{left} … {table.plain(right)}")
        if said and not _says(nearby, said, issuers[known_issuer.index(names[0])]):
            spoken += f", {name}" if name.startswith("Quốc hội khóa") else f" của {name}"
    if name:
        alternatives.append(f"{alternatives[0]} của {name}")
    return Piece(
        found.end(), spoken, "document", tuple(a for a in alternatives if a != spoken), code, message
    )


def form(place: Place, table: Table) -> Piece | None:
    """Mẫu số 03a/ĐK, mẫu 2C-BNV: the name of a form, in which letters that nobody knows are letters."""
    found = place.match(_FORM)
    if not found or not _FORM_LEFT.search(place.left):
        return None
    parts = [whole(found["n"]), spell(found["l"]) if found["l"] else ""]
    parts += [table.certain(code) or spell(code) for code in re.split(r"[-/]", found["codes"])]
    return Piece(found.end(), " ".join(part for part in parts if part), "document")


def of_year(place: Place) -> Piece | None:
    """Nghị định 45/2022: number and year of a document."""
    found = place.match(_OF_YEAR)
    if not found or not _KIND_LEFT.search(place.left):
        return None
    return Piece(found.end(), f"{identifier(found['n'])} năm {cardinal(int(found['y']))}", "document")


def _listed_again(right: str, issuer: str) -> bool:
    """True when another number of the same issuer follows in a list."""
    return bool(
        re.match(
            rf"\s*(?:,|;|và|,\s?và)?\s*(?:số\s)?\d{{1,5}}(?:/\d{{4}})?[-/][\w&]+[-/]{re.escape(issuer.lower())}(?!\w)",
            right,
        )
    )


def _says(text: str, name: str, code: str) -> bool:
    """True when `text` (lower case) has the name or its abbreviation as a word."""
    return name.lower() in text or bool(re.search(rf"(?<!\w){re.escape(code.lower())}(?!\w)", text))


def standard(place: Place, table: Table) -> Piece | None:
    """QCVN 26:2010/BTNMT."""
    found = place.match(_STANDARD)
    if not found:
        return None
    first, _, part = found["n"].partition("-")
    spoken = f"{_STANDARDS[found['k']]} số {whole(first)}" + (f" phần {whole(part)}" if part else "")
    spoken += f" năm {cardinal(int(found['y']))}"
    issuer = table.issuer(found["i"]) if found["i"] else ""
    if issuer:
        spoken += f" của {issuer}"
    return Piece(found.end(), spoken, "document")
