"""Village links: a secret that can be recomputed for printing, and revoked by raising a number.

`/t/` + 26 letters of base32(HMAC-SHA256(link_key, village ‖ generation)): 130 bits, nothing stored.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.store.tables import Village

_TOKEN: Final = re.compile(r"[a-z2-7]{26}")


def village_token(link_key: bytes, village_id: int, generation: int) -> str:
    """The 26 letters of a village's link (base32, lower case)."""
    digest = hmac.new(link_key, f"village:{village_id}:{generation}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:26]


def village_by_token(session: Session, link_key: bytes, token: str) -> Village | None:
    """The village whose link this is, or None: unknown, mistyped and revoked look alike."""
    text = token.strip().lower()
    if not _TOKEN.fullmatch(text):
        return None
    found: Village | None = None
    # Every village is compared, found or not, so that the time taken tells nothing.
    for village in session.scalars(select(Village)):
        if hmac.compare_digest(village_token(link_key, village.id, village.link_generation), text):
            found = village
    return found
