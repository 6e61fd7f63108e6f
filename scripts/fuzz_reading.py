"""Throw texts at the reader and check what must hold for every text.

    python scripts/fuzz_reading.py --inputs 1000000 --seed 1

Each input is made from its own seed, so a failure is named by one number and can be replayed with
`--seed N --inputs 1`.  Exit 1 when anything failed; the seeds go to stdout.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from broadcaster.reading import read, spoken
from broadcaster.reading.syllables import has_vowel

WORDS = """ngày tháng năm số quý khóa thứ lần từ đến gọi liên hệ tỷ lệ đạt hơn mức giá cấp Km QL45 ĐT TL UBND HĐND
TT KT. TM. TP. P. T. đ/c V/v v.v. kg/sào đồng/kg km/h m2 m³ °C % ha 04-NQ/TU 49/2024/NĐ-CP 123/UBND-VHXH 02-KH/BCĐ
5-7 15/3 15/3/2026 01-02/6 3/2026 7h30 7h30-11h 17:30 24/24 2/3 18/19 1.250.000đ 3,5% 2026-2031 0912.345.678 113
1022 1900 XIV III I-II lần thứ I ST25 A/H5N1 36A-123.45 https://a.vn x@y.vn #Tag *101# (SN 1985) 16-16-8 -2 4.0
1:3 Số: /KH-UBND …… ____ ... … ./. - + * • ** | Thôn xã Như Thanh họp HỌP CHO DO XQB Zalo wifi deepfake café""".split()
SIGNS = list("0123456789.,/-–:;()+%&…_*#@|°²'\"“”\n\t  aăâbcdđeêiIVXLMgkmnopqrstuvxyzĐH")
ODD = [
    "\u0301",
    "\u0323",
    "\u200b",
    "\u202e",
    "\ufeff",
    "中",
    "ж",
    "ก",
    "😀",
    "\ud800",
    "\x00",
    "٣",
    "½",
    "①",
    "Ⅳ",
    "ﬁ",
    "\u00ad",
    "µ",
    "®",
    "６",
    "\u2028",
]


def make(seed: int, longest: int = 13) -> str:
    """One input: words of officialese, single signs, odd characters, joined with or without spaces."""
    pick = random.Random(seed)  # noqa: S311 - a repeatable stream, not a secret
    parts: list[str] = []
    for _ in range(pick.randrange(1, longest + 1)):
        kind = pick.random()
        if kind < 0.5:
            parts.append(pick.choice(WORDS))
        elif kind < 0.85:
            parts.append("".join(pick.choice(SIGNS) for _ in range(pick.randrange(1, 6))))
        elif kind < 0.97:
            parts.append(pick.choice(ODD))
        else:
            parts.append(chr(pick.randrange(0x110000)))
        parts.append(pick.choice((" ", " ", " ", "", ".", "\n")))
    return "".join(parts)


def faults(text: str) -> list[str]:
    """What does not hold for this text."""
    found = []
    said = spoken(text)
    for word in said.split():
        if not word.isalpha() or not has_vowel(word):
            found.append(f"unspeakable {word!r}")
    if spoken(said) != said:
        found.append(f"not idempotent: {said!r} -> {spoken(said)!r}")
    reading = read(text)
    covered = bytearray(len(reading.text))
    for sentence in reading.sentences:
        if reading.text[sentence.start : sentence.end] != sentence.written:
            found.append("a sentence is not its slice")
        covered[sentence.start : sentence.end] = b"\1" * (sentence.end - sentence.start)
        for mark in sentence.marks:
            if not sentence.start <= mark.start <= mark.end <= sentence.end:
                found.append(f"mark {mark.written!r} outside its sentence")
            if reading.text[mark.start : mark.end] != mark.written:
                found.append(f"mark {mark.written!r} is not its slice")
    for part in reading.left_out:
        covered[part.start : part.end] = b"\1" * (part.end - part.start)
    lost = "".join(
        c for c, seen in zip(reading.text, covered, strict=True) if not seen and c.isalnum() and c.isascii()
    )
    if lost:
        found.append(f"neither spoken nor shown as left out: {lost!r}")
    if reading.warnings and not reading.blocking:
        found.append("warnings that do not block")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first input")
    parser.add_argument("--longest", type=int, default=13, help="most parts of an input")
    arguments = parser.parse_args()
    began, failed = time.perf_counter(), 0
    for seed in range(arguments.seed, arguments.seed + arguments.inputs):
        text = make(seed, arguments.longest)
        try:
            found = faults(text)
        except Exception as error:
            found = [f"raised {type(error).__name__}: {error}"]
        if found:
            failed += 1
            if failed <= 40:
                print(f"seed {seed}: {text!r}: {'; '.join(found)}", flush=True)
        if (seed - arguments.seed + 1) % 50_000 == 0:
            print(f"{seed - arguments.seed + 1} inputs, {failed} failed", flush=True)
    seconds = time.perf_counter() - began
    print(f"{arguments.inputs} inputs, {failed} failed, {seconds:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
