"""The server before the app: it ends when told to, and a listener who goes away costs nothing."""

from __future__ import annotations

import gc
import socket
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.wsgi import wrap_file

from broadcaster.config import Settings, load
from web.serving import WebServer, serving

WHOLE = 8 << 20  # more than the sockets between two programs hold


class Sound:
    """An app that answers with a file, as the station does; keeps what it opened."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(WHOLE))
        self.path, self.files = path, []  # type: ignore[var-annotated]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.files.append(self.path.open("rb"))
        start_response("200 OK", [("Content-Type", "audio/mpeg"), ("Content-Length", str(WHOLE))])
        return wrap_file(environ, self.files[-1])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(environ={}, home=tmp_path)


def _until(true: Any) -> bool:
    until = time.monotonic() + 20
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return bool(true())


def test_a_listener_who_goes_away_leaves_no_file_open(settings: Settings, tmp_path: Path) -> None:
    sound = Sound(tmp_path / "loa.mp3")
    with serving(sound, settings) as address:
        for _ in range(3):
            with requests.get(address, stream=True, timeout=20) as answer:
                assert len(next(answer.iter_content(4096))) == 4096
        assert _until(lambda: all(file.closed for file in sound.files)), "a file stays open"
    assert len(sound.files) == 3
    gc.collect()


@pytest.mark.parametrize(
    "seconds", [0, 0.2], ids=["while the app hands it over", "while it waits to be sent"]
)
def test_it_ends_while_somebody_is_listening_and_listens_again_at_the_same_port(
    seconds: float, settings: Settings, tmp_path: Path
) -> None:
    sound = Sound(tmp_path / "loa.mp3")
    server = WebServer(sound, settings, host="127.0.0.1", port=0)
    server.start()
    with requests.get(f"http://127.0.0.1:{server.port}", stream=True, timeout=20) as answer:
        assert len(next(answer.iter_content(4096))) == 4096
        time.sleep(seconds)
        server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)
    assert _until(lambda: all(file.closed for file in sound.files)), "a file stays open"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("web", "waitress"))]
    with serving(sound, settings, port=server.port) as address:
        assert len(requests.get(address, timeout=20).content) == WHOLE
