"""What the station's own row says: name, call sign, phone, broadcasting rules, order of voices.  All audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from broadcaster.errors import InputError
from broadcaster.newsroom.people import record
from broadcaster.schedule.policy import Policy
from broadcaster.store.tables import Station, User


def edit_station(
    session: Session, station: Station, *, name: str, call_sign: str, phone: str, actor: User, now: datetime
) -> None:
    """Name, call sign and phone.  The call sign is spoken: programmes not yet aired are made again with it."""
    name, call_sign, phone = (" ".join(text.split()) for text in (name, call_sign, phone))
    if not name or len(name) > 200:
        raise InputError("Hãy ghi tên đài, không quá 200 ký tự.")
    if not call_sign or len(call_sign) > 300:
        raise InputError("Hãy ghi lời xưng danh của đài, không quá 300 ký tự.")
    if len(phone) > 40 or any(not (letter.isdigit() or letter in " .+()-") for letter in phone):
        raise InputError("Số điện thoại chỉ gồm số và dấu cách, không quá 40 ký tự.")
    before = {"name": station.name, "call_sign": station.call_sign, "phone": station.phone}
    station.name, station.call_sign, station.phone = name, call_sign, phone
    _note(
        session,
        station,
        "sửa thông tin đài",
        before,
        {"name": name, "call_sign": call_sign, "phone": phone},
        actor,
        now,
    )


def edit_policy(
    session: Session, station: Station, data: Mapping[str, Any], *, actor: User, now: datetime
) -> Policy:
    """The broadcasting rules; ConfigError names what is impossible.  What is on the plan already stays."""
    policy = Policy.from_data(data)
    if policy.latest_end <= policy.earliest_start:
        raise InputError("Giờ kết thúc muộn nhất phải sau giờ bắt đầu sớm nhất. Hãy sửa lại hai giờ.")
    if not policy.weekdays:
        raise InputError("Hãy chọn ít nhất một ngày được phát trong tuần.")
    if policy.minutes_a_session > policy.minutes_a_day:
        raise InputError("Số phút một buổi không được lớn hơn số phút một ngày. Hãy sửa lại.")
    before, after = Policy.from_data(station.policy).to_data(), policy.to_data()
    station.policy = after
    _note(session, station, "sửa quy định phát thanh", before, after, actor, now)
    return policy


def edit_voices(
    session: Session, station: Station, chain: Sequence[str], *, actor: User, now: datetime
) -> None:
    """The station's own order of voices; empty = the order in the settings."""
    before, station.voice_chain = list(station.voice_chain), list(chain)
    _note(session, station, "sửa thứ tự giọng", {"chain": before}, {"chain": list(chain)}, actor, now)


def _note(
    session: Session,
    station: Station,
    action: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    actor: User,
    now: datetime,
) -> None:
    """Only what changed goes into the book."""
    changed = [key for key in after if before.get(key) != after[key]]
    if changed:
        record(
            session, station_id=station.id, actor=actor, action=action, subject=station.name,
            detail={"before": {key: before.get(key) for key in changed}, "after": {key: after[key] for key in changed}},
            now=now,
        )  # fmt: skip
