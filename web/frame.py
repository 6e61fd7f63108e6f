"""What the frame of every page shows: station, person, menu, the time at the station."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, cast

from flask import Flask, g, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.model import BulletinState
from broadcaster.newsroom.notices import unread
from broadcaster.schedule.changes import latest_change
from broadcaster.schedule.emergency.showing import board
from broadcaster.store.tables import Bulletin
from web.deps import now, reading
from web.security import account

# endpoint, word, icon, action needed to see it
MENU = (
    ("today.board", "Hôm nay", "home", "see"),
    ("bulletins.listing", "Bản tin", "paper", "see"),
    ("approve.queue", "Duyệt", "check", "approve"),
    ("week.table", "Lịch phát", "week", "see"),
    ("campaigns.listing", "Kế hoạch", "list", "see"),
    ("emergency.page", "Khẩn cấp", "alert", "see"),
    ("jingles.listing", "Nhạc hiệu", "note", "see"),
    ("villages.listing", "Thôn", "people", "villages"),
    ("receivers.listing", "Máy thu", "device", "see"),
    ("log.report", "Nhật ký", "list", "report"),
    ("reports.page", "Báo cáo", "chart", "report"),
    ("contributors.own", "Gửi bài", "paper", "contribute"),
    ("own_account.page", "Tài khoản", "gear", "contribute"),
    ("settings_pages.home", "Cài đặt", "gear", "see"),
)
_STATIC = Path(__file__).resolve().parent / "static"


def install(app: Flask) -> None:
    """Give every template the frame's values."""
    app.context_processor(_frame)
    app.jinja_env.globals["asset"] = asset


def asset(name: str) -> str:
    """Address of a static file that changes when the file does, so that browsers may keep it for a year."""
    return url_for("static", filename=name, v=_mark_of(name))


@cache
def _mark_of(name: str) -> str:
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:10]


def bulletins_by_state(session: Session) -> dict[BulletinState, int]:
    """How many bulletins stand where; asked once a request."""
    if "bulletins_by_state" not in g:
        rows = session.execute(select(Bulletin.state, func.count(Bulletin.id)).group_by(Bulletin.state))
        g.bulletins_by_state = {state: number for state, number in rows}
    return cast(dict[BulletinState, int], g.bulletins_by_state)


def _frame() -> dict[str, Any]:
    person = account()
    values: dict[str, Any] = {"account": person, "station": g.get("station"), "now": now(), "menu": []}
    if person is None:
        return values
    waiting = 0
    with reading() as session:
        values["alarm"] = board(session, now=now()) if person.may("see") else None
        if request.blueprint in PLANNING:
            values["change"] = latest_change(session, person.user_id, now=now())
        values["unread"] = unread(session, person.user_id)
        if person.may("approve"):
            waiting = bulletins_by_state(session).get(BulletinState.SUBMITTED, 0)
    blueprint = request.blueprint or ""
    values["waiting_count"] = waiting
    values["menu"] = [
        {
            "url": url_for(endpoint),
            "word": word,
            "icon": icon,
            "current": request.endpoint == endpoint
            or _HOUSE.get(blueprint, blueprint) == endpoint.split(".")[0],
            "count": waiting if endpoint == "approve.queue" else 0,
        }
        for endpoint, word, icon, action in MENU
        if person.may(action)
    ]
    return values


PLANNING = ("week", "airing", "series", "planning")  # where a change of the plan can be taken back
# Pages that live under another screen's menu entry.
_HOUSE = {
    "share": "bulletins", "contributors": "bulletins", "feedback": "villages", "followup": "villages",
    "compose": "bulletins", "recordings": "bulletins", "airing": "week", "series": "week", "planning": "week", "programme_frame": "jingles",
    "own_account": "settings_pages", "accounts": "settings_pages", "delegations": "settings_pages",
    "dictionary": "settings_pages", "activities": "reports", "report_text": "reports", "archive": "reports", "succession": "villages",
}  # fmt: skip
