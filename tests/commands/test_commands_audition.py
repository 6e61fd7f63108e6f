"""voices audition: a page that people take away, and the table of what they brought back."""

from __future__ import annotations

import json
import re
from pathlib import Path

from broadcaster.speech.audition import SENTENCES
from tests.commands.conftest import Run


def test_a_page_is_made_with_every_sentence_and_its_results_become_a_table(run: Run, tmp_path: Path) -> None:
    made = tmp_path / "phiếu.html"
    ran = run("voices", "audition", "--voice", "silent", "-o", made)
    assert (ran.code, ran.err) == (0, "")
    text = made.read_text(encoding="utf-8")
    assert text.count("<audio") == len(SENTENCES)
    assert "data:audio/flac;base64,ZkxhQ" in text  # "fLaC"
    found = re.search(r'id="data">(.*?)</script>', text, re.S)
    assert found
    form = json.loads(found[1])
    form["answers"] = [{"heard": clip["sentence"], "mark": 4} for clip in form["clips"]]
    result = tmp_path / "kq.json"
    result.write_text(json.dumps(form), encoding="utf-8")
    told = run("voices", "audition", result)
    assert told.code == 0
    assert "silent" in told.out
    assert "4.0 điểm, nghe sai 0%" in told.out
    assert run("voices", "audition", result).out == told.out  # the same file again counts once


def test_a_voice_asked_for_that_cannot_speak_is_refused_in_words(run: Run, tmp_path: Path) -> None:
    ran = run("voices", "audition", "--voice", "piper:khong-co", "-o", tmp_path / "x.html")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert not (tmp_path / "x.html").exists()


def test_a_file_that_is_no_result_is_refused_in_words(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ảnh.json").write_text("{}")
    ran = run("voices", "audition", tmp_path / "ảnh.json")
    assert ran.code == 1
    assert "phiếu nghe thử" in ran.err


def test_a_damaged_embedded_model_is_not_taken_from_a_stick(run: Run, tmp_path: Path) -> None:
    (tmp_path / "kokoro-v1.0.int8.onnx").write_bytes(b"half of it")
    ran = run("voices", "add", tmp_path)
    assert ran.code == 1
    assert "chép lại" in ran.err
