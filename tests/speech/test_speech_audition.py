import base64
import json
import re

import pytest

from broadcaster.errors import InputError
from broadcaster.speech.audition import SENTENCES, Clip, page, table
from broadcaster.speech.phonology import Syllable, parse

CLIPS = [
    Clip(voice, text, f"{voice}{i}".encode())
    for voice in ("kokoro:nu-1", "gtts")
    for i, text in enumerate(SENTENCES)
]


def form_of(text: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])


def answered(heard: str | None = None, mark: int | None = 4, voice: str = "gtts") -> str:
    form = form_of(page(CLIPS, station="Xã Thử"))
    form["answers"] = [
        {"heard": clip["sentence"] if heard is None else heard, "mark": mark}
        if clip["voice"] == voice
        else {}
        for clip in form["clips"]
    ]
    return json.dumps(form)


def test_the_page_holds_every_clip_once_and_needs_no_network() -> None:
    text = page(CLIPS, station="Xã <Thử>")
    sounds = [base64.b64decode(s).decode() for s in re.findall(r"data:audio/mpeg;base64,([^\"]+)", text)]
    assert sorted(sounds) == sorted(clip.sound.decode() for clip in CLIPS)
    assert "http" not in text.replace("http-equiv", "")
    assert "Xã &lt;Thử&gt;" in text
    assert 'lang="vi"' in text


def test_the_order_is_mixed_fixed_by_its_seed_and_hides_the_voice() -> None:
    first, again, other = (form_of(page(CLIPS, station="X", seed=s))["clips"] for s in (1, 1, 2))
    assert first == again != other
    assert all(a["sentence"] != b["sentence"] for a, b in zip(first, first[1:], strict=False))
    visible = re.sub(r'<script type="application/json".*?</script>', "", page(CLIPS, station="X"), flags=re.S)
    assert "kokoro" not in visible
    assert "gtts" not in visible


def test_results_become_a_table_by_voice() -> None:
    rows = table([answered(mark=5), answered(mark=3), answered(heard="một hai", mark=1, voice="kokoro:nu-1")])
    assert [row.voice for row in rows] == ["gtts", "kokoro:nu-1"]
    assert (rows[0].listeners, rows[0].answers, rows[0].mark, rows[0].error) == (2, 20, 4.0, 0.0)
    assert rows[1].mark == 1.0
    assert rows[1].error is not None
    assert rows[1].error > 0.8


def test_unanswered_clips_do_not_count() -> None:
    assert table([answered(heard="", mark=None)]) == []


@pytest.mark.parametrize("bad", ["", "[]", "{}", '{"form": "khác"}', answered(mark=6)])
def test_a_file_that_is_no_result_is_named(bad: str) -> None:
    with pytest.raises(InputError, match="thứ 2"):
        table([answered(), bad])


def test_nothing_to_hear_is_refused() -> None:
    with pytest.raises(InputError):
        page([], station="X")


def test_the_sentences_are_spoken_words_only() -> None:
    for sentence in SENTENCES:
        said = [item.written for item in parse(sentence) if isinstance(item, Syllable)]
        assert said == re.findall(r"[^\W_]+", sentence)
