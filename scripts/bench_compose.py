"""Measure the compose page: the reading that comes back while somebody types, and the pages around it.

    python scripts/bench_compose.py [--check] [--rounds N]

A station is made in a temporary folder, with a bulletin of 350 words that holds dates, numbers and abbreviations
as a commune writes them.  Each request goes through the whole application (session, rights, form protection,
database, reading, templates) and saves the draft, as a browser's request does.  --check exits 1 on a miss.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "scripts"))

from bench_tools import Row, machine, table  # noqa: E402

from broadcaster.config import load  # noqa: E402
from broadcaster.install import install  # noqa: E402
from web import create_app  # noqa: E402

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PREVIEW_MS = 150.0  # p95 on the server, for 350 words
PAGE_MS = 300.0
PART = (
    "Thực hiện Kế hoạch số 52/KH-UBND ngày 20/11/2026 của UBND xã về việc ra quân dọn vệ sinh, từ 6 giờ 30 đến 8 giờ "
    "sáng thứ Bảy, ngày 28/11/2026, các thôn đồng loạt dọn vệ sinh đường làng, ngõ xóm. Mỗi hộ cử 1 người, mang theo "
    "cuốc, xẻng, chổi; rác được tập kết tại nhà văn hóa thôn, xe của xã đến chở lúc 8h15. Năm nay xã phấn đấu 95% số "
    "hộ phân loại rác tại nhà, giảm 15-20 tấn rác mỗi tháng. Hộ thực hiện tốt được hỗ trợ 50.000 đồng/tháng theo "
    "Nghị quyết số 04-NQ/TU. Bà con cần hỏi thêm xin gọi BCĐ theo số 0237 3848 123 hoặc tổng đài 1022. "
)


def text_of(words: int) -> str:
    """Whole parts, cut at the number of words."""
    many = "Kính thưa bà con và các bạn. " + PART * (words // 100 + 1)
    return " ".join(many.split()[:words])


def main() -> int:
    """Run, print, exit 1 on a miss with --check."""
    options = argparse.ArgumentParser(description="Đo trang soạn bản tin.")
    options.add_argument("--check", action="store_true")
    options.add_argument("--rounds", type=int, default=60)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        settings = load(environ={}, home=Path(folder), flags={"voice.chain": "silent"})
        made = install(settings, now=NOW)
        passwords = {account.username: account.password for account in made.accounts}
        app = create_app(settings, now=lambda: NOW)
        try:
            rows = measure(app, passwords, asked.rounds)
        finally:
            app.extensions["broadcaster"].close()
    print(machine() + "\n")
    print(table(rows))
    return 1 if asked.check and any(each.met is False for each in rows) else 0


def measure(app: Any, passwords: dict[str, str], rounds: int) -> list[Row]:
    """The rows of the table."""
    with app.test_client() as client:
        token = token_of(client.get("/dang-nhap").text)
        client.post(
            "/dang-nhap", data={"csrf_token": token, "username": "canbo", "password": passwords["canbo"]}
        )
        rows = []
        for words, target in ((350, PREVIEW_MS), (1_000, None), (5_000, None)):
            url, form = draft(client, words)
            used = time.process_time()
            times = [typing(client, url, form, number) for number in range(rounds if words < 5_000 else 8)]
            used = (time.process_time() - used) * 1000 / len(times)
            rows.append(row(f"reading back while typing, {words} words", times[2:], target))
            rows.append(Row(f"  of that on a processor, {words} words", f"mean {used:.0f} ms"))
        url, form = draft(client, 350)
        rows.append(row("compose page, 350 words", repeated(lambda: client.get(url), rounds), PAGE_MS))
        rows.append(
            row(
                "page before sending, 350 words",
                repeated(lambda: client.get(url + "/xem-lai"), rounds),
                PAGE_MS,
            )
        )
        rows.append(row("today's board", repeated(lambda: client.get("/"), rounds), PAGE_MS))
        board = client.get("/").text
        shown = [
            f"{name}:{mark}" for name, mark in re.findall(r'name="co" value="([^":]+):([0-9a-f]+)"', board)
        ]
        rows.append(
            row(
                "today's board, nothing changed",
                repeated(lambda: client.get("/hom-nay/bang", query_string={"co": shown}), rounds),
                PAGE_MS,
            )
        )
        rows.append(row("list of bulletins", repeated(lambda: client.get("/ban-tin"), rounds), PAGE_MS))
    return rows


def draft(client: Any, words: int) -> tuple[str, dict[str, str]]:
    """A new bulletin of so many words: its address and the fields of its form."""
    token = token_of(client.get("/ban-tin/moi").text)
    made = client.post("/ban-tin", data={"csrf_token": token, "title": "Ra quân", "text": text_of(words)})
    assert made.status_code == 303, made.text
    page = client.get(made.location).text
    form = {"title": "Ra quân", "priority": "routine", "text": text_of(words), "csrf_token": token_of(page)}
    return made.location, form | {"version": version_of(page)}


def typing(client: Any, url: str, form: dict[str, str], number: int) -> float:
    """Seconds of one request that saves one more word and brings the reading back."""
    form["text"] += f" từ{number}" if number % 2 else " thêm 5%"
    start = time.perf_counter()
    answer = client.post(url, data=form, headers={"HX-Request": "true"})
    passed = time.perf_counter() - start
    assert answer.status_code == 200, answer.text
    form["version"] = version_of(answer.text)
    return passed


def repeated(ask: Callable[[], Any], rounds: int) -> list[float]:
    """Seconds of each of some requests, the first two apart."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        answer = ask()
        times.append(time.perf_counter() - start)
        assert answer.status_code in (200, 204)
    return times[2:]


def row(what: str, times: list[float], target_ms: float | None) -> Row:
    """p95 against the target, with median and range."""
    ms = sorted(1000 * each for each in times)
    p95 = ms[min(round(0.95 * len(ms)), len(ms) - 1)]
    value = f"p95 {p95:.0f} ms (median {statistics.median(ms):.0f}, {ms[0]:.0f}–{ms[-1]:.0f}, n={len(ms)})"
    if target_ms is None:
        return Row(what, value)
    return Row(what, value, f"≤ {target_ms:.0f} ms", p95 <= target_ms)


def token_of(page: str) -> str:
    """The page's form token."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def version_of(page: str) -> str:
    """The draft's version in the page's form."""
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found is not None
    return found[1]


if __name__ == "__main__":
    raise SystemExit(main())
