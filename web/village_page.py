"""The village's page: no account, no cookie, no JavaScript needed.  The address itself is the key.

GET changes nothing (chat apps fetch links to preview them); every answer is a POST that may be sent twice.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    g,
    redirect,
    render_template,
    request,
    send_file,
    send_from_directory,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.delivery.links import village_by_token
from broadcaster.delivery.packs import day_file, plain_name
from broadcaster.delivery.receipts import record_receipt, withdraw_receipt
from broadcaster.errors import BroadcasterError, InputError, NotFound
from broadcaster.model import AiringState, PlannedAiring, ReceiptKind, RenditionKind
from broadcaster.schedule.plan import plan, plan_days
from broadcaster.store.tables import ProgrammeRow, Receipt, Rendition, Station, Village
from web.deps import deps, kept, now, reading, station, today, writing
from web.errors import status_of
from web.keyed import keyed
from web.security import csrf, limiter, public

bp = Blueprint("village_page", __name__, url_prefix="/t")
csrf.exempt(bp)  # no cookie carries any right here, so there is nothing that another site could borrow
CONFIRM_BEFORE = timedelta(
    minutes=30
)  # a page kept in the phone before the network went still has its buttons
PLAYED_BEFORE = timedelta(minutes=5)  # nobody has played what is not on yet; but clocks run ahead
OLDEST_TAP = timedelta(days=7)
STATIC = Path(__file__).resolve().parent / "static"
Said = dict[tuple[str, ReceiptKind], Receipt]
REASONS = ("Mất điện", "Hỏng loa", "Không có mạng", "Lý do khác")


@bp.get("/<token>")
@public
def page(token: str) -> ResponseReturnValue:
    """Today's list: listen, download, confirm."""
    village = _enter(token)
    with reading() as session:
        return _page(session, village, token)


@bp.post("/<token>/buoi/<airing_id>/xac-nhan")
@public
@limiter.limit("120 per minute")
def confirm(token: str, airing_id: str) -> ResponseReturnValue:
    """Played, or could not play and why.  Twice is once."""
    village = _enter(token)
    kind = ReceiptKind.FAILED if request.form.get("kind") == "failed" else ReceiptKind.PLAYED
    reason = request.form.get("reason", "").strip()[:300]
    try:
        if kind is ReceiptKind.FAILED and not reason:
            raise InputError("Hãy chọn lý do không phát được.")
        with writing() as session:
            line = _check_mine(session, village, airing_id)
            tapped = _phone_time() or now()
            if line.planned_at - tapped > (PLAYED_BEFORE if kind is ReceiptKind.PLAYED else CONFIRM_BEFORE):
                raise InputError("Buổi này chưa đến giờ. Phát xong rồi hãy bấm xác nhận.")
            record_receipt(
                session, village, airing_id, kind, reason=reason, phone_at=_phone_time(), now=now()
            )
    except BroadcasterError as error:
        with reading() as session:
            return _page(session, village, token, error), status_of(error)
    return redirect(url_for("village_page.page", token=token, _anchor=f"b-{airing_id}"), 303)


@bp.post("/<token>/buoi/<airing_id>/hoan-tac")
@public
@limiter.limit("120 per minute")
def undo(token: str, airing_id: str) -> ResponseReturnValue:
    """A wrong tap: take the answer back."""
    village = _enter(token)
    kind = ReceiptKind.FAILED if request.form.get("kind") == "failed" else ReceiptKind.PLAYED
    with writing() as session:
        _check_mine(session, village, airing_id)
        withdraw_receipt(session, village, airing_id, kind, now=now())
    return redirect(url_for("village_page.page", token=token, _anchor=f"b-{airing_id}"), 303)


@bp.post("/<token>/buoi/<airing_id>/da-tai")
@public
@limiter.limit("120 per minute")
def downloaded(token: str, airing_id: str) -> ResponseReturnValue:
    """The phone says that it fetched the file."""
    village = _enter(token)
    with writing() as session:
        line = _check_mine(session, village, airing_id)
        if line.airing_id in _renewed(session, [line], _said(session, village, [line])):
            # The same again changes nothing, and this is not the same: a newer file has been fetched.
            withdraw_receipt(session, village, airing_id, ReceiptKind.DOWNLOADED, now=now())
        record_receipt(session, village, airing_id, ReceiptKind.DOWNLOADED, now=now())
    return Response(status=204)


@bp.get("/<token>/ca-ngay.zip")
@public
@limiter.limit("30 per minute")
def whole_day(token: str) -> ResponseReturnValue:
    """Today's programmes in one file; a broken download goes on where it stopped (Range)."""
    village = _enter(token)
    with reading() as session:
        airings = plan(session, today(), village.slug)
    path = day_file(airings, blobs=deps().blobs, folder=deps().settings.var / "packs")
    name = f"{today():%Y%m%d}-{plain_name(village.name)}.zip"
    return send_file(path, mimetype="application/zip", as_attachment=True, download_name=name, etag=path.stem)


@bp.get("/<token>/sw.js")
@public
def worker(token: str) -> ResponseReturnValue:
    """The service worker of this village's page; it may stand for the page itself, which lies one step above."""
    _enter(token)
    answer = send_from_directory(STATIC, "village-sw.js", mimetype="text/javascript", max_age=0)
    answer.headers["Service-Worker-Allowed"] = url_for("village_page.page", token=token)
    return answer


@bp.get("/<token>/app.webmanifest")
@public
def manifest(token: str) -> ResponseReturnValue:
    """What the phone needs to put the page on its home screen."""
    village = _enter(token)
    start = url_for("village_page.page", token=token)
    icon = {
        "src": url_for("static", filename="icon.svg"),
        "sizes": "any",
        "type": "image/svg+xml",
        "purpose": "any",
    }
    return Response(
        json.dumps(
            {
                "name": f"Loa {village.name}", "short_name": village.name[:30], "lang": "vi", "id": start, "start_url": start,
                "scope": start, "display": "standalone", "background_color": "#f5f3ee", "theme_color": "#9b1c1c",
                "icons": [icon],
            },
            ensure_ascii=False,
        ),
        mimetype="application/manifest+json",
    )  # fmt: skip


bp.after_request(keyed)


@bp.errorhandler(NotFound)
def _unknown(error: NotFound) -> ResponseReturnValue:
    with deps().db.reading() as session:
        stations = session.scalars(select(Station).limit(2)).all()
        phone = stations[0].phone if len(stations) == 1 else ""
    return render_template("village_unknown.html", message=error.message, phone=phone), 404


def _enter(token: str) -> Village:
    with deps().db.reading() as session:
        village = village_by_token(session, deps().keys.link_key, token)
        if village is None:
            raise NotFound("Đường dẫn này không còn dùng được. Hãy gọi xã để xin đường dẫn mới.")
        g.station = kept(session, session.get_one(Station, village.station_id))
        return kept(session, village)


def _check_mine(session: Session, village: Village, airing_id: str) -> PlannedAiring:
    days = plan_days(session, today() - timedelta(days=7), 9, village.slug)
    line = next((each for each in days if each.airing_id == airing_id), None)
    if line is None:
        raise NotFound("Buổi phát này không phải của thôn, hoặc đã quá 7 ngày. Hãy mở lại danh sách hôm nay.")
    return line


def _page(session: Session, village: Village, token: str, error: BroadcasterError | None = None) -> str:
    lines = [line for line in plan(session, today(), village.slug) if line.items or line.files]
    tomorrow = [line for line in plan(session, today() + timedelta(days=1), village.slug) if line.items]
    said = _said(session, village, lines)
    zalo = "Zalo" in (request.user_agent.string or "")
    return render_template(
        "village_page.html",
        village=village,
        token=token,
        lines=lines,
        tomorrow=tomorrow,
        day=today(),
        said=said,
        renewed=_renewed(session, lines, said),
        keep=[
            f"/a/{line.files[RenditionKind.AIR].sha256}.mp3"
            for line in tomorrow
            if RenditionKind.AIR in line.files
        ],
        kinds=ReceiptKind,
        now_line=_now_line(
            lines, {airing_id for airing_id, kind in said if kind is not ReceiptKind.DOWNLOADED}
        ),
        may_confirm={line.airing_id for line in lines if line.planned_at - now() <= CONFIRM_BEFORE},
        reasons=REASONS,
        skipped=AiringState.SKIPPED,
        chrome=_chrome_link(token) if zalo and "Android" in request.user_agent.string else "",
        zalo=zalo,
        station=station(),
        error=error,
    )


def _said(session: Session, village: Village, lines: list[PlannedAiring]) -> Said:
    receipts = session.scalars(
        select(Receipt).where(
            Receipt.village_id == village.id,
            Receipt.withdrawn_at.is_(None),
            Receipt.airing_id.in_([line.airing_id for line in lines]),
        )
    )
    return {(receipt.airing_id, receipt.kind): receipt for receipt in receipts}


def _renewed(session: Session, lines: list[PlannedAiring], said: Said) -> dict[str, datetime]:
    """Airings whose file was made after this village fetched one: airing → when it was made."""
    files = {line.files[RenditionKind.AIR].sha256: line for line in lines if RenditionKind.AIR in line.files}
    made = session.execute(
        select(Rendition.sha256, func.max(ProgrammeRow.made_at))
        .join(ProgrammeRow, ProgrammeRow.id == Rendition.programme_id)
        .where(Rendition.sha256.in_(files), ProgrammeRow.station_id == station().id)
        .group_by(Rendition.sha256)
    )
    found = {}
    for sha256, made_at in made:
        fetched = said.get((files[sha256].airing_id, ReceiptKind.DOWNLOADED))
        if fetched is not None and fetched.server_at < made_at:
            found[files[sha256].airing_id] = made_at
    return found


def _phone_time() -> datetime | None:
    """When the button was tapped by the phone's clock; a clock that cannot be right is not believed."""
    text = request.form.get("phone_at", "")
    if not text.isdigit() or len(text) > 15:
        return None
    tapped = datetime.fromtimestamp(int(text) / 1000, UTC)
    return tapped if now() - OLDEST_TAP <= tapped <= now() + timedelta(minutes=5) else None


def _now_line(lines: list[PlannedAiring], answered: set[str]) -> str:
    """The airing that a village should attend to: the last one whose time has come, unless it is answered."""
    open_lines = [
        line for line in lines if line.airing_id not in answered and line.state is not AiringState.SKIPPED
    ]
    due = [line.airing_id for line in open_lines if line.planned_at - now() <= CONFIRM_BEFORE]
    return due[-1] if due else next((line.airing_id for line in open_lines), "")


def _chrome_link(token: str) -> str:
    address = deps().settings.base_url.split("://", 1)
    return f"intent://{address[-1]}/t/{token}#Intent;scheme={address[0]};package=com.android.chrome;end"
