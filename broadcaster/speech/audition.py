"""Phiếu nghe thử: a page of its own on which people judge the voices, and a table of what they said.

`page` makes one HTML file with the sounds inside it (no network, no server): the listener hears each
sentence in each voice in a mixed order, without being told which voice it is, writes down what was heard
and gives one to five.  The page saves a small JSON file; `table` reads those files back.
"""

from __future__ import annotations

import base64
import html
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from broadcaster.errors import InputError
from broadcaster.speech.listenback import edits, words

FORM = "phieu-nghe-thu-1"

SENTENCES: tuple[str, ...] = (
    "Sáng mai, trạm y tế xã tiêm phòng cho trẻ dưới một tuổi.",
    "Bà con ở bãi giữa dọn đồ lên cao, nước đang lên nhanh.",
    "Điện lực cắt điện xóm Trại từ tám giờ đến mười một giờ rưỡi.",
    "Mỗi nhà cử một người đi vớt bèo, khơi thông mương dẫn nước.",
    "Kẻ lừa đảo gọi điện tự xưng là cán bộ, đừng đọc mã cho ai.",
    "Hợp tác xã phát giống ngô nếp ở kho thóc cũ.",
    "Ông Quyết nhặt được ví da, ai mất xin đến nhà văn hóa.",
    "Thuốc trừ sâu phải pha đúng liều, phun lúc trời mát.",
    "Người cao tuổi nhớ mang theo thẻ bảo hiểm và sổ khám bệnh.",
    "Chương trình phát thanh xin dừng ở đây, chào bà con.",
)


@dataclass(frozen=True, slots=True)
class Clip:
    """One sentence in one voice: `sound` is a whole sound file of the given media type (audio/mpeg, …).
    `edition` is the voice's version: what people say of it holds for no other."""

    voice: str
    sentence: str
    sound: bytes
    media_type: str = "audio/mpeg"
    edition: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What listeners said of one voice: answers, mean mark (1-5), share of syllables written down wrongly."""

    voice: str
    listeners: int
    answers: int
    mark: float | None
    error: float | None
    edition: str = ""


def page(clips: Sequence[Clip], *, station: str, seed: int = 1) -> str:
    """The self-contained page.  The order is mixed by `seed`; neighbours have different sentences where
    possible.  InputError when there is nothing to hear."""
    if not clips:
        raise InputError("Chưa có câu nào để nghe thử; hãy chọn ít nhất một giọng dùng được.")
    order = _mixed(clips, seed)
    voices = sorted({clip.voice for clip in clips})
    codes = list(range(len(voices)))
    random.Random(seed).shuffle(codes)  # noqa: S311 - an order, not a secret
    key = {voice: f"G{codes[i] + 1}" for i, voice in enumerate(voices)}
    items = "\n".join(_item(number, clip, key[clip.voice]) for number, clip in enumerate(order, 1))
    form = {
        "form": FORM,
        "station": station,
        "voices": {code: voice for voice, code in key.items()},
        "clips": [
            {"voice": clip.voice, "sentence": clip.sentence, "edition": clip.edition} for clip in order
        ],
    }
    data = json.dumps(form, ensure_ascii=False).replace("<", "\\u003c")
    return _PAGE.format(station=html.escape(station), count=len(order), items=items, data=data)


def table(answers: Iterable[str | bytes]) -> list[Judged]:
    """Reads result files (their contents) and sums them up by voice and edition, best mark first.

    InputError names the file that is not a result of this form, counted from one.
    """
    marks: dict[tuple[str, str], list[int]] = {}
    wrong: dict[tuple[str, str], list[tuple[int, int]]] = {}
    listeners: dict[tuple[str, str], set[int]] = {}
    for number, text in enumerate(answers, 1):
        for which, sentence, heard, mark in _read(text, number):
            listeners.setdefault(which, set()).add(number)
            if mark is not None:
                marks.setdefault(which, []).append(mark)
            if heard:
                said = words(sentence)
                wrong.setdefault(which, []).append((edits(said, words(heard)), len(said)))
    rows = []
    for which, who in listeners.items():
        given, written = marks.get(which, []), wrong.get(which, [])
        length = sum(n for _, n in written)
        rows.append(
            Judged(
                which[0],
                len(who),
                max(len(given), len(written)),
                sum(given) / len(given) if given else None,
                sum(e for e, _ in written) / length if length else None,
                which[1],
            )
        )
    return sorted(rows, key=lambda row: (-(row.mark or 0.0), row.voice))


def _read(text: str | bytes, number: int) -> list[tuple[tuple[str, str], str, str, int | None]]:
    try:
        raw: dict[str, Any] = json.loads(text)
        if raw["form"] != FORM:
            raise ValueError("another form")
        found = []
        for clip, answer in zip(raw["clips"], raw["answers"], strict=True):
            mark = answer.get("mark")
            if mark is not None and (not isinstance(mark, int) or not 1 <= mark <= 5):
                raise ValueError("a mark")
            heard = str(answer.get("heard") or "").strip()
            if heard or mark is not None:
                which = (str(clip["voice"]), str(clip.get("edition", "")))
                found.append((which, str(clip["sentence"]), heard, mark))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"Tệp kết quả thứ {number} không phải phiếu nghe thử; hãy lấy lại tệp do trang nghe thử lưu ra."
        ) from error
    return found


def _mixed(clips: Sequence[Clip], seed: int) -> list[Clip]:
    chance = random.Random(seed)  # noqa: S311
    rest = list(clips)
    chance.shuffle(rest)
    order: list[Clip] = []
    while rest:
        fresh = [c for c in rest if not order or c.sentence != order[-1].sentence]
        clip = (fresh or rest)[0]
        rest.remove(clip)
        order.append(clip)
    return order


def _item(number: int, clip: Clip, code: str) -> str:
    sound = base64.b64encode(clip.sound).decode()
    marks = "".join(
        f'<label><input type="radio" name="mark{number}" value="{mark}"> {mark}</label>'
        for mark in range(1, 6)
    )
    return (
        f'<li><p class="code">Câu {number} · giọng {code}</p>'
        f'<audio controls preload="none" src="data:{html.escape(clip.media_type)};base64,{sound}"></audio>'
        f'<label class="heard">Nghe được gì, xin ghi lại<textarea name="heard{number}" rows="2"></textarea></label>'
        f"<fieldset><legend>Dễ nghe: 1 rất khó, 5 rất dễ</legend>{marks}</fieldset></li>"
    )


_PAGE = """<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Phiếu nghe thử · {station}</title>
<style>
body {{ font: 1.05rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 1rem; color: #1a1a1a; background: #fff; }}
li {{ border-top: 1px solid #bbb; padding: 1rem 0; }}
audio {{ width: 100%; }}
textarea {{ display: block; width: 100%; font: inherit; box-sizing: border-box; }}
fieldset {{ border: 0; padding: 0; margin: .5rem 0 0; }}
fieldset label {{ display: inline-block; min-width: 3rem; min-height: 2.75rem; }}
.code {{ margin: 0 0 .5rem; font-weight: 600; }}
button {{ font: inherit; padding: .7rem 1.2rem; }}
</style>
</head>
<body>
<h1>Phiếu nghe thử giọng đọc</h1>
<p>{station}. Có {count} câu. Mỗi câu xin nghe một đến hai lần, ghi lại điều nghe được, không cần đoán, rồi cho điểm.
Xong thì bấm nút ở cuối trang và gửi tệp vừa lưu cho cán bộ đài.</p>
<form id="form">
<label>Tên người nghe (không bắt buộc) <input name="listener"></label>
<ol>
{items}
</ol>
<button type="submit">Lưu kết quả thành tệp</button>
<p id="done" role="status"></p>
</form>
<noscript><p>Trang này cần JavaScript để lưu kết quả; nếu không có, xin ghi ra giấy số câu, điều nghe được và điểm.</p></noscript>
<script type="application/json" id="data">{data}</script>
<script>
document.getElementById("form").addEventListener("submit", function (event) {{
  event.preventDefault();
  var data = JSON.parse(document.getElementById("data").textContent);
  var given = new FormData(event.target);
  data.listener = given.get("listener");
  data.answers = data.clips.map(function (clip, i) {{
    var mark = given.get("mark" + (i + 1));
    return {{ heard: given.get("heard" + (i + 1)), mark: mark ? Number(mark) : null }};
  }});
  var link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(data, null, 1)], {{ type: "application/json" }}));
  link.download = "ket-qua-nghe-thu.json";
  link.click();
  document.getElementById("done").textContent = "Đã lưu tệp ket-qua-nghe-thu.json, xin gửi cho cán bộ đài.";
}});
</script>
</body>
</html>
"""
