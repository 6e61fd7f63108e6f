"""A voice is on trial until ears have judged the edition that speaks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broadcaster.errors import InputError, StoreError
from broadcaster.speech import auditions
from broadcaster.speech.audition import FORM
from broadcaster.speech.choices import label_of, voice_choices
from broadcaster.speech.edition import edition_of_file
from broadcaster.speech.kokoro import open_kokoro

VOICES = Path(__file__).resolve().parents[2] / "audio" / "voices"
NOW = edition_of_file(VOICES / "nu-1.json")


def result(*marks: int | None, edition: str = NOW, voice: str = "kokoro:nu-1") -> bytes:
    clips = [{"voice": voice, "sentence": "Xin chào bà con.", "edition": edition} for _ in marks]
    answers = [{"heard": "xin chào bà con", "mark": mark} for mark in marks]
    return json.dumps({"form": FORM, "clips": clips, "answers": answers}).encode()


def names(home: Path) -> set[str]:
    """The voice as the engine, the list and the choice on the writing page call it."""
    engine = open_kokoro("nu-1", home=home / "var" / "voices", voices_dir=VOICES)
    chosen = {c.spec: c.label for c in voice_choices((), home=home, voices_dir=VOICES)}
    return {engine.label, chosen["kokoro:nu-1"], label_of("kokoro:nu-1", home=home, voices_dir=VOICES)}


def test_every_screen_says_on_trial_until_an_audition_is_kept_and_the_mark_after(tmp_path: Path) -> None:
    assert names(tmp_path) == {"giọng máy nữ (thử nghiệm)"}
    rows = auditions.keep([result(4, 5), result(3, 4)], folder=tmp_path / "var" / "voices")
    assert [(row.voice, row.listeners, row.mark) for row in rows] == [("kokoro:nu-1", 2, 4.0)]
    assert names(tmp_path) == {"giọng máy nữ (nghe thử 4,0/5)"}
    assert label_of("kokoro:nam-1", home=tmp_path, voices_dir=VOICES) == "giọng máy nam (thử nghiệm)"


def test_results_add_up_and_the_same_file_counts_once(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "voices"
    auditions.keep([result(2, 2)], folder=folder)
    auditions.keep([result(2, 2)], folder=folder)
    (row,) = auditions.keep([result(5, 5)], folder=folder)
    assert (row.listeners, row.answers, row.mark) == (2, 4, 3.5)


def test_what_was_said_of_another_edition_does_not_count(tmp_path: Path) -> None:
    auditions.keep([result(5, 5, edition="1-older")], folder=tmp_path / "var" / "voices")
    assert names(tmp_path) == {"giọng máy nữ (thử nghiệm)"}


def test_words_without_a_mark_leave_the_voice_on_trial(tmp_path: Path) -> None:
    auditions.keep([result(None)], folder=tmp_path / "var" / "voices")
    assert names(tmp_path) == {"giọng máy nữ (thử nghiệm)"}


def test_a_file_that_is_no_result_keeps_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="thứ 2"):
        auditions.keep([result(5), b"{}"], folder=tmp_path)
    assert not (tmp_path / auditions.FOLDER).exists()


def test_a_damaged_summary_is_no_summary_and_the_next_result_mends_it(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "voices"
    auditions.keep([result(5)], folder=folder)
    (folder / auditions.FOLDER / auditions.SUMMARY).write_text("half")
    assert names(tmp_path) == {"giọng máy nữ (thử nghiệm)"}
    auditions.keep([result(3)], folder=folder)
    assert names(tmp_path) == {"giọng máy nữ (nghe thử 4,0/5)"}


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file, not a folder")
    with pytest.raises(StoreError, match="quyền ghi"):
        auditions.keep([result(5)], folder=tmp_path / "var" / "voices")
