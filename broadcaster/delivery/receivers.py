"""Receivers: made in the web, paired by a short code, recognised by a token that is stored hashed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound, Refused
from broadcaster.store.tables import Receiver, Station, Village

# Letters and digits that are not mistaken for one another when a code is read out over the phone.
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
CODE_LENGTH: Final = 8
CODE_LIFE: Final = timedelta(minutes=15)
LIVES_KEPT: Final = 8


class CodeExpired(Refused):
    """The pairing code was right, but its time is over."""


def add_receiver(
    session: Session, *, station_id: int, name: str, village_ids: Sequence[int] = (), now: datetime
) -> Receiver:
    """A receiver without a token yet.  No villages = it is heard everywhere (the station's own PC)."""
    title = " ".join(name.split())
    if not title:
        raise InputError("Máy thu cần có tên. Hãy gõ tên, ví dụ “Cụm loa thôn Đồng Hơn”.")
    if len(title) > 120:
        raise InputError("Tên máy thu dài quá 120 ký tự. Hãy rút ngắn.")
    wanted = set(village_ids)
    villages = list(
        session.scalars(select(Village).where(Village.station_id == station_id, Village.id.in_(wanted)))
    )
    if len(villages) != len(wanted):
        raise NotFound("Có thôn không thuộc đài này. Hãy tải lại trang rồi chọn lại thôn.")
    receiver = Receiver(
        station_id=station_id, name=title, created_at=now, villages=villages, heartbeat={}, lives=[], token_hash="",
        pairing_hash="",
    )  # fmt: skip
    session.add(receiver)
    session.flush()
    return receiver


def open_pairing(session: Session, receiver_id: int, *, now: datetime) -> str:
    """A short code to type at the player within 15 minutes; the player's old token works until then."""
    receiver = _receiver(session, receiver_id)
    if receiver.revoked_at is not None:
        raise Refused("Máy thu này đã bị thu hồi. Hãy thêm máy thu mới rồi ghép nối.")
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    receiver.pairing_hash = _hash(code)
    receiver.pairing_until = now + CODE_LIFE
    session.flush()
    return code


def pair(session: Session, code: str, *, now: datetime) -> tuple[Receiver, str]:
    """Use a code up: the receiver and its new token (shown once; any older token stops working).

    NotFound for an unknown or used code, CodeExpired when its time is over.
    """
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    receiver = (
        session.scalar(
            select(Receiver).where(Receiver.pairing_hash == _hash(plain), Receiver.revoked_at.is_(None))
        )
        if plain
        else None
    )
    if receiver is None:
        raise NotFound("Mã ghép nối không đúng hoặc đã dùng rồi. Hãy lấy mã mới ở trang Máy thu của đài.")
    if receiver.pairing_until is None or receiver.pairing_until < now:
        raise CodeExpired("Mã ghép nối đã hết hạn. Hãy lấy mã mới ở trang Máy thu của đài.")
    token = issue_token(receiver)
    receiver.last_seen_at = now
    session.flush()
    return receiver, token


def issue_token(receiver: Receiver) -> str:
    """Give a receiver a new 256-bit token; the pairing code and the token before it are worth nothing now."""
    token = secrets.token_urlsafe(32)
    receiver.token_hash = _hash(token)
    receiver.pairing_hash = ""
    receiver.pairing_until = None
    receiver.lives, receiver.rival_at = [], None
    return token


def receiver_by_token(session: Session, token: str) -> Receiver | None:
    """The receiver that holds this token, a revoked one too (`revoked_at` says so); None = unknown."""
    if not token:
        return None
    return session.scalar(select(Receiver).where(Receiver.token_hash == _hash(token)))


def revoke(session: Session, receiver_id: int, *, now: datetime) -> Receiver:
    """Take a receiver's right away; its as-run and its place in old reports stay."""
    receiver = _receiver(session, receiver_id)
    if receiver.revoked_at is None:
        receiver.revoked_at = now
        receiver.pairing_hash = ""
        receiver.pairing_until = None
    session.flush()
    return receiver


def heartbeat(session: Session, receiver: Receiver, data: Mapping[str, Any], *, now: datetime) -> None:
    """Keep what a player says of itself, and when."""
    receiver.heartbeat = dict(data)
    receiver.last_seen_at = now
    session.flush()


def is_rival(receiver: Receiver, life: str) -> bool:
    """True when `life` (a player's process) was followed by another one and speaks all the same.

    A player that is started again has a new name, so one that was replaced and goes on is a second player
    with the same token: a copied memory card, a copied folder.
    """
    return life in receiver.lives[:-1]


def living(session: Session, receiver: Receiver, life: str, *, now: datetime) -> None:
    """Write down which process speaks with this receiver's token, and when two did at once."""
    if is_rival(receiver, life):
        receiver.rival_at = now
    elif life and life not in receiver.lives:
        receiver.lives = [*receiver.lives, life][-LIVES_KEPT:]
    session.flush()


def station_of(session: Session, receiver: Receiver) -> Station:
    """The station a receiver belongs to."""
    station = session.get(Station, receiver.station_id)
    assert station is not None, "a receiver carries its station"
    return station


def _receiver(session: Session, receiver_id: int) -> Receiver:
    receiver = session.scalar(select(Receiver).where(Receiver.id == receiver_id))
    if receiver is None:
        raise NotFound("Không có máy thu này ở đài. Hãy tải lại trang Máy thu.")
    return receiver


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()
