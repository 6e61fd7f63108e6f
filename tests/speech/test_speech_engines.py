"""What is particular to espeak, silence and an engine whose packages are missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.errors import VoiceError
from broadcaster.speech.engines import open_voice
from broadcaster.speech.espeak import EspeakVoice
from broadcaster.speech.sound import peak_db, rms_db

SHORT = "Mời bà con chú ý."
LONG = "Sáng mai, từ sáu giờ đến mười một giờ, thôn Xuân Phúc tạm ngừng cấp điện để sửa đường dây."


@pytest.fixture
def espeak() -> Iterator[EspeakVoice]:
    opened = EspeakVoice("vi+f5")
    yield opened
    opened.close()


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
