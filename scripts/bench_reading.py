"""Measure the reader: sentences exactly right, speed, growth with length; peers beside it when installed.

    python scripts/bench_reading.py [--check] [--gold FILE.jsonl ...] [--rounds N]

Gold lines are JSON objects with "text" and "spoken", a list of accepted readings in which (a|b) is one of
and [a|b] is one of or nothing.  Without --gold: tests/reading/accepted.jsonl and our golden TSVs.  Peers
(requirements-bench.txt) that are not installed are skipped.  --check exits 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import statistics
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from broadcaster.reading import read, spoken  # noqa: E402

EXACT_TARGET = 0.97
SPEED_TARGET = 100_000  # characters a second, one core
MEGABYTE_TARGET_S = 10.0
GROWTH_LIMIT = 8.0  # four times the text may take four times as long; the rest is noise
NASTY = [
    "1.",
    "0 1 ",
    "1/1/",
    "((1",
    "đồng/",
    "1đ/hộ/",
    "A-",
    "UBND-",
    "x@",
    "a.",
    "I-",
    "ngày ",
    "từ a - ",
    "…",
    "_",
    " ",
]
Case = tuple[str, list[str]]


def plain(text: str) -> str:
    """Words only, lower case, one space after each; new tone placement is left to the gold."""
    text = unicodedata.normalize("NFC", text).lower()
    return "".join(w + " " for w in "".join(c if c.isalnum() else " " for c in text).split())


def compiled(accepted: str) -> re.Pattern[str]:
    """The (a|b) [a|b] notation as a pattern over `plain` text."""
    out = []
    for token in re.findall(r"[()\[\]|]|[^()\[\]|]+", accepted):
        out.append(
            {"(": "(?:", ")": ")", "[": "(?:", "]": ")?", "|": "|"}.get(token) or re.escape(plain(token))
        )
    return re.compile("".join(out))


def cases(paths: list[Path]) -> list[Case]:
    """(text, accepted readings) of gold files and golden TSVs."""
    found: list[Case] = []
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            if path.suffix == ".tsv":
                written, wanted = line.split("\t")
                found.append((written, [wanted]))
            elif line.strip():
                row = json.loads(line)
                found.append((row["text"], row["spoken"]))
    return found


def exact(reader: Callable[[str], str], rows: list[Case]) -> tuple[int, list[str]]:
    """(how many are right, texts of those that are not)."""
    wrong = []
    for text, accepted in rows:
        said = plain(reader(text))
        if not any(compiled(a).fullmatch(said) for a in accepted):
            wrong.append(text)
    return len(rows) - len(wrong), wrong


def speed(reader: Callable[[str], object], text: str, rounds: int) -> list[float]:
    """Characters a second of processor time (other jobs of the machine do not count), once a round."""
    reader(text)
    rates = []
    for _ in range(rounds):
        began = time.process_time()
        reader(text)
        rates.append(len(text) / (time.process_time() - began))
    return rates


def growth(piece: str) -> float:
    """How many times longer 20,000 characters of `piece` take than 5,000."""
    seconds = []
    for size in (5_000, 20_000):
        text = (piece * (size // len(piece) + 1))[:size]
        began = time.process_time()
        read(text)
        seconds.append(time.process_time() - began)
    return seconds[1] / max(seconds[0], 0.01)


def peers() -> dict[str, Callable[[str], str]]:
    """Normalisers of others that are installed here."""
    found: dict[str, Callable[[str], str]] = {}
    try:
        from sea_g2p import Normalizer

        sea = Normalizer()
        found["sea-g2p"] = lambda text: re.sub(r"</?en>", " ", sea.normalize(text))
    except ImportError:
        print("sea-g2p: not installed, skipped")
    try:
        from g2p_hamster.t0.pipeline import normalize

        found["g2p-hamster"] = lambda text: str(normalize(text)["read_string"])
    except ImportError:
        print("g2p-hamster: not installed, skipped")
    try:
        from vietnormalizer import VietnameseNormalizer

        viet = VietnameseNormalizer()
        found["vietnormalizer"] = lambda text: str(viet.normalize(text))
    except ImportError:
        print("vietnormalizer: not installed, skipped")
    return found


def commit() -> str:
    """The commit measured, "?" outside a checkout."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except OSError:
        return "?"
    return done.stdout.strip() or "?"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    parser.add_argument("--gold", type=Path, action="append", help="gold JSONL (may be repeated)")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    tests = ROOT / "tests" / "reading"
    gold = cases(arguments.gold or [tests / "accepted.jsonl"])
    golden = cases(sorted((tests / "golden").glob("*.tsv")))
    print(
        f"commit {commit()} · {platform.machine()} {platform.system()} · Python {platform.python_version()}"
    )
    missed = []
    right, wrong = exact(spoken, gold)
    print(f"accepted sentences exactly right: {right}/{len(gold)} = {right / len(gold):.1%}")
    for text in wrong[:10]:
        print(f"  wrong: {text}")
    if right / len(gold) < EXACT_TARGET:
        missed.append("exact sentences")
    ours, wrong = exact(spoken, golden)
    print(f"our golden sentences exactly right: {ours}/{len(golden)}")
    if wrong:
        missed.append("golden sentences")
    text = "\n".join(t for t, _ in golden + gold)
    for name, reader in (("spoken", spoken), ("read", read)):
        rates = speed(reader, text, arguments.rounds)
        middle = statistics.median(rates)
        print(
            f"{name}: {middle:,.0f} characters/s of one core (n={len(rates)}, {min(rates):,.0f}-{max(rates):,.0f}; {len(text):,} characters)"
        )
        if middle < SPEED_TARGET:
            missed.append(f"speed of {name}")
    for size in (62_500, 250_000, 1_000_000):
        long = (text * (size // len(text) + 1))[:size]
        began = time.process_time()
        read(long)
        seconds = time.process_time() - began
        print(f"read of {size:,} characters: {seconds:.2f} s of one core")
        if size == 1_000_000 and seconds > MEGABYTE_TARGET_S:
            missed.append("one megabyte")
    worst = max((growth(piece), piece) for piece in NASTY)
    print(f"worst growth from 5,000 to 20,000 characters of one pattern: {worst[0]:.1f} times ({worst[1]!r})")
    if worst[0] > GROWTH_LIMIT:
        missed.append("linear growth")
    for name, peer in peers().items():
        theirs, _ = exact(peer, gold)
        rate = statistics.median(speed(lambda t, p=peer: [p(line) for line in t.split("\n")], text, 1))
        print(
            f"{name}: accepted sentences {theirs}/{len(gold)} = {theirs / len(gold):.1%}, {rate:,.0f} characters/s"
        )
    if missed:
        print("missed: " + ", ".join(missed))
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
