"""Canonical JSON and Ed25519: what the station signs and a player checks, in the same bytes on both sides."""

from __future__ import annotations

import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def canonical_json(value: Any) -> bytes:
    """The one spelling of a value: UTF-8, keys sorted, no spaces; NaN and infinity are ValueErrors."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def sign(key: Ed25519PrivateKey, body: bytes) -> str:
    """Signature of the bytes, 128 hexadecimal digits."""
    return key.sign(body).hex()


def verify(public_hex: str, body: bytes, signature_hex: str) -> bool:
    """True when the owner of the public key signed exactly these bytes; anything malformed is False."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_hex)).verify(
            bytes.fromhex(signature_hex), body
        )
    except (ValueError, InvalidSignature):
        return False
    return True
