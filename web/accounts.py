"""Accounts of the station: add, edit, give a new password (shown once), close and open again."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import BroadcasterError, InputError
from broadcaster.model import Role
from broadcaster.newsroom.accounts import account_by_id, checked_email, edit_account, sign_ins
from broadcaster.newsroom.contributions import join_unit, unit_of
from broadcaster.newsroom.people import (
    RIGHTS,
    add_user,
    disable,
    enable,
    new_password,
    reset_password,
    users,
)
from broadcaster.store.tables import Contributor
from web.deps import now, reading, station, writing
from web.errors import status_of
from web.security import actor, needs
from web.words import found, sort_key

bp = Blueprint("accounts", __name__, url_prefix="/tai-khoan")
SIGN_INS_SHOWN = timedelta(days=30)


@bp.get("")
@needs("users")
def listing() -> ResponseReturnValue:
    """Every account, open ones first."""
    search = request.args.get("tim", "").strip()
    with reading() as session:
        rows = [row for row in users(session) if found(search, row.display_name, row.username, row.email)]
        rows.sort(key=lambda row: (not row.active, sort_key(row.display_name), row.username))
        return render_template("accounts.html", rows=rows, search=search)


@bp.get("/moi")
@needs("users")
def new() -> ResponseReturnValue:
    """An empty form."""
    with reading() as session:
        return render_template("account_new.html", typed={}, rights=RIGHTS, units=_units(session))


@bp.post("")
@needs("users")
def create() -> ResponseReturnValue:
    """A new account with a random password."""
    typed = request.form.to_dict()
    password = new_password()
    try:
        name = " ".join(typed.get("display_name", "").split())
        if not name or len(name) > 120:
            raise InputError("Hãy ghi họ tên của người dùng tài khoản này, không quá 120 ký tự.")
        role, email = _role(typed), checked_email(typed.get("email", ""))
        with writing() as session:
            row = add_user(
                session, station_id=station().id, username=typed.get("username", ""), display_name=name, role=role,
                password=password, email=email, actor=actor(session), now=now(),
            )  # fmt: skip
            join_unit(session, row, _unit(typed))
            username = row.username
    except BroadcasterError as error:
        with reading() as session:
            page = render_template(
                "account_new.html", typed=typed, rights=RIGHTS, units=_units(session), error=error
            )
        return page, status_of(error)
    return _password_page(name, username, password)


@bp.get("/<int:user_id>")
@needs("users")
def one(user_id: int) -> ResponseReturnValue:
    """One account."""
    with reading() as session:
        return _page(session, user_id)


@bp.post("/<int:user_id>")
@needs("users")
def edit(user_id: int) -> ResponseReturnValue:
    """Name, role, address."""
    typed = request.form.to_dict()
    try:
        with writing() as session:
            account_by_id(session, user_id)
            row = edit_account(
                session, user_id, display_name=typed.get("display_name", ""), role=_role(typed),
                email=typed.get("email", ""), actor=actor(session), now=now(),
            )  # fmt: skip
            join_unit(session, row, _unit(typed))
    except BroadcasterError as error:
        return _refused(user_id, error, typed)
    flash("Đã lưu tài khoản.")
    return redirect(url_for("accounts.one", user_id=user_id), 303)


@bp.post("/<int:user_id>/mat-khau")
@needs("users")
def reset(user_id: int) -> ResponseReturnValue:
    """A new random password; every browser of this person is signed out."""
    password = new_password()
    with writing() as session:
        row = account_by_id(session, user_id)
        reset_password(session, username=row.username, password=password, actor=actor(session), now=now())
        name, username = row.display_name, row.username
    return _password_page(name, username, password)


@bp.post("/<int:user_id>/khoa")
@needs("users")
def close(user_id: int) -> ResponseReturnValue:
    """Close the account; what it wrote and approved stays."""
    try:
        with writing() as session:
            row = account_by_id(session, user_id)
            disable(session, username=row.username, actor=actor(session), now=now())
            name = row.display_name
    except BroadcasterError as error:
        return _refused(user_id, error, {})
    flash(f"Đã khóa tài khoản của {name}.")
    return redirect(url_for("accounts.listing"), 303)


@bp.post("/<int:user_id>/mo")
@needs("users")
def reopen(user_id: int) -> ResponseReturnValue:
    """Open it again."""
    with writing() as session:
        row = account_by_id(session, user_id)
        enable(session, username=row.username, actor=actor(session), now=now())
        name = row.display_name
    flash(f"Đã mở lại tài khoản của {name}.")
    return redirect(url_for("accounts.one", user_id=user_id), 303)


def _role(typed: dict[str, str]) -> Role:
    try:
        return Role(typed.get("role", ""))
    except ValueError:
        raise InputError("Hãy chọn vai trò của tài khoản.") from None


def _unit(typed: dict[str, str]) -> int | None:
    text = typed.get("unit", "")
    return int(text) if text.isdigit() else None


def _units(session: Session) -> list[Contributor]:
    """Units that an account may send for."""
    return list(session.scalars(select(Contributor).where(Contributor.active).order_by(Contributor.name)))


def _page(
    session: Session,
    user_id: int,
    *,
    error: BroadcasterError | None = None,
    typed: dict[str, str] | None = None,
) -> str:
    row = account_by_id(session, user_id)
    places = sign_ins(session, user_id, since=now() - SIGN_INS_SHOWN)
    unit = unit_of(session, user_id)
    return render_template(
        "account.html", row=row, typed=typed or {}, places=places, rights=RIGHTS, error=error,
        units=_units(session), unit=unit.id if unit is not None else 0,
    )  # fmt: skip


def _refused(user_id: int, error: BroadcasterError, typed: dict[str, str]) -> ResponseReturnValue:
    with reading() as session:
        return _page(session, user_id, error=error, typed=typed), status_of(error)


def _password_page(name: str, username: str, password: str) -> ResponseReturnValue:
    # Not a redirect: the password is shown once and stands in no address, log or cookie.
    return render_template("account_password.html", name=name, username=username, password=password)
