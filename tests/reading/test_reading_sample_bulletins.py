"""The sample station's texts are read whole, with nothing to ask and nothing unread."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from broadcaster.reading import read, spoken

FOLDER = Path(__file__).resolve().parents[2] / "schedules" / "nhu-thanh" / "bulletins"
BULLETINS = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("path", BULLETINS, ids=lambda path: path.stem)
def test_a_sample_bulletin_is_spoken_whole_in_plain_words(path: Path) -> None:
    head, _, text = path.read_text(encoding="utf-8").partition("\n\n")
    title = head.split("\n")[0].partition(": ")[2]
    reading = read(text)
    assert not reading.warnings
    assert not reading.left_out
    assert not read(title).warnings
    said = f"{reading.spoken} {spoken(title)}"
    assert not re.search(r"[^\w\s,.?!]|[\d_]", said), re.findall(r"\S*[^\w\s,.?!]\S*|\S*\d\S*", said)
    assert not re.search(r"\b[A-ZĐ]{2,}\b", said)
    assert len(reading.spoken.split()) >= len(text.split())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("toan-xa-hanh-dong", "Nghị quyết số không bốn, ngày hai mươi chín tháng một"),
        ("toan-xa-hanh-dong", "một Tổ công nghệ số cộng đồng từ năm đến bảy người"),
        (
            "loa-xa-tren-dien-thoai",
            "Nghị định số bốn mươi chín năm hai nghìn không trăm hai mươi tư của Chính phủ",
        ),
        ("canh-bao-gia-danh", "gọi một một ba"),
        ("canh-bao-gia-danh", "đầu số một năm sáu"),
        ("lich-tiem-chung", "từ bảy giờ ba mươi phút đến mười một giờ"),
        ("phong-chong-ret", "sáu mươi đến một trăm oát"),
        ("ung-pho-bao", "năm mươi đến tám mươi mét khối trên giây"),
        ("song-di-dong-cap-quang", "quốc lộ bốn mươi lăm"),
        ("hop-thon-cuoi-nam", "Phần ba, bàn việc năm hai nghìn không trăm hai mươi bảy"),
    ],
)
def test_what_makes_other_readers_stumble_is_said_as_an_announcer_says_it(name: str, words: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")[2]
    assert words in read(text).spoken
