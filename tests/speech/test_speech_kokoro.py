"""The embedded voice for real: set-up, samples, workers.  Needs its packages; CI must have them."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from broadcaster.errors import VoiceError
from broadcaster.speech.kokoro import model, open_kokoro, voice
from broadcaster.speech.kokoro.engine import MAX_SYLLABLES, Engine, Piece, cut, load_speaker
from broadcaster.speech.kokoro.pool import Pool
from broadcaster.speech.phonology import Break, Syllable, parse, sounds

VOICES = Path(__file__).resolve().parents[2] / "audio" / "voices"
NAMES = sorted(file.stem for file in VOICES.glob("*.json"))
SENTENCE = "Sáng mai, trạm y tế tiêm phòng cho trẻ em."

installed = model.missing_parts() is None and importlib.util.find_spec("onnxruntime") is not None
needs_model = pytest.mark.skipif(
    not installed and not os.environ.get("CI"), reason="the packages of the embedded voice are not installed"
)


@pytest.fixture(scope="session")
def engine(home: Path) -> Engine:
    return Engine(home)


@pytest.fixture
def speaker():
    return load_speaker(VOICES / "nu-1.json")


def level_dbfs(samples: np.ndarray) -> float:
    blocks = samples[: len(samples) // 480 * 480].reshape(-1, 480).astype(float)
    power = (blocks**2).mean(axis=1)
    return float(10 * np.log10(power[power > power.max() / 1000].mean()))


def test_two_voices_at_least_are_described_with_their_origin() -> None:
    assert {"nu-1", "nam-1"} <= set(NAMES)
    for name in NAMES:
        raw = json.loads((VOICES / f"{name}.json").read_text(encoding="utf-8"))
        assert raw["name"] == name
        assert "Apache-2.0" in raw["origin"]
        assert len(load_speaker(VOICES / f"{name}.json").style) == 256


def test_an_unknown_voice_or_a_damaged_file_is_refused_in_words(tmp_path: Path) -> None:
    for name in ("khong-co", "../nu-1", "", "kokoro:nu-1"):
        with pytest.raises(VoiceError, match="giọng"):
            open_kokoro(name, home=tmp_path, voices_dir=VOICES)
    (tmp_path / "x.json").write_text('{"name": "x", "label": "x", "pitch_hz": 100, "style": [1, 2]}')
    with pytest.raises(VoiceError, match="256"):
        load_speaker(tmp_path / "x.json")


def test_the_version_follows_the_numbers_of_the_voice(tmp_path: Path) -> None:
    raw = json.loads((VOICES / "nu-1.json").read_text(encoding="utf-8"))
    first = open_kokoro("nu-1", home=tmp_path, voices_dir=VOICES).version
    raw["pitch_hz"] += 1
    (tmp_path / "nu-1.json").write_text(json.dumps(raw))
    assert open_kokoro("nu-1", home=tmp_path, voices_dir=tmp_path).version != first


def test_reasons_are_given_for_machines_that_cannot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spoken = open_kokoro("nu-1", home=tmp_path, voices_dir=VOICES)
    said = {
        "/proc/meminfo": ["MemTotal: 900000 kB", "MemAvailable: 500000 kB"],
        "/proc/cpuinfo": ["flags : fpu sse2 avx"],
    }
    monkeypatch.setattr(voice, "_lines", lambda file: said[file])
    try:
        voice._machine_refuses.cache_clear()
        assert "1 GB" in (spoken.available() or "")
        with pytest.raises(VoiceError, match="1 GB"):
            spoken.speak(SENTENCE)
        said["/proc/meminfo"] = ["MemTotal: 4000000 kB"]
        said["/proc/cpuinfo"] = ["flags : fpu sse2"]
        voice._machine_refuses.cache_clear()
        assert "AVX" in (spoken.available() or "")
        said["/proc/cpuinfo"] = ["flags : fpu avx"]
        voice._machine_refuses.cache_clear()
        monkeypatch.setattr(model, "PART_PACKAGES", ("goi_khong_co",))
        assert "goi-khong-co" in (spoken.available() or "")
    finally:
        voice._machine_refuses.cache_clear()


def test_long_sentences_are_cut_at_breaks_or_before_a_closure_and_nothing_is_lost() -> None:
    with_commas = parse("một hai ba bốn năm sáu bảy tám chín mười, " * 12)
    without = parse("bà con ta cùng nhau giữ gìn làng xóm sạch " * 50)
    assert sum(isinstance(i, Syllable) for i in without) == 500
    for items in (with_commas, without, parse("xin chào"), parse("a, b, c")):
        parts = cut(items)
        assert [i for piece in parts for i in piece] == items
        assert all(1 <= sum(isinstance(i, Syllable) for i in piece) <= MAX_SYLLABLES for piece in parts)
    assert all(isinstance(piece[-1], Break) for piece in cut(with_commas))
    assert all(piece[0].onset in ("b", "c", "") or piece[0].onset in ("t", "ch") for piece in cut(without))


@needs_model
def test_the_model_is_made_once_and_a_damaged_file_is_made_again(home: Path, tmp_path: Path) -> None:
    folder = model.ensure(home)
    before = {name: (folder / name).stat().st_mtime_ns for name in model.STAGES}
    model.ensure(home)
    assert {name: (folder / name).stat().st_mtime_ns for name in model.STAGES} == before
    assert model.is_made(home)
    sound = (folder / model.STAGES[0]).read_bytes()
    (folder / model.STAGES[0]).write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    model.ensure(home)
    assert (folder / model.STAGES[0]).read_bytes() == sound
    assert not [file for file in folder.iterdir() if file.suffix == ".tmp"]


@needs_model
def test_a_model_file_of_a_usb_stick_is_taken_only_when_it_is_the_right_one(tmp_path: Path) -> None:
    (tmp_path / model.SOURCE_FILE).write_bytes(b"another model")
    with pytest.raises(VoiceError, match="hỏng"):
        model.ensure(tmp_path)
    assert not model.is_made(tmp_path)


@needs_model
def test_a_model_is_added_from_a_folder_and_then_needs_no_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick, home = tmp_path / "usb", tmp_path / "home"
    stick.mkdir()
    with pytest.raises(VoiceError, match="USB"):
        model.add(stick, home=home)
    (stick / model.SOURCE_FILE).write_bytes(b"broken")
    with pytest.raises(VoiceError, match="không đúng bản"):
        model.add(stick, home=home)
    (stick / model.SOURCE_FILE).write_bytes(model.source_bytes(tmp_path))
    model.add(stick, home=home)
    monkeypatch.setattr(model, "PART_PACKAGES", ("goi_khong_co",))
    assert open_kokoro("nu-1", home=home, voices_dir=VOICES).available() is None
    model.ensure(home)
    assert model.is_made(home)


@needs_model
def test_a_full_disk_is_told_and_leaves_no_half_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(model.os, "fsync", full)
        with pytest.raises(VoiceError, match="dọn ổ đĩa"):
            model.ensure(tmp_path)
    assert not model.is_made(tmp_path)
    model.ensure(tmp_path)
    assert model.is_made(tmp_path)


@needs_model
@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_becomes_level_sound_with_clean_ends(engine: Engine, name: str) -> None:
    speaker = load_speaker(VOICES / f"{name}.json")
    levels = []
    for sentence in (SENTENCE, "Xin cảm ơn.", "Bà con đã nghe rõ chưa?"):
        samples = engine.speak(sentence, speaker)
        assert samples.dtype == np.float32
        assert samples.flags.c_contiguous
        assert 0.5 < len(samples) / 24_000 < 6
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() <= 0.96
        assert np.abs(samples[[0, -1]]).max() < 1e-3
        levels.append(level_dbfs(samples))
    assert max(levels) - min(levels) < 1.5


@needs_model
def test_the_same_words_give_the_same_samples(engine: Engine, speaker, home: Path) -> None:
    first = engine.speak(SENTENCE, speaker)
    engine.speak("Một câu khác ở giữa.", speaker)
    assert np.array_equal(engine.speak(SENTENCE, speaker), first)
    assert np.array_equal(Engine(home).speak(SENTENCE, speaker), first)


@needs_model
def test_slower_is_longer_and_faster_is_shorter(engine: Engine, speaker) -> None:
    lengths = [len(engine.speak(SENTENCE, speaker, speed=speed)) for speed in (0.8, 1.0, 1.2)]
    assert lengths[0] > 1.12 * lengths[1]
    assert lengths[2] < 0.92 * lengths[1]


@needs_model
@pytest.mark.parametrize("text", ["", "...", "—", "🙂", "Ω", "kWh 25 covid!", "?"])
def test_odd_text_is_spoken_or_silent_but_never_an_error(engine: Engine, speaker, text: str) -> None:
    samples = engine.speak(text, speaker)
    assert len(samples) > 0
    assert np.isfinite(samples).all()


@needs_model
@pytest.mark.timeout(400)  # the workers give way to everything else, on a busy machine for long
def test_sentences_come_in_order_from_several_processes_and_equal_those_of_one(
    engine: Engine, speaker, home: Path
) -> None:
    spoken = open_kokoro("nu-1", home=home, voices_dir=VOICES)
    try:
        assert spoken.available() is None
        sentences = ["Một.", "Hai ba bốn.", "Tám."]
        got = list(spoken.speak_many(sentences))
        assert [pcm.sample_rate_hz for pcm in got] == [24_000] * 3
        for sentence, pcm in zip(sentences, got, strict=True):
            assert np.array_equal(pcm.samples, engine.speak(sentence, speaker))
        assert spoken.speak("Chín.").duration_ms > 200
        assert spoken.peak_mb > 100 or not Path("/proc/self/status").exists()
    finally:
        spoken.close()


class Written(Engine):
    """An engine whose model always says half a second of tone between two silences."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []

    def _piece(self, items, speaker, *, speed, end, sung, runs_on):  # type: ignore[no-untyped-def]
        self.asked.append((end, runs_on))
        tone = 0.3 * np.sin(np.arange(12_000) / 20).astype(np.float32)
        quiet = np.zeros(12_000, np.float32)
        return Piece(np.concatenate([quiet, tone, quiet]), (), (), runs_on)


def pauses_ms(samples: np.ndarray) -> list[float]:
    """Length of each silence inside the sound."""
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    gaps = np.diff(loud)
    return [round(gap / 24) for gap in gaps if gap > 200]


def test_a_phrase_cut_for_its_length_alone_goes_on_without_a_pause_and_one_cut_at_a_comma_rests(
    speaker,
) -> None:
    engine = Written()
    at_length = engine.speak(" ".join(["thông"] * (MAX_SYLLABLES + 10)) + ".", speaker)
    assert engine.asked == [(",", True), (".", False)]
    assert all(pause < 50 for pause in pauses_ms(at_length))
    engine.asked.clear()
    half = " ".join(["thông"] * (MAX_SYLLABLES - 4))
    at_comma = engine.speak(f"{half}, {half}.", speaker)
    assert engine.asked == [(",", False), (".", False)]
    assert [130 <= pause <= 180 for pause in pauses_ms(at_comma)] == [True]


# ------------------------------------------------------------------- workers, with a small one of our own

FAKE = """
import json, os, sys
out = sys.stdout.buffer
def answer(head, body=b""):
    out.write(json.dumps({**head, "bytes": len(body)}).encode() + b"\\n" + body); out.flush()
print("started", os.getpid(), file=open(sys.argv[1], "a"))
answer({"ready": True})
for line in sys.stdin.buffer:
    words = json.loads(line)["sentence"]
    if words == "chết": os._exit(11)
    if words == "chết một lần" and not os.path.exists(sys.argv[1] + ".once"):
        open(sys.argv[1] + ".once", "w").close(); os._exit(11)
    if words == "nói nhảm": out.write(b"xin chao" + bytes([10])); out.flush(); continue
    if words == "từ chối": answer({"error": "không đọc được"}); continue
    answer({"peak_mb": 5000.0 if words == "phình" else 1.0}, len(words).to_bytes(4, "little"))
"""


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    opened = Pool(tmp_path, size=2, command=[sys.executable, "-c", FAKE, str(tmp_path / "log")])
    yield opened
    opened.close()


def started(tmp_path: Path) -> list[int]:
    return [int(line.split()[1]) for line in (tmp_path / "log").read_text().splitlines()]


def test_a_worker_that_dies_is_replaced_and_the_sentence_said_again(
    pool: Pool, speaker, tmp_path: Path
) -> None:
    assert pool.submit("chết một lần", speaker).result(30).view("<i4")[0] == len("chết một lần")
    assert pool.restarts == 1
    assert len(started(tmp_path)) == 2


def test_a_sentence_that_kills_every_worker_is_an_error_and_the_next_one_is_spoken(
    pool: Pool, speaker
) -> None:
    with pytest.raises(VoiceError, match="dừng giữa chừng"):
        pool.submit("chết", speaker).result(30)
    assert pool.submit("sống", speaker).result(30).view("<i4")[0] == 4


def test_a_worker_that_has_held_too_much_memory_is_replaced_after_its_sentence(
    pool: Pool, speaker, tmp_path: Path
) -> None:
    assert pool.submit("phình", speaker).result(30).view("<i4")[0] == len("phình")
    assert pool.submit("sống", speaker).result(30).view("<i4")[0] == 4
    first, second = started(tmp_path)
    assert first != second
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    assert pool.restarts == 0


def test_a_refused_sentence_is_an_error_and_costs_no_worker(pool: Pool, speaker) -> None:
    with pytest.raises(VoiceError, match="không đọc được"):
        pool.submit("từ chối", speaker).result(30)
    assert pool.restarts == 0


def test_an_answer_that_makes_no_sense_is_a_dead_worker(pool: Pool, speaker) -> None:
    with pytest.raises(VoiceError, match="dừng giữa chừng"):
        pool.submit("nói nhảm", speaker).result(30)
    assert pool.submit("sống", speaker).result(30).view("<i4")[0] == 4


def test_results_keep_their_order_and_an_abandoned_reading_stops(pool: Pool, speaker) -> None:
    words = ["a" * n for n in range(1, 30)]
    assert [int(x.view("<i4")[0]) for x in pool.ordered(words, speaker)] == list(range(1, 30))
    reading = pool.ordered(words, speaker)
    next(reading)
    reading.close()
    assert pool.submit("xong", speaker).result(30).view("<i4")[0] == 4


def test_no_process_is_left_after_closing(pool: Pool, speaker, tmp_path: Path) -> None:
    list(pool.ordered(["một", "hai", "ba", "bốn"], speaker))
    pool.close()
    for pid in started(tmp_path):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(VoiceError, match="đóng"):
        pool.submit("thêm", speaker)


@needs_model
@pytest.mark.timeout(300)
def test_two_processes_that_set_up_at_once_make_the_model_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from broadcaster.speech.kokoro import model\n"
        "made = []; real = model._make\n"
        "model._make = lambda *a: (made.append(1), real(*a))\n"
        "model.ensure(Path(sys.argv[1])); print(len(made))"
    )
    root = Path(__file__).resolve().parents[2]
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = sorted(process.communicate()[0].strip() for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert told == ["0", "1"]
    assert model.is_made(tmp_path)


def test_five_hundred_syllables_without_a_stop_are_cut_into_pieces_the_model_can_hold() -> None:
    items = parse(" ".join(["thông"] * 500))
    parts = cut(items)
    assert sum(len(part) for part in parts) == 500
    assert max(len(part) for part in parts) <= MAX_SYLLABLES
    for part in parts:
        assert len(sounds([*part, Break(",")])[0]) + 2 <= 510
