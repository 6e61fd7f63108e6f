"""Tokens of other programs: made for a person, shown once, stored hashed, with a few scopes and an end."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound
from broadcaster.newsroom.people import may, record
from broadcaster.store.tables import ApiToken, Station, User

# scope -> (what it opens, in Vietnamese; the right its owner must have)
SCOPES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "plan.read": ("đọc đài, thôn, chủ đề, lịch phát và các kênh tin", "see"),
        "bulletins.read": ("đọc bản tin và cách đọc", "see"),
        "bulletins.write": ("gửi bản tin nháp vào phòng tin (không gửi duyệt, không duyệt)", "write"),
        "receivers.read": ("đọc danh sách và tình trạng máy thu", "see"),
        "asrun.read": ("đọc nhật ký phát sóng", "report"),
        "reports.read": ("đọc số liệu báo cáo của một kỳ và từng dòng của số liệu", "report"),
    }
)
PREFIX: Final = "bcr_"  # so that a token found in a log or a chat is recognised for what it is
LONGEST_DAYS: Final = 730
USE_NOTED_EVERY: Final = timedelta(hours=1)


def issue_token(
    session: Session,
    *,
    owner: User,
    name: str,
    scopes: Collection[str],
    expires_on: date | None,
    now: datetime,
) -> tuple[ApiToken, str]:
    """A new token: its row, and the secret that nobody can ask for again.

    InputError without a name, without a known scope, or with an end that is past or more than two years away.
    """
    title = " ".join(name.split())
    if not title or len(title) > 120:
        raise InputError("Hãy đặt tên cho mã, ví dụ “Cổng thông tin xã” (không quá 120 ký tự).")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise InputError("Hãy chọn ít nhất một quyền trong danh sách cho mã này.")
    today = _today(session, owner.station_id, now)
    if expires_on is not None and not today <= expires_on <= today + timedelta(days=LONGEST_DAYS):
        raise InputError("Ngày hết hạn phải từ hôm nay đến nhiều nhất hai năm nữa. Hãy chọn lại ngày.")
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        station_id=owner.station_id, name=title, token_hash=_hash(secret), owner_id=owner.id,
        scopes=[scope for scope in SCOPES if scope in scopes], expires_on=expires_on, created_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(
        session, station_id=owner.station_id, actor=owner, action="tạo mã truy cập", subject=title,
        detail={"scopes": row.scopes, "expires_on": expires_on.isoformat() if expires_on else ""}, now=now,
    )  # fmt: skip
    return row, secret


def revoke_token(session: Session, token_id: int, *, actor: User, now: datetime) -> ApiToken:
    """Take a token's right away at once; twice is once."""
    row = session.scalar(select(ApiToken).where(ApiToken.id == token_id))
    if row is None:
        raise NotFound("Không có mã truy cập này ở đài. Hãy mở lại danh sách mã.")
    if row.revoked_at is None:
        row.revoked_at = now
        record(
            session, station_id=row.station_id, actor=actor, action="thu hồi mã truy cập", subject=row.name,
            detail={}, now=now,
        )  # fmt: skip
    return row


def tokens(session: Session) -> list[ApiToken]:
    """Every token, those that still open something first, newest first."""
    return list(
        session.scalars(select(ApiToken).order_by(ApiToken.revoked_at.is_not(None), ApiToken.id.desc()))
    )


def token_by_secret(session: Session, secret: str, *, now: datetime) -> ApiToken | None:
    """The token that opens something now, or None: unknown, revoked, expired, or its owner's account closed."""
    if not secret.startswith(PREFIX):
        return None
    row = session.scalar(select(ApiToken).where(ApiToken.token_hash == _hash(secret)))
    if row is None or row.revoked_at is not None or not row.owner.active:
        return None
    if row.expires_on is not None and _today(session, row.station_id, now) > row.expires_on:
        return None
    return row


def grants(row: ApiToken, scope: str) -> bool:
    """True when the token has the scope and its owner still has the right behind it."""
    return scope in row.scopes and may(row.owner.role, SCOPES[scope][1])


def use_is_old(row: ApiToken, now: datetime) -> bool:
    """True when the time of its last use should be written down again (once an hour is enough)."""
    return row.last_used_at is None or now - row.last_used_at > USE_NOTED_EVERY


def _today(session: Session, station_id: int, now: datetime) -> date:
    return now.astimezone(ZoneInfo(session.get_one(Station, station_id).zone)).date()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
