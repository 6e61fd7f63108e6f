"""The village's page: no account, no cookie, no JavaScript needed.  The address itself is the key.

GET changes nothing (chat apps fetch links to preview them); every answer is a POST that may be sent twice.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, g, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.delivery.links import village_by_token
from broadcaster.delivery.packs import day_file, plain_name
from broadcaster.delivery.receipts import record_receipt, withdraw_receipt
from broadcaster.errors import BroadcasterError, InputError, NotFound
from broadcaster.model import AiringState, PlannedAiring, ReceiptKind
from broadcaster.schedule.plan import plan, plan_days
from broadcaster.store.tables import Receipt, Station, Village
from web.deps import deps, kept, now, reading, station, today, writing
from web.errors import status_of
from web.security import csrf, limiter, public

bp = Blueprint("village_page", __name__, url_prefix="/t")
csrf.exempt(bp)  # no cookie carries any right here, so there is nothing that another site could borrow
# A clock at the village may run ahead, and somebody may have sounded it a little early.
CONFIRM_BEFORE = timedelta(minutes=30)
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
            if line.planned_at - now() > CONFIRM_BEFORE:
                raise InputError("Buổi này chưa đến giờ. Phát xong rồi hãy bấm xác nhận.")
            record_receipt(session, village, airing_id, kind, reason=reason, now=now())
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
        _check_mine(session, village, airing_id)
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


@bp.after_request
def _private(response: Response) -> Response:
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


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
    receipts = session.scalars(
        select(Receipt).where(
            Receipt.village_id == village.id,
            Receipt.withdrawn_at.is_(None),
            Receipt.airing_id.in_([line.airing_id for line in lines]),
        )
    ).all()
    said = {(receipt.airing_id, receipt.kind): receipt for receipt in receipts}
    zalo = "Zalo" in (request.user_agent.string or "")
    return render_template(
        "village_page.html",
        village=village,
        token=token,
        lines=lines,
        tomorrow=tomorrow,
        day=today(),
        said=said,
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
