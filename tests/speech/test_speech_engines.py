"""One suite over every engine that can speak here, and the faults of each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.errors import InputError, VoiceError
from broadcaster.speech.engines import Voice, open_voice
from broadcaster.speech.espeak import EspeakVoice
from broadcaster.speech.sound import peak_db, rms_db

LOCAL = ["espeak:vi+f5", "espeak:vi-vn-x-south", "silent"]
SHORT = "Mời bà con chú ý."
LONG = "Sáng mai, từ sáu giờ đến mười một giờ, thôn Xuân Phúc tạm ngừng cấp điện để sửa đường dây."


@pytest.fixture(params=LOCAL)
def voice(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Voice]:
    opened = open_voice(request.param, home=tmp_path, voices_dir=tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def espeak() -> Iterator[EspeakVoice]:
    opened = EspeakVoice("vi+f5")
    yield opened
    opened.close()


def test_every_engine_says_what_it_is(voice: Voice) -> None:
    assert voice.available() is None
    assert voice.name
    assert voice.label
    assert voice.version


def test_every_engine_takes_longer_for_more_words(voice: Voice) -> None:
    short, long = voice.speak(SHORT), voice.speak(LONG)
    assert 500 < short.duration_ms < 5_000
    assert long.duration_ms > 2 * short.duration_ms
    assert long.samples.ndim == 1
    assert long.samples.dtype == "float32"
    assert long.samples.flags.c_contiguous


def test_every_engine_speaks_faster_when_asked(voice: Voice) -> None:
    assert voice.speak(LONG, speed=1.3).duration_ms < 0.9 * voice.speak(LONG).duration_ms


def test_every_engine_can_be_used_again_after_closing(voice: Voice) -> None:
    voice.speak(SHORT)
    voice.close()
    assert voice.speak(SHORT).duration_ms > 500


def test_an_unknown_engine_lists_the_choices(tmp_path: Path) -> None:
    for spec in ("espek:vi", "", "espeak:klingon"):
        with pytest.raises(InputError, match="hãy chọn một trong"):
            open_voice(spec, home=tmp_path, voices_dir=tmp_path)


def test_espeak_is_audible_and_not_clipped(espeak: EspeakVoice) -> None:
    sound = espeak.speak(LONG)
    assert -40 < rms_db(sound.samples) < -6
    assert peak_db(sound.samples) < -0.1


@pytest.mark.skipif(not hasattr(signal, "SIGSEGV"), reason="POSIX signals")
def test_espeak_dying_of_a_segfault_costs_one_restart_and_no_word(espeak: EspeakVoice) -> None:
    before = espeak.speak(LONG)
    first = espeak.worker_pid
    assert first is not None
    os.kill(first, signal.SIGSEGV)
    after = espeak.speak(LONG)
    assert abs(after.duration_ms - before.duration_ms) < 100
    assert espeak.worker_pid not in (None, first)


def test_espeak_that_never_answers_is_ended_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    voice = EspeakVoice("vi+f5", timeout_s=0.5)
    real = subprocess.Popen
    started: list[subprocess.Popen[bytes]] = []

    def frozen(argv: list[str], **options: object) -> subprocess.Popen[bytes]:
        process = real([sys.executable, "-c", "import time; time.sleep(60)"], **options)  # type: ignore[call-overload]
        started.append(process)
        return process  # type: ignore[no-any-return]

    monkeypatch.setattr(subprocess, "Popen", frozen)
    with pytest.raises(VoiceError, match="dừng đột ngột"):
        voice.speak(SHORT)
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)


def test_espeak_serves_several_threads_one_after_another(espeak: EspeakVoice) -> None:
    lengths: list[int] = []
    threads = [
        threading.Thread(target=lambda: lengths.append(espeak.speak(LONG).duration_ms)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lengths) == 4
    assert max(lengths) - min(lengths) < 100


def test_silence_lasts_as_long_as_words_would(tmp_path: Path) -> None:
    voice = open_voice("silent", home=tmp_path, voices_dir=tmp_path)
    assert voice.speak("một hai ba, bốn").duration_ms == 4 * 230 + 200 + 100


def test_a_voice_whose_packages_are_missing_says_so_instead_of_failing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "broadcaster.speech.kokoro", None)
    voice = open_voice("kokoro:nu-1", home=tmp_path, voices_dir=tmp_path)
    assert "chưa cài" in (voice.available() or "")
    with pytest.raises(VoiceError, match="chưa cài"):
        voice.speak(SHORT)
