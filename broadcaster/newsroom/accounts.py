"""What people change about accounts in the web: their own password, somebody's name, role and address."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound
from broadcaster.model import Role
from broadcaster.newsroom.people import (
    authenticate,
    hash_password,
    keep_an_administrator,
    record,
)
from broadcaster.store.tables import SignIn, User

KEEP_SIGN_INS = timedelta(days=90)
_EMAIL = re.compile(r"[^@\s<>\"',;]+@[^@\s<>\"',;]+\.[^@\s<>\"',;.]+")


def account_by_id(session: Session, user_id: int) -> User:
    """Somebody of this station.  NotFound otherwise."""
    user = session.scalar(select(User).where(User.id == user_id))
    if user is None:
        raise NotFound("Không có tài khoản này ở đài. Hãy mở lại danh sách tài khoản.")
    return user


def edit_account(
    session: Session,
    user_id: int,
    *,
    display_name: str,
    role: Role,
    email: str,
    actor: User,
    now: datetime,
) -> User:
    """Change name, role and address; the book says what they were.  Refused for the last administrator's role."""
    user = account_by_id(session, user_id)
    before = {"name": user.display_name, "role": user.role.value, "email": user.email}
    if role is not user.role:
        keep_an_administrator(session, user)
    user.display_name = _display_name(display_name)
    user.role = role
    user.email = checked_email(email)
    after = {"name": user.display_name, "role": role.value, "email": user.email}
    if after != before:
        record(
            session, station_id=user.station_id, actor=actor, action="sửa tài khoản", subject=user.username,
            detail={"before": before, "after": after}, now=now,
        )  # fmt: skip
    return user


def change_password(session: Session, user: User, *, old: str, new: str, now: datetime) -> None:
    """One's own password; every other browser is signed out.  InputError when the old one is wrong."""
    if authenticate(session, user.username, old) is None:
        raise InputError("Mật khẩu đang dùng chưa đúng. Hãy gõ lại; chú ý phím Caps Lock và bộ gõ.")
    if new == old:
        raise InputError("Mật khẩu mới trùng mật khẩu đang dùng. Hãy đặt mật khẩu khác.")
    if user.username in new.lower():
        raise InputError("Mật khẩu không được chứa tên đăng nhập. Hãy đặt mật khẩu khác.")
    user.password_hash = hash_password(new)
    user.session_epoch += 1
    record(
        session, station_id=user.station_id, actor=user, action="tự đổi mật khẩu", subject=user.username,
        detail={}, now=now,
    )  # fmt: skip


def change_email(session: Session, user: User, *, email: str, now: datetime) -> None:
    """One's own address for notices; empty = none."""
    before, user.email = user.email, checked_email(email)
    if user.email != before:
        record(
            session, station_id=user.station_id, actor=user, action="tự đổi hộp thư", subject=user.username,
            detail={"before": before, "after": user.email}, now=now,
        )  # fmt: skip


def checked_email(text: str) -> str:
    """The address, or InputError; empty is allowed."""
    email = text.strip()
    if email and (len(email) > 200 or not _EMAIL.fullmatch(email)):
        raise InputError(f"“{email[:60]}” không phải địa chỉ thư điện tử. Hãy gõ lại, ví dụ hoa@example.vn.")
    return email


# ----------------------------------------------------------------------------------------- sign-ins


def begin_sign_in(session: Session, user: User, *, device: str, address: str, now: datetime) -> SignIn:
    """A new signed-in browser; rows older than three months go."""
    session.execute(delete(SignIn).where(SignIn.user_id == user.id, SignIn.began_at < now - KEEP_SIGN_INS))
    row = SignIn(
        station_id=user.station_id, user_id=user.id, device=device[:80], address=address[:45], began_at=now,
        ended_at=None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def end_sign_in(session: Session, sign_in_id: int, *, user_id: int, now: datetime) -> None:
    """That browser is signed out, and every copy of its cookie with it."""
    session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.user_id == user_id, SignIn.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session="fetch")
    )


def end_other_sign_ins(session: Session, user_id: int, *, keep: int = 0, now: datetime) -> None:
    """Every browser of this person but `keep` is signed out."""
    session.execute(
        update(SignIn)
        .where(SignIn.user_id == user_id, SignIn.id != keep, SignIn.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session="fetch")
    )


def sign_ins(session: Session, user_id: int, *, since: datetime, limit: int = 20) -> list[SignIn]:
    """Where this person has signed in since then, newest first."""
    return list(
        session.scalars(
            select(SignIn)
            .where(SignIn.user_id == user_id, SignIn.began_at >= since)
            .order_by(SignIn.id.desc())
            .limit(limit)
        )
    )


def _display_name(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise InputError("Hãy ghi họ tên, để mọi người biết tài khoản này của ai.")
    if len(name) > 120:
        raise InputError("Họ tên dài quá 120 ký tự. Hãy rút ngắn.")
    return name
