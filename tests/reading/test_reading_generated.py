"""Sentences built by the hundred: what must never be heard is never heard."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    path = Path(__file__).parents[2] / "scripts" / "generated_reading.py"
    spec = importlib.util.spec_from_file_location("generated_reading", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_generated_sentence_holds_a_range_as_a_date_or_a_hotline_as_a_quantity(
    generated: ModuleType,
) -> None:
    for seed in range(5_000_000, 5_001_500):
        text, slots = generated.make(seed)
        assert generated.faults(text, slots) == [], f"seed {seed}: {text}"


def test_the_checker_notices_each_kind_of_lie(generated: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    slot = generated.Slot("5-7", "năm đến bảy", "a range spoken as a date", ("năm tháng bảy",))
    monkeypatch.setattr(generated, "spoken", lambda text: "năm đến bảy ngày, từ mùng năm tháng bảy")
    assert "a range spoken as a date: 5-7" in generated.faults("5-7 ngày", [slot])
    hotline = generated.Slot("114", "một một bốn", "a hotline spoken as a quantity", ("một trăm mười bốn",))
    monkeypatch.setattr(generated, "spoken", lambda text: "gọi một trăm mười bốn")
    assert generated.faults("gọi 114", [hotline]) == ["a hotline spoken as a quantity: 114"]
    monkeypatch.setattr(generated, "spoken", lambda text: "gọi 114")
    assert "unspeakable token left: 114" in generated.faults("gọi 114", [])
