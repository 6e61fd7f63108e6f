"""Today: what sounds now, what is next, what is missing, who has confirmed.  Everything comes from `plan` and as-run.

The board is made of parts with names.  A page that stays open tells which parts it shows and gets back the
changed ones only, so that nothing under a finger or a screen reader moves without need.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from broadcaster.model import AiringState, PlannedAiring
from broadcaster.report.counting import airing_report, known_receivers
from broadcaster.schedule.plan import next_airing, plan_days
from broadcaster.store.tables import Receiver
from web.deps import now, reading, station, today
from web.heard import Heard, by_airing
from web.security import account, needs
from web.todos import OPEN, todos
from web.words import clock_text, day_text

bp = Blueprint("today", __name__)
LATELY = timedelta(seconds=90)  # a player that has not been heard for so long is silent
TO_CONFIRM = timedelta(minutes=15)  # what villages have after an airing before they are reminded


@dataclass(frozen=True, slots=True)
class Part:
    """A named piece of the board; `mark` changes when what it shows does."""

    name: str
    html: str

    @property
    def mark(self) -> str:
        """A short hash of what it shows."""
        return hashlib.sha256(self.html.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Sounding:
    """A player that says it is sounding an airing: how far it is, and how loud it is set."""

    receiver: str
    heard_ms: int
    volume_percent: int | None


@dataclass(frozen=True, slots=True)
class Reminder:
    """Villages that have said nothing of an airing, and a text to send them."""

    line: PlannedAiring
    villages: tuple[str, ...]
    text: str


@bp.get("/")
@needs("see")
def board() -> ResponseReturnValue:
    """The board; where JavaScript runs its parts are asked for again every 15 seconds."""
    with reading() as session:
        return render_template("today.html", day=today(), parts=_parts(session))


@bp.get("/hom-nay/bang")
@needs("see")
def part() -> ResponseReturnValue:
    """The parts that are not as the page shows them (`co` = name:mark each); 204 when all are."""
    shown = dict(each.rpartition(":")[::2] for each in request.args.getlist("co"))
    with reading() as session:
        parts = _parts(session)
    if set(shown) != {each.name for each in parts}:
        return render_template("_today_board.html", parts=parts, whole=True)
    changed = [each for each in parts if shown[each.name] != each.mark]
    if not changed:
        return "", 204
    return render_template("_today_changed.html", parts=changed)


def _parts(session: Session) -> list[Part]:
    soon = plan_days(session, today(), 3)  # asked once: the day, what is next and what is missing
    lines = [line for line in soon if line.local_date == today()]
    known = known_receivers(session)
    heard = by_airing(airing_report(session, today(), today(), now=now(), lines=lines, receivers=known))
    receivers = [row for row in known if row.revoked_at is None]
    on_air = next((line for line in lines if _sounds(line, heard.get(line.airing_id), now())), None)
    coming = [line for line in soon if line.state in OPEN and line.planned_at > now()]
    if not coming:
        far = next_airing(session, now())
        coming = [far] if far is not None else []
    common: dict[str, Any] = {
        "day": today(), "can_stop": _has("emergency.ask_stop"), "account": account(), "station": station(), "now": now(),
    }  # fmt: skip
    values = {
        "chinh": ("_today_hero.html", {
            "on_air": on_air, "coming": coming,
            "sounding": _sounding(on_air, heard, receivers, now()) if on_air else [],
        }),
        "can-lam": ("_today_todos.html", {"todos": todos(session, soon, receivers, now(), silent=LATELY)}),
        "nhac-thon": ("_today_remind.html", {"reminders": reminders(lines, heard, now(), station().name)}),
    }  # fmt: skip
    for line in lines:
        told = heard.get(line.airing_id)
        values[f"buoi-{line.airing_id}-{line.variant}"] = ("_today_line.html", {"line": line, "known": told})
    # Without the frame's own questions, which every `render_template` asks anew.
    page = current_app.jinja_env
    return [
        Part(name, page.get_template(template).render(common | more))
        for name, (template, more) in values.items()
    ]


def _has(endpoint: str) -> bool:
    return endpoint in current_app.view_functions


def _sounds(line: PlannedAiring, known: Heard | None, at: datetime) -> bool:
    """On the air by the players' word; by the plan alone only where its length is known."""
    told = [one.told for one in known.players.values()] if known is not None else []
    if any(one.sounding and (one.started_at is None or one.started_at <= at) for one in told):
        return True
    if line.state not in (AiringState.STARTED, AiringState.CLOSED) or line.duration_ms is None:
        return False
    return line.planned_at <= at < line.planned_at + timedelta(milliseconds=line.duration_ms)


def _sounding(
    line: PlannedAiring, heard: Mapping[str, Heard], receivers: Sequence[Receiver], at: datetime
) -> list[Sounding]:
    """The players that sound it now: by their events, with the volume of their last heartbeat."""
    known = heard.get(line.airing_id)
    rows = {row.id: row for row in receivers}
    found = []
    for one in known.players.values() if known is not None else ():
        if not one.told.sounding:
            continue
        row = rows.get(one.receiver_id)
        fresh = row is not None and row.last_seen_at is not None and at - row.last_seen_at <= LATELY
        beat = row.heartbeat if row is not None and fresh else {}
        since = at - (one.told.started_at or line.planned_at)
        passed = max(int(since.total_seconds() * 1000), one.told.heard_ms)
        volume = beat.get("volume_percent")
        found.append(Sounding(one.receiver, passed, volume if isinstance(volume, int) else None))
    return found


def reminders(
    lines: Sequence[PlannedAiring], heard: Mapping[str, Heard], at: datetime, station_name: str
) -> list[Reminder]:
    """Ended airings of today that villages have not confirmed, newest first, each with a text ready to send."""
    found = []
    for line in lines:
        known = heard.get(line.airing_id)
        ended = line.planned_at + timedelta(milliseconds=line.duration_ms or 0)
        if (
            known is None
            or line.state is not AiringState.STARTED
            or at < ended + TO_CONFIRM
            or not known.quiet
        ):
            continue
        names = ", ".join(known.quiet)
        text = (
            f"{station_name} nhắc: buổi phát thanh {clock_text(line.start_local)} ngày {day_text(line.local_date)} "
            f"chưa có xác nhận của: {names}. Đề nghị người phụ trách loa mở trang của thôn, bấm “Đã phát xong”, "
            "hoặc “Không phát được” và chọn lý do. Xin cảm ơn."
        )
        found.append(Reminder(line, tuple(known.quiet), text))
    return found[::-1]
