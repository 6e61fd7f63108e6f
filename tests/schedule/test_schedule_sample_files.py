"""The sample station's files hold together: counts, lengths, headers, and every name that points somewhere."""

from __future__ import annotations

import csv
import re
import runpy
import string
import tomllib
from datetime import date, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import docx
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "schedules" / "nhu-thanh"
BULLETINS = sorted((FOLDER / "bulletins").glob("*.txt"))
KEYS = ["tiêu đề", "chủ đề", "loại", "mức", "đọc hai lần"]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))


def parts(path: Path) -> tuple[dict[str, str], str]:
    """Header and text of a bulletin."""
    head, blank, text = path.read_text(encoding="utf-8").partition("\n\n")
    assert blank, f"{path.name}: no blank line after the header"
    header = {}
    for line in head.split("\n"):
        key, colon, value = line.removeprefix("# ").partition(":")
        assert line.startswith("# "), f"{path.name}: {line}"
        assert colon, f"{path.name}: {line}"
        header[key] = value.strip()
    return header, text.strip()


def test_there_are_37_villages_with_slugs_names_and_telephones_of_their_own() -> None:
    with (FOLDER / "villages.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 37
    for column in ("slug", "name", "operator", "phone"):
        assert len({row[column] for row in rows}) == 37, column
    for row in rows:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row["slug"]), row
        assert re.fullmatch(r"0237 000 \d{3}", row["phone"]), row  # no such numbers exist
        assert row["kind"] in {"thôn", "tổ dân phố"}
        assert int(row["population"]) > 0


def test_six_topics_have_two_bulletins_each_and_targets_that_add_up() -> None:
    data = toml("topics.toml")
    topics = data["topic"]
    slugs = [topic["slug"] for topic in topics]
    assert len(slugs) == len(set(slugs)) == 6
    assert data["campaign"]["motto"] == "Hành động đột phá, lan tỏa kết quả"
    assert data["campaign"]["first_day"] == date(2026, 1, 1)
    assert data["campaign"]["last_day"] == date(2026, 12, 31)
    assert sum(topic["target_broadcasts"] for topic in topics) == data["campaign"]["target_broadcasts"]
    assert all(topic["title"] and topic["summary"] for topic in topics)
    used = [parts(path)[0]["chủ đề"] for path in BULLETINS]
    assert set(used) - set(slugs) == {""}  # everyday notices belong to no topic of the plan
    for slug in slugs:
        assert used.count(slug) >= 2, slug
    assert used.count("") >= 5


@pytest.mark.parametrize("path", BULLETINS, ids=lambda path: path.stem)
def test_a_bulletin_has_its_header_and_120_to_350_words(path: Path) -> None:
    header, text = parts(path)
    assert list(header) == KEYS
    assert 10 <= len(header["tiêu đề"]) <= 90
    assert header["loại"] in {"tin", "bài", "thông báo", "cảnh báo"}
    assert header["mức"] in {"thông thường", "ưu tiên", "khẩn cấp"}
    assert header["đọc hai lần"] in {"có", "không"}
    assert 120 <= len(text.split()) <= 350
    assert re.fullmatch(r"[a-z0-9-]+\.txt", path.name)
    assert "…" not in text
    assert ".." not in text
    assert "#" not in text


def test_titles_are_told_apart() -> None:
    titles = [parts(path)[0]["tiêu đề"] for path in BULLETINS]
    assert len(titles) == len(set(titles)) >= 14


@pytest.mark.parametrize(
    ("what", "shape"),
    [
        ("document number", r"\d+/20\d\d/NĐ-CP|\d+-KH/BCĐ"),
        ("date", r"ngày \d\d/\d\d/20\d\d"),
        ("time", r"\d{1,2}h\d\d"),
        ("range of times", r"\d{1,2}h\d\d-\d{1,2}h\d\d"),
        ("range", r"\d+-\d+ (ngày|người|phút)"),
        ("range with spaces", r"\d+ - \d+"),
        ("money", r"\d{1,3}(\.\d{3})+ đồng"),
        ("telephone", r"0237 000 \d{3}"),
        ("hotline", r"\b(113|115|1022)\b"),
        ("abbreviation", r"UBND|HĐND|CNSCĐ|VNeID|BHYT|MTTQ"),
        ("percentage", r"\d+(,\d+)?%"),
        ("leading zero", r"\b0\d (người|thành viên|lần|ngày)"),
        ("unit", r"km/h|m3/s|°C|\bha\b|\bkV\b"),
        ("Roman numeral", r"\b(quý|Phần) [IVX]+\b"),
        ("share", r"\d+/\d+ (thôn|nhà|quầy|người)"),
    ],
)
def test_the_bulletins_contain_what_real_texts_contain(what: str, shape: str) -> None:
    holding = [path for path in BULLETINS if re.search(shape, parts(path)[1])]
    assert holding, what


def test_the_station_says_its_name_and_its_rules() -> None:
    data = toml("station.toml")
    assert data["slug"] == "nhu-thanh"
    assert data["zone"] == "Asia/Ho_Chi_Minh"
    assert data["call_sign"] == f"Đây là {data['name']}."
    policy = data["policy"]
    assert (policy["earliest_start"], policy["latest_end"]) == ("05:30", "21:00")
    assert (policy["quiet_from"], policy["quiet_to"]) == ("21:00", "05:30")
    assert (policy["sessions_a_day"], policy["minutes_a_session"]) == (3, 45)
    assert set(policy["weekdays"]) <= set(DAYS)
    assert "voices" not in data  # the order of voices is the settings', so that one place decides it
    used = {
        name
        for text in data["template"].values()
        for _, name, _, _ in string.Formatter().parse(text)
        if name is not None
    }
    assert used <= {"call_sign", "station", "weekday", "date", "time", "count"}


def test_the_slots_keep_the_rules_of_the_station() -> None:
    policy = toml("station.toml")["policy"]
    slots = toml("week.toml")["slot"]
    assert [(slot["slug"], slot["start"]) for slot in slots] == [("sang", "05:30"), ("chieu", "17:00")]
    for slot in slots:
        assert slot["weekdays"] == list(DAYS[:6])
        assert set(slot["weekdays"]) <= set(policy["weekdays"])
        start = time.fromisoformat(slot["start"])
        assert start >= time.fromisoformat(policy["earliest_start"])
        ends = timedelta(hours=start.hour, minutes=start.minute + slot["max_minutes"])
        last = time.fromisoformat(policy["latest_end"])
        assert ends <= timedelta(hours=last.hour, minutes=last.minute)
        assert slot["max_minutes"] <= policy["minutes_a_session"]
        assert isinstance(slot["valid_from"], date)
    assert len(slots) <= policy["sessions_a_day"]


def test_the_rotations_name_every_bulletin_and_leave_no_airing_alone_with_one() -> None:
    week = toml("week.toml")
    slots = {slot["slug"] for slot in week["slot"]}
    files = {path.name for path in BULLETINS}
    named: set[str] = set()
    assert {one["slot"] for one in week["rotation"]} == slots
    for one in week["rotation"]:
        order, size = one["bulletins"], one["per_airing"]
        assert 2 <= size <= 3
        assert len(order) == len(set(order))
        assert len(order) >= 2 * size
        assert all(first != second for first, second in pairwise([*order, order[0]]))
        named |= set(order)
    assert named == files


def test_the_committed_plan_is_what_its_script_makes() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "make_sample_plan.py"))
    committed = docx.Document(str(FOLDER / "bulletins" / "ke-hoach-mau.docx"))
    said = [paragraph.text for paragraph in committed.paragraphs if paragraph.text]
    for heading, items in made["BODY"]:
        assert heading in said
        assert all(item in said for item in items if item != "@table")
    cells = [[cell.text for row in table.rows for cell in row.cells] for table in committed.tables]
    head, month, end = cells
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc" in head
    assert "Số:     /KH-UBND" in head  # still blank: what a clerk fills in
    assert "Như Thanh, ngày     tháng     năm 2026" in head
    assert month == [text for row in made["MONTH"] for text in row]
    assert end[0].startswith("Nơi nhận:\n")
    assert end[1].startswith("TM. ỦY BAN NHÂN DÂN\nKT. CHỦ TỊCH\nPHÓ CHỦ TỊCH\n")
    assert made["build"]() == made["build"]()
