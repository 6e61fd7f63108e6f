"""voices: what can speak here, why not, and how a voice comes onto this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from broadcaster.config import load
from broadcaster.speech import piper
from tests.commands.conftest import Run

CONFIG = json.dumps({"audio": {"sample_rate": 22050}, "phoneme_id_map": {"a": [1]}}).encode()
MODEL = b"khong phai mo hinh that" * 1000


def listed(run: Run) -> dict[str, str]:
    ran = run("voices", "list")
    assert (ran.code, ran.err) == (0, "")
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in ran.out.splitlines()}


def test_every_voice_is_listed_as_ready_or_with_its_reason(run: Run) -> None:
    found = listed(run)
    embedded = {f"kokoro:{path.stem}" for path in load(environ={}).voices.glob("*.json")}
    assert embedded >= {"kokoro:nu-1", "kokoro:nam-1"}
    assert set(found) == embedded | {
        "gtts", "espeak:vi+f5", "silent", *(f"piper:{one.name}" for one in piper.INSTALLABLE)
    }  # fmt: skip
    for line in found.values():
        assert line.startswith(("sẵn sàng, ", "chưa dùng được: "))
    assert found["espeak:vi+f5"].startswith("sẵn sàng, giọng máy dự phòng")
    missing = found[f"piper:{piper.INSTALLABLE[0].name}"]
    assert f"voices install {piper.INSTALLABLE[0].name}" in missing or "piper-tts" in missing


def test_the_chain_is_shown_in_its_order(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADCASTER_VOICE_CHAIN", "piper,espeak:vi,hat")
    found = listed(run)
    assert "(thứ 1 trong voice.chain)" in found[f"piper:{piper.INSTALLABLE[0].name}"]
    assert "(thứ 2 trong voice.chain)" in found["espeak:vi"]
    assert found["hat"].startswith("chưa dùng được: Không có giọng “hat”")
    assert "(thứ" not in found["gtts"]


def test_a_voice_is_added_from_a_folder(run: Run, home: Path, tmp_path: Path) -> None:
    stick = tmp_path / "usb"
    stick.mkdir()
    (stick / "vi_VN-thu-low.onnx").write_bytes(MODEL)
    (stick / "vi_VN-thu-low.onnx.json").write_bytes(CONFIG)
    ran = run("voices", "add", stick)
    assert ran.code == 0
    assert "piper:vi_VN-thu-low" in ran.out
    assert piper.installed(home) == ["vi_VN-thu-low"]
    assert "piper:vi_VN-thu-low" in listed(run)


@pytest.mark.parametrize("files", [{}, {"a.onnx": MODEL}, {"a.onnx": MODEL, "a.onnx.json": b"{}"}])
def test_a_folder_without_a_voice_is_refused_and_nothing_is_copied(
    run: Run, home: Path, tmp_path: Path, files: dict[str, bytes]
) -> None:
    stick = tmp_path / "usb"
    stick.mkdir()
    for name, data in files.items():
        (stick / name).write_bytes(data)
    ran = run("voices", "add", stick)
    assert (ran.code, ran.out) == (1, "")
    assert "Piper" in ran.err
    assert piper.installed(home) == []


def test_a_folder_that_is_not_there_is_refused(run: Run) -> None:
    ran = run("voices", "add", "/khong/co")
    assert ran.code == 1
    assert "/khong/co" in ran.err


def test_an_unknown_voice_lists_those_that_can_be_installed(run: Run) -> None:
    ran = run("voices", "install", "vi_VN-khong-co")
    assert (ran.code, ran.out) == (1, "")
    assert piper.INSTALLABLE[0].name in ran.err


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[tuple[piper.Installable, ...]]:
    """A catalogue of one small voice, on a server of this machine."""
    shelf = tmp_path / "kho"
    shelf.mkdir()
    (shelf / "vi_VN-thu-low.onnx").write_bytes(MODEL)
    (shelf / "vi_VN-thu-low.onnx.json").write_bytes(CONFIG)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(shelf)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    parts = tuple(
        piper.Part(suffix, len(data), hashlib.sha256(data).hexdigest())
        for suffix, data in ((".onnx", MODEL), (".onnx.json", CONFIG))
    )
    address = f"http://127.0.0.1:{server.server_port}/vi_VN-thu-low"
    yield (piper.Installable("vi_VN-thu-low", address, parts, "CC BY 4.0"),)
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_voice_is_installed_with_its_licence_named(
    run: Run, home: Path, catalogue: tuple[piper.Installable, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piper, "INSTALLABLE", catalogue)
    ran = run("voices", "install", "vi_VN-thu-low")
    assert ran.code == 0
    assert "piper:vi_VN-thu-low (CC BY 4.0)" in ran.out
    assert (piper.folder_of(home) / "vi_VN-thu-low.onnx").read_bytes() == MODEL


def test_a_server_that_is_gone_is_one_sentence(
    run: Run, home: Path, catalogue: tuple[piper.Installable, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = piper.Installable(catalogue[0].name, "http://127.0.0.1:9/x", catalogue[0].parts, "CC BY 4.0")
    monkeypatch.setattr(piper, "INSTALLABLE", (gone,))
    ran = run("voices", "install", gone.name)
    assert (ran.code, ran.out) == (1, "")
    assert "voices add" in ran.err
    assert piper.installed(home) == []
