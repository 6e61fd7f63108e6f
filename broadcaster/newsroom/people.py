"""Who may do what: accounts, passwords, the one table of rights, the audit book."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound, Refused
from broadcaster.model import Role
from broadcaster.store.tables import Audit, Delegation, Station, User

# Every action a door may ask for.  `own` is one's own account, `see` every page of the station that only shows,
# `contribute` sending drafts from outside; the others change something.
ACTIONS = frozenset(
    "own see contribute write submit lexicon schedule jingles villages report "
    "approve return withdraw emergency delegate receivers settings station users".split()
)
RIGHTS: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        Role.AUTHOR: frozenset(
            "own see write submit withdraw lexicon schedule jingles villages report".split()
        ),
        Role.APPROVER: frozenset("own see approve return withdraw emergency delegate report".split()),
        Role.TECHNICIAN: frozenset("own see receivers settings".split()),
        Role.CONTRIBUTOR: frozenset("own contribute".split()),
        Role.ADMINISTRATOR: ACTIONS
        - {"contribute"},  # and nobody approves what his own hand wrote: see bulletins.approve
    }
)
# What an approver hands over for some days, and nothing else.
DELEGATED = frozenset("approve return".split())

PASSWORD_MIN = 10
# Letters that are not mistaken for one another when they are copied from a screen by hand.
_CLEAR_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_HASHER = PasswordHasher()
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")
_COMMON = ("password", "matkhau", "123456", "qwerty", "abcdef", "111111")


def new_password() -> str:
    """Ten random letters that are not mistaken for one another: about 49 bits."""
    return "".join(secrets.choice(_CLEAR_LETTERS) for _ in range(PASSWORD_MIN))


def may(role: Role, action: str) -> bool:
    """The one answer to "may this role do that"; an action that is not in ACTIONS is our own bug."""
    assert action in ACTIONS, f"unknown action {action}"
    return action in RIGHTS[role]


def allowed(session: Session, user: User, action: str, *, now: datetime) -> bool:
    """`may`, for a person on a day: the account is active; a delegation of today counts."""
    if not user.active:
        return False
    return may(user.role, action) or (action in DELEGATED and delegated(session, user, now=now))


def delegated(session: Session, user: User, *, now: datetime) -> bool:
    """True when an active approver has handed the pen to this person today (by the station's own date)."""
    station = session.get_one(Station, user.station_id)
    today = now.astimezone(ZoneInfo(station.zone)).date()
    giver = session.scalar(
        select(User)
        .join(Delegation, Delegation.from_user_id == User.id)
        .where(
            Delegation.to_user_id == user.id,
            Delegation.station_id == user.station_id,
            Delegation.first_day <= today,
            Delegation.last_day >= today,
            User.active,
            User.role.in_([Role.APPROVER, Role.ADMINISTRATOR]),
        )
        .limit(1)
    )
    return giver is not None


def require(session: Session, user: User, action: str, *, now: datetime, message: str) -> None:
    """Raise Refused with `message` unless the person may do it now."""
    if not allowed(session, user, action, now=now):
        raise Refused(message)


# ----------------------------------------------------------------------------------------- accounts


def hash_password(password: str) -> str:
    """Argon2id hash.  InputError when the password is too weak."""
    if len(password) < PASSWORD_MIN:
        raise InputError(f"Mật khẩu quá ngắn. Hãy đặt ít nhất {PASSWORD_MIN} ký tự.")
    if len(password) > 200:
        raise InputError("Mật khẩu quá dài. Hãy đặt không quá 200 ký tự.")
    plain = password.lower()
    if len(set(plain)) < 4 or any(plain.startswith(word) for word in _COMMON):
        raise InputError("Mật khẩu quá dễ đoán. Hãy đặt một câu ngắn mà người khác không biết.")
    return _HASHER.hash(_composed(password))


def authenticate(session: Session, username: str, password: str) -> User | None:
    """The active person of that name and password, or None.  Takes as long for a name that is not there."""
    user = session.scalar(select(User).where(User.username == _name(username)))
    try:
        _HASHER.verify(user.password_hash if user is not None else _nobody(), _composed(password))
    except (VerificationError, InvalidHashError):
        return None
    if user is None or not user.active:
        return None
    return user


def add_user(
    session: Session,
    *,
    station_id: int,
    username: str,
    display_name: str,
    role: Role,
    password: str,
    email: str = "",
    actor: User | None = None,
    now: datetime,
) -> User:
    """Add an account; `actor` None is the command line.  InputError when the name is taken or not usable."""
    name = _name(username)
    if not _USERNAME.fullmatch(name):
        raise InputError(
            f"Tên đăng nhập “{username.strip()}” không dùng được. Hãy dùng 2 đến 60 chữ thường không dấu, số, chấm, gạch."
        )
    if name in password.lower():
        raise InputError("Mật khẩu không được chứa tên đăng nhập. Hãy đặt mật khẩu khác.")
    user = User(
        station_id=station_id, username=name, display_name=display_name.strip()[:120] or name,
        password_hash=hash_password(password), role=role, email=email.strip(), created_at=now,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise InputError(f"Tên đăng nhập “{name}” đã có người dùng. Hãy chọn tên khác.") from error
    record(
        session, station_id=station_id, actor=actor, action="thêm tài khoản", subject=name,
        detail={"role": role.value}, now=now,
    )  # fmt: skip
    return user


def reset_password(
    session: Session, *, username: str, password: str, actor: User | None = None, now: datetime
) -> User:
    """Give a new password and sign the person out everywhere."""
    user = _by_name(session, username)
    user.password_hash = hash_password(password)
    user.session_epoch += 1
    record(
        session, station_id=user.station_id, actor=actor, action="đặt lại mật khẩu", subject=user.username,
        detail={}, now=now,
    )  # fmt: skip
    return user


def disable(session: Session, *, username: str, actor: User | None = None, now: datetime) -> User:
    """Close an account and sign it out everywhere; what it wrote and approved stays.

    Refused for the last active administrator: nobody could open an account again.
    """
    user = _by_name(session, username)
    keep_an_administrator(session, user)
    user.active = False
    user.session_epoch += 1
    record(
        session, station_id=user.station_id, actor=actor, action="khóa tài khoản", subject=user.username,
        detail={}, now=now,
    )  # fmt: skip
    return user


def keep_an_administrator(session: Session, user: User) -> None:
    """Raise Refused when this is the last active administrator: nobody could open an account again."""
    if user.role is not Role.ADMINISTRATOR or not user.active:
        return
    others = session.scalar(
        select(func.count(User.id)).where(
            User.station_id == user.station_id, User.role == Role.ADMINISTRATOR, User.active, User.id != user.id,
        )
    )  # fmt: skip
    if not others:
        raise Refused(
            f"“{user.username}” là quản trị viên duy nhất. Hãy thêm một quản trị viên khác trước khi khóa hoặc đổi vai trò."
        )


def enable(session: Session, *, username: str, actor: User | None = None, now: datetime) -> User:
    """Open a closed account again."""
    user = _by_name(session, username)
    user.active = True
    record(
        session, station_id=user.station_id, actor=actor, action="mở tài khoản", subject=user.username,
        detail={}, now=now,
    )  # fmt: skip
    return user


def users(session: Session) -> list[User]:
    """Every account, active ones first, by name."""
    return list(session.scalars(select(User).order_by(User.active.desc(), User.username)))


# -------------------------------------------------------------------------------------------- audit


def record(
    session: Session,
    *,
    station_id: int,
    actor: User | str | None,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    now: datetime,
) -> Audit:
    """Write one line of the book; `actor` None is the command line.  The book only grows (a trigger)."""
    name = actor.username if isinstance(actor, User) else (actor or "dòng lệnh")
    row = Audit(
        station_id=station_id, at=now, actor=name, action=action, subject=subject[:120], detail=dict(detail)
    )
    session.add(row)
    return row


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password, but it takes as long to find out")


def _by_name(session: Session, username: str) -> User:
    user = session.scalar(select(User).where(User.username == _name(username)))
    if user is None:
        raise NotFound(f"Không có tài khoản “{username.strip()}”. Hãy kiểm tra lại tên đăng nhập.")
    return user


def _name(username: str) -> str:
    return _composed(username).strip().lower()


def _composed(text: str) -> str:
    """One code for each letter: Vietnamese keyboards of different systems type "ế" differently."""
    return unicodedata.normalize("NFC", text)
