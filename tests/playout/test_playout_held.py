"""What a player accepts and keeps: signature, order, size; files by hash, resumed, within a budget."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broadcaster.errors import PlayerError
from broadcaster.playout.held import HeldAudio, HeldManifest
from broadcaster.playout.pairing import Pairing, read_pairing, write_pairing
from broadcaster.playout.plan import LARGEST_BYTES, AudioFile, read_manifest
from broadcaster.playout.reserve import ROOM_BYTES
from broadcaster.playout.sync import Link, wanted_files
from broadcaster.signing import canonical_json, sign, verify

T = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def wire(**more: Any) -> dict[str, Any]:
    airing = {
        "id": "a", "origin": "slot", "priority": "routine", "planned_at": "2026-11-24T22:30:00Z",
        "start_mode": "at_once", "wait_s": 0, "late_policy": "play_within_grace", "grace_s": 300,
        "volume_percent": 100, "title": "Buổi sáng", "duration_ms": 1000, "state": "planned", "reason": "",
        "variant": 1, "file": {"sha256": "a" * 64, "size_bytes": 10, "suffix": "mp3"},
    }  # fmt: skip
    data = {
        "format": 1, "station": "xa", "receiver": 1, "zone": "Asia/Ho_Chi_Minh", "epoch": 1, "version": 5,
        "issued_at": "2026-11-24T10:00:00Z", "valid_until": "2026-11-27T10:00:00Z", "airings": [airing],
        "clips": [],
    }  # fmt: skip
    return data | more


def signed(**more: Any) -> tuple[bytes, str]:
    body = canonical_json(wire(**more))
    return body, sign(KEY, body)


def test_a_signature_is_for_exactly_these_bytes_and_this_key() -> None:
    body, signature = signed()
    assert verify(PUBLIC, body, signature)
    assert not verify(PUBLIC, body + b" ", signature)
    assert not verify("00" * 32, body, signature)
    assert not verify(PUBLIC, body, "không phải hex")


def test_a_good_manifest_is_in_force_and_survives_a_restart(tmp_path: Path) -> None:
    held = HeldManifest(tmp_path, PUBLIC)
    assert held.manifest is None
    accepted = held.accept(*signed(), tag="1-5-9")
    assert accepted.airings[0].title == "Buổi sáng"
    again = HeldManifest(tmp_path, PUBLIC)
    assert (again.manifest, again.tag) == (accepted, "1-5-9")


@pytest.mark.parametrize("newer", [
    {"version": 6}, {"epoch": 2, "version": 1}, {"issued_at": "2026-11-24T11:00:00Z"}, {},
])  # fmt: skip
def test_a_manifest_that_is_not_older_is_accepted(tmp_path: Path, newer: dict[str, Any]) -> None:
    held = HeldManifest(tmp_path, PUBLIC)
    held.accept(*signed())
    assert held.accept(*signed(**newer)) == held.manifest


@pytest.mark.parametrize(("body", "signature", "why"), [
    (*signed(version=4), "cũ hơn"),
    (*signed(epoch=0, version=99), "cũ hơn"),
    (*signed(issued_at="2026-11-24T09:00:00Z"), "cũ hơn"),
    (*signed(receiver=2), "máy thu khác"),
    (*signed(station="khác"), "máy thu khác"),
    (signed()[0], signed(version=6)[1], "Chữ ký"),
    (signed()[0], "", "Chữ ký"),
    (b"[" * 100_000, sign(KEY, b"[" * 100_000), "không đúng mẫu"),
    (b"\xff{}", sign(KEY, b"\xff{}"), "không đúng mẫu"),
    (b" " * (LARGEST_BYTES + 1), "", "lớn bất thường"),
    (*signed(format=2), "không đúng mẫu"),
    (*signed(airings=[wire()["airings"][0]] * 2), "không đúng mẫu"),
    (*signed(airings=[wire()["airings"][0] | {"volume_percent": 400}]), "không đúng mẫu"),
    (*signed(airings=[wire()["airings"][0] | {"planned_at": "2026-11-24T22:30:00"}]), "không đúng mẫu"),
    (*signed(clips=[{"sha256": "../../etc/passwd", "size_bytes": 1, "suffix": "mp3"}]), "không đúng mẫu"),
    (*signed(zone="../x"), "không đúng mẫu"),
    (*signed(zone="Không/Có"), "không đúng mẫu"),
])  # fmt: skip
def test_a_bad_manifest_is_refused_and_the_old_one_stays(
    tmp_path: Path, body: bytes, signature: str, why: str
) -> None:
    held = HeldManifest(tmp_path, PUBLIC)
    good = held.accept(*signed())
    with pytest.raises(PlayerError, match=why):
        held.accept(body, signature)
    assert held.manifest == good
    assert HeldManifest(tmp_path, PUBLIC).manifest == good


def test_a_manifest_changed_on_disk_is_not_believed(tmp_path: Path) -> None:
    HeldManifest(tmp_path, PUBLIC).accept(*signed())
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text().replace("22:30", "21:30"))
    held = HeldManifest(tmp_path, PUBLIC)
    assert held.manifest is None
    assert "Chữ ký" in held.damaged


def test_files_are_fetched_clips_first_then_the_nearest_start() -> None:
    def row(name: str, at: str) -> dict[str, Any]:
        file = {"sha256": name * 64, "size_bytes": 1, "suffix": "mp3"}
        return wire()["airings"][0] | {"id": name, "planned_at": at, "file": file}

    rows = [
        row("1", "2026-11-26T00:00:00Z"),
        row("2", "2026-11-24T09:00:00Z"),
        row("4", "2026-11-23T09:00:00Z"),
        row("3", "2026-11-24T11:00:00Z"),
    ]
    clip = {"kind": "alert", "sha256": "c" * 64, "size_bytes": 1, "suffix": "flac"}
    manifest = read_manifest(canonical_json(wire(airings=rows, clips=[clip])))
    assert [file.sha256[0] for file in wanted_files(manifest)] == ["c", "3", "1", "2"]


# ------------------------------------------------------------------------------------ files over HTTP

DATA = bytes(range(256)) * 1000


class Server(ThreadingHTTPServer):
    """Serves DATA, badly when told to."""

    mood = "well"
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.server.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        mood = self.server.mood
        if mood == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            return
        if mood == "500":
            self.send_error(500)
            return
        if mood == "no range":
            start = 0
        body = DATA[start:] if mood != "other bytes" else DATA[start:][::-1]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if mood != "broken" else body[:100_000])

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    opened = Server(("127.0.0.1", 0), Handler)
    opened.asked = []
    thread = threading.Thread(target=opened.serve_forever, daemon=True)
    thread.start()
    yield opened
    opened.shutdown()
    thread.join(timeout=10)
    opened.server_close()


@pytest.fixture
def link(server: Server) -> Iterator[Link]:
    opened = Link(Pairing(f"http://127.0.0.1:{server.server_port}", "t", PUBLIC))
    yield opened
    opened.close()


def the_file() -> AudioFile:
    import hashlib

    return AudioFile(hashlib.sha256(DATA).hexdigest(), len(DATA))


def test_a_broken_download_goes_on_where_it_ended(server: Server, link: Link, tmp_path: Path) -> None:
    audio, file = HeldAudio(tmp_path, budget_bytes=10**9), the_file()
    server.mood = "broken"
    with pytest.raises((PlayerError, OSError)):
        link.fetch(file, audio, lambda: False)
    assert audio.path(file) is None
    have = audio.part(file).stat().st_size
    assert 0 < have <= 100_000
    server.mood = "well"
    link.fetch(file, audio, lambda: False)
    assert server.asked[-1] == f"bytes={have}-"
    path = audio.path(file)
    assert path is not None
    assert path.read_bytes() == DATA


def test_a_server_that_knows_no_ranges_sends_it_all_again(server: Server, link: Link, tmp_path: Path) -> None:
    audio, file = HeldAudio(tmp_path, budget_bytes=10**9), the_file()
    audio.part(file).write_bytes(DATA[:5000])
    server.mood = "no range"
    link.fetch(file, audio, lambda: False)
    assert audio.path(file) is not None


def test_other_bytes_than_promised_never_get_a_name(server: Server, link: Link, tmp_path: Path) -> None:
    audio, file = HeldAudio(tmp_path, budget_bytes=10**9), the_file()
    server.mood = "other bytes"
    with pytest.raises(PlayerError, match="mã băm"):
        link.fetch(file, audio, lambda: False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("mood", "code"), [("redirect", "302"), ("500", "500")])
def test_redirects_and_failures_are_refused_with_a_sentence(
    server: Server, link: Link, tmp_path: Path, mood: str, code: str
) -> None:
    server.mood = mood
    with pytest.raises(PlayerError, match=code):
        link.fetch(the_file(), HeldAudio(tmp_path, budget_bytes=10**9), lambda: False)


def test_the_oldest_file_that_nobody_needs_makes_room(tmp_path: Path) -> None:
    import os

    audio = HeldAudio(tmp_path, budget_bytes=250, free_bytes=lambda _folder: ROOM_BYTES + 1000)
    for number, name in enumerate(("a", "b", "c")):
        path = tmp_path / f"{name * 64}.mp3"
        path.write_bytes(bytes(80))
        os.utime(path, (number, number))
    needed = frozenset({"a" * 64 + ".mp3"})
    audio.make_room(AudioFile("d" * 64, 80), needed)
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == ["a", "c"]
    with pytest.raises(PlayerError, match="player.disk_mb"):
        audio.make_room(AudioFile("e" * 64, 200), needed)
    assert (tmp_path / ("a" * 64 + ".mp3")).exists()


def test_a_full_disk_gives_up_old_files_before_it_takes_no_more(tmp_path: Path) -> None:
    used = {"others": 0}

    def free(folder: Path) -> int:
        return ROOM_BYTES + 150 - used["others"] - sum(path.stat().st_size for path in folder.iterdir())

    audio = HeldAudio(tmp_path, budget_bytes=10**9, free_bytes=free)
    (tmp_path / ("a" * 64 + ".mp3")).write_bytes(bytes(100))
    audio.make_room(AudioFile("b" * 64, 120), frozenset())
    assert list(tmp_path.iterdir()) == []
    used["others"] = 100
    with pytest.raises(PlayerError, match="Ổ đĩa của máy phát đã đầy"):
        audio.make_room(AudioFile("b" * 64, 120), frozenset())


# ------------------------------------------------------------------------------------ pairing, ledger, imports


def test_a_pairing_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = write_pairing(tmp_path / "player", server="http://đài/", token="bí mật", public_key_hex=PUBLIC)
    assert read_pairing(tmp_path / "player") == Pairing("http://đài", "bí mật", PUBLIC)
    assert sys.platform == "win32" or path.stat().st_mode & 0o777 == 0o600
    path.write_text("{")
    with pytest.raises(PlayerError, match="ghép nối lại"):
        read_pairing(tmp_path / "player")


def test_the_player_needs_no_database_no_web_and_no_renderer() -> None:
    code = (
        "import sys, json; import broadcaster.playout.player, broadcaster.commands.play; "
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert "broadcaster" in loaded
    assert not loaded & {"sqlalchemy", "flask", "onnxruntime", "apiflask", "scipy", "alembic", "web"}
    ours = [name for name in json.loads(done.stdout) if name.startswith("broadcaster.")]
    allowed = ("playout", "commands", "config", "errors", "model", "mqtt", "signing", "system")
    assert [name for name in ours if name.split(".")[1] not in allowed] == []
