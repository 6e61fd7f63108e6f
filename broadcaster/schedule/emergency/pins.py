"""The PIN with which one person alone puts a recorded message on the air."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, Refused
from broadcaster.newsroom.people import allowed, record
from broadcaster.store.tables import EmergencyPin, User

DIGITS: Final = (6, 12)
WRONG_MOST: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
_HASHER = PasswordHasher()


class WrongPin(Refused):
    """The PIN does not fit.  The caller keeps the count: it must be written although nothing else is."""


def set_pin(session: Session, user: User, pin: str, *, now: datetime) -> None:
    """Give this person a PIN of their own choice.  InputError when anybody could guess it."""
    if not (pin.isascii() and pin.isdigit() and DIGITS[0] <= len(pin) <= DIGITS[1]):
        raise InputError(f"Mã PIN gồm {DIGITS[0]} đến {DIGITS[1]} chữ số. Hãy nhập lại.")
    steps = {int(b) - int(a) for a, b in zip(pin, pin[1:], strict=False)}
    if len(steps) == 1 or len(set(pin)) < 3:
        raise InputError("Mã PIN quá dễ đoán (các số giống nhau hoặc liền nhau). Hãy chọn mã khác.")
    row = session.get(EmergencyPin, user.id) or EmergencyPin(user_id=user.id, pin_hash="", set_at=now)
    row.pin_hash, row.wrong, row.locked_until, row.set_at = _HASHER.hash(pin), 0, None, now
    session.add(row)
    session.flush()
    record(
        session, station_id=user.station_id, actor=user, action="đặt mã PIN khẩn cấp",
        subject=user.username, detail={}, now=now,
    )  # fmt: skip


def check_pin(session: Session, user: User, pin: str, *, now: datetime) -> None:
    """Raise unless it is this person's PIN: Refused without a PIN or while locked, WrongPin when it is not."""
    if not (allowed(session, user, "submit", now=now) or allowed(session, user, "emergency", now=now)):
        raise Refused("Tài khoản này không được phát khẩn cấp. Hãy gọi cán bộ đài hoặc người duyệt.")
    row = session.get(EmergencyPin, user.id)
    if row is None:
        raise Refused("Bạn chưa có mã PIN khẩn cấp.", remedies=("Đặt mã PIN ở trang Khẩn cấp.",))
    if row.locked_until is not None and row.locked_until > now:
        raise Refused(
            "Mã PIN đang bị khóa vì nhập sai nhiều lần. Hãy chờ 15 phút hoặc nhờ người duyệt cho phát."
        )
    try:
        _HASHER.verify(row.pin_hash, pin)
    except (VerificationError, InvalidHashError):
        raise WrongPin("Mã PIN không đúng. Hãy nhập lại.") from None
    row.wrong = 0


def count_wrong(session: Session, user: User, *, now: datetime) -> None:
    """Write one wrong try down; after five the PIN is locked for a quarter of an hour."""
    row = session.get(EmergencyPin, user.id)
    if row is None:
        return
    row.wrong += 1
    if row.wrong >= WRONG_MOST:
        row.wrong, row.locked_until = 0, now + LOCKED_FOR
    record(
        session, station_id=user.station_id, actor=user, action="nhập sai mã PIN khẩn cấp",
        subject=user.username, detail={"locked": row.locked_until is not None}, now=now,
    )  # fmt: skip
