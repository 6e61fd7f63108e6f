"""Which station a player belongs to: address, token, and the station's public key, pinned at pairing."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import requests

from broadcaster.errors import PlayerError

_FILE: Final = "pairing.json"
_KEY: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pairing:
    """`server` without a slash at its end; `public_key` 64 hexadecimal digits (Ed25519).

    `receiver` is station and number (`nhu-thanh/3`), '' where an older file does not say so.
    """

    server: str
    token: str
    public_key: str
    receiver: str = ""


def write_pairing(folder: Path, *, server: str, token: str, public_key_hex: str, receiver: str = "") -> Path:
    """Write `pairing.json`, readable by its owner only; the file is whole or not there."""
    if not _KEY.fullmatch(public_key_hex):
        raise PlayerError("Khóa công khai của đài không đúng mẫu. Hãy ghép nối lại.")
    folder.mkdir(parents=True, exist_ok=True)
    path, part = folder / _FILE, folder / (_FILE + ".part")
    part.unlink(missing_ok=True)
    pairing = Pairing(server.rstrip("/"), token, public_key_hex, receiver)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(pairing), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    return path


def read_pairing(folder: Path) -> Pairing | None:
    """The pairing, or None before there is one.  PlayerError when the file is damaged."""
    path = folder / _FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        pairing = Pairing(
            str(data["server"]), str(data["token"]), str(data["public_key"]), str(data.get("receiver", ""))
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlayerError(f"Tệp ghép nối {path} bị hỏng. Hãy ghép nối lại máy này với đài.") from error
    if not _KEY.fullmatch(pairing.public_key):
        raise PlayerError(f"Tệp ghép nối {path} bị hỏng. Hãy ghép nối lại máy này với đài.")
    return pairing


def pair(server: str, code: str, folder: Path) -> tuple[Pairing, int]:
    """Use a short code: writes `pairing.json`; returns it and the number after which events go on."""
    answer = _ask("POST", server, "/api/v1/receivers/pair", json={"code": code})
    return _pinned(answer, server, folder, token=None)


def adopt(server: str, token: str, folder: Path) -> tuple[Pairing, int]:
    """Begin with a token and no pairing: the key the station shows now is pinned from here on."""
    headers = {"Authorization": f"Bearer {token}"}
    return _pinned(_ask("GET", server, "/api/v1/receivers/me", headers=headers), server, folder, token=token)


def _pinned(answer: Any, server: str, folder: Path, *, token: str | None) -> tuple[Pairing, int]:
    try:
        given, key, sequence = (
            token or str(answer["token"]),
            str(answer["public_key"]),
            int(answer["sequence"]),
        )
        receiver = f"{answer['station']}/{int(answer['receiver'])}"
    except (KeyError, TypeError, ValueError) as error:
        raise PlayerError("Đài trả lời ghép nối không đúng mẫu. Hãy thử lại.") from error
    write_pairing(folder, server=server, token=given, public_key_hex=key, receiver=receiver)
    return Pairing(server.rstrip("/"), given, key, receiver), sequence


def _ask(method: str, server: str, path: str, **options: Any) -> Any:
    try:
        answer = requests.request(
            method, server.rstrip("/") + path, timeout=(5, 20), allow_redirects=False, **options
        )
    except requests.RequestException as error:
        raise PlayerError(f"Không gọi được đài ở {server}. Hãy kiểm tra địa chỉ và mạng.") from error
    try:
        data = answer.json()
    except ValueError as error:
        raise PlayerError(f"Địa chỉ {server} không phải là đài truyền thanh. Hãy kiểm tra lại.") from error
    if answer.status_code != 200:
        message = data.get("message") if isinstance(data, dict) else None
        raise PlayerError(str(message or f"Đài từ chối ghép nối (mã {answer.status_code})."))
    return data
