"""Secrets that live outside the database: made at first use, mode 0600, part of every backup."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@dataclass(frozen=True)
class Keys:
    """`link_key` makes village links, `session_key` signs cookies, `signing_key` signs manifests (Ed25519)."""

    link_key: bytes
    session_key: bytes
    signing_key: Ed25519PrivateKey

    @property
    def public_key_hex(self) -> str:
        """The station's public key, pinned by a player when it is paired."""
        return self.signing_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def load_keys(folder: Path) -> Keys:
    """Read the keys, making those that do not exist yet."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    signing = _read_or_make(
        folder / "signing.key",
        lambda: Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()),
    )
    return Keys(
        link_key=_read_or_make(folder / "link.key", lambda: secrets.token_bytes(32)),
        session_key=_read_or_make(folder / "session.key", lambda: secrets.token_bytes(32)),
        signing_key=Ed25519PrivateKey.from_private_bytes(signing),
    )


def _read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    # Two processes may start at once: both write a file of their own, and link() lets exactly one win.
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
