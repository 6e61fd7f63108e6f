"""Villages: who answers for each, its link with a QR code, printable cards, a new link when one leaked."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from broadcaster.delivery.links import village_token
from broadcaster.errors import InputError, NotFound
from broadcaster.newsroom.people import record
from broadcaster.schedule.plan import plan
from broadcaster.store.tables import Receipt, Receiver, Village
from web.deps import deps, now, reading, station, today, writing
from web.security import actor, needs
from web.village_states import CONDITIONS, SORTS, Condition, standings
from web.words import found

bp = Blueprint("villages", __name__, url_prefix="/thon")


@dataclass(frozen=True, slots=True)
class Link:
    """A village's address; `qr` is empty when phones could not open it."""

    url: str
    qr: Markup
    short: str = ""  # the last letters: what a caller reads out so that the office knows which card it is


@bp.get("")
@needs("villages")
def listing() -> ResponseReturnValue:
    """All villages with how they stand: searched, filtered, sorted; as a table, or as a picture of the same rows."""
    search = request.args.get("tim", "").strip()
    wanted = request.args.get("loc", "")
    order = request.args.get("xep", "")
    view = "so-do" if request.args.get("dang") == "so-do" else ""
    with reading() as session:
        everyone = _all(session)
        lines = plan(session, today())
        said: dict[int, list[Receipt]] = {}
        for receipt in session.scalars(
            select(Receipt).where(
                Receipt.airing_id.in_({line.airing_id for line in lines}), Receipt.withdrawn_at.is_(None)
            )
        ):
            said.setdefault(receipt.village_id, []).append(receipt)
        receivers = session.scalars(select(Receiver).options(selectinload(Receiver.villages))).all()
    rows = standings(everyone, lines, said, receivers, now())
    counts = {each: sum(1 for row in rows if row.condition is each) for each in Condition}
    rows = [
        row
        for row in rows
        if found(search, row.village.name, row.village.operator_name, row.village.operator_phone)
        and (row.condition is not Condition.GOOD if wanted == "chu_y" else wanted in ("", row.condition))
    ]
    if order in SORTS:
        rows.sort(key=SORTS[order])
    return render_template(
        "villages.html", rows=rows, total=len(everyone), counts=counts, conditions=CONDITIONS, search=search,
        wanted=wanted, order=order, view=view, reachable=not why_unreachable(),
    )  # fmt: skip


@bp.get("/<int:village_id>")
@needs("villages")
def one(village_id: int) -> ResponseReturnValue:
    """One village: link, QR code, people."""
    with reading() as session:
        row = _load(session, village_id)
        return render_template("village.html", row=row, link=link_of(row), why=why_unreachable())


@bp.post("/<int:village_id>")
@needs("villages")
def edit(village_id: int) -> ResponseReturnValue:
    """Who answers for the village."""
    name = request.form.get("operator_name", "").strip()[:120]
    phone = request.form.get("operator_phone", "").strip()[:40]
    with writing() as session:
        row = _load(session, village_id)
        before = {"name": row.operator_name, "phone": row.operator_phone}
        row.operator_name, row.operator_phone = name, phone
        record(
            session,
            station_id=station().id,
            actor=actor(session),
            action="sửa người phụ trách thôn",
            subject=row.name,
            detail={"before": before, "after": {"name": name, "phone": phone}},
            now=now(),
        )
    flash("Đã lưu người phụ trách.")
    return redirect(url_for("villages.one", village_id=village_id), 303)


@bp.post("/<int:village_id>/doi-lien-ket")
@needs("villages")
def renew(village_id: int) -> ResponseReturnValue:
    """A new link; the old one stops at once."""
    with writing() as session:
        row = _load(session, village_id)
        row.link_generation += 1
        record(
            session,
            station_id=station().id,
            actor=actor(session),
            action="đổi đường dẫn thôn",
            subject=row.name,
            detail={"generation": row.link_generation},
            now=now(),
        )
    flash("Đã đổi đường dẫn. Đường dẫn cũ không còn dùng được; hãy gửi đường dẫn mới cho thôn.")
    return redirect(url_for("villages.one", village_id=village_id), 303)


@bp.get("/the-qr")
@needs("villages")
def cards() -> ResponseReturnValue:
    """A sheet of cards to print and cut: village, QR code, address in words."""
    why = why_unreachable()
    if why:
        raise InputError(why)
    with reading() as session:
        return render_template("village_cards.html", rows=[(row, link_of(row)) for row in _all(session)])


def link_of(village: Village) -> Link:
    """The village's own address, recomputed each time: it is stored nowhere."""
    token = village_token(deps().keys.link_key, village.id, village.link_generation)
    url = f"{deps().settings.base_url}{url_for('village_page.page', token=token)}"
    if why_unreachable():
        return Link(url, Markup(""), token[-4:].upper())
    qr = segno.make(url, error="m", micro=False)
    drawn = qr.svg_inline(border=1, omitsize=True, title=f"Mã QR của {village.name}")
    # segno writes plain attributes only, nothing that a strict content policy would stop.
    return Link(url, Markup(drawn), token[-4:].upper())  # noqa: S704


def why_unreachable() -> str:
    """Why a phone could not open the links ('' when it could): a QR code of this machine's own name is a trap."""
    host = urlsplit(deps().settings.base_url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
        own = address.is_loopback or address.is_unspecified
    except ValueError:
        own = host == "localhost" or host.endswith(".localhost") or not host
    if not own:
        return ""
    return (
        f"Địa chỉ {host} chỉ mở được trên chính máy này, điện thoại của thôn không mở được, nên chưa in mã QR. "
        "Hãy nhờ kỹ thuật đặt địa chỉ mà điện thoại mở được ở Cài đặt, mục Máy, thư và địa chỉ."
    )


def _all(session: Session) -> list[Village]:
    day = today()
    rows = session.scalars(select(Village).order_by(Village.position, Village.id))
    return [
        row
        for row in rows
        if (row.valid_from is None or row.valid_from <= day) and (row.valid_to is None or row.valid_to >= day)
    ]


def _load(session: Session, village_id: int) -> Village:
    row = session.scalar(select(Village).where(Village.id == village_id))
    if row is None:
        raise NotFound("Không có thôn này ở đài. Hãy mở lại danh sách thôn.")
    return row
