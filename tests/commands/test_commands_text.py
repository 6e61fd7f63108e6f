"""read, speak, produce: what a person gives them, right and wrong, and what they answer."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import docx
import numpy as np
import pytest
import soundfile

from broadcaster.config import CHECKOUT
from tests.commands.conftest import Run

NOTICE = "Kính thưa bà con. Sáng mai, 7 giờ 30, trạm y tế xã tiêm phòng sởi cho trẻ từ 1 đến 5 tuổi.\n"
BLANK = "Số:     /KH-UBND\n\nKẾ HOẠCH\nPhòng chống cháy rừng\n\nNhân dân các thôn chú ý, ngày     tháng     năm 2026 họp.\n"


def archive(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return out.getvalue()


BAD_FILES = {
    "empty": (b"", "trống"),
    "blank": (b" \n\n\t", "trống"),
    "no letters": ("—— …".encode(), "không có chữ"),
    "too long": (("chữ " * 12_501).encode(), "50.003 ký tự, quá 50.000"),
    "renamed zip": (archive(anh=b"x"), "tệp nén, không phải Word"),
    "old doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "lưu lại thành .docx"),
    "zip bomb": (
        archive(**{"[Content_Types].xml": b"<x/>", "word/document.xml": bytes(30 << 20)}),
        "quá lớn",
    ),
    "damaged": (b"PK\x03\x04 hong", "bị hỏng"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 8, "không phải văn bản"),
    "too heavy": (b"a" * ((5 << 20) + 1), "quá 5 MB"),
}


@pytest.mark.parametrize("command", [("read",), ("speak", "-o", "ra.wav"), ("produce", "-o", "ra.mp3")])
@pytest.mark.parametrize(("data", "says"), BAD_FILES.values(), ids=list(BAD_FILES))
def test_a_file_that_cannot_be_used_is_one_line_and_leaves_nothing(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    data: bytes,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("kế hoạch.docx").write_bytes(data)
    ran = run(command[0], "kế hoạch.docx", *command[1:])
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err
    assert len(ran.err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kế hoạch.docx", "nhà đài"]


@pytest.mark.parametrize("command", [("read",), ("speak", "-o", "ra.wav"), ("produce", "-o", "ra.mp3")])
def test_a_file_that_is_not_there_is_named(run: Run, command: tuple[str, ...]) -> None:
    ran = run(command[0], "không có.txt", *command[1:])
    assert ran.code == 1
    assert "không có.txt" in ran.err
    assert "Hãy kiểm tra lại đường dẫn" in ran.err


def test_empty_standard_input_is_refused(run: Run) -> None:
    ran = run("read")
    assert ran.code == 1
    assert "trống" in ran.err


def test_read_prints_a_sentence_a_line_without_digits(run: Run) -> None:
    ran = run("read", stdin=NOTICE)
    assert ran.code == 0
    assert ran.err == ""
    lines = ran.out.splitlines()
    assert len(lines) == 2
    assert "bảy giờ ba mươi" in lines[1]
    assert not any(letter.isdigit() for letter in ran.out)


def test_a_dash_and_no_file_are_standard_input(run: Run) -> None:
    assert run("read", "-", stdin=NOTICE).out == run("read", stdin=NOTICE).out != ""


def test_read_takes_txt_and_docx_by_content(run: Run, tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph(NOTICE.strip())
    document.save(tmp_path / "đổi tên.txt")
    (tmp_path / "thật.docx").write_text(NOTICE, encoding="utf-8")
    first, second = run("read", tmp_path / "đổi tên.txt"), run("read", tmp_path / "thật.docx")
    assert first.code == second.code == 0
    assert first.out == second.out


def test_old_vietnamese_fonts_are_converted_and_told(run: Run) -> None:
    typed = "Th«ng b¸o: ngµy mai tiªm phßng cho trÎ em trong x· ta."
    ran = run("read", stdin=typed.encode("cp1252"))
    assert ran.code == 0
    assert "ngày mai tiêm phòng" in ran.out
    assert "TCVN3" in ran.err


def test_control_characters_are_taken_out_and_told(run: Run) -> None:
    ran = run("read", stdin="Kính thưa\x07 bà con\x00 trong xã.")
    assert ran.code == 0
    assert ran.out == "Kính thưa bà con trong xã.\n"
    assert "2 ký tự điều khiển" in ran.err


def test_read_json_has_the_documented_shape(run: Run) -> None:
    ran = run("read", "--json", stdin=BLANK)
    found = json.loads(ran.out)
    assert set(found) == {"text", "spoken", "blocking", "sentences", "left_out", "warnings", "notes"}
    assert found["blocking"] is True
    text = found["text"]
    for sentence in found["sentences"]:
        assert set(sentence) == {"start", "end", "written", "spoken", "pause", "marks"}
        assert text[sentence["start"] : sentence["end"]] == sentence["written"]
        for mark in sentence["marks"]:
            assert set(mark) == {"start", "end", "written", "spoken", "rule", "alternatives", "key"}
            assert text[mark["start"] : mark["end"]] == mark["written"]
    for warning in found["warnings"]:
        assert set(warning) == {"key", "code", "start", "end", "written", "message", "suggestion"}
    assert any(warning["code"] == "blank" for warning in found["warnings"])
    assert found["spoken"].splitlines() == [sentence["spoken"] for sentence in found["sentences"]]


def test_read_prints_what_must_be_answered_beside_the_words(run: Run) -> None:
    ran = run("read", stdin=BLANK)
    assert ran.code == 0
    assert "Cần trả lời:" in ran.err


@pytest.mark.parametrize("command", [("speak", "ra.wav"), ("produce", "ra.mp3")])
def test_an_unfilled_blank_is_refused_until_it_is_accepted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name, output = command
    words = (name, "-o", output, "--voice", "silent")
    refused = run(*words, stdin=BLANK)
    assert refused.code == 1
    assert not Path(output).exists()
    warnings = json.loads(run("read", "--json", stdin=BLANK).out)["warnings"]
    assert warnings
    for warning in warnings:
        assert f"“{warning['written']}”: {warning['message']}" in refused.err
    assert "--accept-warnings" in refused.err

    accepted = run(*words, "--accept-warnings", stdin=BLANK)
    assert accepted.code == 0
    assert soundfile.info(output).duration > 3
    assert not list(tmp_path.glob("*.part"))


def test_speak_writes_the_voice_alone(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "tiếng nói.wav"
    ran = run("speak", "-o", output, "--voice", "espeak:vi+f5", stdin=NOTICE)
    assert ran.code == 0
    assert "giọng máy dự phòng" in ran.err
    samples, rate_hz = soundfile.read(output)
    assert samples.ndim == 1
    assert len(samples) / rate_hz > 3
    assert abs(samples).max() > 0.05


def test_a_fragment_is_spoken_whole(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "a.wav"
    assert run("speak", "-o", output, "--voice", "silent", "--fragment", stdin="Nơi nhận: 12 thôn").code == 0
    assert soundfile.info(output).duration > 0.5


def test_produce_makes_a_whole_programme_for_the_horn(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "chương trình.mp3"
    ran = run("produce", "-o", output, "--voice", "silent", stdin=NOTICE)
    assert ran.code == 0
    info = soundfile.info(output)
    assert (info.format, info.samplerate, info.channels) == ("MP3", 44100, 1)
    assert "LUFS" in ran.err
    seconds = output.stat().st_size * 8 / 64_000
    assert seconds == pytest.approx(info.duration, rel=0.05)  # 64 kbit/s


def test_a_wav_is_the_same_programme_sample_for_sample(run: Run, tmp_path: Path) -> None:
    from broadcaster.production.encoding import decoded

    mp3, wav = tmp_path / "a.mp3", tmp_path / "a.wav"
    for output in (mp3, wav):
        ran = run("produce", "-o", output, "--voice", "silent", "--at", "2026-11-27T05:30", stdin=NOTICE)
        assert ran.code == 0
    samples, rate_hz = soundfile.read(wav, dtype="int16")
    heard = np.concatenate(list(decoded(mp3, rate_hz=44_100, timeout_s=60)))
    assert rate_hz == 44_100
    assert np.abs(samples).max() > 1_000
    assert np.abs(samples - np.clip(heard * 32_768, -32_768, 32_767)).max() <= 1


def test_the_greeting_says_when_the_programme_will_be_on_air(run: Run, tmp_path: Path) -> None:
    lengths = []
    for minute in ("2026-11-27T05:00", "2026-11-27T05:55"):
        output = tmp_path / "a.wav"
        assert run("produce", "-o", output, "--voice", "silent", "--at", minute, stdin=NOTICE).code == 0
        lengths.append(soundfile.info(output).duration)
    assert lengths[1] - lengths[0] > 0.5  # "năm giờ", "năm giờ năm mươi lăm phút"
    assert "--at" in run("produce", "--all", "--at", "2026-11-27T05:00").err


def test_whoever_watches_without_a_terminal_reads_the_stages_and_how_many_sentences(
    run: Run, tmp_path: Path
) -> None:
    said = run("produce", "-o", tmp_path / "a.mp3", "--voice", "silent", stdin=NOTICE).err.splitlines()
    assert "Đọc câu 0/2" in said
    stages = [line.rsplit(" ", 1)[0] for line in said]
    order = ["Đọc câu", "Đọc lời dẫn", "Trộn", "Nén air", "Kiểm tra air", "Ghi tệp"]
    assert [stage for stage in stages if stage in order] == order


@pytest.fixture
def ctrl_c_is_heard() -> Iterator[None]:
    """A suite that was begun in the background is deaf to Ctrl+C, and so would be what it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_ctrl_c_in_the_middle_is_one_sentence_and_leaves_no_file(home: Path, tmp_path: Path) -> None:
    long = (
        "Kính thưa bà con, sáng mai cắt điện để sửa đường dây.\n" * 100
    )  # so that it is compressed for more than a second
    command = [sys.executable, "-m", "broadcaster", "produce", "-o", "ra.mp3", "--voice", "silent"]
    scratch = tmp_path / "nháp"
    scratch.mkdir()
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "TMPDIR": str(scratch), "PYTHONUTF8": "1"},
    ) as work:  # fmt: skip
        assert work.stdin is not None
        assert work.stderr is not None
        work.stdin.write(long)
        work.stdin.close()
        said = ""
        while "Nén air" not in said:
            line = work.stderr.readline()
            assert line, said
            said += line
        work.send_signal(signal.SIGINT)
        rest = work.stderr.read()
        assert work.wait(60) == 1
    assert "Đã dừng giữa chừng" in rest
    assert "Traceback" not in rest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nhà đài", "nháp"]
    assert list(scratch.iterdir()) == []


def test_programmes_of_the_plan_are_asked_for_by_day_and_not_together_with_a_text(
    run: Run, home: Path
) -> None:
    assert "broadcaster init" in run("produce", "--all").err
    for wrong in (
        ("--all", "-o", "a.mp3"),
        ("--date", "2026-11-24", "--voice", "silent"),
        (),
        ("--date", "mai"),
    ):
        assert run("produce", *wrong).code == 2
    assert run("init").code == 0
    nothing = run("produce", "--date", "2020-01-01")  # the queue is full, but not of that day
    assert nothing.code == 1
    assert "Không có chương trình nào" in nothing.err
    assert list((home / "audio").rglob("*.mp3")) == []


@pytest.mark.parametrize("voice", ["kokoro:khong-co", "hat", "espeak:vi+f99", "piper:../../etc/passwd"])
@pytest.mark.parametrize("command", [("speak", "ra.wav"), ("produce", "ra.mp3")])
def test_an_unknown_voice_lists_the_choices(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, str], voice: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(command[0], "-o", command[1], "--voice", voice, stdin=NOTICE)
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert not Path(command[1]).exists()
    if voice == "hat":
        for choice in ("kokoro:nu-1", "kokoro:nam-1", "gtts", "piper:", "espeak:vi+f5", "silent"):
            assert choice in ran.err


@pytest.mark.parametrize("command", [("speak", "ra.wav"), ("produce", "ra.mp3")])
def test_a_folder_that_is_not_there_is_refused_before_anything_is_spoken(
    run: Run, tmp_path: Path, command: tuple[str, str]
) -> None:
    ran = run(command[0], "-o", tmp_path / "không có" / command[1], "--voice", "silent", stdin=NOTICE)
    assert ran.code == 1
    assert "Không có thư mục" in ran.err


def test_a_longer_text_is_read_where_the_setting_allows_it(run: Run, home: Path) -> None:
    (home / "broadcaster.toml").write_text("[newsroom]\nmax_text_chars = 60000\n", encoding="utf-8")
    assert run("read", stdin="chữ. " * 10_100).code == 0
    assert "60.000" in run("read", stdin="chữ. " * 12_100).err
