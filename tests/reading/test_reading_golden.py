"""Sentences of our own, each with the reading we want: one TSV a subject, `written<TAB>spoken`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from broadcaster.reading import read, spoken

GOLDEN = [
    (path.stem, *line.split("\t"))
    for path in sorted((Path(__file__).parent / "golden").glob("*.tsv"))
    for line in path.read_text(encoding="utf-8").splitlines()
]


def test_there_are_enough_of_them() -> None:
    assert len(GOLDEN) >= 400
    assert len({written for _, written, _ in GOLDEN}) == len(GOLDEN)


@pytest.mark.parametrize(
    ("subject", "written", "wanted"), GOLDEN, ids=[f"{g[0]}-{g[1][:40]}" for g in GOLDEN]
)
def test_sentence_is_read_as_wanted(subject: str, written: str, wanted: str) -> None:
    assert spoken(written) == wanted


@pytest.mark.parametrize(
    ("subject", "written", "wanted"), GOLDEN, ids=[f"{g[0]}-{g[1][:40]}" for g in GOLDEN]
)
def test_document_and_fragment_agree(subject: str, written: str, wanted: str) -> None:
    reading = read(written)
    if not reading.left_out:
        assert (
            " ".join(
                reading.spoken.lower().replace(",", " ").translate({ord(c): " " for c in ".!?-"}).split()
            )
            == wanted
        )


def test_accepted_readings_of_other_peoples_sentences() -> None:
    path = Path(__file__).parents[2] / "scripts" / "bench_reading.py"
    spec = importlib.util.spec_from_file_location("bench_reading", path)
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    rows = bench.cases([Path(__file__).parent / "accepted.jsonl"])
    right, wrong = bench.exact(spoken, rows)
    assert len(rows) == 175
    assert right / len(rows) >= bench.EXACT_TARGET, wrong
    assert bench.exact(lambda text: text, rows)[0] < 20  # the measure can say no
